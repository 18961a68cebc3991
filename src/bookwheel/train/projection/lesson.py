"""Drawn queries and passages with the vectors of an encoder and of its teacher, as many as there is time for."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import InputError
from ...encode.protocols import DenseEncoder, encode_queries, unit
from ...library.library import Library
from ...library.passage_texts import opening_texts
from ...library.vectors.stored import passage_vectors
from ..data.passages import Passages
from ..kept import Kept
from ..kept_texts import encoded_chunks
from ..tower.drawn import drawn_query, texts_of
from .taught_map import Lesson

__all__ = ["FEWEST_PASSAGES", "FEWEST_QUERIES", "Both", "drawn_queries"]

FEWEST_PASSAGES, FEWEST_QUERIES = 200, 500
"""Below these a map would learn chance; so many are encoded however long it takes."""
PASSAGES, QUERIES = 64, 256
"""Encoded between two writes, which a kill can lose."""
READ = 0.7
"""Of the time, what passages may take at most; queries take what is left."""

_AT_ONCE = 1024

Half = NDArray[np.float16]


@dataclass(frozen=True)
class Both:
    """The encoder, which a library has as ``name``, and its teacher, which it has as ``stored``, or has not."""

    name: str
    encoder: DenseEncoder
    teacher: DenseEncoder
    stored: str | None

    def lesson(
        self,
        copy: Library,
        most: tuple[int, int],
        kept: Kept,
        seconds: float,
        seed: int,
        stop: Callable[[], bool],
        advance: Callable[[int], None],
    ) -> Lesson:
        """At most so many drawn queries and passages of ``copy``, encoded by both.

        ``seconds``: how long encoding may take, but for the fewest. Raises `InputError` for too small a library, `KeyboardInterrupt`.
        """
        passages = Passages.drawn(copy._snapshot, most[1], seed)
        ids = np.random.default_rng([seed, 7]).permutation(passages.ids)
        own = _stored(copy, self.name, ids)
        known = own.any(1)
        ids, own = ids[known], own[known]
        theirs = None if self.stored is None else _stored(copy, self.stored, ids)
        if theirs is None or not theirs.any(1).all():
            chunks = (
                opening_texts(copy._snapshot.store, ids[at : at + PASSAGES].tolist()) for at in range(0, len(ids), PASSAGES)
            )
            ways = {"theirs": self.teacher.encode}
            theirs = _joined(_encoded(kept, "passages", chunks, ways, READ * seconds, FEWEST_PASSAGES, stop, advance), "theirs")
        count = len(theirs)
        if stop():
            raise KeyboardInterrupt
        _require(count, FEWEST_PASSAGES, "passages")
        drawn = drawn_queries(passages, most[0], seed)
        both = {
            "own": lambda texts: encode_queries(self.encoder, texts),
            "theirs": lambda texts: encode_queries(self.teacher, texts),
        }
        spent = float(kept.fact("passages seconds") or 0.0)
        parts = (drawn[at : at + QUERIES] for at in range(0, len(drawn), QUERIES))
        asked = list(_encoded(kept, "queries", parts, both, seconds - spent, 2 * FEWEST_QUERIES, stop, advance))
        if stop():
            raise KeyboardInterrupt
        queries = _joined(asked, "own"), _joined(asked, "theirs")
        good = queries[0].any(1) & queries[1].any(1) if len(queries[0]) else np.zeros(0, bool)
        _require(int(good.sum()), FEWEST_QUERIES, "queries")
        told = theirs.any(1)
        return Lesson(queries[0][good], own[:count][told], queries[1][good], theirs[told])


def drawn_queries(passages: Passages, count: int, seed: int) -> list[str]:
    """Different queries, ``count`` of them or as many as so many draws give. Raises `InputError` where ``passages`` hold no text."""
    texts = texts_of(passages)
    if not texts:
        raise InputError(f"{passages.snapshot.library} holds no text to draw queries from; index documents first")
    draw = random.Random(f"projection {seed}")
    return [query for query in dict.fromkeys(drawn_query(texts, draw) for _ in range(count)) if query.strip()]


def _stored(copy: Library, name: str, ids: NDArray[np.int64]) -> Half:
    """Unit vectors of passages, zeros where there are none."""
    order = np.argsort(ids, kind="stable")
    found = np.empty((0, 0), np.float16)
    for start in range(0, len(ids), _AT_ONCE):
        at = order[start : start + _AT_ONCE]
        rows = unit(passage_vectors(copy._encoders, copy._snapshot, name, ids[at])).astype(np.float16)
        if not len(found):
            found = np.empty((len(ids), rows.shape[1]), np.float16)
        found[at] = rows
    return found


def _encoded(
    kept: Kept,
    name: str,
    chunks: Iterator[list[str]],
    ways: Mapping[str, Callable[[Sequence[str]], NDArray[Any]]],
    seconds: float,
    least: int,
    stop: Callable[[], bool],
    advance: Callable[[int], None],
) -> Iterator[dict[str, Half]]:
    def encode(texts: list[str]) -> dict[str, Half]:
        return {way: unit(function(texts)).astype(np.float16) for way, function in ways.items()}

    for texts, found in encoded_chunks(kept, name, chunks, encode, seconds, stop, least):
        advance(len(texts))
        yield dict(found)


def _joined(chunks: Any, way: str) -> Half:
    rows = [chunk[way] for chunk in chunks]
    return np.concatenate(rows) if rows else np.empty((0, 0), np.float16)


def _require(count: int, least: int, what: str) -> None:
    if count < least:
        raise InputError(
            f"the library gives {count} {what} for the teacher to rank, and {least} are needed; index more documents"
        )
