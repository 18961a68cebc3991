"""Each passage goes into a prompt of its own; the answers are one, weighed by how well each passage was found.

Source: Shi et al., "REPLUG: retrieval-augmented black-box language models" (NAACL 2024). Where the model gives the probabilities of
its next token, these are averaged, token by token, with the softmax of the retrieval scores as weights. Where it does not, whole
answers are: those that rest on the same stored sentence count as the same answer, and the one of the greatest weight is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...language import Ensemble, Reply
from ...language.prompts import load_prompt
from ..answer import Spent
from ..draft import Visible, nothing_found
from ..events import Token
from ..evidence import Evidence
from ..hostile import Fence, bare
from .base import OutOfCalls, Run, model_context

__all__ = ["draft", "weights"]

MOST = 4
"""Passages in the ensemble: each token costs as many passes."""
TEMPERATURE = 0.1
"""Of the softmax over scores as shares of the best. The paper takes cosines, whose differences are as small."""


def draft(run: Run) -> Iterator[Token]:
    """The answer that the passages agree on."""
    some = run.evidence[:MOST]
    if isinstance(run.model, Ensemble) and len(some) > 1:
        yield from _tokens(run, some)
        return
    places: dict[tuple[tuple[int, int], ...], float] = {}
    answers: dict[tuple[tuple[int, int], ...], str] = {}
    for one, weight in zip(run.evidence, weights(run.evidence), strict=True):
        try:
            said = run.of_passage("one_passage", one)
        except OutOfCalls:
            break
        claims = run.claims(said) if said else []
        if claims:
            rests = tuple(sorted({(quote.evidence, quote.start) for claim in claims for quote in claim.quotes}))
            places[rests] = places.get(rests, 0.0) + weight
            answers.setdefault(rests, said)
    if not answers:
        yield from run.final(run.evidence)
        return
    text = answers[max(places, key=lambda rests: places[rests])]
    run.write(text)
    yield Token(text)


def weights(evidence: Sequence[Evidence]) -> list[float]:
    """The softmax of the retrieval scores, relative to the best."""
    scores = np.nan_to_num(np.array([one.score for one in evidence], np.float64), nan=0.0, posinf=1e300, neginf=-1e300)
    low, high = float(scores.min()), float(scores.max())
    relative = (scores - high) / (high if low >= 0 and high > 0 else max(high - low, 1e-9))
    made = np.exp(relative / TEMPERATURE)
    return [float(weight) for weight in made / made.sum()]


def _tokens(run: Run, some: Sequence[Evidence]) -> Iterator[Token]:
    """One answer, each token of it the most probable one on average; as many passages as fit."""
    prompt = load_prompt("one_passage")
    fence = Fence([one.text for one in some])
    filled = [
        prompt.fill(passage=fence.around(one, run.options.hidden), secret=fence.secret, question=bare(run.question))
        for one in some
    ]
    system, most = prompt.settings.get("system", ""), prompt.number("max_tokens", 100)
    room = model_context(run.model, run.options.context)
    lengths = [length + most + 60 for length in run.model.count_tokens([system + text for text in filled])]
    while len(filled) > 1 and sum(lengths) > room:
        lengths.pop()
        filled.pop()
    run.count(0)
    reply = Reply()
    visible, text = Visible(), ""
    pieces = run.model.ensemble(
        filled, weights(some[: len(filled)]), system=system, max_tokens=most, deadline=run.deadline, reply=reply
    )
    try:
        for piece in pieces:
            text += piece
            run.write(text)
            if shown := bare(visible.feed(piece)):
                yield Token(shown)
    finally:
        run.spent += Spent(1, reply.prompt_tokens, reply.completion_tokens)
    if nothing_found(text) and run.calls:
        run.write("")
        yield from run.final(run.evidence)
