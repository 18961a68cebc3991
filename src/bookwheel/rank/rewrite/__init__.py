"""Rewriting and expanding queries with a language model, within a budget, its answers kept."""

from ...language.answers import Answers
from ...language.ask import Asked
from .methods import decomposed, expansion, follow_up, rewrites, steered

__all__ = ["Answers", "Asked", "decomposed", "expansion", "follow_up", "rewrites", "steered"]
