"""Reading the documents of a source."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from .._errors import InputError
from .document import Document
from .failures import Note, Upcoming, failures_of
from .source import DEFAULT_FIELDS, CutOffError, Fields, Source

if TYPE_CHECKING:
    from .readers import Format, Items

__all__ = ["MAX_ERRORS", "Fields", "read", "undamaged"]

MAX_ERRORS = 20
"""Bad records of one file that are reported one by one."""


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


def undamaged(form: Format, source: Source, fields: Fields) -> Items:
    """What ``form`` reads; of a file that is read whole and cut off, what comes before the damage, and then the damage."""
    try:
        yield from form.read(source, fields)
    except CutOffError as cut:
        if cut.data and not form.container:
            rest = replace(source, compression="", stream=io.BytesIO(_whole_characters(cut.data)), inside=None)
            with suppress(InputError):  # that it is cut off is told
                yield from form.read(rest, fields)
        raise cut.__cause__ or cut from None


def _whole_characters(data: bytes) -> bytes:
    """``data`` without the beginning of a character in UTF-8 at its end."""
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    decoder.decode(data[-8:])
    left = len(decoder.getstate()[0])
    return data[:-left] if left else data
