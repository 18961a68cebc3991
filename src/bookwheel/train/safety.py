"""Whether a trained model is better than the one in use: by queries held out of the collection itself, compared in pairs.

The rule: a gain must be significant (t-test, 5 %) by one recipe, no recipe's mean may fall, and in no language of the queries
may a recipe be significantly worse. What is trained on English is so not taken for German because English gains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..evaluate import evaluate
from ..evaluate.collection import Collection
from ..evaluate.compare import SIGNIFICANT
from ..evaluate.significance import holm, mean_interval, paired_t
from ..library.library import Library
from ..progress import Progress, silent
from ..tune.made.collection import MadeCollection

__all__ = ["FEWEST", "MEASURE", "Change", "Verdict", "change_of", "change_rows", "judged", "languages_of", "thirds", "verdict"]

MEASURE = "nDCG@10"
FEWEST = 20
"""Queries of a language, at least, that are tested by themselves; and of all together, to say anything."""


@dataclass(frozen=True, slots=True)
class Change:
    """One recipe before and after, over the held-out queries of one language or of all."""

    what: str
    queries: int
    before: float
    """The mean of `MEASURE`."""
    after: float
    low: float
    """Of the 95 % interval of the mean difference."""
    high: float
    p: float
    """Of the paired t-test, two-sided; by language after Holm's correction."""
    measure: str = MEASURE
    """What ``before`` and ``after`` are means of."""

    @property
    def difference(self) -> float:
        """``after - before``."""
        return self.after - self.before

    @property
    def worse(self) -> bool:
        """Whether it is significantly worse."""
        return self.difference < 0 and self.p < SIGNIFICANT

    @property
    def better(self) -> bool:
        """Whether it is significantly better."""
        return self.difference > 0 and self.p < SIGNIFICANT

    def __str__(self) -> str:
        return (
            f"{self.what}: {self.measure} {self.before:.3f} → {self.after:.3f} ({self.difference:+.3f}, p = {self.p:.2g}, "
            f"{self.queries} queries)"
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "difference": self.difference}


@dataclass(frozen=True)
class Verdict:
    """What held-out queries say."""

    changes: tuple[Change, ...]
    """By recipe, over all queries."""
    languages: tuple[Change, ...] = ()
    """By recipe and language, where there are several languages."""

    @property
    def better(self) -> bool:
        """Whether the trained model may take the other's place."""
        return not self.reason

    @property
    def reason(self) -> str:
        """Why it may not, as the end of a sentence; nothing where it may."""
        if not self.changes or self.changes[0].queries < FEWEST:
            count = self.changes[0].queries if self.changes else 0
            return f"only {count} held-out queries could be made, where {FEWEST} are needed to tell"
        for change in (*self.changes, *self.languages):
            if change.worse:
                return f"it is significantly worse by {change}"
        for change in self.changes:
            if change.difference < 0:
                return f"it is no better by {change}"
        if not any(change.better for change in self.changes):
            return f"its gain is too small to tell from chance ({self.changes[0]})"
        return ""

    def rows(self, *others: Change | None) -> list[tuple[str, ...]]:
        """A table of the changes and of ``others`` for a model's card, its header first."""
        return change_rows(*self.changes, *self.languages, *others)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "better": self.better,
            "reason": self.reason,
            "changes": [change.to_dict() for change in self.changes],
            "languages": [change.to_dict() for change in self.languages],
        }


def change_rows(*changes: Change | None) -> list[tuple[str, ...]]:
    """A table of ``changes`` for a model's card, its header first; None is left out."""
    return [
        (f"{MEASURE} of queries not trained on", "before", "after", "difference", "p"),
        *(
            (_told(one), f"{one.before:.4f}", f"{one.after:.4f}", f"{one.difference:+.4f}", f"{one.p:.2g}")
            for one in changes
            if one is not None
        ),
    ]


def _told(change: Change) -> str:
    unit = "" if change.measure == MEASURE else f", in {change.measure}"
    return f"{change.what} ({change.queries}{unit})"


def verdict(
    library: Library,
    collection: Collection,
    pairs: Mapping[str, tuple[str, str]],
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> Verdict:
    """Search ``library`` for the queries of ``collection`` by each pair of recipes, and compare.

    ``pairs``: what a pair is called, to the recipe before and the recipe after. Raises what searching raises.
    """
    recipes = list(dict.fromkeys(recipe for pair in pairs.values() for recipe in pair))

    def search(recipe: str) -> Any:
        return lambda texts, k: library.rank_documents(texts, k=k, recipe=recipe)

    found = evaluate(collection, {one: search(one) for one in recipes}, [MEASURE], seed=seed, progress=progress)
    values = {what: (found.values(before), found.values(after)) for what, (before, after) in pairs.items()}
    return judged(values, languages_of(library, collection))


def judged(
    values: Mapping[str, tuple[Mapping[str, float], Mapping[str, float]]],
    spoken: Mapping[str, str | None],
    measure: str = MEASURE,
) -> Verdict:
    """The verdict on what each query reached by ``measure``, before and after, by what was compared.

    ``spoken``: the language of each query.
    """
    queries = list(next(iter(values.values()))[0])
    pairs = {
        what: (np.array([before[one] for one in queries]), np.array([after[one] for one in queries]))
        for what, (before, after) in values.items()
    }
    changes = [change_of(what, before, after, measure) for what, (before, after) in pairs.items()]
    groups = {
        name: np.array([at for at, one in enumerate(queries) if spoken.get(one) == name]) for name in set(spoken.values())
    }
    several = sorted((name, at) for name, at in groups.items() if name and len(at) >= FEWEST)
    by_language = [
        change_of(f"{what} ({name})", before[at], after[at], measure)
        for name, at in several
        for what, (before, after) in pairs.items()
    ]
    return Verdict(tuple(changes), tuple(_corrected(by_language) if len(several) > 1 else ()))


def change_of(what: str, before: NDArray[np.float64], after: NDArray[np.float64], measure: str = MEASURE) -> Change:
    """What each query reached, before and after, as one `Change` over all of them."""
    differences = after - before
    low, high = mean_interval(differences)
    return Change(what, len(before), float(before.mean()), float(after.mean()), low, high, paired_t(differences)[1], measure)


def _corrected(changes: Sequence[Change]) -> list[Change]:
    adjusted = holm([change.p for change in changes])
    return [replace(one, p=p) for one, p in zip(changes, adjusted, strict=True)]


def thirds(made: MadeCollection) -> tuple[MadeCollection, MadeCollection]:
    """A third of the queries of each kind, to choose by, and the others, to compare by."""
    queries = sorted(made.judged, key=lambda query: (int(query.rpartition("-")[2]), query))
    first = set(queries[::3])

    def of(chosen: set[str]) -> MadeCollection:
        return replace(
            made,
            queries={query: text for query, text in made.queries.items() if query in chosen},
            qrels={query: grades for query, grades in made.qrels.items() if query in chosen},
        )

    return of(first), of(set(queries) - first)


def languages_of(library: Library, collection: Collection) -> dict[str, str | None]:
    """The language of the document that answers each query, as the library found it."""
    snapshot = library._snapshot
    firsts: dict[str, int] = {}
    for query, grades in collection.qrels.items():
        for name in grades:
            if numbers := snapshot.store.find(snapshot.generation, name):
                firsts[query] = snapshot.store.range_of(numbers[0])[0]
                break
    spoken = snapshot.store.languages_of(list(firsts.values()))
    return dict(zip(firsts, spoken, strict=True))
