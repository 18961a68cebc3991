"""``bookwheel find``: every document that mentions something, and every place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .answers import LISTED, print_json, print_mentions
from .command import argument, command, option
from .options import Where, Whole, json_option, library_option
from .output import Lazy, Terminal, clean, notice, plural, print_notes

if TYPE_CHECKING:
    from ..library.library import Library
from .._numba import import_numba


@command(
    "find",
    examples=[
        ('bookwheel find "solar panel"', "every document with these words in a row, and where"),
        ('bookwheel find "solar panel" wind --any --json', "either of them; every place, as JSON"),
    ],
)
@argument("phrases", nargs=-1, required=True, metavar="PHRASE...")
@library_option
@option("--any", "either", is_flag=True, help="Find documents with any of the phrases. [default: with all of them]")
@option("--exact", is_flag=True, help="Find the words only as they are written, whatever the case.")
@option("--where", type=Where(), metavar="FILTER", help="Look only in documents that match, for example 'year >= 2020'.")
@option("--limit", type=Whole(), default=LISTED, metavar="N", help=f"Documents to list. [default: {LISTED}; all with --json]")
@option("--no-color", is_flag=True, help="Do not use colour (as with the NO_COLOR variable).")
@json_option
def find(
    phrases: tuple[str, ...],
    library: Library,
    either: bool,
    exact: bool,
    where: str | None,
    limit: int,
    no_color: bool,
    as_json: bool,
) -> int:
    """Find every document that mentions a phrase, and every place in it.

    Nothing is ranked and nothing is left out: the numbers are exact. The words of a phrase follow each
    other, and fit as in a search (panel fits Panels); put each phrase in quotation marks.
    """
    import_numba()
    found = library.find_all(phrases, where=where, together="any" if either else "all", exact=exact)
    print_notes(found.notes)
    if as_json:
        counts = {"documents": found.documents, "passages": found.passages, "occurrences": found.occurrences}
        print_json(
            {
                "phrases": list(found.phrases),
                "library": str(library.path),
                **counts,
                "found": Lazy(found, lambda one: one.to_dict()),
                "notes": list(found.notes),
            },
            line=False,
        )
    elif found.documents:
        told = (" or " if either else " and ").join(f'"{clean(phrase)}"' for phrase in found.phrases)
        click.echo(
            f"{plural(found.documents, 'document')} mention{'s' if found.documents == 1 else ''} {told}: "
            f"{plural(found.occurrences, 'place')} in {plural(found.passages, 'passage')}"
        )
        click.echo()
        print_mentions(found, Terminal.of_stdout(colour=not no_color), limit)
    else:
        notice(f"nothing mentions {', '.join(map(repr, found.phrases))} in {library.path}")
    return 0 if found.documents else 1
