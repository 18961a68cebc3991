"""``bookwheel plan``: the bill of indexing and searching, without the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .._errors import UsageError
from .command import argument, command, option
from .options import NO_ENCODER, Encoder, Whole, json_option, ram_option
from .output import bill_rows, clean, json_document, table

if TYPE_CHECKING:
    from ..library.estimate import Estimate
    from ..library.memory_plan import Plan
    from ..memory.budget import Bill


@command(
    "plan",
    examples=[
        ("bookwheel plan FOLDER --ram 512MB", "the bill of indexing and searching these files"),
        ("bookwheel plan --passages 10000000 --dim 384 --ram 2GB", ""),
    ],
)
@argument("paths", nargs=-1, metavar="[PATH]...")
@option("--passages", type=Whole(), metavar="N", help="Plan for so many passages instead of files.")
@option("--dim", type=Whole(0), metavar="D", help="Dimensions of the dense vectors; 0 for none. [default: the encoder's]")
@option("--encoder", type=Encoder(), metavar="NAME|PATH", help="Makes the dense vectors; or none. [default: static]")
@option("--unit", type=click.Choice(["sentence", "passage", "document"]), default="passage", help="What is retrieved.")
@option("--words", type=Whole(5), default=120, metavar="N", help="Words a passage aims at. [default: 120]")
@ram_option("Memory to plan for, 256MB or more. [default: 1GB]")
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
    """Print what indexing and searching would take, part by part, and whether that fits; nothing is written.

    How many passages files hold is estimated from a look at some of them. A plan that does not fit is printed all the same, and
    ends with exit code 3.
    """
    from ..library import memory_plan as bills
    from ..memory.budget import DEFAULT

    if bool(paths) == (passages is not None):
        raise UsageError("give either files to look at or --passages N")
    dimension, model = _encoder(dim, encoder)
    found: Estimate | None = None
    if passages is None:
        from ..library.estimate import estimate

        found = estimate(paths, unit=unit, words=words)
        passages = found.passages
    bits = bills.sketch_bits(passages, dimension, ram, model)
    made = bills.plan(passages, dimension, DEFAULT if ram is None else ram, encoder=model, bits=bits)
    if as_json:
        json_document(_as_json(made, found))
    else:
        _print(made, found)
    made.check()


def _encoder(dim: int | None, encoder: str | None) -> tuple[int, int]:
    """Dimensions of the vectors, and bytes of memory of the model that makes them."""
    from ..encode.load import load_encoder
    from ..encode.protocols import nbytes
    from ..library.memory_plan import STATIC

    if dim is not None:
        if dim and (dim % 8 or not 8 <= dim <= 4096):
            raise UsageError(f"--dim {dim}: a dense index takes multiples of 8 from 8 to 4096, or 0 for none")
        return dim, STATIC
    if encoder == NO_ENCODER:
        return 0, 0
    loaded = load_encoder(encoder)
    return loaded.dimension, nbytes(loaded) or STATIC


def _as_json(made: Plan, found: Estimate | None) -> dict[str, Any]:
    return {
        "ram": made.building.ram,
        "passages": made.passages,
        "estimated": found is not None and not found.exact,
        "dimension": made.dimension,
        "bits": made.bits,
        "building": {"bytes": made.building.planned(), "bill": bill_rows(made.building)},
        "searching": {"bytes": made.searching.planned(), "bill": bill_rows(made.searching)},
        "disk": made.disk,
        "fits": made.building.planned() <= made.building.ram and made.searching.planned() <= made.searching.ram,
    }


def _print(made: Plan, found: Estimate | None) -> None:
    from ..memory.budget import format_size

    about = "" if found is None else f" in {format_size(found.bytes)} of files" + ("" if found.exact else ", estimated")
    vectors = (
        f", vectors of {made.dimension} dimensions, {made.bits} bit{'s' if made.bits > 1 else ''} a dimension in memory"
        if made.dimension
        else ", no vectors"
    )
    click.echo(f"{made.passages:,} passages{about}{vectors}, within {format_size(made.building.ram)}")
    for what, bill in (("building, in memory", made.building), ("searching, in memory", made.searching)):
        click.echo()
        for line in _table(what, bill):
            click.echo(line)
    click.echo()
    rows = [[clean(part), format_size(size)] for part, size in made.disk.items()]
    rows.append(["all, about", format_size(sum(made.disk.values()))])
    for line in table(rows, ("on disk", "planned")):
        click.echo(line)


def _table(what: str, bill: Bill) -> list[str]:
    from ..memory.budget import format_size

    rows = [[clean(line.part), format_size(line.planned or 0)] for line in bill]
    rows.append(["all", format_size(bill.planned())])
    return table(rows, (what, "planned"))
