"""``train attention``: how much each head of a language model counts where passages are ranked by its attention."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import BudgetError, UsageError
from ..._system import anonymous_bytes
from ...encode.load import load_encoder
from ...language import language_model
from ...language.attending import check_attends
from ...language.registry import SMOLLM2, model_kind
from ...library.library import Library
from ...library.passage_texts import passage_texts
from ...library.vectors.encoders import BUILT_IN
from ...memory.sizes import MIB, format_size, round_up
from ...progress import Progress, silent
from ...rank.stages.head_weights import FILE, HeadWeights
from ...rank.stages.rerank.attention import HEADS
from ...tune.made import MadeCollection
from ...tune.reliability import searchable
from ..data.negatives import NONE
from ..data.pairs import LONGEST, Pair
from ..data.sources import Source, source_of
from ..folder import card, write_folder
from ..lists.candidates import candidates_of
from ..lists.comparing import FIRST, WEIGHTS, Candidates, evenly
from ..run import Job, Run, start, versions_of
from ..safety import FEWEST, Verdict, judged, languages_of, thirds
from ..teachers.vectors import DenseTeacher
from .fit import Fit, fitted, loss_of
from .result import AttentionTraining
from .tables import HeadTables

__all__ = ["CANDIDATES", "AttentionOptions", "train_attention"]

MINUTES = 20.0
CANDIDATES = 20
"""Of BM25, that are put into order, as `attention` does unless told otherwise."""
QUERIES = 300
"""Held out, at most: a third chooses the share of the score, two thirds compare, as many as there is time for."""
PASSAGES, PAIRS = 20_000, 2000
"""The most that are drawn."""
LISTED, READ, ASKED = 0.1, 0.5, 0.95
"""The shares of the minutes after which no more lists are made, none is read, and the held-out queries must be read."""
READING = 160 * MIB
"""Memory of reading, at most: hidden states of a few passages, and the attention of a query."""
REMEMBERED = 32 << 20
"""Bytes of passages that the model remembers, at least."""
FEWEST_LISTS = 20
"""To fit weights to."""


@dataclass(frozen=True)
class AttentionOptions:
    """How heads are trained."""

    others: int = 7
    """Passages of each query, beside its answer."""
    depth: float = 2 / 3
    """The share of the model's layers that are read, from the first: those behind judge less, and each costs time in every search."""
    seed: int = 0


def train_attention(
    library: Library | str | Path,
    model: str = SMOLLM2,
    out: str | Path | None = None,
    *,
    sources: Sequence[str] = ("titles",),
    compare: str | Path | None = None,
    minutes: float = MINUTES,
    ram: str | int | None = None,
    seed: int = 0,
    options: AttentionOptions = AttentionOptions(),
    progress: Progress = silent,
) -> AttentionTraining:
    """Fit weights to the attention heads of ``model`` on queries of ``library``, and write them where they improve BM25's order.

    - ``library``: an open one, or its name or path.
    - ``model``: a causal language model that runs in this process (`bookwheel.language.language_model`). It stays as it is.
    - ``out``: the folder of the weights, new or empty; ``models/NAME-attention-…`` in the library where None.
    - ``sources``: where pairs are from, as for `train_encoder`.
    - ``compare``: a judged collection, whose queries are held out and compare models; None: queries made of the library.
    - ``minutes``: the time for it. ``ram``: the memory, as for `bookwheel.open`.

    Each query is read once with its answer and passages that BM25 and vectors rank first; see `fit` for the loss. Which share of the
    score is best beside BM25's is chosen on a third of the held-out queries; the others compare with BM25 alone, and with the heads
    that were measured for the model, where some were. Where nothing is gained, ``folder`` of the result is None and nothing is written.
    Stopped at any instant, the same call goes on where it was.

    Raises `UsageError`, `InputError`, `ModelError` where torch is missing or the model cannot be loaded or shows no attention,
    `BudgetError`, `StorageError`.
    """
    if not sources:
        raise UsageError("name a source of pairs, such as titles")
    if options.others < 1 or not 0 < options.depth <= 1:
        raise UsageError(
            f"a list has a passage beside its answer, and of the layers some are read, not {options.others} and {options.depth:g}"
        )
    check_attends(model)
    named = [source_of(one) for one in sources]

    def train(job: Job) -> AttentionTraining:
        return _Run(job, model, named, replace(options, seed=seed)).run()

    return start(library, out, minutes, ram, seed, progress, train, compare)


class _Run(Run):
    def __init__(self, job: Job, named: str, sources: Sequence[Source], options: AttentionOptions) -> None:
        super().__init__(job)
        self.named, self.sources, self.options = named, sources, options
        self.model: Any = language_model(named)
        check_attends(self.model)
        self.memory.plan(f"language model {self._short}, and what else is held", anonymous_bytes() or 0)
        self.memory.plan("reading", READING)
        # Passages that were read are kept for the next list as far as there is room: few come again.
        room = self.memory.ram - self.memory.planned()
        self.remembered = min(self.model.cache.limit, max(REMEMBERED, room))
        self.memory.plan("passages that it has read", self.remembered)
        self.memory.check("training")
        own, before = self.model, HEADS.get(named, ())
        deep = max(math.ceil(options.depth * own.layers), 1 + max((layer for layer, _ in before), default=0))
        self.before = np.array([float((layer, head) in before) for layer in range(deep) for head in range(own.heads)])
        self.deep = deep
        shape = (own.layers, own.heads, own.parameters, own.precision, *_files(named))
        self.kept = self.keep(
            "attention", named, shape, [str(one) for one in sources], asdict(options), called=f"{self._short}-attention"
        )
        heads = [(layer, head) for layer in range(deep) for head in range(own.heads)]
        self.tables = HeadTables(own, heads, self.kept)

    @property
    def _short(self) -> str:
        return Path(self.named.removeprefix("hub:")).stem

    def run(self) -> AttentionTraining:
        """The run, while which the model, which searches may use too, remembers no more than there is room for."""
        cache = self.model.cache
        before, cache.limit = cache.limit, self.remembered
        try:
            return self._run()
        finally:
            cache.limit = before

    def _run(self) -> AttentionTraining:
        """Read lists in a copy without the held-out queries, fit, compare, and write."""
        made = self.held_out(QUERIES, 2 * FEWEST)
        with searchable(self.library, made, (BUILT_IN,), progress=self.progress) as copy:
            tables, groups = self._lists(copy, made)
            with self.shown("fitting", 1, "set of weights") as advance:
                fit = fitted(tables, groups)
                advance(1)
            weight, validation, said = self._compared(copy, made, fit.weights)
        order = np.argsort(-fit.weights, kind="stable")[: int((fit.weights > 0).sum())].tolist()
        found = AttentionTraining(
            recipe=None, model=self.named, sources=tuple(map(str, self.sources)),
            lists=len(tables), others=self.options.others, layers=self.deep,
            heads=tuple((*self.tables.heads[at], round(float(fit.weights[at]), 6)) for at in order), pull=fit.pull,
            loss=_losses(fit, tables), weight=weight, validation=validation, verdict=said,
            **self.common(),
        )  # fmt: skip
        if weight and said.better:
            found = self._written(found)
        self.kept.clear()
        return found

    def _lists(self, copy: Library, made: MadeCollection) -> tuple[NDArray[np.float64], list[int]]:
        """What each head gives each passage, (lists, heads, passages), and the document of each answer."""
        options = self.options
        pairs = self.pairs(copy, made, PASSAGES, PAIRS)
        with self.shown("looking for candidates", len(pairs), "queries") as advance:
            lists = candidates_of(
                copy, pairs, DenseTeacher(load_encoder()), self.kept, lambda: self.left(LISTED) < 0, advance
            ).no_answers()
        usable = np.flatnonzero(lists.count >= options.others).tolist()
        closed = self.kept.fact("read")
        found: list[NDArray[np.float64]] = []
        groups: list[int] = []
        with self.shown("reading lists", len(usable) if closed is None else int(closed), "queries") as advance:
            for at in usable if closed is None else usable[: int(closed)]:
                if closed is None and len(found) >= FEWEST_LISTS and self.left(READ) < 0:
                    break
                there = lists.passages[at][lists.passages[at] != NONE]
                some = np.random.default_rng([options.seed, 29, at]).permutation(there)[: options.others]
                texts = passage_texts(copy._snapshot.store, some.tolist(), LONGEST)
                found.append(self.tables.table(f"list-{at}", pairs[at].query, [pairs[at].answer, *texts]))
                groups.append(_group(pairs[at], at))
                self._within()
                advance(1)
        self.kept.note(read=len(found))
        if len(found) < FEWEST_LISTS:
            raise UsageError(
                f"there are {len(found)} queries with {options.others} passages beside the answer to fit weights to, and {FEWEST_LISTS} "
                "are needed; index more documents, or add a source of pairs"
            )
        return np.stack(found), groups

    def _compared(
        self, copy: Library, made: MadeCollection, weights: NDArray[np.float64]
    ) -> tuple[float, dict[str, dict[str, float]], Verdict]:
        """The best share of the score, what each reached on validation queries, and what the others say of it."""
        validation, test = thirds(made)
        count = self._affordable(copy, validation)
        asked = Candidates(copy, validation, evenly(list(validation.judged), count), CANDIDATES)
        tables = self._read(asked, "choosing")
        trained = weights
        reached: dict[str, dict[float, float]] = {}
        for name, some in {"trained": trained, "before": self.before}.items():
            if some.any():
                reached[name] = {one: _mean(asked.values(_scored(tables, some), one)) for one in (FIRST, *WEIGHTS)}
        table = {name: {f"{one:g}": value for one, value in row.items()} for name, row in reached.items()}
        best = {name: _best(row) for name, row in reached.items()}
        share = best.get("trained", FIRST)
        if share == FIRST:
            return FIRST, table, Verdict(())
        asked = Candidates(copy, test, evenly(list(test.judged), 2 * count), CANDIDATES)
        tables = self._read(asked, "comparing")
        after = asked.values(_scored(tables, trained), share)
        pairs = {f"bm25 >> {self._stage(share)}": (asked.values(_scored(tables, trained), FIRST), after)}
        if "before" in best:
            pairs["the same with the heads that were measured"] = (
                asked.values(_scored(tables, self.before), best["before"]), after,
            )  # fmt: skip
        return share, table, judged(pairs, languages_of(copy, test))

    def _affordable(self, copy: Library, validation: MadeCollection) -> int:
        """Validation queries that the rest of the minutes has room for, with twice as many to compare by; never too few to tell."""
        count = self.kept.fact("asked")
        if count is None:
            if not self.tables.pace:  # all lists were read before this run was stopped
                self._read(Candidates(copy, validation, evenly(list(validation.judged), 2), CANDIDATES), "choosing")
            each = max(1e-6, self.tables.pace * CANDIDATES)
            count = max(FEWEST, min(len(validation.judged), int(self.left(ASKED) / (3 * each))))
            self.kept.note(asked=count)
        return int(count)

    def _read(self, asked: Candidates, what: str) -> list[NDArray[np.float64]]:
        """What each head gives each candidate of each query."""
        with self.shown(what, len(asked), "queries") as advance:
            return list(self._each(asked, advance))

    def _each(self, asked: Candidates, advance: Callable[[int], None]) -> Iterator[NDArray[np.float64]]:
        for name, query, texts in asked.texts():
            yield self.tables.table(f"query-{name}", query, texts)
            self._within()
            advance(1)

    def _within(self) -> None:
        """Raise `BudgetError` where more memory is held than is allowed; what was read is kept."""
        held = anonymous_bytes() or 0
        self.memory.measure("all anonymous memory", held)
        if held > self.memory.ram:
            raise BudgetError(
                f"training took {format_size(held)} of memory, and {format_size(self.memory.ram)} are allowed; give --ram "
                f"{round_up(int(1.05 * held))}: it goes on where it was"
            )

    def _stage(self, weight: float, folder: str = "FOLDER") -> str:
        model = "" if self.named == SMOLLM2 else f'model="{_path(self.named)}", '
        return f'attention({CANDIDATES}, {model}heads="{folder}", weight={weight:g})'

    def _written(self, found: AttentionTraining) -> AttentionTraining:
        folder = self.target.resolve()
        found = replace(found, folder=str(folder), recipe=f"bm25 >> {self._stage(found.weight, str(folder))}")
        own = self.model
        chosen, weights = tuple((layer, head) for layer, head, _ in found.heads), tuple(weight for *_, weight in found.heads)
        heads = HeadWeights(own.layers, own.heads, own.parameters, chosen, weights)

        def write(place: Path) -> None:
            (place / FILE).write_text(heads.to_json(), encoding="utf-8")
            (place / "training.json").write_text(json.dumps(found.to_dict(), indent=1), encoding="utf-8")

        facts = {
            "weights of the heads of": f"{self.named}, {own.parameters:,} weights, which are not here and were not changed",
            "compared by": self.compared_by,
            "data": f"{found.lists:,} queries ({', '.join(found.sources)}) of the library {self.library.path.name}, each with "
            f"{1 + found.others} passages",
            "loss": "contrast of the answer's attention, with a pull of weights to nothing that was chosen on lists left out",
            "heads": f"{len(found.heads)} of {len(self.tables.heads)}, in the first {self.deep} layers",
            "seed": found.seed,
            "options": asdict(self.options),
            "seconds": round(found.seconds),
            "torch, transformers": versions_of("torch", "transformers"),
        }
        said = f"How much each attention head counts. Search with `bm25 >> {self._stage(found.weight)}`."
        write_folder(
            folder, write, card(folder.name, None, ("reranker", "attention", "bookwheel"), said, facts, found.verdict.rows())
        )
        return found


def _scored(tables: Sequence[NDArray[np.float64]], weights: NDArray[np.float64]) -> list[NDArray[np.float32]]:
    return [(weights @ table).astype(np.float32) for table in tables]


def _best(reached: Mapping[float, float]) -> float:
    """The share that reached most; of equals the smaller one."""
    return max(reached, key=lambda one: (reached[one], -one))


def _mean(values: Mapping[str, float]) -> float:
    return float(np.mean(list(values.values())))


def _losses(fit: Fit, tables: NDArray[np.float64]) -> tuple[float, float]:
    none = loss_of(np.zeros(tables.shape[1]), tables)[0]
    return none, min(fit.losses, default=none)


def _group(pair: Pair, at: int) -> int:
    """Lists of one document are left out together; those of none by themselves."""
    return pair.document if pair.document >= 0 else -1 - at


def _path(named: str) -> str:
    """A path as a recipe has it, wherever it is searched from."""
    return str(Path(named).expanduser().resolve()) if model_kind(named) == "folder" else named


def _files(named: str) -> list[tuple[str, int, int]]:
    """What tells a model's files from others of the same names."""
    place = Path(named).expanduser()
    files = [place] if place.is_file() else sorted(place.glob("*.safetensors")) if model_kind(named) == "folder" else []
    return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
