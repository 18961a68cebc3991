"""``bookwheel check``: everything written is read and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .command import command
from .options import json_option, library_option
from .output import clean, json_document, notice, plural

if TYPE_CHECKING:
    from ..library.library import Library

DAMAGED = 2


@command("check", examples=[("bookwheel check", "the default library"), ("bookwheel check --library NAME|PATH", "")])
@library_option
@json_option
def check(library: Library, as_json: bool) -> int:
    """Read everything a library wrote and compare it with its checksums.

    Prints one sentence for each file that is missing, truncated or altered and ends with exit code 2 where there is one.
    """
    from ..progress import silent, terminal

    problems = library.check(progress=silent if as_json else terminal)
    if as_json:
        json_document({"library": str(library.path), "sound": not problems, "problems": problems})
        return DAMAGED if problems else 0
    for problem in problems:
        click.echo(clean(problem))
    if problems:
        notice(f"{library.path} is damaged in {plural(len(problems), 'place')}; index its sources again into a new library")
        return DAMAGED
    click.echo(f"{clean(str(library.path))} is sound: generation {library.generation}, {library.passages:,} passages")
    return 0
