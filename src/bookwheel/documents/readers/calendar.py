"""Calendars (iCalendar, RFC 5545) and address books (vCard, RFC 6350): a document for each event, task and person."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator

from ..document import Document, Scalar, Value
from ..seen_ids import without_duplicates
from ..source import Fields, Source
from .base import Format, Items
from .mail_headers import recoded
from .text import read_text
from .values import one_line, one_or_several, year_of

__all__ = ["ICS", "VCARD"]

_LINE = re.compile(r'(?:[\w-]+\.)?([\w-]+)((?:;[^:;"]*(?:"[^"]*")?[^:;"]*)*):(.*)', re.DOTALL)
_NAMED = re.compile(r'CN=(?:"([^"]*)"|([^;:]*))', re.IGNORECASE)
_ENTRIES = {"ICS": ("VEVENT", "VTODO", "VJOURNAL"), "VCARD": ("VCARD",)}
_WHEN = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)Z?)?\Z")
_SHOWN = {
    "DESCRIPTION": "", "LOCATION": "Location", "ORGANIZER": "Organizer", "ATTENDEE": "Attendee", "COMMENT": "", "CONTACT": "Contact",
    "CATEGORIES": "Categories", "URL": "URL", "RESOURCES": "Resources",
}  # fmt: skip
_OF_PEOPLE = {
    "NICKNAME": "Nickname", "ORG": "Organization", "TITLE": "Title", "ROLE": "Role", "EMAIL": "E-mail", "TEL": "Telephone",
    "ADR": "Address", "LABEL": "Address", "URL": "URL", "NOTE": "", "BDAY": "Birthday", "CATEGORIES": "Categories", "IMPP": "Chat",
}  # fmt: skip
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MAX_ATTENDEES = 1000

Property = tuple[str, str, str]
"""Name, parameters and value."""


def _read_calendar(source: Source, fields: Fields) -> Items:
    return without_duplicates(_events(source), source.label)


def _events(source: Source) -> Iterator[Document]:
    for line, entry in _entries(read_text(source), _ENTRIES["ICS"]):
        values: dict[str, str] = {}
        shown: list[str] = []
        metadata: dict[str, Value] = {}
        categories: list[str] = []
        for name, parameters, value in entry:
            if name in ("DTSTART", "DTEND", "DUE"):
                when = _when(value)
                metadata[{"DTSTART": "start", "DTEND": "end", "DUE": "due"}[name]] = when
                shown.append(f"{'Until' if name != 'DTSTART' else 'From'}: {when}")
            elif name in ("SUMMARY", "UID", "RECURRENCE-ID", "STATUS"):
                values[name] = _text(value)
            elif name in _SHOWN and len(shown) < _MAX_ATTENDEES:
                text = _text(value)
                if name == "CATEGORIES":
                    several = [one_line(_text(part), 200) for part in re.split(r"(?<!\\),", value) if part.strip()]
                    categories += several
                    text = ", ".join(several)
                if name in ("ORGANIZER", "ATTENDEE"):
                    text = re.sub("(?i)^mailto:", "", text)
                    if named := _NAMED.search(parameters):
                        text = f"{named.group(1) or named.group(2)} {text}".strip()
                if name in ("LOCATION", "ORGANIZER") and text:
                    metadata.setdefault(name.lower(), one_line(text, 1000))
                if text.strip():
                    shown.append(f"{_SHOWN[name]}: {text}" if _SHOWN[name] else text)
        if categories:
            metadata["categories"] = one_or_several(categories)
        if "start" in metadata and (year := year_of(str(metadata["start"]))) is not None:
            metadata["year"] = year
        title = one_line(values.get("SUMMARY", ""))
        text = "\n".join(shown) or title
        if text:
            uid = " ".join(part for part in (values.get("UID", ""), values.get("RECURRENCE-ID", "")) if part)
            yield Document(uid or f"{source.path}#{line}", text, title, metadata, line=line)


def _read_cards(source: Source, fields: Fields) -> Items:
    return without_duplicates(_cards(source), source.label)


def _cards(source: Source) -> Iterator[Document]:
    for line, entry in _entries(read_text(source), _ENTRIES["VCARD"]):
        name = uid = sorted_name = ""
        shown: list[str] = []
        metadata: dict[str, Scalar] = {}
        for key, parameters, value in entry:
            if "QUOTED-PRINTABLE" in parameters.upper():
                charset = re.search(r"CHARSET=([\w-]+)", parameters, re.IGNORECASE)
                value = recoded(quopri.decodestring(value.encode()), charset.group(1) if charset else None)
            if key == "FN":
                name = name or one_line(_text(value))
            elif key == "N":
                family, given, *_ = [*re.split(r"(?<!\\);", value), "", ""]
                sorted_name = one_line(f"{_text(given)} {_text(family)}")
            elif key == "UID":
                uid = one_line(_text(value))
            elif key in _OF_PEOPLE and "BASE64" not in parameters.upper() and "ENCODING=B" not in parameters.upper():
                parts = [_text(part) for part in re.split(r"(?<!\\);", value)]
                text = ", ".join(part for part in parts if part.strip())
                if text and not text.startswith("data:"):
                    shown.append(f"{_OF_PEOPLE[key]}: {text}" if _OF_PEOPLE[key] else text)
                    if key in ("ORG", "EMAIL", "TEL"):
                        metadata.setdefault(_OF_PEOPLE[key].lower(), one_line(text, 1000))
        title = name or sorted_name
        text = "\n".join(shown) or title
        if text:
            yield Document(uid or f"{source.path}#{line}", text, title, metadata, line=line)


def _entries(text: str, kinds: tuple[str, ...]) -> Iterator[tuple[int, list[Property]]]:
    """The properties of each entry with the line at which it begins; those of what is inside it (alarms) are left out."""
    entry: list[Property] | None = None
    begun = depth = 0
    for line, content in _unfolded(text):
        match = _LINE.match(content)
        if match is None:
            continue
        name, parameters, value = match.group(1).upper(), match.group(2), match.group(3)
        if name == "BEGIN":
            if entry is None and value.strip().upper() in kinds:
                entry, begun, depth = [], line, 0
            elif entry is not None:
                depth += 1
        elif name == "END" and entry is not None:
            if depth == 0:
                yield begun, entry
                entry = None
            else:
                depth -= 1
        elif entry is not None and depth == 0:
            entry.append((name, parameters, value))
    if entry:
        yield begun, entry


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    parts: list[str] = []
    begun = 1
    for number, line in enumerate(text.splitlines(), 1):
        soft = parts and parts[-1].endswith("=") and "QUOTED-PRINTABLE" in parts[0].upper()
        if soft:
            parts[-1] = parts[-1][:-1]
            parts.append(line.lstrip())
        elif line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
        else:
            if parts:
                yield begun, "".join(parts)
            parts, begun = [line], number
    if parts:
        yield begun, "".join(parts)


def _text(value: str) -> str:
    return _ESCAPED.sub(lambda match: "\n" if match.group(1) in "nN" else match.group(1), value).strip()


def _when(value: str) -> str:
    """A date or time in ISO 8601."""
    match = _WHEN.match(value.strip())
    if match is None:
        return one_line(value, 100)
    year, month, day, hour, minute, second = match.groups()
    date = f"{year}-{month}-{day}"
    return date if hour is None else f"{date}T{hour}:{minute}:{second}{'+00:00' if value.strip().endswith('Z') else ''}"


ICS = Format("ics", (".ics", ".ical", ".ifb"), _read_calendar)
VCARD = Format("vcard", (".vcf", ".vcard"), _read_cards)
