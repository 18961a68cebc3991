"""The ways to train in little memory, by name. A new one is a file and a line here; nothing is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..._errors import UsageError

if TYPE_CHECKING:
    from .protocols import Method

__all__ = ["METHODS", "Line", "method"]


@dataclass(frozen=True)
class Line:
    """``what``: ``file.Class`` in this folder, made with ``options``; an option that is a line is made first."""

    what: str
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    tells: str = ""
    """What it does, for people."""

    def make(self, **changes: Any) -> Any:
        """The object, with ``changes`` to its options."""
        file, name = self.what.split(".")
        kind = getattr(import_module(f".{file}", __package__), name)
        options = {**self.options, **changes}
        return kind(**{key: value.make() if isinstance(value, Line) else value for key, value in options.items()})


def _projected(**options: Any) -> Line:
    return Line("projected.Projected", options)


_SGD, _FACTORED, _ADAM8 = Line("rules.Sgd"), Line("rules.Factored"), Line("rules.Adam", {"bits": 8})
_GALORE = {"projection": "svd", "rank": 64, "period": 50}

METHODS: Mapping[str, Line] = MappingProxyType(
    {
        "adamw": Line("full.Full", {}, "all weights, two moments each"),
        "muon": Line("full.Full", {"rule": Line("rules.Muon")}, "all weights, one moment made orthogonal"),
        "adamw-8bit": Line("full.Full", {"rule": _ADAM8}, "all weights, moments in 8 bits"),
        "adamw-8bit-fused": Line("full.Full", {"rule": _ADAM8, "fused": True}, "the same, each weight at once"),
        "adafactor": Line("full.Full", {"rule": _FACTORED, "rate": 1e-3}, "all weights, factored second moment"),
        "lomo": Line("full.Full", {"rule": _SGD, "fused": True, "rate": 1e-2}, "all weights at once, no state"),
        "adalomo": Line("full.Full", {"rule": _FACTORED, "fused": True, "rate": 1e-3}, "all weights at once, factored"),
        "lora": Line("adapters.Adapters", {"kind": "lora"}, "low-rank factors"),
        "rslora": Line("adapters.Adapters", {"kind": "rslora"}, "low-rank factors, scaled by the root of the rank"),
        "dora": Line("adapters.Adapters", {"kind": "dora"}, "low-rank factors for directions, and magnitudes"),
        "vera": Line("adapters.Adapters", {"kind": "vera", "rank": 256, "rate": 5e-3}, "scales of fixed random factors"),
        "pissa": Line("adapters.Adapters", {"kind": "pissa"}, "factors that start as the principal part of the weights"),
        "olora": Line("adapters.Adapters", {"kind": "olora"}, "factors that start orthogonal"),
        "corda": Line("adapters.Adapters", {"kind": "corda"}, "factors that start along the texts' activations"),
        "lora-ga": Line("adapters.Adapters", {"kind": "lora-ga"}, "factors that start along the first gradient"),
        "lora-xs": Line("small_core.SmallCore", {"start": "weight"}, "a small core between singular vectors of the weights"),
        "lora-sb": Line("small_core.SmallCore", {"start": "gradient"}, "a small core between those of the first step"),
        "lisa": Line("layer_sampling.Sampled", {}, "a few layers at a time, with embeddings and head"),
        "owlore": Line(
            "layer_sampling.Sampled",
            {"draw": "outliers", "others": False, "layers": 4, "rule": _projected(**_GALORE)},
            "a few layers at a time, those with outliers more often, projected",
        ),
        "galore": Line("full.Full", {"rule": _projected(**_GALORE)}, "all weights, moments of projected gradients"),
        "galore-fused": Line("full.Full", {"rule": _projected(**_GALORE), "fused": True}, "the same, each weight at once"),
        "galore-8bit": Line("full.Full", {"rule": _projected(**_GALORE, bits=8), "fused": True}, "the same, in 8 bits"),
        "grass": Line(
            "full.Full",
            {"rule": _projected(projection="rows", rank=64, period=50, carry="reset"), "fused": True},
            "all weights, moments of the rows with the largest gradients",
        ),
        "frugal": Line(
            "full.Full",
            {"rule": _projected(projection="rows", rank=64, period=50, carry="reset", residual="sign"), "fused": True},
            "the same, and the sign of the gradient for other rows",
        ),
        "flora": Line(
            "full.Full",
            {"rule": _projected(projection="random", rank=64, period=50, carry="move", scale=0.25), "fused": True},
            "all weights, moments of randomly projected gradients",
        ),
        "apollo": Line(
            "full.Full",
            {"rule": _projected(projection="random", rank=64, period=50, use="channels", carry="reset"), "fused": True},
            "all weights, their gradient scaled by channel",
        ),
        "gwt": Line(
            "full.Full",
            {"rule": _projected(projection="haar", rank=144, carry="keep"), "fused": True},
            "all weights, moments of the gradient's low frequencies",
        ),
        "fish": Line("sparse.Sparse", {"choose": "fisher"}, "half a percent of the weights, by Fisher information"),
        "shira": Line("sparse.Sparse", {"choose": "random"}, "half a percent, at random"),
        "shira-magnitude": Line("sparse.Sparse", {"choose": "magnitude"}, "half a percent, the largest"),
        "s2ft": Line("sparse.Sparse", {"choose": "rows"}, "half a percent, as whole rows"),
        "spiel": Line(
            "sparse.Sparse",
            {"choose": "gradient", "regrow": 0.2},
            "half a percent, those that change little give way to others",
        ),
        "ladder": Line("side_network.SideNetwork", {"kind": "ladder"}, "a narrow network at the side of the model"),
        "read": Line("side_network.SideNetwork", {"kind": "recurrent"}, "a recurrent network at its side"),
        "unipt": Line("side_network.SideNetwork", {"kind": "parallel"}, "layers weighed by confidence at its side"),
        "mezo": Line("forward_only.ForwardOnly", {}, "all weights, without gradients"),
        "sparse-mezo": Line(
            "forward_only.ForwardOnly", {"share": 0.25, "rate": 4e-6}, "the smallest quarter of the weights, without gradients"
        ),
    }
)
"""Name to line."""


def method(name: str, **changes: Any) -> Method:
    """The method called ``name``, with ``changes`` to its parameters. Raises `UsageError` for a name that there is not.

    Needs torch, and peft for adapters.
    """
    if name not in METHODS:
        near = get_close_matches(name, METHODS, 1)
        raise UsageError(
            f"there is no way to train called {name!r}{f'; did you mean {near[0]!r}?' if near else ''}; there are {', '.join(METHODS)}"
        )
    try:
        found: Method = METHODS[name].make(**changes)
    except ImportError as error:
        raise UsageError(f"training needs {error.name}, which is not installed; type: pip install 'bookwheel[train]'") from None
    return found
