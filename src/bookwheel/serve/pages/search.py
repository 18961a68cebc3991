"""`/search` and `/`: passages for a query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._errors import LibraryEmpty, LibraryNotFound
from ...library.results import Result
from ..parameters import parameter
from ..recipes import allowed_recipe
from ..route import Asked

__all__ = ["SearchParameters", "SearchView", "search_page"]


@dataclass(frozen=True, slots=True)
class SearchParameters:
    """What `/search` takes."""

    q: str = parameter("", 'what to search for; words, "phrases", -without, field:value')
    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    k: int = parameter(10, "how many results", least=1, most=1000)
    recipe: str | None = parameter(None, "how to rank; the library's own recipe where it is left out", longest=4096)
    where: str | None = parameter(None, "a filter by metadata, as in year >= 2020", longest=4096)
    group: bool = parameter(False, "each document once, with its best passage")


@dataclass(frozen=True, slots=True)
class SearchView:
    """What was found."""

    query: str
    results: list[Result]
    library: str
    notes: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""
    """Why nothing can be found in this library, and what to do: it is empty, or there is none."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "query": self.query,
            "library": self.library,
            "results": [result.to_dict() for result in self.results],
            "notes": list(self.notes),
            "timings": dict(self.timings),
            **({"problem": self.problem} if self.problem else {}),
        }


def search_page(asked: SearchParameters, request: Asked) -> SearchView:
    """Search; without a query nothing is found yet."""
    name = request.served.name
    if not asked.q.strip():
        problem = "" if request.served.exists else f"the library {name} is empty; add documents with: bookwheel index PATH"
        return SearchView("", [], name, problem=problem)
    try:
        library = request.library
        recipe = allowed_recipe(asked.recipe, library, request.config)
        found = library.search(
            asked.q,
            min(asked.k, request.config.limits.k),
            recipe=recipe,
            where=asked.where,
            group=asked.group,
            seconds=request.call.left,
        )
    except (LibraryEmpty, LibraryNotFound) as error:
        return SearchView(asked.q, [], name, problem=str(error))
    return SearchView(found.query, list(found), name, found.notes, found.timings)
