"""``bookwheel configure``: what can be changed about a library without reading its documents again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from .._errors import UsageError
from .command import command, option
from .options import Number, RecipeText, json_option, library_option
from .output import clean, json_document

if TYPE_CHECKING:
    from ..library.library import Library


@command(
    "configure",
    examples=[
        ("bookwheel configure --k1 0.9 --b 0.4", ""),
        ('bookwheel configure --recipe "0.3*bm25 + 0.7*dense"', "for searches that name none"),
    ],
    writes=True,
)
@library_option
@option("--k1", type=Number(0, 1000), metavar="X", help="BM25: how soon repeating a word stops to count.")
@option("--b", type=Number(0, 1), metavar="X", help="BM25: how much a long passage is marked down.")
@option("--recipe", type=RecipeText(), metavar="RECIPE", help="The recipe of searches that name none.")
@json_option
def configure(library: Library, k1: float | None, b: float | None, recipe: str | None, as_json: bool) -> None:
    """Change a library's k1, b or recipe; the documents are not read again."""
    given = {"k1": k1, "b": b, "recipe": recipe}
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise UsageError("there is nothing to change; give --k1, --b or --recipe, or see the settings with `bookwheel info`")
    started = time.perf_counter()
    library.configure(**changes)
    seconds = time.perf_counter() - started
    now = library.settings
    if as_json:
        json_document({"library": str(library.path), "k1": now.k1, "b": now.b, "recipe": now.recipe, "seconds": seconds})
    else:
        click.echo(f"{clean(str(library.path))}: k1 {now.k1:g}, b {now.b:g}, recipe {now.recipe} ({seconds:.1f} s)")
