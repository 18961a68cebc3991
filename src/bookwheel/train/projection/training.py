"""``train projection``: a linear map after an encoder, for fewer dimensions and better codes of one bit, without encoding anew."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import InputError, UsageError
from ..._interruption import interruptible
from ..._system import anonymous_bytes
from ...encode.load import load_encoder
from ...encode.protocols import encode_queries, nbytes, unit
from ...library.library import Library
from ...library.vectors.encoders import BUILT_IN
from ...memory.shares import BASE
from ...progress import Progress, silent
from ...tune.made import MadeCollection
from ..run import Job, start
from ..safety import FEWEST, Change, change_of
from .axes import ROUNDS, ROWS, fitted_map
from .base import MapRun
from .result import SHARE, ProjectionTraining
from .sample import CANDIDATES, TRUE, Sample, code_candidates, cut, share_found

__all__ = ["train_projection"]

MINUTES = 5.0
QUERIES = 400
PASSAGES = 50_000
"""The most whose vectors are read; the best passages of a query are looked for among these."""
LEAST = 1000
"""Passages whose vectors must have room in the memory."""
NARROWEST = 8
"""Dimensions, at least."""
FITTED = 0.7
"""The share of the minutes after which rotations are taken as they are."""
COPIES = 20
"""Bytes for each number of a drawn vector: it, its map, both rounded, its rotation."""
TAGS = ("feature-extraction", "sentence-similarity", "matryoshka", "binary-codes", "bookwheel")


def train_projection(
    library: Library | str | Path,
    name: str = BUILT_IN,
    out: str | Path | None = None,
    *,
    dimensions: Sequence[int] | None = None,
    add: str | None = None,
    compare: str | Path | None = None,
    minutes: float = MINUTES,
    ram: str | int | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> ProjectionTraining:
    """Fit a linear map to the stored vectors of ``library`` by the encoder ``name``, and write the encoder with it.

    - ``name``: a dense encoder of the library, the built-in one too, whose passages are embedded.
    - ``out``: the folder of the model, new or empty; ``models/NAME-projection-…`` in the library where None.
    - ``dimensions``: the widths at which the new vectors can be cut, the largest of which they have; the encoder's own where None.
    - ``add``: add the model to the library under this name, with the stored vectors mapped, so that nothing is encoded anew.
    - ``compare``: a judged collection, whose queries are held out and compare models; None: queries made of the library.
    - ``minutes``: the time for it. ``ram``: the memory, as for `bookwheel.open`.

    The map is `fitted_map`. The first dimensions of the new vectors, and codes of their signs, are compared with those of the
    encoder on queries made of the library: whether the best 10 passages by the encoder's whole vectors are among the 100 that
    rank first by codes, and nDCG@10. It is written where one is significantly better, and none worse. A run that was stopped has
    written nothing, and the same call gives the same model; one that was finished without ``out`` is not repeated, so that the same
    call with ``add`` adds the model that is there (``again`` of the result).

    Raises `UsageError`, `InputError`, `ModelError`, `BudgetError`, `StorageError`.
    """

    def train(job: Job) -> ProjectionTraining:
        return _Run(job, name, dimensions, add).run()

    return start(library, out, minutes, ram, seed, progress, train, compare)


class _Run(MapRun):
    def __init__(self, job: Job, name: str, dimensions: Sequence[int] | None, add: str | None) -> None:
        super().__init__(job, name, add)
        self.widths = checked_widths(name, self.encoder.dimension, dimensions)
        size, dimension = self.library.passage_count, self.encoder.dimension
        self.memory.plan("Python, numpy, compiled kernels", BASE)
        self.memory.plan(f"encoder {name}, and with its map", 2 * nbytes(self.encoder))
        self.memory.plan("fitting", 8 * 4 * dimension * dimension + 3 * 4 * dimension * min(ROWS, size))
        self.memory.plan("vectors of passages", COPIES * dimension * min(LEAST, size))
        self.memory.check("training")
        room = (self.memory.ram - self.memory.planned()) // (COPIES * dimension)
        self.most = min(min(LEAST, size) + room, PASSAGES)
        self.memory.plan("vectors of passages", COPIES * dimension * min(self.most, size))
        self.kept = self.keep("projection", name, self.encoder.sha256, self.widths, self.seed, called=f"{name}-projection")

    def run(self) -> ProjectionTraining:
        """Make queries, fit, compare, write, and add; or take, and add, what an earlier run like this one wrote."""
        if (before := self.done(ProjectionTraining)) is not None:
            return replace(before, added=self.added(None))
        made = self.held_out(QUERIES, FEWEST)
        with interruptible() as stop:
            sample = Sample.drawn(self.library, self.name, self.encoder.dimension, made.qrels, self.most, self.seed)
            if len(sample.vectors) < 2 * CANDIDATES:
                raise InputError(
                    f"{self.name} has embedded {len(sample.vectors):,} passages, and a map is fitted to {2 * CANDIDATES} or more; "
                    f"type: bookwheel embed {self.name}"
                )
            weights = self._fitted(sample, stop)
            with tempfile.TemporaryDirectory(prefix="model-", dir=self.kept.folder, ignore_cleanup_errors=True) as scratch:
                self.fill(Path(scratch), self.name, weights)
                mapped: Any = load_encoder(scratch)
                found = self._compared(sample, made, weights, mapped, stop)
                del mapped
        measured = anonymous_bytes()
        if measured is not None:
            self.memory.measure("all anonymous memory", measured)
        if not found.reason:
            self._write(found, weights)
            found = replace(found, folder=str(self.target), added=self.added(weights))
        self.kept.clear()
        return found

    def _fitted(self, sample: Sample, stop: Callable[[], bool]) -> NDArray[np.float32]:
        with self.shown("rotating", ROUNDS * len(self.widths), "rounds") as advance:

            def more() -> bool:
                if stop():
                    raise KeyboardInterrupt
                advance(1)
                return self.left(FITTED) > 0

            return fitted_map(sample.vectors, self.widths, self.seed, more)

    def _compared(
        self, sample: Sample, made: MadeCollection, weights: NDArray[np.float32], mapped: Any, stop: Callable[[], bool]
    ) -> ProjectionTraining:
        texts = [made.queries[query] for query in made.judged]
        queries, asked = unit(encode_queries(self.encoder, texts)), encode_queries(mapped, texts)
        known: NDArray[np.bool_] = np.any(queries, axis=1)
        names = [query for query, one in zip(made.judged, known, strict=True) if one]
        queries, asked = queries[known], asked[known]
        self.require_like(asked, queries @ weights.T)
        true = sample.best(sample.vectors, queries, TRUE)
        whole = sample.gains(sample.vectors, queries, names, made.qrels)
        sides = (sample.vectors, queries), (sample.vectors @ weights.T, asked)
        changes: list[Change] = []
        with self.shown("comparing", 2 * len(self.widths), "models") as advance:
            for width in self.widths:
                shares, gains = [], []
                for passages, vectors in sides:
                    if stop():
                        raise KeyboardInterrupt
                    rows, some = cut(passages, width), unit(vectors[:, :width])
                    shares.append(share_found(true, code_candidates(rows, some, CANDIDATES, self.seed)))
                    reached = sample.gains(rows, some, names, made.qrels)
                    gains.append(np.array([reached[query] for query in names]))
                    advance(1)
                changes.append(change_of(f"codes of {width} bits", shares[0], shares[1], SHARE))
                changes.append(change_of(f"{width} dimensions", gains[0], gains[1]))
        return ProjectionTraining(
            base=self.name, dimension=self.encoder.dimension, widths=self.widths,
            passages=len(sample.vectors), changes=tuple(changes), whole=float(np.mean(list(whole.values()) or [0])),
            **self.common(),
        )  # fmt: skip

    def _write(self, found: ProjectionTraining, weights: NDArray[np.float32]) -> None:
        widths = ", ".join(map(str, self.widths))
        says = (
            f"{self.called} with a linear map after it: vectors of {self.widths[-1]} dimensions, to be cut at {widths}, whose "
            "signs are close to them. Add it with `bookwheel encoders add NAME=FOLDER`."
        )
        facts = {
            "data": f"stored vectors of {found.passages:,} passages of the library {self.library.path.name}; no queries, no judgments",
            "map": f"principal axes, rotated by iterative quantization, {weights.shape[0]} by {weights.shape[1]}",
            "seed": found.seed,
            "seconds": round(found.seconds),
        }
        self.write(found, weights, TAGS, says, facts, found.rows())


def checked_widths(name: str, dimension: int, dimensions: Sequence[int] | None) -> tuple[int, ...]:
    """``dimensions`` rising, each once; raises `UsageError` for one that vectors of ``dimension`` cannot have."""
    widths = tuple(sorted(set(dimensions or (dimension,))))
    if not NARROWEST <= widths[0] <= widths[-1] <= dimension:
        wrong = widths[0] if widths[0] < NARROWEST else widths[-1]
        raise UsageError(
            f"{name} has vectors of {dimension} dimensions, so give from {NARROWEST} to {dimension} of them, not {wrong}"
        )
    return widths
