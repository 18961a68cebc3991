"""What is seen while a model writes: the passages that were found, and its draft, on a terminal only and without its control characters."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from .output import Terminal, clean, nearby

if TYPE_CHECKING:
    from ..read.answer import Answer
    from ..read.events import Event

__all__ = ["followed"]

SHOWN = 5
"""Passages that are listed."""


def followed(events: Iterator[Event]) -> Answer:
    """The answer at the end of ``events``; on the way there the passages and the draft are shown on stderr, where that is a terminal.

    The draft is dim, since nothing of it is verified. Ctrl-C ends the draft, not the answer.
    """
    from ..read.answer import Answer
    from ..read.events import Found, Token

    seen = sys.stderr.isatty()
    terminal = Terminal.of_stdout(colour=seen)
    written = False
    for event in events:
        if isinstance(event, Answer):
            if written:
                click.echo("\n", err=True)
            return event
        if not seen:
            continue
        if isinstance(event, Found):
            for one in event.evidence[:SHOWN]:
                click.echo(terminal.dim(clean(f"[{one.number}] {nearby(one.place or one.source or one.id)}")), err=True)
        elif isinstance(event, Token):
            click.echo(terminal.dim(clean(event.text, lines=True)), nl=False, err=True)
            written = True
    raise AssertionError("every question ends with an answer")
