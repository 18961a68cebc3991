"""The draft is the next query: search and writing take turns, until the passages have all that was asked.

Source: Shao et al., "Enhancing Retrieval-Augmented Large Language Models with Iterative Retrieval-Generation Synergy" (2023), called
Iter-RetGen. The stop is, in part, that of Aly and Vlachos, "Natural Logic-guided Autoregressive Multi-hop Document Retrieval for Fact
Verification" (2022): nothing more is searched for once the claims have the terms of the question, where they prove the claim by a
natural logic. Their trained retriever is not here.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..draft import nothing_found
from ..events import Token
from ..hostile import bare
from .base import OutOfCalls, Run

__all__ = ["draft"]

ROUNDS = 3
ENOUGH = 0.8
"""Share of the question's terms, by weight, that the supported sentences must have."""


def draft(run: Run) -> Iterator[Token]:
    """The last draft."""
    evidence = list(run.evidence)
    text = ""
    for number in range(1, ROUNDS + 1):
        try:
            run.count(0)
        except OutOfCalls:
            return
        run.write("")
        text = "".join(token.text for token in run.final(evidence))
        claims = run.claims(text)
        if number == ROUNDS or not run.calls or (claims and run.said(claims) >= ENOUGH):
            break
        said = "" if nothing_found(text) else bare(text)[:1000]
        found = run.collection.search(f"{run.question} {said}".strip(), run.options.passages, run.options)
        run.add(found)
        numbers = {one.passage: one for one in run.evidence}
        after = [numbers[one.passage] for one in found]
        if {one.passage for one in after} <= {one.passage for one in evidence}:
            break
        evidence = after
    yield Token(text)
