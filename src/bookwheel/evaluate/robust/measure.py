"""What it costs that queries are written otherwise: loss by kind, paired tests, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...progress import Progress, silent
from ..collection import Collection
from ..compare import SIGNIFICANT, Comparison, compare
from ..measures import measure
from ..runs import Run, ranked_documents
from ..significance import holm
from ..table import format_table
from .base import Variation
from .registry import VARIATIONS
from .varied import in_english, varied

if TYPE_CHECKING:
    from ..evaluation import Search

__all__ = ["Loss", "format_losses", "loss_rows", "losses", "meaning"]

_BATCH = 32
_HEAD = 10


@dataclass(frozen=True, slots=True)
class Loss:
    """What one variation does to one recipe, over the queries that it changes."""

    recipe: str
    variation: str
    queries: int
    measure: str
    comparison: Comparison
    """The changed queries against the same queries as they were."""
    same: float
    """The share of the first ten documents that stay among them, from 0 to 1."""
    keeps_meaning: bool

    @property
    def relative(self) -> float:
        """The share of the measure that is lost; below 0 where something is won."""
        return -self.comparison.difference / self.comparison.before if self.comparison.before else 0.0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "recipe": self.recipe,
            "variation": self.variation,
            "queries": self.queries,
            "measure": self.measure,
            "before": self.comparison.before,
            "after": self.comparison.after,
            "difference": self.comparison.difference,
            "p": self.comparison.p_t_holm,
            "significant": self.comparison.significant,
            "same_first_ten": self.same,
            "keeps_meaning": self.keeps_meaning,
        }


def losses(
    collection: Collection,
    searches: Mapping[str, Search],
    runs: Mapping[str, Run],
    name: str,
    *,
    depth: int = _HEAD,
    seed: int = 0,
    variations: Mapping[str, Variation] = VARIATIONS,
    progress: Progress = silent,
) -> list[Loss]:
    """What each of ``variations`` does to each recipe of ``searches``, whose ``runs`` by the queries as they are there are.

    ``name``: the measure. Only queries that are changed are searched again and compared. p is that of the paired t-test, corrected by
    Holm's method over all variations and recipes. Variations that know English only are left out where the queries are in another
    language.
    """
    english = in_english(collection)
    found: list[Loss] = []
    sets = [(one, varied(collection, one, seed)) for one in variations.values() if english or not one.english]
    sets = [(one, changed) for one, changed in sets if changed.queries]
    task = progress("searching queries written otherwise", len(searches) * sum(len(one.queries) for _, one in sets), "queries")
    try:
        for recipe, search in searches.items():
            for variation, changed in sets:
                run = dict(_searched(search, changed.queries, depth))
                task.advance(len(run), f"{recipe}, {variation.name}")
                plain = {query: runs[recipe].get(query, ()) for query in changed.queries}
                before, after = (measure(one, changed.qrels, [name]) for one in (plain, run))
                (comparison,) = compare({"as it was": before, variation.name: after}, seed=seed)
                same = [_overlap(plain[query], run[query]) for query in changed.queries]
                count = len(changed.queries)
                found.append(Loss(recipe, variation.name, count, name, comparison, sum(same) / count, variation.keeps_meaning))
    finally:
        task.close()
    adjusted = holm([one.comparison.p_t for one in found])
    return [replace(one, comparison=replace(one.comparison, p_t_holm=p)) for one, p in zip(found, adjusted, strict=True)]


def _searched(search: Search, queries: Mapping[str, str], depth: int) -> Iterator[tuple[str, Sequence[tuple[str, float]]]]:
    pairs = list(queries.items())
    for at in range(0, len(pairs), _BATCH):
        batch = pairs[at : at + _BATCH]
        yield from zip((query for query, _ in batch), search([text for _, text in batch], depth), strict=True)


def _overlap(before: Any, after: Any) -> float:
    old, new = (set(ranked_documents(one)[:_HEAD]) for one in (before, after))
    return len(old & new) / max(len(old), len(new)) if old or new else 1.0


def loss_rows(found: Sequence[Loss]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: a row per recipe and variation."""
    rows = []
    for one in found:
        sure = one.comparison.p_t_holm < SIGNIFICANT
        mark = ("+" if one.comparison.difference > 0 else "-") if sure else " "
        cells = [f"{one.queries:,}", f"{one.comparison.before:.4f}", f"{one.comparison.after:.4f}{mark}"]
        cells += [f"{-100 * one.relative:+.1f} %", f"{one.comparison.p_t_holm:.4f}", f"{100 * one.same:.0f} %"]
        rows.append([one.recipe, one.variation, *cells])
    measured = found[0].measure if found else "measure"
    return ["recipe", "queries written otherwise", "changed", measured, "then ", "change", "p", "same ten"], rows


def meaning(found: Sequence[Loss]) -> list[str]:
    """What the table says, a sentence each: of each recipe what costs most, what costs nothing that shows, and negation."""
    told = []
    for recipe in dict.fromkeys(one.recipe for one in found):
        own = [one for one in found if one.recipe == recipe]
        kept = [one for one in own if one.keeps_meaning]
        lost = sorted(
            (one for one in kept if one.comparison.significant and one.comparison.difference < 0), key=lambda one: -one.relative
        )
        if lost:
            which = ", ".join(f"{one.variation} ({100 * one.relative:.0f} %)" for one in lost)
            told.append(f"{recipe} loses significantly by {which}")
        elif kept:
            told.append(f"{recipe} loses significantly by none of the {len(kept)} variations that keep the meaning")
        for one in own:
            if not one.keeps_meaning:
                heard = "hardly hears" if one.same > 0.5 else "changes much with"
                told.append(f"{recipe} {heard} {one.variation}: {100 * one.same:.0f} % of its first ten documents stay")
    return told


def format_losses(found: Sequence[Loss]) -> str:
    """A table for a terminal, and what it says."""
    if not found:
        return "no query of the collection can be written otherwise"
    lines = [format_table(*loss_rows(found), left=2), ""]
    lines += meaning(found)
    lines.append(
        "over the queries that are changed; p of the paired t-test, after Holm's correction; same ten: documents that stay"
    )
    return "\n".join(lines)
