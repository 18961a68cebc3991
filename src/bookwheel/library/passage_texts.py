"""The text of a passage as encoders get it."""

from __future__ import annotations

from collections.abc import Sequence

from .store import Store

__all__ = ["passage_texts"]


def passage_texts(store: Store, ids: Sequence[int]) -> list[str]:
    """Title and text of each of ``ids``, in their order; empty for a passage that is not stored any more."""
    rows = store.texts(ids)
    texts = []
    for number in ids:
        title, text = rows.get(number, ("", ""))
        texts.append(f"{title}\n{text}" if title else text)
    return texts
