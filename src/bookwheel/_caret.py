"""Marking the place of a mistake in a text."""

from __future__ import annotations

from ._width import display_width

__all__ = ["caret"]

WIDTH = 72
"""Characters of the text that are shown."""


def caret(text: str, column: int) -> str:
    """Two lines: ``text`` (or the part around ``column``), and a mark
    under column ``column``, from 0.
    """
    column = min(max(column, 0), len(text))
    start = max(0, min(column - WIDTH // 2, len(text) - WIDTH))
    shown = "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text[start : start + WIDTH])
    return f"  {shown}\n  {' ' * display_width(shown[: column - start])}^"
