"""A small network beside the model reads its hidden states; nothing goes back through the model itself, which stays as it is.

- ``ladder``: a rung for each layer (Sung et al., LST, https://arxiv.org/abs/2206.06522), its states narrowed without a gradient as
  in Zhang et al., "Quantized Side Tuning: Fast and Memory-Efficient Tuning of Quantized Large Language Models" (2024),
  https://arxiv.org/abs/2401.07159; in part: the model at whose side it stands is not quantised here.
- ``recurrent``: one network that is the same at every layer. Wang et al., "READ: Recurrent Adaptation of Large Transformers" (2023),
  https://arxiv.org/abs/2305.15348.
- ``parallel``: layers weighed by the confidence of each token's states. Diao et al., "UniPT: Universal Parallel Tuning for Transfer
  Learning with Efficient Parameter and Memory" (2023), https://arxiv.org/abs/2308.14316.

Modules that are scattered over the layers become one path, which makes the tuning of rankers stable: Ma et al., "Scattered or
Connected? An Optimized Parameter-efficient Tuning Approach for Information Retrieval" (2022), https://arxiv.org/abs/2208.09847. In
part: they connect modules inside the layers; here the path stands outside of them, and rankers were not trained.

What was learned cannot be merged into the model: the end is the model with the network at its side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch

from ..._errors import TrainingError
from .modules import layers_of
from .protocols import Attached, Loss, Stepping
from .rules import ADAM, Rule

__all__ = ["KINDS", "Beside", "SideNetwork"]

KINDS = ("ladder", "recurrent", "parallel")


@dataclass(frozen=True)
class SideNetwork:
    """``kind``: one of `KINDS`. ``reduction``: how many times narrower than the model; must divide its width."""

    kind: str = "ladder"
    reduction: int = 8
    rule: Rule = ADAM
    rate: float = 1e-3
    clip: float = 1.0

    def attach(self, model: Any, first: Sequence[Loss] = (), seed: int = 0) -> Attached:
        """See `Method`."""
        width = model.get_input_embeddings().weight.shape[1]
        if self.kind not in KINDS:
            raise TrainingError(f"a network at the side is one of {', '.join(KINDS)}, not {self.kind!r}")
        if width % self.reduction:
            raise TrainingError(f"a network at the side of a model of width {width} cannot be {self.reduction} times narrower")
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            beside = Beside(model, self.kind, self.reduction)
        weights = {name: weight for name, weight in beside.side.named_parameters()}  # noqa: C416  # not an iterator
        return Stepping(beside, weights, self.rule, clip=self.clip, seed=seed)


class Beside(torch.nn.Module):
    """``base`` with the network ``side``; before training it computes what ``base`` does. Has a decoder and an output layer."""

    supports_gradient_checkpointing = False

    def __init__(self, base: Any, kind: str, reduction: int) -> None:
        super().__init__()
        self.base = base
        width = base.get_input_embeddings().weight.shape[1]
        like = base.get_input_embeddings().weight.dtype
        self.side = _Side(kind, len(layers_of(base)), width, width // reduction).to(like)

    def get_decoder(self) -> Any:
        """The model's decoder, corrected by the network."""
        return self._read

    def get_input_embeddings(self) -> Any:
        """The model's."""
        return self.base.get_input_embeddings()

    def get_output_embeddings(self) -> Any:
        """The model's."""
        return self.base.get_output_embeddings()

    def _read(self, **inputs: Any) -> Any:
        states: list[Any] = []

        def keep(_: Any, __: Any, out: Any) -> None:
            states.append(self.side.narrowed(out[0] if isinstance(out, tuple) else out))

        hooks = [layer.register_forward_hook(keep) for layer in layers_of(self.base)]
        try:
            with torch.no_grad():
                last = self.base.get_decoder()(**inputs).last_hidden_state
        finally:
            for hook in hooks:
                hook.remove()
        return SimpleNamespace(last_hidden_state=last + self.side(states))

    def forward(self, **inputs: Any) -> Any:
        """Logits, as the model's own."""
        hidden = self._read(**inputs).last_hidden_state
        return SimpleNamespace(logits=self.base.get_output_embeddings()(hidden))


class _Side(torch.nn.Module):
    def __init__(self, kind: str, layers: int, width: int, narrow: int) -> None:
        super().__init__()
        self.kind, self.group = kind, width // narrow
        if kind == "ladder":
            self.gates = torch.nn.Parameter(torch.zeros(layers))
            self.rungs = torch.nn.ModuleList(_Rung(narrow) for _ in range(layers))
        elif kind == "recurrent":
            self.cell = torch.nn.GRUCell(narrow, narrow)
        else:
            self.confidence = torch.nn.ModuleList(torch.nn.Linear(narrow, 1) for _ in range(layers))
            self.rung = _Rung(narrow)
        self.norm = torch.nn.LayerNorm(narrow)
        self.widen = torch.nn.Linear(narrow, width)
        torch.nn.init.zeros_(self.widen.weight)
        torch.nn.init.zeros_(self.widen.bias)

    def narrowed(self, hidden: Any) -> Any:
        """A layer's hidden states, their size taken out and neighbours averaged: (texts, tokens, narrow)."""
        size = hidden.square().mean(-1, keepdim=True).sqrt() + 1e-6
        return (hidden / size).unflatten(-1, (-1, self.group)).mean(-1) * self.group**0.5

    def forward(self, states: list[Any]) -> Any:
        if self.kind == "ladder":
            found = states[0]
            for gate, rung, state in zip(torch.sigmoid(self.gates), self.rungs, states, strict=True):
                found = rung(gate * found + (1 - gate) * state)
        elif self.kind == "recurrent":
            flat = torch.zeros_like(states[0]).flatten(0, 1)
            for state in states:
                flat = self.cell(state.flatten(0, 1), flat)
            found = flat.view_as(states[0])
        else:
            weights = torch.cat([score(state) for score, state in zip(self.confidence, states, strict=True)], -1).softmax(-1)
            found = states[0] * weights[..., :1]
            for number, state in enumerate(states[1:], 1):
                found = found + state * weights[..., number : number + 1]
            found = self.rung(found)
        return self.widen(self.norm(found))


class _Rung(torch.nn.Module):
    """What a layer of the side network is: no attention, the states that it reads have seen the other tokens."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = torch.nn.LayerNorm(width)
        self.up, self.down = torch.nn.Linear(width, 2 * width), torch.nn.Linear(2 * width, width)

    def forward(self, hidden: Any) -> Any:
        return hidden + self.down(torch.nn.functional.gelu(self.up(self.norm(hidden))))
