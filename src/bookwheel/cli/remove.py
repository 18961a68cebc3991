"""``bookwheel remove``: documents out of a library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .command import argument, command
from .options import json_option, library_option
from .output import json_document, plural

if TYPE_CHECKING:
    from ..library.library import Library


@command(
    "remove",
    examples=[
        ("bookwheel remove ID", "a document, by the id that search shows"),
        ("bookwheel remove FOLDER", "all that came from there"),
    ],
    writes=True,
)
@argument("names", nargs=-1, required=True, metavar="ID|PATH...")
@library_option
@json_option
def remove(names: tuple[str, ...], library: Library, as_json: bool) -> None:
    """Take documents out of a library, by id or by the file or folder they came from.

    The files themselves are not touched. Removed documents are never found again; `bookwheel compact` frees their room on disk.
    """
    removed = library.remove(names)
    if as_json:
        json_document({"library": str(library.path), "removed": removed, "documents": library.documents})
    else:
        click.echo(f"{plural(removed, 'document')} removed, {library.documents:,} left")
