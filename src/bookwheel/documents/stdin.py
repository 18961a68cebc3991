"""Standard input as a source: its format is detected without losing the first bytes."""

from __future__ import annotations

import io
import json
import re
import sys
from typing import BinaryIO, cast

from .chained import Chained
from .sniffing import compression_of
from .source import STDIN, Source

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
    joined = cast(BinaryIO, io.BufferedReader(Chained(head, opened), 1 << 18))
    return Source(STDIN, 0, 0, "jsonl" if _is_object(head) else "text", "", STDIN, True, max_bytes, joined)


def _is_object(head: bytes) -> bool:
    line = head.removeprefix(b"\xef\xbb\xbf").strip()
    if len(head) >= _LONGEST:  # too long to be parsed twice: its beginning must do
        return _OBJECT.match(line) is not None
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
