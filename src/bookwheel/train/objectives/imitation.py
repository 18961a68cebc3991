"""Imitation: texts are to be as near to each other, and lie in the same directions, as a teacher's vectors of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .contrast import softmax

__all__ = ["SOURCE", "imitation"]

SOURCE = (
    "Tulkens and van Dongen, Model2Vec and tokenlearn (MinishLab, 2024) for means of token vectors that imitate a teacher; "
    "Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network (2015) for similarities as soft labels"
)


def imitation(
    units: NDArray[np.float32],
    teacher: NDArray[np.float32],
    target: NDArray[np.float32],
    *,
    cosine: float = 4.0,
    similarity: float = 0.2,
    temperature: float = 0.05,
) -> tuple[float, NDArray[np.float32]]:
    """The loss and its gradient by ``units`` (n, dimension), the vectors of n texts at unit length.

    ``teacher`` (n, any dimension) are the teacher's unit vectors, ``target`` (n, dimension) the same in the student's space.
    The loss is ``cosine`` times 1 - the cosine to the target, and ``similarity`` times the divergence between the teacher's and
    the student's similarities within the batch, as probabilities at ``temperature``.
    """
    count = len(units)
    loss = cosine * (1 - float((units * target).sum(1).mean()))
    gradient = target * np.float32(-cosine / count)
    if similarity:
        wanted, reached = _neighbours(teacher, temperature), _neighbours(units, temperature)
        loss += similarity * float((wanted * (np.log(wanted + 1e-12) - np.log(reached + 1e-12))).sum() / count)
        difference = reached - wanted
        gradient += np.float32(similarity / (count * temperature)) * ((difference + difference.T) @ units)
    return loss, gradient


def _neighbours(units: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    square = units @ units.T
    np.fill_diagonal(square, -9)
    return softmax(square / np.float32(temperature))
