"""Whether a judge can be trusted: pairs whose order is known, made of the library itself.

Of a document a sentence is taken out, and is the query: what is left of the document must be worth more than another document, of
the same length, or three times as long, since judges like length. A judge that fails is told unreliable, and refused. Comparison
with a few known pairs, for a model too weak to be asked outright: Liu et al., "Enabling Weak LLMs to Judge Response Reliability
via Meta Ranking" (2024).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..._errors import UsageError
from ...library.library import Library
from ...read.sentences import spans as sentences
from .models import ModelJudge

__all__ = ["NEEDED", "PAIRS", "KnownPair", "Reliability", "planted", "reliability_of"]

PAIRS = 24
NEEDED = 0.75
"""The share of pairs that a judge must order rightly; what is chance must also be improbable (`Reliability.lower` above a half)."""
LONG = 3
LOOKED_AT = 400
MIN_WORDS, MAX_WORDS, TEXT = 6, 30, 120


@dataclass(frozen=True, slots=True)
class KnownPair:
    """A query, a text that must be worth more for it, and one that must be worth less."""

    query: str
    better: str
    worse: str
    long: bool
    """Whether the worse one is much longer."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """How a judge ordered known pairs; equal scores count a half."""

    pairs: int
    right: float
    ties: int
    nonsense: int
    """Verdicts without a score or grade; such a pair counts a half."""
    long_right: float
    """The share right among pairs whose worse text is the longer one."""

    @property
    def share(self) -> float:
        """The share ordered rightly."""
        return self.right / self.pairs if self.pairs else 0.0

    @property
    def lower(self) -> float:
        """The lower end of the share's 95 % interval (Wilson)."""
        n, z = self.pairs, 1.96
        if not n:
            return 0.0
        p = self.share
        return (p + z * z / (2 * n) - z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)

    @property
    def reliable(self) -> bool:
        """Whether the judge passes."""
        return self.share >= NEEDED and self.lower > 0.5

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return {**told, "share": self.share, "lower": self.lower, "reliable": self.reliable}


def planted(library: Library, count: int = PAIRS, seed: int = 0) -> list[KnownPair]:
    """Known pairs made of the library's own documents. Raises `UsageError` where it has too few that would do."""
    made = list(_parts(library, 2 * count, seed))
    if len(made) < 8:
        raise UsageError(
            f"only {len(made)} documents of {library.path.name} have a sentence to take out, and testing a judge needs 8; "
            "index more documents, or let it judge untested with --unreliable"
        )
    found = []
    for at, (query, rest) in enumerate(made[:count]):
        others = [text for number, (_, text) in enumerate(made) if number != at]
        long = bool(at % 2) and len(others) >= LONG
        begin = (at * 7) % len(others)
        worse = " ".join((others * 2)[begin : begin + (LONG if long else 1)])
        found.append(KnownPair(query, rest, worse, long))
    return found


def reliability_of(judge: ModelJudge, pairs: list[KnownPair]) -> Reliability:
    """Let ``judge`` order ``pairs``. Raises `ModelError`."""
    right, ties, nonsense, long_right, long_count = 0.0, 0, 0, 0.0, 0
    for one in pairs:
        values = [v.grade if v.score is None else v.score for v in judge.judge(one.query, [one.better, one.worse])]
        missing = sum(value is None for value in values)
        nonsense += missing
        better, worse = values
        credit = 0.5 if better is None or worse is None else 1.0 if better > worse else 0.5 if better == worse else 0.0
        ties += not missing and better == worse
        right += credit
        long_count += one.long
        long_right += credit * one.long
    return Reliability(len(pairs), right, ties, nonsense, long_right / long_count if long_count else math.nan)


def _parts(library: Library, count: int, seed: int) -> Iterator[tuple[str, str]]:
    """A sentence of a document and the document without it, of documents drawn with ``seed``."""
    rows = library.rows(0, 10**9) if library.document_count <= LOOKED_AT else _spread(library, seed)
    numbers = [row.number for row in rows]
    random.Random(seed).shuffle(numbers)
    seen: set[str] = set()
    for number in numbers[:LOOKED_AT]:
        if len(seen) == count:
            return
        text = library.document(number).text[:20_000]
        spans = [(a, b) for a, b in sentences(text) if MIN_WORDS <= len(text[a:b].split()) <= MAX_WORDS]
        if len(spans) < 3:
            continue
        start, end = spans[len(spans) // 2]
        query = " ".join(text[start:end].split())
        rest = " ".join((text[:start] + " " + text[end:]).split()[:TEXT])
        if query not in seen and query not in rest:
            seen.add(query)
            yield query, rest


def _spread(library: Library, seed: int) -> list[Any]:
    """Rows of documents from several places of a large library."""
    generator = random.Random(seed)
    step = 50
    found: list[Any] = []
    for _ in range(LOOKED_AT // step):
        found += library.rows(generator.randrange(max(1, library.document_count - step)), step)
    return list({row.number: row for row in found}.values())
