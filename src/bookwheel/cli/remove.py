"""``bookwheel remove``: remove documents from a library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .command import argument, command
from .options import json_option, library_option, wait_option
from .output import clean, json_document, notice, plural

if TYPE_CHECKING:
    from ..library.library import Library

MOST = 1000
"""Orphaned copies that are looked for."""


@command(
    "remove",
    examples=[
        ("bookwheel remove ID", "one document, by the ID printed with a search result"),
        ("bookwheel remove FOLDER", "every document read from that folder"),
    ],
    writes=True,
)
@argument("names", nargs=-1, required=True, metavar="ID|PATH...")
@library_option
@wait_option
@json_option
def remove(names: tuple[str, ...], library: Library, as_json: bool) -> None:
    """Remove documents from a library, by ID or by the file or folder they were read from.

    The files themselves are not touched. Removed documents no longer appear in searches; `bookwheel
    compact` frees their space on disk.
    """
    removed = library.remove(names)
    orphans = library.copies(MOST, orphans=True)
    if as_json:
        told = {"library": str(library.path), "removed": removed, "documents": library.document_count}
        json_document({**told, "orphans": [copy.to_dict() for copy in orphans]})
    else:
        click.echo(f"{plural(removed, 'document')} removed, {library.document_count:,} remain")
    if orphans:
        more = " or more" if len(orphans) == MOST else ""
        notice(
            f"near-duplicates that were left out and have no original any more: {len(orphans):,}{more} ({clean(orphans[0].id)}"
            f"{' …' if len(orphans) > 1 else ''}); index {clean(orphans[0].source)} again to have them back"
        )
