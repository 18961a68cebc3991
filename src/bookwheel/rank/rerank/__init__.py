"""Rerankers: what puts a few dozen candidates into a better order, slowly."""

from .base import Reranked, Reranker, applied

__all__ = ["Reranked", "Reranker", "applied"]
