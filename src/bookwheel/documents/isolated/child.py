"""The reading process: reads the sources that it is told to, one after another, and sends what they hold."""

from __future__ import annotations

import io
import os
import re
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any, BinaryIO

from ..._errors import BookwheelError, InputError
from ..document import Document
from ..failures import Note, failures_of
from ..read import read
from ..source import Fields, Source
from .frames import FAILED, FINISHED, HEAD, HELLO, ITEM, READ, decoded, document_frame, frame
from .limits import Limits, die_with_parent, own_streams, watch_parent

__all__ = ["main"]

_WANT = re.compile(r"\bmemory\b|Can't parse HTML")
_BUFFER = 1 << 16
_FLUSH = 0.1
"""Seconds that a document may wait for others to be sent with."""


def main(memory: int, life: int, parent: int) -> None:
    """Serve until the parent closes the pipe. Standard input and output are the pipes; nothing else is written to them.

    ``memory`` is what this process may hold in bytes, ``life`` the number of a pipe that the parent holds open as long as it
    lives (or -1), ``parent`` the parent's process id.
    """
    requests, replies = own_streams(_BUFFER, _BUFFER)
    if life >= 0:
        die_with_parent(life)
    watch_parent(parent)
    limits = Limits(memory)
    try:
        replies.write(frame(HELLO))
        replies.flush()
        while head := requests.read(HEAD.size):
            kind, size, more = HEAD.unpack(head)
            told = decoded(requests.read(size))
            data = requests.read(more)
            if kind != READ:
                break
            _serve(told, data, limits, replies)
    except (BrokenPipeError, EOFError):
        pass
    os._exit(0)  # nothing here needs to be tidied up, and a library's own tidying could hang


def _serve(told: dict[str, Any], data: bytes, limits: Limits, replies: BinaryIO) -> None:
    source: Source = told["source"]
    fields: Fields = told["fields"]
    stream: BinaryIO | None = None
    if told["inline"]:
        stream = io.BytesIO(data)
    elif told["place"] != source.path:
        with suppress(OSError):  # where it went meanwhile, its own path says so
            stream = open(told["place"], "rb", buffering=0)  # noqa: PTH123, SIM115 - the source closes it
    if stream is not None:
        source = replace(source, stream=stream)
    if _takes_arrays(source.format):
        import numpy  # noqa: F401 - it reserves 32 MB that it never uses, which must not count
    limits.begin(told["seconds"])
    end = _send(source, fields, told, limits, replies)
    if stream is not None:
        stream.close()
    strained, most = limits.strained(), limits.most()
    held = limits.end()
    kind = FINISHED if end is None else FAILED
    replies.write(frame(kind, {**(end or {}), "most": most, "worn": strained or 2 * held > limits.memory}))
    replies.flush()


def _refused(error: BaseException | None) -> bool:
    """Whether a parser says that it did not get the memory that it asked for."""
    # Lexbor says only that it cannot parse a page; there is no page that it cannot parse.
    return isinstance(error, MemoryError) or (error is not None and _WANT.search(str(error)) is not None)


def _takes_arrays(name: str) -> bool:
    """Whether the reader of this format looks for ids that occur twice."""
    from ..readers import FORMATS

    return name == "json" or (name in FORMATS and FORMATS[name].streamed)


def _send(source: Source, fields: Fields, told: dict[str, Any], limits: Limits, replies: BinaryIO) -> dict[str, Any] | None:
    """Send what ``source`` holds; returns why that ended early, or None."""
    flushed = time.monotonic()
    try:
        for number, item in enumerate(read(source, fields)):
            if number < told["skip"]:
                continue
            if isinstance(item, Document):
                head, text = document_frame(item)
                replies.write(head)
                replies.write(text)
                del head, text
            elif isinstance(item, InputError) and not isinstance(item, Note) and not told["last"] and limits.strained():
                return {"error": item, "memory": True}  # a page that could not be read, perhaps for want of memory
            else:
                replies.write(frame(ITEM, item))
            del item
            limits.more_time(told["seconds"])
            if time.monotonic() - flushed > _FLUSH:
                replies.flush()
                flushed = time.monotonic()
    except BrokenPipeError:
        raise
    except BookwheelError as error:
        return {"error": error, "memory": _refused(error.__cause__) or limits.strained()}
    except Exception as error:  # no memory to encode what was read, or something that cannot be sent
        try:
            with failures_of(source):
                raise
        except InputError as told_so:
            return {"error": told_so, "memory": _refused(error) or limits.strained()}
    return None
