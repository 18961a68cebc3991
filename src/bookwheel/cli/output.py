"""Printing: for people with colour and width, for programs as JSON. Text of
files and queries is untrusted.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from .._printable import as_json, clean, escaped, finite, plain
from .._width import display_width

__all__ = [
    "Lazy",
    "Streamed",
    "Terminal",
    "as_json",
    "clean",
    "json_document",
    "json_in_pieces",
    "json_line",
    "languages_found",
    "memory_rows",
    "nearby",
    "notice",
    "plural",
    "print_memory_plan",
    "print_notes",
    "table",
]

DAMAGED_SHOWN = 5
MAX_WIDTH = 110
"""Longer lines are hard to read, however wide the terminal."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """How wide lines may be, and whether they may be coloured."""

    width: int
    colour: bool

    @classmethod
    def of_stdout(cls, *, colour: bool = True) -> Terminal:
        """Of stdout: colour only on a terminal, and not if ``NO_COLOR``
        is set or ``colour`` is False.
        """
        shown = colour and sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return cls(min(MAX_WIDTH, max(40, shutil.get_terminal_size((80, 24)).columns)), shown)

    def bold(self, text: str) -> str:
        """A title."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour and text else text

    def dim(self, text: str) -> str:
        """Secondary text."""
        return f"\x1b[2m{text}\x1b[0m" if self.colour and text else text

    def match(self, text: str) -> str:
        """A word that matches the query."""
        return f"\x1b[1;31m{text}\x1b[0m" if self.colour and text else text


def json_document(value: Any) -> None:
    """Print one JSON document; see `as_json`."""
    click.echo(as_json(value, indent=2))


def json_line(value: Any, file: Any = None) -> None:
    """Print one JSON document on one line; see `as_json`."""
    click.echo(as_json(value), file=file)


class Streamed(list[Any]):
    """A list for `json_document` of which one item exists at a time."""

    def __init__(self, items: Sequence[Any], plain: Callable[[Any], Any]) -> None:
        """``plain`` makes of each of ``items`` what is written."""
        super().__init__(items)
        self._plain = plain

    def __iter__(self) -> Iterator[Any]:
        return (finite(self._plain(item)) for item in super().__iter__())


class Lazy(Streamed):
    """A `Streamed` list of what is read only when it is written."""

    def __init__(self, items: Iterable[Any], plain: Callable[[Any], Any]) -> None:
        super().__init__([None] if any(True for _ in items) else [], plain)
        self._items = items

    def __iter__(self) -> Iterator[Any]:
        return (finite(self._plain(item)) for item in self._items)


def json_in_pieces(value: Any, *, indent: int | None = None) -> None:
    """Print one JSON document, as `as_json` gives it, without ever holding all of it: ``value`` may have `Streamed` lists."""
    encoder = json.JSONEncoder(ensure_ascii=False, indent=indent, default=plain, allow_nan=False)
    for piece in encoder.iterencode(value):
        click.echo(escaped(piece), nl=False)
    click.echo()


def nearby(text: str) -> str:
    """``text`` in which paths below the current folder are relative to it."""
    here = str(Path.cwd()).rstrip(os.sep) + os.sep
    return re.sub(rf"(?<![\w.{re.escape(os.sep)}-]){re.escape(here)}", "", text) if len(here) > 1 else text


def notice(sentence: str) -> None:
    """Print one sentence on stderr, beside the result."""
    click.echo(f"bookwheel: {clean(sentence)}", err=True)


def print_notes(notes: Iterable[str]) -> None:
    """Print what is to be told beside a result, each once; of many damaged passages the first few and their number."""
    from ..library.results import LEFT_OUT

    damaged = 0
    for note in dict.fromkeys(notes):
        damaged += (left_out := note.startswith(LEFT_OUT))
        if not left_out or damaged <= DAMAGED_SHOWN:
            notice(note)
    if damaged > DAMAGED_SHOWN:
        notice(f"left out, too: {damaged - DAMAGED_SHOWN:,} more; `bookwheel check` names all that is damaged")


def plural(count: int, noun: str, nouns: str = "") -> str:
    """``1 passage``, ``2 passages``, ``1,200 passages``."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def table(rows: Sequence[Sequence[str]], header: Sequence[str] = (), *, left: int = 1) -> list[str]:
    """Lines of a table: the first ``left`` columns aligned left, the others (numbers) right."""
    every = [*([header] if header else []), *rows]
    widths = [max(display_width(row[column]) for row in every) for column in range(len(every[0]))] if every else []
    lines = []
    for row in every:
        cells = []
        for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - display_width(cell))
            cells.append(cell + space if column < left else space + cell)
        lines.append("  ".join(cells).rstrip())
    return lines


def memory_rows(memory: Iterable[Any]) -> list[dict[str, Any]]:
    """A memory plan for JSON: part, planned and measured bytes."""
    return [{"part": line.part, "planned": line.planned, "measured": line.measured} for line in memory]


def print_memory_plan(memory: Iterable[Any] | None) -> None:
    """Print planned and measured memory by part on stderr; stdout is for the result."""
    from ..memory.sizes import format_size

    rows = []
    for line in memory or ():
        rows.append([line.part, *("-" if size is None else format_size(size) for size in (line.planned, line.measured))])
    for text in table(rows, ("memory", "planned", "measured")):
        click.echo(text, err=True)


def languages_found(counts: Mapping[str, int]) -> str:
    """``{"english": 212, "german": 14, "": 3}`` as ``212 English, 14 German, 3 that do not tell``, the most first."""
    told = sorted(((count, name) for name, count in counts.items() if name), key=lambda pair: (-pair[0], pair[1]))
    parts = [f"{count:,} {name.capitalize()}" for count, name in told]
    if unclear := counts.get("", 0):
        parts.append(f"{unclear:,} too short to tell" + (f" (read as {told[0][1].capitalize()})" if told else ""))
    return ", ".join(parts)
