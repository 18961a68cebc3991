"""Taking a query of several aspects apart by its clauses, without a model."""

from __future__ import annotations

import re

__all__ = ["clauses"]

_ENDS = re.compile(
    r"[.?!;:\n]+(?=\s|$)|\s[-–—]\s|,\s(?:(?:and|or|but)\s)?|\s(?:and|or|but|versus|vs\.?|as well as|und|oder|et|ou|y|o)\s",
    re.IGNORECASE,
)
MOST = 8


def clauses(text: str, least: int = 2) -> list[str]:
    """The clauses of ``text`` with ``least`` words or more, at most eight; none where it has but one.

    A clause ends at a full stop, a comma, a dash or a word that joins. A part with fewer words belongs to what follows it.
    """
    found: list[str] = []
    carried = ""
    for part in _ENDS.split(text):
        whole = f"{carried} {part}".strip()
        if len(whole.split()) < least:
            carried = whole
            continue
        found.append(whole)
        carried = ""
    if carried and found:
        found[-1] += f" {carried}"
    return found[:MOST] if len(found) > 1 else []
