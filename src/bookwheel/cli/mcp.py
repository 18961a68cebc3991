"""``bookwheel mcp``: a library for agents, over stdin and stdout."""

from __future__ import annotations

import re

import click

from .._errors import UsageError
from .._paths import MANIFEST, home, locate, no_library
from .command import argument, command, option
from .options import Size, json_option
from .output import clean, json_document


@command(
    "mcp",
    examples=[
        ("bookwheel mcp papers --install", "the lines that give it to Claude, Cursor, VS Code, Codex"),
        ("bookwheel mcp papers", "what those lines run; it waits for a client on stdin"),
    ],
)
@argument("name", required=False, default="default", metavar="[LIBRARY]")
@option("--install", is_flag=True, help="Print the entries for the usual clients; nothing is written.")
@option("--ram", type=Size(), metavar="SIZE", help="Memory budget, at least 256MB. [default: unlimited]")
@option("--model", metavar="NAME|URL", help="Language model that writes the answers of ask. [default: none, it quotes]")
@json_option
def mcp(name: str, install: bool, ram: int | None, model: str | None, as_json: bool) -> None:
    """Give a library to an agent by the Model Context Protocol (MCP), over stdin and stdout.

    The agent can search, fetch, read, ask, find every mention and list what there is; it can change
    nothing. LIBRARY is a name or a folder. The process ends with its client. It needs: pip install
    'bookwheel[mcp]'
    """
    if install:
        _print_entries(name, as_json)
        return
    if as_json:
        raise UsageError("--json goes with --install: what the server itself writes is JSON-RPC anyway")
    from ..serve.mcp.stdio import claimed, serve_stdio, watch_parent

    watch_parent()
    with claimed() as streams:  # before anything is opened, compiled or imported that could print
        from ..library.library import open_library

        with open_library(name, ram=ram) as library:
            serve_stdio(library, streams, model)


def _print_entries(name: str, as_json: bool) -> None:
    from ..serve.mcp.install import entries

    path = locate(name)
    if not (path / MANIFEST).is_file():
        raise no_library(path)
    known = re.sub(r"[^\w-]", "-", path.name) or "library"
    found = entries(path.name if path.parent == home() and name == path.name else str(path.absolute()), f"bookwheel-{known}")
    if as_json:
        json_document([{"client": one.client, "where": one.where, "text": one.text} for one in found])
        return
    for one in found:
        click.echo(f"{one.client} ({one.where}):\n")
        click.echo("\n".join(f"  {clean(line)}" for line in one.text.split("\n")) + "\n")
    click.echo("Nothing was written; paste the one for your client.", err=True)
