"""`RemoteLibrary.add`: whatever `Library.add` takes, made documents here and sent some at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .._errors import BookwheelError
from ..documents.document import Document
from ..documents.source import Fields
from ..library.inputs import Documents, batches
from ..library.results import IndexReport
from .connection import encoded
from .received import report_from
from .whole_documents import fields_of

__all__ = ["add"]

DOCUMENTS = 1000
"""The most documents of one request."""
BYTES = 4 << 20
"""Bytes of the documents of one request, from which on no more are sent with it: half of what a server takes if it is told nothing
else. One that is larger goes alone."""


def add(given: Documents, send: Callable[[dict[str, Any]], Any]) -> IndexReport:
    """What was done with the documents ``given``, some at a time, by ``send``, which takes the body of a request.

    Raises what ``send`` raises, and `InputError`; the sentence says how many documents were sent before, which stay.
    """
    total, sent = IndexReport(), 0
    try:
        for some in _requests(given, total.notes):
            try:
                report_from(send({"whole": some}), total)
            except BookwheelError as error:
                if len(some) > 1:
                    raise
                raise type(error)(f"document {some[0]['id']!r:.80}: {error}") from None
            sent += len(some)
    except BookwheelError as error:
        if not sent:
            raise
        raise type(error)(f"{error}; the {sent:,} documents before were added") from None
    return total


def _requests(given: Documents, told: list[str]) -> Iterator[list[dict[str, Any]]]:
    """The documents of one request after the other."""
    some: list[dict[str, Any]] = []
    taken = 0
    for one in _documents(given, told):
        fields = fields_of(one)
        size = len(encoded(fields))
        if some and (taken + size > BYTES or len(some) == DOCUMENTS):
            yield some
            some, taken = [], 0
        some.append(fields)
        taken += size
    if some:
        yield some


def _documents(given: Documents, told: list[str]) -> Iterator[Document]:
    for batch, _ in batches(given, Fields(), told):
        yield from batch
