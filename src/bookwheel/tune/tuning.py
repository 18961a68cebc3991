"""The tuner: which recipe, with which parameters, is best for this library's own queries inside milliseconds and bytes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._errors import BudgetError, RecipeError, UsageError
from ..encode.catalogue import require_encoders
from ..encode.cross import CrossEncoder
from ..encode.find import find_folder
from ..evaluate.collection import Collection
from ..library.manifest import Manifest
from ..library.reader import Reader
from ..library.saved_recipes import refuse_name
from ..library.trial import TrialReader
from ..memory.sizes import format_size
from ..progress import Progress, silent
from ..rank.recipe import Fuse, Recipe, Retrieve
from ..rank.stages.rerank.cross import Cross
from .clock import Clock, measured_bytes
from .design import AXES, Design, Trial, even
from .folds import FOLDS, Gain, bootstrap, folds
from .journal import FOLDER, Journal, journal_key
from .judged import Judged, judged_library
from .limits import Limits
from .rebuilt.report import Rebuilt
from .rebuilt.trying import Rebuilding
from .result import Part, Point, Tuning
from .scores import OutOfTime, Scorer, usable_measure
from .search import Search
from .space import Space

if TYPE_CHECKING:
    from ..library.library import Library

__all__ = ["Tuner", "tune"]

SEARCHING, FOLDING = 0.45, 0.85
"""The shares of the minutes after which the search, and its cross-validation, must be done."""
MARGIN = 0.95
"""The share of the milliseconds that a rough timing may take, since the last one is another."""
MINUTES = 10.0
REBUILDING = 0.5
"""The share of the minutes that is left for variants of the library, where they are wanted."""


def tune(
    library: Library | str | Path,
    judgments: Collection | str | Path | None = None,
    *,
    latency: str | float | None = None,
    ram: str | int | None = None,
    minutes: float = MINUTES,
    measure: str = "nDCG@10",
    rerankers: Sequence[str] = (),
    rebuild: bool = False,
    models: Sequence[str] = (),
    name: str | None = "tuned",
    split: str = "test",
    field: str = "title",
    seed: int = 0,
    progress: Progress = silent,
) -> Tuning:
    """Choose the best recipe, k1 and b for ``library`` by judged queries, within limits that are measured.

    - ``library``: an open one, or its name or path. It is searched, and nothing in it changes but its saved recipes.
    - ``judgments``: a collection of queries and grades for documents of the library, or what
      `bookwheel.evaluate.load_collection` takes (with ``split`` and ``field``). None: questions made of the library itself.
    - ``latency``: milliseconds, or text such as ``"20ms"``, within which 95 of 100 searches must be done.
    - ``ram``: the memory of a process that searches, such as ``"512MB"``.
    - ``minutes``: the time for it. A run that ends before it is done says so, and the same call goes on.
    - ``rerankers``: folders of cross-encoders to try.
    - ``rebuild``: also try what needs the library built anew, in temporary copies beside it and in half of the time: other units
      and passage lengths, and models on this machine that it has not added (``models``: also those in these folders). Nothing of
      that is done to the library; `Tuning.rebuilt` says what it would bring, and how to do it.
    - ``name``: the recipe is saved in the library under this name with its evidence; None does not save it.

    The library's own recipe, k1 and b are kept where cross-validation shows no gain. Raises `UsageError`, `InputError`,
    `ModelError` for a folder in which there is no model, `BudgetError` where nothing keeps the limits, and what opening a library raises.
    """
    from ..library.library import Library, open_library

    limits = Limits.of(latency, ram)
    if not 0 < minutes <= 24 * 60:
        raise UsageError(f"minutes must be a number above 0 and up to 1440, not {minutes!r}")
    usable_measure(measure)  # before anything is begun
    if not isinstance(library, Library):
        with open_library(library) as opened:
            return tune(
                opened, judgments, latency=latency, ram=ram, minutes=minutes, measure=measure, rerankers=rerankers, rebuild=rebuild,
                models=models, name=name, split=split, field=field, seed=seed, progress=progress,
            )  # fmt: skip
    require_encoders([Path(folder) for folder in models])
    for model in rerankers:
        CrossEncoder(find_folder(model))
    started = time.monotonic()
    if name is not None:
        with TrialReader(library.path) as reader:
            refuse_name(name, reader.representations)
    with judged_library(library, judgments, split, field, seed, progress) as judged, TrialReader(judged.path) as reader:
        wanted = rebuild or bool(models)
        seconds = 60 * minutes * (1 - REBUILDING if wanted else 1)
        tuner = Tuner(reader, library, judged, limits, measure, rerankers, seed, started, seconds, progress)
        found = tuner.run()
        if wanted and not judged.refusal:
            found = replace(found, rebuilt=tuner.rebuilt(found, models, started + 60 * minutes, progress))
    if name is not None and not found.kept:
        library.save_recipe(name, found.chosen.recipe, evidence=found.evidence())
        found = found.named(name)
    return found


class Tuner:
    """One tuning run over one generation of ``library``, whose passages ``reader`` searches.

    ``seconds`` count from ``started`` (`time.monotonic`).
    """

    def __init__(
        self,
        reader: TrialReader,
        library: Reader,
        judged: Judged,
        limits: Limits,
        measure: str,
        rerankers: Sequence[str],
        seed: int,
        started: float,
        seconds: float,
        progress: Progress = silent,
    ) -> None:
        self.library, self.judged = library, judged
        key = journal_key(Manifest.read(library.path).version, judged.queries, judged.qrels, measure, judged.taken)
        self.journal = Journal(library.path / FOLDER, key)
        self.task = progress("tuning", None, "trials")
        self.scorer = Scorer(
            reader, judged.queries, judged.qrels, measure, journal=self.journal, tick=lambda note: self.task.advance(1, note)
        )
        self.reader, self.limits, self.seed = reader, limits, seed
        self.started, self.seconds = started, seconds
        self.space = Space(_complete(reader), rerankers)
        self.clock = Clock(reader, self.scorer.texts, self.journal)
        self.baseline = Trial(reader.recipe(), reader.bm25)
        self.start = _design_of(self.baseline) or _usual(self.space, reader)
        self.best = self.start
        """What was chosen, or kept, once it has run."""
        self._kept: dict[Design, str] = {}
        self._bytes: dict[str, int] = {}

    def run(self) -> Tuning:
        """Search, judge, time and tell."""
        try:
            return self._run(list(self.judged.notes))
        finally:
            self.task.close()

    def _run(self, notes: list[str]) -> Tuning:
        everything = np.arange(len(self.scorer))
        self._refuse_impossible()
        for model in self.space.rerankers:  # one that cannot be run is told before minutes are spent
            self.scorer.scores(self._singles()[0].change(rerank=Cross(10, model)).trial, everything[:1])
        complete = True
        search = Search(self.scorer, self.space, self.start, everything, self.allowed, self.seed)
        if not self.allowed(self.start):
            search.best = next(design for design in self._singles() if self.allowed(design))
        first = search.best
        gain: Gain | None = None
        if not self.judged.refusal:
            self._until(SEARCHING)
            try:
                search.run()
            except OutOfTime:
                complete = False
            gain, folded = self._cross_validated(first)
            complete = complete and folded
        best = search.best
        self.scorer.deadline = float("inf")
        searched = best
        best, points = self._timed(best, everything)
        self.best, reached = best, self._point(points, best.trial)
        own = self._point(points, self.baseline)
        over, told = self.problem(self.baseline, own.p95), self.problem(best.trial, reached.p95)
        kept = (not over or bool(told)) and (gain is None or not gain.earned or reached.score <= own.score)
        if best != searched and not kept:
            slow = self.problem(searched.trial, self._point(points, searched.trial).p95)
            of = f"{searched.recipe} {slow}" if gain is None else f"The gain is that of {searched.recipe}, which {slow}"
            notes.append(f"{of} in the last timing: {best.recipe} is taken instead.")
        if over:
            better = "" if kept or told or gain is None else ": the best within the limits is chosen"
            notes.append(f"The library's own recipe, {self.baseline.recipe}, {over}{better}.")
        if told:
            notes.append(f"In the last timing {best.recipe} {told}: nothing that was timed kept the limits, so time it again.")
        parts = [] if kept else self._parts(best, points, everything)
        chosen = self.baseline if kept else best.trial
        if complete:
            self.journal.add_fact("ended", "at", time.time())
        else:
            notes.append(
                "The minutes were over before the search was: what was computed is kept, and the same command goes on."
            )
        if self.journal.resumed:
            notes.append("An earlier run's rankings were used.")
        left = [name for name in self.reader.representations if name not in _complete(self.reader)]
        if left:
            notes.append(f"Not embedded for all passages, so not tried: {', '.join(left)}; finish with bookwheel embed.")
        return Tuning(
            library=str(self.library.path), measure=str(self.scorer.measure), queries=len(self.scorer), judgments=self.judged.origin,
            limits=self.limits, baseline=own, chosen=self._point(points, chosen), kept=kept, gain=gain, parts=parts,
            points=_front(points), complete=complete, seconds=time.monotonic() - self.started, rankings=self.scorer.ranked,
            trials=self.scorer.trials, refusal=self.judged.refusal, notes=tuple(notes), date=date.today().isoformat(), seed=self.seed,
        )  # fmt: skip

    def rebuilt(self, found: Tuning, models: Sequence[str], deadline: float, progress: Progress = silent) -> Rebuilt:
        """What variants of the library would bring over what was ``found``, tried until ``deadline`` (`time.monotonic`)."""
        design = self.start if found.kept else self.best
        trial = self.baseline if found.kept else self.best.trial
        rebuilding = Rebuilding(
            self.reader, found.library, self.judged, self.scorer, design, trial, self.limits, self.journal, deadline, self.seed,
            progress,
        )  # fmt: skip
        return rebuilding.run(models)

    # -- limits --------------------------------------------------------------------------------------------------------

    def allowed(self, design: Design) -> bool:
        """Whether a design can run here and keeps the limits, by its memory plan and a rough timing."""
        work = design.work
        if work not in self._kept:
            self._kept[work] = self._why_not(work)
        return not self._kept[work]

    def _why_not(self, work: Design) -> str:
        try:
            self.reader.recipe(work.recipe)
        except RecipeError as error:
            return str(error)
        return self.problem(work.trial)

    def problem(self, trial: Trial, milliseconds: float | None = None) -> str:
        """Which limit a recipe does not keep, as the end of a sentence; nothing where it keeps them."""
        planned, limits = self.planned(trial), self.limits
        if limits.ram is not None and planned > limits.ram:
            return f"needs {format_size(planned)} of memory, over the limit of {format_size(limits.ram)}"
        if limits.milliseconds is not None:
            taken = self.clock.p95(trial) / MARGIN if milliseconds is None else milliseconds
            if taken > limits.milliseconds:
                return f"takes {taken:.1f} ms, over the limit of {limits.milliseconds:g} ms"
        return ""

    def planned(self, trial: Trial) -> int:
        """Bytes of memory by the plan."""
        recipe = str(trial.recipe)
        if recipe not in self._bytes:
            self._bytes[recipe] = self.reader.planned_bytes(trial.recipe)
        return self._bytes[recipe]

    def _singles(self) -> list[Design]:
        return [self.start.work.change(parts=(name,), weights=(1,), bm25=self.start.bm25, candidates=None, rewrite=None,
                                       feedback=None, rerank=None) for name in self.space.retrievers]  # fmt: skip

    def _refuse_impossible(self) -> None:
        """Raise `BudgetError` where not even one retriever alone keeps the limits."""
        singles = self._singles()
        if any(self.allowed(design) for design in singles):
            return
        least = min(singles, key=lambda design: self.planned(design.trial))
        if self.limits.ram is not None and self.planned(least.trial) > self.limits.ram:
            raise BudgetError(
                f"no recipe fits: {least.recipe} alone needs {format_size(self.planned(least.trial))} and the limit is "
                f"{format_size(self.limits.ram)}; allow more with --ram"
            )
        if self.clock.forget_earlier():
            self._kept.clear()
            return self._refuse_impossible()
        times = {str(design.recipe): self.clock.p95(design.trial) for design in singles}
        fastest = min(times, key=lambda name: times[name])
        raise BudgetError(
            f"no recipe answers within {self.limits}: {fastest}, the fastest, takes {times[fastest]:.1f} ms (95th percentile); "
            "allow more with --latency"
        )

    # -- judging -------------------------------------------------------------------------------------------------------

    def _until(self, share: float) -> None:
        self.scorer.deadline = self.started + share * self.seconds

    def _cross_validated(self, first: Design) -> tuple[Gain | None, bool]:
        """The gain of the search on queries that it did not choose on, and whether there was time for all of it."""
        differences = np.zeros(len(self.scorer))
        complete = True
        for number, (chosen_on, judged_by) in enumerate(folds(len(self.scorer), self.seed)):
            now = time.monotonic()
            left = self.started + FOLDING * self.seconds - now
            self.scorer.deadline = now + max(0.0, left) / (FOLDS - number)
            search = Search(self.scorer, self.space, first, chosen_on, self.allowed, self.seed)
            try:
                search.run()
            except OutOfTime:
                complete = False
            self.scorer.deadline = float("inf")  # a fifth of the queries by two recipes
            found, own = (self.scorer.scores(trial, judged_by) for trial in (search.best.trial, self.baseline))
            differences[judged_by] = found - own
        if not complete and not differences.any():
            return None, False
        return bootstrap(differences, self.seed), complete

    def _timed(self, best: Design, places: NDArray[np.int64]) -> tuple[Design, list[Point]]:
        """The chosen design, which keeps the limits in the last timing, and everything that was timed."""
        plain = best.change(rewrite=None, feedback=None, rerank=None, candidates=None)
        others = [plain, plain.change(feedback=best.feedback), plain.change(rerank=best.rerank), *self._singles()]
        others += [self.start, *(best.with_axis(axis, self.start) for axis in best.differing(self.start))]
        designs = [best, *(design for design in others if self._why_not(design.work) == "")]
        trials = {design.trial: design for design in designs}
        listed = list(dict.fromkeys([*trials, self.baseline]))
        times = self.clock.compare(listed)
        points = []
        for trial, milliseconds in zip(listed, times, strict=True):
            score = float(self.scorer.scores(trial, places).mean())
            points.append(Point.of(trial, score, milliseconds, self.planned(trial)))
        refused = bool(self.judged.refusal)  # then their scores put nothing before anything else
        order = sorted(range(len(listed)), key=lambda at: (listed[at] != best.trial, 0.0 if refused else -points[at].score))
        for at in order:
            if listed[at] in trials and not self.problem(listed[at], points[at].p95):
                best = trials[listed[at]]
                break
        measured: dict[str, int | None] = {}
        for trial in (self.baseline, best.trial):
            at, recipe = listed.index(trial), str(trial.recipe)
            if recipe not in measured:
                measured[recipe] = measured_bytes(self.reader.path, trial, self.clock.texts)
            points[at] = replace(points[at], measured=measured[recipe])
        return best, points

    def _parts(self, best: Design, points: list[Point], places: NDArray[np.int64]) -> list[Part]:
        """What each choice won, against the same design with the library's own in its place."""
        found = []
        reached, taken = (self._point(points, best.trial).score, self._point(points, best.trial).p95)
        for axis in best.differing(self.start):
            other = best.with_axis(axis, self.start)
            if self.allowed(other.change()) or not self.limits_set:
                score = float(self.scorer.scores(other.trial, places).mean())
                ((_, p95),) = self.clock.compare([other.trial])
                found.append(Part(AXES[axis], _said(self.start, axis), _said(best, axis), reached - score, taken - p95))
        return found

    @property
    def limits_set(self) -> bool:
        """Whether there are limits."""
        return self.limits.ram is not None or self.limits.milliseconds is not None

    @staticmethod
    def _point(points: Sequence[Point], trial: Trial) -> Point:
        return next(p for p in points if (p.recipe, p.k1, p.b) == (str(trial.recipe), trial.bm25.k1, trial.bm25.b))


def _front(points: Sequence[Point]) -> list[Point]:
    """The points, the fastest first, with those marked that no other is both better and faster than."""
    best = float("-inf")
    found = []
    for point in sorted(points, key=lambda point: (point.p95, -point.score)):
        found.append(replace(point, frontier=point.score > best))
        best = max(best, point.score)
    return found


def _complete(reader: TrialReader) -> dict[str, str]:
    """The representations that have all passages."""
    partial = {status.name for status in reader.encoder_status() if not status.complete}
    return {name: kind for name, kind in reader.representations.items() if name not in partial}


def _design_of(trial: Trial) -> Design | None:
    """A recipe that is a weighted sum of retrievers as a design; None for any other."""
    recipe: Recipe = trial.recipe
    if isinstance(recipe, Retrieve):
        return Design((recipe.name,), (1,), trial.bm25)
    if isinstance(recipe, Fuse) and all(isinstance(term.recipe, Retrieve) for term in recipe.terms):
        names = tuple(term.recipe.name for term in recipe.terms if isinstance(term.recipe, Retrieve))
        return Design(names, tuple(round(1000 * float(term.weight)) for term in recipe.terms), trial.bm25)
    return None


def _usual(space: Space, reader: TrialReader) -> Design:
    parts = tuple(name for name in ("bm25", "dense") if name in space.retrievers) or space.retrievers[:1]
    return Design(parts, even(len(parts)), reader.bm25)


def _said(design: Design, axis: str) -> str:
    """One choice in words."""
    value = getattr(design, axis)
    if axis == "parts":
        return " + ".join(value)
    if axis == "weights":
        return ", ".join(f"{weight / sum(value):.2f}" for weight in value)
    if axis == "bm25":
        return f"{value.k1:g}, {value.b:g}"
    return "none" if value is None and axis != "candidates" else "100" if value is None else str(value)
