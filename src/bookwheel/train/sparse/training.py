"""``train sparse``: a table of token weights, so that a sparse encoder need not read queries."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import InputError, UsageError
from ..._interruption import interruptible
from ..._system import anonymous_bytes
from ...encode.find import BUILT_IN_MODELS
from ...encode.load import load_encoder
from ...encode.sparse import MaskedTermEncoder
from ...evaluate.significance import mean_interval, paired_t
from ...index.storage import replace_file
from ...library.library import Library
from ...memory.shares import BASE
from ...memory.sizes import MIB
from ...progress import Progress, silent
from ..folder import card, write_folder
from ..run import Job, Run, start
from ..safety import FEWEST, Change
from .result import SparseTraining
from .table import Postings, fitted, idf_of, rows_of, self_weights
from .teaching import Lesson, encoded, lesson

__all__ = ["train_sparse"]

MINUTES = 5.0
ENCODING = 0.85
"""Of the minutes; the fit takes seconds."""
OF_PASSAGES = 0.6
"""Of the time for encoding."""
LEAST_QUERIES = 100
"""Encoded queries, at least, to fit weights to."""
PULLS = (1.0, 10.0, 100.0, 1000.0)
FITTING = 160 * MIB
"""Memory of the least squares, at most."""
TIMED = 40
"""Queries that are encoded one at a time, to time them."""
FILES = frozenset({".json", ".txt", ".model", ".safetensors", ".onnx"})
"""What a model folder is copied of: weights and settings; nothing that could be run."""
TABLE = "idf.json"
"""The name that a table beside a model has in OpenSearch's layout."""


def train_sparse(
    library: Library | str | Path,
    out: str | Path | None = None,
    *,
    teacher: str | Path | None = None,
    minutes: float = MINUTES,
    ram: str | int | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> SparseTraining:
    """Fit a table of query weights to a sparse encoder and ``library``: queries then need no model (inference-free).

    - ``library``: an open one, or its name or path. Nothing in it changes but the folder of what was trained.
    - ``out``: the folder of the model, new or empty; ``models/sparse-…`` in the library where None.
    - ``teacher``: a sparse encoder: its name in the library, a folder or a package; the library's own where there is one only.
    - ``minutes``: the time for it. ``ram``: the memory, as for `bookwheel.open`.

    Titles and sentences of drawn passages stand for queries; the table makes differences of scores between passages what the
    encoder makes them. Passages are encoded as before. The model is written where, on held-out queries, it is not worse than
    the encoder by `MARGIN` or more. Stopped at any instant, the same call goes on where it was.

    Source: `bookwheel.train.sparse.table`. Raises `UsageError`, `InputError` where there are too few queries, `ModelError`,
    `BudgetError`, `StorageError`, and what opening a library raises.
    """

    def train(job: Job) -> SparseTraining:
        return _Run(job, teacher).run()

    return start(library, out, minutes, ram, seed, progress, train)


class _Run(Run):
    def __init__(self, job: Job, teacher: str | Path | None) -> None:
        super().__init__(job)
        self.teacher, self.name = _teacher(self.library, teacher)
        self.memory.plan("Python, numpy, compiled kernels", BASE)
        self.memory.plan(f"teacher {self.name}", self.teacher.nbytes)
        self.memory.plan("vectors, and the least squares", FITTING)
        self.memory.check("training")
        self.kept = self.keep("sparse", self.teacher.sha256, self.seed, called="sparse")

    def run(self) -> SparseTraining:
        """Encode, fit, compare, and write."""
        taught = lesson(self.library, self.seed)
        if len(taught.queries) < LEAST_QUERIES or len(taught.held) < 2 * FEWEST:
            raise InputError(
                f"{self.library.path} gives only {len(taught.queries)} titles and sentences that can stand for queries, and "
                f"{len(taught.held)} to compare with, where {LEAST_QUERIES} and {2 * FEWEST} are needed; index more documents"
            )
        with interruptible() as stop:
            found, weights = self._trained(taught, stop)
        if not found.reason:
            folder = self.target
            found = replace(found, folder=str(folder))
            self._write(folder, found, weights)
        self.kept.clear()
        return found

    def _trained(self, taught: Lesson, stop: Callable[[], bool]) -> tuple[SparseTraining, NDArray[np.float64]]:
        size, encoding = len(self.teacher.vocabulary), ENCODING * self.seconds
        # Held-out queries first: a lesson that is cut short can still be judged.
        asked = [one.text for one in taught.held]
        held = self._encoded(asked, "held", self.began + encoding, stop)
        passages = self._encoded(taught.passages, "passages", self.began + OF_PASSAGES * encoding, stop)
        queries = self._encoded(taught.queries, "queries", self.began + encoding, stop)
        here = [at for at, one in enumerate(taught.held[: len(held)]) if one.answer < len(passages)]
        if len(queries) < LEAST_QUERIES or len(here) < 2 * FEWEST:
            self.kept.clear()
            raise InputError(
                f"{self.name} encoded only {len(passages):,} passages, {len(queries):,} queries to learn from and {len(here)} to "
                f"compare with, where {LEAST_QUERIES} and {2 * FEWEST} are needed; allow more --minutes than {self.seconds / 60:g}"
            )
        postings = Postings(passages, size)
        tokens = self.teacher.tokens(taught.queries[: len(queries)])
        idf = idf_of(self.teacher.tokens(taught.passages[: len(passages)]), size)
        start = self_weights(tokens, queries, idf)
        rows = rows_of(postings, tokens, queries, self.seed)
        answers = [taught.held[at].answer for at in here]
        by_table = self.teacher.tokens([asked[at] for at in here])
        encoder = np.array([_gain(postings.scores(*held.row(at)), answer) for at, answer in zip(here, answers, strict=True)])

        def gains(table: NDArray[np.float64]) -> NDArray[np.float64]:
            weights = table.astype(np.float32)
            return np.array(
                [_gain(postings.scores(some, weights[some]), answer) for some, answer in zip(by_table, answers, strict=True)]
            )

        choosing = np.arange(len(here)) % 3 == 0
        task = self.progress("fitting", len(PULLS), "tables")
        tables = {}
        try:
            for pull in PULLS:
                tables[pull] = fitted(rows, start, pull)
                task.advance()
                if stop():
                    raise KeyboardInterrupt
        finally:
            task.close()
        reached = {pull: gains(table) for pull, table in tables.items()}
        best = max(PULLS, key=lambda pull: (reached[pull][choosing].mean(), pull))
        before, after = encoder[~choosing], reached[best][~choosing]
        low, high = mean_interval(after - before, 0.9)
        measured = anonymous_bytes()
        if measured is not None:
            self.memory.measure("all anonymous memory", measured)
        return SparseTraining(
            teacher=self.name, passages=len(passages), queries=len(queries),
            tokens=len(np.unique(np.concatenate(tokens))), pull=best,
            change=Change("sparse vectors", len(before), float(before.mean()), float(after.mean()), low, high,
                          paired_t(after - before)[1]),
            untrained=float(gains(idf)[~choosing].mean()),
            milliseconds=self._timed([asked[at] for at in here[:TIMED]], tables[best]),
            **self.common(),
        ), tables[best]  # fmt: skip

    def _encoded(self, texts: Sequence[str], name: str, until: float, stop: Callable[[], bool]) -> Any:
        task = self.progress(f"encoding {name}", len(texts), "texts")
        try:
            return encoded(self.teacher, texts, self.kept, name, until, stop, task.advance)
        finally:
            task.close()

    def _timed(self, texts: Sequence[str], table: NDArray[np.float64]) -> tuple[float, float]:
        """Milliseconds of processor time a query, by the encoder and by the table: medians."""
        times: tuple[list[float], list[float]] = ([], [])
        for text in texts:
            began = time.process_time()
            self.teacher.encode([text])
            times[0].append(time.process_time() - began)
            began = time.process_time()
            table[self.teacher.tokens([text])[0]]
            times[1].append(time.process_time() - began)
        return 1000 * statistics.median(times[0]), 1000 * statistics.median(times[1])

    def _write(self, folder: Path, found: SparseTraining, weights: NDArray[np.float64]) -> None:
        said = (
            f"Sparse vectors of passages by {found.teacher}; queries are tokens weighted by {TABLE}, fitted to one collection."
        )
        facts = {
            "passages and queries": f"{found.passages:,} passages of the library {Path(found.library).name}, {found.queries:,} "
            "titles and sentences as queries; no judgments",
            "teacher": f"{found.teacher}, sha256 {self.teacher.sha256}, under its own licence",
            "weights fitted to queries": f"{found.tokens:,} tokens",
            "seed": found.seed,
            "seconds": round(found.seconds),
        }
        vocabulary = self.teacher.vocabulary
        table = {vocabulary[at]: round(float(weights[at]), 4) for at in np.flatnonzero(weights > 5e-5).tolist()}

        def fill(part: Path) -> None:
            source = self.teacher.folder
            for path in sorted(source.rglob("*")):
                inner = path.relative_to(source)
                if path.suffix in FILES and path.is_file() and path.name != TABLE and not inner.parts[0].startswith("."):
                    (part / inner).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, part / inner)
            replace_file(part / TABLE, _json(table))

        about = card(folder.name, None, ("sparse-encoder", "inference-free", "bookwheel"), said, facts, found.rows())
        write_folder(folder, fill, about)


def _json(table: dict[str, float]) -> bytes:
    import json

    return json.dumps(table, ensure_ascii=False, indent=0).encode()


def _gain(scores: NDArray[np.float64], answer: int) -> float:
    """nDCG@10 of a ranking whose only right passage is ``answer``; passages of one score count as if half were before it."""
    own = scores[answer]
    if own <= 0:
        return 0.0
    rank = 1 + int((scores > own).sum()) + (int((scores == own).sum()) - 1) // 2
    return float(1 / np.log2(rank + 1)) if rank <= 10 else 0.0


def _teacher(library: Library, named: str | Path | None) -> tuple[MaskedTermEncoder, str]:
    """The encoder to imitate. Raises `UsageError`, `ModelError`."""
    manifest = library._snapshot.manifest
    if named is None:
        own = [one.name for one in manifest.representations if one.kind == "sparse" and one.encoder is not None]
        if len(own) != 1:
            which = f"name one of {', '.join(own)}" if own else "the library has no sparse encoder; name a model"
            raise UsageError(f"{which} with --teacher")
        named = own[0]
    known = manifest.representation(str(named))
    kind = known.kind if known is not None else "dense" if str(named) in BUILT_IN_MODELS else "sparse"
    if kind != "sparse":
        raise UsageError(f"{named} gives {kind} vectors; name a sparse encoder (SPLADE) with --teacher")
    found: Any = load_encoder(str(named), "sparse") if known is None else library._encoders.encoder(known)
    if not isinstance(found, MaskedTermEncoder):
        raise UsageError(f"{named} is a function of somebody's, which no model folder can be written of; name a model")
    if found.inference_free:
        raise UsageError(
            f"{named} reads no queries already: it has a table of their weights; name a SPLADE model that has none"
        )
    return found, str(named)
