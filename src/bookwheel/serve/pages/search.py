"""`/search` and `/`: passages for a query, with what narrows them down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, cast

from ..._errors import LibraryEmpty, LibraryNotFound
from ...library.results import Copy, Result, Results
from ...library.search_options import SORTS
from ...rank.parse import parse_recipe
from ..clicks import place_in_ranking
from ..parameters import parameter
from ..recipes import allowed_recipe
from ..route import Asked
from .links import address_of, link, named
from .marked import Piece, Spot, pieces_of

__all__ = ["Facet", "SearchParameters", "SearchView", "quoted", "search_page"]

EXCERPT = 360
"""Characters of a passage that are shown."""
FACETS: tuple[tuple[str, str], ...] = (
    ("suffix", "Kind of file"),
    ("folder", "Folder"),
    ("year", "Year"),
    ("author", "Author"),
    ("tags", "Tags"),
    ("keywords", "Keywords"),
    ("language", "Language"),
)
"""The fields that are counted, where documents have them."""
VALUES = 6
"""Values that are shown of a field."""
COPIES = 4
NEAR = "no word of the query stands in any of these as it is written; they are what is nearest in meaning"


@dataclass(frozen=True, slots=True)
class SearchParameters:
    """What `/search` takes."""

    q: str = parameter("", "what to search for")
    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    k: int = parameter(10, "how many results", least=1, most=1000)
    offset: int = parameter(0, "how many results to leave out", least=0, most=100_000)
    recipe: str | None = parameter(None, "how to rank; the library's own recipe where it is left out", longest=4096)
    where: tuple[str, ...] = parameter(
        (), "a filter by metadata, as in year >= 2020; of several all must hold", longest=4096, many=20
    )
    group: bool = parameter(False, "each document once, with its best passage")
    fold: bool = parameter(True, "copies and near-copies under the result that they repeat")
    syntax: bool = parameter(True, 'whether "a phrase", +word, -word, field:value and like:ID are read as such')
    sort: str = parameter("relevance", "the order", choices=SORTS)
    facets: bool = parameter(True, "count the values of fields among what is found")

    @property
    def filter(self) -> str | None:
        """All of ``where`` as one filter."""
        return " and ".join(f"({one})" for one in self.where) or None


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a field."""

    value: Any
    label: str
    documents: int
    href: str
    """The search with it as one more filter."""


@dataclass(frozen=True, slots=True)
class Facet:
    """A field with its most frequent values among what is found."""

    field: str
    label: str
    values: tuple[FacetValue, ...]
    more: int
    """Values that are not among them."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A result as the page shows it."""

    result: Result
    href: str
    title: str
    place: str
    """Where it is, without what the title says already."""
    pieces: list[Piece]
    also: tuple[tuple[Copy, str], ...]
    more_copies: int
    unseen: tuple[str, ...]
    """Why its document's readers are not shown some of it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that changes the search."""

    label: str
    href: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class SearchView:
    """What was found."""

    query: str
    library: str
    hits: list[Hit] = field(default_factory=list)
    facets: tuple[Facet, ...] = ()
    filters: tuple[Choice, ...] = ()
    """Those that hold; their links take them away."""
    sorts: tuple[Choice, ...] = ()
    ways: tuple[Choice, ...] = ()
    before: str = ""
    after: str = ""
    notes: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""
    """Why nothing can be found in this library, and what to do: it is empty, or there is none."""
    documents: int = 0
    passages: int = 0

    @property
    def milliseconds(self) -> str:
        """How long it took."""
        return f"{1000 * sum(self.timings.values()):.0f} ms"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "query": self.query,
            "library": self.library,
            "results": [hit.result.to_dict() for hit in self.hits],
            "facets": {
                facet.field: {"values": [[one.value, one.documents] for one in facet.values], "more": facet.more}
                for facet in self.facets
            },
            "notes": list(self.notes),
            "timings": dict(self.timings),
            **({"problem": self.problem} if self.problem else {}),
        }


def search_page(asked: SearchParameters, request: Asked) -> SearchView:
    """Search; without a query nothing is found yet."""
    name = request.served.name
    if not request.served.exists:
        return SearchView(asked.q, name, problem=request.empty)
    library = request.library
    held: dict[str, Any] = {"documents": library.document_count, "passages": library.passage_count}
    address = partial(
        link,
        "/search",
        q=asked.q,
        library=named(request),
        recipe=asked.recipe,
        k=asked.k if asked.k != 10 else None,
        facets=None if asked.facets else False,
    )
    state: dict[str, Any] = {
        "where": asked.where,
        "sort": asked.sort if asked.sort != "relevance" else None,
        "group": asked.group or None,
        "fold": None if asked.fold else False,
        "syntax": None if asked.syntax else False,
    }
    filters = tuple(
        Choice(one, address(**{**state, "where": asked.where[:at] + asked.where[at + 1 :]}))
        for at, one in enumerate(asked.where)
    )
    if not asked.q.strip():
        problem = "" if library.document_count else request.empty
        return SearchView("", name, filters=filters, problem=problem, **held)
    k = min(asked.k, request.config.limits.k)
    try:
        recipe = _recipe(asked, request)
        found = library.search(
            asked.q,
            k + 1,  # whether there is another page
            recipe=recipe,
            where=asked.filter,
            group=asked.group,
            offset=asked.offset,
            fold=asked.fold,
            sort=cast(Any, asked.sort),  # one of the choices
            facets=[name for name, _ in FACETS] if asked.facets else (),
            seconds=request.call.for_models,
        )
    except (LibraryEmpty, LibraryNotFound):
        return SearchView(asked.q, name, problem=request.empty, **held)
    request.call.check()
    notes = found.notes if _some_word_stands(found) else (*found.notes, NEAR)
    facets = _facets(found, partial(address, **{**state, "where": None}), asked.where)
    labels = {"relevance": "best first", "newest": "newest first", "oldest": "oldest first"}
    return SearchView(
        found.query,
        name,
        [
            _hit(result, asked.q, named(request), _seen(asked, request, result, asked.offset + at))
            for at, result in enumerate(found[:k], 1)
        ],
        facets,
        filters,
        tuple(
            Choice(labels[one], address(**{**state, "sort": one if one != "relevance" else None}), one == asked.sort)
            for one in SORTS
        ),
        (
            Choice("passages", address(**{**state, "group": None}), not asked.group),
            Choice("documents", address(**{**state, "group": True}), asked.group),
        ),
        address(**state, offset=max(asked.offset - k, 0) or None) if asked.offset else "",
        address(**state, offset=asked.offset + k) if len(found) > k else "",
        notes,
        found.timings,
        **held,
    )


def _some_word_stands(found: Sequence[Result]) -> bool:
    """Whether any result matched by a word, as far as the recipe asks for words."""
    words = [result.parts["bm25"] for result in found if "bm25" in result.parts]
    return not words or any(words) or any(result.highlights for result in found)


def _seen(asked: SearchParameters, request: Asked, result: Result, rank: int) -> str:
    """What its link carries; a place in an order other than relevance says nothing."""
    address = address_of(result.id, result.source)
    return place_in_ranking(request, asked.q, address, rank) if asked.sort == "relevance" else ""


def _hit(result: Result, query: str, library: str, seen: str = "") -> Hit:
    text, highlights = result.excerpt(EXCERPT)
    read = partial(link, "/read", "here", library=library, q=query)
    place = result.id if result.source == "-" else result.place
    title = result.title.strip() or place.rsplit("/", 1)[-1]
    also = tuple(
        (copy, read(id=address_of(copy.id, copy.source), start=copy.start, end=copy.end)) for copy in result.also[:COPIES]
    )
    return Hit(
        result,
        read(id=address_of(result.id, result.source), start=result.start, end=result.end, seen=seen),
        title,
        place,
        pieces_of(text, [Spot(start, end, "hit") for start, end in highlights]),
        also,
        max(0, len(result.also) - COPIES),
        tuple(dict.fromkeys(span.reason for span in result.where.hidden)),
    )


def quoted(value: Any) -> str:
    """A value as the filter language writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(escapes.get(character, character) for character in str(value)) + '"'


def _field(name: str) -> str:
    return name if name.isidentifier() else quoted(name)


def _recipe(asked: SearchParameters, request: Asked) -> str | None:
    """The recipe asked for, or the library's own, with what reads the query line before it."""
    recipe = allowed_recipe(asked.recipe, request.library, request.config)
    if not asked.syntax:
        return recipe
    # As text, which a library remembers as checked.
    return str(parse_recipe("syntax()") >> request.library.recipe(recipe))


def _facets(results: Results, address: Any, where: Sequence[str]) -> tuple[Facet, ...]:
    found: list[Facet] = []
    for name, label in FACETS:
        if (counts := results.facets.get(name)) is None:
            continue
        shown = dict(islice(counts.items(), VALUES))
        values: list[FacetValue] = []
        for value, documents in shown.items():
            condition = f"{_field(name)} = {quoted(value)}"
            if condition not in where:
                values.append(FacetValue(value, _label(name, value), documents, address(where=(*where, condition))))
        if len(values) > 1 or (values and values[0].documents < counts.documents):
            found.append(Facet(name, label, tuple(values), counts.distinct - len(shown)))
    return tuple(found)


def _label(name: str, value: Any) -> str:
    text = str(value)
    if name == "folder" and text.count("/") > 2:
        return "…/" + "/".join(text.rsplit("/", 2)[-2:])
    return text if len(text) <= 40 else f"{text[:39]}…"
