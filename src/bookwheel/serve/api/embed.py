"""`POST /embed`: embed some of the passages that are not embedded yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...library.library import Library
from ...library.results import EncoderStatus
from ..parameters import parameter
from ..respond import json_response
from ..service import Service

__all__ = ["EmbedParameters", "embed", "status"]


@dataclass(frozen=True, slots=True)
class EmbedParameters:
    """What `POST /embed` takes."""

    names: tuple[str, ...] = parameter((), "encoders of the library; all where it is left out", longest=100, many=100)
    passages: int = parameter(1000, "how many passages, at most", least=1, most=100_000)
    minutes: float = parameter(1.0, "for how long, at most", least=0, most=10)
    cpu: float = parameter(0.5, "the share of all cores that it may use", least=0.01, most=1)
    library: str = parameter("", "the library; the first one where it is left out", longest=100)


async def embed(request: Request, service: Service, asked: EmbedParameters) -> Response:
    """Embed; how far each encoder is. Ask again until each is complete."""
    served = service.served(asked.library)

    def work(library: Library) -> list[dict[str, Any]]:
        names = list(asked.names) or None
        done = library.embed(names, passages=asked.passages, minutes=asked.minutes, cpu=asked.cpu)
        return [status(one) for one in done]

    done = await service.run(lambda _: served.write(work, create=False), seconds=60 * asked.minutes + 120, pool=service.writing)
    return json_response({"library": served.name, "encoders": done})


def status(one: EncoderStatus) -> dict[str, Any]:
    """How far the passages are embedded, for JSON."""
    names = ("name", "kind", "model", "encoded", "embedded", "passages", "seconds", "complete")
    return {name: getattr(one, name) for name in names}
