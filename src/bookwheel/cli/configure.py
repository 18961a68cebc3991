"""``bookwheel configure``: change a library's settings without indexing it again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from .._errors import UsageError
from .command import command, option
from .options import Number, RecipeText, json_option, library_option, wait_option
from .output import clean, json_document

if TYPE_CHECKING:
    from ..library.library import Library


@command(
    "configure",
    examples=[
        ("bookwheel configure --k1 0.9 --b 0.4", "BM25 parameters"),
        ('bookwheel configure --recipe "0.3*bm25 + 0.7*dense"', "default recipe of searches"),
    ],
    writes=True,
)
@library_option
@wait_option
@option("--k1", type=Number(0, 1000), metavar="X", help="BM25 k1: term-frequency saturation.")
@option("--b", type=Number(0, 1), metavar="X", help="BM25 b: document-length normalisation.")
@option("--recipe", type=RecipeText(), metavar="RECIPE", help="Default recipe of searches.")
@json_option
def configure(library: Library, k1: float | None, b: float | None, recipe: str | None, as_json: bool) -> None:
    """Change a library's k1, b or default recipe, without indexing its documents again."""
    given = {"k1": k1, "b": b, "recipe": recipe}
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise UsageError(
            "there is nothing to change; give --k1, --b or --recipe, or see the current settings with `bookwheel info`"
        )
    started = time.perf_counter()
    library.configure(**changes)
    seconds = time.perf_counter() - started
    now = library.settings
    if as_json:
        json_document({"library": str(library.path), "k1": now.k1, "b": now.b, "recipe": now.recipe, "seconds": seconds})
    else:
        click.echo(f"{clean(str(library.path))}: k1 {now.k1:g}, b {now.b:g}, recipe {now.recipe} ({seconds:.1f} s)")
