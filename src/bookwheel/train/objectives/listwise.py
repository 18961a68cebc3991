"""Listwise softmax: the scores of a query's passages are to be, as probabilities, what a teacher's are.

Cao et al., Learning to Rank: From Pairwise Approach to Listwise Approach (ICML 2007), ListNet with the probabilities of the first place;
Zhuang et al., RankT5 (SIGIR 2023), for rerankers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from .lists import ListLoss

__all__ = ["Listwise"]


@dataclass(frozen=True)
class Listwise(ListLoss):
    """The divergence (Kullback-Leibler) of softmax(scores) from softmax(``scale`` times the teacher's)."""

    scale: float = 20.0

    def losses(self, scores: Any, wanted: Any) -> Any:
        """See `ListLoss`."""
        theirs = torch.log_softmax(self.scale * wanted, 1)
        return (theirs.exp() * (theirs - torch.log_softmax(scores, 1))).sum(1)
