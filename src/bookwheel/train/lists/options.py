"""How a model is trained on lists of passages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..._errors import UsageError

__all__ = ["LOSSES", "ListOptions", "checked"]

LOSSES = ("contrast", "listwise", "margin-mse")
"""`LocalizedContrast`, which needs no teacher; `Listwise` and `MarginMSE`, which imitate one."""


@dataclass(frozen=True)
class ListOptions:
    """How a model is trained on lists."""

    loss: str | None = None
    """One of `LOSSES`; None for `listwise` with a teacher and `contrast` without."""
    batch: int = 8
    """Queries of a step."""
    others: int = 7
    """Passages of each query in a step, beside its answer."""
    tokens: int = 160
    """That are read at once, at most, while training."""
    layers: int = 0
    """The last layers, which alone are trained, with what follows them; 0 for all weights."""
    rate: float = 1e-4
    warmup: float = 0.1
    """The share of the steps in which the rate rises; then it falls to nothing."""
    scale: float = 20.0
    """The teacher's cosines are multiplied by it."""
    epochs: int = 3
    """Times, at most, that a query is trained on, each time with other passages."""
    seed: int = 0


def checked(options: ListOptions, sources: Sequence[str], *, taught: bool) -> None:
    """Raise `UsageError` for options that mean nothing; ``taught``: whether there is a teacher."""
    if not sources:
        raise UsageError("name a source of pairs, such as titles")
    if options.loss is not None and options.loss not in LOSSES:
        raise UsageError(f"there is no loss {options.loss!r:.40}; choose from {', '.join(LOSSES)}")
    if options.loss in ("listwise", "margin-mse") and not taught:
        raise UsageError(f"the loss {options.loss} imitates a teacher; name one, or take the loss contrast")
    if options.batch < 1 or options.others < 1:
        raise UsageError(
            f"a step has at least one query with one passage beside its answer, not {options.batch} and {options.others}"
        )
