"""The queries that a recipe serves worst: what was wanted, where it came, and what came instead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .excerpts import Excerpt, Texts, excerpt
from .runs import ranked_documents

if TYPE_CHECKING:
    from .evaluation import Evaluation

__all__ = ["Failure", "Ranked", "failures"]

WANTED = 2
INSTEAD = 3
"""Documents shown of each query: relevant ones that came late, and others that came first."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A document, and where the rankings have it."""

    document: str
    grade: int | None
    """None where nobody has judged it."""
    ranks: dict[str, int | None]
    """By ranking, from 1 on; None where it was not found."""
    title: str = ""
    excerpt: Excerpt | None = None
    """None where the text could not be had."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        text = self.excerpt.text if self.excerpt else None
        return {"document": self.document, "grade": self.grade, "ranks": self.ranks, "title": self.title, "text": text}


@dataclass(frozen=True, slots=True)
class Failure:
    """A query that a ranking serves badly."""

    query: str
    text: str
    value: float
    others: dict[str, float]
    """By ranking, what the others reach."""
    wanted: tuple[Ranked, ...]
    """Its relevant documents that came last or not at all."""
    instead: tuple[Ranked, ...]
    """The first documents that are not relevant."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        documents = {
            name: [one.to_dict() for one in found] for name, found in (("wanted", self.wanted), ("instead", self.instead))
        }
        return {"query": self.query, "text": self.text, "value": self.value, "others": self.others, **documents}


def failures(
    evaluation: Evaluation, name: str | None = None, measure: str | None = None, n: int = 5, texts: Texts | None = None
) -> list[Failure]:
    """The ``n`` queries with the lowest ``measure`` (the first where None) in the ranking ``name`` (the best where None).

    Of equal ones first those that another ranking serves best. Queries without a relevant document, and those that reach 1,
    are none. Raises `UsageError` for a name or measure that was not evaluated.
    """
    columns = {other: evaluation.values(other, measure) for other in evaluation.scores}
    name = evaluation.best(measure) if name is None else name
    own = columns[name] if name in columns else evaluation.values(name, measure)
    qrels = evaluation.qrels
    found: list[tuple[float, float, str]] = []
    for query, value in own.items():
        if any(grade > 0 for grade in qrels[query].values()) and math.isfinite(value) and value < 1:
            better = max((columns[other][query] for other in columns if other != name), default=0.0)
            found.append((value, -better if math.isfinite(better) else 0.0, query))
    chosen = [_failure(evaluation, name, columns, query) for _, _, query in sorted(found)[:n]]
    return chosen if texts is None else _with_texts(chosen, texts)


def _failure(evaluation: Evaluation, name: str, columns: dict[str, dict[str, float]], query: str) -> Failure:
    grades = evaluation.qrels[query]
    places = {
        other: {document: at for at, document in enumerate(ranked_documents(run.get(query, ())), 1)}
        for other, run in evaluation.runs.items()
    }

    def ranked(document: str) -> Ranked:
        return Ranked(document, grades.get(document), {other: found.get(document) for other, found in places.items()})

    last = max(map(len, places.values()), default=0) + 1
    relevant = [document for document, grade in grades.items() if grade > 0]
    missed = sorted(relevant, key=lambda document: (-places[name].get(document, last), -grades[document], document))
    instead = [document for document in places[name] if grades.get(document, 0) <= 0]
    return Failure(
        query=query,
        text=evaluation.collection.queries.get(query, ""),
        value=columns[name][query],
        others={other: values[query] for other, values in columns.items() if other != name},
        wanted=tuple(map(ranked, missed[:WANTED])),
        instead=tuple(map(ranked, instead[:INSTEAD])),
    )


def _with_texts(found: Sequence[Failure], texts: Texts) -> list[Failure]:
    documents = texts({one.document for failure in found for one in (*failure.wanted, *failure.instead)})

    def told(one: Ranked, query: str) -> Ranked:
        if (document := documents.get(one.document)) is None:
            return one
        return Ranked(one.document, one.grade, one.ranks, document.title[:300], excerpt(document.text, query))

    return [
        Failure(
            query=failure.query,
            text=failure.text,
            value=failure.value,
            others=failure.others,
            wanted=tuple(told(one, failure.text) for one in failure.wanted),
            instead=tuple(told(one, failure.text) for one in failure.instead),
        )
        for failure in found
    ]
