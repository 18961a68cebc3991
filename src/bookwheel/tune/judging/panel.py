"""Several models as one judge: the mean of their scores, each standardised over the pool.

Verga et al., "Replacing Judges with Juries: Evaluating LLM Generations with a Panel of Diverse Models" (2024): judges of different
kinds err apart from each other. In part: their judges vote or are averaged as they are; ours score on different scales.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .grades import Judgment

__all__ = ["PANEL", "panel"]

PANEL = "panel"
"""What the judge is called that several models are together."""


def panel(judges: Sequence[Sequence[Judgment]]) -> list[Judgment]:
    """Of each pair that a judge has scored or graded, the mean of what those judges say of it who say something.

    A judge's scores (its grades where it has no score) are first brought to mean 0 and standard deviation 1 over its pairs; a judge
    that says the same of all pairs counts as 0. Pairs in the order in which they come first.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for judgments in judges:
        pairs = [((one.query, one.document), float(told)) for one in judgments if (told := _told(one)) is not None]
        values = np.array([value for _, value in pairs], np.float64)
        if len(values):
            spread = float(values.std())
            values = (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)
        for (pair, _), value in zip(pairs, values.tolist(), strict=True):
            found.setdefault(pair, []).append(value)
    return [Judgment(query, document, None, float(np.mean(some))) for (query, document), some in found.items()]


def _told(one: Judgment) -> float | int | None:
    return one.grade if one.score is None else one.score
