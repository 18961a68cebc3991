"""Of the passages only the sentences that the question makes more probable, by the token probabilities of a small model.

Source: Jiang et al., "LongLLMLingua: accelerating and enhancing LLMs in long context scenarios via prompt compression" (ACL 2024).
Coarse: passages in the order of the question's likelihood after them, with its restrictive statement. Fine: by how much the
question lowers the perplexity of what they say ("contrastive perplexity"), here of whole sentences, since sentences are what is
quoted. `selective` is the question-blind one, see `selective_context`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...language import Scorer
from ..answer import Spent
from ..events import Token
from ..hostile import bare, seen
from .base import Run
from .compress import compressed, cut, pieces, spans

__all__ = ["draft", "selective"]

READ = 4
"""Passages that are read for their probabilities; the others are left out."""
STATEMENT = "We can get the answer to this question in the given passage."


def draft(run: Run) -> Iterator[Token]:
    """The answer from the sentences that the question makes more probable, of the likeliest passages first."""
    model = _scorer(run)
    if model is None:
        return run.final(compressed(run))
    some = run.evidence[:READ]
    asked = f"Question: {bare(run.question)}\n{STATEMENT}"
    texts = [f"Passage: {bare(seen(one, run.options.hidden))}\n" for one in some]
    likely = _logs(run, model, texts, [asked] * len(some))
    order = sorted(range(len(some)), key=lambda at: -float(np.mean(likely[at])) if len(likely[at]) else float("inf"))
    some = [some[at] for at in order]
    places = [(at, start, end) for at, one in enumerate(some) for start, end in spans(one)]
    said = [bare(some[at].text[start:end]) for at, start, end in places]
    alone = _logs(run, model, ["Passage:"] * len(said), said)
    after = _logs(run, model, [f"{asked}\nPassage:"] * len(said), said)
    gains = [float(np.mean(b - a)) if len(a) and len(a) == len(b) else 0.0 for a, b in zip(alone, after, strict=True)]
    return run.final(pieces(some, cut(some, [(-gain, *place) for gain, place in zip(gains, places, strict=True)])))


def selective(run: Run) -> Iterator[Token]:
    """The answer from the sentences that say most, whatever was asked."""
    model = _scorer(run)
    if model is None:
        return run.final(compressed(run))
    some = run.evidence[:READ]
    places = [(at, start, end) for at, one in enumerate(some) for start, end in spans(one)]
    logs = _logs(run, model, ["Passage:"] * len(places), [bare(some[at].text[start:end]) for at, start, end in places])
    scores = [float(np.mean(one)) if len(one) else 0.0 for one in logs]  # the least probable first
    return run.final(pieces(some, cut(some, [(score, *place) for score, place in zip(scores, places, strict=True)])))


def _scorer(run: Run) -> Scorer | None:
    if isinstance(run.model, Scorer) and "://" not in run.model.name:  # a server would be asked once for each sentence
        return run.model
    run.notes.append(f"{run.model.name!r} gives no probabilities of a text; the sentences were chosen by the question's terms")
    return None


def _logs(run: Run, model: Scorer, contexts: Sequence[str], texts: Sequence[str]) -> list[NDArray[np.float32]]:
    """Log-probabilities of each text after its context; of those for which there was no time, none."""
    found = model.log_likelihoods(contexts, texts, deadline=run.deadline)
    run.spent += Spent(0, sum(run.model.count_tokens([*contexts, *texts])), 0)
    return [np.zeros(0, np.float32) if one is None else one for one in found]
