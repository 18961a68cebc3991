"""All passages in one prompt, the best last.

Source: Liu et al., "Lost in the middle: how language models use long contexts" (TACL 2024): what stands at the ends of a prompt is
read best, and last comes before the question.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..events import Token
from .base import Run

__all__ = ["draft"]


def draft(run: Run) -> Iterator[Token]:
    """The answer from the passages, worst first."""
    return run.final(run.evidence[::-1])
