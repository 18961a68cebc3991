"""The lines of a stream of any size, never holding a line that is longer than allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

__all__ = ["bounded_lines"]

_SKIP = 1 << 20


def bounded_lines(stream: BinaryIO, limit: int) -> Iterator[bytes | int]:
    """Yields each line with its end; for one of more than ``limit`` bytes its length
    instead, having read it in pieces.
    """
    readline = stream.readline
    while line := readline(limit + 1):
        if len(line) <= limit or line.endswith(b"\n"):
            held = [line]
            del line
            yield held.pop()  # it may be large, and whoever takes it lets go of it before the next is read
            continue
        length = len(line)
        del line
        while piece := readline(_SKIP):
            length += len(piece)
            if piece.endswith(b"\n"):
                break
        yield length
