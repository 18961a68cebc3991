"""Many queries or questions from standard input."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from .._errors import BookwheelError, QueryError
from .output import json_line, notice

__all__ = ["Line", "failure", "read_many", "tell_failure"]

KEPT = 1000
"""Characters of a line that cannot be used, which are repeated in JSON."""


class Line(NamedTuple):
    """A query or question."""

    id: str
    text: str
    problem: str = ""
    """Why it cannot be used: an earlier line has its ID."""


def read_many(what: str) -> Iterator[Line]:
    """Those of standard input, one a line, with their IDs: the text before a tab, else the line's number.

    Raises `QueryError` at the end of an input without any, calling it ``what`` (``query``, ``question``).
    """
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    seen: dict[str, int] = {}
    for number, line in enumerate(sys.stdin, 1):
        if line := line.strip("\r\n"):
            before, tab, after = line.partition("\t")
            id_, text = (before, after) if tab else (str(number), line)
            first = seen.setdefault(id_, number)
            problem = (
                ""
                if first == number
                else (
                    f"lines {first:,} and {number:,} of standard input both have the ID {id_!r:.100} (without a tab it is the "
                    f"number of the line); give each {what} an ID of its own"
                )
            )
            yield Line(id_, text, problem)
    if not seen:
        raise QueryError(f"standard input has no {what}; write one per line, as text or as an ID, a tab and text")


def failure(line: Line, what: str, error: BookwheelError) -> dict[str, Any]:
    """What JSON says of a line that cannot be used: its ID, its text as ``what`` (``query``, ``question``), and why."""
    return {"id": line.id, what: line.text[:KEPT], "error": str(error)}


def tell_failure(line: Line, what: str, error: BookwheelError, *, as_json: bool) -> None:
    """Tell that a line cannot be used; the others go on."""
    if as_json:
        json_line(failure(line, what, error))
    else:
        notice(f"{line.id}: {error}")
