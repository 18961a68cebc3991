"""An evaluation by kinds of queries, or by the sources that hold their answers.

The values are those of a column of the queries (``category``, ``source``, ``difficulty``), or, where queries have no such column, of a
metadata field of their relevant documents. Of sources it is also told whether a ranking finds the right one: its first document is
from a source that has a relevant document. Coarse before fine: Feng et al., "CMDBench: A Benchmark for Coarse-to-fine Multimodal Data
Discovery in Compound AI Systems" (2024); in part: of texts, not of tables and graphs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._errors import UsageError
from .runs import ranked_documents
from .table import format_table

if TYPE_CHECKING:
    from .evaluation import Evaluation

__all__ = ["Group", "format_groups", "group_rows", "groups", "source_found"]

NONE = "(none)"
_MOST = 40


@dataclass(frozen=True, slots=True)
class Group:
    """The queries of one value."""

    value: str
    queries: int
    means: Mapping[str, float]
    """The mean of the measure by recipe."""
    found: Mapping[str, float] | None = None
    """Where the values are sources: the share of queries whose first document is from a right one, by recipe."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"value": self.value, "queries": self.queries, "means": dict(self.means), "source_found": self.found}


def groups(evaluation: Evaluation, name: str, measure: str | None = None) -> list[Group]:
    """The judged queries by what they have as ``name``, the most frequent first; ``measure``: the first where None.

    A query whose relevant documents are from several sources belongs to each of them. Raises `UsageError` where neither queries nor
    documents have such a field.
    """
    collection = evaluation.collection
    own = {query: collection.fields[query][name] for query in collection.judged if name in collection.fields.get(query, {})}
    values: dict[str, list[str]]
    sources: dict[str, str] | None = None
    if own:
        values = {query: [own.get(query, NONE)] for query in collection.judged}
    else:
        sources = _sources(evaluation, name)
        values = {query: _relevant_sources(evaluation, query, sources) or [NONE] for query in collection.judged}
    members: dict[str, list[str]] = {}
    for query, some in values.items():
        for value in some:
            members.setdefault(value, []).append(query)
    scores = {recipe: evaluation.values(recipe, measure) for recipe in evaluation.scores}
    right = {recipe: source_found(evaluation, recipe, sources) for recipe in evaluation.scores} if sources is not None else {}
    found = []
    for value, queries in sorted(members.items(), key=lambda item: (-len(item[1]), item[0])):
        means = {recipe: float(np.nanmean([one[query] for query in queries])) for recipe, one in scores.items()}
        shares = {recipe: float(np.mean([one[query] for query in queries])) for recipe, one in right.items()}
        found.append(Group(value, len(queries), means, shares or None))
    return found


def source_found(evaluation: Evaluation, recipe: str, sources: Mapping[str, str]) -> dict[str, bool]:
    """Of each judged query, whether the first document of the ranking is from a source that has a relevant document."""
    run = evaluation.runs[recipe]
    found = {}
    for query in evaluation.collection.judged:
        first = next(iter(ranked_documents(run.get(query, ()))), None)
        found[query] = first is not None and sources.get(first) in _relevant_sources(evaluation, query, sources)
    return found


def _sources(evaluation: Evaluation, name: str) -> dict[str, str]:
    collection = evaluation.collection
    found = {
        one.id: str(one.metadata[name])
        for one in (collection.documents() if collection.read else ())
        if one.metadata.get(name) is not None
    }
    if not found:
        there = sorted({key for fields in collection.fields.values() for key in fields})
        has = f"queries have {', '.join(there[:12])}" if there else "queries have no columns of their own"
        raise UsageError(f"neither queries nor documents of {collection.name} have a field {name!r:.80}; {has}")
    return found


def _relevant_sources(evaluation: Evaluation, query: str, sources: Mapping[str, str]) -> list[str]:
    grades = evaluation.collection.qrels[query]
    return list(dict.fromkeys(sources[one] for one, grade in grades.items() if grade > 0 and one in sources))


def group_rows(found: Sequence[Group], name: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows: a row per value, with a column per recipe, and of sources another."""
    recipes = list(found[0].means) if found else []
    sourced = bool(found) and found[0].found is not None
    rows = []
    for one in found[:_MOST]:
        cells = [f"{one.means[recipe]:.4f}" for recipe in recipes]
        cells += [f"{100 * (one.found or {}).get(recipe, 0):.0f} %" for recipe in recipes] if sourced else []
        rows.append([one.value[:60], f"{one.queries:,}", *cells])
    return [name, "queries", *recipes, *(f"source: {recipe}" for recipe in recipes if sourced)], rows


def format_groups(found: Sequence[Group], name: str) -> str:
    """A table for a terminal."""
    text = format_table(*group_rows(found, name))
    if len(found) > _MOST:
        text += f"\n… {len(found) - _MOST:,} more values of {name}"
    if found and found[0].found is not None:
        text += "\n\nsource: how often the first document is from a source that has a relevant one"
    return text
