"""Embeds passages and sentences of a collection with a teacher, as many as its time allows; what was embedded is kept."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...encode.protocols import DenseEncoder
from ..data.passages import Passages
from ..data.sentences import cloze
from ..kept import Kept
from ..kept_texts import encoded_chunks
from .bags import Bagger, Bags
from .table import Table
from .taught import Taught, aligned

__all__ = ["FEWEST", "taught"]

CHUNK = 128
"""Texts embedded between two writes, which a kill can lose."""
WORDS = 160
"""Words of a passage that the teacher reads."""
FEWEST = 500
"""Embedded texts from which on they teach anything."""
MOST = 40_000


def taught(
    teacher: DenseEncoder,
    passages: Passages,
    bagger: Bagger,
    table: Table,
    kept: Kept,
    seconds: float,
    seed: int,
    stop: Callable[[], bool],
    advance: Callable[[int], None],
) -> Taught | None:
    """What ``teacher`` says of passages and of their sentences in turn, until ``seconds`` are over; None of too few.

    ``seconds`` are those of all runs together. Raises `ModelError`.
    """
    order = np.random.default_rng([seed, 11]).permutation(len(passages))[:MOST]
    vectors: list[NDArray[np.float16]] = []
    bags: list[Bags] = []

    def encoded(texts: list[str]) -> dict[str, NDArray[np.float16]]:
        return {"vectors": np.asarray(teacher.encode(texts), np.float32).astype(np.float16)}

    chunks = (_texts(passages, order[start : start + CHUNK], seed) for start in range(0, len(order), CHUNK))
    for texts, found in encoded_chunks(kept, "taught", chunks, encoded, seconds, stop):
        vectors.append(found["vectors"])
        bags.append(bagger(texts))
        advance(len(texts))
    if stop():
        return None
    if sum(map(len, vectors)) < FEWEST:
        return None
    every, joined = np.concatenate(vectors), Bags.joined(bags)
    return Taught(joined, every, aligned(every, table.forward(joined).units))


def _texts(passages: Passages, places: NDArray[np.int64], seed: int) -> list[str]:
    """A passage and a sentence in turn."""
    ids = passages.ids[places].tolist()
    rows: dict[int, tuple[str, str]] = passages.snapshot.store.texts(ids)
    texts = []
    for at, number in enumerate(ids):
        title, text = rows.get(number, ("", ""))
        draw: Any = random.Random(f"{seed} taught {number}")
        some = cloze(text, 1, draw) if at % 2 else []
        texts.append(text[slice(*some[0])] if some else " ".join(f"{title} {text}".split()[:WORDS]))
    return texts
