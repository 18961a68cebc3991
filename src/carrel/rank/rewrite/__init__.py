"""Rewriting and expanding queries with a language model, within a budget, its answers kept."""

from .answers import Answers
from .asked import Asked
from .methods import decomposed, expansion, follow_up, rewrites, steered

__all__ = ["Answers", "Asked", "decomposed", "expansion", "follow_up", "rewrites", "steered"]
