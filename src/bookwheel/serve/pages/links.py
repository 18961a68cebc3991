"""Addresses within the page: all links of all templates are made here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from ...library.naming import JOINT
from ..route import Asked

__all__ = ["address_of", "link", "named"]


def link(path: str, /, anchor: str = "", **parameters: Any) -> str:
    """``path`` with those of ``parameters`` that say something; what is a sequence is given several times."""
    given: list[tuple[str, str]] = []
    for name, value in parameters.items():
        several = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        for one in several:
            if one is True or one is False:
                given.append((name, "true" if one else "false"))
            elif one not in (None, ""):
                given.append((name, str(one)))
    query = f"?{urlencode(given)}" if given else ""
    return f"{path}{query}{'#' + anchor if anchor else ''}"


def named(request: Asked) -> str:
    """The library's name as links need it: none for the first, which is meant where none is named."""
    name = request.served.name
    return "" if name == request.config.first else name


def address_of(identifier: str, source: str) -> str:
    """What calls one document: its id, with its file where that is another."""
    return identifier if source in ("", "-", identifier) else f"{source}{JOINT}{identifier}"
