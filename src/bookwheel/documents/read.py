"""Reading the documents of a source."""

from __future__ import annotations

from collections.abc import Iterator

from .._errors import InputError
from .before_damage import undamaged
from .document import Document
from .failures import Note, Upcoming, failures_of
from .source import DEFAULT_FIELDS, Fields, Source

__all__ = ["MAX_ERRORS", "READERS", "Fields", "read"]

MAX_ERRORS = 20
"""Bad records of one file that are reported one by one."""
READERS = 2
"""Raised by one whenever any reader gives other documents for a file than before: libraries then read their files again."""


def read(source: Source, fields: Fields = DEFAULT_FIELDS) -> Iterator[Document | InputError]:
    """Yields the documents of ``source``, in order, with an :class:`InputError` in place of
    each record that cannot be read.

    After :data:`MAX_ERRORS` errors, further ones are only counted, and one last error reports their
    number, so that a million bad records do not fill the memory.

    A :class:`Note` among them is no failure.
    Raises :class:`InputError`, whatever its reader raised, if the file cannot be read, or not to
    its end; documents before that are valid. All strings in a document can be encoded as UTF-8, and no text contains NUL.
    """
    # The readers import mail, XML and zip modules, which a search does not
    # need (only Fields of this module).
    from .letters import with_attachments
    from .readers import FORMATS
    from .readers.base import Letter

    def items() -> Iterator[Document | InputError]:
        for item in undamaged(FORMATS[source.format], source, fields):
            if isinstance(item, Letter):
                yield from with_attachments(item, source, fields)
            else:
                yield item

    errors = notes = 0
    with failures_of(source):
        for item in items():
            if isinstance(item, Upcoming):
                pass
            elif isinstance(item, Note):
                notes += 1
                if notes > MAX_ERRORS:
                    continue
            elif isinstance(item, InputError):
                errors += 1
                if errors > MAX_ERRORS:
                    continue
            yield item
    if errors > MAX_ERRORS:
        yield InputError(f"{source.label}: {errors - MAX_ERRORS:,} more records could not be read")
    if notes > MAX_ERRORS:
        yield Note(f"{source.label}: {notes - MAX_ERRORS:,} more notes")
