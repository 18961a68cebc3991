"""Where the model finds none of the best passages relevant, it rewords the question, and the search is repeated.

Source: Yan et al., "Corrective retrieval augmented generation" (2024). There is no other source than the library: what is not in
it is refused by the gate, before any model is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..events import Token
from ..hostile import bare
from .base import OutOfCalls, Run, relevance

__all__ = ["draft"]

JUDGED = 3
LEAST = 4


def draft(run: Run) -> Iterator[Token]:
    """The answer from what is relevant of both searches."""
    try:
        scores = [relevance(run.of_passage("relevance", one)) or 0 for one in run.evidence[:JUDGED]]
        if max(scores, default=0) < LEAST:
            reworded = run.ask("rewrite", query=bare(run.question), count="1").splitlines()[:1]
            if reworded and reworded[0].strip():
                before = len(run.evidence)
                run.add(run.collection.search(reworded[0].strip(), run.options.passages, run.options))
                run.evidence[:] = [*run.evidence[before:], *run.evidence[:before]]
        else:
            relevant = [one for one, score in zip(run.evidence, scores, strict=False) if score >= LEAST]
            return run.final([*relevant, *run.evidence[JUDGED:]])
    except OutOfCalls:
        pass
    return run.final(run.evidence)
