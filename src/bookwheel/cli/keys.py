"""Keys, one at a time: of a terminal as they are pressed, of a pipe as they come."""

from __future__ import annotations

import codecs
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

__all__ = ["keys"]

ESCAPE = "\x1b"
HEARD_EVERY = 0.2  # seconds


@contextmanager
def keys() -> Iterator[Iterator[str]]:
    """The keys of standard input, until it ends. White space between keys in a pipe is passed over.

    On a terminal keys need no return, what is typed ahead is kept, and Ctrl-C is `KeyboardInterrupt`; a key that sends several
    characters (an arrow) comes as one.
    """
    if not sys.stdin.isatty():
        yield (one for one in iter(lambda: sys.stdin.read(1), "") if not one.isspace())
    elif os.name != "posix":
        yield _getchar()
    else:
        import termios
        import tty

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        try:
            tty.setcbreak(descriptor, termios.TCSADRAIN)
            yield _pressed(descriptor)
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _pressed(descriptor: int) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while True:
        # A Ctrl-C that comes just before a read would be heard only after the next key: so wait in short turns.
        if not select.select([descriptor], [], [], HEARD_EVERY)[0]:
            continue
        if not (data := os.read(descriptor, 32)):
            return
        text = decoder.decode(data)
        if text.startswith(ESCAPE):
            yield text
            continue
        for one in text:
            if one == "\x04":  # Ctrl-D
                return
            yield one


def _getchar() -> Iterator[str]:
    while True:
        try:
            pressed = click.getchar()
        except EOFError:
            return
        yield from [pressed] if pressed[:1] in (ESCAPE, "\x00", "\xe0") else pressed
