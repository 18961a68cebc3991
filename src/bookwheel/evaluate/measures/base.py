"""What a measure is: a function of a judged ranking, its parameters as data, and its notation.

The notation is that of ir-measures (MacAvaney et al., "Streamlining Evaluation with ir-measures",
ECIR 2022), such as ``nDCG@10`` or ``AP(rel=2)@100``. The values are those of trec_eval (Buckley,
NIST).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["CUTOFF", "JUDGED_ONLY", "REL", "REQUIRED_CUTOFF", "JudgedRanking", "Measure", "MeasureKind", "Parameter"]

Value = int | str | bool
LARGEST = 1_000_000_000
"""The largest number that a parameter takes."""


@dataclass(frozen=True, slots=True, eq=False)
class JudgedRanking:
    """One query's ranking as a measure sees it: grades, not documents."""

    grades: NDArray[np.float64]
    """The grade of each ranked document, best rank first, shape (n,); NaN where it has no judgment.
    """
    judgments: NDArray[np.float64]
    """All grades of the query, of retrieved and missed documents, shape (m,)."""

    @classmethod
    def of(cls, documents: Iterable[str], judgments: Mapping[str, int]) -> JudgedRanking:
        """The ranking ``documents``, best first, without duplicates, against a query's
        ``judgments``.
        """
        grades = [judgments.get(document, np.nan) for document in documents]
        return cls(np.array(grades, np.float64), np.array(list(judgments.values()), np.float64))

    def relevant(self, rel: int, cutoff: int | None = None) -> NDArray[np.bool_]:
        """Whether each of the first ``cutoff`` documents (all where None) has grade ``rel`` or
        more, shape (at most cutoff,).
        """
        marks: NDArray[np.bool_] = self.grades[:cutoff] >= rel
        return marks

    def relevant_count(self, rel: int) -> int:
        """How many documents have grade ``rel`` or more, retrieved or not."""
        return int((self.judgments >= rel).sum())

    def judged_only(self) -> JudgedRanking:
        """The ranking without the documents that have no judgment. A negative grade means "not
        judged" to trec_eval.
        """
        return JudgedRanking(self.grades[self.grades >= 0], self.judgments)


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a measure can be told, and which values it takes."""

    name: str
    default: Value | None
    """None where the measure works without the parameter, or where it is required."""
    least: int = 0
    choices: tuple[str, ...] = ()
    required: bool = False

    def problem(self, value: object) -> str | None:
        """What is wrong with ``value``, as the end of a sentence; None where nothing is."""
        if self.choices:
            return (
                None if value in self.choices else f"{self.name} must be {' or '.join(map(repr, self.choices))}, not {value!r}"
            )
        if isinstance(self.default, bool):
            return None if isinstance(value, bool) else f"{self.name} must be True or False, not {value!r}"
        if isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= LARGEST:
            return None
        return f"{self.name} must be a whole number from {self.least} to {LARGEST:,}, not {value!r:.30}"


CUTOFF = Parameter("cutoff", None, least=1)
REQUIRED_CUTOFF = Parameter("cutoff", None, least=1, required=True)
REL = Parameter("rel", 1)
"""The smallest grade that counts as relevant."""
JUDGED_ONLY = Parameter("judged_only", False)
"""Skip documents that have no judgment."""


@dataclass(frozen=True, slots=True)
class MeasureKind:
    """A family of measures: one function, and the parameters it takes."""

    name: str
    function: Callable[..., float]
    """Called with a `JudgedRanking` and the parameters by name, except ``judged_only``, which
    `Measure.of` applies.
    """
    parameters: tuple[Parameter, ...]
    description: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure with its parameters, ready to compute. Make one with `parse_measures`."""

    kind: MeasureKind
    arguments: Mapping[str, Value] = field(default_factory=dict)
    """The parameters that differ from their defaults, in the order in which the kind declares them.
    """

    @property
    def cutoff(self) -> int | None:
        """How many documents of a ranking count; None where all do."""
        cutoff = self.arguments.get("cutoff")
        return None if cutoff is None else int(cutoff)

    def of(self, ranking: JudgedRanking) -> float:
        """The measure's value for one query."""
        arguments = dict(self.arguments)
        if arguments.pop("judged_only", False):
            ranking = ranking.judged_only()
        return float(self.kind.function(ranking, **arguments))

    def __str__(self) -> str:
        """The notation, with the parameters that differ from their defaults."""
        options = ",".join(f"{name}={value!r}" for name, value in self.arguments.items() if name != "cutoff")
        return f"{self.kind.name}{f'({options})' if options else ''}{'' if self.cutoff is None else f'@{self.cutoff}'}"
