"""MCP over HTTP: ``/mcp`` is the first library, ``/mcp/NAME`` any, behind the same guards as every other route.

Each request stands for itself in both protocol eras: there are no sessions, so nothing is kept between two of them. The SDK is
imported with the first one: that takes longer than starting all the rest of the server.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from contextvars import ContextVar, copy_context
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from ..._deadline import done_by
from ..._errors import UsageError
from ..._http import cancelled_by
from ...documents.places import Place
from ...library.naming import JOINT
from ..bodies import answer
from ..route import Part
from ..work import Busy, Call, Cancelled
from .server import INSTALL, library_server, require_sdk
from .tools import Access, Tool

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from starlette.types import Message, Receive, Scope, Send

    from ..service import Served, Service

__all__ = ["mcp_part"]

logger = logging.getLogger("bookwheel.serve")
READ = "/read"
"""The page that shows a document, with the passage marked."""
_asked_at: ContextVar[str] = ContextVar("asked_at", default="")
"""Scheme, host and port by which the request reached this server; `security.Doors` has checked the host."""


def mcp_part(service: Service) -> Part:
    """The part of the server; without the SDK its paths say what to install."""
    sessions = _Sessions(service)
    app = _Paths(sessions, service)
    paths = ["/mcp", *(f"/mcp/{name}" for name in service.libraries)]
    return Part(
        "mcp",
        sessions.running,
        {"/mcp": app, "/mcp/{name}": app},
        lambda: {"problem": sessions.problem} if sessions.problem else {"paths": paths},
    )


class _Sessions:
    """The SDK's side of each library, from the first request on. Of one event loop."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.problem = "" if find_spec("mcp") is not None else INSTALL
        self._made: asyncio.Future[dict[str, StreamableHTTPSessionManager]] | None = None
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While the server runs."""
        try:
            yield
        finally:
            self._stop.set()
            if self._task is not None:
                await self._task

    async def of(self, name: str) -> StreamableHTTPSessionManager:
        """That of the library ``name``. Raises `UsageError` where the SDK is not installed."""
        if self._made is None:
            self._made = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._run(self._made))
        return (await asyncio.shield(self._made))[name]

    async def _run(self, made: asyncio.Future[dict[str, StreamableHTTPSessionManager]]) -> None:
        """A task of its own: what the SDK opens has to be closed by the one that opened it."""
        try:
            managers = await asyncio.to_thread(self._make)
            async with AsyncExitStack() as stack:
                for manager in managers.values():
                    await stack.enter_async_context(manager.run())
                made.set_result(managers)
                await self._stop.wait()
        except Exception as error:
            if made.done():
                logger.error("MCP over HTTP ended unexpectedly", exc_info=error)
                return
            self.problem = str(error) if isinstance(error, UsageError) else f"MCP cannot be served ({type(error).__name__})"
            made.set_exception(error)

    def _make(self) -> dict[str, StreamableHTTPSessionManager]:
        require_sdk()
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        return {
            name: StreamableHTTPSessionManager(_server(self.service, served), json_response=True, stateless=True)
            for name, served in self.service.libraries.items()
        }


class _Paths:
    """The ASGI application of both paths. An object: of a function, a route would make something for GET."""

    def __init__(self, sessions: _Sessions, service: Service) -> None:
        self.sessions, self.libraries, self.first = sessions, service.libraries, service.config.first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope.get("path_params", {}).get("name") or self.first
        if name not in self.libraries:
            await answer(send, 404, f"there is no library {name!r:.120} here; this server has {', '.join(self.libraries)}")
            return
        if scope["method"] != "POST":  # no streams, and no sessions that could be ended
            await answer(send, 405, "MCP takes POST here: there are no sessions", [(b"allow", b"POST")])
            return
        try:
            manager = await self.sessions.of(name)
        except UsageError as error:
            await answer(send, 501, str(error))
            return
        host = next(value for key, value in scope["headers"] if key == b"host").decode("latin-1")
        _asked_at.set(f"{scope['scheme']}://{host}")
        await _while_there(manager, scope, receive, send)


async def _while_there(manager: StreamableHTTPSessionManager, scope: Scope, receive: Receive, send: Send) -> None:
    """Let ``manager`` answer, and have it end when the client goes: it does not look."""
    body: Message | None = await receive()  # whole, as `Bodies` gives it
    never = asyncio.Event()

    async def given() -> Message:
        nonlocal body
        if body is None:
            await never.wait()
        found, body = body, None
        return found or {"type": "http.disconnect"}

    async def left() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    handling = asyncio.ensure_future(manager.handle_request(scope, given, send))
    leaving = asyncio.ensure_future(left())
    try:
        await asyncio.wait((handling, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        if not handling.done():
            handling.cancel()
    with suppress(asyncio.CancelledError):
        await handling


def _server(service: Service, served: Served) -> Any:
    def access() -> Access:
        return Access(served.library()._pinned(), _link(served.name, _asked_at.get()), service.config.model)

    async def run(tool: Tool, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        asked = copy_context()  # the thread in which it runs has another

        def called(call: Call) -> dict[str, Any]:
            with cancelled_by(call.on_cancel), done_by(time.monotonic() + call.for_models):
                return work()

        try:
            return await (service.answer if tool.asks else service.run)(lambda call: asked.run(called, call))
        except (Busy, Cancelled) as error:
            raise UsageError(str(error) or "the request was given up") from error

    return library_server(served.name, access, run)


def _link(library: str, base: str) -> Callable[[str, str, int, Place], str]:
    """URLs of the page that shows a document, as this client reached the server."""

    def link(source: str, name: str, start: int, place: Place) -> str:
        known = name if source in ("", "-", name) else f"{source}{JOINT}{name}"
        return f"{base}{READ}?{urlencode({'library': library, 'id': known, 'start': start}, quote_via=quote)}"

    return link
