"""``bookwheel libraries``: list the named libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .._errors import BookwheelError
from .command import command
from .options import json_option
from .output import clean, json_document, notice, plural, table


@command(
    "libraries",
    examples=[
        ("bookwheel libraries", "all named libraries"),
        ("bookwheel info --library NAME|PATH", "details of one library"),
    ],
)
@json_option
def libraries(as_json: bool) -> int:
    """List the named libraries, with their size and folder.

    To delete a library, delete its folder.
    """
    from .._paths import home, libraries

    rows: list[dict[str, Any]] = []
    for name in libraries():
        from ..library.library import open_library

        path = home() / name
        row: dict[str, Any] = {"name": name, "path": str(path)}
        problem = None if _is_named(name, path) else "--library takes this folder by its path only, not by its name"
        try:
            with open_library(path) as library:
                row |= {"documents": library.document_count, "passages": library.passage_count, "problem": problem}
        except BookwheelError as error:
            row |= {"documents": None, "passages": None, "problem": str(error)}
        rows.append(row)
    if as_json:
        json_document(rows)
    else:
        for line in table([_cells(row) for row in rows], left=3):
            click.echo(line)
    if not rows:
        notice(f"there is no library in {home()} yet; create one with: bookwheel index PATH")
        return 1
    return 0


def _is_named(name: str, path: Path) -> bool:
    """Whether the library at ``path`` is the one that ``name`` means."""
    from .._paths import locate

    try:
        return locate(name).samefile(path)
    except (BookwheelError, OSError):
        return False


def _cells(row: dict[str, Any]) -> list[str]:
    holds = plural(row["passages"], "passage") if row["problem"] is None else row["problem"]
    return [clean(row["name"]), clean(holds), clean(row["path"])]
