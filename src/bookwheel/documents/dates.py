"""The date of a document: its own, else its year, else when its file was last changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = ["date_of"]

_ISO = re.compile(r"\s*(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ]\d\d:\d\d.*)?)?)?\s*\Z", re.DOTALL)
_OWN = ("date", "year")


def date_of(metadata: Mapping[str, Any], file: Mapping[str, Any]) -> str:
    """As ISO 8601 writes it, as exact as it is known, times in UTC: ``2024``, ``2024-05-14``, ``2024-05-14T09:12:00``.

    Of the fields ``date`` and ``year`` of the document, the first that is a date; of its file ``modified``; ``""`` for none.
    """
    for value in (*(metadata.get(name) for name in _OWN), file.get("modified")):
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, str | int) and not isinstance(one, bool) and (found := _date(str(one))):
                return found
    return ""


def _date(text: str) -> str:
    match = _ISO.match(text[:64])
    if match is None or not 1000 <= int(match[1]) <= 2999:
        return ""
    try:
        when = datetime.fromisoformat(text.strip()) if match[3] else None
    except ValueError:
        when = None
    if when is None or len(text.strip()) <= 10:
        return "-".join(part for part in match.groups() if part)
    if when.tzinfo is not None:
        when = when.astimezone(UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
