"""Where the projection of a new late-interaction model begins: at the directions that token states take most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .model import TokenScorer

__all__ = ["principal"]

AT_ONCE = 16


def principal(model: TokenScorer, texts: Sequence[str], dimension: int) -> NDArray[np.float32]:
    """Orthonormal rows, float32 (dimension, hidden), that keep most of the cosines of the token states of ``texts``.

    ``model`` gives whole states, (…, hidden). Of all projections that width, that onto the first eigenvectors of the second moments
    loses least of the products of unit vectors (Eckart and Young, 1936): so scores are about as good before the first step as those
    of the whole states, and far better than those of a random projection.
    """
    moments: NDArray[np.float64] | None = None
    for start in range(0, len(texts), AT_ONCE):
        tokens = model.tokenise(texts[start : start + AT_ONCE])
        with torch.no_grad():
            states = model.states(tokens)[tokens["attention_mask"].bool()].double().numpy()
        found = states.T @ states
        moments = found if moments is None else moments + found
    if moments is None:
        raise ValueError("no texts")
    _, vectors = np.linalg.eigh(moments)
    rows = np.ascontiguousarray(vectors[:, ::-1][:, :dimension].T, np.float32)
    # Eigenvectors have no sign of their own: the largest number of each is made positive, wherever this runs.
    signs = np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(1)])
    rows *= signs[:, None]
    return rows
