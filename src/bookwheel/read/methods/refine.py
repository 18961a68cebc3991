"""An answer from the best passage, improved by each of the others in turn.

Source: the refine chains of LangChain and LlamaIndex.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..events import Token
from ..hostile import bare
from .base import OutOfCalls, Run

__all__ = ["draft"]


def draft(run: Run) -> Iterator[Token]:
    """The answer as it stands after the last passage that a call was left for."""
    text = ""
    for one in run.evidence:
        try:
            said = run.of_passage("refine", one, answer=bare(text)) if text else run.of_passage("one_passage", one)
        except OutOfCalls:
            break
        text = said or text
    if not text:
        yield from run.final(run.evidence)
        return
    run.write(text)
    yield Token(text)
