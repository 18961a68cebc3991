"""``bookwheel compact``: merge segments and free space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .command import command
from .options import json_option, library_option, wait_option
from .output import clean, json_document

if TYPE_CHECKING:
    from ..library.library import Library


@command(
    "compact",
    examples=[("bookwheel compact", "the default library"), ("bookwheel compact --library NAME|PATH", "another library")],
    writes=True,
)
@library_option
@wait_option
@json_option
def compact(library: Library, as_json: bool) -> None:
    """Merge a library's segments into one and free the space of removed documents.

    Rankings do not change; searches get slightly faster and the library smaller. The
    library can be searched meanwhile.
    """
    from ..memory.sizes import format_size
    from ..progress import auto, silent

    before = library.info()
    library.compact(progress=silent if as_json else auto)
    after = library.info()
    sizes = sum(before.disk.values()), sum(after.disk.values())
    if as_json:
        json_document(
            {
                "library": str(library.path),
                "segments": {"before": before.segments, "after": after.segments},
                "bytes": {"before": sizes[0], "after": sizes[1]},
            }
        )
        return
    click.echo(
        f"{clean(after.path)}: {before.segments} -> {after.segments} segments, "
        f"{format_size(sizes[0])} -> {format_size(sizes[1])}, {after.passages:,} passages"
    )
