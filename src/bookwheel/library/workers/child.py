"""The worker process: analyses the documents that it is told to, some at a time, and sends what it made of them."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from ...documents.document import Document
from ...documents.isolated.frames import HEAD, HELLO, frame
from ...documents.isolated.limits import die_with_parent, own_streams, watch_parent
from ...memory.heap import limit_heap

__all__ = ["ANALYSE", "ANALYSED", "BEGIN", "main", "received", "sent"]

BEGIN, ANALYSE = b"B", b"A"
"""To the worker: the library's settings; documents. Both as the parent's pickles, which it may trust."""
ANALYSED = b"Z"
"""From the worker: what it made of them."""

_TOLD = tuple(field.name for field in fields(Document) if field.name not in ("id", "metadata"))
_values = attrgetter(*_TOLD)


def sent(documents: Sequence[Document]) -> bytes:
    """What of ``documents`` is analysed, to be sent: pickling them field by field would take five times as long."""
    return pickle.dumps([_values(document) for document in documents], pickle.HIGHEST_PROTOCOL)


def received(values: Sequence[tuple[Any, ...]]) -> list[Document]:
    """The documents of what was `sent`."""
    return [Document("", **dict(zip(_TOLD, one, strict=True))) for one in values]


def main(memory: int, life: int, parent: int) -> None:
    """Serve until the parent closes the pipe; ``memory`` is what this process may hold for words and terms, in bytes."""
    from .analysis import Analysis
    from .messages import packed

    requests, replies = own_streams(io.DEFAULT_BUFFER_SIZE, 0)
    if life >= 0:
        die_with_parent(life)
    watch_parent(parent)
    limit_heap()
    analysis: Analysis | None = None
    try:
        _send(replies, frame(HELLO))
        while head := requests.read(HEAD.size):
            kind, size, more = HEAD.unpack(head)
            requests.read(size)
            given = pickle.loads(requests.read(more))
            if kind == BEGIN:
                settings, folder, words = given
                analysis = Analysis(settings, _encoder(folder), words)
                _warm(analysis)
                _send(replies, frame(HELLO))
            elif analysis is not None:
                told, data = packed(analysis.analyse(received(given)))
                del given
                _send(replies, frame(ANALYSED, told, data))
    except (BrokenPipeError, EOFError):
        pass
    os._exit(0)  # nothing here needs to be tidied up


def _send(replies: Any, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[replies.write(left) :]


def _encoder(folder: Path | None) -> Any:
    if folder is None:
        return None
    from ...encode.static.built_in import load

    return load(folder)


def _warm(analysis: Any) -> None:
    """Load the compiled loops, before the first documents come."""
    from ..._numba import import_numba

    import_numba()
    from ...kernels import expand, pool, words  # noqa: F401
    from ...kernels.dense import convert  # noqa: F401
    from ...kernels.sparse import build  # noqa: F401

    analysis.analyse([Document("", "These are the first few words of a text that is not in any library at all.")])
    analysis.forget()
