"""Many queries or questions from standard input."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

from .._errors import QueryError

__all__ = ["read_many"]


def read_many(what: str) -> Iterator[tuple[str, str]]:
    """Those of standard input, one a line, with their IDs: the text before a tab, else the line's number.

    Raises `QueryError` at the end of an input without any, calling it ``what`` (``query``, ``question``).
    """
    empty = True
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    for number, line in enumerate(sys.stdin, 1):
        if line := line.strip("\r\n"):
            before, tab, after = line.partition("\t")
            empty = False
            yield (before, after) if tab else (str(number), line)
    if empty:
        raise QueryError(f"standard input has no {what}; write one per line, as text or as an ID, a tab and text")
