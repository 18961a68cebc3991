"""Runs that end with a model for the stage `cross`."""

from __future__ import annotations

from typing import ClassVar

from ..lists.run import ListRun

__all__ = ["CANDIDATES", "RerankerRun"]

CANDIDATES = 20
"""Of BM25, that are put into order, as `cross` does unless told otherwise."""


class RerankerRun(ListRun):
    """What they have in common."""

    kind: ClassVar[str] = "reranker"
    candidates: ClassVar[int] = CANDIDATES
    tags: ClassVar[tuple[str, ...]] = ("cross-encoder", "text-ranking", "reranker", "bookwheel")

    def stage(self, weight: float, folder: str = "") -> str:
        """``cross``."""
        model = f', model="{folder}"' if folder else ""
        return f"cross({self.candidates}{model}{'' if weight == 1 else f', weight={weight:g}'})"
