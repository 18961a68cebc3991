"""BibTeX and BibLaTeX: a document for each entry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..._errors import InputError
from ..document import Document, Scalar
from ..failures import Note
from ..seen_ids import without_duplicates
from ..source import Fields, Source
from .base import Format, Items
from .latex import latex_text
from .text import read_text
from .values import number, one_line, year_of

__all__ = ["BIBTEX"]

_ENTRY = re.compile(r"^[ \t]*@[ \t]*([A-Za-z]{1,40})[ \t\r\n]*([({])", re.MULTILINE)
_KEY = re.compile(r"\s*([^\s,{}()=\"]{1,500})\s*(?:,|(?=[)}]))")
_NAME = re.compile(r"[\s,]*([A-Za-z][\w:.+-]{0,60})\s*=\s*")
_PLAIN = re.compile(r"[^\s,#{}\"()]{1,1000}")
_JOINED = re.compile(r"\s*#\s*")
_BRACES, _SIGNS = re.compile("[{}]"), re.compile('[{}"]')
"""A backslash protects neither."""
_RAW = frozenset(("url", "doi", "eprint", "isbn", "issn", "date", "year"))
_PROTECTED = re.compile(r"\\([_%&#$~{}])")
_PERCENT = re.compile(r"(?<!\\)%")
_NO_ENTRIES = frozenset(("comment", "preamble", "string"))
_MONTHS = {
    name[:3]: name
    for name in (
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    )
}  # fmt: skip
_IN = ("journal", "journaltitle", "booktitle", "series", "school", "institution", "publisher", "howpublished")
_META = ("doi", "url", "isbn", "journal", "booktitle", "publisher", "volume", "pages", "eprint", "language")
_SAID = ("abstract", "annotation", "annote", "note", "keywords", "address", "edition")
_MOST = 1 << 20
"""Characters of an entry."""


class _Damaged(Exception):
    """An entry that does not end, or not as entries do."""


def _read(source: Source, fields: Fields) -> Items:
    return without_duplicates(_entries(read_text(source), source), source.label)


def _entries(text: str, source: Source) -> Iterator[Document | InputError]:
    macros = {short: name.capitalize() for short, name in _MONTHS.items()}
    found = False
    at = counted = 0
    line = 1
    while (match := _ENTRY.search(text, at)) is not None:
        line += text.count("\n", counted, match.start())
        counted = match.start()
        kind = match.group(1).lower()
        found = True
        try:
            if kind in ("comment", "preamble"):
                at = match.end()  # a comment ends where the next entry begins
                continue
            if kind == "string":
                values, at = _fields(text, match.end(), macros)
                macros.update(values)
                continue
            key = _KEY.match(text, match.end())
            if key is None:
                raise _Damaged("has no key")
            values, at = _fields(text, key.end(), macros)
        except _Damaged as damaged:
            yield InputError(f"{source.label}:{line}: the entry {damaged}; it was skipped")
            at = match.end()
            continue
        if (document := _document(kind, key.group(1), values, line)) is not None:
            yield document
    if not found and text.strip():
        yield Note(f"{source.label} has no entries of BibTeX, and was read as plain text")
        yield Document(source.path, text, source.stem, lines=True)


def _fields(text: str, at: int, macros: dict[str, str]) -> tuple[dict[str, str], int]:
    """The fields of an entry from ``at`` on, and where it ends."""
    first = at
    values: dict[str, str] = {}
    while True:
        name = _NAME.match(text, at)
        if name is None:
            rest = re.compile(r"[\s,]*([)}])?").match(text, at)
            if rest is None or rest.group(1) is None:
                raise _Damaged("does not end as entries do")
            return values, rest.end()
        value, at = _value(text, name.end(), macros)
        if at - first > _MOST:
            raise _Damaged(f"is longer than {_MOST:,} characters")
        values.setdefault(name.group(1).lower(), value)


def _value(text: str, at: int, macros: dict[str, str]) -> tuple[str, int]:
    """A value: in braces, in quotation marks, a number or the name of a string, and several joined with ``#``."""
    parts: list[str] = []
    size = 0
    while True:
        sign = text[at : at + 1]
        if sign == "{":
            end = _end(text, at + 1, "}")
            parts.append(text[at + 1 : end])
            at = end + 1
        elif sign == '"':
            end = _end(text, at + 1, '"')
            parts.append(text[at + 1 : end])
            at = end + 1
        else:
            plain = _PLAIN.match(text, at)
            if plain is None:
                raise _Damaged("has a field without a value")
            parts.append(macros.get(plain.group().lower(), plain.group()))
            at = plain.end()
        size += len(parts[-1])
        joined = _JOINED.match(text, at)
        if joined is None or size > _MOST:  # strings that are made of each other double each time
            return "".join(parts)[:_MOST], at
        at = joined.end()


def _end(text: str, at: int, mark: str) -> int:
    """Where the value ends that begins at ``at``: at the ``mark`` outside inner braces."""
    depth = 0
    last = at + _MOST
    for match in (_SIGNS if mark == '"' else _BRACES).finditer(text, at, last):
        sign = match.group()
        if sign == mark and depth == 0:
            return match.start()
        depth += {"{": 1, "}": -1}.get(sign, 0)
    raise _Damaged("is not closed")


def _document(kind: str, key: str, values: dict[str, str], line: int) -> Document | None:
    shown = {name: _raw(value) if name in _RAW else _shown(value) for name, value in values.items() if name != "file"}
    title = one_line(" ".join(filter(None, (shown.get("title", ""), shown.get("subtitle", "")))))
    people = shown.get("author") or shown.get("editor") or ""
    people = "; ".join(one_line(_turned(name), 200) for name in re.split(r"\s+and\s+", people)[:200] if name.strip())
    date = shown.get("date") or shown.get("year") or ""
    place = next((shown[name] for name in _IN if shown.get(name)), "")
    first = ". ".join(part for part in (people, title, place, date) if part)
    text = "\n\n".join(filter(None, (first, *(shown.get(name, "") for name in _SAID))))
    if not text.strip():
        return None
    metadata: dict[str, Scalar | tuple[Scalar, ...]] = {"type": kind}
    if people:
        metadata["author"] = people
    if date:
        metadata["date"] = one_line(date, 40)
    if (year := year_of(date)) is not None:
        metadata["year"] = year
    for name in _META:
        if value := one_line(shown.get(name, ""), 1000):
            metadata[name] = number(value) if name == "volume" else value
    if words := [word.strip() for word in re.split(r"[,;]", shown.get("keywords", "")) if word.strip()]:
        metadata["keywords"] = tuple(words[:200])
    return Document(key, text, title, metadata, line=line)


def _raw(value: str) -> str:
    return one_line(_PROTECTED.sub(r"\1", value.replace(r"\~{}", "~")).replace("{", "").replace("}", ""), 2000)


def _shown(value: str) -> str:
    value = latex_text(_PERCENT.sub(r"\%", value))  # which begins no comment here
    return "\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", value) if part.strip())


def _turned(name: str) -> str:
    """``Knuth, Donald E.`` -> ``Donald E. Knuth``."""
    family, _, given = name.partition(",")
    return f"{given.strip()} {family.strip()}" if given.strip() and "," not in given else name.strip()


BIBTEX = Format("bibtex", (".bib", ".bibtex"), _read)
