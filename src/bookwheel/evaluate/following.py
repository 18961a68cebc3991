"""Whether rankings follow instructions: what people say they want beyond the words of their query.

- **p-MRR**, pairwise mean reciprocal rank (Weller et al., "FollowIR: Evaluating and Teaching Information Retrieval Models to Follow
  Instructions", 2024): a query is asked under two instructions, of which the second excludes some documents. Each of those counts
  by how its rank changes: 1 - old/new where it falls, new/old - 1 where it rises. The mean over a query's documents, then over the
  queries: 1 is best, 0 is a ranking that the instruction leaves as it is, -1 is its contrary.
- **Robustness@k** (Oh et al., "INSTRUCTIR: A Benchmark for Instruction Following of Information Retrieval Models" (2024)): the lowest
  nDCG@k that one query reaches under any of its instructions, averaged.
- The measure of the evaluation with and without the instruction. That an instruction may make things worse is looked at by the same
  comparison in Xiao et al., "RAR-b: Reasoning as Retrieval Benchmark" (2024), Su et al., "BRIGHT: A Realistic and Challenging
  Benchmark for Reasoning-Intensive Retrieval" (2024), and Sun et al., "MAIR: A Massive Benchmark for Evaluating Instructed Retrieval"
  (2024). In part: their data sets don't come with bookwheel; in a layout that it reads they are measured like any other.

An instruction is added to the query after a space, as FollowIR does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .collection import Collection, Instructions
from .compare import SIGNIFICANT, Comparison, compare
from .measures import Scores, measure
from .runs import AnyRun, Run, ranked_documents
from .significance import holm

if TYPE_CHECKING:
    from .evaluation import Search

__all__ = ["Following", "follow", "follow_runs", "following_notes", "following_rows", "p_mrr", "rank_change", "robustness"]

DEPTH = 1000
"""Documents of a ranking in which those that an instruction excludes are looked for; further ones are at the next rank."""
_ROBUST = "nDCG@10"
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Following:
    """How one recipe follows instructions."""

    name: str
    measure: str
    comparison: Comparison
    """With the instruction against without it, under the same judgments."""
    changed: float | None = None
    """The measure under the changed instructions, by the judgments under these."""
    p_mrr: float | None = None
    """From -1 to 1; None where there are no changed instructions."""
    pairs: int = 0
    """Queries that p-MRR is a mean of."""
    robustness: float | None = None
    """Robustness@10; None where no query has several instructions."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        about = {
            "recipe": self.name,
            "measure": self.measure,
            "without": self.comparison.before,
            "with": self.comparison.after,
            "changed": self.changed,
            "p_mrr": self.p_mrr,
            "pairs": self.pairs,
            "robustness@10": self.robustness,
            "p": self.comparison.p_t_holm,
            "significant": self.comparison.significant,
        }
        return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in about.items()}


def rank_change(before: int, after: int) -> float:
    """What a document adds to p-MRR that was at rank ``before`` and is at ``after`` under the instruction that excludes it."""
    return 1 - before / after if after > before else after / before - 1


def p_mrr(before: AnyRun, after: AnyRun, moved: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """p-MRR of each query that both runs have and that has documents in ``moved``; see the head of the module.

    A document that a ranking does not have counts as one rank behind its last.
    """
    found: dict[str, float] = {}
    for query, documents in moved.items():
        if documents and query in before and query in after:
            old, new = (_ranks(run, query) for run in (before, after))
            changes = [rank_change(old.get(one, len(old) + 1), new.get(one, len(new) + 1)) for one in documents]
            found[query] = sum(changes) / len(changes)
    return found


def _ranks(run: AnyRun, query: str) -> dict[str, int]:
    return {document: rank for rank, document in enumerate(ranked_documents(run[query]), 1)}


def robustness(values: Mapping[str, float], variants: Mapping[str, str]) -> float:
    """The mean over queries of the lowest of ``values`` (by variant) that their variants reach; NaN without any."""
    lowest: dict[str, float] = {}
    for variant, query in variants.items():
        if variant in values:
            lowest[query] = min(lowest.get(query, math.inf), values[variant])
    return sum(lowest.values()) / len(lowest) if lowest else math.nan


def follow(
    collection: Collection, searches: Mapping[str, Search], name: str, *, depth: int | None = None, seed: int = 0
) -> list[Following]:
    """How each of ``searches`` follows the collection's instructions, by the measure ``name``; [] where it has none.

    Every query that has an instruction is searched without it, with it, and with the changed one where there is one; ``depth``
    documents are ranked (1,000 where None).
    """
    told = collection.instructions
    if told is None:
        return []
    queries = {query: text for query, text in collection.judged.items() if told.texts.get(query) and text.strip()}
    found = []
    for recipe, search in searches.items():
        runs = [
            _run(search, asked, depth or DEPTH)
            for asked in (
                queries,
                {query: f"{text} {told.texts[query]}" for query, text in queries.items()},
                {query: f"{text} {told.changed[query]}" for query, text in queries.items() if query in told.changed},
            )
        ]
        found.append(follow_runs(collection, told, recipe, name, *runs, seed=seed))
    adjusted = holm([one.comparison.p_t for one in found])
    return [replace(one, comparison=replace(one.comparison, p_t_holm=p)) for one, p in zip(found, adjusted, strict=True)]


def _run(search: Search, queries: Mapping[str, str], depth: int) -> Run:
    pairs = list(queries.items())
    found: dict[str, list[tuple[str, float]]] = {}
    for at in range(0, len(pairs), _BATCH):
        batch = pairs[at : at + _BATCH]
        found.update(zip((query for query, _ in batch), search([text for _, text in batch], depth), strict=True))
    return found


def follow_runs(
    collection: Collection,
    told: Instructions,
    recipe: str,
    name: str,
    plain: Run,
    instructed: Run,
    changed: Run,
    *,
    seed: int = 0,
) -> Following:
    """The same from finished runs: by the query alone, with its instruction, and with the changed one."""
    qrels = {query: collection.qrels[query] for query in plain}
    before, after = _measured(plain, qrels, name), _measured(instructed, qrels, name)
    (comparison,) = compare({"without": before, "with": after}, seed=seed)
    moved = p_mrr(instructed, changed, told.moved)
    under = {query: told.changed_qrels[query] for query in changed if told.changed_qrels.get(query)}
    several = bool(told.variants)
    lowest = robustness(_measured(instructed, qrels, _ROBUST).of(_ROBUST), told.variants) if several else None
    return Following(
        recipe,
        name,
        replace(comparison, name=recipe),
        _measured(changed, under, name).means[name] if under else None,
        sum(moved.values()) / len(moved) if moved else None,
        len(moved),
        lowest,
    )


def _measured(run: Run, qrels: Mapping[str, dict[str, int]], name: str) -> Scores:
    return measure(run, dict(qrels), [name])


def following_rows(found: Sequence[Following]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: a row per recipe, with what its columns need where any recipe has it."""
    pairs, several = any(one.p_mrr is not None for one in found), any(one.robustness is not None for one in found)
    changed = any(one.changed is not None for one in found)
    measure = found[0].measure if found else ""
    rows = []
    for one in found:
        sure = one.comparison.p_t_holm < SIGNIFICANT
        mark = ("+" if one.comparison.difference > 0 else "-") if sure else " "
        row = [one.name, f"{one.comparison.before:.4f}", f"{one.comparison.after:.4f}{mark}"]
        row += [f"{one.comparison.difference:+.4f}", f"{one.comparison.p_t_holm:.4f}"]
        row += ["" if one.changed is None else f"{one.changed:.4f}"] if changed else []
        row += ["" if one.p_mrr is None else f"{one.p_mrr:+.4f}"] if pairs else []
        row += ["" if one.robustness is None else f"{one.robustness:.4f}"] if several else []
        rows.append(row)
    header = ["recipe", f"{measure} without", "with ", "difference", "p"]
    header += [*(["changed"] if changed else []), *(["p-MRR"] if pairs else []), *(["Robustness@10"] if several else [])]
    return header, rows


def following_notes(found: Sequence[Following]) -> list[str]:
    """What the columns mean, a sentence each."""
    if not found:
        return []
    notes = [
        "without and with: the query alone, and with its instruction added; p of the paired t-test, after Holm's correction"
    ]
    if any(one.changed is not None for one in found):
        notes.append("changed: with the changed instruction, by the judgments under it")
    if pairs := max(one.pairs for one in found):
        notes.append(f"p-MRR: 0 where a changed instruction changes nothing, 1 at best; over {pairs:,} queries")
    if any(one.robustness is not None for one in found):
        notes.append("Robustness@10: of each query the lowest nDCG@10 under any of its instructions")
    return notes
