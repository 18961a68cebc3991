"""Margin-MSE: an answer is to be as far above each other passage as a teacher puts it, whatever the scale that both begin at.

Hofstätter et al., Improving Efficient Neural Ranking Models with Cross-Architecture Knowledge Distillation (2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .lists import ListLoss

__all__ = ["MarginMSE"]


@dataclass(frozen=True)
class MarginMSE(ListLoss):
    """Squared differences between the answer's margins and the teacher's, which are multiplied by ``scale``; the mean over the others.

    ``scale``: cosines have margins of a tenth, and the scores of a cross-encoder of several.
    """

    scale: float = 20.0

    def losses(self, scores: Any, wanted: Any) -> Any:
        """See `ListLoss`."""
        reached = scores[:, :1] - scores[:, 1:]
        return (reached - self.scale * (wanted[:, :1] - wanted[:, 1:])).square().mean(1)
