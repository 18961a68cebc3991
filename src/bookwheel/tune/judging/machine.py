"""A model judges what people judge: the same pool, into a file of its own, beside theirs."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...evaluate.judgments import Qrels
from ...library.library import Library
from ...progress import Progress, silent
from .grades import Judgment, grades_of
from .journal import Journal, Pooled
from .models import ModelJudge
from .passages import text_of

__all__ = ["SHARES", "Judged", "judge_name", "judge_pool", "people", "samples_of", "with_grades"]

SHARES = (0.3, 0.2, 0.1)
"""The share of a pool that is given grade 1, 2 and 3 at least, of scores without people's judgments beside them."""
LEAST_BESIDE = 20
"""Pairs that people have judged, for their shares to be used instead."""
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Judged:
    """What a model did now."""

    pairs: int
    nonsense: int
    left: int
    """Pairs of the pool that are still to be judged."""


def judge_name(judge: ModelJudge) -> str:
    """The name of a model's file: its method and the last part of its model's name."""
    method, _, model = judge.name.partition(" ")
    last = re.sub(r"[^\w.@+-]+", "-", re.split(r"[/\\#]", model.rstrip("/\\"))[-1]).strip("-.") or "model"
    return f"model-{method}-{last}"[:80]


def judge_pool(
    library: Library,
    pooled: Pooled,
    judge: ModelJudge,
    journal: Journal,
    *,
    limit: int | None = None,
    progress: Progress = silent,
) -> Judged:
    """Let ``judge`` judge every pair of the pool that it has not judged, at most ``limit``; each is on disk as it is done.

    A nonsense answer is kept as a pair skipped, so that it is counted and not asked again. Raises `ModelError`, `StorageError`.
    """
    todo = [
        (query, document)
        for query in pooled.queries
        for document in dict.fromkeys(d for run in pooled.runs.values() for d in run.get(query, ()))
        if journal.of(query, document) is None
    ]
    now = todo if limit is None else todo[:limit]
    task = progress("judging", len(now), "pairs")
    nonsense = 0
    try:
        for query in dict.fromkeys(query for query, _ in now):
            documents = [document for one, document in now if one == query]
            for at in range(0, len(documents), AT_ONCE):
                part = documents[at : at + AT_ONCE]
                texts = [text_of(library, document, pooled.queries[query]) for document in part]
                there = [number for number, text in enumerate(texts) if text.strip()]
                verdicts = dict(
                    zip(there, judge.judge(pooled.queries[query], [texts[n] for n in there]), strict=True) if there else ()
                )
                for number, document in enumerate(part):
                    verdict = verdicts.get(number)
                    if verdict is None:  # nothing to read: nothing relevant
                        journal.judge(query, document, 0)
                        continue
                    nonsense += verdict.score is None and verdict.grade is None
                    journal.judge(query, document, verdict.grade, score=verdict.score)
                task.advance(len(part))
    finally:
        task.close()
    return Judged(len(now), nonsense, len(todo) - len(now))


def with_grades(judgments: Sequence[Judgment], beside: Qrels | None = None) -> tuple[Qrels, str]:
    """The grades of a model's judgments, and what they rest on, a sentence or nothing.

    A model that grades is taken at its word. Of one that only scores, the highest scores get the highest grades, in the shares
    that people (``beside``) gave on the pairs that both have judged, or else `SHARES` of the pool.
    """
    scored = [one for one in judgments if one.grade is None and one.score is not None]
    grades = grades_of(judgments)
    if not scored:
        return grades, ""
    scores = np.array([one.score for one in scored], np.float64)
    known = [
        (float(one.score or 0.0), beside[one.query][one.document])
        for one in scored
        if beside and one.document in beside.get(one.query, {})
    ]
    if len(known) >= LEAST_BESIDE:
        mine = np.sort([score for score, _ in known])
        theirs = np.array([grade for _, grade in known])
        shares: Sequence[float] = [float((theirs >= grade).mean()) for grade in (1, 2, 3)]
        source = mine
        said = f"grades are given in the shares that people gave on the {len(known):,} pairs that both have judged"
    else:
        shares, source = SHARES, np.sort(scores)
        listed = ", ".join(f"{share:.0%}" for share in SHARES)
        said = f"the model scores and does not grade: the best {listed} of its scores are called 1, 2 and 3 or more"
    bounds = [_bound(source, share) for share in shares]
    for one, score in zip(scored, scores, strict=True):
        grades.setdefault(one.query, {})[one.document] = sum(bool(score >= bound) for bound in bounds)
    return grades, said


def _bound(ordered: NDArray[np.float64], share: float) -> float:
    """The score that ``share`` of ``ordered`` reach; above all for none."""
    count = round(share * len(ordered))
    return float(ordered[-count]) if count else float("inf")


def samples_of(library: Library, pooled: Pooled, count: int = 20, seed: int = 0) -> list[tuple[str, str]]:
    """Queries with texts of the pool, drawn with ``seed``: what a prompt is chosen by."""
    pairs = [
        (query, document)
        for query in pooled.queries
        for document in dict.fromkeys(d for run in pooled.runs.values() for d in run.get(query, ()))
    ]
    random.Random(seed).shuffle(pairs)
    return [(pooled.queries[query], text_of(library, document, pooled.queries[query])) for query, document in pairs[:count]]


def people(judges: Mapping[str, Qrels]) -> Qrels:
    """Several judges' grades as one: the first one's where they differ."""
    found: dict[str, dict[str, int]] = {}
    for one in judges.values():
        for query, row in one.items():
            for document, grade in row.items():
                found.setdefault(query, {}).setdefault(document, grade)
    return found
