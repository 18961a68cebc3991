"""How much memory JSON takes once it is parsed, told from its bytes before it is."""

from __future__ import annotations

import re

from ..source import Source, megabytes

__all__ = ["end_of", "parsed_size", "room_of", "too_large"]

_SMALL = 1 << 16
"""Records of fewer bytes are parsed without a look: what they become is bounded by their size."""
_COPIES = 8
"""Copies of a record of ``max_bytes`` for which there is room: see `bookwheel.memory.shares.Shares.record`."""
_MARKS = {"{": 200, "[": 64, ":": 90, ",": 16}
"""Bytes that CPython takes for an object, a list, a key with its value, and an item, whichever text they stand in."""
# What is repeated stands in an atomic group: before 3.11.5, Python's possessive repetition goes on behind what a part that failed had read
# (CPython issue 106052).
_STRING = r'"[^"\\]*+(?:(?>\\.[^"\\]*+))*+(?:"|\\?\Z)'
"""A string; one that is not closed goes to the end of the text."""
_FLAT = rf"(?:(?>[^\"\[\]{{}}]++|{_STRING}))"
_BEFORE = re.compile(rf"{_FLAT}*+", re.DOTALL)
_STEADY = re.compile(rf"(?:(?>{_FLAT}|[\[{{]{_FLAT}*+[\]}}]))*+", re.DOTALL)
"""What leaves the depth as it is: anything outside of objects and lists, and those that hold no others, whole."""


def parsed_size(data: str | bytes) -> int:
    """About as many bytes as ``data`` takes once it is parsed, or more; 0 for little data."""
    if len(data) < _SMALL:
        return 0
    counts = (data.count(mark) if isinstance(data, str) else data.count(mark.encode()) for mark in _MARKS)
    return 2 * len(data) + sum(count * size for count, size in zip(counts, _MARKS.values(), strict=True))


def room_of(source: Source) -> int:
    """Bytes that one parsed record of ``source`` may take."""
    return _COPIES * source.max_bytes


def too_large(size: int, source: Source) -> str:
    """The sentence for a record of ``size`` parsed bytes."""
    return (
        f"the record would take about {megabytes(size)} of memory once parsed, more than the {megabytes(room_of(source))} that the "
        "budget has for one; split it, or give a larger --ram"
    )


def end_of(text: str, start: int) -> int:
    """Where the object or list that begins at ``start`` ends (exclusive), without parsing it; the text's end if it does not."""
    # The first bracket by itself: `_STEADY` would go on over what follows its object.
    at = _end(_BEFORE, text, start)
    depth = 0
    while at < len(text):
        depth += 1 if text[at] in "[{" else -1
        at += 1
        if depth <= 0:
            return at
        at = _end(_STEADY, text, at)
    return len(text)


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return start if match is None else match.end()
