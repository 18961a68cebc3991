"""`POST /search`: one query, or many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..._printable import as_json
from ...library.results import Results
from ..errors import Refusal
from ..parameters import parameter
from ..recipes import allowed_recipe
from ..respond import JSON, gone
from ..service import Service
from ..work import Call
from .facets import as_dict

__all__ = ["SearchBody", "found", "search_many"]


@dataclass(frozen=True, slots=True)
class SearchBody:
    """What `POST /search` takes: the options of `Library.search`."""

    query: str | None = parameter(None, "what to search for")
    queries: tuple[str, ...] = parameter((), "or several queries, which are answered in their order")
    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    k: int = parameter(10, "how many results of each query", least=1, most=1_000_000)
    recipe: str | None = parameter(None, "how to rank; the library's own recipe where it is left out", longest=4096)
    where: str | None = parameter(None, "a filter by metadata, as in year >= 2020", longest=4096)
    group: bool = parameter(False, "each document once, with its best passage")
    seconds: float | None = parameter(None, "time for slow stages, which then give the best ranking that they have", least=0)
    cutoff: float | None = parameter(None, "leave out passages that fit with a smaller probability", least=0, most=1)
    offset: int = parameter(0, "leave out this many results: the second page of ten begins at 10", least=0, most=100_000)
    fold: bool = parameter(False, "put what repeats a better result nearly word for word under that result")
    sort: str = parameter("relevance", "by what the results are sorted", choices=("relevance", "newest", "oldest"))
    facets: tuple[str, ...] = parameter((), "fields of which the values are counted among what is found", longest=1000, many=20)


async def search_many(request: Request, service: Service, asked: SearchBody) -> Response:
    """For ``query`` what was found; for ``queries`` a list of that, as ``searches``."""
    limits = service.config.limits
    if (asked.query is None) == (not asked.queries):
        raise Refusal(400, "give query or queries, one of the two")
    if asked.k > limits.k:
        raise Refusal(400, f"k must be from 1 to {limits.k:,} here, not {asked.k:,}")
    if len(asked.queries) > limits.batch:
        raise Refusal(
            400, f"a request can have at most {limits.batch} queries, not {len(asked.queries)}; send the others in another"
        )
    served = service.served(asked.library)

    def work(call: Call) -> bytes:
        library = served.library()
        options: dict[str, Any] = {
            "k": asked.k,
            "recipe": allowed_recipe(asked.recipe, library, service.config),
            "where": asked.where,
            "group": asked.group,
            "seconds": call.for_models if asked.seconds is None else min(asked.seconds, call.for_models),
            "cutoff": asked.cutoff,
            "offset": asked.offset,
            "fold": asked.fold,
            "sort": asked.sort,
            "facets": asked.facets,
        }
        if asked.query is not None:
            return as_json(found(library.search(asked.query, **options), served.name)).encode()
        searches = [found(one, served.name) for one in library.search_many(asked.queries, **options)]
        return as_json({"searches": searches}).encode()

    return Response(await service.run(work, gone(request)), media_type=JSON)


def found(results: Results, library: str) -> dict[str, Any]:
    """What a search found, for JSON."""
    return {
        "query": results.query,
        "library": library,
        "results": results.to_dicts(),
        "notes": list(results.notes),
        "timings": results.timings,
        **({"facets": {field: as_dict(one) for field, one in results.facets.items()}} if results.facets else {}),
    }
