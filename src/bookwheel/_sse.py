"""Server-sent events: the messages in a stream of bytes (WHATWG HTML, section 9.2), as far as the OpenAI protocol uses them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["LONGEST_LINE", "messages"]

LONGEST_LINE = 1 << 20
"""Bytes of a line that are kept; a message with a longer one is dropped."""


def messages(pieces: Iterable[bytes]) -> Iterator[str]:
    """The data of each message in ``pieces``, which may be cut anywhere; comments and other fields are passed over.

    A last message without an empty line behind it counts, too: some servers send none.
    """
    data: list[bytes] = []
    for line in _lines(pieces):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif not line and data:
            yield b"\n".join(data).decode("utf-8", "replace")
            data.clear()
    if data:
        yield b"\n".join(data).decode("utf-8", "replace")


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        *lines, rest = piece.split(b"\n")
        for line in lines:
            whole = b"".join([*held, line]) if held else line
            held, size = [], 0
            if len(whole) <= LONGEST_LINE:
                yield whole.removesuffix(b"\r")
        if rest and size <= LONGEST_LINE:
            held.append(rest)
            size += len(rest)
    if held and size <= LONGEST_LINE:
        yield b"".join(held).removesuffix(b"\r")
