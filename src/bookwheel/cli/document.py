"""Writes docs/cli.md from the commands' own help: ``python -m bookwheel.cli.document > docs/cli.md``. A test keeps it true."""

from __future__ import annotations

import click

from .main import COMMANDS, bookwheel

__all__ = ["reference"]

WIDTH = 100
HEAD = """\
# The command line

Written by `python -m bookwheel.cli.document` from what `--help` prints.

Exit codes: 0 done; 1 nothing found; 2 wrong usage, or input that could not be read (the rest of it was); 3 a budget that cannot
be met; 70 a bug in bookwheel; 130 stopped by Ctrl-C. What is wrong with a command line is told all at once, a sentence each, on
standard error. `--json` prints one JSON document, or one a line where there are many.

A library is a name, kept in the user's data folder (or in `$BOOKWHEEL_HOME`), or a path: whatever has a `/` in it.
"""


def reference() -> str:
    """The whole of docs/cli.md."""
    parts = [HEAD, _block("bookwheel", bookwheel)]
    context = click.Context(bookwheel, info_name="bookwheel")
    for name in COMMANDS:
        command = bookwheel.get_command(context, name)
        assert command is not None
        parts.append(f"## bookwheel {name}\n")
        parts.append(_block(f"bookwheel {name}", command))
    return "\n".join(parts)


def _block(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name, terminal_width=WIDTH, max_content_width=WIDTH)
    return f"```\n{command.get_help(context).strip()}\n```\n"


if __name__ == "__main__":
    click.echo(reference(), nl=False)
