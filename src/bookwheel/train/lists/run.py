"""Training runs over lists: queries of a library, each with passages that are to be put into order by what is trained."""

from __future__ import annotations

import gc
import json
import shutil
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..._errors import UsageError
from ...encode.catalogue import licence_of
from ...encode.load import load_encoder
from ...library.library import Library
from ...library.vectors.encoders import BUILT_IN
from ...tune.made import MadeCollection
from ...tune.reliability import searchable
from ..data.pairs import Pair
from ..data.sources import Source
from ..encoder.training import LADDER
from ..folder import card, write_folder
from ..plot import FILE, training_svg
from ..run import Job, Run, torch_needed, versions_of
from ..safety import FEWEST, Verdict, judged, languages_of, thirds
from ..teachers.registry import Named, teacher_of
from ..teachers.vectors import DenseTeacher
from .base import Base
from .candidates import Lists, candidates_of
from .comparing import FIRST, WEIGHTS, Candidates, Mix, Scorer, as_rerankers, evenly
from .options import ListOptions
from .result import ListTraining

if TYPE_CHECKING:
    from ..memory.loop import Outcome
    from ..memory.planner import Plan
    from .batches import ListBatches

__all__ = ["ListRun"]

QUERIES = 600
"""Held out, at most: a third chooses the weights, two thirds compare, as many as there is time for."""
SECONDS_EACH = 4.0
"""Of the whole time, for each of them: its passages are read two or three times."""
TIMED = 3
"""Queries by which it is told how long they take."""
PASSAGES = 20_000
"""The most that pairs are made of; of a larger library they are drawn."""
PAIRS = 20_000
"""The most that are kept to train on."""
LISTED, TRAINED = 0.2, 0.75
"""The shares of the minutes after which the teacher stops, and after which the last step must be made, unless comparing takes longer."""
SPARE = 1.5
"""Lists made for each that there seems to be time for: texts may be shorter, and the machine less busy later."""
LEAST = 0.3
"""Of the minutes, for making lists and training, however long comparing takes."""
UPDATE = 1.1
"""What the weights' update and reading a batch add to a step's seconds."""
CHECKPOINT = 120.0
"""Seconds of steps that a kill can lose."""

Chosen = tuple[int, float, dict[str, dict[str, float]], Verdict]
"""The step whose weights are best, their share of the score, what all reached on validation queries, what the others say."""


class ListRun(Run):
    """What runs over lists have in common; what is trained, and how it is searched with, is the subclass's."""

    kind: ClassVar[str]
    """Of the model, such as ``reranker``."""
    candidates: ClassVar[int]
    """Of BM25, that are put into order where models are compared."""
    mix: Mix = staticmethod(as_rerankers)
    """How both scores are put together where models are compared."""
    from_start: bool = False
    """Whether the weights before the first step may be the best."""
    read: ClassVar[int] = 0
    """Tokens of a passage, at most, where models are compared by torch, which takes long; 0 where that hardly counts."""
    ladder: ClassVar[Sequence[str]] = LADDER
    """Methods of training, best first."""
    tags: ClassVar[tuple[str, ...]]
    modules: ClassVar[tuple[str, ...]]
    """Whose versions the card says."""

    def __init__(
        self,
        job: Job,
        base: Base,
        teacher: Named,
        sources: Sequence[Source],
        options: ListOptions,
        *more: object,
    ) -> None:
        """``more``: what else tells this run from others, for what is kept of it."""
        super().__init__(job)
        self.base, self.sources, self.options = base, sources, options
        self.loss = str(options.loss)
        self.teacher = teacher_of(self.library, teacher)
        self.teacher_name = None if self.teacher is None else self.teacher.name
        taught = "" if self.teacher is None else self.teacher.sha256
        facts = taught, [str(one) for one in sources], asdict(options), self.memory.ram, *map(str, more)
        self.kept = self.keep(self.kind, self.base.sha256, *facts, called=f"{self.base.name}-{self.kind}")

    # -- of the subclass -----------------------------------------------------------------------------------------------

    @abstractmethod
    def scorer(self, copy: Library) -> Any:
        """The model that is trained. Raises `ModelError`."""

    @abstractmethod
    @contextmanager
    def opened(self, folder: Path) -> Iterator[Scorer]:
        """The model as it will be searched with."""
        yield  # type: ignore[misc]  # pragma: no cover

    @abstractmethod
    def stage(self, weight: float, folder: str = "") -> str:
        """What puts BM25's candidates into order with so much of the score, as a recipe."""

    @abstractmethod
    def export(self, folder: Path) -> None:
        """Write ONNX beside the weights."""

    @abstractmethod
    def says(self, weight: float) -> str:
        """What the model is, for its card."""

    def at(self, step: int, steps: int, model: Any) -> None:
        """Before each step."""

    def trained(self) -> float:
        """The share of the minutes after which the last step must be made.

        Where passages take long, the fewest held-out queries that can tell must still be read by all models that are compared.
        """
        pace = self.kept.fact("pace")
        if pace is None:
            return TRAINED
        weights = 2 + self.from_start  # of which a third of the queries choose; the others are twice as many
        needed = (weights + 2 * (1 + self.base.trained)) * FEWEST * self.candidates * float(pace)
        return min(TRAINED, max(LEAST, 1 - needed / self.seconds))

    def changes(self) -> Mapping[str, Any]:
        """Parameters for all methods of the ladder."""
        return {"layers": self.options.layers}

    def timed(self, model: Any) -> AbstractContextManager[None]:
        """While it lasts, a step takes as long as one of the ladder's methods does."""
        from ..memory.modules import last_layers

        return last_layers(model, self.options.layers)

    # -- the run -------------------------------------------------------------------------------------------------------

    def run(self) -> ListTraining:
        """Make queries, train in a copy without them, compare, and write."""
        count = max(3 * FEWEST, min(QUERIES, int(self.seconds / SECONDS_EACH)))
        made = self.held_out(count, 2 * FEWEST)
        with searchable(self.library, made, (BUILT_IN,), progress=self.progress) as copy:
            return self._train(copy, made)

    def _train(self, copy: Library, made: MadeCollection) -> ListTraining:
        model, batches = self._batches(copy, made)
        plan, outcome = self._steps(model, batches)
        weights = self._saved(len(outcome.losses), model)
        del model, outcome.model
        batches.close()
        return self._finished(
            self._compared(copy, made, weights), weights, pairs=len(batches.pairs),
            seen=len(np.unique(np.concatenate(batches.steps))), steps=len(outcome.losses), plan=plan.told("list"),
            losses=tuple(outcome.losses), rates=tuple(outcome.rates),
        )  # fmt: skip

    def _finished(self, chosen: Chosen, weights: Mapping[int, Path], **of_steps: Any) -> ListTraining:
        """Write the chosen weights, where they may be written; ``of_steps``: what the result says of training."""
        step, weight, validation, said = chosen
        found = ListTraining(
            kind=self.kind, recipe=None, base=self.base.name, teacher=self.teacher_name,
            sources=tuple(map(str, self.sources)), loss=self.loss, others=self.options.others, batch=self.options.batch, taken=step,
            weight=weight, validation=validation, verdict=said,
            **self.common(),
            **of_steps,
        )  # fmt: skip
        if found.writable:
            found = self._written(found, weights[step])
        self.kept.clear()
        return found

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _batches(self, copy: Library, made: MadeCollection) -> tuple[Any, ListBatches]:
        with torch_needed(f"a model of kind {self.kind}"):
            from .batches import ListBatches
        options = self.options
        pairs = self.pairs(copy, made, PASSAGES, PAIRS)
        model = self.scorer(copy)
        if self.read and self.kept.fact("pace") is None:
            self.kept.note(pace=self._pace(model))
        pairs = pairs[: self._room(model)]  # of each source as many, by their order
        lists = self._lists(copy, pairs)
        batches = ListBatches(pairs, lists, copy._snapshot.store, model, options.others, options.batch, options.seed)
        if len(batches.pairs) < options.batch:
            raise UsageError(
                f"there are {len(batches.pairs):,} queries with {options.others} passages beside the answer to train on, and a step takes "
                f"{options.batch:,}; index more documents, add a source of pairs, or allow more --minutes"
            )
        return model, batches

    def _pace(self, model: Any) -> float:
        """About how long a passage takes where models are compared, in seconds."""
        import torch

        from .batches import largest

        goal, took = self._goal(), 0.0
        batch = goal.prepare(largest(model, 1, self.options.others))
        with torch.no_grad():
            for _ in range(2):  # the first time is slower
                began = time.monotonic()
                goal.total(model, batch)
                took = time.monotonic() - began
        return took / (1 + self.options.others) * self.read / int(model.tokens)

    def _room(self, model: Any) -> int:
        """Pairs that there is time to train on once: for others no list need be made."""
        from .batches import largest

        room = self.kept.fact("room")
        if room is None:
            each = self._seconds_of_step(model, largest(model, 1, self.options.others), 1)
            room = max(2 * self.options.batch, int(SPARE * self.left(self.trained()) / each))
            self.kept.note(room=room)
        return int(room)

    def _seconds_of_step(self, model: Any, batch: dict[str, Any], rows: int) -> float:
        from ..trainable import step_seconds

        goal = self._goal()

        def once(part: dict[str, Any]) -> None:
            goal.total(model, goal.prepare(part)).backward()

        with self.timed(model):
            return UPDATE * step_seconds(model, batch, rows, once, lambda part: int(part["ids"].numel()))

    def _goal(self) -> Any:
        from ..objectives.listwise import Listwise
        from ..objectives.localized_contrast import LocalizedContrast
        from ..objectives.margin_mse import MarginMSE

        scale = self.options.scale
        return {"contrast": LocalizedContrast(), "listwise": Listwise(scale), "margin-mse": MarginMSE(scale)}[self.loss]

    def _lists(self, copy: Library, pairs: list[Pair]) -> Lists:
        """The candidates with what the teacher says, which is let go of.

        Without one, and where it gives no cosines, an encoder says which passages may be answers themselves: see `Lists.no_answers`.
        """
        judge = self.teacher
        if judge is None or (self.loss == "contrast" and not judge.cosines):
            judge = DenseTeacher(self.base.encoder() or load_encoder())
        with self.shown("looking for candidates", len(pairs), "queries") as advance:
            lists = candidates_of(copy, pairs, judge, self.kept, lambda: self.left(LISTED) < 0, advance)
        self.teacher = None
        del judge
        gc.collect()
        return lists.no_answers() if self.loss == "contrast" else lists

    def _steps(self, model: Any, batches: ListBatches) -> tuple[Plan, Outcome]:
        from ..memory.loop import finetune
        from ..memory.planner import plan
        from .batches import largest

        options = self.options
        goal = self._goal()
        known = self.kept.fact("method")
        # A run that is taken up again trains as it began, however fast the machine is now.
        methods = self.ladder if known is None else (str(known),)
        chosen = plan(
            model, largest(model, options.batch, options.others), self.memory.ram, objective=goal, methods=methods,
            changes=self.changes(),
        )  # fmt: skip
        steps = self.kept.fact("steps")
        if steps is None:
            batches.plan(1)
            each = self._seconds_of_step(model, batches[0], chosen.rows)
            most = -(-options.epochs * len(batches.pairs) // options.batch)
            steps = max(1, min(most, int(self.left(self.trained()) / each)))
        batches.plan(int(steps))
        self.kept.note(method=chosen.method, steps=int(steps))

        def before(step: int, current: Any) -> None:
            self.at(step, len(batches), current)
            if 0 < step == len(batches) // 2 or (step == 0 and self.from_start):
                self._saved(step, current)

        outcome = finetune(
            model, batches, chosen, steps=len(batches), rate=options.rate, warmup=options.warmup, seed=options.seed,
            folder=self.kept.folder, save_seconds=CHECKPOINT, progress=self.progress, shuffle=False, before=before,
        )  # fmt: skip
        self.memory.plan("training", chosen.planned)
        self.memory.measure("training", chosen.measured or 0)
        return chosen, outcome

    def _saved(self, step: int, model: Any) -> dict[int, Path]:
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

    def _compared(self, copy: Library, made: MadeCollection, weights: Mapping[int, Path]) -> Chosen:
        """The best step, its share of the score, what each reached on validation queries, and what the others say of it."""
        validation, test = thirds(made)
        found: dict[tuple[int, float], float] = {}
        last, count = max(weights), self._affordable(copy, validation, weights)
        asked = Candidates(copy, validation, evenly(list(validation.judged), count), self.candidates, self.mix)
        for step, folder in weights.items():
            with self.shown(f"choosing, after {step:,} steps", len(asked), "queries") as advance, self.opened(folder) as scorer:
                scores = asked.scored(scorer, advance)
            for weight in (FIRST, *WEIGHTS):
                found[last if weight == FIRST else step, weight] = _mean(asked.values(scores, weight))
        step, weight = _best(found)
        table = {f"{one:,}": {f"{w:g}": score for (s, w), score in found.items() if s == one} for one in weights}
        if weight == FIRST:
            return step, weight, table, Verdict(())
        asked = Candidates(copy, test, evenly(list(test.judged), 2 * count), self.candidates, self.mix)
        with self.shown("comparing", len(asked), "queries") as advance, self.opened(weights[step]) as scorer:
            scores = asked.scored(scorer, advance)
        after = asked.values(scores, weight)
        pairs = {f"bm25 >> {self.stage(weight)}": (asked.values(scores, FIRST), after)}
        if self.base.trained:
            with (
                self.shown("comparing with the base", len(asked), "queries") as advance,
                self.opened(self.base.folder) as scorer,
            ):
                pairs[f"the same with {self.base.name} before"] = (asked.values(asked.scored(scorer, advance), weight), after)
        return step, weight, table, judged(pairs, languages_of(copy, test))

    def _affordable(self, copy: Library, validation: MadeCollection, weights: Mapping[int, Path]) -> int:
        """Validation queries that the rest of the minutes has room for, with twice as many to compare by; never too few to tell.

        Where steps took longer than was planned, since other programs came up, a quarter of the minutes is spent beyond them: the
        fewest queries can hardly ever tell a gain from chance, and would throw away what all the time went into.
        """
        count = self.kept.fact("validated")
        if count is None:
            asked = Candidates(copy, validation, evenly(list(validation.judged), 2 * TIMED), self.candidates, self.mix)
            with self.opened(weights[max(weights)]) as scorer:
                asked.scored(scorer, first=TIMED)  # the first time is slower
                began = time.monotonic()
                asked.scored(scorer, after=TIMED)
            each = max(1e-6, (time.monotonic() - began) / max(1, len(asked) - TIMED))
            runs = len(weights) + 2 * (1 + self.base.trained)
            room = max(self.left(1.0), (1 - TRAINED) * self.seconds)
            count = max(FEWEST, min(len(validation.judged), int(room / (runs * each))))
            self.kept.note(validated=count)
        return int(count)

    def _written(self, found: ListTraining, weights: Path) -> ListTraining:
        folder = self.target
        found = replace(found, folder=str(folder), recipe=f"bm25 >> {self.stage(found.weight, str(folder))}")

        def write(place: Path) -> None:
            shutil.copytree(weights, place, dirs_exist_ok=True)
            self.export(place)
            (place / "training.json").write_text(json.dumps(found.to_dict(), indent=1), encoding="utf-8")
            if found.steps:
                (place / FILE).write_text(training_svg(found), encoding="utf-8")

        write_folder(folder, write, self._card(folder.name, found))
        return found

    def _card(self, name: str, found: ListTraining) -> str:
        how = f"taught by {found.teacher}" if found.teacher else "without a teacher"
        trained = {
            "data": f"{found.seen:,} queries ({', '.join(found.sources)}) of the library {self.library.path.name}, each with passages "
            f"that BM25 and vectors rank first; {how}, under its own licence",
            "loss": found.loss,
            "steps": f"{found.steps}, of which the weights after {found.taken} were best",
            "losses": f"training.json, and as a picture {FILE}",
        }
        facts = {
            "started from": f"{self.base.name}, sha256 {self.base.sha256}",
            **(trained if found.steps else {"steps": "none: nothing was trained"}),
            "compared by": self.compared_by,
            "seed": found.seed,
            "options": asdict(self.options),
            "memory": found.plan,
            "seconds": round(found.seconds),
            ", ".join(self.modules): versions_of(*self.modules),
        }
        figures = found.verdict.rows()
        return card(name, licence_of(self.base.folder, self.base.name), self.tags, self.says(found.weight), facts, figures)


def _best(found: Mapping[tuple[int, float], float]) -> tuple[int, float]:
    """The step and the share that reached most: of equals BM25 alone, then the last step, with the smaller share."""
    return max(found, key=lambda one: (found[one], one[1] == FIRST, one[0], -one[1]))


def _mean(values: Mapping[str, float]) -> float:
    return float(np.mean(list(values.values())))
