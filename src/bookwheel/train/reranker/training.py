"""``train reranker``: a cross-encoder trained on a collection's own titles and sentences, without labels."""

from __future__ import annotations

import gc
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._errors import UsageError
from ...encode.catalogue import licence_of
from ...encode.cross import CrossEncoder
from ...encode.load import load_encoder
from ...library.library import Library
from ...progress import Progress, silent
from ...tune.made import MadeCollection
from ...tune.reliability import searchable
from ..data.pairs import Pair, drawn
from ..data.passages import Passages
from ..data.sources import Material, Source, pairs_of, source_of
from ..encoder.training import LADDER
from ..folder import card, write_folder
from ..plot import FILE, training_svg
from ..run import Job, Run, start, torch_needed, versions_of
from ..safety import FEWEST, Verdict, judged, languages_of, thirds
from ..scratch import forget
from ..teachers import dense_teacher
from .base import Base
from .candidates import Lists, candidates_of
from .comparing import CANDIDATES, FIRST, WEIGHTS, Candidates, evenly
from .result import RerankerTraining

if TYPE_CHECKING:
    from ..memory.loop import Outcome
    from ..memory.planner import Plan
    from .batches import ListBatches
    from .model import CrossScorer

__all__ = ["LOSSES", "RerankerOptions", "train_reranker"]

LOSSES = ("contrast", "listwise", "margin-mse")
"""`LocalizedContrast`, which needs no teacher; `Listwise` and `MarginMSE`, which imitate one."""
MINUTES = 45.0
QUERIES = 600
"""Held out, at most: a third chooses the weights, two thirds compare, as many as there is time for."""
SECONDS_EACH = 4.0
"""Of the whole time, for each of them: 20 passages are read for it two or three times."""
TIMED = 3
"""Queries by which it is told how long they take."""
PASSAGES = 20_000
"""The most that pairs are made of; of a larger library they are drawn."""
PAIRS = 20_000
"""The most that are kept to train on."""
LISTED, TRAINED = 0.2, 0.75
"""The shares of the minutes after which the teacher stops, and after which the last step must be made."""
SPARE = 1.5
"""Lists made for each that there seems to be time for: texts may be shorter, and the machine less busy later."""
UPDATE = 1.1
"""What the weights' update and reading a batch add to a step's seconds."""
CHECKPOINT = 120.0
"""Seconds of steps that a kill can lose."""
TAGS = ("cross-encoder", "text-ranking", "reranker", "bookwheel")


@dataclass(frozen=True)
class RerankerOptions:
    """How a reranker is trained."""

    loss: str | None = None
    """One of `LOSSES`; None for `listwise` with a teacher and `contrast` without."""
    batch: int = 8
    """Queries of a step."""
    others: int = 7
    """Passages of each query in a step, beside its answer."""
    tokens: int = 160
    """Of query and passage together, at most, while training."""
    rate: float = 1e-4
    warmup: float = 0.1
    """The share of the steps in which the rate rises; then it falls to nothing."""
    scale: float = 20.0
    """The teacher's cosines are multiplied by it."""
    epochs: int = 3
    """Times, at most, that a query is trained on, each time with other passages."""
    seed: int = 0


def train_reranker(
    library: Library | str | Path,
    base: str | Path,
    out: str | Path | None = None,
    *,
    teacher: str | Path | None = None,
    sources: Sequence[str] = ("titles",),
    minutes: float = MINUTES,
    ram: str | int | None = None,
    seed: int = 0,
    options: RerankerOptions = RerankerOptions(),
    progress: Progress = silent,
) -> RerankerTraining:
    """Train a cross-encoder from ``base`` on queries of ``library``, and write it where it improves the order that BM25 gives.

    - ``library``: an open one, or its name or path.
    - ``base``: the folder of a cross-encoder with one output or of a BERT-like encoder, with safetensors weights, or a package that
      holds one. An encoder gets a new head, over the pooled first token.
    - ``out``: the folder of the model, new or empty; ``models/NAME-reranker-…`` in the library where None.
    - ``teacher``: a dense encoder (its name in the library, a folder or a package), whose similarities of query and passage are
      imitated; None: only what answers a query is known, and passages that the base itself (or the built-in model) puts as near as
      the answer are not taken for wrong.
    - ``sources``: where pairs are from, as for `train_encoder`.
    - ``minutes``: the time for it. ``ram``: the memory, as for `bookwheel.open`.

    Each query comes with passages that BM25 and vectors rank first (`candidates_of`). Of the weights half way and at the end, and of
    several shares of the score beside BM25's, the best on a third of the held-out queries is taken; the other two thirds compare it
    with BM25 alone. Where it does not gain, ``folder`` of the result is None and nothing is written. Stopped at any instant, the same
    call goes on to the same weights, up to rounding.

    Sources: Nogueira and Cho, Passage Re-ranking with BERT (2019), and those of the losses. Raises `UsageError`, `InputError`,
    `ModelError` where torch or transformers is missing or the model cannot be loaded, `BudgetError` with the memory that would do,
    `TrainingError` where the loss is not finite, `StorageError`.
    """
    if not sources:
        raise UsageError("name a source of pairs, such as titles")
    if options.loss is not None and options.loss not in LOSSES:
        raise UsageError(f"there is no loss {options.loss!r:.40}; choose from {', '.join(LOSSES)}")
    if options.loss in ("listwise", "margin-mse") and teacher is None:
        raise UsageError(f"the loss {options.loss} imitates a teacher; name one, or take the loss contrast")
    if options.batch < 1 or options.others < 1:
        raise UsageError(
            f"a step has at least one query with one passage beside its answer, not {options.batch} and {options.others}"
        )
    named = [source_of(one) for one in sources]
    loss = options.loss or ("contrast" if teacher is None else "listwise")

    def train(job: Job) -> RerankerTraining:
        return _Run(job, base, teacher, named, replace(options, seed=seed, loss=loss)).run()

    return start(library, out, minutes, ram, seed, progress, train)


class _Run(Run):
    def __init__(
        self, job: Job, base: str | Path, teacher: str | Path | None, sources: Sequence[Source], options: RerankerOptions
    ) -> None:
        super().__init__(job)
        self.sources, self.options = sources, options
        self.loss = str(options.loss)
        self.base = Base.of(base)
        self.teacher = None if teacher is None else dense_teacher(self.library, teacher)
        self.teacher_name = None if teacher is None else Path(str(teacher)).name
        taught = "" if self.teacher is None else self.teacher.sha256
        named = [str(one) for one in sources]
        self.kept = self.keep("reranker", self.base.sha256, taught, named, asdict(options), self.memory.ram)

    def run(self) -> RerankerTraining:
        """Make queries, train in a copy without them, compare, and write."""
        count = max(3 * FEWEST, min(QUERIES, int(self.seconds / SECONDS_EACH)))
        made = self.held_out(count, 2 * FEWEST)
        with searchable(self.library, made, progress=self.progress) as copy:
            return self._train(copy, made)

    def _train(self, copy: Library, made: MadeCollection) -> RerankerTraining:
        model, batches = self._batches(copy, made)
        plan, outcome = self._steps(model, batches)
        weights = self._saved(len(outcome.losses), model)
        step, weight, validation, said = self._compared(copy, made, weights)
        found = RerankerTraining(
            library=str(self.library.path), folder=None, base=self.base.name, teacher=self.teacher_name,
            sources=tuple(map(str, self.sources)), loss=self.loss, pairs=len(batches.pairs),
            seen=len(np.unique(np.concatenate(batches.steps))), others=self.options.others, steps=len(outcome.losses),
            batch=self.options.batch, plan=plan.told("list"), losses=tuple(outcome.losses),
            rates=tuple(outcome.rates), taken=step, weight=weight,
            validation=validation, verdict=said, seconds=self.elapsed(), seed=self.seed, memory_plan=self.memory,
        )  # fmt: skip
        if weight and said.better:
            found = self._written(found, weights[step])
        self.kept.clear()
        return found

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _batches(self, copy: Library, made: MadeCollection) -> tuple[CrossScorer, ListBatches]:
        with torch_needed("a reranker"):
            from .batches import ListBatches
            from .model import CrossScorer
        options = self.options
        passages = Passages.drawn(copy._snapshot, PASSAGES, options.seed)
        material = Material(self.library, copy, passages, options.seed)
        held_out = [made.queries[query] for query in made.judged]
        with self.shown("reading pairs", None, "pairs") as advance:
            pairs = drawn(pairs_of(material, self.sources, held_out), PAIRS, options.seed, advance)
        model = CrossScorer(self.base.folder, options.tokens)
        pairs = pairs[: self._room(model)]
        lists = self._lists(copy, pairs)
        batches = ListBatches(pairs, lists, copy._snapshot.store, model, options.others, options.batch, options.seed)
        if len(batches.pairs) < options.batch:
            raise UsageError(
                f"there are {len(batches.pairs):,} queries with {options.others} passages beside the answer to train on, and a step takes "
                f"{options.batch:,}; index more documents, add a source of pairs, or allow more --minutes"
            )
        return model, batches

    def _room(self, model: CrossScorer) -> int:
        """Pairs that there is time to train on once: for others no list need be made."""
        from .batches import largest

        room = self.kept.fact("room")
        if room is None:
            each = self._seconds_of_step(model, largest(model, 1, self.options.others), 1)
            room = max(2 * self.options.batch, int(SPARE * self.left(TRAINED) / each))
            self.kept.note(room=room)
        return int(room)

    def _seconds_of_step(self, model: CrossScorer, batch: dict[str, Any], rows: int) -> float:
        from ..trainable import step_seconds

        goal = self._goal()

        def once(part: dict[str, Any]) -> None:
            goal.total(model, goal.prepare(part)).backward()

        return UPDATE * step_seconds(model, batch, rows, once, lambda part: int(part["ids"].numel()))

    def _goal(self) -> Any:
        from ..objectives.listwise import Listwise
        from ..objectives.localized_contrast import LocalizedContrast
        from ..objectives.margin_mse import MarginMSE

        scale = self.options.scale
        return {"contrast": LocalizedContrast(), "listwise": Listwise(scale), "margin-mse": MarginMSE(scale)}[self.loss]

    def _lists(self, copy: Library, pairs: list[Pair]) -> Lists:
        """The candidates with what the teacher says; the encoders that say it are let go of."""
        judge = self.teacher or self.base.encoder() or load_encoder()
        with self.shown("looking for candidates", len(pairs), "queries") as advance:
            lists = candidates_of(copy, pairs, judge, self.kept, lambda: self.left(LISTED) < 0, advance)
        self.teacher = None
        del judge
        gc.collect()
        return lists.no_answers() if self.loss == "contrast" else lists

    def _steps(self, model: CrossScorer, batches: ListBatches) -> tuple[Plan, Outcome]:
        from ..memory.loop import finetune
        from ..memory.planner import plan
        from .batches import largest

        options = self.options
        goal = self._goal()
        known = self.kept.fact("method")
        # A run that is taken up again trains as it began, however fast the machine is now.
        methods = LADDER if known is None else (str(known),)
        chosen = plan(model, largest(model, options.batch, options.others), self.memory.ram, objective=goal, methods=methods)
        steps = self.kept.fact("steps")
        if steps is None:
            batches.plan(1)
            each = self._seconds_of_step(model, batches[0], chosen.rows)
            most = -(-options.epochs * len(batches.pairs) // options.batch)
            steps = max(1, min(most, int(self.left(TRAINED) / each)))
        batches.plan(int(steps))
        self.kept.note(method=chosen.method, steps=int(steps))

        def before(step: int, current: CrossScorer) -> None:
            if 0 < step == len(batches) // 2:
                self._saved(step, current)

        outcome = finetune(
            model, batches, chosen, steps=len(batches), rate=options.rate, warmup=options.warmup, seed=options.seed,
            folder=self.kept.folder, save_seconds=CHECKPOINT, progress=self.progress, shuffle=False, before=before,
        )  # fmt: skip
        self.memory.plan("training", chosen.planned)
        self.memory.measure("training", chosen.measured or 0)
        return chosen, outcome

    def _saved(self, step: int, model: CrossScorer) -> dict[int, Path]:
        """Keep the weights after ``step`` steps; all that are kept, by step."""
        place = self.kept.folder / f"weights-{step}"
        if not place.exists():
            part = place.with_name("weights.new")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            model.save(part, self.base.trained)
            part.rename(place)
        found = {int(path.name.rpartition("-")[2]): path for path in self.kept.folder.glob("weights-*")}
        return dict(sorted(found.items()))

    def _compared(
        self, copy: Library, made: MadeCollection, weights: Mapping[int, Path]
    ) -> tuple[int, float, dict[str, dict[str, float]], Verdict]:
        """The best step, its share of the score, what each reached on validation queries, and what the others say of it."""
        validation, test = thirds(made)
        found: dict[tuple[int, float], float] = {}
        last, count = max(weights), self._affordable(copy, validation, weights)
        asked = Candidates(copy, validation, evenly(list(validation.judged), count))
        for step, folder in weights.items():
            with self.shown(f"choosing, after {step:,} steps", len(asked), "queries") as advance, _opened(folder) as encoder:
                scores = asked.scored(encoder, advance)
            for weight in (FIRST, *WEIGHTS):
                found[last if weight == FIRST else step, weight] = _mean(asked.values(scores, weight))
        step, weight = _best(found)
        table = {f"{one:,}": {f"{w:g}": score for (s, w), score in found.items() if s == one} for one in weights}
        if weight == FIRST:
            return step, weight, table, Verdict(())
        asked = Candidates(copy, test, evenly(list(test.judged), 2 * count))
        with self.shown("comparing", len(asked), "queries") as advance, _opened(weights[step]) as encoder:
            scores = asked.scored(encoder, advance)
        after = asked.values(scores, weight)
        pairs = {f"bm25 >> cross({CANDIDATES}, weight={weight:g})": (asked.values(scores, FIRST), after)}
        if self.base.trained:
            with self.shown("comparing with the base", len(asked), "queries") as advance, _opened(self.base.folder) as encoder:
                pairs[f"the same with {self.base.name} before"] = (asked.values(asked.scored(encoder, advance), weight), after)
        return step, weight, table, judged(pairs, languages_of(copy, test))

    def _affordable(self, copy: Library, validation: MadeCollection, weights: Mapping[int, Path]) -> int:
        """Validation queries that the rest of the minutes has room for, with twice as many to compare by; never too few to tell."""
        count = self.kept.fact("validated")
        if count is None:
            asked = Candidates(copy, validation, evenly(list(validation.judged), TIMED))
            with _opened(weights[max(weights)]) as encoder:
                asked.scored(encoder)  # the first time is slower
                began = time.monotonic()
                asked.scored(encoder)
            each = max(1e-6, (time.monotonic() - began) / len(asked))
            runs = len(weights) + 2 * (1 + self.base.trained)
            count = max(FEWEST, min(len(validation.judged), int(self.left(1.0) / (runs * each))))
            self.kept.note(validated=count)
        return int(count)

    def _written(self, found: RerankerTraining, weights: Path) -> RerankerTraining:
        from ..encoder.onnx import write_onnx

        folder = self.target(f"{self.base.name}-reranker")
        found = replace(found, folder=str(folder))

        def write(place: Path) -> None:
            shutil.copytree(weights, place, dirs_exist_ok=True)
            write_onnx(place, "scores")
            (place / "training.json").write_text(json.dumps(found.to_dict(), indent=1), encoding="utf-8")
            (place / FILE).write_text(training_svg(found), encoding="utf-8")

        write_folder(folder, write, self._card(folder.name, found))
        return found

    def _card(self, name: str, found: RerankerTraining) -> str:
        how = f"taught by {found.teacher}" if found.teacher else "without a teacher"
        facts = {
            "started from": f"{self.base.name}, sha256 {self.base.sha256}",
            "data": f"{found.seen:,} queries ({', '.join(found.sources)}) of the library {self.library.path.name}, each with passages "
            f"that BM25 and vectors rank first; {how}, under its own licence",
            "loss": found.loss,
            "steps": f"{found.steps}, of which the weights after {found.taken} were best",
            "losses": f"training.json, and as a picture {FILE}",
            "seed": found.seed,
            "options": asdict(self.options),
            "memory": found.plan,
            "seconds": round(found.seconds),
            "torch, transformers": versions_of("torch", "transformers"),
        }
        share = "" if found.weight == 1 else f", weight={found.weight:g}"
        says = f'A cross-encoder fitted to one collection. Search with `bm25 >> cross({CANDIDATES}, model="FOLDER"{share})`.'
        return card(name, licence_of(self.base.folder, self.base.name), TAGS, says, facts, found.verdict.rows())


@contextmanager
def _opened(folder: Path) -> Iterator[CrossEncoder]:
    """The cross-encoder as it will be searched with, in int8."""
    encoder = CrossEncoder(folder)
    made = encoder._model.session.path
    try:
        yield encoder
    finally:
        del encoder
        forget(made)


def _best(found: Mapping[tuple[int, float], float]) -> tuple[int, float]:
    """The step and the share that reached most: of equals BM25 alone, then the last step, with the smaller share."""
    return max(found, key=lambda one: (found[one], one[1] == FIRST, one[0], -one[1]))


def _mean(values: Mapping[str, float]) -> float:
    return float(np.mean(list(values.values())))
