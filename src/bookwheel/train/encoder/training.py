"""``train encoder``: a sentence encoder trained on a collection's own titles and sentences, without labels."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._errors import UsageError
from ...encode.catalogue import licence_of
from ...encode.dense import TransformerEncoder
from ...encode.find import find_folder
from ...encode.load import load_encoder
from ...encode.protocols import DenseEncoder
from ...library.library import Library
from ...library.vectors.encoders import BUILT_IN
from ...progress import Progress, silent
from ...tune.made import MadeCollection
from ...tune.reliability import searchable
from ..data.negatives import NONE, hard_negatives
from ..data.passages import Passages
from ..data.sources import Source, source_of
from ..folder import card, write_folder
from ..forgetting import forgetting
from ..plot import FILE, training_svg
from ..projection.training import checked_widths
from ..run import Job, Run, start, torch_needed, versions_of
from ..safety import FEWEST, Change, Verdict, judged, languages_of, thirds
from ..scratch import forget
from ..teachers.registry import Named, teacher_of
from .options import DEFAULT, EncoderOptions, checked
from .pool import FUSED, Pool
from .pretraining import TRAINED, Pretraining, pretrained
from .result import EncoderTraining
from .seconds import seconds_of_step

if TYPE_CHECKING:
    from ..memory.loop import Outcome
    from ..memory.planner import Plan
    from .batches import Batches
    from .model import SentenceEncoder

__all__ = ["train_encoder"]

MINUTES = 45.0
QUERIES = 600
"""Held out: a third chooses how far to go, two thirds compare."""
PASSAGES = 20_000
"""The most that pairs are made of; of a larger library they are drawn."""
PAIRS = 20_000
"""The most that are kept to train on."""
SHARES = (0.5, 1.0)
"""How far from the old weights to the trained ones a model may lie, that are compared."""
LADDER = ("adamw", "adamw-8bit")
"""Ways to train, best first, of which the first is taken that fits the budget: those whose steps may come in parts."""
MINING = 1.12
"""What looking for negatives and the weights' update add to a step's seconds."""
REFRESHED = 8
"""Steps, at least, of which the second half gets negatives that are found by the model as it is then."""
CHECKPOINT = 120.0
"""Seconds of steps that a kill can lose."""
TAGS = ("sentence-transformers", "feature-extraction", "sentence-similarity", "bookwheel")


def train_encoder(
    library: Library | str | Path,
    base: str | Path,
    out: str | Path | None = None,
    *,
    teacher: Named = None,
    sources: Sequence[str] = ("titles",),
    compare: str | Path | None = None,
    minutes: float = MINUTES,
    ram: str | int | None = None,
    seed: int = 0,
    options: EncoderOptions = DEFAULT,
    progress: Progress = silent,
) -> EncoderTraining:
    """Train the encoder ``base`` on pairs of queries and answers, and write it where it is better for ``library``.

    - ``library``: an open one, or its name or path.
    - ``base``: the folder of a model in sentence-transformers' layout with safetensors weights, or a package that holds one.
    - ``out``: the folder of the model, new or empty; ``models/NAME-…`` in the library where None.
    - ``teacher``: what ranks better, whose scores within each batch are imitated (`CachedImitation`) in the place of contrast; None:
      only what answers a query is known. A larger encoder, dense or sparse, or a cross-encoder (its name in the library, a folder or
      a package), ``bm25``, ``likelihood=MODEL``, or several, whose scores are added (`teacher_of`).
    - ``sources``: where pairs are from. ``titles``: titles, headings and sentences of the library, each with the passage that it is
      taken out of; ``cloze``, ``links``, ``replies``, ``written=MODEL``, ``copied=MODEL``, ``described=MODEL``: made queries
      (`train.data.made`); ``queries`` or ``queries=FILE``: what people asked, with what they opened; ``judgments=FOLDER``: a judged
      collection; ``pairs=FILE``: lines ``{"query": …, "answer": …}``, or two columns with a tab between (``.tsv``).
    - ``compare``: a judged collection, whose queries are held out and compare models; None: queries made of the library.
    - ``minutes``: the time for it. ``ram``: the memory, as for `bookwheel.open`.

    The loss is contrastive with cached gradients (`CachedContrast`); each pair has a negative that BM25 ranks high and the model
    finds nearer than others, but further from the query than the answer (`hard_negatives`), which are looked for again half way by
    the model as it is then. Both models are compared on held-out queries among the passages near them (`Pool`); where the trained one
    is not better, ``folder`` of the result is None and nothing is written. Stopped at any instant, the same call goes on to the same
    weights, up to rounding.

    Raises `UsageError`, `InputError`, `ModelError` where torch or sentence-transformers is missing or the model cannot be loaded,
    `BudgetError` with the memory that would do, `TrainingError` where the loss is not finite, `StorageError`.
    """
    checked(options, sources)
    named = [source_of(one) for one in sources]

    def train(job: Job) -> EncoderTraining:
        return _Run(job, base, teacher, named, replace(options, seed=seed)).run()

    return start(library, out, minutes, ram, seed, progress, train, compare)


class _Run(Run):
    def __init__(self, job: Job, base: str | Path, teacher: Named, sources: Sequence[Source], options: EncoderOptions) -> None:
        super().__init__(job)
        self.sources, self.options = sources, options
        self.folder = find_folder(str(base))
        self.base: Any = load_encoder(str(self.folder))
        if not isinstance(self.base, TransformerEncoder):
            raise UsageError(f"{base} is a static model; train that with: bookwheel train static")
        if self.base.queries is not None:
            raise UsageError(f"{base} encodes queries by other layers than passages; train the model that those were cut from")
        widths = checked_widths(str(base), self.base.dimension, options.widths) if options.widths else ()
        options = self.options = replace(options, widths=tuple(one for one in widths if one < self.base.dimension))
        self.name = self.folder.resolve().name
        self.teacher = teacher_of(self.library, teacher)
        taught = "" if self.teacher is None else self.teacher.sha256
        named = [str(one) for one in sources]
        self.kept = self.keep("encoder", self.base.sha256, taught, named, asdict(options), self.memory.ram, called=self.name)
        self.counts: list[int] = []

    def run(self) -> EncoderTraining:
        """Make queries, train in a copy without them, compare, and write."""
        made = self.held_out(QUERIES, 2 * FEWEST)
        with searchable(self.library, made, (BUILT_IN,), progress=self.progress) as copy:
            return self._train(copy, made)

    def _train(self, copy: Library, made: MadeCollection) -> EncoderTraining:
        model, batches = self._batches(copy, made)
        before = self._pretrained(copy, model)
        plan, outcome = self._steps(copy, model, batches)
        share, scores, pool, said, general = self._compared(copy, made, model)
        found = EncoderTraining(
            base=self.name, teacher=self.teacher.name if self.teacher else None,
            sources=tuple(map(str, self.sources)),
            pairs=len(batches.pairs), seen=len(np.unique(np.concatenate(batches.steps))), negatives=tuple(self.counts),
            steps=len(outcome.losses), batch=self.options.batch, plan=plan.told(), losses=tuple(outcome.losses),
            rates=tuple(outcome.rates), share=share, validation=scores,
            pool=pool, verdict=said, general=general, pretraining=before,
            **self.common(),
        )  # fmt: skip
        if share and said.better:
            found = replace(found, folder=str(self._written(found, model)))
        self.kept.clear()
        return found

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _batches(self, copy: Library, made: MadeCollection) -> tuple[SentenceEncoder, Batches]:
        with torch_needed("an encoder"):
            from .batches import Batches
            from .model import SentenceEncoder
        options = self.options
        pairs = self.pairs(copy, made, PASSAGES, PAIRS)
        if len(pairs) < options.batch:
            raise UsageError(
                f"there are {len(pairs):,} pairs to train on, and a step takes {options.batch:,}; index more documents, add a source of "
                "pairs, or give a smaller --batch"
            )
        model = SentenceEncoder(self.folder, options.tokens)
        prefixes = self.base.query_prefix, self.base.passage_prefix
        return model, Batches(
            pairs, copy._snapshot.store, model, prefixes, options.batch, options.seed, negatives=options.negatives,
            teacher=self.teacher, typos=options.typos, paraphrases=options.paraphrases, easy_first=options.easy_first,
        )  # fmt: skip

    def _pretrained(self, copy: Library, model: SentenceEncoder) -> Pretraining | None:
        options = self.options.pretraining
        if not options.share:
            return None
        passages = Passages.drawn(copy._snapshot, PASSAGES, self.options.seed)
        return pretrained(self, model, passages, self.base.passage_prefix, options, self.options.layers)

    def _steps(self, copy: Library, model: SentenceEncoder, batches: Batches) -> tuple[Plan, Outcome]:
        from ..memory.loop import finetune
        from ..memory.planner import plan

        options = self.options
        known = self.kept.fact("method")
        # A run that is taken up again trains as it began, however fast the machine is now.
        chosen = plan(
            model, batches.largest(self.base.dimension), self.memory.ram, objective=self._goal(model, batches),
            methods=LADDER if known is None else (str(known),), changes={"layers": options.layers},
        )  # fmt: skip
        steps = self.kept.fact("steps")
        if steps is None:
            most = -(-options.epochs * len(batches.pairs) // options.batch)
            began = time.monotonic()
            first = batches[0]
            # The first batch has no negatives yet, which are a third of what a teacher reads.
            making = (time.monotonic() - began) * (1.5 if self.teacher is not None and options.negatives else 1)
            each = making + MINING * seconds_of_step(model, first, chosen, options.layers)
            steps = max(1, min(most, int(self.left(TRAINED) / each)))
        batches.plan(int(steps))
        self.kept.note(method=chosen.method, steps=int(steps))
        begins = [0, len(batches) // 2] if len(batches) >= REFRESHED else [0]
        if not options.negatives:
            begins = []

        def before(step: int, current: Any) -> None:
            for at in range(len(self.counts), sum(step >= one for one in begins)):
                self._mined(copy, batches, at, [*begins, len(batches)], current)

        outcome = finetune(
            model, batches, chosen, steps=len(batches), rate=options.rate, warmup=options.warmup, seed=options.seed,
            folder=self.kept.folder, save_seconds=CHECKPOINT, progress=self.progress, shuffle=False, before=before,
        )  # fmt: skip
        self.memory.plan("training", chosen.planned)
        self.memory.measure("training", chosen.measured or 0)
        return chosen, outcome

    def _goal(self, model: SentenceEncoder, batches: Batches) -> Any:
        """Contrast, or imitation of the teacher at the scale at which its scores of the first batch spread as the model's do; over
        vectors as they are cut and coded, too, where that is asked for.
        """
        from ..objectives.narrowed import Narrowed

        goal, options = self._whole_goal(model, batches), self.options
        return Narrowed(options.scale, goal, options.widths, options.codes) if options.widths or options.codes else goal

    def _whole_goal(self, model: SentenceEncoder, batches: Batches) -> Any:
        import torch

        from ..objectives.cached_contrast import CachedContrast
        from ..objectives.cached_imitation import CachedImitation, alike

        scale = self.options.scale
        if self.teacher is None:
            return CachedContrast(scale)
        known = self.kept.fact("taught_scale")
        if known is None:
            first = batches[0]
            with torch.no_grad():
                known = alike(model.eval()(first), first, scale)
            self.kept.note(taught_scale=known)
        return CachedImitation(scale, float(known))

    def _mined(self, copy: Library, batches: Batches, at: int, begins: Sequence[int], model: SentenceEncoder) -> None:
        """Look for the negatives of a round, or take up those that were found before."""
        own = np.unique(np.concatenate(batches.steps[begins[at] : begins[at + 1]]))
        known = self.kept.read(f"negatives-{at}")
        if known is None or known["pairs"].tolist() != own.tolist():
            task = self.progress("looking for negatives", len(own), "queries")
            try:
                pairs = [batches.pairs[one] for one in own.tolist()]
                if at == 0:
                    found = hard_negatives(copy, pairs, self.base, task.advance)
                else:
                    with self._loaded(model) as judge:
                        found = hard_negatives(copy, pairs, judge, task.advance)
            finally:
                task.close()
            known = {"pairs": own, "negatives": found}
            self.kept.write(f"negatives-{at}", known)
        batches.negatives[own] = known["negatives"]
        self.counts.append(int((known["negatives"] != NONE).sum()))

    @contextmanager
    def _loaded(self, model: SentenceEncoder) -> Iterator[DenseEncoder]:
        """The model as an encoder; what is made of it to run is deleted at the end."""
        with tempfile.TemporaryDirectory(prefix="model-", dir=self.kept.folder, ignore_cleanup_errors=True) as scratch:
            model.save(Path(scratch) / self.name)
            encoder: Any = load_encoder(str(Path(scratch) / self.name))
            try:
                yield encoder
            finally:
                made = Path(encoder._model.session.path)
                del encoder
                forget(made)

    def _compared(
        self, copy: Library, made: MadeCollection, model: SentenceEncoder
    ) -> tuple[float, dict[str, float], int, Verdict, Change | None]:
        """How far to go, what each share reached on validation queries, the pool's size, what the others say of that one, and
        what it has forgotten.

        Afterwards ``model`` has the weights that were chosen.
        """
        from .model import SentenceEncoder

        validation, test = thirds(made)
        start = SentenceEncoder(self.folder, self.options.tokens)
        trained = {name: value.clone() for name, value in model.state_dict().items()}

        def at(share: float) -> SentenceEncoder:
            model.load_state_dict(trained)
            model.towards(start, share)
            return model

        task = self.progress("comparing", 3 + len(SHARES), "models")
        try:
            pool = Pool(copy, validation)
            scores = {0.0: self._mean(pool, self.base)}
            task.advance()
            for share in SHARES:
                with self._loaded(at(share)) as encoder:
                    scores[share] = self._mean(pool, encoder)
                task.advance()
            best = max(scores, key=lambda share: (scores[share], -share))
            said, general, size = Verdict(()), None, len(pool)
            if best:
                pool = Pool(copy, test)
                before = self._reached(pool, self.base)
                task.advance()
                with self._loaded(at(best)) as encoder:
                    after = self._reached(pool, encoder)
                    general = forgetting(self.base, encoder)
                task.advance()
                pairs = {what: (values, after[what]) for what, values in before.items()}
                said, size = judged(pairs, languages_of(copy, test)), len(pool)
        finally:
            task.close()
        return best, {f"{share:g}": score for share, score in scores.items()}, size, said, general

    def _reached(self, pool: Pool, encoder: DenseEncoder) -> Mapping[str, Mapping[str, float]]:
        return pool.values(encoder, self.options.widths, codes=self.options.codes)

    def _mean(self, pool: Pool, encoder: DenseEncoder) -> float:
        """Of the vectors alone, and of what else is trained for."""
        found = self._reached(pool, encoder)
        return float(np.mean([np.mean(list(values.values())) for what, values in found.items() if what != FUSED]))

    def _written(self, found: EncoderTraining, model: SentenceEncoder) -> Path:
        from .onnx import write_onnx

        folder = self.target

        def write(place: Path) -> None:
            model.save(place)
            write_onnx(place)
            (place / "training.json").write_text(json.dumps(found.to_dict(), indent=1), encoding="utf-8")
            (place / FILE).write_text(training_svg(found), encoding="utf-8")

        write_folder(folder, write, self._card(folder.name, found))
        return folder

    def _card(self, name: str, found: EncoderTraining) -> str:
        made_of = f"{found.seen:,} pairs ({', '.join(found.sources)}) for the library {self.library.path.name}"
        facts = {
            "started from": f"{self.name}, sha256 {self.base.sha256}",
            "compared by": self.compared_by,
            "data": f"{made_of}; negatives by BM25 and the model for {', '.join(f'{count:,}' for count in found.negatives)} of them",
            "loss": f"imitation of {found.teacher}, under its own licence"
            if found.teacher
            else "contrastive, with cached gradients",
            **({} if found.pretraining is None else {"pre-training": str(found.pretraining)}),
            "steps": found.steps,
            "losses": f"training.json, and as a picture {FILE}",
            "share of the way from the old weights": found.share,
            "options": asdict(self.options),
            "memory": found.plan,
            "seconds": round(found.seconds),
            "torch, transformers, sentence-transformers": versions_of("torch", "transformers", "sentence-transformers"),
        }
        says = f"A sentence encoder fitted to one collection. Use it with `bookwheel encoders add {name}=FOLDER`."
        if self.options.widths:
            says += f" Its vectors may be cut: `load_encoder(FOLDER, dimension={self.options.widths[0]})`."
        return card(name, licence_of(self.folder, self.name), TAGS, says, facts, found.verdict.rows(found.general))
