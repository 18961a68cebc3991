"""`GET /health`: whether the server runs. It needs no token and says nothing of any library."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..respond import json_response
from ..service import Service

__all__ = ["health"]


async def health(request: Request, service: Service, asked: Any) -> Response:
    """That it runs."""
    return json_response({"status": "ok"})
