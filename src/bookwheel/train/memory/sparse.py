"""A small share of the weights is trained where it lies; the rest is frozen. What was learned is a patch: places and differences.

Places are chosen once, before training:

- by Fisher information: Sung et al., "Training Neural Networks with Fixed Sparse Masks" (2021), FISH,
  https://arxiv.org/abs/2111.09839;
- by the first gradient, by magnitude or at random: SHiRA's masks (Bhardwaj et al., https://arxiv.org/abs/2406.13175);
- as whole rows of matrices: Yang et al., "S^{2}FT: Efficient, Scalable and Generalizable LLM Fine-tuning by Structured Sparsity"
  (2024), https://arxiv.org/abs/2412.06289; in part: rows are not permuted into dense blocks with heads and channels.

With ``regrow`` those that changed least give way to those with the largest gradients now and then: Ansell et al., "Scaling Sparse
Fine-Tuning to Large Language Models" (2024), SpIEL, https://arxiv.org/abs/2401.16405.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..._errors import TrainingError
from .modules import linear_modules
from .moments import Moments
from .protocols import Attached, Loss
from .tensors import check_finite, finite_norm, generator

__all__ = ["CHOICES", "Sparse"]

CHOICES = ("fisher", "gradient", "magnitude", "random", "rows")
MOST = 8
"""A matrix may have at most so many times its even part of all places."""


@dataclass(frozen=True)
class Sparse:
    """``share``: of the weights of all linear layers. ``choose``: one of `CHOICES`. ``regrow``: the share of places that is
    given up every ``period`` steps; 0 for fixed ones.
    """

    choose: str = "fisher"
    share: float = 0.005
    regrow: float = 0.0
    period: int = 20
    rate: float = 1e-3
    clip: float = 1.0

    def attach(self, model: Any, first: Sequence[Loss] = (), seed: int = 0) -> Attached:
        """See `Method`. All choices but ``magnitude`` and ``random`` need ``first``."""
        if self.choose not in CHOICES:
            raise TrainingError(f"places can be chosen by {', '.join(CHOICES)}, not {self.choose!r}")
        if self.choose not in ("magnitude", "random") and not first:
            raise TrainingError(f"choosing weights by {self.choose} needs a batch of the training data")
        return _Sparse(model, self, first, seed)


class _Sparse(Attached):
    def __init__(self, model: Any, method: Sparse, first: Sequence[Loss], seed: int) -> None:
        super().__init__(model)
        self._method, self._seed = method, seed
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        self._weights = {f"{name}.weight": module.weight for name, module in linear_modules(model).items()}
        total = sum(weight.numel() for weight in self._weights.values())
        self._size = max(int(method.share * total), len(self._weights))
        self._take: Callable[[str, Any], None] = self._gather
        self._hooks = []
        for name, weight in self._weights.items():
            weight.requires_grad_(True)
            self._hooks.append(weight.register_post_accumulate_grad_hook(self._hook(name)))
        self._places = self._chosen(first)
        self._origin = {name: self._values(name).clone() for name in self._places}
        self._moments = {name: Moments(origin) for name, origin in self._origin.items()}
        self._sums: dict[str, Any] = {}

    def _hook(self, name: str) -> Callable[[Any], None]:
        def forget(weight: Any) -> None:
            gradient, weight.grad = weight.grad, None
            with torch.no_grad():
                self._take(name, gradient)

        return forget

    # -- which weights -------------------------------------------------------------------------------------------------

    def _chosen(self, first: Sequence[Loss]) -> dict[str, Any]:
        """Places in the flat weights, int32, by name."""
        found: dict[str, tuple[Any, Any]] = {}
        sums: dict[str, Any] = {}

        def score(name: str, gradient: Any) -> None:
            # Of one loss the square of the gradient orders weights as the gradient does: Fisher information wants several.
            wanted = gradient.square() if self._method.choose == "fisher" else gradient.abs()
            if len(first) > 1:
                sums[name] = wanted = sums.get(name, 0) + wanted
            found[name] = self._candidates(name, wanted)

        if self._method.choose in ("magnitude", "random"):
            for name, weight in self._weights.items():
                with torch.no_grad():
                    drawn = torch.rand(weight.shape, generator=generator(self._seed, name))
                    found[name] = self._candidates(name, drawn if self._method.choose == "random" else weight.abs())
        else:
            self._take = score
            for loss in first:
                loss().backward()
            self._take = self._gather
        values = torch.cat([value for value, _ in found.values()])
        limit = values.topk(min(self._size, len(values))).values[-1]
        shape_only = hasattr(limit, "fake_mode")
        even = self._size // len(found)
        places = {}
        for name, (value, place) in found.items():
            kept = place[:even] if shape_only else place[value >= limit]
            if len(kept):
                places[name] = kept.to(torch.int32)
        return places

    def _candidates(self, name: str, score: Any) -> tuple[Any, Any]:
        """The best scores of a matrix and their places, more than its even part."""
        most = min(MOST * self._size // len(self._weights), score.numel())
        if self._method.choose == "rows":
            wide = score.shape[1]
            best = torch.linalg.vector_norm(score, dim=1).topk(max(min(most // wide, score.shape[0]), 1))
            place = (best.indices[:, None] * wide + torch.arange(wide)).view(-1)
            return best.values.repeat_interleave(wide), place
        best = score.reshape(-1).topk(max(most, 1))
        return best.values, best.indices

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _values(self, name: str) -> Any:
        return self._weights[name].detach().view(-1).index_select(0, self._places[name])

    def _gather(self, name: str, gradient: Any) -> None:
        if name not in self._places:
            return
        found = gradient.reshape(-1).index_select(0, self._places[name])
        self._sums[name] = self._sums[name].add_(found) if name in self._sums else found

    def step(self, parts: Sequence[Loss], rate: float) -> Any:
        """See `Attached`."""
        self._sums, total, grown = {}, None, {}
        if self._method.regrow and self.rounds and self.rounds % self._method.period == 0:
            grown = self._looking_around()
        try:
            for part in parts:
                loss = part()
                check_finite(loss, "the loss")
                loss.backward()
                total = loss.detach() if total is None else total + loss.detach()
        finally:
            self._take = self._gather
        with torch.no_grad():
            norm = finite_norm(list(self._sums.values()))
            for name, gradient in self._sums.items():
                if self._method.clip:
                    gradient.mul_((self._method.clip / (norm + 1e-6)).clamp(max=1.0))
                step = self._moments[name].direction(gradient)
                self._weights[name].view(-1).index_add_(0, self._places[name], step, alpha=-rate)
            for name, places in grown.items():
                self._replace(name, places)
        self._sums = {}
        self.rounds += 1
        return total

    def _looking_around(self) -> dict[str, Any]:
        """From now on until the end of the step, the places with the largest gradients that are not trained yet, by name."""
        found: dict[str, Any] = {}

        def take(name: str, gradient: Any) -> None:
            self._gather(name, gradient)
            if name in self._places:
                size = max(int(self._method.regrow * len(self._places[name])), 1)
                outside = gradient.abs().view(-1).index_fill_(0, self._places[name].long(), -1.0)
                found[name] = outside.topk(size).indices.to(torch.int32)

        self._take = take
        return found

    def _replace(self, name: str, new: Any) -> None:
        places, origin, weight = self._places[name], self._origin[name], self._weights[name].view(-1)
        change = (self._values(name) - origin).abs()
        given_up = change.topk(len(new), largest=False).indices
        weight.index_copy_(0, places[given_up].long(), origin[given_up])
        origin[given_up] = weight[new.long()]
        places[given_up] = new
        for moment in (self._moments[name].first, self._moments[name].second):
            moment[given_up] = 0

    # -- what was learned ----------------------------------------------------------------------------------------------

    def patch(self) -> dict[str, tuple[Any, Any]]:
        """By name of the weight: places in it as if it were flat, int32, and what to add there, float32."""
        return {name: (places, self._values(name) - self._origin[name]) for name, places in self._places.items()}

    def trained(self) -> dict[str, Any]:
        """See `Attached`: nothing in full, `state` has the patch."""
        return {}

    def state(self) -> dict[str, Any]:
        """See `Attached`."""
        slots = {
            name: {
                "places": self._places[name],
                "origin": self._origin[name],
                "now": self._values(name),
                "moments": self._moments[name].state(),
            }
            for name in self._places
        }
        return {**super().state(), "slots": slots}

    def load(self, state: Mapping[str, Any]) -> None:
        """See `Attached`."""
        super().load(state)
        with torch.no_grad():
            for name, origin in self._origin.items():
                self._weights[name].view(-1).index_copy_(0, self._places[name].long(), origin)
            for name, slot in state["slots"].items():
                self._places[name], self._origin[name] = slot["places"], slot["origin"]
                self._moments[name] = Moments(slot["origin"])
                self._moments[name].load(slot["moments"])
                self._weights[name].view(-1).index_copy_(0, slot["places"].long(), slot["now"])

    def finish(self) -> Any:
        """See `Attached`."""
        for hook in self._hooks:
            hook.remove()
        for parameter in self.model.parameters():
            parameter.requires_grad_(True)
            parameter.grad = None
        return super().finish()
