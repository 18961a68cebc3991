"""What a recipe does, stage by stage, in words: for `bookwheel explain`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .recipe import Cut, Fuse, Pipe, Recipe, Retrieve
from .stages.base import Stage

__all__ = ["Step", "steps"]

_COST = {"bm25": "0.1 to 1 ms for 100 000 passages", "dense": "0.5 ms for 100 000 passages, and encoding the query"}


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a recipe's description."""

    depth: int
    """How deep it is nested, from 0."""
    text: str
    takes: tuple[str, ...]
    gives: str
    needs: tuple[str, ...]
    cost: str
    does: str
    source: str = ""


def steps(recipe: Recipe) -> list[Step]:
    """The stages of ``recipe`` in the order in which they run; those inside another follow it, one
    deeper.
    """
    return list(_steps(recipe, 0, None))


def _steps(node: Recipe, depth: int, cut: int | None) -> Iterator[Step]:
    best = f", the best {cut}" if cut is not None else ""
    match node:
        case Retrieve(name):
            words = {"bm25": "ranks all passages by BM25", "dense": "ranks all passages by the cosine of their vectors"}
            does = words.get(name, f"ranks all passages by their representation {name}") + best
            yield Step(depth, name, ("query",), "hits", (name,), _COST.get(name, ""), does)
        case Cut(recipe, k):
            yield from _steps(recipe, depth, k if cut is None else min(k, cut))
        case Fuse(terms) if len(terms) == 1:
            yield from _steps(terms[0].recipe, depth, cut)
        case Fuse(terms):
            shares = ", ".join(f"{float(t.weight):g} of {t.recipe}" for t in terms)
            takes = ("query", "hits") if node.needs_hits else ("query",)
            yield Step(depth, "fuse", takes, "hits", (), "0.1 ms", f"adds normalised scores: {shares}{best}")
            for term in terms:
                yield from _steps(term.recipe, depth + 1, None)
        case Pipe(parts):
            for at, part in enumerate(parts):
                yield from _steps(part, depth, cut if at == len(parts) - 1 else None)
        case Stage():
            does = node.summary + best
            yield Step(depth, str(node), node.takes, node.gives, node.needs, node.cost, does, node.source)
            for child in node.children():
                yield from _steps(child, depth + 1, None)
