"""``bookwheel train``: fits models to the collection that they serve."""

from __future__ import annotations

from typing import Any

import click

from .._errors import UsageError
from .command import Group, argument, command, option
from .options import Widths
from .output import clean
from .train_neural import encoder, in_context, reranker, splade, tokens, tower, writer
from .training import Training, training

__all__ = ["train"]


@click.group(
    "train",
    cls=Group,
    examples=[
        ("bookwheel train static", "fit the instant vectors to the library, in minutes"),
        ("bookwheel train static --replace", "and use them where they are better"),
    ],
)
def train() -> None:
    """Fit a model to the collection that it serves, without labels.

    A trained model is compared with the one in use on queries that are held out of the collection. Where it is
    not better, nothing is written. Without a command, the static model is trained.
    """


@command(
    "static",
    examples=[
        ("bookwheel train static", "write a model where it is better, and say how much"),
        ("bookwheel train static --teacher MODEL --replace", "learn from a neural encoder too, and use the model at once"),
    ],
    writes=True,
)
@option("--teacher", metavar="MODEL", help="A neural encoder to imitate as well: a model, or its name in the library.")
@option("--replace", "use", is_flag=True, help="Replace the vectors made while indexing, where the model is better.")
@training(5, plot=True)
def static(run: Training, teacher: str | None, use: bool) -> None:
    """Fit the static model, which makes the vectors while indexing, to the passages of a library.

    Titles and sentences stand for queries of the passages that they are taken out of; frequent words that the
    model knows only in pieces get vectors of their own. With a neural encoder, the model also imitates what that
    says of some passages. After Ctrl-C the same command continues.
    """
    from ..train import train_static

    found = train_static(run.library, teacher=teacher, **run.arguments())
    following = (
        f"next: bookwheel encoders replace dense={clean(found.folder or '')}{run.flag}; then: bookwheel embed dense{run.flag}"
    )
    use = use and found.folder is not None
    if use and found.folder is not None:
        run.library.replace_encoder("dense", found.folder)
        run.library.embed("dense", progress=run.progress())
        following = "the library uses it now"
    run.finish(found, following, {"replaced": use})


@command(
    "sparse",
    examples=[
        ("bookwheel train sparse", "a table for the queries of the library's sparse encoder"),
        ("bookwheel train sparse --teacher MODEL --out FOLDER", "of another model, in a folder of your own"),
    ],
    writes=True,
)
@option("--teacher", metavar="MODEL", help="The sparse encoder: a model, or its name in the library. [default: the only one]")
@training(5, compare=False)
def sparse(run: Training, teacher: str | None) -> None:
    """Fit a table of query weights, so that a sparse encoder need not read queries.

    The table weighs each token of a query so that passages score as the encoder's own vector of the query would
    make them. Passages keep their vectors; a search then takes no model. It is written where held-out queries show
    that little is lost. After Ctrl-C the same command continues.
    """
    from ..train import train_sparse

    found = train_sparse(run.library, teacher=teacher, **run.arguments())
    folder = clean(found.folder or "")
    run.finish(
        found, f"next: bookwheel encoders add NAME={folder} --kind sparse{run.flag}; then: bookwheel embed NAME{run.flag}"
    )


@command(
    "attention",
    examples=[
        ("bookwheel train attention", "weights for the heads of smollm2, written where they rank better than BM25"),
        ("bookwheel train attention ./model --minutes 40", "of a model of your own, with more time"),
    ],
    writes=True,
)
@argument("model", metavar="[MODEL]", default="smollm2")
@training(20, sources=True)
def attention(run: Training, model: str) -> None:
    """Fit weights to the attention heads of a language model, which then put BM25's first passages into a better order.

    MODEL is smollm2, the folder of a transformers model, or a .gguf file; it stays as it is. Needs torch:
    pip install 'bookwheel[language]'. Queries are made of the library (titles, headings, sentences) or are those of
    SOURCE, as for bookwheel train encoder. After Ctrl-C the same command continues.
    """
    from ..train import train_attention

    found = train_attention(run.library, model, **run.arguments())
    run.finish(found, f"next: bookwheel search QUERY --recipe '{clean(found.recipe or '')}'{run.flag}")


@command(
    "projection",
    examples=[
        ("bookwheel train projection minilm --teacher MODEL --add taught", "vectors that rank more as a larger encoder's do"),
        ("bookwheel train projection minilm --dimensions 64,128 --add small", "vectors of 128 dimensions, or the first 64"),
    ],
    writes=True,
)
@argument("name", metavar="NAME")
@option("--teacher", metavar="MODEL", help="A larger encoder whose rankings are imitated: a model, or its name in the library.")
@option("--dimensions", type=Widths(), metavar="N,…", help="Of the new vectors, and where they may be cut. [default: all]")
@option("--add", metavar="NAME", help="Add the model under this name, with the stored vectors mapped.")
@training(20, plot=True)
def projection(run: Training, name: str, teacher: str | None, dimensions: tuple[int, ...] | None, add: str | None) -> None:
    """Fit a linear map behind an encoder: to rank as a larger one, or for fewer dimensions and better codes.

    NAME is an encoder of the library, the built-in one (dense) too, whose passages are embedded. With --teacher, queries
    drawn of the library are to rank passages by the new vectors as they do by the teacher's. Without, the first
    dimensions of the new vectors keep most of every dot product (Matryoshka), and their signs lie close to them. NAME
    encodes nothing anew, and no torch is needed. After Ctrl-C the same command continues.
    """
    from ..train import train_projection, train_taught_projection

    if teacher is not None and dimensions is not None:
        raise UsageError(
            "a teacher's map keeps all dimensions; leave out --dimensions, and fit them to the new model afterwards"
        )
    if teacher is None and run.plot is not None:
        raise UsageError("without --teacher a map is found in rotations, which have no loss to draw; leave out --plot")
    given: dict[str, Any] = {"add": add, **run.arguments()}
    found = (
        train_projection(run.library, name, dimensions=dimensions, **given)
        if teacher is None
        else train_taught_projection(run.library, name, teacher=teacher, **given)
    )
    following = f"next: bookwheel encoders add NAME={clean(found.folder or '')}{run.flag}; then: bookwheel embed NAME{run.flag}"
    if found.added is not None:
        following = f"next: bookwheel search QUERY --recipe {clean(found.added)}{run.flag}"
    run.finish(found, following)


for one in (static, sparse, splade, encoder, reranker, attention, in_context, tokens, tower, writer, projection):
    train.add_command(one)
