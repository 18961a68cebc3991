"""`QueryImitation` without torch: the same vectors of queries as a teacher's, and the same order of stored passages, with the gradient.

Campos et al., Quick Dense Retrievers Consume KALE (2023), for the order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["stored_order"]


def stored_order(
    units: NDArray[np.float32],
    targets: NDArray[np.float32],
    passages: NDArray[np.float32],
    order: float = 0.5,
    temperature: float = 0.05,
) -> tuple[float, NDArray[np.float32]]:
    """The mean loss of n queries, and its gradient by their unit vectors ``units`` (n, dimension), float32.

    1 - the cosine to the teacher's vector in ``targets`` (n, dimension), and ``order`` times the divergence between the orders of
    ``passages`` (m, dimension), as probabilities at ``temperature``.
    """
    count = np.float32(len(units))
    reached, wanted = (_logarithms(rows @ passages.T / np.float32(temperature)) for rows in (units, targets))
    loss = float(1 - (units * targets).sum(1).mean())
    probable = np.exp(wanted)
    loss += order * float((probable * (wanted - reached)).sum() / count)
    np.exp(reached, out=reached)
    reached -= probable
    gradient: NDArray[np.float32] = reached @ passages
    gradient *= np.float32(order / temperature)
    gradient -= targets
    gradient /= count
    return loss, gradient


def _logarithms(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of the softmax of each row, in place."""
    scores -= scores.max(1, keepdims=True)
    scores -= np.log(np.exp(scores).sum(1, keepdims=True))
    return scores
