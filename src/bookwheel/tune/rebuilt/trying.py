"""Variants of a library, built and judged beside what was chosen for it, the cheap ones first, as long as there is time.

Which of them is best is chosen in each fold without the queries that judge it (Varma and Simon 2006), by the rule of `search`: it
must gain more than the best of so many does by luck. So the gain that is told is that of choosing among them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import BookwheelError, RecipeError
from ...library.trial import TrialReader
from ...progress import Progress, silent
from ..clock import Clock
from ..design import Design, Trial
from ..folds import bootstrap, folds
from ..journal import Journal
from ..judged import Judged
from ..limits import Limits
from ..scores import Scorer
from ..search import luck, standard_error
from ..temporary import beside
from .models import models_of
from .report import Rebuilt, Row
from .units import units_of
from .variant import Built, Variant, folder_bytes

__all__ = ["Rebuilding"]


@dataclass(frozen=True, slots=True)
class _Scored:
    """One design in one variant that was built."""

    variant: Variant
    share: float
    recipe: str
    scores: NDArray[np.float64]
    p95: float
    planned: int
    bytes: int
    seconds: float


class Rebuilding:
    """Tries variants of the library that ``reader`` reads, for the queries of ``judged``, until ``deadline`` (`time.monotonic`).

    ``own``: the best design of the library as it is, and ``trial`` what is compared with (the recipe that was chosen, or kept).
    """

    def __init__(
        self,
        reader: TrialReader,
        library: str,
        judged: Judged,
        scorer: Scorer,
        own: Design,
        trial: Trial,
        limits: Limits,
        journal: Journal,
        deadline: float,
        seed: int = 0,
        progress: Progress = silent,
    ) -> None:
        self.reader, self.library, self.judged, self.scorer = reader, library, judged, scorer
        self.own, self.trial, self.limits, self.journal = own, trial, limits, journal
        self.deadline, self.seed = deadline, seed
        self.task = progress("rebuilding", None, "variants")
        self.known: dict[str, Any] = journal.facts("rebuilt")

    def run(self, folders: Sequence[str] = ()) -> Rebuilt:
        """Build, judge, choose. ``folders``: of models to try beside those installed."""
        try:
            return self._run(folders)
        finally:
            self.task.close()

    def _run(self, folders: Sequence[str]) -> Rebuilt:
        models, left_out = models_of(self.reader, folders, self.reader.representations)
        if set(self.reader.representations) >= set(self.own.parts) and not self._added():
            variants: list[Variant] = [*units_of(self.reader), *models]
        else:
            variants = [*models]
            left_out.append(
                "other units and lengths: the chosen recipe needs models that would have to embed all passages anew"
            )
        base = self.scorer.scores(self.trial, np.arange(len(self.scorer)))
        own_p95 = Clock(self.reader, self.scorer.texts, self.journal).p95(self.trial)  # as roughly as the others
        found: list[_Scored] = []
        for variant in sorted(variants, key=lambda one: one.estimate()):
            if self._known(variant) is None and variant.estimate() > self.deadline - time.monotonic():
                left_out.append(
                    f"{variant.label}: building it takes about {_duration(variant.estimate())}; give more --minutes"
                )
                continue
            try:
                found += self._judged(variant)
            except BookwheelError as error:
                left_out.append(f"{variant.label}: {error}")
            self.task.advance(1, variant.label)
        return self._chosen(found, base, own_p95, tuple(left_out))

    def _added(self) -> bool:
        """Whether the recipe names vectors that indexing does not make."""
        made = {status.name for status in self.reader.encoder_status()}
        return bool(made & set(self.trial.recipe.retrievers())) or bool(made & set(self.own.parts))

    # -- building ------------------------------------------------------------------------------------------------------

    def _judged(self, variant: Variant) -> list[_Scored]:
        """The designs of a variant that keep the limits, from an earlier run where it has them."""
        if (known := self._known(variant)) is not None:
            return known
        rows: list[dict[str, Any]] = []
        share = 0.0
        with beside(self.judged.path, ".tune-") as folder:
            for built in variant.build(folder, lambda: self.deadline - time.monotonic()):
                share = built.share
                rows += self._rows(variant, built)
        if share >= 1:  # else the time was over before the rest of the passages was embedded, and another run may have more
            self.known[self._key(variant)] = rows
            self.journal.add_fact("rebuilt", self._key(variant), rows)
        return [_of_row(variant, row) for row in rows if row["scores"] is not None]

    def _key(self, variant: Variant) -> str:
        """Of what a variant's rows depend on: their designs are made from those of the library as it is."""
        return f"{variant.key} | {self.own.trial.key} | {self.trial.key}"

    def _known(self, variant: Variant) -> list[_Scored] | None:
        """What an earlier run found that keeps the limits; None where it left out, by its own limits, what keeps these."""
        if (rows := self.known.get(self._key(variant))) is None:
            return None
        kept = [row for row in rows if self._within(row["planned"], row["p95"])]
        return None if any(row["scores"] is None for row in kept) else [_of_row(variant, row) for row in kept]

    def _within(self, planned: int, p95: float | None) -> bool:
        """Whether the limits are kept, as far as it is known. ``p95``: milliseconds; None where it was not timed."""
        most = self.limits
        return (most.ram is None or planned <= most.ram) and (
            most.milliseconds is None or p95 is None or p95 <= most.milliseconds
        )

    def _rows(self, variant: Variant, built: Built) -> list[dict[str, Any]]:
        """Every design that can run there, for the journal; what breaks the limits without scores."""
        size = folder_bytes(built.path)
        found = []
        with TrialReader(built.path) as reader:
            scorer = Scorer(reader, self.judged.queries, self.judged.qrels, str(self.scorer.measure))
            clock = Clock(reader, scorer.texts, Journal(None, ""))
            for design in variant.designs(self.own):
                trial = design.trial if design != self.own else self.trial
                try:
                    reader.recipe(trial.recipe)
                except RecipeError:
                    continue
                planned = reader.planned_bytes(trial.recipe)
                p95 = clock.p95(trial) if self._within(planned, None) else None
                scores = None
                if p95 is not None and self._within(planned, p95):
                    scores = scorer.scores(trial, np.arange(len(scorer))).tolist()
                found.append(
                    {"share": built.share, "recipe": str(trial.recipe), "scores": scores, "p95": p95, "planned": planned,
                     "bytes": size, "seconds": built.seconds}
                )  # fmt: skip
        return found

    # -- choosing ------------------------------------------------------------------------------------------------------

    def _chosen(
        self, found: Sequence[_Scored], base: NDArray[np.float64], own_p95: float, left_out: tuple[str, ...]
    ) -> Rebuilt:
        rows = [self._row(one, base, own_p95) for one in found]
        if not found:
            return Rebuilt(rows, None, None, (), left_out)
        gains = np.array([one.scores - base for one in found])
        seen = np.zeros(gains.shape[1])
        for chosen_on, judged_by in folds(gains.shape[1], self.seed):
            if (at := best_of(gains[:, chosen_on])) is not None:
                seen[judged_by] = gains[at, judged_by]
        gain, at = bootstrap(seen, self.seed), best_of(gains)
        if at is None or not gain.earned:
            return Rebuilt(rows, gain, None, (), left_out)
        best = found[at]
        return Rebuilt(rows, gain, at, best.variant.commands(self.library, best.recipe, best.share), left_out)

    def _row(self, one: _Scored, base: NDArray[np.float64], own_p95: float) -> Row:
        gain = bootstrap(one.scores - base, self.seed)
        return Row(
            one.variant.label, one.share, one.recipe, float(one.scores.mean()), gain, one.p95, one.p95 - own_p95, one.planned,
            one.bytes, one.seconds,
        )  # fmt: skip


def _of_row(variant: Variant, row: Mapping[str, Any]) -> _Scored:
    """A row of the journal that has scores."""
    return _Scored(
        variant, row["share"], row["recipe"], np.array(row["scores"]), row["p95"], row["planned"], row["bytes"], row["seconds"]
    )


def best_of(gains: NDArray[np.float64]) -> int | None:
    """The row with the highest mean, where that is more than luck among so many; None where it is not."""
    means = gains.mean(axis=1)
    at = int(means.argmax())
    return at if means[at] > luck(len(gains)) * standard_error(gains[at]) + 1e-9 else None


def _duration(seconds: float) -> str:
    units: list[tuple[float, str, Callable[[float], str]]] = [
        (120, "s", lambda x: f"{x:.0f}"), (7200, "min", lambda x: f"{x / 60:.0f}"), (float("inf"), "h", lambda x: f"{x / 3600:.0f}"),
    ]  # fmt: skip
    return next(f"{shown(seconds)} {unit}" for most, unit, shown in units if seconds < most)
