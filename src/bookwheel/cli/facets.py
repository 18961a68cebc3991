"""``bookwheel facets``: count the values of a field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .command import argument, command, option
from .options import RecipeText, Where, Whole, json_option, library_option
from .output import clean, json_document, notice, plural, table

if TYPE_CHECKING:
    from ..library.library import Library


@command(
    "facets",
    examples=[
        ("bookwheel facets suffix", "how many documents of each kind of file"),
        ("bookwheel facets tags \"kites\" --where 'year >= 2020'", "the tags of what a search finds"),
    ],
)
@argument("field", metavar="FIELD")
@argument("words", nargs=-1, metavar="[QUERY...]")
@library_option
@option("-k", type=Whole(), default=20, metavar="N", help="Number of values. [default: 20]")
@option("--where", type=Where(), metavar="FILTER", help="Count only documents that match, for example 'year >= 2020'.")
@option(
    "--recipe", type=RecipeText(), metavar="RECIPE", help="Ranking recipe; see `bookwheel recipes`. [default: the library's]"
)
@option(
    "--depth",
    type=Whole(),
    default=1000,
    metavar="N",
    help="With QUERY: count the documents of the N best passages. [default: 1000]",
)
@json_option
def facets(
    field: str,
    words: tuple[str, ...],
    library: Library,
    k: int,
    where: str | None,
    recipe: str | None,
    depth: int,
    as_json: bool,
) -> int:
    """Count the values of a field: the most frequent first, with the number of documents that have each.

    FIELD is a metadata key, or path, folder, suffix, size or modified (by day), which files have; `bookwheel info` lists the fields.
    A document with several values counts for each of them.
    """
    query = " ".join(words) or None
    found = library.facets(field, query, where=where, k=k, recipe=recipe, depth=depth)
    if as_json:
        counts = [{"value": value, "documents": count} for value, count in found.items()]
        about = {"documents": found.documents, "missing": found.missing, "distinct": found.distinct}
        json_document(
            {"library": str(library.path), "field": found.field, "query": query, "where": where, **about, "counts": counts}
        )
        return 0 if found else 1
    if not found:
        notice(f"none of {plural(found.documents, 'document')} has a value of {field!r:.80}")
        return 1
    for line in table([[clean(str(value)), f"{count:,}"] for value, count in found.items()], (clean(found.field), "documents")):
        click.echo(line)
    if (more := found.distinct - len(found)) > 0:
        notice(f"{plural(more, 'more value')}; -k prints more")
    if found.missing:
        notice(f"{found.missing:,} of {plural(found.documents, 'document')} have no value of {field!r:.80}")
    return 0
