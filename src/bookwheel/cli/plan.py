"""``bookwheel plan``: the memory and disk that indexing and searching need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .._errors import UsageError
from .command import argument, command, option
from .options import NO_ENCODER, Encoder, Whole, json_option, ram_option
from .output import clean, json_document, memory_rows, plural, table

if TYPE_CHECKING:
    from ..library.estimate import Estimate
    from ..library.memory_plan import LibraryPlan
    from ..memory.plan import MemoryPlan


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
    from ..library import memory_plan
    from ..memory.sizes import DEFAULT

    if bool(paths) == (passages is not None):
        raise UsageError("give either PATHs or --passages N")
    dimension, model = _encoder(dim, encoder)
    found: Estimate | None = None
    if passages is None:
        from ..library.estimate import estimate

        found = estimate(paths, unit=unit, words=words)
        passages = found.passages
    bits = memory_plan.sketch_bits(passages, dimension, ram, model)
    made = memory_plan.plan_library(passages, dimension, DEFAULT if ram is None else ram, encoder=model, bits=bits)
    if as_json:
        json_document(_as_json(made, found))
    else:
        _print(made, found)
    made.check()


def _encoder(dim: int | None, encoder: str | None) -> tuple[int, int]:
    """Dimension of the vectors, and bytes of memory of their encoder."""
    from ..encode.load import load_encoder
    from ..encode.protocols import nbytes
    from ..library.memory_plan import STATIC

    if dim is not None:
        if dim and (dim % 8 or not 8 <= dim <= 4096):
            raise UsageError(f"--dim must be a multiple of 8 between 8 and 4096, or 0 for no vectors, not {dim}")
        return dim, STATIC
    if encoder == NO_ENCODER:
        return 0, 0
    loaded = load_encoder(encoder)
    return loaded.dimension, nbytes(loaded) or STATIC


def _as_json(made: LibraryPlan, found: Estimate | None) -> dict[str, Any]:
    return {
        "ram": made.building.ram,
        "passages": made.passages,
        "estimated": found is not None and not found.exact,
        "dimension": made.dimension,
        "bits": made.bits,
        "building": {"bytes": made.building.planned(), "memory": memory_rows(made.building)},
        "searching": {"bytes": made.searching.planned(), "memory": memory_rows(made.searching)},
        "disk": made.disk,
        "fits": made.building.planned() <= made.building.ram and made.searching.planned() <= made.searching.ram,
    }


def _print(made: LibraryPlan, found: Estimate | None) -> None:
    from ..memory.sizes import format_size

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
