"""``bookwheel conversations``: lists, shows, exports and forgets what ``bookwheel ask --conversation`` kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._errors import UsageError
from .command import Group, argument, command, option
from .options import json_option, library_option
from .output import Terminal, clean, json_document, json_line, notice, plural, table

if TYPE_CHECKING:
    from ..library.conversation import Conversation
    from ..library.library import Library

__all__ = ["conversations"]


@click.group(
    "conversations",
    cls=Group,
    examples=[
        ("bookwheel conversations", "list what is kept"),
        ("bookwheel conversations forget NAME", "delete it from the disk"),
    ],
)
def conversations() -> None:
    """List, show, export or forget the conversations of a library.

    A question is kept only if it was asked with `bookwheel ask --conversation NAME`. What is forgotten
    is overwritten on the disk. Without a command, the conversations are listed.
    """


@command(
    "list",
    examples=[
        ("bookwheel conversations list", "name, number of questions, when"),
        ("bookwheel conversations list --json", "the same for a program"),
    ],
)
@library_option
@json_option
def list_(library: Library, as_json: bool) -> int:
    """List the conversations, the one that was continued last first."""
    found = library.conversations()
    if as_json:
        json_document([one.to_dict() for one in found])
    elif found:
        rows = [
            (clean(one.name), one.began[:16].replace("T", " "), one.last[:16].replace("T", " "), f"{one.questions:,}")
            for one in found
        ]
        for line in table(rows, ("conversation", "began", "last (UTC)", "questions"), left=3):
            click.echo(line)
    else:
        notice(f"no conversation is kept in {library.path}; bookwheel ask --conversation NAME keeps one")
    return 0 if found else 1


@command(
    "show",
    examples=[
        ("bookwheel conversations show NAME", "its questions and answers"),
        ("bookwheel conversations show NAME --json", "with all quotes and places"),
    ],
)
@argument("name", metavar="NAME")
@library_option
@option("--no-color", is_flag=True, help="Do not use colour (as with the NO_COLOR variable).")
@json_option
def show(name: str, library: Library, no_color: bool, as_json: bool) -> None:
    """Print a conversation: each question, and its answer."""
    talk = _existing(library, name)
    if as_json:
        json_document(talk.export())
        return
    terminal = Terminal.of_stdout(colour=not no_color)
    for turn in talk.turns:
        click.echo(terminal.bold(f"{turn.number}. {clean(turn.question)}"))
        if turn.understood != turn.question:
            click.echo(terminal.dim(f"   asked as: {clean(turn.understood)}"))
        click.echo(f"   {clean(str(turn.answer.get('answer') or turn.answer.get('reason') or ''))}")


@command(
    "export",
    examples=[
        ("bookwheel conversations export NAME > FILE.jsonl", "one line of JSON a question"),
        ("bookwheel conversations export > FILE.jsonl", "all of them"),
    ],
)
@argument("names", nargs=-1, metavar="[NAME...]")
@library_option
@json_option
def export(names: tuple[str, ...], library: Library, as_json: bool) -> None:
    """Write conversations as JSON lines: of each question one, with its answer. All of them without a NAME.

    With --json it is one JSON document.
    """
    if as_json:
        json_document([_existing(library, name).export() for name in names or [one.name for one in library.conversations()]])
        return
    for name in names or [one.name for one in library.conversations()]:
        for turn in _existing(library, name).turns:
            json_line({"conversation": name, **turn.to_dict()})


@command(
    "forget",
    examples=[
        ("bookwheel conversations forget NAME", "delete it from the disk"),
        ("bookwheel conversations forget --all", "delete all of them"),
    ],
)
@argument("names", nargs=-1, metavar="NAME...")
@option("--all", "every", is_flag=True, help="Forget all conversations of the library.")
@library_option
@json_option
def forget(names: tuple[str, ...], every: bool, library: Library, as_json: bool) -> None:
    """Delete conversations from the disk, so that nothing of them is left in the library."""
    if bool(names) == every:
        raise UsageError("name the conversations to forget, or give --all for all of them")
    count = library.forget_conversations(None if every else names)
    if as_json:
        json_document({"forgotten": count})
    else:
        click.echo(f"{plural(count, 'question')} forgotten")


def _existing(library: Library, name: str) -> Conversation:
    talk = library.conversation(name)
    if talk.name not in (known := [one.name for one in library.conversations()]):
        others = f"; there are {', '.join(map(repr, known[:10]))}" if known else "; none is kept"
        raise UsageError(f"there is no conversation {name!r:.80} in {library.path}{others}")
    return talk


for _one in (list_, show, export, forget):
    conversations.add_command(_one)
