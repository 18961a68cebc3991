"""What a way to train is, and what it becomes once it is attached to a model.

A method is a frozen dataclass whose fields are its parameters. ``attach`` makes it ready to train one model; what comes back takes
steps, tells its state so that a run can be resumed, and gives back the plain model at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch

from .rules import Rule, Slot
from .tensors import check_finite, finite_norm

__all__ = ["Attached", "Loss", "Method", "Stepping"]

Loss = Callable[[], Any]
"""Computes the loss of one part of a step's batch, a scalar tensor; those of all parts add up to the loss of the step."""


class Attached:
    """A method that was attached to a model."""

    one_part = False
    """Whether a step's batch must stay whole, because weights change while the gradient is being computed."""

    def __init__(self, model: Any) -> None:
        self.model = model
        """What the loss is computed with."""
        self.rounds = 0
        """Steps taken."""

    def step(self, parts: Sequence[Loss], rate: float) -> Any:
        """Take one step at the learning rate ``rate``; returns the loss before it, a scalar tensor.

        Raises `TrainingError` where the loss or the gradient is not finite, before any weight has changed (methods with
        ``one_part``: before a weight whose gradient is not finite has changed).
        """
        raise NotImplementedError

    def trained(self) -> dict[str, Any]:
        """The tensors that steps change, by name. They are saved to resume a run."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """What else resuming needs: nested dictionaries and lists of tensors, numbers and strings."""
        return {"rounds": self.rounds}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` told."""
        self.rounds = int(state["rounds"])

    def finish(self) -> Any:
        """End training: the plain model, with what was learned in its weights, as it can be saved."""
        return self.model


class Method(Protocol):
    """A way to train: a frozen dataclass."""

    @property
    def rate(self) -> float:
        """The learning rate where none is given."""

    def attach(self, model: Any, first: Sequence[Loss] = (), seed: int = 0) -> Attached:
        """Make ``model`` ready to be trained.

        ``first``: losses of one batch of the training data, for methods that look at gradients or
        at activations before they begin. ``seed``: of whatever is random.
        """


class Stepping(Attached):
    """Weights that are trained by their gradients, each by a slot of a rule.

    ``fused``: a weight is updated as soon as its gradient is there, and the gradient is forgotten,
    so that never more than one exists (LOMO, Lv et al. 2023, https://arxiv.org/abs/2306.09782).
    ``clip``: the largest norm of all gradients together; of each one by itself where fused, since
    no other is known then (as AdaLomo, https://arxiv.org/abs/2310.10195). 0 for none.
    """

    def __init__(
        self, model: Any, weights: Mapping[str, Any], rule: Rule, *, fused: bool = False, clip: float = 1.0, seed: int = 0
    ) -> None:
        super().__init__(model)
        self.rule, self.fused, self.clip, self.seed = rule, fused, clip, seed
        self.one_part = fused
        self._rate = 0.0
        self._slots: dict[str, Slot] = {}
        self._weights: dict[str, Any] = {}
        self._hooks: list[Any] = []
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        self.choose(weights)

    def choose(self, weights: Mapping[str, Any]) -> None:
        """Train these weights from now on. The slots of others are dropped."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
        for weight in self._weights.values():
            weight.requires_grad_(False)
            weight.grad = None
        self._weights = dict(weights)
        self._slots = {name: slot for name, slot in self._slots.items() if name in self._weights}
        for name, weight in self._weights.items():
            weight.requires_grad_(True)
            if self.fused:
                self._hooks.append(weight.register_post_accumulate_grad_hook(self._hook(name)))

    def trained(self) -> dict[str, Any]:
        """See `Attached`."""
        return dict(self._weights)

    def step(self, parts: Sequence[Loss], rate: float) -> Any:
        """See `Attached`."""
        self._rate, total = rate, None
        if self.fused and len(parts) > 1:
            raise ValueError(
                f"weights change during the first of {len(parts)} parts of a step; a fused method needs the step whole"
            )
        try:
            for part in parts:
                loss = part()
                check_finite(loss, "the loss")
                loss.backward()
                total = loss.detach() if total is None else total + loss.detach()
                del loss
            if not self.fused:
                self._update_all()
        except BaseException:
            for weight in self._weights.values():
                weight.grad = None
            raise
        self.rounds += 1
        return total

    def _update_all(self) -> None:
        found = {name: weight for name, weight in self._weights.items() if weight.grad is not None}
        with torch.no_grad():
            norm = finite_norm([weight.grad for weight in found.values()])
            for name, weight in found.items():
                gradient, weight.grad = weight.grad, None
                self._update(name, weight, gradient, norm)
                del gradient

    def _hook(self, name: str) -> Callable[[Any], None]:
        def update(weight: Any) -> None:
            gradient, weight.grad = weight.grad, None
            with torch.no_grad():
                self._update(name, weight, gradient, finite_norm([gradient]))

        return update

    def _update(self, name: str, weight: Any, gradient: Any, norm: Any) -> None:
        if self.clip:
            gradient.mul_((self.clip / (norm + 1e-6)).clamp(max=1.0))
        slot = self._slots.get(name)
        if slot is None:
            slot = self._slots[name] = self.rule.slot(weight, f"{self.seed} {name}")
        slot.update(weight, gradient, self._rate)

    def state(self) -> dict[str, Any]:
        """See `Attached`."""
        return {**super().state(), "slots": {name: slot.state() for name, slot in self._slots.items()}}

    def load(self, state: Mapping[str, Any]) -> None:
        """See `Attached`."""
        super().load(state)
        self._slots = {}
        for name, found in state["slots"].items():
            slot = self._slots[name] = self.rule.slot(self._weights[name], f"{self.seed} {name}")
            slot.load(found)

    def finish(self) -> Any:
        """See `Attached`."""
        self.choose({})
        for parameter in self.model.parameters():
            parameter.requires_grad_(True)
        return super().finish()
