"""Low-rank adapters by peft: the model stays as it is, small factors beside its linear layers are trained and merged at the end.

LoRA (Hu et al., https://arxiv.org/abs/2106.09685), rsLoRA (Kalajdzievski, https://arxiv.org/abs/2312.03732), DoRA (Liu et al.,
https://arxiv.org/abs/2402.09353), VeRA (Kopiczko et al., https://arxiv.org/abs/2310.11454), PiSSA (Meng et al.,
https://arxiv.org/abs/2404.02948), OLoRA (Büyükakyüz, https://arxiv.org/abs/2406.01775), LoRA-GA (Wang et al.,
https://arxiv.org/abs/2407.05000), CorDA (Yang et al., "CorDA: Context-Oriented Decomposition Adaptation of Large Language Models"
(2024), https://arxiv.org/abs/2406.05223).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..._errors import TrainingError
from .checkpointing import no_input_gradients
from .modules import layers_of, linear_modules
from .protocols import Attached, Loss, Stepping
from .rules import ADAM, Rule
from .starts import activation_factors, gradient_factors

__all__ = ["KINDS", "Adapters"]

KINDS = ("lora", "rslora", "dora", "vera", "pissa", "olora", "corda", "lora-ga")
GAMMA = 16.0
"""How strongly the start by gradients is scaled down (LoRA-GA's gamma)."""


@dataclass(frozen=True)
class Adapters:
    """``rank`` of the factors; ``alpha``: their product is multiplied by ``alpha / rank`` (rsLoRA: ``alpha / sqrt(rank)``).

    ``only``: the last names of the linear modules that get factors, such as ``q_proj``; all of them where there are none. ``layers``:
    the last layers, which alone have modules that get factors; 0 for all: gradients go no further back. ``whole``: ends of names of
    weights that are trained as they are, such as ``score.weight``.
    """

    kind: str = "lora"
    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    rule: Rule = ADAM
    rate: float = 2e-4
    clip: float = 1.0
    only: tuple[str, ...] = ()
    layers: int = 0
    whole: tuple[str, ...] = ()

    def attach(self, model: Any, first: Sequence[Loss] = (), seed: int = 0) -> Attached:
        """See `Method`. Starts by gradients or by activations need ``first``."""
        if self.kind in ("corda", "lora-ga") and not first:
            raise TrainingError(f"adapters that start as {self.kind!r} need a batch of the training data to start with")
        return _Adapters(model, self, first, seed)


class _Adapters(Stepping):
    def __init__(self, model: Any, method: Adapters, first: Sequence[Loss], seed: int) -> None:
        import peft

        config = _config(peft, method, _targets(model, method), seed)
        starts: dict[str, tuple[Any, Any]] = {}
        if method.kind == "lora-ga":
            found = gradient_factors(model, first[0], 2 * method.rank, seed)
            starts = {name: _stable(left, right, method.rank) for name, (left, right, _) in found.items()}
        elif method.kind == "corda":
            starts = activation_factors(model, first, method.rank, seed)
        with torch.random.fork_rng(devices=()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.manual_seed(seed)
            self._wrapped = peft.get_peft_model(model, config)
        inner = self._wrapped.base_model.model
        no_input_gradients(inner)
        for name, (above, below) in starts.items():
            _start(inner.get_submodule(name), above, below)
        for name, weight in inner.named_parameters():
            if name.endswith(method.whole):
                weight.requires_grad_(True)
        adapters = {name: weight for name, weight in inner.named_parameters() if weight.requires_grad}
        super().__init__(inner, adapters, method.rule, clip=method.clip, seed=seed)

    def finish(self) -> Any:
        """See `Attached`: the factors are merged into the weights."""
        self.choose({})
        merged = self._wrapped.merge_and_unload()
        for parameter in merged.parameters():
            parameter.requires_grad_(True)
        if hasattr(merged, "peft_config"):
            del merged.peft_config
        return merged


def _targets(model: Any, method: Adapters) -> list[str]:
    """The modules that get factors: by their last names, or by their whole names where some layers alone have them."""
    every = linear_modules(model)
    if not method.layers:
        names = {name.rpartition(".")[2] for name in every}
        return sorted(names & set(method.only) if method.only else names)
    inside = {id(module) for layer in layers_of(model)[-method.layers :] for module in layer.modules()}
    return sorted(
        name
        for name, module in every.items()
        if id(module) in inside and (not method.only or name.rpartition(".")[2] in method.only)
    )


def _config(peft: Any, method: Adapters, targets: list[str], seed: int) -> Any:
    if method.kind == "vera":
        return peft.VeraConfig(r=method.rank, target_modules=targets, vera_dropout=method.dropout, projection_prng_key=seed)
    more: dict[str, Any] = {}
    if method.kind == "pissa":
        more["init_lora_weights"] = "pissa_niter_4"
    elif method.kind == "olora":
        more["init_lora_weights"] = "olora"
    return peft.LoraConfig(
        r=method.rank,
        lora_alpha=method.alpha,
        lora_dropout=method.dropout,
        target_modules=targets,
        use_rslora=method.kind in ("rslora", "lora-ga"),
        use_dora=method.kind == "dora",
        **more,
    )


def _stable(left: Any, right: Any, rank: int) -> tuple[Any, Any]:
    """LoRA-GA's stable start: the gradient's next directions above, its first ones below, of a size that fits the outputs."""
    size = left.shape[0] ** 0.25 / GAMMA**0.5
    return left[:, -rank:] * size, right[:rank] * size


def _start(module: Any, above: Any, below: Any) -> None:
    """Begin with the factors ``above``, (outputs, rank), and ``below``, (rank, inputs): the module computes what it did before."""
    with torch.no_grad():
        module.lora_B["default"].weight.copy_(above)
        module.lora_A["default"].weight.copy_(below)
        module.get_base_layer().weight.sub_(above @ below, alpha=module.scaling["default"])
