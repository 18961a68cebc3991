"""An answer: claims, each with the stored text that it rests on, or a refusal with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .evidence import Evidence, Quote

if TYPE_CHECKING:
    from .everywhere import MentionList

__all__ = ["Answer", "Claim", "Spent", "Status"]

Status = Literal["quoted", "counted", "supported", "altered", "unsupported"]
"""``quoted``: stored text, word by word. ``counted``: a number over all documents, none of them left out. ``supported``: every
number, name and content word of it stands in its quotes. ``altered``: near to them, but a number, a name or a negation differs.
``unsupported``: neither."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer."""

    text: str
    status: Status
    quotes: tuple[Quote, ...] = ()
    note: str = ""
    """Why it is altered or unsupported, in words for people."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"text": self.text, "status": self.status, "quotes": [q.to_dict() for q in self.quotes], "note": self.note}


@dataclass(frozen=True, slots=True)
class Spent:
    """What models were asked for one answer."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What `Library.ask` gives back."""

    question: str
    claims: tuple[Claim, ...]
    """In reading order; none for a refusal."""
    evidence: tuple[Evidence, ...]
    """The passages that were read, best first; also for a refusal, as the nearest that there is."""
    method: str
    """Which way it was made: ``quote``, or the name of a reading method."""
    model: str = ""
    """The language model that phrased it; none for a quoting answer."""
    refused: bool = False
    reason: str = ""
    """Why there is no answer, in one sentence."""
    probability: float | None = None
    """Estimated probability that the evidence answers the question; None in a library too small to tell."""
    notes: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds by part."""
    spent: Spent = Spent()
    omitted: tuple[Claim, ...] = ()
    """Sentences that the model wrote and that are not shown, since the documents do not support them."""
    asked: str = ""
    """The question as it was asked of the documents, where that is not as it was typed: without limits, with words of earlier ones."""
    limits: tuple[str, ...] = ()
    """What the question itself limited the answer to: ``year >= 2020``."""
    everywhere: MentionList | None = None
    """To a whole-collection question: every document with every place, read as they are looked at."""

    @property
    def text(self) -> str:
        """The answer's sentences, but for those that are marked as unsupported; the reason of a refusal."""
        proven = [claim.text for claim in self.claims if claim.status not in ("altered", "unsupported")]
        return " ".join(proven) if self.claims else self.reason

    def __bool__(self) -> bool:
        """Whether the question was answered."""
        return not self.refused

    def __str__(self) -> str:
        """The answer with the numbers of its evidence, and the places under it."""
        if self.refused:
            return self.reason
        lines = [" ".join(f"{claim.text} {_marks(claim)}".rstrip() for claim in self.claims), ""]
        seen: dict[int, str] = {}
        for claim in self.claims:
            for quote in claim.quotes:
                seen.setdefault(quote.evidence, quote.place or quote.source)
        return "\n".join([*lines, *(f"[{number}] {place}" for number, place in sorted(seen.items()))])

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "question": self.question,
            "answer": self.text if not self.refused else None,
            "refused": self.refused,
            "reason": self.reason,
            "probability": self.probability,
            "method": self.method,
            "model": self.model,
            "claims": [claim.to_dict() for claim in self.claims],
            "omitted": [claim.to_dict() for claim in self.omitted],
            "evidence": [one.to_dict() for one in self.evidence],
            **({"asked": self.asked} if self.asked else {}),
            **({"limits": list(self.limits)} if self.limits else {}),
            **({"everywhere": _counts(self.everywhere)} if self.everywhere is not None else {}),
            "notes": list(self.notes),
            "timings": dict(self.timings),
            "spent": {
                "calls": self.spent.calls,
                "prompt_tokens": self.spent.prompt_tokens,
                "completion_tokens": self.spent.completion_tokens,
            },
        }


def _counts(found: MentionList) -> dict[str, Any]:
    return {
        "phrases": list(found.phrases),
        "documents": found.documents,
        "passages": found.passages,
        "occurrences": found.occurrences,
    }


def _marks(claim: Claim) -> str:
    """The numbers of a claim's evidence; of one that is not supported, that it is not."""
    if claim.status in ("altered", "unsupported"):
        return f"[{claim.status}: {claim.note}]"
    return "".join(f"[{number}]" for number in _numbers(claim))


def _numbers(claim: Claim) -> list[int]:
    return sorted({quote.evidence for quote in claim.quotes})
