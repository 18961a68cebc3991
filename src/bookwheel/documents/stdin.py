"""Standard input as a source: its format is detected without losing the first bytes."""

from __future__ import annotations

import io
import json
import re
import sys
from typing import TYPE_CHECKING, BinaryIO, cast

from .sniffing import compression_of
from .source import STDIN, Source

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["standard_input"]

_LONGEST = 1 << 20
_OBJECT = re.compile(rb'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:')


def standard_input(max_bytes: int) -> Source:
    """Standard input, decompressed if gz or zst: JSONL if the first line that is not
    blank is a JSON object, else text.
    """
    stream = sys.stdin.buffer
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, stream))
    _, compression = compression_of("", buffered.peek(4))
    source = Source(STDIN, 0, 0, "text", compression, STDIN, True, max_bytes, cast(BinaryIO, buffered))
    opened = source.open()
    head = b""
    while not head.strip() and len(head) < _LONGEST:
        line = opened.readline(_LONGEST)
        if not line:
            break
        head += line
    joined = cast(BinaryIO, io.BufferedReader(_Chained(head, opened), 1 << 18))
    return Source(STDIN, 0, 0, "jsonl" if _is_object(head) else "text", "", STDIN, True, max_bytes, joined)


def _is_object(head: bytes) -> bool:
    line = head.removeprefix(b"\xef\xbb\xbf").strip()
    if len(head) >= _LONGEST:  # too long to be parsed twice: its beginning must do
        return _OBJECT.match(line) is not None
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


class _Chained(io.RawIOBase):
    """``head``, then the rest of the stream that it was read from."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        if self._head:
            data, self._head = self._head[: len(view)], self._head[len(view) :]
        else:
            data = cast(io.BufferedReader, self._rest).read1(len(view))
        view[: len(data)] = data
        return len(data)
