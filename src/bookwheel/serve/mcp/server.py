"""The MCP server of one library, by the official SDK: both protocol eras, tools only, errors as one sentence.

Handlers are the SDK's low-level ones: its high-level server puts the words of its validator, some lines of them, before the
sentences for people, and takes unknown parameters in silence.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..._errors import BookwheelError, UsageError
from ..._version import __version__
from ...read.hostile import visible
from .instructions import instructions
from .tokens import written
from .tools import TOOLS, Access, Tool

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from mcp_types import Tool as Listed

__all__ = ["INSTALL", "Run", "in_threads", "library_server", "require_sdk", "sentence"]

logger = logging.getLogger("bookwheel.mcp")
INSTALL = "MCP needs the package mcp, which is not installed; install it with: pip install 'bookwheel[mcp]'"
THREADS = 4
"""Calls that are worked on at one time over stdio."""

Run = Callable[[Tool, Callable[[], dict[str, Any]]], Awaitable[dict[str, Any]]]
"""Runs what blocks, a call of a tool, away from the event loop, in the context of the request."""


def require_sdk() -> None:
    """Raise `UsageError` where the SDK is not installed, or is an older one."""
    try:
        from mcp.server.runner import serve_dual_era_loop  # noqa: F401 - since 2.0
    except ImportError as error:
        older = "" if getattr(error, "name", None) == "mcp" else f" ({error}: it must be 2.3 or newer)"
        raise UsageError(INSTALL + older) from None


def in_threads() -> Run:
    """Calls in at most `THREADS` threads; one whose client has left goes on in its thread, and nobody waits for it.

    Its place is free when its thread is done, not when the client has left: else any number of threads might be at work.
    """
    import asyncio

    from anyio import CapacityLimiter, to_thread

    limiter, unlimited = CapacityLimiter(THREADS), CapacityLimiter(math.inf)

    async def run(_: Tool, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        place, deciding, loop = object(), threading.Lock(), asyncio.get_running_loop()
        begun = left = False
        await limiter.acquire_on_behalf_of(place)

        def working() -> dict[str, Any]:
            nonlocal begun
            with deciding:
                if left:
                    return {}
                begun = True
            try:
                return work()
            finally:
                with suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(limiter.release_on_behalf_of, place)

        try:
            return await to_thread.run_sync(working, abandon_on_cancel=True, limiter=unlimited)
        finally:
            with deciding:
                left = True
                if not begun:
                    limiter.release_on_behalf_of(place)

    return run


def library_server(name: str, access: Callable[[], Access], run: Run) -> Server[Any]:
    """A server of the library that ``access()`` opens, at its newest generation, whenever it is asked."""
    require_sdk()
    from mcp.server.lowlevel import Server
    from mcp_types import CallToolResult, ListToolsResult, TextContent

    async def on_list_tools(_context: Any, _params: Any) -> ListToolsResult:
        return ListToolsResult(tools=_listed())

    async def on_call_tool(_context: Any, params: Any) -> CallToolResult:
        result, failed = await _called(params.name, params.arguments or {}, access, run)
        if failed is not None:
            return CallToolResult(content=[TextContent(type="text", text=failed)], is_error=True)
        return CallToolResult(content=[TextContent(type="text", text=written(result))], structured_content=result)

    class Current(Server[Any]):
        """A server whose instructions are of the library as it is now."""

        def _current(self) -> str:
            try:
                return instructions(access().library)
            except Exception as error:
                return sentence(error)

        # Read by the SDK on each `initialize` and `server/discover`.
        instructions = property(_current, lambda self, value: None)

    schemas: Mapping[str, Mapping[str, Any]] = {tool.name: tool.schema for tool in TOOLS.values()}
    return Current(
        f"bookwheel-{name}",
        version=__version__,
        title=f"Documents: {name}",
        description="Search, read and ask a library of documents.",
        get_tool_input_schema=schemas.get,
        on_list_tools=on_list_tools,
        on_call_tool=on_call_tool,
    )


async def _called(
    name: str, given: Mapping[str, Any], access: Callable[[], Access], run: Run
) -> tuple[dict[str, Any], str | None]:
    """What a tool gives, or the sentence of its error."""
    tool = TOOLS.get(name)
    if tool is None:
        return {}, f"there is no tool {name[:80]!a}; the tools are {', '.join(TOOLS)}"
    try:
        return await run(tool, lambda: _sound(tool.call(access(), given))), None
    except Exception as error:
        return {}, sentence(error)


def sentence(error: BaseException) -> str:
    """An error in one sentence; of one that nobody foresaw only its kind is told, the rest goes to the log."""
    if isinstance(error, BookwheelError):
        # A filter's error marks the place on lines of their own; its first line names the column.
        return " ".join(visible(str(error).split("\n  ")[0]).split()) or "the library refused that"
    if getattr(error, "foreseen", False):
        return " ".join(str(error).split())
    logger.error("a tool failed unexpectedly", exc_info=error)
    return f"an unexpected {type(error).__name__} stopped this inside bookwheel, whose log tells more; ask for something else"


def _sound(value: Any) -> Any:
    """``value`` without halves of characters, which JSON in UTF-8 cannot have."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() if not value.isascii() else value
    if isinstance(value, dict):
        return {_sound(name): _sound(inner) for name, inner in value.items()}
    return [_sound(inner) for inner in value] if isinstance(value, list) else value


def _listed() -> list[Listed]:
    from mcp_types import Tool as Listed
    from mcp_types import ToolAnnotations

    hints = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
    return [
        Listed(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema=tool.schema,
            output_schema=dict(tool.output),
            annotations=hints,
        )
        for tool in TOOLS.values()
    ]
