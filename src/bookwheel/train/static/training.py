"""``train static``: the static model fitted to a collection, without labels.

A small encoder by contrast without labels and by imitation of a larger one: Bednář et al., "Some Like It Small: Czech Semantic
Embedding Models for Industry Applications" (2023). In part: their students are transformers.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError
from ..._interruption import interruptible
from ..._system import anonymous_bytes
from ...encode.find import BUILT_IN_MODELS
from ...encode.protocols import nbytes
from ...encode.static.built_in import StaticEncoder, load
from ...library.library import Library
from ...library.vectors.encoders import BUILT_IN
from ...memory.shares import BASE
from ...memory.sizes import MIB
from ...progress import Progress, silent
from ...tune.made import MadeCollection
from ...tune.made.drawn import Drawn
from ...tune.reliability import searchable
from ..data.passages import Passages
from ..forgetting import forgetting
from ..run import Job, Run, start
from ..safety import FEWEST, Verdict, thirds, verdict
from ..teachers.registry import dense_teacher
from .bags import Bagger
from .choice import DenseRuns, written
from .fit import Fit, FitOptions
from .material import PER_PASSAGE, Material
from .result import StaticTraining
from .table import Table
from .taught import Taught
from .teacher import taught
from .vocabulary import NewWords, Vocabulary, base_vocabulary
from .writing import write_model

if TYPE_CHECKING:
    from ...encode.protocols import DenseEncoder

__all__ = ["train_static"]

MINUTES = 5.0
QUERIES = 600
"""Held out: a third chooses how far to go, two thirds compare."""
PASSAGES = 100_000
"""The most that are trained on; of a larger library they are drawn."""
NEW_WORDS = 10_000
LEAST = 3
"""Passages that a new word occurs in, at least."""
TAUGHT = 0.5
"""The share of the minutes that the teacher may take."""
FITTED = 0.8
"""The share after which the last step must be made."""
SHARES = (0.5, 1.0)
"""How far from the old vectors to the trained ones a model may lie, that are compared."""
BATCHES = 96 * MIB
"""Memory of a step: vectors and slopes of the pieces that a batch has."""
CHECKPOINT = 20.0
"""Seconds of steps that a kill can lose."""


def train_static(
    library: Library | str | Path,
    out: str | Path | None = None,
    *,
    teacher: str | Path | None = None,
    compare: str | Path | None = None,
    minutes: float = MINUTES,
    ram: str | int | None = None,
    seed: int = 0,
    options: FitOptions = FitOptions(),  # noqa: B008 - immutable
    progress: Progress = silent,
) -> StaticTraining:
    """Fit the static model of ``library`` to its passages, and write it where it is better.

    - ``library``: an open one, or its name or path. Nothing in it changes but the folder of what was trained.
    - ``out``: the folder of the model, new or empty; ``models/static-…`` in the library where None.
    - ``teacher``: a dense encoder (its name in the library, a folder or a package) that embeds some passages and sentences, which
      the model then imitates; None: the collection alone teaches.
    - ``compare``: a judged collection, whose queries are held out and compare models; None: queries made of the library.
    - ``minutes``: the time for it. ``ram``: the memory, as for `bookwheel.open`.

    Titles and sentences stand for queries of the passages that they are taken out of (inverse cloze), in-batch negatives set
    them apart; words that the model cuts into pieces and that occur in several passages get vectors of their own. The model
    is compared with the one that it started from on queries held out of the collection (`train.safety`); where it is not
    better, ``folder`` of the result is None and nothing is written. Stopped at any instant, the same call goes on where it was;
    finished, and without ``out``, it takes the model that is there (``again`` of the result).

    Raises `UsageError`, `InputError` where no queries can be made, `ModelError`, `BudgetError`, `StorageError`, and what
    opening a library raises.
    """

    def train(job: Job) -> StaticTraining:
        return _Run(job, teacher, replace(options, seed=seed)).run()

    return start(library, out, minutes, ram, seed, progress, train, compare)


class _Run(Run):
    def __init__(self, job: Job, teacher: str | Path | None, options: FitOptions) -> None:
        super().__init__(job)
        self.options = options
        self.base = self._base()
        self.teacher, self.teacher_name = self._teacher(teacher)
        self.most = self._plan()
        self.kept = self.keep("static", self.base.sha256, self._sha(), asdict(options), self.most, called="static")

    def _base(self) -> StaticEncoder:
        """The model to start from: the one in use where it is static and of our form, else the one that comes with bookwheel."""
        manifest = self.library._snapshot.manifest
        used = manifest.representation(BUILT_IN)
        if used is not None and used.encoder is not None:
            own: Any = self.library._encoders.encoder(used)
        else:
            own = self.library._encoders.built_in(manifest)
        if isinstance(own, StaticEncoder):
            return own
        if own is not None:
            self.notes.append(f"The model in use, {own.name}, is of another kind, so training starts from the built-in one.")
        return load(BUILT_IN_MODELS["static"])

    def _teacher(self, named: str | Path | None) -> tuple[DenseEncoder | None, str | None]:
        if named is None:
            return None, None
        return dense_teacher(self.library, named), str(named)

    def _sha(self) -> str:
        return "" if self.teacher is None else self.teacher.sha256

    def _plan(self) -> int:
        """Plan the memory; how many passages have room in it. Raises `BudgetError`."""
        rows = self.base.pieces + NEW_WORDS
        self.memory.plan("Python, numpy, compiled kernels", BASE)
        self.memory.plan("vectors before and after, and their moments", 12 * self.base.dimension * rows)
        self.memory.plan("a step", BATCHES)
        if self.teacher is not None:
            self.memory.plan(f"teacher {self.teacher_name}", nbytes(self.teacher))
        least = min(1000, self.library.passage_count)
        self.memory.plan("passages as bags of words", least * PER_PASSAGE)
        self.memory.check("training")
        most = least + (self.memory.ram - self.memory.planned()) // PER_PASSAGE
        most = min(most, PASSAGES, self.library.passage_count)
        self.memory.plan("passages as bags of words", most * PER_PASSAGE)
        return most

    def run(self) -> StaticTraining:
        """Make queries, train in a copy without them, compare, and write; or take what an earlier run like this one wrote."""
        if (before := self.done(StaticTraining)) is not None:
            self.kept.clear()
            return before
        made = self.held_out(QUERIES, 2 * FEWEST)
        with searchable(self.library, made, (BUILT_IN,), progress=self.progress) as copy, interruptible() as stop:
            return self._train(copy, made, stop)

    def _train(self, copy: Library, made: MadeCollection, stop: Callable[[], bool]) -> StaticTraining:
        passages = Passages.drawn(copy._snapshot, self.most, self.seed)
        vocabulary, bagger = self._vocabulary(passages)
        material = self._material(passages, bagger)
        table = Table(vocabulary.vectors.copy())
        taught_ = self._taught(passages, bagger, table, stop)
        fit = self._fit(table, material, taught_, stop)
        validation, test = thirds(made)
        with tempfile.TemporaryDirectory(prefix="candidates-", dir=self.kept.folder, ignore_cleanup_errors=True) as scratch:
            share, scores, vectors = self._chosen(copy, validation, vocabulary, fit, Path(scratch))
            said, general = Verdict(()), None
            if share:
                model = written(Path(scratch) / "model", vectors, vocabulary.pieces, "trained")
                said = self._compared(copy, test, model, Path(scratch))
                general = forgetting(self.base, model)
        measured = anonymous_bytes()
        if measured is not None:
            self.memory.measure("all anonymous memory", measured)
        found = StaticTraining(
            base=self.base.name, teacher=self.teacher_name if taught_ else None,
            passages=len(material.texts), queries=len(material.queries), new_words=vocabulary.new, steps=table.steps_of_fit,
            share=share, losses=tuple(fit.losses), rates=tuple(fit.rates),
            validation=scores, verdict=said, general=general,
            **self.common(),
        )  # fmt: skip
        if share and said.better:
            found = replace(found, folder=str(self._written(found, vectors, vocabulary)))
        self.kept.clear()
        return found

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _vocabulary(self, passages: Passages) -> tuple[Vocabulary, Bagger]:
        base = base_vocabulary(self.base)
        words = NewWords(Bagger(base.pieces), set(base.pieces))
        task = self.progress("counting words", len(passages), "passages")
        try:
            for _, title, text in passages.texts():
                words.add(f"{title} {text}")
                task.advance()
        finally:
            task.close()
        vocabulary = words.extended(base, words.chosen(NEW_WORDS, LEAST))
        return vocabulary, Bagger(vocabulary.pieces)

    def _material(self, passages: Passages, bagger: Bagger) -> Material:
        wording = Drawn.of(self.library, self.seed).wording
        task = self.progress("reading passages", len(passages), "passages")
        try:
            return Material.of(passages, bagger, wording, self.seed, task.advance)
        finally:
            task.close()

    def _taught(self, passages: Passages, bagger: Bagger, table: Table, stop: Callable[[], bool]) -> Taught | None:
        if self.teacher is None:
            return None
        task = self.progress(f"embedding with {self.teacher_name}", None, "texts")
        try:
            found = taught(
                self.teacher, passages, bagger, table, self.kept, TAUGHT * self.seconds, self.seed, stop, task.advance
            )
        finally:
            task.close()
        if stop():
            raise KeyboardInterrupt
        if found is None:
            self.notes.append(
                f"{self.teacher_name} embedded too few texts in its time to teach anything; allow more --minutes."
            )
        return found

    def _fit(self, table: Table, material: Material, taught_: Taught | None, stop: Callable[[], bool]) -> Fit:
        fit = Fit(table, material, taught_, self.options)
        known = self.kept.read("fit")
        if known is not None:
            restore(fit, known)
        if (planned := self.kept.fact("steps")) is not None:
            fit.steps = int(planned)
        task = self.progress("training", fit.steps, "steps")
        try:
            task.advance(table.steps_of_fit)
            began = saved = time.monotonic()
            first = table.steps_of_fit
            while not fit.done:
                if stop():
                    self._save(fit)
                    raise KeyboardInterrupt
                loss = fit.step()
                if not np.isfinite(loss):
                    raise ModelError(
                        f"training went wrong at step {table.steps_of_fit:,}: the loss is {loss}; the model in use is untouched, "
                        "start from the built-in one, or report it"
                    )
                task.advance(1, f"loss {loss:.3f}, rate {fit.rates[-1]:.2g}")
                if planned is None and table.steps_of_fit == first + PROBED:
                    planned = self._planned_steps(fit, first, began)
                    task.close()  # and begin anew: the time that is left follows from the steps
                    task = self.progress("training", fit.steps, "steps")
                    task.advance(table.steps_of_fit)
                if time.monotonic() - saved > CHECKPOINT:
                    self._save(fit)
                    saved = time.monotonic()
            self._save(fit)
        finally:
            task.close()
        return fit

    def _planned_steps(self, fit: Fit, first: int, began: float) -> int:
        """How many steps the minutes have room for; kept, so that a run that is taken up again makes as many."""
        each = (time.monotonic() - began) / PROBED
        fit.steps = max(first + PROBED, min(fit.steps, first + PROBED + int(self.left(FITTED) / max(each, 1e-6))))
        self.kept.note(steps=fit.steps)
        return fit.steps

    def _save(self, fit: Fit) -> None:
        table = fit.table
        self.kept.write(
            "fit",
            {
                "vectors": table.vectors,
                "first": table.first,
                "second": table.second,
                "steps": np.array([table.steps, table.steps_of_fit]),
                "losses": np.array(fit.losses),
                "rates": np.array(fit.rates),
            },
        )
        if (measured := anonymous_bytes()) is not None:
            self.memory.measure("all anonymous memory", measured)

    def _chosen(
        self, copy: Library, validation: MadeCollection, vocabulary: Vocabulary, fit: Fit, scratch: Path
    ) -> tuple[float, dict[str, float], NDArray[np.float32]]:
        """The share of the way, what each reached, and the vectors."""
        runs = DenseRuns(copy, validation)
        task = self.progress("comparing", 1 + len(SHARES), "models")
        try:
            scores = {0.0: runs.score(self.base, scratch / "vectors.npy")}
            task.advance()
            for share in SHARES:
                model = written(scratch / f"{share:g}", fit.towards(vocabulary.vectors, share), vocabulary.pieces, "candidate")
                scores[share] = runs.score(model, scratch / "vectors.npy")
                task.advance()
        finally:
            task.close()
        best = max(scores, key=lambda share: (scores[share], -share))
        return best, {f"{share:g}": score for share, score in scores.items()}, fit.towards(vocabulary.vectors, best)

    def _compared(self, copy: Library, test: MadeCollection, model: StaticEncoder, scratch: Path) -> Verdict:
        runs = DenseRuns(copy, test)
        before, after = BUILT_IN, _unused(copy, "trained")
        runs.vectors(model, scratch / "after.npy")
        copy.import_vectors(after, scratch / "after.npy", encoder=str(model.folder))
        if BUILT_IN not in copy._searcher.representations:
            before = _unused(copy, "before")
            runs.vectors(self.base, scratch / "before.npy")
            copy.import_vectors(before, scratch / "before.npy", encoder=str(self.base.folder))
        pairs = {
            "vectors alone": (before, after),
            "with BM25": (f"0.5*bm25 + 0.5*{before}", f"0.5*bm25 + 0.5*{after}"),
        }
        return verdict(copy, test, pairs, seed=self.seed, progress=self.progress)

    def _written(self, found: StaticTraining, vectors: NDArray[np.float32], vocabulary: Vocabulary) -> Path:
        write_model(self.target, found, vectors, vocabulary, self.base, self.options, self.kept.folder.name)
        return self.target


def restore(fit: Fit, known: Mapping[str, NDArray[Any]]) -> None:
    """Put ``fit`` where it was when ``known`` was kept; a checkpoint that does not fit is left alone."""
    table = fit.table
    if {"vectors", "first", "second", "steps", "losses", "rates"} <= known.keys() and known[
        "vectors"
    ].shape == table.vectors.shape:
        table.vectors, table.first, table.second = known["vectors"], known["first"], known["second"]
        table.steps, table.steps_of_fit = (int(number) for number in known["steps"])
        fit.losses, fit.rates = known["losses"].tolist(), known["rates"].tolist()


PROBED = 10
"""Steps after which the others are planned."""


def _unused(library: Library, name: str) -> str:
    taken = {one.name for one in library._snapshot.manifest.representations}
    return next(one for one in (name, *(f"{name}{number}" for number in range(2, 1000))) if one not in taken)
