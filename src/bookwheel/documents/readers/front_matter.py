"""Front matter: the YAML block at the top of a Markdown file, read by PyYAML as metadata, or the TOML block, read by tomllib.

The YAML block is untrusted. It is read as a stream of events, from which nothing is constructed but the
entries of the top mapping: tags name no Python types, aliases expand to nothing, and nesting costs
no recursion. Its size is bounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date, time
from typing import Any

from ..document import Scalar, Value
from ..metadata import flattened
from .values import number

__all__ = ["FrontMatter", "front_matter"]

MAX_CHARACTERS = 1 << 16
"""Of the block; a longer one is text."""
MAX_DEPTH = 32
"""Of nested lists and mappings; what is nested deeper ends the block's entries."""

MAX_BROKEN = 500
"""Characters of a broken list, mapping or quoted text that is taken as text; a longer one is left out."""

_TOML = re.compile(r"\+\+\+[ \t]*\r?\n(.*?)^\+\+\+[ \t]*\r?(?:\n|\Z)", re.MULTILINE | re.DOTALL)
MAX_TOML = 1 << 14
"""Characters of a TOML block with its marks; a longer one is text."""

_OPENING = re.compile(r"---[ \t]*\r?\n")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*\r?$", re.MULTILINE)
_KEY = re.compile(r"""("[^"\n]{1,100}"|'[^'\n]{1,100}'|[^\s#\-?:{}\[\],&*!|>'"%@`][^:\n]{0,100}?)[ \t]*:(?=\s|$)""")
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None, "~": None, "": None, ".nan": None}
_WORDS |= {".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf}


class FrontMatter:
    """The metadata of a file, and where its text begins."""

    __slots__ = ("entries", "problem", "start")

    def __init__(self, entries: dict[str, Value], start: int, problem: str = "") -> None:
        self.entries = entries
        self.start = start
        """Offset of the text after the block; 0 if there is no block."""
        self.problem = problem
        """What is wrong with the YAML, and where; the entries before that were read."""


def front_matter(text: str) -> FrontMatter:
    """The entries of the YAML mapping between two lines ``---`` at the top of ``text``.

    Strings, numbers and booleans are read as such, and a list of them is several values;
    nested mappings and nulls are skipped. A block that is not a mapping is text (a thematic break,
    some lines, and another).

    Notes are written by hand, and many a block is not valid YAML: then each of its top-level lines
    ``key: …`` is read by itself, with the lines below it, and where that is not YAML either (an
    unquoted colon: ``title: ColBERT: efficient retrieval``) what stands after the key is its text.
    """
    if text.startswith("+++"):
        return _toml(text)
    opening = _OPENING.match(text)
    closing = _CLOSING.search(text, opening.end(), opening.end() + MAX_CHARACTERS) if opening else None
    if opening is None or closing is None:
        return FrontMatter({}, 0)
    block = text[opening.end() : closing.start()]
    start = min(closing.end() + 1, len(text))
    if not block.strip(" \t\r\n"):
        return FrontMatter({}, start)
    entries: dict[str, Value] = {}
    problem = ""
    is_mapping = False
    try:
        for key, value in _entries(_events(block)):
            is_mapping = True
            if key and value is not None:
                entries[key] = value
    except _Damage:
        parts, stray = _parts(block)
        is_mapping = bool(parts) and (is_mapping or len(parts) > stray)
        if is_mapping:
            problem = _leniently(parts, entries)
    return FrontMatter(entries, start, problem) if is_mapping else FrontMatter({}, 0)


def _toml(text: str) -> FrontMatter:
    """The entries between two lines ``+++``, tables by fields with dots; a block that is not TOML is text."""
    import tomllib

    block = _TOML.match(text, 0, MAX_TOML)
    if block is None:
        return FrontMatter({}, 0)
    try:
        record = tomllib.loads(block.group(1).replace("\r\n", "\n"))
    except (ValueError, RecursionError):  # what tomllib raises for bad text, numbers beyond its limit, and nesting
        return FrontMatter({}, 0)
    return FrontMatter(flattened({key: _plain(value) for key, value in record.items()}), block.end())


def _plain(value: object, depth: int = 0) -> object:
    """``value`` with dates and times as ISO 8601 text."""
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {key: _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, depth + 1) for inner in value]
    return value.isoformat() if isinstance(value, date | time) else value


def _parts(block: str) -> tuple[list[tuple[int, str]], int]:
    """Each line ``key: …`` that is not indented, with the lines below it and the number of lines
    before it; and how many lines that are not indented belong to none.
    """
    parts: list[tuple[int, list[str]]] = []
    stray = 0
    for at, line in enumerate(block.splitlines(keepends=True)):
        if _KEY.match(line):
            parts.append((at, [line]))
            continue
        stray += bool(line.strip()) and not line.startswith((" ", "\t", "#", "- "))
        if parts:
            parts[-1][1].append(line)
    return [(at, "".join(lines)) for at, lines in parts], stray


def _leniently(parts: list[tuple[int, str]], entries: dict[str, Value]) -> str:
    """Add the entry of each part to ``entries``; returns what of the first that was not YAML was wrong."""
    problem = ""
    for at, part in parts:
        try:
            found = list(_entries(_events(part)))
        except _Damage as error:
            key, value = _as_text(part)
            plain = "\n" not in part.strip() and not value.startswith(tuple("[{\"'|>"))
            if not plain and not problem:
                problem = f"line {at + 1 + error.line}: {error.what}"
            found = [(key, value)] if plain or not (error.deep or len(value) > MAX_BROKEN) else []
        entries.update((key, value) for key, value in found if key and value is not None)
    return problem


def _as_text(part: str) -> tuple[str, str]:
    """The key of a part, and what stands after it and in the lines below it, as one line."""
    match = _KEY.match(part)
    assert match is not None
    return match.group(1).strip("\"'"), " ".join(part[match.end() :].split())


class _Damage(Exception):
    """The block is not YAML from some line on (1 is the block's first)."""

    def __init__(self, line: int, what: str, *, deep: bool = False) -> None:
        super().__init__(what)
        self.line, self.what, self.deep = line, what, deep


def _events(block: str) -> Iterator[Any]:
    import yaml

    try:
        yield from yaml.parse(block, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise _Damage(line, getattr(error, "problem", None) or "a character that YAML does not allow") from None


def _entries(events: Iterator[Any]) -> Iterator[tuple[str, Value]]:
    """Each field of the top mapping with its value, those of nested mappings with dots; ``("", None)`` for what has none."""
    key: str | None = None
    above: list[tuple[dict[str, object] | list[object], str | None]] = []  # what the open one is in, and its key there
    opened: dict[str, object] | list[object] | None = None
    inner: str | None = None  # the key that waits for its value in the open mapping
    depth = 0
    for event in events:
        kind = type(event).__name__
        value: object = None
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            depth += 1
            if depth > MAX_DEPTH:
                raise _Damage(event.start_mark.line + 1, f"nested more than {MAX_DEPTH} deep", deep=True)
            if depth == 1 and kind == "SequenceStartEvent":
                return
            if depth > 1:
                if opened is not None:
                    above.append((opened, inner))
                opened, inner = {} if kind == "MappingStartEvent" else [], None
            continue
        if kind in ("MappingEndEvent", "SequenceEndEvent"):
            depth -= 1
            if depth < 1:
                continue
            value, opened = opened, None
            if above:
                opened, inner = above.pop()
        elif kind == "ScalarEvent":
            value = _scalar(event.value, plain=event.implicit[0])
        elif kind != "AliasEvent":
            continue
        if isinstance(opened, list):
            opened.append(value)
        elif opened is not None:
            if inner is None:
                inner = str(event.value) if kind == "ScalarEvent" else ""
            else:
                opened[inner] = value
                inner = None
        elif key is None:
            key = str(event.value) if kind == "ScalarEvent" else ""
        else:
            yield from (flattened({key: value}) if key else {}).items() or [("", None)]
            key = None


def _scalar(value: str, plain: bool) -> Scalar:
    """A scalar's value; a quoted one stays a string."""
    if not plain:
        return value.strip()
    lower = value.lower()
    return _WORDS[lower] if lower in _WORDS else number(value)
