"""The grades that a judgment can have, and what they mean; the same four for people and for models.

Four grades from 0 to 3, as in TREC's Deep Learning tracks and in Upadhyay et al., "UMBRELA" (2024).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

__all__ = ["GRADES", "HIGHEST", "Judgment", "grades_of", "qrels_lines", "unwritable"]

GRADES = ("not relevant", "on the subject, but no answer", "answers in part", "answers it well")
"""By number, what a judge is told."""
HIGHEST = len(GRADES) - 1


@dataclass(frozen=True, slots=True)
class Judgment:
    """What one judge says of a document for a query."""

    query: str
    document: str
    grade: int | None
    """0 to 3; None where it was skipped, or where a model gave a score alone."""
    score: float | None = None
    """Of a model that scores; higher is better."""


def grades_of(judgments: Iterable[Judgment]) -> dict[str, dict[str, int]]:
    """The grades as qrels: query to document to grade; what was skipped is left out."""
    found: dict[str, dict[str, int]] = {}
    for one in judgments:
        if one.grade is not None:
            found.setdefault(one.query, {})[one.document] = one.grade
    return found


def qrels_lines(grades: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """TREC's four columns, separated by tabs, so that ids with spaces (paths) can be read back by `read_qrels`."""
    for query, row in grades.items():
        for document, grade in row.items():
            if not unwritable(query) and not unwritable(document):
                yield f"{query}\t0\t{document}\t{grade}"


def unwritable(identifier: str) -> bool:
    """Whether a line of qrels cannot hold this id."""
    return not identifier.strip() or any(c in "\t\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029" for c in identifier)
