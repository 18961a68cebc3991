"""Which heads of a model look at what answers a query: found by measuring, on collections other than those reported."""

from __future__ import annotations

from collections.abc import Mapping

from ..._errors import UsageError

__all__ = ["HEADS", "best_heads"]

Head = tuple[int, int]

HEADS: Mapping[str, tuple[Head, ...]] = {
    "smollm2": ((2, 4), (17, 3), (18, 7), (17, 4), (18, 6), (15, 6)),
}
"""By model: (layer, head), best first. ``bench/reranking.py heads`` measures every head of a model."""


def best_heads(model: str) -> tuple[Head, ...]:
    """The heads known for ``model``. Raises `UsageError` where they were never measured."""
    try:
        return HEADS[model]
    except KeyError:
        raise UsageError(
            f'the best heads of {model!r} are not known, only those of {", ".join(HEADS)}; take all with heads="all"'
        ) from None
