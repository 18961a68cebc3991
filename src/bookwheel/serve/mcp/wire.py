"""The lines of stdin and stdout, as the SDK reads and writes them: what it would pass over in silence is answered here.

The SDK drops what it cannot parse, so that a client waits for ever, and takes the end of stdin for the end of all that is under
way.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator
from typing import Any

__all__ = ["GRACE", "Wire"]

GRACE = 5.0
"""Seconds that requests which are under way get after the client has closed stdin."""
PARSE_ERROR, INVALID_REQUEST = -32700, -32600
_ID = re.compile(
    r'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*|"method"\s*:\s*"[^"\\]{0,200}"\s*,\s*)*"id"\s*:\s*(-?\d{1,15}|"[^"\\]{0,200}")'
)
"""The id of a message that is no JSON as a whole, where it comes before the parameters."""


class Wire:
    """Both streams, files of anyio's. Of one event loop."""

    def __init__(self, reading: Any, writing: Any) -> None:
        import anyio

        self._reading, self._writing = reading, writing
        self._lock = anyio.Lock()
        self._waiting: set[str] = set()
        """Ids of the requests that are not answered yet, as JSON."""
        self._answered = anyio.Event()

    async def __aiter__(self) -> AsyncIterator[str]:
        """The lines that are messages."""
        import anyio
        from mcp_types import JSONRPCRequest, jsonrpc_message_adapter

        async for line in self._reading:
            if not line.strip():
                continue
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except Exception:  # whatever a validator raises
                await self._say(json.dumps(_refusal(line)))
                continue
            if isinstance(message, JSONRPCRequest):
                self._waiting.add(json.dumps(message.id))
            yield line
        with anyio.move_on_after(GRACE):
            while self._waiting:
                self._answered = anyio.Event()
                await self._answered.wait()

    async def write(self, text: str) -> None:
        """Send one message, a line."""
        await self._say(text.rstrip("\n"))
        told = json.loads(text)
        if "id" in told and "method" not in told:
            self._waiting.discard(json.dumps(told["id"]))
            self._answered.set()

    async def flush(self) -> None:
        """Nothing: each line is sent at once."""

    async def _say(self, line: str) -> None:
        try:
            async with self._lock:
                await self._writing.write(line + "\n")
                await self._writing.flush()
        except (OSError, ValueError):  # the client reads no more: there is nobody to work for
            os._exit(0)


def _refusal(line: str) -> dict[str, Any]:
    """The answer to a line that is no message."""
    code, said, number = PARSE_ERROR, "the line is no JSON, or nested too deep", None
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        if (found := _ID.match(line)) is not None:
            number = json.loads(found[1])
    else:
        code, said = INVALID_REQUEST, "the line is no JSON-RPC message; send one object a line, with jsonrpc, id and method"
        if isinstance(message, dict):
            given = message.get("id")
            number = given if isinstance(given, int | str) and not isinstance(given, bool) else None
            if re.search(r"\\u[dD][89abAB-F]", line):
                code, said = PARSE_ERROR, "the message has half a character (\\ud800 to \\udfff without its other half)"
    if isinstance(number, str):
        number = number.encode("utf-8", "replace").decode()
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": said}}
