"""Stored text cut into pieces that templates escape and mark; nothing of it ever becomes HTML by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

__all__ = ["HIDDEN", "HIT", "QUOTE", "Piece", "Spot", "once", "pieces_of"]

HIT, QUOTE, HIDDEN = "hit", "quote", "unseen"


@dataclass(frozen=True, slots=True)
class Spot:
    """A span of a text that is marked."""

    start: int
    end: int
    kind: str
    """``hit``: a word of the query; ``quote``: what was followed here; ``unseen``: its document's readers are not shown it."""
    anchor: str = ""
    """The id of the first of its pieces that is shown: see `once`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text with one kind of mark, or none."""

    text: str
    kinds: str = ""
    """CSS classes."""
    anchor: str = ""

    def to_dict(self) -> dict[str, str]:
        """For JSON."""
        return {name: value for name, value in (("text", self.text), ("marks", self.kinds)) if value}


def pieces_of(text: str, spots: Iterable[Spot], start: int = 0) -> list[Piece]:
    """``text``, which begins at ``start`` of its document, in pieces: each is in the same ``spots`` all along."""
    end = start + len(text)
    here = [spot for spot in spots if spot.start < end and spot.end > start and spot.end > spot.start]
    cuts = sorted({start, end, *(max(spot.start, start) for spot in here), *(min(spot.end, end) for spot in here)})
    opened: Sequence[Spot] = sorted(here, key=lambda spot: spot.start)
    found: list[Piece] = []
    at, active = 0, list[Spot]()
    for low, high in pairwise(cuts):
        while at < len(opened) and opened[at].start <= low:
            active.append(opened[at])
            at += 1
        active = [spot for spot in active if spot.end > low]
        kinds = " ".join(dict.fromkeys(spot.kind for spot in active))
        anchor = next((spot.anchor for spot in active if spot.anchor and max(spot.start, start) == low), "")
        found.append(Piece(text[low - start : high - start], kinds, anchor))
    return found


def once(runs: Iterable[list[Piece]]) -> None:
    """Leave each anchor to the first of the pieces that have it, in place: what is marked may go over many blocks."""
    seen: set[str] = set()
    for pieces in runs:
        for at, piece in enumerate(pieces):
            if piece.anchor in seen:
                pieces[at] = replace(piece, anchor="")
            elif piece.anchor:
                seen.add(piece.anchor)
