"""`GET /facets`: how many documents have each value of some fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...library.facet_counts import Facets
from ...library.facets import DEPTH
from ..parameters import parameter
from ..recipes import allowed_recipe
from ..respond import gone, json_response
from ..service import Service
from ..work import Call

__all__ = ["FacetsParameters", "as_dict", "facets"]


@dataclass(frozen=True, slots=True)
class FacetsParameters:
    """What `GET /facets` takes."""

    field: tuple[str, ...] = parameter(doc="a field of the documents; may be repeated", longest=1000, many=20)
    q: str | None = parameter(None, "only documents of the best passages for this query")
    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    where: str | None = parameter(None, "only documents that meet this filter", longest=4096)
    k: int = parameter(100, "how many values of each field, the most frequent first", least=1, most=10_000)
    recipe: str | None = parameter(None, "with q: how to rank", longest=4096)
    depth: int = parameter(DEPTH, "with q: of how many passages", least=1, most=10_000)
    known: bool = parameter(False, "leave out fields that no document has; else they are an error")


async def facets(request: Request, service: Service, asked: FacetsParameters) -> Response:
    """The counts of each field."""
    served = service.served(asked.library)

    def work(_: Call) -> dict[str, Any]:
        library = served.library()
        options: dict[str, Any] = {"where": asked.where, "k": asked.k, "depth": asked.depth}
        options["recipe"] = allowed_recipe(asked.recipe, library, service.config)
        if asked.known:
            found = library.facets_of(asked.field, asked.q, **options)
        else:
            found = {field: library.facets(field, asked.q, **options) for field in asked.field}
        return {field: as_dict(one) for field, one in found.items()}

    return json_response({"library": served.name, "facets": await service.run(work, gone(request))})


def as_dict(found: Facets) -> dict[str, Any]:
    """Counts for JSON; values keep their types."""
    counts = {"documents": found.documents, "missing": found.missing, "distinct": found.distinct}
    return {"field": found.field, "values": [[value, count] for value, count in found.items()], **counts}
