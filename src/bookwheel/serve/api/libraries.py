"""`GET /libraries`: the libraries of the server, and what each holds."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..._errors import BookwheelError
from ..respond import gone, json_response
from ..service import Served, Service
from ..work import Call
from .embed import status

__all__ = ["libraries"]


async def libraries(request: Request, service: Service, asked: Any) -> Response:
    """Name, state and encoders of each; ``problem`` where one cannot be read."""

    def work(_: Call) -> list[dict[str, Any]]:
        return [{"name": one.name, **_state(one)} for one in service.libraries.values()]

    return json_response(
        {"libraries": await service.run(work, gone(request)), "read_only": service.config.read_only},
    )


def _state(served: Served) -> dict[str, Any]:
    try:
        library = served.library()
        identity, generation = library.version
        return {
            "id": identity,
            "generation": generation,
            "documents": library.document_count,
            "passages": library.passage_count,
            "recipe": library.settings.recipe,
            "recipes": dict(library.recipes),
            "encoders": [status(one) for one in library.encoders()],
            "problem": None,
        }
    except BookwheelError as error:
        return {"problem": str(error)}
