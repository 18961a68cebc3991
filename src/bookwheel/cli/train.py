"""``bookwheel train``: fits models to the collection that they serve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .command import Group, argument, command, option
from .options import Number, Whole, Widths, json_option, library_option, memory_option
from .output import clean, json_document, print_memory_plan

if TYPE_CHECKING:
    from ..library.library import Library
    from ..progress import Progress

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


def training_options(minutes: float) -> Callable[[Any], Any]:
    """The options of all commands that train: the library, where the model goes, the time (``minutes`` by default), the seed."""
    every = (
        library_option,
        option(
            "--out", type=click.Path(file_okay=False), metavar="FOLDER", help="The model's folder. [default: in the library]"
        ),
        option(
            "--minutes",
            type=Number(0.01, 1440),
            default=minutes,
            metavar="N",
            help=f"Time for it. [default: {minutes:g}]",
        ),
        option("--seed", type=Whole(0), default=0, metavar="N", help="Of everything that is drawn. [default: 0]"),
        memory_option,
        json_option,
    )

    def add(function: Any) -> Any:
        for one in reversed(every):
            function = one(function)
        return function

    return add


def shown(as_json: bool, plot: Path | None = None) -> Progress:
    """How the run shows that it goes on; before it, that kernels are compiled, where they are, and that ``plot`` can be drawn."""
    from ..progress import auto, silent
    from ..train.plot import require_svg
    from .compiling import announced

    require_svg(plot)

    announced()
    return silent if as_json else auto


plot_option = option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw loss and learning rate into this SVG, also where no model is written.",
)


def finished(
    found: Any,
    *,
    as_json: bool,
    memory: bool,
    plot: Path | None = None,
    following: str = "",
    more: dict[str, Any] | None = None,
) -> None:
    """Print what a run came to; ``plot``: where to draw it, ``following``: what to do with the model where there is one, ``more``:
    for JSON only.
    """
    if as_json:
        json_document({**found.to_dict(), **(more or {})})
    else:
        click.echo(clean(str(found), lines=True))
        if found.folder is not None:
            click.echo(following)
    if memory and found.memory_plan is not None:
        print_memory_plan(found.memory_plan)
    if plot is not None:
        from ..train.plot import write_plot

        write_plot(found, plot)


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
@plot_option
@training_options(5)
def static(
    library: Library,
    out: str | None,
    teacher: str | None,
    use: bool,
    plot: Path | None,
    minutes: float,
    seed: int,
    memory: bool,
    as_json: bool,
) -> None:
    """Fit the static model, which makes the vectors while indexing, to the passages of a library.

    Titles and sentences stand for queries of the passages that they are taken out of; frequent words that the
    model knows only in pieces get vectors of their own. With a neural encoder, the model also imitates what that
    says of some passages. After Ctrl-C the same command continues.
    """
    from ..train import train_static
    from .encoders import library_flag

    show = shown(as_json, plot)
    found = train_static(library, out, teacher=teacher, minutes=minutes, seed=seed, progress=show)
    use = use and found.folder is not None
    if use and found.folder is not None:
        library.replace_encoder("dense", found.folder)
        library.embed("dense", progress=show)
    flag = library_flag(library)
    following = f"next: bookwheel encoders replace dense={clean(found.folder or '')}{flag}; then: bookwheel embed dense{flag}"
    finished(
        found,
        as_json=as_json,
        memory=memory,
        plot=plot,
        following="the library uses it now" if use else following,
        more={"replaced": use},
    )


@command(
    "sparse",
    examples=[
        ("bookwheel train sparse", "a table for the queries of the library's sparse encoder"),
        ("bookwheel train sparse --teacher MODEL --out FOLDER", "of another model, in a folder of your own"),
    ],
    writes=True,
)
@option("--teacher", metavar="MODEL", help="The sparse encoder: a model, or its name in the library. [default: the only one]")
@training_options(5)
def sparse(
    library: Library, out: str | None, teacher: str | None, minutes: float, seed: int, memory: bool, as_json: bool
) -> None:
    """Fit a table of query weights, so that a sparse encoder need not read queries.

    The table weighs each token of a query so that passages score as the encoder's own vector of the query would
    make them. Passages keep their vectors; a search then takes no model. It is written where held-out queries show
    that little is lost. After Ctrl-C the same command continues.
    """
    from ..train import train_sparse
    from .encoders import library_flag

    found = train_sparse(library, out, teacher=teacher, minutes=minutes, seed=seed, progress=shown(as_json))
    flag = library_flag(library)
    following = (
        f"next: bookwheel encoders add NAME={clean(found.folder or '')} --kind sparse{flag}; then: bookwheel embed NAME{flag}"
    )
    finished(found, as_json=as_json, memory=memory, following=following)


sources_option = option(
    "--from", "sources", multiple=True, metavar="SOURCE", help="Where pairs are from; may be repeated. [default: titles]"
)


@command(
    "encoder",
    examples=[
        ("bookwheel train encoder MODEL", "train a copy of a sentence encoder, and write it where it is better"),
        ("bookwheel train encoder MODEL --teacher LARGER --from titles --from cloze", "that imitates a larger encoder"),
    ],
    writes=True,
)
@argument("model", metavar="MODEL")
@option("--teacher", metavar="MODEL", help="A larger dense encoder to imitate: a model, or its name in the library.")
@sources_option
@option("--batch", type=Whole(2), metavar="N", help="Pairs of a step; memory does not grow with it. [default: 32]")
@option(
    "--pretrain",
    type=Number(0, 0.79),
    default=0.0,
    metavar="SHARE",
    help="Of the minutes: first rebuild masked passages from their vectors (not measured). [default: 0]",
)
@plot_option
@training_options(45)
def encoder(
    model: str,
    library: Library,
    teacher: str | None,
    out: str | None,
    sources: tuple[str, ...],
    batch: int | None,
    pretrain: float,
    plot: Path | None,
    minutes: float,
    seed: int,
    memory: bool,
    as_json: bool,
) -> None:
    """Train a sentence encoder on pairs of queries and passages of a library, without labels or with them.

    MODEL is the folder of a model in sentence-transformers' layout, or a package that holds one. Needs torch:
    pip install 'bookwheel[train]'. SOURCE is titles (titles, headings and sentences of the library, each with the
    passage that it is taken out of), cloze (the words around a name or number), links, replies (subjects of
    threads of mails), written=MODEL (questions that a language model writes), queries (what people asked and
    opened; log=FILE for a log), judgments=FOLDER (a judged collection) or pairs=FILE (lines of JSON with query
    and answer). After Ctrl-C the same command continues.
    """
    from ..train import EncoderOptions, PretrainOptions, train_encoder
    from .encoders import library_flag

    first = PretrainOptions(share=pretrain)
    options = EncoderOptions(pretraining=first) if batch is None else EncoderOptions(batch=batch, pretraining=first)
    found = train_encoder(
        library,
        model,
        out,
        teacher=teacher,
        sources=sources or ("titles",),
        minutes=minutes,
        seed=seed,
        options=options,
        progress=shown(as_json, plot),
    )
    following = f"next: bookwheel encoders add NAME={clean(found.folder or '')}{library_flag(library)}"
    finished(found, as_json=as_json, memory=memory, plot=plot, following=following)


@command(
    "reranker",
    examples=[
        ("bookwheel train reranker MODEL", "a cross-encoder for this library, written where it is better than BM25 alone"),
        ("bookwheel train reranker MODEL --teacher LARGER", "that imitates a larger encoder"),
    ],
    writes=True,
)
@argument("model", metavar="MODEL")
@option("--teacher", metavar="MODEL", help="A dense encoder to imitate: a model, or its name in the library.")
@option("--loss", metavar="NAME", help="listwise, margin-mse or contrast. [default: listwise with a teacher, contrast without]")
@sources_option
@plot_option
@training_options(45)
def reranker(
    model: str,
    library: Library,
    teacher: str | None,
    loss: str | None,
    sources: tuple[str, ...],
    out: str | None,
    plot: Path | None,
    minutes: float,
    seed: int,
    memory: bool,
    as_json: bool,
) -> None:
    """Train a cross-encoder, which reads query and passage together, to put BM25's first passages into a better order.

    MODEL is the folder of a cross-encoder, or of a BERT-like encoder, which gets a new head. Needs torch:
    pip install 'bookwheel[train]'. Queries are made of the library (titles, headings, sentences) or are those of
    SOURCE, as for bookwheel train encoder. After Ctrl-C the same command continues.
    """
    from ..train import RerankerOptions, train_reranker
    from .encoders import library_flag

    found = train_reranker(
        library, model, out, teacher=teacher, sources=sources or ("titles",), minutes=minutes, seed=seed,
        options=RerankerOptions(loss=loss), progress=shown(as_json, plot),
    )  # fmt: skip
    following = f"next: bookwheel search QUERY --recipe '{clean(found.recipe or '')}'{library_flag(library)}"
    finished(found, as_json=as_json, memory=memory, plot=plot, following=following)


@command(
    "tokens",
    examples=[
        (
            "bookwheel train tokens MODEL",
            "a late-interaction model from a sentence encoder, written where it is better than BM25",
        ),
        ("bookwheel train tokens MODEL --teacher LARGER --minutes 20", "that imitates a larger encoder, in less time"),
    ],
    writes=True,
)
@argument("model", metavar="MODEL")
@option("--teacher", metavar="MODEL", help="A dense encoder to imitate: a model, or its name in the library. [default: MODEL]")
@option("--loss", metavar="NAME", help="listwise, margin-mse or contrast. [default: listwise]")
@option("--dimension", type=Whole(8), metavar="N", help="Of a token's vector. [default: 128]")
@sources_option
@plot_option
@training_options(45)
def tokens(
    model: str,
    library: Library,
    teacher: str | None,
    loss: str | None,
    dimension: int | None,
    sources: tuple[str, ...],
    out: str | None,
    plot: Path | None,
    minutes: float,
    seed: int,
    memory: bool,
    as_json: bool,
) -> None:
    """Train a late-interaction model, which compares each word of a query with the words of a passage.

    MODEL is the folder of a BERT-like sentence encoder, or a package that holds one. Needs torch:
    pip install 'bookwheel[train]'. Queries are made of the library (titles, headings, sentences) or are those of
    SOURCE, as for bookwheel train encoder. After Ctrl-C the same command continues.
    """
    from ..train import TokensOptions, train_tokens
    from .encoders import library_flag

    options = TokensOptions(loss=loss) if dimension is None else TokensOptions(loss=loss, dimension=dimension)
    found = train_tokens(
        library, model, out, teacher=teacher, sources=sources or ("titles",), minutes=minutes, seed=seed, options=options,
        progress=shown(as_json, plot),
    )  # fmt: skip
    flag = library_flag(library)
    following = (
        f"next: bookwheel encoders add tokens={clean(found.folder or '')} --kind tokens{flag}; then: bookwheel embed tokens{flag}; "
        f"then: bookwheel search QUERY --recipe '{clean(found.recipe or '')}'{flag}"
    )
    finished(found, as_json=as_json, memory=memory, plot=plot, following=following)


@command(
    "tower",
    examples=[
        ("bookwheel train tower minilm", "two of its layers for queries, against the vectors that are stored"),
        ("bookwheel train tower minilm --layers 0 --least 0.85", "with a table of tokens: microseconds a query, and less good"),
    ],
    writes=True,
)
@argument("name", metavar="NAME")
@option(
    "--layers",
    type=Whole(0),
    default=2,
    metavar="N",
    help="Of the encoder, that queries go through; 0 for a table of token vectors. [default: 2]",
)
@option(
    "--least",
    type=Number(0, 1),
    default=0.98,
    metavar="SHARE",
    help="Of the whole model's nDCG@10, that is enough. [default: 0.98]",
)
@plot_option
@training_options(30)
def tower(
    name: str,
    library: Library,
    layers: int,
    least: float,
    out: str | None,
    plot: Path | None,
    minutes: float,
    seed: int,
    memory: bool,
    as_json: bool,
) -> None:
    """Train a few layers of an encoder to encode queries for the passages that all of it has embedded.

    NAME is an encoder of the library, from a folder in sentence-transformers' layout. Needs torch:
    pip install 'bookwheel[train]'. What comes of it takes the encoder's place without embedding anything anew,
    and is written where it reaches 98 % of it on held-out queries. With --layers 0 no model reads a query: it is
    the mean of its tokens' vectors, which takes microseconds and no torch, but hardly ever reaches 98 %; say with
    --least how much is enough. After Ctrl-C the same command continues.
    """
    from ..train import train_tower
    from .encoders import library_flag

    found = train_tower(
        library, name, out, layers=layers, least=least, minutes=minutes, seed=seed, progress=shown(as_json, plot)
    )
    following = f"next: bookwheel encoders replace {name}={clean(found.folder or '')}{library_flag(library)}"
    finished(found, as_json=as_json, memory=memory, plot=plot, following=following)


@command(
    "projection",
    examples=[
        ("bookwheel train projection minilm --add codes", "the same dimensions, turned so that codes of one bit keep more"),
        ("bookwheel train projection minilm --dimensions 64,128 --add small", "vectors of 128 dimensions, or the first 64"),
    ],
    writes=True,
)
@argument("name", metavar="NAME")
@option("--dimensions", type=Widths(), metavar="N,…", help="Of the new vectors, and where they may be cut. [default: all]")
@option("--add", metavar="NAME", help="Add the model under this name, with the stored vectors mapped.")
@training_options(5)
def projection(
    name: str,
    library: Library,
    dimensions: tuple[int, ...] | None,
    add: str | None,
    out: str | None,
    minutes: float,
    seed: int,
    memory: bool,
    as_json: bool,
) -> None:
    """Fit a linear map to an encoder's stored vectors, for fewer dimensions and better codes of one bit.

    NAME is an encoder of the library, the built-in one (dense) too, whose passages are embedded. The first dimensions
    of the new vectors keep most of every dot product (Matryoshka), and their signs lie close to them. Nothing is
    encoded anew, and no torch is needed. After Ctrl-C the same command begins again.
    """
    from ..train import train_projection
    from .encoders import library_flag

    found = train_projection(
        library, name, out, dimensions=dimensions, add=add, minutes=minutes, seed=seed, progress=shown(as_json)
    )
    flag = library_flag(library)
    following = f"next: bookwheel encoders add NAME={clean(found.folder or '')}{flag}; then: bookwheel embed NAME{flag}"
    if found.added is not None:
        following = f"next: bookwheel search QUERY --recipe {clean(found.added)}{flag}"
    finished(found, as_json=as_json, memory=memory, following=following)


for one in (static, sparse, encoder, reranker, tokens, tower, projection):
    train.add_command(one)
