"""What a measure of answers sees, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .entailment import Entailment, Words

__all__ = ["AnswerMeasure", "Claim", "Gold", "Insight", "Judged", "Nugget", "mean"]


@dataclass(frozen=True, slots=True)
class Nugget:
    """A fact that a good answer has (Voorhees, TREC 2003; Pradeep et al., AutoNuggetizer, 2025)."""

    text: str
    vital: bool = True
    """Otherwise okay: good to have."""
    aliases: tuple[str, ...] = ()
    """Other wordings, each of which is as good."""


@dataclass(frozen=True, slots=True)
class Insight:
    """Something that several documents say, and that a summary should say with them as its sources (Laban et al., SummHay, 2024)."""

    text: str
    documents: frozenset[str] = frozenset()
    """Ids."""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gold:
    """What is known of the right answer to a question."""

    answers: tuple[str, ...]
    """None where the documents do not have it."""
    language: str = "english"
    parts: tuple[tuple[str, ...], ...] = ()
    """Several short answers that a long one should have, each in several wordings (ASQA's ``qa_pairs``)."""
    nuggets: tuple[Nugget, ...] = ()
    insights: tuple[Insight, ...] = ()
    evidence: tuple[str, ...] = ()
    """The texts on which the right answer rests."""

    @property
    def answerable(self) -> bool:
        """Whether there is an answer at all."""
        return bool(self.answers or self.parts or self.nuggets or self.insights)


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer with the numbers of what it cites."""

    text: str
    citations: tuple[int, ...] = ()
    quotes: tuple[str, ...] = ()
    """The exact words that it quotes."""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer beside the right one."""

    question: str
    text: str
    """Empty where it was refused."""
    refused: bool
    claims: tuple[Claim, ...]
    evidence: Mapping[int, str]
    """The passages that were read, by the numbers by which they are cited."""
    documents: Mapping[int, str]
    """Their documents' ids."""
    gold: Gold
    probability: float | None = None
    """What the log says of how sure the answer is: ``confidence``, or ``probability``."""
    entailment: Entailment = field(default_factory=Words)

    @property
    def quotes(self) -> list[str]:
        """All texts that are quoted."""
        return [quote for claim in self.claims for quote in claim.quotes]

    @property
    def cited(self) -> list[int]:
        """The numbers that are cited, each once."""
        return list(dict.fromkeys(number for claim in self.claims for number in claim.citations))


@dataclass(frozen=True, slots=True)
class AnswerMeasure:
    """A measure of answers, either of each question, of which the mean is taken, or of all together."""

    name: str
    description: str
    source: str
    each: Callable[[Judged], float | None] | None = None
    """The value for one question; None where it has nothing to measure."""
    over: Callable[[Sequence[Judged]], float | None] | None = None

    def of(self, judged: Sequence[Judged]) -> tuple[float | None, int]:
        """The value for all questions, and how many of them it rests on."""
        if self.each is not None:
            values = [value for one in judged if (value := self.each(one)) is not None]
            return mean(values), len(values)
        return (self.over(judged) if self.over is not None else None), len(judged)


def mean(values: Sequence[float]) -> float | None:
    """None for none."""
    return sum(values) / len(values) if values else None
