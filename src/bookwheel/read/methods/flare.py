"""While the model grows unsure, more is searched for: a sentence with an improbable token becomes the next query.

Source: Jiang et al., "Active retrieval augmented generation" (EMNLP 2023; FLARE direct): a sentence of which a token is less probable
than a bound is not kept, its improbable tokens are masked, what is left of it is searched for, and it is written again. A model
that gives no probabilities is taken to be unsure of what no stored sentence supports.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ...language import Reply, Streamer
from ..draft import nothing_found, sentences_of
from ..events import Token
from ..hostile import bare
from .base import OutOfCalls, Run

__all__ = ["draft", "unsure"]

LEAST = 0.4
"""Probability of a token below which its sentence is searched for and written again (the paper's theta)."""
MASKED = 0.4
"""Tokens of less probability are left out of the query (the paper's beta)."""
ROUNDS = 3
EACH = 3
"""Passages that each search adds at most."""
_WORDY = 2
"""Tokens of fewer letters are not asked how probable they are: marks and endings."""


def draft(run: Run) -> Iterator[Token]:
    """The answer, written again while a sentence of it is unsure and the search still finds something new."""
    evidence = list(run.evidence)
    for number in range(1, ROUNDS + 1):
        try:
            run.count(0)
        except OutOfCalls:
            return
        run.write("")
        reply = Reply(probabilities=True)
        told = "".join(token.text for token in run.final(evidence, reply=reply))
        if number == ROUNDS or not run.calls:
            break
        query = unsure(run, told, reply.tokens if isinstance(run.model, Streamer) else ())
        if query is None:
            break
        found = run.collection.search(f"{run.question} {query}".strip(), run.options.passages, run.options)
        added = run.add(found)[:EACH]
        if not added:
            break
        evidence = [*added, *evidence][: run.options.passages]
    yield Token(told)


def unsure(run: Run, text: str, tokens: Sequence[tuple[str, float]]) -> str | None:
    """What to search for in the place of the first unsure sentence of ``text``; None where there is none.

    ``tokens``: the tokens of the answer and the logarithms of their probabilities, where the model gave them.
    """
    if nothing_found(text):
        return ""
    if not tokens:
        for said in sentences_of(text):
            if not run.claims(said):
                return bare(said)
        return None
    sentence: list[tuple[str, float]] = []
    for at, (piece, value) in enumerate(tokens):
        sentence.append((piece, value))
        if at + 1 == len(tokens) or piece.rstrip().endswith((".", "!", "?", "。", "\n")):
            telling = [chance for word, chance in sentence if sum(map(str.isalnum, word)) >= _WORDY]
            if telling and min(telling) < math.log(LEAST):
                return bare("".join(word if chance >= math.log(MASKED) else " " for word, chance in sentence)).strip()
            sentence = []
    return None
