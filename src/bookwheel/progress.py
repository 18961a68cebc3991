"""One way to show long work: a bar on a terminal, silence in a pipe.

Whatever takes long gets a `Progress` and opens a `Task` with it: ``task = progress("indexing", 1200, "files")``, then
``task.advance()`` as it goes and ``task.close()`` at the end. `silent` shows nothing, `terminal` draws one line.
"""

from __future__ import annotations

import shutil
import sys
import time
import unicodedata
from collections.abc import Callable
from typing import Protocol, TextIO

__all__ = ["Progress", "Task", "display_width", "silent", "terminal"]

REDRAW = 0.1
"""Seconds between two drawings: more often costs time and shows nothing new."""
SETTLED = 2.0
"""Seconds before a rate is steady enough to tell the time left from it."""
BAR = 24
MEGABYTE = 1e6


class Task(Protocol):
    """A piece of long work that is under way."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Say that ``n`` more units are done; ``note`` names what is being worked on."""

    def close(self) -> None:
        """Say that it has ended, well or not."""


Progress = Callable[[str, "int | None", str], Task]
"""Makes a task of a label, a total (None where it is not known) and the name of its unit ("B" counts bytes)."""


class _Silent:
    def advance(self, n: int = 1, note: str = "") -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


def silent(label: str, total: int | None = None, unit: str = "") -> Task:
    """A task that shows nothing."""
    return _Silent()


def terminal(label: str, total: int | None = None, unit: str = "") -> Task:
    """A task drawn as one line on stderr, where that is a terminal; elsewhere as `silent`."""
    if sys.stderr is None or not sys.stderr.isatty():
        return _Silent()
    return _Line(label, total, unit, sys.stderr)


class _Line:
    """One line, drawn over itself at most ten times a second and wiped at the end."""

    def __init__(self, label: str, total: int | None, unit: str, stream: TextIO) -> None:
        self.label, self.total, self.unit = label, total, unit
        self._stream = stream
        self._done = 0
        self._note = ""
        self._started = time.monotonic()
        self._drawn = 0.0
        self._width = 0

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count ``n`` more and redraw the line if it is time."""
        self._done += n
        self._note = note or self._note
        now = time.monotonic()
        if now - self._drawn >= REDRAW:
            self._drawn = now
            self._draw(line(self.label, self._done, self.total, self.unit, now - self._started, self._note, columns()))

    def close(self) -> None:
        """Wipe the line, so that what is printed next begins on a clean one."""
        if self._width:
            self._draw("")
            self._width = 0

    def _draw(self, text: str) -> None:
        width = display_width(text)
        self._stream.write("\r" + text + " " * (self._width - width) + ("\r" if not text else ""))
        self._stream.flush()
        self._width = width


def columns() -> int:
    """The terminal's width; one less than it has, since some terminals wrap when the last column is written."""
    return max(20, shutil.get_terminal_size().columns - 1)


def line(label: str, done: int, total: int | None, unit: str, seconds: float, note: str, width: int) -> str:
    """The text of a bar after ``seconds`` of work, at most ``width`` columns wide.

    The parts give way in this order where room is short: the note is cut, then the bar is left out, then the time left.
    """
    rate = done / seconds if seconds > 0 else 0.0
    if unit == "B":
        of = f" of {total / MEGABYTE:,.0f}" if total else ""
        count, speed = f"{done / MEGABYTE:,.1f}{of} MB", f"{rate / MEGABYTE:,.1f} MB/s"
    else:
        of = f" of {total:,}" if total else ""
        count, speed = f"{done:,}{of} {unit}".rstrip(), f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"
    parts = [label, "", count, speed, "", ""]
    if total:
        share = min(1.0, done / total)
        parts[1] = "[" + ("#" * round(share * BAR)).ljust(BAR, "-") + "]"
        parts[4] = f"{clock((total - done) / rate)} left" if rate and total > done and seconds >= SETTLED else ""
    joined = _join(parts)
    for optional in (1, 4, 3):
        if display_width(joined) > width:
            parts[optional] = ""
            joined = _join(parts)
    room = width - display_width(joined) - 2
    if note and room >= 12:
        joined += "  " + _tail(_plain(note), room)
    return _head(joined, width)


def clock(seconds: float) -> str:
    """``seconds`` as a person says it: 8 s, 3:05 min, 2:10 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"


def display_width(text: str) -> int:
    """Columns that ``text`` takes on a terminal: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(character) for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _join(parts: list[str]) -> str:
    return "  ".join(part for part in parts if part)


def _plain(text: str) -> str:
    """A file's name without the characters that would move the cursor."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _head(text: str, width: int) -> str:
    while display_width(text) > width:
        text = text[:-1]
    return text


def _tail(text: str, width: int) -> str:
    """The end of ``text``: of a long path the file's name says most."""
    if display_width(text) <= width:
        return text
    while display_width(text) > width - 1:
        text = text[1:]
    return "…" + text
