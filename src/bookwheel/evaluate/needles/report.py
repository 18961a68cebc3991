"""What a needle test found: shares with their intervals, by kind, length and depth, and whether the middle is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from ..proportions import newcombe, wilson
from ..table import format_table
from .keep import Outcome

__all__ = ["Cell", "Middle", "NeedleReport", "tokens"]

SMALL = 0.1
"""A fall of less than this is as good as none."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Some questions of one kind and length."""

    kind: str
    length: int
    depth: float | None
    """None: all depths together."""
    right: int
    count: int
    found: float | None
    """The mean share of what was wanted that the answers have."""
    held: float | None
    """The mean share of the needed sentences that the recipe selected."""
    failed: int = 0
    """Questions that ended with an error; they count as not right."""

    @property
    def share(self) -> float:
        """Right ones, of all."""
        return self.right / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, by Wilson."""
        return wilson(self.right, self.count)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        names = ("kind", "length", "depth", "right", "count", "share", "interval", "found", "held", "failed")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Middle:
    """How the ends of texts of one length compare with their middle (Liu et al., "Lost in the Middle", 2023).

    The first quarter, the middle half and the last quarter. ``shown``: both ends are better, beyond chance; ``refuted``: one of
    the ends is better by less than 10 points, or not at all, beyond chance; else ``open``.
    """

    length: int
    start: tuple[int, int]
    """Right and all."""
    middle: tuple[int, int]
    end: tuple[int, int]

    @property
    def primacy(self) -> tuple[float, float]:
        """95 % interval of start less middle, by Newcombe."""
        return newcombe(*self.start, *self.middle)

    @property
    def recency(self) -> tuple[float, float]:
        """95 % interval of end less middle."""
        return newcombe(*self.end, *self.middle)

    @property
    def verdict(self) -> str:
        """See the class."""
        if self.primacy[0] > 0 and self.recency[0] > 0:
            return "shown"
        return "refuted" if min(self.primacy[1], self.recency[1]) < SMALL else "open"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        names = ("length", "start", "middle", "end", "primacy", "recency", "verdict")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class NeedleReport:
    """The results of a needle test."""

    model: str
    recipe: str | None
    context: int | None
    """Tokens that the recipe selected into, or that the model takes."""
    text: str
    """What the needles were hidden in."""
    outcomes: tuple[Outcome, ...]
    planned: int
    """Questions that were to be asked."""
    depths: tuple[float, ...]
    notes: tuple[str, ...] = ()
    seed: int = 0
    kinds: tuple[str, ...] = field(init=False)
    lengths: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", tuple(dict.fromkeys(one.kind for one in self.outcomes)))
        object.__setattr__(self, "lengths", tuple(sorted({one.length for one in self.outcomes})))

    def cells(self, *, by_depth: bool = False) -> list[Cell]:
        """Every kind at every length, and with ``by_depth`` at every depth."""
        return self._grouped(lambda one: (one.kind, one.length, one.depth if by_depth else None))

    def cell(self, kind: str, length: int, depth: float | None = None) -> Cell | None:
        """One of them; None where no question was asked."""
        some = [one for one in self.outcomes if (one.kind, one.length) == (kind, length) and depth in (None, one.depth)]
        return _cell(kind, length, depth, some) if some else None

    def middles(self) -> list[Middle]:
        """The ends against the middle, for each length that has questions at all three."""
        found = []
        for length in self.lengths:
            parts: list[tuple[int, int]] = []
            for low, high in ((0.0, 0.2499), (0.25, 0.75), (0.7501, 1.0)):
                some = [one for one in self.outcomes if one.length == length and low <= one.depth <= high]
                parts.append((sum(bool(one.right) for one in some), len(some)))
            if all(count for _, count in parts):
                found.append(Middle(length, *parts))
        return found

    @property
    def said(self) -> list[str]:
        """What is to be told beside the table, a sentence each."""
        told = list(self.notes)
        if len(self.outcomes) < self.planned:
            told.append(f"{self.planned - len(self.outcomes):,} of {self.planned:,} questions were not asked")
        if failed := [one for one in self.outcomes if one.error]:
            told.append(f"{len(failed):,} questions ended with an error: {failed[0].error}")
        answers = [one.answer for one in self.outcomes if one.answer is not None]
        if len(answers) >= 4 and (mute := sum(not any(c.isdigit() for c in answer) for answer in answers)) > len(answers) / 2:
            told.append(
                f"{mute:,} of {len(answers):,} answers have no digit in them, as if the model did not take up the question"
            )
        return told

    def to_dict(self, *, questions: bool = False) -> dict[str, Any]:
        """For JSON; with ``questions``, every question too."""
        return {
            "model": self.model,
            "recipe": self.recipe,
            "context": self.context,
            "text": self.text,
            "seed": self.seed,
            "planned": self.planned,
            "asked": len(self.outcomes),
            "cells": [cell.to_dict() for cell in self.cells()],
            "by_depth": [cell.to_dict() for cell in self.cells(by_depth=True)],
            "middle": [one.to_dict() for one in self.middles()],
            "notes": self.said,
            **({"questions": [one.to_dict() for one in self.outcomes]} if questions else {}),
        }

    def __str__(self) -> str:
        header = ["kind", "tokens", "right", "share", "95 % interval"]
        parts = [cell.found is not None for cell in self.cells()], [cell.held is not None for cell in self.cells()]
        columns = [name for name, there in (("found", any(parts[0])), ("selected", any(parts[1]))) if there]
        rows = []
        for cell in self.cells():
            row = [cell.kind, tokens(cell.length), f"{cell.right}/{cell.count}", f"{cell.share:.2f}", _interval(cell.interval)]
            for name in columns:
                value = cell.found if name == "found" else cell.held
                row.append("-" if value is None else f"{value:.2f}")
            rows.append(row)
        lines = [self.title, "", format_table([*header, *columns], rows)]
        if middles := self.middles():
            header = [
                "tokens",
                "first quarter",
                "middle",
                "last quarter",
                "first - middle",
                "last - middle",
                "lost in the middle",
            ]
            rows = [
                [
                    tokens(one.length),
                    *(f"{right}/{count}" for right, count in (one.start, one.middle, one.end)),
                    _interval(one.primacy, signed=True),
                    _interval(one.recency, signed=True),
                    one.verdict,
                ]
                for one in middles
            ]
            lines += ["", format_table(header, rows)]
        return "\n".join(lines)

    @property
    def title(self) -> str:
        """What was tested on what, in a line."""
        who = self.model or "no model"
        how = f"{self.recipe} into {self.context:,} tokens" if self.recipe is not None else "the whole text read"
        return f"{who}, {how}; needles in {self.text}"

    def _grouped(self, name: Callable[[Outcome], tuple[str, int, float | None]]) -> list[Cell]:
        groups: dict[tuple[str, int, float | None], list[Outcome]] = {}
        for one in self.outcomes:
            groups.setdefault(name(one), []).append(one)
        order = {kind: at for at, kind in enumerate(self.kinds)}
        keys: Iterable[tuple[str, int, float | None]] = sorted(groups, key=lambda key: (order[key[0]], key[1], key[2] or 0.0))
        return [_cell(*key, groups[key]) for key in keys]


def _cell(kind: str, length: int, depth: float | None, some: Sequence[Outcome]) -> Cell:
    found = [one.found for one in some if one.found is not None]
    held = [one.held for one in some if one.held is not None]
    return Cell(
        kind,
        length,
        depth,
        sum(bool(one.right) for one in some),
        len(some),
        fmean(found) if found else None,
        fmean(held) if held else None,
        sum(bool(one.error) for one in some),
    )


def tokens(length: int) -> str:
    """``1024`` -> ``1k``, ``1048576`` -> ``1M``, ``2000`` -> ``2,000``."""
    for size, letter in ((1 << 20, "M"), (1 << 10, "k")):
        if length >= size and length % size == 0:
            return f"{length // size}{letter}"
    return f"{length:,}"


def _interval(pair: tuple[float, float], *, signed: bool = False) -> str:
    return f"{pair[0]:+.2f} to {pair[1]:+.2f}" if signed else f"{pair[0]:.2f} to {pair[1]:.2f}"
