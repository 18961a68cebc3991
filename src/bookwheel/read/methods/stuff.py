"""All passages in one prompt, the best last.

Source: Liu et al., "Lost in the Middle: How Language Models Use Long Contexts" (2023): what stands at the ends of a prompt is
read best, and last comes before the question. Ordering is the first remedy, too, of Jin et al., "Long-Context LLMs Meet RAG:
Overcoming Challenges for Long Inputs in RAG" (2024), who put the best at both ends; that is the part of it that is here, their
others tune the model.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..events import Token
from .base import Run

__all__ = ["draft"]


def draft(run: Run) -> Iterator[Token]:
    """The answer from the passages, worst first."""
    return run.final(run.evidence[::-1])
