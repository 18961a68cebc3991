"""A small model drafts answers from different passages; a larger one, or the binding to stored text, chooses among them.

Source: Wang et al., "Speculative RAG: enhancing retrieval augmented generation through drafting" (ICLR 2025). Each draft comes from a
subset of the passages in which no two are much alike, with a rationale. A verifier (``verifier=``) that gives probabilities scores
a draft by that of its answer and rationale after the question, and of "Yes" after asking whether the one supports the other. One
that only writes is asked for Yes or No. Without a verifier the draft is taken that says most of the question in supported sentences.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...language import Generator, Scorer, writer
from ...language.prompts import load_prompt
from ..answer import Spent
from ..events import Token
from ..evidence import Evidence
from ..hostile import bare
from .base import OutOfCalls, Run
from .chain_of_note import answered

__all__ = ["draft", "subsets"]

DRAFTS = 3


def draft(run: Run) -> Iterator[Token]:
    """The best of the drafts."""
    verifier = _verifier(run)
    asks = verifier is not None and not isinstance(verifier, Scorer)
    drafts: list[tuple[str, str]] = []
    for some in subsets(run, min(DRAFTS, max(1, (run.calls - 1) // (2 if asks else 1)))):
        try:
            said = run.of_passages("speculative", some)
        except OutOfCalls:
            break
        text = answered(said) or said
        if text and (text, said) not in drafts:
            drafts.append((text, said))
    scored = []
    for text, said in drafts:
        if claims := run.claims(text):
            chance = 0.0 if verifier is None else _checked(run, verifier, text, said)
            scored.append((chance, run.said(claims), text))
    if not scored:
        yield from run.final(run.evidence)
        return
    best = max(scored, key=lambda one: one[:2])[2]
    run.write(best)
    yield Token(best)


def subsets(run: Run, count: int) -> list[list[Evidence]]:
    """``count`` subsets of the evidence, best first in each; passages that are alike come into different ones."""
    groups = _clusters(run, max(1, math.ceil(len(run.evidence) / count)))
    dealt: list[list[Evidence]] = [[] for _ in range(count)]
    at = 0
    for group in groups:
        for one in group:
            dealt[at % count].append(one)
            at += 1
    order = {one.passage: place for place, one in enumerate(run.evidence)}
    return [sorted(some, key=lambda one: order[one.passage]) for some in dealt if some]


def _clusters(run: Run, count: int) -> list[list[Evidence]]:
    """The evidence in ``count`` groups by the cosines of its vectors, around passages far from each other; one group without vectors."""
    vectors = run.collection.vectors([one.text for one in run.evidence])
    if vectors is None or count >= len(run.evidence) or not len(vectors):
        return [list(run.evidence)]
    chosen = [0]
    while len(chosen) < count:
        nearest = (vectors @ vectors[chosen].T).max(axis=1)
        nearest[chosen] = np.inf
        chosen.append(int(nearest.argmin()))
    groups: list[list[Evidence]] = [[] for _ in chosen]
    for row, one in enumerate(run.evidence):
        groups[int((vectors[chosen] @ vectors[row]).argmax())].append(one)
    return [group for group in groups if group]


def _verifier(run: Run) -> Any:
    given = run.options.verifier
    return writer(given) if isinstance(given, str) else given


def _checked(run: Run, verifier: Any, text: str, said: str) -> float:
    """The logarithm of how probable the verifier finds a draft; of one that it was not asked about, what it gives to a No."""
    question, rationale = bare(run.question), bare(said)[:2000]
    prompt = load_prompt("supports")
    asked = prompt.fill(question=question, answer=bare(text), rationale=rationale)
    if isinstance(verifier, Scorer) and isinstance(verifier, Generator):
        contexts = [f"Question: {question}\n", f"{asked}\nAnswer:", f"{asked}\nAnswer:"]
        logs = verifier.log_likelihoods(contexts, [f"{rationale}\n{bare(text)}", " Yes", " No"], deadline=run.deadline)
        run.spent += Spent(1, sum(verifier.count_tokens(contexts)), 0)
        whole, *words = logs
        if whole is None or words[0] is None or words[1] is None:
            return -1e9
        yes, no = float(words[0].sum()), float(words[1].sum())
        return float(whole.mean()) + yes - float(np.logaddexp(yes, no))
    try:
        run.count()
    except OutOfCalls:
        return math.log(0.01)
    (reply,) = verifier.generate([asked], system=prompt.settings.get("system", ""), max_tokens=4, deadline=run.deadline)
    run.spent += Spent(1, *verifier.count_tokens([asked, reply]))
    return math.log(0.99 if reply.strip().lower().startswith("yes") else 0.01)
