"""``train tower``: a few layers of an encoder, or none, that encode queries for the passages that all of it has embedded."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import InputError, UsageError
from ..._system import anonymous_bytes
from ...encode.catalogue import licence_of
from ...encode.dense import TransformerEncoder
from ...encode.find import find_folder
from ...encode.load import load_encoder
from ...library.library import Library
from ...library.vectors.stored import passage_vectors
from ...progress import Progress, silent
from ...tune.made import MadeCollection
from ...tune.reliability import searchable
from ..data.passages import Passages
from ..encoder.seconds import seconds_of_step
from ..encoder.training import LADDER
from ..folder import card, write_folder
from ..forgetting import forgetting
from ..plot import FILE, training_svg
from ..run import Job, Run, start, torch_needed
from ..safety import FEWEST, change_rows, judged
from .comparing import TIMED, milliseconds, reached
from .result import TowerTraining

if TYPE_CHECKING:
    from ..encoder.model import SentenceEncoder
    from ..memory.loop import Outcome
    from ..memory.planner import Plan
    from .drawn import Text

__all__ = ["TowerOptions", "train_tower"]

MINUTES = 30.0
QUERIES = 400
PASSAGES = 20_000
"""The most that queries are drawn from."""
STORED = 8192
"""Stored vectors whose order is imitated."""
SHARE = 0.98
"""Of what the teacher reaches on held-out queries, the least that is written by default."""
TRAINED = 0.9
"""The share of the minutes after which the last step must be made."""
UPDATE = 1.15
"""What the weights' update adds to a step's seconds."""
CHECKPOINT = 60.0
PROBED, PROBED_BATCH = 20, 32
"""Steps, and queries of each, by which it is chosen which layers are kept."""
PART = 16
"""Queries that go through the layers at a time: those of a batch by length, so that short ones are not padded to the longest."""
MOST_STEPS = 20_000
TAGS = ("sentence-transformers", "feature-extraction", "sentence-similarity", "bookwheel")


@dataclass(frozen=True)
class TowerOptions:
    """How a query tower is trained."""

    batch: int = 128
    tokens: int = 64
    """Of a query, at most, while training."""
    rate: float = 3e-4
    warmup: float = 0.05
    order: float = 0.5
    """How much the order of stored passages counts beside the direction."""
    seed: int = 0


def train_tower(
    library: Library | str | Path,
    name: str,
    out: str | Path | None = None,
    *,
    layers: int = 2,
    compare: str | Path | None = None,
    minutes: float = MINUTES,
    ram: str | int | None = None,
    seed: int = 0,
    least: float = SHARE,
    options: TowerOptions = TowerOptions(),
    progress: Progress = silent,
) -> TowerTraining:
    """Train ``layers`` layers of the encoder ``name`` of ``library`` to encode queries for its stored vectors; 0: a table of tokens.

    - ``name``: a dense encoder of the library, made from a folder in sentence-transformers' layout, whose passages are embedded.
    - ``out``: the folder of the model, new or empty; ``models/NAME-tower-…`` in the library where None.
    - ``compare``: a judged collection, whose queries are held out and compare models; None: queries made of the library.
    - ``minutes``: the time for it. ``ram``: the memory, as for `bookwheel.open`.
    - ``least``: of what the teacher reaches on held-out queries, the share that is written; below it nothing is.

    The teacher's vectors of titles, sentences and runs of words of the library are the targets, and the order in which they put stored
    passages (`QueryImitation`). The result has the teacher for passages and the layers for queries, so that it takes the teacher's place
    without embedding anything anew. Without layers, a query's vector is the mean of its tokens', which takes microseconds and no torch
    (`bookwheel.train.tower.table_training`), and reaches less. Stopped at any instant, the same call goes on to the same weights, up to
    rounding.

    Raises `UsageError`, `InputError`, `ModelError`, `BudgetError`, `TrainingError`, `StorageError`.
    """
    if layers < 0:
        raise UsageError(f"a query tower has some layers, or 0 for a table of token vectors, not {layers}")

    def train(job: Job) -> TowerTraining:
        return _Run(job, name, layers, least, replace(options, seed=seed)).run()

    return start(library, out, minutes, ram, seed, progress, train, compare)


@dataclass(frozen=True)
class _Student:
    """What was trained: how it is written, and what is told of it."""

    write: Callable[[Path], None]
    layers: tuple[int, ...]
    losses: tuple[float, ...]
    rates: tuple[float, ...]
    told: str
    queries: int
    measured: int = 0
    """Bytes of memory that training took."""


class _Run(Run):
    def __init__(self, job: Job, name: str, layers: int, least: float, options: TowerOptions) -> None:
        super().__init__(job)
        self.name, self.layers, self.least, self.options = name, layers, least, options
        library = self.library
        known = library._snapshot.manifest.representation(name)
        if known is None or known.kind != "dense" or known.encoder is None:
            names = [one.name for one in library._snapshot.manifest.representations if one.kind == "dense" and one.encoder]
            raise UsageError(
                f"{name!r:.60} is no dense encoder that was added to the library; there are {', '.join(names) or 'none'}: "
                "bookwheel encoders add NAME=MODEL"
            )
        self.teacher: Any = library._encoders.encoder(known)
        if not isinstance(self.teacher, TransformerEncoder) or self.teacher.queries is not None:
            raise UsageError(f"{name} is no transformer, or has a query tower already; give one whose layers can be cut")
        self.folder = find_folder(known.encoder)
        self.kept = self.keep("tower", name, self.teacher.sha256, layers, asdict(options), self.memory.ram)

    def run(self) -> TowerTraining:
        """Make queries, imitate in a copy without them, compare, and write."""
        made = self.held_out(QUERIES, FEWEST)
        with searchable(self.library, made, progress=self.progress) as copy:
            return self._train(copy, made)

    def _train(self, copy: Library, made: MadeCollection) -> TowerTraining:
        student = self._layered(copy) if self.layers else self._tabled(copy)
        write = student.write
        with tempfile.TemporaryDirectory(prefix="model-", dir=self.kept.folder, ignore_cleanup_errors=True) as scratch:
            write(Path(scratch))
            tower: Any = load_encoder(scratch)
            values = [reached(copy, self.name, made, encoder) for encoder in (self.teacher, tower)]
            change = judged({"the stored vectors": (values[0], values[1])}, {}).changes[0]
            queries = list(made.judged.values())[:TIMED]
            general = forgetting(self.teacher, tower)
            speeds = milliseconds(self.teacher, queries), milliseconds(tower, queries)
            del tower
        self.memory.measure("training", max(student.measured, anonymous_bytes() or 0))
        found = TowerTraining(
            library=str(self.library.path), folder=None, base=self.name, layers=student.layers, steps=len(student.losses),
            losses=student.losses, rates=student.rates, queries=student.queries,
            plan=student.told, change=change, general=general, least=self.least, milliseconds=speeds, seconds=self.elapsed(),
            seed=self.options.seed, memory_plan=self.memory,
        )  # fmt: skip
        if found.share >= self.least:
            folder = self.target(f"{self.name}-tower")

            def written(target: Path) -> None:
                write(target)
                (target / FILE).write_text(training_svg(found), encoding="utf-8")

            write_folder(folder, written, self._card(folder.name, found))
            found = replace(found, folder=str(folder))
        self.kept.clear()
        return found

    def _material(self, copy: Library, most: int) -> tuple[list[Text], NDArray[np.float32]]:
        """What queries are drawn from, and at most ``most`` stored vectors (n, dimension)."""
        from .drawn import texts_of

        passages = Passages.drawn(copy._snapshot, PASSAGES, self.options.seed)
        texts = texts_of(passages)
        if not texts:
            raise InputError(f"{self.library.path} holds no text to draw queries from; index documents first")
        ids = np.sort(np.random.default_rng([self.options.seed, 7]).permutation(passages.ids)[:most])
        stored = passage_vectors(copy._encoders, copy._snapshot, self.name, ids)
        stored = np.ascontiguousarray(stored[np.linalg.norm(stored, axis=1) > 0], np.float32)
        if not len(stored):
            raise InputError(f"no passage is embedded by {self.name}; type: bookwheel embed {self.name}")
        return texts, stored

    def _tabled(self, copy: Library) -> _Student:
        from .table_training import STORED as FEWER
        from .table_training import fit_table, write_table

        found = fit_table(self, self.teacher, *self._material(copy, FEWER), self.options.order)

        def write(target: Path) -> None:
            write_table(target, self.folder, found)

        return _Student(write, (), found.losses, found.rates, found.told(), found.queries)

    def _layered(self, copy: Library) -> _Student:
        with torch_needed("a query tower"):
            from .student import write_tower

            model, kept, plan, outcome = self._imitated(copy)

        def write(target: Path) -> None:
            write_tower(target, self.folder, model)

        self.memory.plan("training", plan.planned)
        return _Student(
            write, kept, tuple(outcome.losses), tuple(outcome.rates), plan.told(), 0, plan.measured or 0
        )  # fmt: skip

    def _imitated(self, copy: Library) -> tuple[SentenceEncoder, tuple[int, ...], Plan, Outcome]:
        import torch

        from ..encoder.model import SentenceEncoder
        from ..memory.loop import finetune
        from ..memory.modules import layers_of
        from ..memory.planner import plan
        from ..objectives.query_imitation import QueryImitation
        from .queries import QueryBatches
        from .student import choices, cut

        options = self.options
        texts, stored = self._material(copy, STORED)
        goal = QueryImitation(torch.from_numpy(stored), options.order)

        def student(kept: tuple[int, ...]) -> SentenceEncoder:
            model = SentenceEncoder(self.folder, options.tokens)
            if self.layers >= (total := len(layers_of(model))):
                raise UsageError(f"{self.name} has {total} layers; a query tower has fewer, so give a lower --layers")
            cut(model, kept or choices(total, self.layers)[0])
            return model

        def batches(model: SentenceEncoder, steps: int, batch: int = options.batch) -> QueryBatches:
            return QueryBatches(texts, self.teacher, model, self.teacher.query_prefix, batch, steps, options.seed)

        kept = tuple(self.kept.fact("layers") or ())
        model = student(kept)
        known = self.kept.fact("method")
        chosen = plan(
            model, batches(model, 1).largest(self.teacher.dimension), self.memory.ram, objective=goal,
            methods=LADDER if known is None else (str(known),), rows=min(PART, options.batch),
        )  # fmt: skip
        if not kept:
            total = len(layers_of(SentenceEncoder(self.folder, options.tokens)))
            losses = {}
            for one in choices(total, self.layers):
                model = student(one)
                few = batches(model, PROBED, min(PROBED_BATCH, options.batch))
                tried = finetune(model, few, chosen, rate=options.rate, seed=options.seed, shuffle=False)
                losses[one] = float(np.mean(tried.losses[-PROBED // 4 :]))
            kept = min(losses, key=losses.__getitem__)
            model = student(kept)
        steps = self.kept.fact("steps")
        if steps is None:
            began = time.monotonic()
            batch = batches(model, 1)[0]
            each = time.monotonic() - began + UPDATE * seconds_of_step(model, batch, chosen)
            steps = max(1, min(MOST_STEPS, int(self.left(TRAINED) / each)))
        self.kept.note(layers=list(kept), method=chosen.method, steps=int(steps))
        outcome = finetune(
            model, batches(model, int(steps)), chosen, rate=options.rate, warmup=options.warmup, seed=options.seed,
            folder=self.kept.folder, save_seconds=CHECKPOINT, progress=self.progress, shuffle=False,
        )  # fmt: skip
        return model, kept, chosen, outcome

    def _card(self, name: str, found: TowerTraining) -> str:
        whole = f"{self.name}, sha256 {self.teacher.sha256}"
        layers = ", ".join(str(one + 1) for one in found.layers)
        facts = {
            "started from": f"layers {layers} of {whole}" if layers else f"vectors of single tokens by {whole}",
            "compared by": self.compared_by,
            "data": f"titles, sentences and runs of words of the library {self.library.path.name}, with the whole model's vectors",
            "loss": "cosine to those vectors, and divergence of the order of stored passages",
            "queries": found.queries or None,
            "steps": found.steps,
            "options": asdict(self.options) if layers else None,
            "memory": found.plan,
            "seconds": round(found.seconds),
            "milliseconds a query, before and after": [round(one, 3) for one in found.milliseconds],
        }
        through = f"{len(found.layers)} of its layers" if layers else "a table, as the mean of their tokens' vectors"
        says = (
            f"A query tower: passages go through the whole model, queries through {through}. "
            f"Use it with `bookwheel encoders replace {self.name}=FOLDER`; nothing is embedded anew."
        )
        rows = change_rows(found.change, found.general)
        facts = {name: value for name, value in facts.items() if value is not None}
        return card(name, licence_of(self.folder, self.folder.resolve().name), TAGS, says, facts, rows)
