"""Each passage is judged and noted down before the answer; the best of those that are relevant go into the last prompt.

Source: Skarlinski et al., "Language agents achieve superhuman synthesis of scientific knowledge" (2024; PaperQA2): contextual
summaries with relevance scores. What the last prompt holds is the passages themselves, not the notes, so that the answer can be bound
to stored text.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..events import Token
from .base import OutOfCalls, Run, relevance

__all__ = ["draft"]

LEAST = 4
"""Of 10: passages of less relevance are left out."""


def draft(run: Run) -> Iterator[Token]:
    """The answer from the passages that the model finds relevant, the most relevant first; from all where it judges none."""
    judged: list[tuple[int, int]] = []
    for at, one in enumerate(run.evidence):
        try:
            score = relevance(run.of_passage("relevance", one))
        except OutOfCalls:
            judged.append((LEAST, at))  # unread, as the search ranked it
            continue
        if score is not None and score >= LEAST:
            judged.append((score, at))
    chosen = [run.evidence[at] for _, at in sorted(judged, key=lambda pair: (-pair[0], pair[1]))]
    return run.final(chosen or run.evidence)
