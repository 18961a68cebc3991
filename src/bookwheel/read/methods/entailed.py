"""Passages from which a first answer does not follow are left out, and the question is asked of the rest again.

Source: Yoran et al., "Making Retrieval-Augmented Language Models Robust to Irrelevant Context" (2024): a passage is dropped where
a model for natural language inference finds that question and answer do not follow from it. ``verifier=`` names such a model, or a
language model that is asked; without it the likelihood of question and answer after a passage, against that without one, stands
in for it, where the model gives one. Where no passage is left the paper answers from memory; here the quotes stand. Their second
remedy, a reader tuned on passages that mislead, is not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...language import Scorer
from ...language.entailment import Entailment, WrittenEntailment, entailment_model
from ..answer import Spent
from ..draft import nothing_found
from ..events import Token
from ..evidence import Evidence
from ..hostile import bare, seen
from .base import OutOfCalls, Run

__all__ = ["draft"]

MOST = 6
"""Passages that are judged; what is found below them is left out."""
SHARE = 0.5
"""Of the greatest gain in likelihood, so much must a passage have to be kept."""


def draft(run: Run) -> Iterator[Token]:
    """The first answer where it follows from every passage, otherwise a second one, from those that it follows from."""
    some = run.evidence[:MOST]
    run.count(0)
    text = "".join(token.text for token in run.final(some))
    if nothing_found(text) or len(some) == 1 or not run.calls:
        yield Token(text)
        return
    statement = f"The answer to the question '{bare(run.question)}' is: {' '.join(bare(text).split())}"
    kept = _followed(run, some, statement)
    if not kept:
        run.stands = True
        run.notes.append("what the model answered follows from no passage; the quotes stand")
    elif len(kept) < len(some):
        run.count(0)
        run.write("")
        text = "".join(token.text for token in run.final(kept))
    yield Token(text)


def _followed(run: Run, some: Sequence[Evidence], statement: str) -> list[Evidence]:
    """The passages that ``statement`` follows from."""
    texts = [bare(seen(one, run.options.hidden)) for one in some]
    judge = _judge(run)
    if judge is None and isinstance(run.model, Scorer) and "://" not in run.model.name:
        return _gaining(run, run.model, some, texts, statement)
    judge = judge or WrittenEntailment(run.model)
    kept = []
    for one, text in zip(some, texts, strict=True):
        if isinstance(judge, WrittenEntailment):
            try:
                run.count()
            except OutOfCalls:
                kept.append(one)  # unjudged
                continue
            run.spent += Spent(1, sum(run.model.count_tokens([text, statement])), 1)
        if judge.entails([(text, statement)])[0]:
            kept.append(one)
    return kept


def _judge(run: Run) -> Entailment | None:
    given = run.options.verifier
    if given is None:
        return None
    return entailment_model(given) if isinstance(given, str) else WrittenEntailment(given)


def _gaining(run: Run, model: Scorer, some: Sequence[Evidence], texts: Sequence[str], statement: str) -> list[Evidence]:
    """The passages that make ``statement`` more probable, by at least `SHARE` of what the best of them does; all without time for it."""
    contexts = ["Passage:\n", *(f"Passage: {text}\n" for text in texts)]
    logs = model.log_likelihoods(contexts, [statement] * len(contexts), deadline=run.deadline)
    run.spent += Spent(0, sum(run.model.count_tokens([*contexts, *[statement] * len(contexts)])), 0)
    means = [None if one is None or not len(one) else float(one.mean()) for one in logs]
    alone = means[0]
    if alone is None or None in means:
        return list(some)
    gains = [mean - alone for mean in means[1:] if mean is not None]
    best = max(gains)
    return [one for one, gain in zip(some, gains, strict=True) if best > 0 and gain >= SHARE * best]
