"""Each passage is asked apart, so that none distracts from another; what they say becomes one answer.

Source: the map-reduce chains of LangChain; the reduction by binding is our own: each sentence of each answer must rest on stored
text anyway, so that nothing needs to be written again.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..events import Token
from .base import OutOfCalls, Run

__all__ = ["draft"]

MOST = 3
"""Answers that are put together: those of the best passages that have one."""


def draft(run: Run) -> Iterator[Token]:
    """What the best passages answer, one after another."""
    found: dict[str, None] = {}
    for one in run.evidence:
        if len(found) == MOST:
            break
        try:
            said = run.of_passage("one_passage", one)
        except OutOfCalls:
            break
        if said:
            found[said] = None
    if not found:
        yield from run.final(run.evidence)
        return
    text = "\n".join(found)
    run.write(text)
    yield Token(text)
