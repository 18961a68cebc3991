"""Files that are characters but no text for people: keys, scripts and maps that a program packed."""

from __future__ import annotations

import re

__all__ = ["unwanted"]

_KEY = re.compile(
    rb"\s*(?:[A-Za-z -]{1,40}:[^\n]*\n\s*)*-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d:"
)
_SCRIPTS = (".js", ".mjs", ".cjs", ".css")
_LONG = 500
"""Characters a line, on average, that nobody writes by hand."""
_ENOUGH = 2000


def unwanted(head: bytes, name: str) -> str:
    """Why the file of this name and first bytes is not read, in a few fixed words; ``""`` if it is."""
    if _KEY.match(head):
        return "private key"
    lower = name.lower()
    if lower.endswith((".js.map", ".css.map")):
        return "minified script"
    if lower.endswith(_SCRIPTS) and len(head) >= _ENOUGH:
        lines = sum(1 for line in head.splitlines() if line.strip())
        if len(head) / max(lines, 1) > _LONG or (".min." in lower and len(head) / max(lines, 1) > _LONG / 4):
            return "minified script"
    return ""
