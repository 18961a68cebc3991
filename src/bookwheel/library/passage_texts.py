"""The texts of passages as encoders and stages get them.

With the title of its document before it, a passage brings its context along: Wang, Reimers and Gurevych, "DAPR: A Benchmark on
Document-Aware Passage Retrieval" (2023). In part: the title, and hybrids; no summary, and no pooling over a document's passages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .store import Store

__all__ = ["HEAD", "opening_texts", "passage_texts", "texts_in_turn"]

HEAD = 1 << 15
"""Characters of a passage that stages read, some 5,000 words: ten times what a reranker reads, of passages of about 800."""
AT_ONCE = 1 << 22
"""Characters of whole passages that are held at a time."""


def passage_texts(store: Store, ids: Sequence[int], most: int | None = None) -> list[str]:
    """Title and text of each of ``ids``, in their order, as they were indexed; empty for a passage that is not stored any more.

    Of a longer title or text only the first ``most`` characters.
    """
    rows = store.texts(ids, most)
    texts = []
    for number in ids:
        title, text = rows.get(number, ("", ""))
        texts.append(f"{title}\n{text}" if title and title != text else text)
    return texts


def opening_texts(store: Store, ids: Sequence[int]) -> list[str]:
    """`passage_texts` of at most `HEAD` characters: what is done late, for many passages, reads no more."""
    return passage_texts(store, ids, HEAD)


def texts_in_turn(store: Store, ids: Sequence[int]) -> Iterator[tuple[list[int], list[str]]]:
    """`passage_texts` whole, of as many of ``ids`` at a time as may be held together, in their order."""
    sizes = store.lengths(ids)
    group: list[int] = []
    held = 0
    for number in ids:
        if group and held + sizes.get(number, 0) > AT_ONCE:
            yield group, passage_texts(store, group)
            group, held = [], 0
        group.append(number)
        held += sizes.get(number, 0)
    if group:
        yield group, passage_texts(store, group)
