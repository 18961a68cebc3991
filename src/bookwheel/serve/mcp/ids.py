"""Ids that lead agents back: ``NAME@START``, the name of a document and the code point at which a piece of it begins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from ..._errors import UsageError
from .tokens import tokens

if TYPE_CHECKING:
    from ...documents.places import Place
    from ...library.library import Library
    from .access import Access

__all__ = ["AT", "id_at", "located", "url_of"]

AT = "@"
NUMBER = "document-number:"
"""Before the number of a document whose name is too long to be told: records may have ids of thousands of characters."""
LONGEST, LONGEST_URL = 150, 400
"""Tokens of a name, and of a URL, that are told."""
DIGITS = 11
_NUMBERED = re.compile(rf"{NUMBER}(\d{{1,15}})", re.ASCII)


def id_at(library: Library, name: str, source: str, start: int) -> str:
    """The id of a piece of the document ``name`` of ``source``, so that no other document, and no other piece, is meant."""
    called, digits = _name(library, name, source), str(start)
    while f"{called}{AT}{digits}" in library and len(digits) < DIGITS:  # the name of another document
        digits = f"0{digits}"
    return f"{called}{AT}{digits}"


def _name(library: Library, name: str, source: str) -> str:
    called = f"{source}::{name}" if source and library.full_ids(name) else name
    if len(called) <= LONGEST // 2 or tokens(called) <= LONGEST:
        return called
    return f"{NUMBER}{library._number(called)}"


def located(library: Library, given: str) -> tuple[str | int, int | None]:
    """Name or number of the document that an id stands for, and where in it; None where it stands for all of it.

    Raises `UsageError` for an id that is none, and for a document's name that is also the id of a piece of another.
    """
    name, at, digits = given.rpartition(AT)
    if at and name and digits.isdecimal() and len(digits) <= DIGITS and (known := _known(library, name)) is not None:
        if given in library:
            piece = f"{name}{AT}0{digits}"
            raise UsageError(
                f"{given[:200]!a} is a document, and also a place in the document {name[:200]!a}: write {f'{given}{AT}0'[:200]!a} for "
                f"the first, {piece[:200]!a} for the second"
            )
        return known, int(digits)
    if (known := _known(library, given)) is not None:
        return known, None
    raise UsageError(f"there is no document {given[:200]!a}; take an id from the results of search, find_exact or list_sources")


def _known(library: Library, name: str) -> str | int | None:
    if name in library:
        return name
    if (found := _NUMBERED.fullmatch(name)) is None:
        return None
    try:
        return library._number(int(found[1]))
    except KeyError:
        return None


def url_of(access: Access, name: str, source: str, start: int, place: Place) -> str:
    """The URL of a place in a document; where that is too long to be told, one that only names it."""
    url = access.link(source, name, start, place)
    if len(url) <= LONGEST_URL // 2 or tokens(url) <= LONGEST_URL:
        return url
    named = _name(access.library, name, source)
    if tokens(named) > LONGEST // 2:  # a name that is told may take three times as much in a URL
        named = f"{NUMBER}{access.library._number(named)}" if not named.startswith(NUMBER) else named
    return f"bookwheel:document?{urlencode({'id': named, 'start': start}, quote_via=quote)}"
