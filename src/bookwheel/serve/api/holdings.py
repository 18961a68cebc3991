"""`GET /info`, `/rows` and `/piece`: what a library holds, its documents without their texts, and a part of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...library.results import Info
from ..errors import Refusal
from ..parameters import parameter
from ..respond import gone, json_response
from ..service import Service
from ..work import Call

__all__ = ["InfoParameters", "PieceParameters", "RowsParameters", "info", "piece", "rows"]


@dataclass(frozen=True, slots=True)
class InfoParameters:
    """What `GET /info` takes."""

    library: str = parameter("", "the library; the first one where it is left out", longest=100)


@dataclass(frozen=True, slots=True)
class RowsParameters:
    """What `GET /rows` takes."""

    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    start: int = parameter(0, "how many documents to leave out", least=0)
    count: int = parameter(100, "how many documents, at most", least=0, most=1000)
    where: str | None = parameter(None, "only documents that meet this filter", longest=4096)


@dataclass(frozen=True, slots=True)
class PieceParameters:
    """What `GET /piece` takes."""

    id: str = parameter(doc="the document")
    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    start: int = parameter(0, "where it begins in the document's text, in code points", least=0)
    characters: int = parameter(10_000, "how many, at most", least=1, most=1_000_000)
    line: int | None = parameter(None, "or the line where it begins, from 1", least=1)
    lines: int = parameter(100, "with line: how many lines", least=1, most=100_000)


async def info(request: Request, service: Service, asked: InfoParameters) -> Response:
    """Documents, passages, fields, languages, settings, and bytes by part."""
    served = service.served(asked.library)
    found = await service.run(lambda _: info_dict(served.library().info()), gone(request))
    return json_response({"library": served.name, **found})


def info_dict(found: Info) -> dict[str, Any]:
    """A library's state for JSON."""
    told = {name: getattr(found, name) for name in Info.__slots__}
    settings = found.settings.to_dict()
    maps = {name: dict(getattr(found, name)) for name in ("languages", "disk", "memory")}
    return told | maps | {"settings": settings, "fields": list(found.fields)}


async def rows(request: Request, service: Service, asked: RowsParameters) -> Response:
    """Documents without their texts, in the order in which they were added."""
    served = service.served(asked.library)

    def work(_: Call) -> list[dict[str, Any]]:
        names = ("number", "name", "title", "source", "language", "first", "passages", "metadata")
        found = served.library().rows(asked.start, asked.count, where=asked.where)
        return [{name: getattr(one, name) for name in names} for one in found]

    return json_response({"library": served.name, "rows": await service.run(work, gone(request))})


async def piece(request: Request, service: Service, asked: PieceParameters) -> Response:
    """A part of a document with its place."""
    served = service.served(asked.library)

    def work(_: Call) -> dict[str, Any]:
        try:
            found = served.library().piece(asked.id, asked.start, asked.characters, line=asked.line, lines=asked.lines)
        except KeyError:
            raise Refusal(404, f"there is no document {asked.id!r:.200} in {served.name}") from None
        told = {name: getattr(found, name) for name in type(found).__slots__}
        return told | {"metadata": dict(found.metadata), "where": found.where.to_dict(), "place": found.place}

    return json_response({"library": served.name, **await service.run(work, gone(request))})
