"""Experiments that are kept in the library that was searched, and compared over time: did last week's change help?

Kept is what each query reached, not the rankings; two experiments are compared query by query even though the library has changed
since, and over those queries alone whose text and judgments are still the same.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .._errors import LibraryDamaged, UsageError
from .compare import Change, Comparison, changed, compare
from .measures import Scores
from .significance import holm

if TYPE_CHECKING:
    from ..library.library import Library
    from .evaluation import Evaluation

__all__ = ["Kept", "OverTime", "compare_kept", "keep", "kept", "record"]

TEXT = 200
"""Characters of a query's text that are kept."""
DIGITS = 8
"""Decimal places of a kept value."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """An experiment that a library keeps."""

    number: int
    when: str
    """UTC, as ISO 8601 writes it."""
    collection: str
    baseline: str
    depth: int | None
    scores: dict[str, Scores]
    """By recipe."""
    recipes: dict[str, str]
    """By name, each recipe in full."""
    milliseconds: dict[str, float]
    queries: dict[str, tuple[str, str]]
    """Query id to its text, cut, and a digest of all of its text and judgments."""
    library: dict[str, Any]
    """What the library was (`Library.state`)."""
    made: dict[str, Any]
    """Command, versions and machine (`report.made`)."""
    notes: tuple[str, ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures, in the order in which they were asked for."""
        return next(iter(self.scores.values())).measures

    @property
    def best(self) -> str:
        """The recipe with the highest mean of the first measure."""
        return max(self.scores, key=lambda name: self.scores[name].means[self.measures[0]])

    def to_dict(self) -> dict[str, Any]:
        """For JSON: what it reached, without the values of each query."""
        return {
            "number": self.number,
            "when": self.when,
            "collection": self.collection,
            "queries": len(self.queries),
            "baseline": self.baseline,
            "depth": self.depth,
            "recipes": [
                {
                    "recipe": name,
                    "in_full": self.recipes.get(name),
                    "measures": {measure: _number(value) for measure, value in scores.means.items()},
                    "milliseconds_per_query": self.milliseconds.get(name),
                }
                for name, scores in self.scores.items()
            ],
            "library": self.library,
            "made": self.made,
            "notes": list(self.notes),
        }


def record(evaluation: Evaluation, made: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What is kept of ``evaluation``, a JSON object that `Kept` is read from."""
    qrels = evaluation.qrels
    queries = {
        query: [text[:TEXT], _digest(text, qrels[query])]
        for query, text in evaluation.collection.judged.items()
        if query in qrels
    }
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "collection": evaluation.collection.name,
        "baseline": evaluation.baseline,
        "depth": evaluation.depth,
        "measures": list(evaluation.measures),
        "queries": queries,
        "values": {
            name: [[_number(round(value, DIGITS)) for value in row] for row in scores.values.tolist()]
            for name, scores in evaluation.scores.items()
        },
        "means": {name: [_number(scores.means[m]) for m in evaluation.measures] for name, scores in evaluation.scores.items()},
        "recipes": dict(evaluation.recipes),
        "milliseconds": dict(evaluation.milliseconds),
        "library": dict(evaluation.library),
        "made": dict(made or {}),
        "notes": list(evaluation.notes),
    }


def keep(library: Library, evaluation: Evaluation, made: Mapping[str, Any] | None = None) -> int:
    """Keep ``evaluation`` in ``library``, with what made it (see `report.made`), and return its number.

    Raises `UsageError` where the library keeps as many as it can, `StorageError`, `LibraryLocked`.
    """
    return library.experiments.keep(record(evaluation, made))


def kept(library: Library, number: int | None = None) -> list[Kept]:
    """The experiments that ``library`` keeps, oldest first, or the one with this ``number``.

    Raises `UsageError` where there is none of that number, `LibraryDamaged` where one is of another form.
    """
    found = library.experiments
    return [_read(one, library) for one in (found if number is None else [found.numbered(number)])]


def _read(data: Mapping[str, Any], library: Library) -> Kept:
    try:
        queries = {str(query): (str(text), str(digest)) for query, (text, digest) in data["queries"].items()}
        measures = tuple(map(str, data["measures"]))
        names = tuple(queries)
        scores = {}
        for name, rows in data["values"].items():
            values = np.array([[math.nan if value is None else float(value) for value in row] for row in rows], np.float64)
            means = [math.nan if mean is None else float(mean) for mean in data["means"][name]]
            if values.shape != (len(measures), len(names)):
                raise ValueError
            scores[name] = Scores(measures, names, values, dict(zip(measures, means, strict=True)))
        if not scores or not measures or not names:
            raise ValueError
        return Kept(
            number=data["number"],
            when=str(data["when"]),
            collection=str(data["collection"]),
            baseline=str(data["baseline"]),
            depth=None if data["depth"] is None else int(data["depth"]),
            scores=scores,
            recipes={str(name): str(text) for name, text in data["recipes"].items()},
            milliseconds={str(name): float(value) for name, value in data["milliseconds"].items()},
            queries=queries,
            library=_state(data["library"]),
            made=dict(data["made"]),
            notes=tuple(map(str, data["notes"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise LibraryDamaged(
            f"experiment {data.get('number')} of {library.path} is of a form that this version does not read; remove it with: "
            f"bookwheel experiments remove {data.get('number')}"
        ) from None


def _state(data: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(data)
    if found:
        for name in ("generation", "documents", "passages"):
            found[name] = int(found[name])
        found["settings"], found["encoders"] = dict(found["settings"]), dict(found["encoders"])
    return found


@dataclass(frozen=True, slots=True)
class OverTime:
    """Two experiments compared: ``after`` against ``before``, recipe by recipe."""

    before: Kept
    after: Kept
    queries: int
    """Queries whose text and judgments are the same in both: those that are compared."""
    left_out: int
    """Queries of either that are not."""
    pairs: tuple[tuple[str, str], ...]
    """The recipes that are compared: of ``before``, and of ``after``."""
    comparisons: tuple[Comparison, ...]
    """Each pair on every measure that both have; Holm's correction is over all of them."""
    changes: tuple[str, ...]
    """What has changed between them, a sentence each."""
    scores: tuple[dict[str, Scores], dict[str, Scores]]
    """Of each, over the queries and measures that are compared."""

    def changed(self, pair: tuple[str, str], measure: str | None = None, n: int = 5) -> Sequence[Change]:
        """The ``n`` queries that changed most in ``measure`` (the first where None) between the recipes of ``pair``."""
        texts = {query: text for query, (text, _) in self.after.queries.items()}
        before, after = self.scores[0][pair[0]], self.scores[1][pair[1]]
        return changed(before, after, measure or before.measures[0], texts, n)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "queries": self.queries,
            "queries_left_out": self.left_out,
            "comparisons": [one.to_dict() for one in self.comparisons],
            "changes": list(self.changes),
        }


def compare_kept(before: Kept, after: Kept, recipes: tuple[str, str] | None = None, seed: int = 0) -> OverTime:
    """Compare two experiments over the queries that have not changed, by paired tests as of `compare`.

    Compared are the recipes of the same name; where there is none, the best of each; or the two ``recipes``, of ``before`` and
    of ``after``. Raises `UsageError` where they have no query or no measure in common, or a recipe is not there.
    """
    shared = [query for query, (_, digest) in before.queries.items() if after.queries.get(query, ("", ""))[1] == digest]
    if not shared:
        raise UsageError(
            f"experiments {before.number} ({before.collection}) and {after.number} ({after.collection}) have no query in common "
            "with the same text and judgments, so that they cannot be compared"
        )
    measures = [measure for measure in before.measures if measure in after.measures]
    if not measures:
        raise UsageError(
            f"experiments {before.number} ({', '.join(before.measures)}) and {after.number} ({', '.join(after.measures)}) have no "
            "measure in common, so that they cannot be compared"
        )
    pairs = _pairs(before, after, recipes)
    old = {name: _part(before.scores[name], measures, shared) for name, _ in pairs}
    new = {name: _part(after.scores[name], measures, shared) for _, name in pairs}
    found: list[Comparison] = []
    for first, second in pairs:
        earlier, later = f"{first} ({before.number})", f"{second} ({after.number})"
        found += [
            replace(one, baseline=earlier, name=later) for one in compare({"old": old[first], "new": new[second]}, "old", seed)
        ]
    t, randomisation = holm([one.p_t for one in found]), holm([one.p_randomisation for one in found])
    found = [replace(one, p_t_holm=t[at], p_randomisation_holm=randomisation[at]) for at, one in enumerate(found)]
    return OverTime(
        before=before,
        after=after,
        queries=len(shared),
        left_out=len(before.queries.keys() | after.queries.keys()) - len(shared),
        pairs=tuple(pairs),
        comparisons=tuple(found),
        changes=tuple(_changes(before, after)),
        scores=(old, new),
    )


def _pairs(before: Kept, after: Kept, recipes: tuple[str, str] | None) -> list[tuple[str, str]]:
    if recipes is not None:
        for one, name in ((before, recipes[0]), (after, recipes[1])):
            if name not in one.scores:
                raise UsageError(f"experiment {one.number} has no recipe {name!r}; it has {', '.join(map(repr, one.scores))}")
        return [recipes]
    return [(name, name) for name in before.scores if name in after.scores] or [(before.best, after.best)]


def _part(scores: Scores, measures: Sequence[str], queries: Sequence[str]) -> Scores:
    rows = [scores.measures.index(measure) for measure in measures]
    at = {query: number for number, query in enumerate(scores.queries)}
    values = scores.values[np.ix_(rows, [at[query] for query in queries])]
    means = {
        measure: float(np.nanmean(row)) if np.isfinite(row).any() else math.nan
        for measure, row in zip(measures, values, strict=True)
    }
    return Scores(tuple(measures), tuple(queries), values, means)


def _changes(before: Kept, after: Kept) -> list[str]:
    """What has changed, a sentence each, as far as it is recorded."""
    old, new = before.library, after.library
    told = []
    if old and new:
        if old["id"] != new["id"]:
            told.append("they are of two libraries (or the library was made anew)")
        elif old["generation"] != new["generation"]:
            told.append(f"the library went from generation {old['generation']:,} to {new['generation']:,}")
        for what in ("documents", "passages"):
            if old[what] != new[what]:
                told.append(f"{what}: {old[what]:,} before, {new[what]:,} after ({new[what] - old[what]:+,})")
        for part in ("settings", "encoders"):
            for name in sorted({*old[part], *new[part]}):
                if old[part].get(name) != new[part].get(name):
                    told.append(
                        f"{part[:-1]} {name}: {_short(old[part].get(name))} before, {_short(new[part].get(name))} after"
                    )
    for name in before.recipes:
        if name in after.recipes and before.recipes[name] != after.recipes[name]:
            told.append(f"recipe {name}: {before.recipes[name]} before, {after.recipes[name]} after")
    only = (
        [name for name in before.scores if name not in after.scores],
        [name for name in after.scores if name not in before.scores],
    )
    told += [
        f"only in experiment {one.number}: {', '.join(names)}"
        for one, names in zip((before, after), only, strict=True)
        if names
    ]
    if before.collection != after.collection:
        told.append(f"the collection was called {before.collection} before, and {after.collection} after")
    if before.depth != after.depth:
        told.append(f"documents ranked per query: {_short(before.depth)} before, {_short(after.depth)} after")
    versions = before.made.get("versions"), after.made.get("versions")
    if isinstance(versions[0], dict) and isinstance(versions[1], dict):
        for name in sorted({*versions[0], *versions[1]}):
            if versions[0].get(name) != versions[1].get(name):
                told.append(f"version of {name}: {_short(versions[0].get(name))} before, {_short(versions[1].get(name))} after")
    return told or ["nothing that is recorded has changed between them"]


def _short(value: Any) -> str:
    if value is None:
        return "none"
    return value[:80] if isinstance(value, str) else json.dumps(value, default=str)[:120]


def _digest(text: str, grades: Mapping[str, int]) -> str:
    data = json.dumps([text, sorted(grades.items())], ensure_ascii=True).encode()
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
