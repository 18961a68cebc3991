"""``bookwheel check``: verify a library's files against their checksums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .command import command
from .options import json_option, library_option
from .output import clean, json_document, notice, plural

if TYPE_CHECKING:
    from ..library.library import Library

DAMAGED = 2


@command(
    "check",
    examples=[
        ("bookwheel check", "the default library"),
        ("bookwheel check --repair", "and repair what can be rebuilt with certainty"),
    ],
)
@library_option
@click.option(
    "--repair",
    is_flag=True,
    help="First rebuild what the documents determine: values for filters, the list of removals, SQLite's indexes.",
)
@json_option
def check(library: Library, repair: bool, as_json: bool) -> int:
    """Verify a library's files against their checksums.

    Prints one line for each file that is missing, truncated or altered; the exit code is then 2.
    """
    from ..progress import auto, silent

    repaired = library.repair() if repair else []
    for sentence in [] if as_json else repaired:
        click.echo(clean(sentence))
    problems = library.check(progress=silent if as_json else auto)
    if as_json:
        told = {"repaired": repaired} if repair else {}
        json_document({"library": str(library.path), "sound": not problems, "problems": problems, **told})
        return DAMAGED if problems else 0
    for problem in problems:
        click.echo(clean(problem))
    if problems:
        notice(f"{library.path} is damaged in {plural(len(problems), 'place')}; what helps is said with each")
        return DAMAGED
    click.echo(f"{clean(str(library.path))} is sound: generation {library.generation}, {library.passage_count:,} passages")
    return 0
