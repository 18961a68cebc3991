"""Feedback for late interaction: clusters of the first passages' token vectors become further query tokens.

Source: Wang, Macdonald, Tonellotto and Ounis, "ColBERT-PRF: Semantic Pseudo-Relevance Feedback for Dense Passage and Document
Retrieval" (ACM TWEB 2023). There a centroid's weight is the idf of the word piece nearest to it; here, where an index keeps
vectors and no word pieces, it is the idf of the centroid itself: in how many passages of a sample a token comes near it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["centroids", "rarity"]

NEAR = 0.75
"""Cosine from which on a token counts as near a centroid."""
ROUNDS = 10


def centroids(tokens: NDArray[np.float32], clusters: int, seed: int = 0) -> NDArray[np.float32]:
    """Spherical k-means of unit vectors (n, d): the centroids at unit length (at most ``clusters``, d).

    Seeds are spread out by k-means++ (Arthur and Vassilvitskii 2007). Empty clusters are left out.
    """
    clusters = min(clusters, len(tokens))
    dice = np.random.default_rng(seed)
    chosen = [int(dice.integers(len(tokens)))]
    far = 1 - tokens @ tokens[chosen[0]]
    while len(chosen) < clusters:
        weights = np.maximum(far, 0.0).astype(np.float64) ** 2
        if weights.sum() <= 1e-12:
            break
        chosen.append(int(dice.choice(len(tokens), p=weights / weights.sum())))
        far = np.minimum(far, 1 - tokens @ tokens[chosen[-1]])
    centres = tokens[chosen]
    for _ in range(ROUNDS):
        owner = np.argmax(tokens @ centres.T, axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, owner, tokens)
        sums = sums[np.bincount(owner, minlength=len(centres)) > 0]
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        updated = (sums / np.where(lengths > 0, lengths, 1)).astype(np.float32)
        if updated.shape == centres.shape and np.allclose(updated, centres, atol=1e-5):
            break
        centres = updated
    return centres.astype(np.float32)


def rarity(centres: NDArray[np.float32], sample: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The idf of each centroid (k, d) over sampled passages, each (tokens, d): ln((N + 1) / (near + 1)): float32 (k,)."""
    near = np.zeros(len(centres))
    for tokens in sample:
        if len(tokens):
            near += (tokens @ centres.T).max(axis=0) >= NEAR
    idf: NDArray[np.float32] = np.log((len(sample) + 1) / (near + 1)).astype(np.float32)
    return idf
