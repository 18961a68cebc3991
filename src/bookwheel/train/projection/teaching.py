"""``train projection --teacher``: a linear map after an encoder, by which it ranks as a larger one does, without encoding anew."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..._errors import UsageError
from ..._interruption import interruptible
from ..._system import anonymous_bytes
from ...encode.load import load_encoder
from ...encode.protocols import encode_queries, nbytes
from ...library.library import Library
from ...library.retrieval.registry import representations
from ...library.vectors.encoders import BUILT_IN
from ...memory.shares import BASE
from ...progress import Progress, silent
from ...tune.made import MadeCollection
from ...tune.reliability import searchable
from ..encoder.pool import ALONE, FUSED
from ..forgetting import forgetting
from ..plot import training_svg
from ..run import Job, start
from ..safety import FEWEST, verdict
from ..teachers.registry import dense_teacher
from .base import Map, MapRun
from .lesson import FEWEST_PASSAGES, FEWEST_QUERIES, Both
from .taught_map import AMONG, BATCH, RATE, Lesson, Steps, divergence, taught_map, teacher_scale
from .taught_result import TaughtProjection

__all__ = ["train_taught_projection"]

MINUTES = 20.0
HELD_OUT, EACH = 1000, 1.0
"""The most held-out queries, and the seconds of the whole time for each: the documents that they are of are embedded anew."""
PASSAGES, QUERIES = 50_000, 20_000
"""The most that a teacher ranks, and the most that are drawn to rank them for."""
ENCODED, FITTED = 0.75, 0.85
"""The shares of the minutes after which nothing more is encoded, and the last step must be made."""
SHARE = 0.5
"""How far the model goes from the encoder to the map: on PubMedQA's and XQuAD's questions, half way gained more surely than all the way.

Drawn queries are not what people ask, and half way keeps more of what an encoder was (Wortsman et al., "Robust Fine-Tuning of Zero-Shot
Models", CVPR 2022).
"""
STEPS, FEWEST_STEPS = 600, 20
COPIES = 2
"""Of vectors in float16: they are collected, then put together."""
TIMED = 3
"""Steps by which it is found how many there is time for."""
ASIDE = 500
"""Drawn queries at most, and a tenth of them, that no step takes: by these the divergence is told."""
MAPPED = "mapped"
"""What a model is called in the copy of the library in which it is compared."""
TAGS = ("feature-extraction", "sentence-similarity", "distillation", "bookwheel")


def train_taught_projection(
    library: Library | str | Path,
    name: str = BUILT_IN,
    out: str | Path | None = None,
    *,
    teacher: str | Path,
    add: str | None = None,
    compare: str | Path | None = None,
    minutes: float = MINUTES,
    ram: str | int | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> TaughtProjection:
    """Fit a linear map to how ``teacher`` ranks passages of ``library``, and write the encoder ``name`` with it.

    - ``name``: a dense encoder of the library, the built-in one too, whose passages are embedded.
    - ``out``: the folder of the model, new or empty; ``models/NAME-taught-…`` in the library where None.
    - ``teacher``: a larger dense encoder: a folder, a package, or its name in the library, whose vectors are then not made again.
    - ``add``: add the model to the library under this name, with the stored vectors mapped, so that nothing is encoded anew.
    - ``compare``: a judged collection, whose queries are held out and compare models; None: queries made of the library.
    - ``minutes``: the time for it. ``ram``: the memory, as for `bookwheel.open`.

    Titles, sentences and runs of words of the library are encoded by both, passages by the teacher, as many as there is time for.
    The map (`taught_map`) is square, the same for queries and passages. It is compared on queries made of the library, by the
    vectors alone and with BM25, and written by the rule of `bookwheel.train.safety`. Needs no torch. A run that was stopped goes on
    with what was encoded, to the same map up to rounding; one that was finished without ``out`` is not repeated, so that the same call
    with ``add`` adds the model that is there (``again`` of the result).

    Raises `UsageError`, `InputError`, `ModelError`, `BudgetError`, `StorageError`.
    """

    def train(job: Job) -> TaughtProjection:
        return _Run(job, name, teacher, add).run()

    return start(library, out, minutes, ram, seed, progress, train, compare)


class _Run(MapRun):
    def __init__(self, job: Job, name: str, teacher: str | Path, add: str | None) -> None:
        super().__init__(job, name, add)
        taught_by = dense_teacher(self.library, teacher)
        if taught_by.sha256 == self.encoder.sha256:
            raise UsageError(f"{teacher} is {name} itself, which has nothing to learn from it; name a larger encoder")
        known = self.library._snapshot.manifest.representation(str(teacher))
        self.both = Both(name, self.encoder, taught_by, None if known is None else str(teacher))
        self.teacher = Path(taught_by.name).name
        size, dimensions = self.library.passage_count, self.encoder.dimension + taught_by.dimension
        row = COPIES * 2 * dimensions
        self.memory.plan("Python, numpy, compiled kernels", BASE)
        self.memory.plan(f"encoder {name}, in a copy of the library, and with its map", 3 * nbytes(self.encoder))
        self.memory.plan(f"teacher {self.teacher}", nbytes(taught_by))
        self.memory.plan("a step", 4 * (5 * BATCH * AMONG + 4 * (BATCH + AMONG) * dimensions))
        self.memory.plan("vectors of queries and passages", row * (FEWEST_PASSAGES + FEWEST_QUERIES))
        self.memory.check("training")
        room = (self.memory.ram - self.memory.planned()) // (2 * row)
        self.most = min(QUERIES, FEWEST_QUERIES + room), min(size, PASSAGES, FEWEST_PASSAGES + room)
        self.memory.plan("vectors of queries and passages", row * sum(self.most))
        self.kept = self.keep(
            "taught projection",
            name,
            self.encoder.sha256,
            taught_by.sha256,
            self.seed,
            self.memory.ram,
            called=f"{name}-taught",
        )

    def run(self) -> TaughtProjection:
        """Make queries, have both encode, fit, compare, write, and add; or take, and add, what an earlier run like this one wrote."""
        if (before := self.done(TaughtProjection)) is not None:
            return replace(before, added=self.added(None))
        made = self.held_out(max(3 * FEWEST, min(HELD_OUT, int(self.seconds / EACH))), FEWEST)
        needed = [one for one in (self.name, self.both.stored) if one is not None]
        with searchable(self.library, made, needed, progress=self.progress) as copy:
            with interruptible() as stop:
                steps, fitted, apart = self._fitted(copy, stop)
            with tempfile.TemporaryDirectory(prefix="model-", dir=self.kept.folder, ignore_cleanup_errors=True) as scratch:
                self.fill(Path(scratch), self.name, steps.weights)
                result = self._compared(copy, made, Path(scratch), steps, fitted, apart)
        measured = anonymous_bytes()
        if measured is not None:
            self.memory.measure("all anonymous memory", measured)
        if result.verdict.better:
            self._write(result, steps.weights)
            result = replace(result, folder=str(self.target), added=self.added(steps.weights))
        self.kept.clear()
        return result

    def _fitted(self, copy: Library, stop: Callable[[], bool]) -> tuple[Steps, Lesson, tuple[float, float]]:
        """The map, what it was fitted to, and the divergence for queries set aside, before and after."""
        with self.shown("encoding", None, "texts") as advance:
            every = self.both.lesson(copy, self.most, self.kept, self.left(ENCODED), self.seed, stop, advance)
        aside, rest = every.parted(min(ASIDE, len(every.own_queries) // 10))
        scale = teacher_scale(rest, self.seed)
        count = self.kept.fact("steps")
        if count is None:
            began = time.monotonic()
            taught_map(rest, scale, TIMED, self.seed)
            each = (time.monotonic() - began) / TIMED
            count = max(FEWEST_STEPS, min(STEPS, int(self.left(FITTED) / each)))
            self.kept.note(steps=count)
        with self.shown("fitting", count, "steps") as advance:

            def more() -> None:
                if stop():
                    raise KeyboardInterrupt
                advance(1)

            found = taught_map(rest, scale, count, self.seed, more, RATE)
        same: Map = np.eye(self.encoder.dimension, dtype=np.float32)
        found = replace(found, weights=(1 - np.float32(SHARE)) * same + np.float32(SHARE) * found.weights)
        return found, rest, (divergence(same, aside, scale), divergence(found.weights, aside, scale))

    def _compared(
        self, copy: Library, made: MadeCollection, folder: Path, steps: Steps, fitted: Lesson, apart: tuple[float, float]
    ) -> TaughtProjection:
        """What the map comes to; its model is in ``folder``."""
        mapped: Any = load_encoder(str(folder))
        texts = [made.queries[query] for query in made.judged]
        asked = encode_queries(self.encoder, texts)
        some = asked.any(1)
        self.require_like(encode_queries(mapped, texts)[some], asked[some] @ steps.weights.T)
        general = forgetting(self.encoder, mapped)
        del mapped
        name = MAPPED
        while name in representations(copy._snapshot.manifest):
            name += "_"
        self.import_mapped(copy, name, folder, steps.weights)
        pairs = {ALONE: (self.name, name), FUSED: (f"0.5*bm25 + 0.5*{self.name}", f"0.5*bm25 + 0.5*{name}")}
        said = verdict(copy, made, pairs, seed=self.seed, progress=self.progress)
        return TaughtProjection(
            base=self.name, teacher=self.teacher, dimension=self.encoder.dimension, passages=len(fitted.own_passages),
            queries=len(fitted.own_queries), losses=steps.losses, rates=steps.rates, divergence=apart, verdict=said,
            general=general, **self.common(),
        )  # fmt: skip

    def _write(self, found: TaughtProjection, weights: Map) -> None:
        says = (
            f"{self.called} with a square linear map after it, by which it ranks more as {found.teacher} does. Add it with "
            "`bookwheel encoders add NAME=FOLDER`."
        )
        facts = {
            "teacher": f"{found.teacher}, sha256 {self.both.teacher.sha256}",
            "data": f"{found.queries:,} titles, sentences and runs of words drawn of the library {self.library.path.name}, and "
            f"{found.passages:,} of its passages; no judgments",
            "loss": f"divergence from the teacher's order of {AMONG:,} passages for {BATCH} queries a step",
            "steps": f"{len(found.losses)}, and {SHARE:g} of the way that they went",
            "divergence before and after": [round(one, 4) for one in found.divergence],
            "seed": found.seed,
            "seconds": round(found.seconds),
        }
        self.write(found, weights, TAGS, says, facts, found.verdict.rows(found.general), training_svg(found))
