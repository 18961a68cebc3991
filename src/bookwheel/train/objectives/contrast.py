"""Contrast: a query's own text is to be nearer than the other texts of its batch.

After Karpukhin et al., "Dense Passage Retrieval for Open-Domain Question Answering" (2020). In part: negatives from the batch, none
mined with BM25, and what is trained is a static model (`bookwheel.train.static`) rather than two towers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["SOURCE", "contrast", "softmax"]

SOURCE = (
    "van den Oord, Li and Vinyals, Representation Learning with Contrastive Predictive Coding (2018); Karpukhin et al., Dense "
    "Passage Retrieval (EMNLP 2020) for negatives from the batch"
)
FAR = np.float32(-1e9)


def softmax(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """``rows`` (n, m), each as probabilities."""
    out: NDArray[np.float32] = np.exp(rows - rows.max(1, keepdims=True))
    out /= out.sum(1, keepdims=True)
    return out


def contrast(
    queries: NDArray[np.float32],
    texts: NDArray[np.float32],
    temperature: float,
    groups: NDArray[np.int64] | None = None,
) -> tuple[float, NDArray[np.float32], NDArray[np.float32]]:
    """The loss, and its gradients by ``queries`` and ``texts``: unit vectors (n, dimension), row ``i`` of both a pair.

    Cross-entropy of a pair among the batch, both ways, over cosines divided by ``temperature``. Rows of the same ``groups``
    (n,), such as sentences of one document, are not each other's negatives.
    """
    count = len(queries)
    own = np.arange(count)
    scores = queries @ texts.T / np.float32(temperature)
    if groups is not None:
        same = groups[:, None] == groups[None, :]
        same[own, own] = False
        scores[same] = FAR
    forth, back = softmax(scores), softmax(scores.T)
    loss = -float(np.log(forth[own, own] + 1e-30).mean() + np.log(back[own, own] + 1e-30).mean()) / 2
    forth[own, own] -= 1
    back[own, own] -= 1
    slope: NDArray[np.float32] = (forth + back.T) / np.float32(2 * count * temperature)
    return loss, slope @ texts, slope.T @ queries
