"""What a file says before the place where it is damaged or cut off."""

from __future__ import annotations

import codecs
import io
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from .._errors import InputError
from .source import CutOffError, Fields, Source

if TYPE_CHECKING:
    from .readers import Format, Items

__all__ = ["undamaged"]


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
