"""``train tower``: a few layers of an encoder, or none, that encode queries for the passages that all of it has embedded."""

from __future__ import annotations

import tempfile
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
from ..folder import card, write_folder
from ..forgetting import forgetting
from ..plot import FILE, training_svg
from ..run import Job, Run, start, torch_needed
from ..safety import FEWEST, Verdict, judged, languages_of
from .comparing import TIMED, milliseconds, reached
from .result import TowerTraining

if TYPE_CHECKING:
    from .drawn import Text

__all__ = ["TowerOptions", "train_tower"]

MINUTES = 30.0
QUERIES = 400
PASSAGES = 20_000
"""The most that queries are drawn from."""
LAYERS = 2
SHARE = 0.98
"""Of what the whole encoder reaches on held-out queries, the least that is written by default."""
STORED = 8192
"""Stored vectors whose order is imitated, or among which a recipe's first are to be found."""
TAGS = ("sentence-transformers", "feature-extraction", "sentence-similarity", "bookwheel")


@dataclass(frozen=True)
class TowerOptions:
    """How a query tower is trained."""

    batch: int = 128
    tokens: int = 64
    """Of a query, at most, while training."""
    rate: float | None = None
    """The learning rate; None: one that suits how many layers are trained."""
    warmup: float = 0.05
    order: float = 0.5
    """How much the order of stored passages counts beside the direction."""
    seed: int = 0


def train_tower(
    library: Library | str | Path,
    name: str,
    out: str | Path | None = None,
    *,
    teacher: str | None = None,
    layers: int | None = None,
    compare: str | Path | None = None,
    minutes: float = MINUTES,
    ram: str | int | None = None,
    seed: int = 0,
    least: float | None = None,
    options: TowerOptions = TowerOptions(),
    progress: Progress = silent,
) -> TowerTraining:
    """Train layers of the encoder ``name`` of ``library`` to encode queries for its stored vectors; nothing is embedded anew.

    - ``name``: a dense encoder of the library, made from a folder in sentence-transformers' layout, whose passages are embedded.
    - ``out``: the folder of the model, new or empty; ``models/NAME-tower-…`` in the library where None.
    - ``teacher``: a recipe of the library that ranks better, such as ``"0.5*bm25 + 0.5*larger"``, whose rankings are imitated
      (`QueryRanking`); None: the whole encoder is, to be quicker.
    - ``layers``: how many, 0 for a table of tokens; None for `LAYERS` of them, and with a teacher for all.
    - ``compare``: a judged collection, whose queries are held out and compare models; None: queries made of the library.
    - ``minutes``: the time for it. ``ram``: the memory, as for `bookwheel.open`.
    - ``least``: of what the whole encoder reaches on held-out queries, the share that is written; below it nothing is. None for `SHARE`;
      with a teacher, what is better is written, by the rule of `bookwheel.train.safety`.

    The encoder's vectors of titles, sentences and runs of words of the library are the targets, and the order in which they put stored
    passages (`QueryImitation`), or in which the teacher puts them. The result has the whole encoder for passages and the layers for
    queries, so that it takes the encoder's place. Without layers, a query's vector is the mean of its tokens', which takes microseconds
    and no torch (`bookwheel.train.tower.table_training`), and reaches less. Stopped at any instant, the same call goes on to the same
    weights, up to rounding.

    Raises `UsageError`, `RecipeError`, `InputError`, `ModelError`, `BudgetError`, `TrainingError`, `StorageError`.
    """
    if layers is not None and layers < 0:
        raise UsageError(f"a query tower has some layers, or 0 for a table of token vectors, not {layers}")
    if layers == 0 and teacher is not None:
        raise UsageError("a table of token vectors imitates its encoder alone; leave out the teacher, or train some layers")

    def train(job: Job) -> TowerTraining:
        count = LAYERS if layers is None and teacher is None else layers
        return _Run(job, name, teacher, count, least, replace(options, seed=seed)).run()

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
    def __init__(
        self, job: Job, name: str, teacher: str | None, layers: int | None, least: float | None, options: TowerOptions
    ) -> None:
        super().__init__(job)
        self.name, self.teacher, self.layers, self.options = name, teacher, layers, options
        self.least = SHARE if least is None and teacher is None else least
        library = self.library
        known = library._snapshot.manifest.representation(name)
        if known is None or known.kind != "dense" or known.encoder is None:
            names = [one.name for one in library._snapshot.manifest.representations if one.kind == "dense" and one.encoder]
            raise UsageError(
                f"{name!r:.60} is no dense encoder that was added to the library; there are {', '.join(names) or 'none'}: "
                "bookwheel encoders add NAME=MODEL"
            )
        self.encoder: Any = library._encoders.encoder(known)
        if not isinstance(self.encoder, TransformerEncoder) or self.encoder.queries is not None:
            raise UsageError(f"{name} is no transformer, or has a query tower already; give one whose layers can be cut")
        self.folder = find_folder(known.encoder)
        if teacher is not None:
            library.recipe(teacher)
        self.kept = self.keep(
            "tower", name, self.encoder.sha256, teacher, layers, asdict(options), self.memory.ram, called=f"{name}-tower"
        )

    def run(self) -> TowerTraining:
        """Make queries, imitate in a copy without them, compare, and write."""
        made = self.held_out(QUERIES, FEWEST)
        needed = (self.name,) if self.teacher is None else None
        with searchable(self.library, made, needed, progress=self.progress) as copy:
            return self._train(copy, made)

    def _train(self, copy: Library, made: MadeCollection) -> TowerTraining:
        student = self._tabled(copy) if self.layers == 0 else self._layered(copy)
        write = student.write
        with tempfile.TemporaryDirectory(prefix="model-", dir=self.kept.folder, ignore_cleanup_errors=True) as scratch:
            write(Path(scratch))
            tower: Any = load_encoder(scratch)
            said = self._compared(copy, made, tower)
            queries = list(made.judged.values())[:TIMED]
            general = forgetting(self.encoder, tower)
            speeds = milliseconds(self.encoder, queries), milliseconds(tower, queries)
            del tower
        self.memory.measure("training", max(student.measured, anonymous_bytes() or 0))
        found = TowerTraining(
            base=self.name, layers=student.layers, steps=len(student.losses),
            losses=student.losses, rates=student.rates, queries=student.queries, teacher=self.teacher,
            plan=student.told, verdict=said, general=general, least=self.least, milliseconds=speeds,
            **self.common(),
        )  # fmt: skip
        if found.writable:
            folder = self.target

            def written(target: Path) -> None:
                write(target)
                (target / FILE).write_text(training_svg(found), encoding="utf-8")

            write_folder(folder, written, self._card(folder.name, found))
            found = replace(found, folder=str(folder))
        self.kept.clear()
        return found

    def _compared(self, copy: Library, made: MadeCollection, tower: Any) -> Verdict:
        """By the stored vectors; with a teacher also beside BM25, which it may have been."""
        recipes = {"the stored vectors": self.name}
        if self.teacher is not None:
            recipes["with BM25"] = f"0.5*bm25 + 0.5*{self.name}"
        values = {
            what: (reached(copy, self.name, made, self.encoder, recipe), reached(copy, self.name, made, tower, recipe))
            for what, recipe in recipes.items()
        }
        return judged(values, {} if self.teacher is None else languages_of(copy, made))

    def _material(self, copy: Library, most: int) -> tuple[list[Text], NDArray[np.int64], NDArray[np.float32]]:
        """What queries are drawn from, and at most ``most`` passages, rising (n,), with their stored vectors (n, dimension)."""
        from .drawn import texts_of

        passages = Passages.drawn(copy._snapshot, PASSAGES, self.options.seed)
        texts = texts_of(passages)
        if not texts:
            raise InputError(f"{self.library.path} holds no text to draw queries from; index documents first")
        ids = np.sort(np.random.default_rng([self.options.seed, 7]).permutation(passages.ids)[:most])
        stored = passage_vectors(copy._encoders, copy._snapshot, self.name, ids)
        there = np.linalg.norm(stored, axis=1) > 0
        if not there.any():
            raise InputError(f"no passage is embedded by {self.name}; type: bookwheel embed {self.name}")
        return texts, ids[there], np.ascontiguousarray(stored[there], np.float32)

    def _tabled(self, copy: Library) -> _Student:
        from .table_training import STORED as FEWER
        from .table_training import fit_table, write_table

        texts, _, stored = self._material(copy, FEWER)
        found = fit_table(self, self.encoder, texts, stored, self.options.order)

        def write(target: Path) -> None:
            write_table(target, self.folder, found)

        return _Student(write, (), found.losses, found.rates, found.told(), found.queries)

    def _layered(self, copy: Library) -> _Student:
        with torch_needed("a query tower"):
            from .layered import Layered, trained_layers
            from .student import write_tower

        texts, ids, stored = self._material(copy, STORED)
        material = Layered(self.folder, self.name, self.encoder, texts, ids, stored, self.teacher)
        model, kept, plan, outcome = trained_layers(self, copy, material, self.layers, self.options)

        def write(target: Path) -> None:
            write_tower(target, self.folder, model)

        self.memory.plan("training", plan.planned)
        return _Student(
            write, kept, tuple(outcome.losses), tuple(outcome.rates), plan.told(), 0, plan.measured or 0
        )  # fmt: skip

    def _card(self, name: str, found: TowerTraining) -> str:
        whole = f"{self.name}, sha256 {self.encoder.sha256}"
        layers = ", ".join(str(one + 1) for one in found.layers)
        facts = {
            "started from": f"layers {layers} of {whole}" if layers else f"vectors of single tokens by {whole}",
            "compared by": self.compared_by,
            "data": f"titles, sentences and runs of words of the library {self.library.path.name}, with the whole model's vectors",
            "loss": f"cosine to those vectors, and divergence from the order of {self.teacher or 'stored passages'}",
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
        rows = found.verdict.rows(found.general)
        facts = {name: value for name, value in facts.items() if value is not None}
        return card(name, licence_of(self.folder, self.folder.resolve().name), TAGS, says, facts, rows)
