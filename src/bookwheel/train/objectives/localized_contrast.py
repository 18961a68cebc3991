"""Localized contrastive estimation: an answer is to be above passages that the first stage ranks high for the same query.

Gao, Dai and Callan, Rethink Training of BERT Rerankers in Multi-Stage Retrieval Pipeline (ECIR 2021). No teacher is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from .lists import ListLoss

__all__ = ["LocalizedContrast"]


@dataclass(frozen=True)
class LocalizedContrast(ListLoss):
    """Cross-entropy of the answer, which is the first passage, among all of its query."""

    def losses(self, scores: Any, wanted: Any) -> Any:
        """See `ListLoss`; ``wanted`` is not looked at."""
        return -torch.log_softmax(scores, 1)[:, 0]
