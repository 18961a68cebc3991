"""A loss over vectors as they are, as they are cut, and as the index's codes of one bit have them: so that all three rank well.

Kusupati et al., Matryoshka Representation Learning (NeurIPS 2022), for a loss over several widths of one vector; Yamada, Asai and
Hajishirzi, Efficient Passage Retrieval with Hashing for Open-domain Question Answering (ACL 2021, BPR), for codes that are learned with
the encoder, numbers on the query's side. In part: gradients go through signs as though these were the numbers that they are of, where
BPR's go through a tanh that grows steeper: Bengio, Léonard and Courville, Estimating or Propagating Gradients Through Stochastic Neurons
for Conditional Computation (2013).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from ..memory.objective import Batch
from .cached_contrast import QUERY, CachedContrast

__all__ = ["Narrowed"]


@dataclass(frozen=True)
class Narrowed(CachedContrast):
    """The mean of the losses of ``goal`` over whole vectors, over their first ``widths`` dimensions, and with ``codes`` over both again
    with texts as codes. Gradients are cached as in `CachedContrast`.
    """

    goal: CachedContrast = field(default_factory=CachedContrast)
    widths: Sequence[int] = ()
    codes: bool = False

    def losses(self, vectors: Any, batch: Batch) -> Any:
        """See `CachedContrast`."""
        found = [self.goal.losses(one, batch) for one in self._views(vectors, batch["role"] == QUERY)]
        return torch.stack(found).mean(0)

    def _views(self, vectors: Any, asked: Any) -> Iterator[Any]:
        for width in (None, *self.widths):
            units = vectors if width is None else torch.nn.functional.normalize(vectors[:, :width], dim=1)
            yield units
            if self.codes:
                yield torch.where(asked[:, None], units, _coded(units, units[~asked].mean(0)))


def _coded(units: Any, centre: Any) -> Any:
    """What codes of one bit say of ``units``, whose gradient is that of the units; see `index.dense.sketch`, without a rotation."""
    away = (units - centre).detach()
    signs = torch.where(away < 0, -1.0, 1.0)
    told = centre.detach() + signs * (away**2).sum(1, keepdim=True) / away.abs().sum(1, keepdim=True).clamp(min=1e-9)
    return units + (told - units.detach())
