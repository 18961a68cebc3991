"""Errors as answers: the sentence that the library has for them, with a status; never a traceback."""

from __future__ import annotations

import logging

from .. import _errors as known
from .service import ReadOnly, UnknownLibrary
from .work import Busy, Cancelled

__all__ = ["Refusal", "status_of", "told"]

logger = logging.getLogger("bookwheel.serve")
STATUS: tuple[tuple[type[BaseException], int], ...] = (
    (UnknownLibrary, 404),
    (ReadOnly, 403),
    (Busy, 503),
    (Cancelled, 499),
    (known.LibraryLocked, 503),
    (known.LibraryChanged, 503),
    (known.LibraryNotFound, 404),
    (known.LibraryEmpty, 409),
    (known.StorageError, 507),
    (known.LibraryError, 500),
    (known.BudgetError, 422),
    (known.ModelError, 424),
    (known.BookwheelError, 400),
)
"""The first that fits. 424 (a dependency failed): a model is missing or does not answer."""


class Refusal(Exception):
    """An answer that is no success: a status, one sentence, perhaps headers."""

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = headers or {}


def status_of(error: BaseException) -> int:
    """The HTTP status of an error."""
    if isinstance(error, Refusal):
        return error.status
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def told(error: BaseException) -> tuple[int, str, dict[str, str]]:
    """Status, sentence and headers of an error. What nobody foresaw is logged with its traceback, and not told."""
    status = status_of(error)
    headers = dict(error.headers) if isinstance(error, Refusal) else {}
    if status == 503:
        headers["Retry-After"] = str(error.seconds if isinstance(error, Busy) else 2)
    foreseen = isinstance(error, Refusal | known.BookwheelError | Busy | Cancelled)
    if not foreseen:
        logger.error("a request failed unexpectedly", exc_info=error)
        return 500, "something went wrong inside the server, which its log tells; please report it", headers
    # The lines below the first mark the place in a filter or recipe, as a terminal shows it; the first names the column.
    return status, " ".join(str(error).split("\n  ")[0].split()) or "the request was given up", headers
