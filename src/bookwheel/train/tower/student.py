"""A few layers of an encoder, which are to encode queries as all of them do; and the folder in which both lie together."""

from __future__ import annotations

import shutil
from pathlib import Path

from ...encode.transformer.layout import read_layout
from ..encoder.model import SentenceEncoder
from .router import write_router

__all__ = ["choices", "write_tower"]


def choices(total: int, count: int) -> list[tuple[int, ...]]:
    """Which ``count`` of ``total`` layers may be kept: the first ones, evenly spread ones, the first with the last.

    >>> choices(6, 2)
    [(0, 1), (0, 5), (0, 3)]
    """
    spread = tuple(round(at * (total - 1) / max(1, count - 1)) for at in range(count))
    every = [tuple(range(count)), spread, tuple(at * total // count for at in range(count)), (*range(count - 1), total - 1)]
    return list(dict.fromkeys(every))


def write_tower(folder: Path, teacher: Path, student: SentenceEncoder) -> None:
    """Write both into ``folder`` as sentence-transformers' Router: passages go to the teacher, whose files are copied, queries to
    the student.
    """
    scratch = folder / ".student"
    student.save(scratch)
    write_router(folder, teacher, read_layout(scratch).modules)
    shutil.rmtree(scratch)
