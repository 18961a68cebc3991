"""Where Markdown has comments that no page made of it shows: not in code, which shows them.

The blocks are those of CommonMark, as far as it takes to tell code: fences, also in lists and behind ``>``, lines indented by four
more than the list that they are in, and spans between backticks.
Source: https://spec.commonmark.org/0.31.2/.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Generator, Iterator
from typing import NamedTuple

__all__ = ["comments"]

# What is repeated stands in an atomic group: before 3.11.5, Python's possessive repetition goes on behind what a part that failed had read
# (CPython issue 106052).
_COMMENT = re.compile(r"<!--(?!-?>)(?:(?>[^-]++|-(?!->)))*+-->")
_LEAD = re.compile(r"[ \t]*")
_ITEM = re.compile(r"([-+*]|\d{1,9}[.)])(?:([ \t]+)|(?=\r?\n|\Z))")
_FENCE = re.compile(r"(`{3,})[^`\n]*$|(~{3,})", re.MULTILINE)
_BREAKS = re.compile(r"[ \t]*(?:[>|]|[-+*][ \t]|\d{1,9}[.)][ \t]|#{1,6}[ \t]|```|~~~|<!--)")
"""Begins of lines that belong to no paragraph above them."""
_HEADING = re.compile(r"#{1,6}(?:[ \t]|$)", re.MULTILINE)
_RUN = re.compile(r"`+")
_INLINE = re.compile(r"\\.|`+|<!--", re.DOTALL)
_INDENT = 4
"""More columns than the paragraphs around it is code indented."""


class _Fence(NamedTuple):
    mark: str
    depth: int
    """How many ``>`` stand before it."""
    column: int
    """Where the text of the list begins that it is in."""


def comments(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each comment, in order."""
    last = text.rfind("-->")
    lists: dict[int, list[int]] = {}
    """For each depth of quotation the columns where the text of its open lists begins."""
    fence: _Fence | None = None
    at = 0
    fresh = True
    """Whether no paragraph is open, which a line would go on with however far it is indented."""
    while at <= last:
        end = _line_end(text, at)
        depth, start, indent = _quoted(text, at, lists, fence.depth if fence else len(text))
        blank = not text[start:end].strip()
        if fence is not None and (depth < fence.depth or (not blank and indent < fence.column)):
            fence, fresh = None, True
        if fence is not None:
            rest = text[start:end].strip()
            if len(rest) >= len(fence.mark) and not rest.strip(fence.mark[0]):
                fence, fresh = None, True
        elif blank:
            fresh = True
        else:
            for deeper in [known for known in lists if known > depth]:
                del lists[deeper]
            columns = lists.setdefault(depth, [])
            start, indent = _in_lists(text, start, indent, columns, fresh)
            column = columns[-1] if columns else 0
            if fresh and indent >= column + _INDENT:
                pass
            elif opened := _FENCE.match(text, start, end):
                fence = _Fence(opened.group(1) or opened.group(2), depth, column)
            else:
                fresh = _HEADING.match(text, start, end) is not None
                while not fresh and end <= last and not _BREAKS.match(text, end):
                    following = _line_end(text, end)
                    if not text[end:following].strip():
                        break
                    end = following
                end = yield from _in_paragraph(text, start, end, last)
        at = end


def _line_end(text: str, at: int) -> int:
    return text.find("\n", at) + 1 or len(text)


def _end_of_lead(text: str, at: int) -> int:
    lead = _LEAD.match(text, at)
    return lead.end() if lead else at


def _width(text: str, start: int, end: int) -> int:
    return len(text[start:end].expandtabs(_INDENT))


def _quoted(text: str, at: int, lists: dict[int, list[int]], most: int) -> tuple[int, int, int]:
    """How many ``>`` begin the line at ``at``, ``most`` at most, where its rest begins without white space, and at which column."""
    depth = 0
    while True:
        start = _end_of_lead(text, at)
        indent = _width(text, at, start)
        columns = lists.get(depth)
        if depth == most or text[start : start + 1] != ">" or indent >= (columns[-1] if columns else 0) + _INDENT:
            return depth, start, indent
        depth += 1
        at = start + 1 + (text[start + 1 : start + 2] == " ")


def _in_lists(text: str, start: int, indent: int, columns: list[int], fresh: bool) -> tuple[int, int]:
    """Where the text of a line begins behind the marks of list items, and at which column; ``columns`` are those of open lists."""
    while True:
        item = _ITEM.match(text, start)
        while columns and indent < columns[-1] and (fresh or item):
            columns.pop()
        if item is None or indent >= (columns[-1] if columns else 0) + _INDENT:
            return start, indent
        space = _width(text, item.end(1), item.end())
        indent += len(item.group(1)) + (space if 0 < space <= _INDENT else 1)
        columns.append(indent)
        start = item.end()
        if space > _INDENT:  # code in the item
            return start, indent + space - 1


def _in_paragraph(text: str, at: int, end: int, last: int) -> Generator[tuple[int, int], None, int]:
    """The comments from ``at`` to ``end``, or to the end of the line where the last of them ends, which is returned."""
    runs: dict[int, list[int]] = {}
    for run in _RUN.finditer(text, at, end):
        runs.setdefault(len(run.group()), []).append(run.start())
    while at < end and (match := _INLINE.search(text, at, end)) is not None:
        at = match.end()
        found = match.group()
        if found[0] == "`":
            same = runs.get(len(found), [])
            number = bisect_left(same, at)
            at = same[number] + len(found) if number < len(same) else at
        elif found == "<!--" and match.start() <= last and (comment := _COMMENT.match(text, match.start())) is not None:
            yield comment.span()
            at = comment.end()
            end = max(end, _line_end(text, at))
    return end
