"""``bookwheel train``: fits models to the collection that they serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .command import Group, command, option
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


train.add_command(static)
train.add_command(sparse)
