"""The entries with which the usual clients start `bookwheel mcp`: printed for people to paste, never written anywhere."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Entry", "entries"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one client needs."""

    client: str
    where: str
    """The file to put it into, or what to do with it."""
    text: str


def command(library: str) -> list[str]:
    """The command line that serves ``library``, with whole paths: clients have another PATH and another folder."""
    found = shutil.which("bookwheel")
    start = [str(Path(found).absolute())] if found else [sys.executable, "-m", "bookwheel"]
    return [*start, "mcp", library]


def entries(library: str, name: str) -> list[Entry]:
    """An entry for each client; ``library`` is a name or a whole path, ``name`` what the client calls the server."""
    program, *arguments = command(library)
    one = {"command": program, "args": arguments}
    servers = _json({"mcpServers": {name: one}})
    return [
        Entry("Claude Code", "run", shlex.join(["claude", "mcp", "add", name, "--", program, *arguments])),
        Entry("Claude Desktop", "Settings > Developer > Edit Config: claude_desktop_config.json", servers),
        Entry("Cursor", "~/.cursor/mcp.json, or .cursor/mcp.json in a project", servers),
        Entry("VS Code", ".vscode/mcp.json in a workspace", _json({"servers": {name: {"type": "stdio", **one}}})),
        Entry("Codex", "~/.codex/config.toml", _toml(name, program, arguments)),
        Entry("Gemini CLI", "~/.gemini/settings.json", servers),
        Entry("Zed", "settings.json", _json({"context_servers": {name: {"source": "custom", **one, "env": {}}}})),
    ]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _toml(name: str, program: str, arguments: Sequence[str]) -> str:
    # A JSON string is a basic string of TOML.
    args = ", ".join(json.dumps(one) for one in arguments)
    return f"[mcp_servers.{json.dumps(name)}]\ncommand = {json.dumps(program)}\nargs = [{args}]"
