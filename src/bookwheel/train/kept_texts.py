"""Texts that are encoded in chunks, as many as a share of the minutes allows; what was encoded is kept, and a run goes on with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from .kept import Kept

__all__ = ["encoded_chunks"]

Arrays = Mapping[str, NDArray[Any]]


def encoded_chunks(
    kept: Kept,
    name: str,
    chunks: Iterable[list[str]],
    encode: Callable[[list[str]], Arrays],
    seconds: float,
    stop: Callable[[], bool],
    least: int = 0,
) -> Iterator[tuple[list[str], Arrays]]:
    """Each of ``chunks`` with its arrays, which have a row for each of its texts, until ``seconds`` are over or ``stop`` says so.

    ``seconds`` are those of ``encode`` in all runs together; ``least`` texts are encoded however long they take. What was encoded
    once is read again; and once the end was reached, which is where ``stop`` did not ask for it, the same chunks come whenever the
    run is taken up again. Raises `StorageError`.
    """
    spent = float(kept.fact(f"{name} seconds") or 0.0)
    closed = bool(kept.fact(f"{name} done"))
    count = 0
    for number, texts in enumerate(chunks):
        known = kept.read(f"{name}-{number:05d}")
        if known is None or any(len(rows) != len(texts) for rows in known.values()):
            if (count >= least and (closed or spent >= seconds)) or stop():
                break
            began = time.monotonic()
            known = dict(encode(texts))
            spent += time.monotonic() - began
            kept.write(f"{name}-{number:05d}", known)
            kept.note(**{f"{name} seconds": spent})
        count += len(texts)
        yield texts, known
    if not stop():
        kept.note(**{f"{name} done": True})
