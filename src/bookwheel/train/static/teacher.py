"""Embeds passages and sentences of a collection with a teacher, as many as its time allows; what was embedded is kept."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...encode.protocols import DenseEncoder
from ..data.passages import Passages
from ..data.sentences import cloze
from ..kept import Kept
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
    spent = float(kept.fact("teacher seconds") or 0.0)
    closed = bool(kept.fact("teacher done"))
    for number, start in enumerate(range(0, len(order), CHUNK)):
        texts = _texts(passages, order[start : start + CHUNK], seed)
        known = kept.read(f"taught-{number:05d}")
        if known is not None and len(known.get("vectors", ())) == len(texts):
            found = known["vectors"]
        else:
            if closed or spent >= seconds or stop():
                break
            began = time.monotonic()
            found = np.asarray(teacher.encode(texts), np.float32).astype(np.float16)
            spent += time.monotonic() - began
            kept.write(f"taught-{number:05d}", {"vectors": found})
            kept.note(**{"teacher seconds": spent})
        vectors.append(found)
        bags.append(bagger(texts))
        advance(len(texts))
    if stop():
        return None
    # From here on the run goes on with these, whenever it is taken up again.
    kept.note(**{"teacher done": True})
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
