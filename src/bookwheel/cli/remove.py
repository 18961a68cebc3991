"""``bookwheel remove``: remove documents from a library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .command import argument, command
from .options import json_option, library_option, wait_option
from .output import json_document, plural

if TYPE_CHECKING:
    from ..library.library import Library


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
    if as_json:
        json_document({"library": str(library.path), "removed": removed, "documents": library.document_count})
    else:
        click.echo(f"{plural(removed, 'document')} removed, {library.document_count:,} remain")
