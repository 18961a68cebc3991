"""The documents that an id or path stands for, of a library on a server: as `Library.get`, a hundred a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._errors import LibraryChanged, UsageError
from .._numbers import whole
from ..library.results import StoredDocument
from .received import document_from, received

__all__ = ["counted", "documents"]

SOME = 100
"""Documents of one request."""
Ask = Callable[[int, int], Any]
"""What the server says of some of the documents: ``ask(offset, limit)``; None where there are none."""


def counted(ask: Ask) -> int:
    """How many there are. Raises `ModelError`."""
    told = ask(0, 1)
    return 0 if told is None else received(lambda: int(told["count"]))


def documents(ask: Ask, limit: int | None) -> list[StoredDocument]:
    """The first ``limit`` of them, or all.

    Raises `UsageError` for a ``limit`` below 0, `LibraryChanged` where the library was changed meanwhile, `ModelError`.
    """
    if limit is not None and whole(limit, "limit") < 0:
        raise UsageError(f"limit must be 0 or more, not {limit}")
    found: list[StoredDocument] = []
    version = None
    while limit is None or len(found) < limit:
        told = ask(len(found), SOME if limit is None else min(SOME, limit - len(found)))
        if told is None and not found:
            break
        if told is None or version not in (None, told.get("version")):
            raise LibraryChanged("the library was changed meanwhile; ask again")
        version = told.get("version")
        some, count = received(_read, told)
        found += some
        if len(found) >= count or not some:
            break
    return found


def _read(told: Any) -> tuple[list[StoredDocument], int]:
    return [document_from(one) for one in told["documents"]], int(told["count"])
