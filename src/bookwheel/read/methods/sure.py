"""Candidate answers first; for each the passages are summed up, and the candidate whose summary stands up best is the answer.

Source: Kim et al., "SuRe: Summarizing Retrievals using Answer Candidates for Open-domain QA of LLMs" (2024). A summary counts 1
where the model finds that it supports its candidate, and 1 for each other summary that it is preferred to; every pair is compared
in both orders, which cancels a liking for the first place. A summary that no stored text supports takes no part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import permutations

from ..draft import nothing_found
from ..events import Token
from ..hostile import bare
from .base import OutOfCalls, Run

__all__ = ["draft"]

CANDIDATES = 2
"""As in the paper. With n of them, n² + n + 1 calls at most."""
MOST = 4
"""Passages that are read."""
LONGEST = 200
"""Characters of a candidate."""
_NUMBERED = re.compile(r"^[\s\-*•]*(?:\d{1,2}[.)]|[a-z]\))?\s*", re.IGNORECASE)


def draft(run: Run) -> Iterator[Token]:
    """The best candidate with what speaks for it."""
    summed: list[tuple[str, str]] = []
    points: list[float] = []
    try:
        for candidate in _candidates(run):
            said = run.of_passages("summarise_for", run.evidence[:MOST], candidate=candidate)
            if run.claims(said):
                summed.append((candidate, said))
        points = [0.0] * len(summed)
        if len(summed) > 1:
            _compared(run, summed, points)
    except OutOfCalls:
        pass
    if not summed:
        yield from run.final(run.evidence)
        return
    points = points or [0.0] * len(summed)
    candidate, said = summed[max(range(len(summed)), key=lambda at: points[at])]
    text = said if candidate.casefold() in said.casefold() else f"{candidate}\n{said}"
    run.write(text)
    yield Token(text)


def _candidates(run: Run) -> list[str]:
    lines = run.of_passages("candidates", run.evidence[:MOST], count=str(CANDIDATES)).splitlines()
    short = [" ".join(bare(_NUMBERED.sub("", line)).split())[:LONGEST] for line in lines]
    return list({one.casefold(): one for one in short if one and not nothing_found(one)}.values())[:CANDIDATES]


def _compared(run: Run, summed: list[tuple[str, str]], points: list[float]) -> None:
    """Add to the points of each summary. Raises `OutOfCalls`."""
    question = bare(run.question)
    texts = [" ".join(bare(said).split()) for _, said in summed]
    for at, (candidate, _) in enumerate(summed):
        points[at] += _yes(run.ask("supports", question=question, answer=candidate, rationale=texts[at]))
    for one, other in permutations(range(len(summed)), 2):
        chosen = re.search(r"\b[AB]\b", run.ask("better_summary", question=question, first=texts[one], second=texts[other]))
        if chosen is not None:
            points[one if chosen[0] == "A" else other] += 0.5  # half a point for each order


def _yes(said: str) -> float:
    return float(re.match(r"\W*yes\b", said, re.IGNORECASE) is not None)
