"""An experiment: several recipes searched and compared on a judged collection, in one call."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import LibraryNotFound, UsageError
from ..progress import Progress, silent
from .collection import Collection
from .evaluation import Evaluation, evaluate
from .following import follow
from .load import load_collection
from .measures import DEFAULT_MEASURES, depth_of
from .robust import losses

if TYPE_CHECKING:
    from ..library.library import Library
    from ..rank.recipe import Recipe

__all__ = ["experiment"]

FAILURES_SHOWN = 10


def experiment(
    collection: Collection | str | Path,
    recipes: Sequence[str | Recipe] | Mapping[str, str | Recipe] | None = None,
    *,
    library: Library | str | Path | None = None,
    measures: Sequence[object] = DEFAULT_MEASURES,
    baseline: str | Recipe | None = None,
    fit: bool = False,
    depth: int | None = None,
    split: str = "test",
    field: str = "title",
    ram: str | int | None = None,
    seed: int = 0,
    robust: bool = False,
    progress: Progress = silent,
    then: Callable[[Evaluation, Library], None] | None = None,
    **settings: Any,
) -> Evaluation:
    """Search judged queries by several recipes, measure, and compare each with a baseline.

    - ``collection``: a loaded one, or what `load_collection` takes (with ``split`` and ``field``).
    - ``recipes``: a list, or a dictionary of names and recipes. None: every named recipe.
    - ``library``: an open library, or the name or path of one to use or to make. A library without
      passages is filled from the collection. None: a temporary library.
    - ``ram`` and ``settings``: see `bookwheel.open`. A library that is made here indexes documents
      whole unless ``unit`` says otherwise.
    - ``measures``: see `parse_measures`.
    - ``baseline``: the recipe that the others are compared with. None: the first.
    - ``fit``: also search each fusion with fitted weights. They are fitted on half of the queries,
      and all figures are of the other half.
    - ``depth``: documents ranked per query. None: as many as the measures look at.
    - ``seed``: for drawing the halves, for the randomisation test and for ``robust``.
    - ``robust``: also search queries written otherwise (typos, other words, other forms), and tell what that costs.
    - ``then``: called with the result and the library, while that is open: to keep an experiment, or to look up texts.

    Raises `InputError`, `UsageError`, `RecipeError` and whatever opening a library raises.
    """
    depth_of(measures)  # a wrong measure is found before anything is indexed
    loaded = collection if isinstance(collection, Collection) else load_collection(collection, split, field)
    with _opened(library, ram, settings) as opened:
        notes = [] if opened.passage_count else _index(opened, loaded, progress)
        chosen = _named(opened, recipes)
        reference = None if baseline is None else _baseline(baseline, chosen)
        if fit:
            loaded, fitted, said = _fitted(opened, loaded, chosen, seed, progress)
            chosen, notes = {**chosen, **fitted}, notes + said
        searches = {name: partial(opened.rank_documents, recipe=recipe) for name, recipe in chosen.items()}
        found = evaluate(loaded, searches, measures, baseline=reference, depth=depth, seed=seed, progress=progress)
        full = {name: str(opened.recipe(recipe)) for name, recipe in chosen.items()}
        following = follow(loaded, searches, found.measures[0], depth=depth, seed=seed)
        lost = (
            losses(loaded, searches, found.runs, found.measures[0], depth=found.depth or 10, seed=seed, progress=progress)
            if robust
            else []
        )
        found = replace(
            found, notes=(*found.notes, *notes), recipes=full, library=opened.state(), following=following, losses=lost
        )
        if then is not None:
            then(found, opened)
    return found


@contextmanager
def _opened(library: Library | str | Path | None, ram: str | int | None, settings: dict[str, Any]) -> Iterator[Library]:
    """The library to search; one that was opened or made here is closed at the end, and a temporary
    one deleted.
    """
    from ..library.library import Library, open_library

    made = {"unit": "document", **settings}
    if isinstance(library, Library):
        if given := [*settings, *(["ram"] if ram is not None else [])]:
            raise UsageError(f"the library is open already, so {', '.join(given)} would do nothing; leave it out")
        yield library
    elif library is None:
        with (
            tempfile.TemporaryDirectory(prefix="bookwheel-", ignore_cleanup_errors=True) as folder,
            open_library(Path(folder) / "library", create=True, ram=ram, **made) as opened,
        ):
            yield opened
    else:
        try:
            opened = open_library(library, ram=ram, **settings)
        except LibraryNotFound:
            opened = open_library(library, create=True, ram=ram, **made)
        with opened:
            yield opened


def _index(library: Library, collection: Collection, progress: Progress) -> list[str]:
    """Fill the library; what could not be indexed, a sentence each."""
    if collection.corpus is None:
        report = library.add(collection.documents())
    else:
        report = library.index([collection.corpus], progress=progress)
    more = len(report.failures) - FAILURES_SHOWN
    return [*report.failures[:FAILURES_SHOWN], *([f"{more} more documents were left out"] if more > 0 else [])]


def _named(library: Library, recipes: Sequence[str | Recipe] | Mapping[str, str | Recipe] | None) -> dict[str, str | Recipe]:
    """The recipes by their names, each checked against the library."""
    from ..rank import RECIPES

    if recipes is None:
        named: dict[str, str | Recipe] = {
            name: name for name in RECIPES if name == "bm25" or library.settings.encoder is not None
        }
    elif isinstance(recipes, Mapping):
        named = dict(recipes)
    else:
        named = {str(recipe): recipe for recipe in ([recipes] if isinstance(recipes, str) else recipes)}
    for recipe in named.values():
        library.recipe(recipe)
    return named


def _baseline(baseline: str | Recipe, chosen: Mapping[str, str | Recipe]) -> str:
    """The name of the recipe to compare with, which may be given as it was among the recipes."""
    if str(baseline) in chosen:
        return str(baseline)
    if not isinstance(baseline, str):
        for name, recipe in chosen.items():
            if recipe == baseline:
                return name
    raise UsageError(f"the baseline {str(baseline)!r} is not among the recipes: {', '.join(map(repr, chosen))}")


def _fitted(
    library: Library, collection: Collection, recipes: Mapping[str, str | Recipe], seed: int, progress: Progress
) -> tuple[Collection, dict[str, str | Recipe], list[str]]:
    """The half of the queries to report, each fusion with the weights fitted on the other half, and
    what was fitted.
    """
    from .fusion import fit_fusion, is_fusion

    training, reported = collection.halves(seed)
    if not training.judged:
        raise UsageError(f"{collection.name} has too few judged queries ({len(collection.judged)}); fitting needs at least two")
    fusions = {name: recipe for name, recipe in recipes.items() if is_fusion(library, recipe)}
    if not fusions:
        raise UsageError(
            "fitting is for the weights of a fusion, and none of the recipes is one; add one, such as 'bm25 + dense'"
        )
    known = {str(library.recipe(recipe)) for recipe in recipes.values()}
    fitted: dict[str, str | Recipe] = {}
    halves = f"{len(training.judged):,} of {len(collection.judged):,} judged queries"
    notes = [f"weights are fitted on {halves}; the figures are of the other {len(reported.judged):,}"]
    for name, recipe in fusions.items():
        best, reached = fit_fusion(library, recipe, training, progress=progress)
        notes.append(f"{name} fitted: {best} (nDCG@10 {reached:.4f} on the queries it was fitted on)")
        if str(best) not in known:
            fitted[str(best)] = best
    return reported, fitted, notes
