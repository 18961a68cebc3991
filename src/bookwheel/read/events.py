"""What happens while a question is answered."""

from __future__ import annotations

from dataclasses import dataclass

from .answer import Answer
from .evidence import Evidence

__all__ = ["Event", "Found", "Token"]


@dataclass(frozen=True, slots=True)
class Found:
    """The evidence, before anything is written."""

    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of what a model is writing: a draft that nothing has been verified of yet."""

    text: str


Event = Found | Token | Answer
