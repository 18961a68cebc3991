"""``bookwheel train``: fits models to the collection that they serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .command import Group, argument, command, option
from .options import Number, Whole, json_option, library_option, memory_option
from .output import clean, json_document, print_memory_plan

if TYPE_CHECKING:
    from ..library.library import Library

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
@library_option
@option("--out", type=click.Path(file_okay=False), metavar="FOLDER", help="The model's folder. [default: in the library]")
@option("--teacher", metavar="MODEL", help="A neural encoder to imitate as well: a model, or its name in the library.")
@option("--replace", "use", is_flag=True, help="Replace the vectors made while indexing, where the model is better.")
@option("--minutes", type=Number(0.01, 1440), default=5.0, metavar="N", help="Time for it. [default: 5]")
@option("--seed", type=Whole(0), default=0, metavar="N", help="Of everything that is drawn. [default: 0]")
@memory_option
@json_option
def static(
    library: Library,
    out: str | None,
    teacher: str | None,
    use: bool,
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
    from ..progress import auto, silent
    from ..train import train_static
    from .compiling import announced
    from .encoders import library_flag

    announced()
    show = silent if as_json else auto
    found = train_static(library, out, teacher=teacher, minutes=minutes, seed=seed, progress=show)
    if use and found.folder is not None:
        library.replace_encoder("dense", found.folder)
        library.embed("dense", progress=show)
    if as_json:
        json_document({**found.to_dict(), "replaced": use and found.folder is not None})
    else:
        click.echo(clean(str(found), lines=True))
        if found.folder is not None:
            flag = library_flag(library)
            click.echo(
                "the library uses it now"
                if use
                else f"next: bookwheel encoders replace dense={clean(found.folder)}{flag}; then: bookwheel embed dense{flag}"
            )
    if memory and found.memory_plan is not None:
        print_memory_plan(found.memory_plan)


@command(
    "sparse",
    examples=[
        ("bookwheel train sparse", "a table for the queries of the library's sparse encoder"),
        ("bookwheel train sparse --teacher MODEL --out FOLDER", "of another model, in a folder of your own"),
    ],
    writes=True,
)
@library_option
@option("--out", type=click.Path(file_okay=False), metavar="FOLDER", help="The model's folder. [default: in the library]")
@option("--teacher", metavar="MODEL", help="The sparse encoder: a model, or its name in the library. [default: the only one]")
@option("--minutes", type=Number(0.01, 1440), default=5.0, metavar="N", help="Time for it. [default: 5]")
@option("--seed", type=Whole(0), default=0, metavar="N", help="Of everything that is drawn. [default: 0]")
@memory_option
@json_option
def sparse(
    library: Library, out: str | None, teacher: str | None, minutes: float, seed: int, memory: bool, as_json: bool
) -> None:
    """Fit a table of query weights, so that a sparse encoder need not read queries.

    The table weighs each token of a query so that passages score as the encoder's own vector of the query would
    make them. Passages keep their vectors; a search then takes no model. It is written where held-out queries show
    that little is lost. After Ctrl-C the same command continues.
    """
    from ..progress import auto, silent
    from ..train import train_sparse
    from .compiling import announced
    from .encoders import library_flag

    announced()
    found = train_sparse(library, out, teacher=teacher, minutes=minutes, seed=seed, progress=silent if as_json else auto)
    if as_json:
        json_document(found.to_dict())
    else:
        click.echo(clean(str(found), lines=True))
        if found.folder is not None:
            flag = library_flag(library)
            click.echo(
                f"next: bookwheel encoders add NAME={clean(found.folder)} --kind sparse{flag}; then: bookwheel embed NAME{flag}"
            )
    if memory and found.memory_plan is not None:
        print_memory_plan(found.memory_plan)


@command(
    "encoder",
    examples=[
        ("bookwheel train encoder MODEL", "train a copy of a sentence encoder, and write it where it is better"),
        ("bookwheel train encoder MODEL --from pairs=asked.jsonl --minutes 20", "from pairs of your own, in less time"),
    ],
    writes=True,
)
@argument("model", metavar="MODEL")
@library_option
@option("--out", type=click.Path(file_okay=False), metavar="FOLDER", help="The model's folder. [default: in the library]")
@option("--from", "sources", multiple=True, metavar="SOURCE", help="Where pairs are from; may be repeated. [default: titles]")
@option("--batch", type=Whole(2), metavar="N", help="Pairs of a step; memory does not grow with it. [default: 64]")
@option("--minutes", type=Number(0.01, 1440), default=45.0, metavar="N", help="Time for it. [default: 45]")
@option("--seed", type=Whole(0), default=0, metavar="N", help="Of everything that is drawn. [default: 0]")
@memory_option
@json_option
def encoder(
    model: str,
    library: Library,
    out: str | None,
    sources: tuple[str, ...],
    batch: int | None,
    minutes: float,
    seed: int,
    memory: bool,
    as_json: bool,
) -> None:
    """Train a sentence encoder on pairs of queries and passages of a library, without labels or with them.

    MODEL is the folder of a model in sentence-transformers' layout, or a package that holds one. Needs torch:
    pip install 'bookwheel[train]'. SOURCE is titles (titles, headings and sentences of the library, each with the
    passage that it is taken out of), queries (what people asked and opened; queries=FILE for a log),
    judgments=FOLDER (a judged collection) or pairs=FILE (lines of JSON with query and answer). After Ctrl-C the
    same command continues.
    """
    from ..progress import auto, silent
    from ..train import EncoderOptions, train_encoder
    from .compiling import announced
    from .encoders import library_flag

    announced()
    options = EncoderOptions() if batch is None else EncoderOptions(batch=batch)
    show = silent if as_json else auto
    found = train_encoder(
        library, model, out, sources=sources or ("titles",), minutes=minutes, seed=seed, options=options, progress=show
    )
    if as_json:
        json_document(found.to_dict())
    else:
        click.echo(clean(str(found), lines=True))
        if found.folder is not None:
            click.echo(f"next: bookwheel encoders add NAME={clean(found.folder)}{library_flag(library)}")
    if memory and found.memory_plan is not None:
        print_memory_plan(found.memory_plan)


@command(
    "tower",
    examples=[
        ("bookwheel train tower minilm", "two of its layers for queries, against the vectors that are stored"),
        ("bookwheel train tower minilm --layers 3 --minutes 10", "with more layers, in less time"),
    ],
    writes=True,
)
@argument("name", metavar="NAME")
@library_option
@option("--layers", type=Whole(1), default=2, metavar="N", help="Of the encoder, that queries go through. [default: 2]")
@option("--out", type=click.Path(file_okay=False), metavar="FOLDER", help="The model's folder. [default: in the library]")
@option("--minutes", type=Number(0.01, 1440), default=30.0, metavar="N", help="Time for it. [default: 30]")
@option("--seed", type=Whole(0), default=0, metavar="N", help="Of everything that is drawn. [default: 0]")
@memory_option
@json_option
def tower(
    name: str, library: Library, layers: int, out: str | None, minutes: float, seed: int, memory: bool, as_json: bool
) -> None:
    """Train a few layers of an encoder to encode queries for the passages that all of it has embedded.

    NAME is an encoder of the library, from a folder in sentence-transformers' layout. Needs torch:
    pip install 'bookwheel[train]'. What comes of it takes the encoder's place without embedding anything anew,
    and is written where it reaches 98 % of it on held-out queries. After Ctrl-C the same command continues.
    """
    from ..progress import auto, silent
    from ..train import train_tower
    from .compiling import announced
    from .encoders import library_flag

    announced()
    show = silent if as_json else auto
    found = train_tower(library, name, out, layers=layers, minutes=minutes, seed=seed, progress=show)
    if as_json:
        json_document(found.to_dict())
    else:
        click.echo(clean(str(found), lines=True))
        if found.folder is not None:
            click.echo(f"next: bookwheel encoders replace {name}={clean(found.folder)}{library_flag(library)}")
    if memory and found.memory_plan is not None:
        print_memory_plan(found.memory_plan)


for one in (static, sparse, encoder, tower):
    train.add_command(one)
