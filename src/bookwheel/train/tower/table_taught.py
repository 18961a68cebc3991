"""What a teacher says of single tokens, and of drawn queries, for as long as it may; what it said is kept in chunks."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...encode.dense import TransformerEncoder
from ..kept import Kept
from .drawn import Text, drawn_query
from .table_fit import Asked, bags_of

__all__ = ["CHUNK", "asked", "single_tokens"]

CHUNK = 512
"""Texts between two writes, which a kill can lose."""

Vectors = NDArray[np.float32]


def asked(
    teacher: TransformerEncoder,
    tokenizer: Any,
    texts: Sequence[Text],
    kept: Kept,
    most: int,
    seconds: float,
    seed: int,
    advance: Callable[[int], None],
) -> Asked:
    """Up to ``most`` queries drawn from ``texts``, with the teacher's vectors; ``tokenizer`` cuts them into tokens.

    ``seconds`` are those of all runs together. At least one chunk is asked for. Raises `ModelError`.
    """
    chunks = max(1, most // CHUNK)
    drawn: list[str] = []

    def queries(number: int) -> list[str]:
        draw = random.Random(f"table {seed} {number}")
        return [drawn_query(texts, draw) for _ in range(CHUNK)]

    def embed(number: int) -> Vectors:
        return teacher.encode_queries(queries(number))

    vectors = _chunks(kept, "queries", chunks, seconds, embed, advance)
    for number in range(len(vectors) // CHUNK):
        drawn += [teacher.query_prefix + query for query in queries(number)]
    return Asked(bags_of(tokenizer, drawn), vectors)


def single_tokens(
    teacher: TransformerEncoder,
    tokenizer: Any,
    order: NDArray[np.int64],
    kept: Kept,
    seconds: float,
    advance: Callable[[int], None],
) -> NDArray[np.float32]:
    """The teacher's vector of each token of ``order`` by itself, as a query, as far as ``seconds`` reach: float32 (some, dimension)."""
    before, after = _around(tokenizer, teacher.query_prefix)

    def embed(number: int) -> Vectors:
        some = order[number * CHUNK : (number + 1) * CHUNK].tolist()
        return teacher.encode_tokens([[*before, token, *after] for token in some])

    return _chunks(kept, "tokens", -(-len(order) // CHUNK), seconds, embed, advance).astype(np.float32)


def _around(tokenizer: Any, prefix: str) -> tuple[list[int], list[int]]:
    """The tokens that stand before and after those of a query."""
    found = tokenizer.encode(prefix + "a", add_special_tokens=True)
    mark, ids = found.special_tokens_mask, found.ids
    inner = [at for at, special in enumerate(mark) if not special] or [len(ids)]
    length = len(tokenizer.encode(prefix, add_special_tokens=False).ids) if prefix else 0
    return ids[: inner[0] + length], ids[inner[-1] + 1 :]


def _chunks(
    kept: Kept, name: str, most: int, seconds: float, embed: Callable[[int], Vectors], advance: Callable[[int], None]
) -> NDArray[np.float16]:
    """What ``embed`` gives for 0, 1 and so on, together: as many as there is time for, or as an earlier run came to."""
    done = kept.fact(f"{name} done")
    spent = float(kept.fact(f"{name} seconds") or 0.0)
    parts: list[NDArray[np.float16]] = []
    while len(parts) < (most if done is None else int(done)):
        number = len(parts)
        file = f"{name}-{number:05d}"
        known = kept.read(file)
        if known is not None and "vectors" in known:
            found = known["vectors"]
        else:
            if done is None and number and spent >= seconds:
                break
            began = time.monotonic()
            found = embed(number).astype(np.float16)
            spent += time.monotonic() - began
            kept.write(file, {"vectors": found})
            kept.note(**{f"{name} seconds": spent})
        parts.append(found)
        advance(len(found))
    kept.note(**{f"{name} done": len(parts)})
    return np.concatenate(parts)
