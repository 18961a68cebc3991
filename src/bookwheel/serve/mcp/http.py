"""MCP over HTTP: ``/mcp`` is the first library, ``/mcp/NAME`` any, behind the same guards as every other route.

Each request stands for itself in both protocol eras: there are no sessions, so nothing is kept between two of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from ..._errors import UsageError
from ...documents.places import Place
from ...library.naming import JOINT
from ..bodies import answer
from ..route import Part
from ..work import Busy, Cancelled
from .server import INSTALL, library_server, require_sdk
from .tools import Access

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.types import Receive, Scope, Send

    from ..service import Served, Service

__all__ = ["mcp_part"]

READ = "/read"
"""The page that shows a document, with the passage marked."""
_asked_at: ContextVar[str] = ContextVar("asked_at", default="")
"""Scheme, host and port by which the request reached this server; `security.Doors` has checked the host."""


def mcp_part(service: Service) -> Part:
    """The part of the server; without the SDK its paths say what to install."""
    try:
        require_sdk()
    except UsageError:
        return Part("mcp", _nothing, {"/mcp": _Missing(), "/mcp/{name}": _Missing()}, lambda: {"problem": INSTALL})
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    managers = {
        name: StreamableHTTPSessionManager(_server(service, served), json_response=True, stateless=True)
        for name, served in service.libraries.items()
    }

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for manager in managers.values():
                await stack.enter_async_context(manager.run())
            yield

    app = _Paths(managers, service.config.first)
    paths = ["/mcp", *(f"/mcp/{name}" for name in managers)]
    return Part("mcp", running, {"/mcp": app, "/mcp/{name}": app}, lambda: {"paths": paths})


class _Paths:
    """The ASGI application of both paths. An object: of a function, a route would make something for GET."""

    def __init__(self, managers: Mapping[str, StreamableHTTPSessionManager], first: str) -> None:
        self.managers, self.first = managers, first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope.get("path_params", {}).get("name") or self.first
        if name not in self.managers:
            await answer(send, 404, f"there is no library {name!r:.120} here; this server has {', '.join(self.managers)}")
        elif scope["method"] != "POST":  # no streams, and no sessions that could be ended
            await answer(send, 405, "MCP takes POST here: there are no sessions", [(b"allow", b"POST")])
        else:
            host = next(value for key, value in scope["headers"] if key == b"host").decode("latin-1")
            _asked_at.set(f"{scope['scheme']}://{host}")
            await self.managers[name].handle_request(scope, receive, send)


class _Missing:
    """What stands there without the SDK."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 501, INSTALL)


def _server(service: Service, served: Served) -> Any:
    def access() -> Access:
        return Access(served.library(), _link(served.name, _asked_at.get()), service.config.model)

    async def run(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return await service.run(lambda _: work())
        except (Busy, Cancelled) as error:
            raise UsageError(str(error) or "the request was given up") from error

    return library_server(served.name, access, run)


def _link(library: str, base: str) -> Callable[[str, str, int, Place], str]:
    """URLs of the page that shows a document, as this client reached the server."""

    def link(source: str, name: str, start: int, place: Place) -> str:
        known = name if source in ("", "-", name) else f"{source}{JOINT}{name}"
        return f"{base}{READ}?{urlencode({'library': library, 'id': known, 'start': start}, quote_via=quote)}"

    return link


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield
