"""``bookwheel plan``: the memory and disk that indexing and searching need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .._errors import UsageError
from .command import argument, command, option
from .options import NO_ENCODER, Encoder, Whole, json_option, ram_option
from .output import clean, json_document, memory_rows, plural, table

if TYPE_CHECKING:
    from ..library.planning import LibraryPlan
    from ..memory.plan import MemoryPlan

DEFAULT_ENCODER = "static"


@command(
    "plan",
    examples=[
        ("bookwheel plan FOLDER --ram 512MB", "for these files, from a sample"),
        ("bookwheel plan --passages 10000000 --dim 384 --ram 2GB", "for ten million passages"),
    ],
)
@argument("paths", nargs=-1, metavar="[PATH]...")
@option("--passages", type=Whole(), metavar="N", help="Plan for N passages instead of files.")
@option("--dim", type=Whole(0), metavar="D", help="Dimension of the dense vectors, 0 for none. [default: the encoder's]")
@option("--encoder", type=Encoder(), metavar="NAME|PATH", help="Encoder of the dense vectors, or none. [default: static]")
@option(
    "--unit",
    type=click.Choice(["sentence", "passage", "document"]),
    default="passage",
    help="Unit of retrieval. [default: passage]",
)
@option("--words", type=Whole(5), default=120, metavar="N", help="Target passage length in words. [default: 120]")
@ram_option("Memory budget, at least 256MB. [default: 1GB]")
@json_option
def plan(
    paths: tuple[str, ...],
    passages: int | None,
    dim: int | None,
    encoder: str | None,
    unit: str,
    words: int,
    ram: int | None,
    as_json: bool,
) -> None:
    """Estimate the memory and disk that indexing and searching need, by part; nothing is written.

    For files, the number of passages is estimated from a sample. A plan that exceeds the memory
    budget is still printed, with exit code 3.
    """
    from ..library.planning import plan as plan_library

    if bool(paths) == (passages is not None):
        raise UsageError("give either PATHs or --passages N")
    made = plan_library(
        paths or None,
        passages=passages,
        dimension=dim,
        encoder=None if encoder == NO_ENCODER else encoder or DEFAULT_ENCODER,
        unit=unit,
        words=words,
        ram=ram,
    )
    if as_json:
        json_document(_as_json(made))
    else:
        _print(made)
    made.check()


def _as_json(made: LibraryPlan) -> dict[str, Any]:
    return {
        "ram": made.building.ram,
        "passages": made.passages,
        "estimated": made.files is not None and not made.files.exact,
        "dimension": made.dimension,
        "bits": made.bits,
        "building": {"bytes": made.building.planned(), "memory": memory_rows(made.building)},
        "searching": {"bytes": made.searching.planned(), "memory": memory_rows(made.searching)},
        "disk": made.disk,
        "fits": made.fits,
    }


def _print(made: LibraryPlan) -> None:
    from ..memory.sizes import format_size

    found = made.files
    about = "" if found is None else f" in {format_size(found.bytes)} of files" + ("" if found.exact else ", estimated")
    vectors = (
        f", vectors of dimension {made.dimension}, {made.bits} bit{'s' if made.bits > 1 else ''} per dimension in memory"
        if made.dimension
        else ", no vectors"
    )
    click.echo(f"{plural(made.passages, 'passage')}{about}{vectors}, within {format_size(made.building.ram)}")
    for what, memory in (("memory to index", made.building), ("memory to search", made.searching)):
        click.echo()
        for line in _table(what, memory):
            click.echo(line)
    click.echo()
    rows = [[clean(part), format_size(size)] for part, size in made.disk.items()]
    rows.append(["total, about", format_size(sum(made.disk.values()))])
    for line in table(rows, ("on disk", "planned")):
        click.echo(line)


def _table(what: str, memory: MemoryPlan) -> list[str]:
    from ..memory.sizes import format_size

    rows = [[clean(line.part), format_size(line.planned or 0)] for line in memory]
    rows.append(["total", format_size(memory.planned())])
    return table(rows, (what, "planned"))
