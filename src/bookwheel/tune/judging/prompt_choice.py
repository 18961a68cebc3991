"""Which prompt to judge by, found without labels: the one whose grades tell most about the passages.

The mutual information of passages and grades, I(X; Y) = H(mean of p(y|x)) - mean of H(p(y|x)): a good prompt gives different
passages different grades, and each of them surely. Source: Sorensen et al., "An Information-theoretic Approach to Prompt
Engineering Without Ground Truth Labels" (ACL 2022). Before that, probabilities are divided by their mean over the passages
(calibration by marginalisation): Yang et al., "Improving Probability-based Prompt Selection Through Unified Evaluation and
Analysis" (2024).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError
from .grades import HIGHEST

__all__ = ["PROMPTS", "PromptChoice", "calibrated", "choose", "mutual_information"]

PROMPTS = ("judge_graded", "judge_digit", "judge_useful")
Distributions = Callable[[str, str, Sequence[str]], Sequence[Sequence[float] | None]]
"""From a prompt's name, a query and texts to the probabilities of the grades of each; None for nonsense."""


@dataclass(frozen=True, slots=True)
class PromptChoice:
    """The prompt that was chosen, and what the choice rests on."""

    prompt: str
    information: dict[str, float]
    """Mutual information of each prompt, in nats, after calibration."""
    nonsense: dict[str, int]
    """Answers of each prompt, of the samples, that were none."""
    samples: int
    marginal: NDArray[np.float64]
    """The mean probability of each grade under the chosen prompt, (grades,)."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "prompt": self.prompt,
            "information": self.information,
            "nonsense": self.nonsense,
            "samples": self.samples,
            "marginal": [round(float(one), 4) for one in self.marginal],
        }


def mutual_information(rows: NDArray[np.float64]) -> float:
    """I(X; Y) in nats of distributions, (passages, grades), each passage counting alike; never negative."""
    if not len(rows):
        return 0.0
    return max(0.0, _entropy(rows.mean(0)) - float(np.mean([_entropy(row) for row in rows])))


def calibrated(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each distribution divided by the mean of all, and made to add up to 1."""
    found = rows / np.maximum(rows.mean(0), 1e-9)
    fitted: NDArray[np.float64] = found / found.sum(1, keepdims=True)
    return fitted


def choose(distributions: Distributions, samples: Sequence[tuple[str, str]], prompts: Sequence[str] = PROMPTS) -> PromptChoice:
    """The prompt with the highest mutual information on ``samples`` of query and text.

    A passage with a nonsense answer counts as one that tells nothing. Raises `ModelError` where every answer to every prompt is
    nonsense.
    """
    information, nonsense, marginals = {}, {}, {}
    for prompt in prompts:
        rows, lost = [], 0
        for query, text in samples:
            (row,) = distributions(prompt, query, [text])
            if row is None:
                lost += 1
            else:
                rows.append(row)
        known = np.array(rows, np.float64).reshape(-1, HIGHEST + 1)
        nonsense[prompt] = lost
        share = len(known) / max(1, len(samples))
        information[prompt] = share * mutual_information(calibrated(known)) if len(known) else 0.0
        marginals[prompt] = known.mean(0) if len(known) else np.full(HIGHEST + 1, 1 / (HIGHEST + 1))
    if samples and all(lost == len(samples) for lost in nonsense.values()):
        raise ModelError(
            f"the model gave no grade in any of {len(samples) * len(prompts)} answers; take a larger one, or judge by gain"
        )
    best = max(prompts, key=lambda prompt: information[prompt])
    return PromptChoice(best, information, nonsense, len(samples), marginals[best])


def _entropy(row: NDArray[np.float64]) -> float:
    known = row[row > 0]
    return -float(known @ np.log(known))
