"""The question is split into simpler ones; what is found for each is read together with what was found for the whole.

Source: Press et al., "Measuring and narrowing the compositionality gap in language models" (2023; self-ask).
"""

from __future__ import annotations

from collections.abc import Iterator

from ..events import Token
from ..hostile import bare
from .base import OutOfCalls, Run

__all__ = ["draft"]

PARTS = 3
EACH = 3
"""Passages that are read for each of the simpler questions."""


def draft(run: Run) -> Iterator[Token]:
    """The answer from the passages of the question and of its parts."""
    try:
        parts = run.ask("decompose", query=bare(run.question), count=str(PARTS)).splitlines()
    except OutOfCalls:
        parts = []
    for part in [text for line in parts if (text := line.strip(" -*0123456789.)\t"))][:PARTS]:
        run.add(run.collection.search(part, EACH, run.options))
    return run.final(run.evidence)
