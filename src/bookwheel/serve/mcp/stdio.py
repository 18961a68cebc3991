"""MCP over stdin and stdout: nothing but JSON-RPC on stdout, and gone when the client is."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..._errors import BookwheelError
from .server import in_threads, library_server, require_sdk
from .tools import Access
from .wire import Wire

if TYPE_CHECKING:
    from ...library.library import Library

__all__ = ["claimed", "serve_stdio", "watch_parent"]

LOOK = 1.0
"""Seconds between two looks at whether the parent is still there."""
LEAVE = 2.0
"""Seconds that the end takes at most: threads may be in the middle of something."""
STOPPED = 130
"""The exit status of a process that Ctrl-C ended."""


@contextmanager
def claimed() -> Iterator[tuple[TextIOWrapper, TextIOWrapper]]:
    """The streams that were stdin and stdout; meanwhile, and for good, descriptor 1 is stderr and 0 reads nothing.

    So whatever prints (a library in C, a child, a forgotten ``print``) ends up in the client's log. To be called before anything
    else is imported or opened.
    """
    sys.stdout.flush()
    wire_in, wire_out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    reading = TextIOWrapper(os.fdopen(wire_in, "rb"), encoding="utf-8", errors="replace")
    writing = TextIOWrapper(os.fdopen(wire_out, "wb"), encoding="utf-8", errors="replace", newline="\n")
    yield reading, writing


def serve_stdio(library: Library, streams: tuple[TextIOWrapper, TextIOWrapper], model: Any = None) -> None:
    """Serve ``library`` until the client closes ``streams`` (as `claimed` gives them), or is gone."""
    require_sdk()
    import anyio

    with suppress(ValueError):  # not the main thread
        # At once: the thread that waits for a line cannot be interrupted, and nothing is being written.
        signal.signal(signal.SIGINT, _stop)
    anyio.run(_serve, library, streams, model)
    os._exit(0)  # nothing is to be written any more, and threads may be in the middle of something


async def _serve(library: Library, streams: tuple[TextIOWrapper, TextIOWrapper], model: Any) -> None:
    import anyio
    from mcp.server.stdio import stdio_server

    def access() -> Access:
        library.refresh()
        return Access(library._pinned(), model=model)

    server = library_server(library.path.name, access, in_threads())
    threading.Thread(target=_warm, args=(library,), name="bookwheel-warm", daemon=True).start()
    wire: Any = Wire(anyio.wrap_file(streams[0]), anyio.wrap_file(streams[1]))
    async with stdio_server(wire, wire) as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
        _leave_soon()


def _stop(_number: int, _frame: FrameType | None) -> None:
    os.write(2, b"bookwheel: stopped\n")
    os._exit(STOPPED)


def _warm(library: Library) -> None:
    """Load what the first search needs (compiled kernels, vectors) while the client still makes acquaintance."""
    with suppress(BookwheelError):  # each call will say it
        library.rank("warm", 1)


def watch_parent() -> None:
    """End this process when its parent ends, in a thread that looks every second.

    The end of stdin tells the same, but not where another process holds the pipe's other end, or while this one does not read.
    """
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK)
        os._exit(0)

    threading.Thread(target=look, name="bookwheel-parent", daemon=True).start()


def _leave_soon() -> None:
    """End this process in `LEAVE` seconds, whatever it still waits for."""

    def leave() -> None:
        time.sleep(LEAVE)
        os._exit(0)

    threading.Thread(target=leave, name="bookwheel-leave", daemon=True).start()
