"""How a model that runs on this machine is to run, and what overrides its own files.

``query_prefix`` is how a task is told with each query: Asai et al., "Task-aware Retrieval with Instructions" (2022). In part: it is
one instruction for an encoder, which others have trained to follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from .._errors import UsageError
from .._system import cores

__all__ = ["Options", "Pooling", "Precision"]

Precision = Literal["int8", "fp32"]
Pooling = Literal["mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
"""The pooling modes of sentence-transformers, by their names there."""


@dataclass(frozen=True)
class Options:
    """The settings of a model; None stands for what its files say.

    ``precision`` int8 has weights and activations of the linear layers in 8 bits. It changes a vector by about
    one hundredth of its length, and nDCG@10 by at most 0.005 on any collection measured (``docs/models.md``), so
    vectors of both precisions may be mixed. ``dimension`` cuts vectors (Matryoshka). ``tokenizer`` is the folder
    or package of the tokenizer where the model has none.
    """

    precision: Precision = "int8"
    threads: int | None = None
    """Texts encoded in parallel, each on one core; None for the cores this process may use."""
    max_tokens: int | None = None
    dimension: int | None = None
    pooling: Pooling | None = None
    normalize: bool | None = None
    query_prefix: str | None = None
    passage_prefix: str | None = None
    tokenizer: str | None = None
    query_table: str | None = None
    """A JSON file of token weights, with which a sparse encoder makes queries without running a model."""
    revision: str | None = None
    """A commit, tag or branch of a model on the hub."""

    def __post_init__(self) -> None:
        for name, kind in (("precision", Precision), ("pooling", Pooling)):
            value = getattr(self, name)
            if value is not None and value not in get_args(kind):
                raise UsageError(f"{name} must be one of {', '.join(get_args(kind))}, not {value!r}")
        for name in ("threads", "max_tokens", "dimension"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise UsageError(f"{name} must be a whole number of at least 1, not {value!r}")

    @classmethod
    def of(cls, overrides: Mapping[str, Any]) -> Options:
        """From keyword arguments; raises `UsageError` for an unknown name."""
        known = [field.name for field in fields(cls)]
        for name in overrides:
            if name not in known:
                raise UsageError(f"an encoder has no setting {name!r}; choose from {', '.join(known)}")
        return cls(**overrides)

    @property
    def workers(self) -> int:
        """Texts encoded in parallel."""
        return self.threads or cores()
