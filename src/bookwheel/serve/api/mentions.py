"""`POST /mentions`: every document that mentions something, some of them at a time, and exact counts of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from ..parameters import parameter
from ..respond import gone, json_response
from ..service import Service
from ..work import Call

__all__ = ["MentionsParameters", "mentions"]


@dataclass(frozen=True, slots=True)
class MentionsParameters:
    """What `POST /mentions` takes: the options of `Library.find_all`, and which of the documents are told."""

    phrases: tuple[str, ...] = parameter(doc="words in a row, or several such phrases", longest=1 << 10, many=32)
    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    where: str | None = parameter(None, "a filter by metadata, as in year >= 2020", longest=4096)
    together: str = parameter("all", "whether a document must have all phrases or any", choices=("all", "any"))
    exact: bool = parameter(False, "whether a word fits only itself, not its other forms")
    offset: int = parameter(0, "how many documents to leave out", least=0)
    limit: int = parameter(100, "how many documents to tell, at most", least=0, most=1000)


async def mentions(request: Request, service: Service, asked: MentionsParameters) -> Response:
    """The counts, and ``found``: some of the documents with all places in them."""
    served = service.served(asked.library)

    def work(call: Call) -> dict[str, Any]:
        library = served.library()._pinned()  # so that the version is that of what was counted
        found = library.find_all(list(asked.phrases), where=asked.where, together=cast(Any, asked.together), exact=asked.exact)
        call.check()
        return {
            "library": served.name,
            "version": list(library.version),
            "phrases": list(found.phrases),
            "documents": found.documents,
            "passages": found.passages,
            "occurrences": found.occurrences,
            "notes": list(found.notes),
            "found": [one.to_dict() for one in found[asked.offset : asked.offset + asked.limit]],
        }

    return json_response(await service.run(work, gone(request)))
