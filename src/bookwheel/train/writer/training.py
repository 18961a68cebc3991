"""``train writer``: a language model trained to write the queries that a collection's passages answer (doc2query)."""

from __future__ import annotations

import gc
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import UsageError
from ...encode.catalogue import licence_of
from ...language.query_writer import FILE as SETTINGS
from ...language.query_writer import WriterSettings, weights_sha256, written_prompt
from ...library.library import Library
from ...library.vectors.encoders import BUILT_IN
from ...progress import Progress, silent
from ...tune.made import MadeCollection
from ...tune.reliability import searchable
from ..data.pairs import Pair
from ..data.sources import Source, answered, source_of
from ..folder import card, write_folder
from ..plot import FILE, training_svg
from ..run import Job, Run, start, torch_needed, versions_of
from ..safety import FEWEST, Verdict, judged, languages_of
from .base import WriterBase
from .expanding import QUESTIONS, Expanded, expanded
from .result import WriterTraining

if TYPE_CHECKING:
    from ..memory.loop import Outcome
    from ..memory.planner import Plan
    from .model import Writer, WriterBatches

__all__ = ["WriterOptions", "train_writer"]

MINUTES = 45.0
QUERIES = 300
"""Held out, at most."""
PASSAGES = 20_000
"""The most that pairs are made of; of a larger library they are drawn."""
PAIRS = 20_000
"""The most that are kept to train on."""
READ, TRAINED = 0.1, 0.5
"""The shares of the minutes after which no more held-out queries are read, and after which the last step must be made."""
AT_ONCE = 4
"""Held-out queries that are read together."""
LADDER = ("lora",)
UPDATE = 1.1
"""What the weights' update and reading a batch add to a step's seconds."""
CHECKPOINT = 120.0
"""Seconds of steps that a kill can lose."""
SAMPLES, SHOWN = 3, 60
"""Passages of which queries are shown, and characters of each."""
TOLD = "log-probability of a token of a held-out query, given its passage"
NATS = "nats"


@dataclass(frozen=True)
class WriterOptions:
    """How a writer is trained, and used."""

    batch: int = 4
    """Pairs of a step."""
    depth: float = 0.5
    """The share of a causal model's layers, from the last, that get adapters: with half of them there is time for half as many steps
    again."""
    tokens: int = 256
    """Of a prompt with its passage and query, at most, while training."""
    characters: int = 600
    """Of a passage that are read."""
    longest: int = 32
    """Tokens of a query."""
    count: int = 5
    """Queries drawn for a passage."""
    top: int = 10
    """Tokens that one is drawn from."""
    rate: float = 2e-4
    warmup: float = 0.1
    """The share of the steps in which the rate rises; then it falls to nothing."""
    epochs: int = 2
    """Times, at most, that a pair is trained on."""
    seed: int = 0


def train_writer(
    library: Library | str | Path,
    base: str | Path = "smollm2",
    out: str | Path | None = None,
    *,
    sources: Sequence[str] = ("titles",),
    compare: str | Path | None = None,
    minutes: float = MINUTES,
    ram: str | int | None = None,
    seed: int = 0,
    options: WriterOptions = WriterOptions(),
    progress: Progress = silent,
) -> WriterTraining:
    """Train ``base`` to write queries that passages of ``library`` answer, and write it where it does so better.

    - ``library``: an open one, or its name or path.
    - ``base``: a language model: ``smollm2``, a .gguf file, or a folder with safetensors weights, causal or of encoder and decoder (T5,
      BART).
    - ``out``: the folder of the model, new or empty; ``models/NAME-writer-…`` in the library where None.
    - ``sources``: where pairs are from, as for `train_encoder`; people's own queries (``judgments=``, ``queries``, ``pairs=``) teach to
      write like people, titles and sentences to write what the library says elsewhere.
    - ``compare``: a judged collection, whose queries are held out and compare models; None: queries made of the library.
    - ``minutes``: the time for it. ``ram``: the memory, as for `bookwheel.open`.

    The loss is that of the next token of a query after the prompt with its passage (Nogueira et al., Document Expansion by Query
    Prediction, 2019; here by low-rank adapters, which are merged). Before and after, the model says how probable held-out queries are,
    given their passages; and the terms of queries that it draws for BM25's candidates, filtered as doc2query-- does, are tried as a
    part of their score (`expanded`). Where queries are not more probable than before, or the order gets worse, ``folder`` of the result
    is None and nothing is written. Stopped at any instant, the same call goes on to the same weights, up to rounding.

    The folder is a model for ``--from written=FOLDER``, and a sparse encoder of a library (`bookwheel.language.query_writer`).

    Raises `UsageError`, `InputError`, `ModelError` where torch is missing or the model cannot be loaded, `BudgetError` with the memory
    that would do, `TrainingError` where the loss is not finite, `StorageError`.
    """
    if not sources:
        raise UsageError("name a source of pairs, such as titles")
    if min(options.batch, options.count, options.top, options.longest, options.characters) < 1:
        raise UsageError(
            "a step has a pair, a passage a character, and a query is drawn of a token, at least; give 1 or more of each"
        )
    if not 0 < options.depth <= 1:
        raise UsageError(f"depth is the share of the layers that get adapters, above 0 and up to 1, not {options.depth!r}")
    named = [source_of(one) for one in sources]

    def train(job: Job) -> WriterTraining:
        return _Run(job, WriterBase.of(base), named, replace(options, seed=seed)).run()

    return start(library, out, minutes, ram, seed, progress, train, compare)


class _Run(Run):
    def __init__(self, job: Job, base: WriterBase, sources: Sequence[Source], options: WriterOptions) -> None:
        super().__init__(job)
        self.base, self.sources, self.options = base, sources, options
        named = [str(one) for one in sources]
        self.kept = self.keep("writer", base.sha256, named, asdict(options), self.memory.ram, called=f"{base.name}-writer")

    def run(self) -> WriterTraining:
        """Make queries, train in a copy without them, compare, and write."""
        made = self.held_out(QUERIES, 2 * FEWEST)
        with searchable(self.library, made, (BUILT_IN,), progress=self.progress) as copy:
            return self._train(copy, made)

    def _train(self, copy: Library, made: MadeCollection) -> WriterTraining:
        writer, batches = self._batches(copy, made)
        asked = self._asked(copy, made)
        before = self._read(writer, asked)
        samples = self._samples(writer, list(asked.values()), "before")
        plan, outcome = self._steps(writer, batches)
        settings = WriterSettings(
            "", self._analyzer(copy, made), self.options.count, self.options.top, self.options.longest, self.options.characters
        )
        with writer.asked(outcome.model) as model:
            names = list(asked)[: len(before)]
            with self.shown("reading queries again", 1, "model") as advance:
                after = writer.log_probabilities(model, [asked[name] for name in names])
                advance(1)
            shown = self._samples(writer, list(asked.values()), "after", model)
            tried = expanded(self, copy, made, model, settings)
        spoken = languages_of(copy, made)
        told = judged({TOLD: (_by(names, before), _by(names, after))}, spoken, NATS)
        found = WriterTraining(
            base=self.base.name, sources=tuple(map(str, self.sources)), pairs=len(batches.pairs),
            seen=len(np.unique(np.concatenate(batches.steps))), steps=len(outcome.losses), batch=self.options.batch, plan=plan.told(),
            losses=tuple(outcome.losses), rates=tuple(outcome.rates), expanded=tried.passages, count=self.options.count,
            recipe=None, weight=tried.weight, threshold=tried.threshold, validation=tried.validation,
            verdict=_both(told, tried.verdict),
            samples=tuple((passage[:SHOWN], first, last) for (passage, first), (_, last) in zip(samples, shown, strict=True)),
            **self.common(),
        )  # fmt: skip
        if found.verdict.better:
            found = self._written(found, writer, outcome, replace(settings, threshold=tried.threshold), tried)
        self.kept.clear()
        return found

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _batches(self, copy: Library, made: MadeCollection) -> tuple[Writer, WriterBatches]:
        with torch_needed("a writer of queries"):
            from .model import Writer, WriterBatches
        options = self.options
        pairs = self.pairs(copy, made, PASSAGES, PAIRS)
        if len(pairs) < options.batch:
            raise UsageError(
                f"there are {len(pairs):,} pairs to train on, and a step takes {options.batch:,}; index more documents, or add a source of "
                "pairs"
            )
        writer = Writer(self.base.folder, options.tokens, options.characters, options.longest)
        return writer, WriterBatches(pairs, writer, options.batch, options.seed)

    def _asked(self, copy: Library, made: MadeCollection) -> dict[str, Pair]:
        """Each held-out query with the passage that answers it, so spread that any number of first ones has all kinds."""
        by_text = {made.queries[name]: name for name in made.judged}
        relevant = {text: [one for one, grade in made.qrels[name].items() if grade > 0] for text, name in by_text.items()}
        found: dict[str, Pair] = {}
        for pair in answered(copy, relevant):
            found.setdefault(by_text[pair.query], pair)
        names = list(found)
        order = np.random.default_rng([self.options.seed, 31]).permutation(len(names)).tolist()
        return {names[at]: found[names[at]] for at in order}

    def _read(self, writer: Writer, asked: dict[str, Pair]) -> NDArray[np.float64]:
        """What the base expects of the queries of ``asked``, as many of them as there is time for, or as were read before."""
        known = self.kept.read("before")
        if known is not None:
            values: NDArray[np.float64] = known["values"]
            return values
        pairs, found = list(asked.values()), np.empty(0)
        with self.shown("reading queries", len(pairs), "queries") as advance, writer.asked() as model:
            for at in range(0, len(pairs), AT_ONCE):
                if at >= FEWEST and self.left(READ) < 0:
                    break
                some = pairs[at : at + AT_ONCE]
                found = np.concatenate([found, writer.log_probabilities(model, some)])
                advance(len(some))
        self.kept.write("before", {"values": found})
        return found

    def _samples(self, writer: Writer, pairs: Sequence[Pair], when: str, model: Any = None) -> list[tuple[str, str]]:
        """Of some passages the query that the model writes; before it was trained, as was kept."""
        known = self.kept.fact(f"samples-{when}")
        if known is not None:
            return [(str(passage), str(query)) for passage, query in known]
        some = [" ".join(pair.answer.split()) for pair in pairs[:SAMPLES]]
        prompts = [written_prompt(passage, self.options.characters) for passage in some]

        def write(asked: Any) -> list[tuple[str, str]]:
            return [
                (passage, " ".join(answer.split()))
                for passage, answer in zip(some, asked.generate(prompts, max_tokens=self.options.longest), strict=True)
            ]

        if model is not None:
            return write(model)
        with writer.asked() as own:
            found = write(own)
        self.kept.note(**{f"samples-{when}": found})
        return found

    def _steps(self, writer: Writer, batches: WriterBatches) -> tuple[Plan, Outcome]:
        from ..memory.loop import finetune
        from ..memory.modules import layers_of
        from ..memory.planner import plan
        from ..trainable import adapted, step_seconds

        options, goal = self.options, writer.objective
        # Behind the encoder stands the decoder, which all of a text has to do with.
        layers = 0 if writer.two_parts else math.ceil(options.depth * len(layers_of(writer.model)))
        chosen = plan(
            writer.model,
            writer.largest(options.batch),
            self.memory.ram,
            objective=goal,
            methods=LADDER,
            changes={"layers": layers},
        )
        steps = self.kept.fact("steps")
        if steps is None:

            def once(part: dict[str, Any]) -> None:
                goal.total(writer.model, goal.prepare(part)).backward()

            with adapted(writer.model, layers=layers):
                each = step_seconds(writer.model, batches[0], chosen.rows, once, lambda part: int(part["input_ids"].numel()))
            most = -(-options.epochs * len(batches.pairs) // options.batch)
            steps = max(1, min(most, int(self.left(TRAINED) / (UPDATE * each))))
            self.kept.note(steps=steps)
        batches.plan(int(steps))
        outcome = finetune(
            writer.model, batches, chosen, rate=options.rate, warmup=options.warmup, seed=options.seed, folder=self.kept.folder,
            save_seconds=CHECKPOINT, progress=self.progress, shuffle=False,
        )  # fmt: skip
        self.memory.plan("training", chosen.planned)
        self.memory.measure("training", chosen.measured or 0)
        outcome.model.eval()
        gc.collect()
        return chosen, outcome

    def _analyzer(self, copy: Library, made: MadeCollection) -> Any:
        """What cuts queries into terms: the library's, or that of the language of most documents that held-out queries are about."""
        from ...analysis.analyzer import Analyzer

        if (own := copy._snapshot.manifest.settings.fixed_analyzer) is not None:
            return own
        spoken = [language for language in languages_of(copy, made).values() if language]
        return Analyzer.for_language(max(sorted(set(spoken)), key=spoken.count)) if spoken else Analyzer()

    def _written(
        self, found: WriterTraining, writer: Writer, outcome: Outcome, settings: WriterSettings, tried: Expanded
    ) -> WriterTraining:
        folder = self.target
        found = replace(found, folder=str(folder), recipe=tried.recipe)

        def write(place: Path) -> None:
            writer.save(place, outcome.model)
            (place / SETTINGS).write_text(replace(settings, sha256=weights_sha256(place)).to_json(), encoding="utf-8")
            (place / "training.json").write_text(json.dumps(found.to_dict(), indent=1), encoding="utf-8")
            (place / FILE).write_text(training_svg(found), encoding="utf-8")

        write_folder(folder, write, self._card(folder.name, found))
        return found

    def _card(self, name: str, found: WriterTraining) -> str:
        facts = {
            "started from": f"{self.base.name}, sha256 {self.base.sha256}",
            "compared by": self.compared_by,
            "data": f"{found.seen:,} pairs ({', '.join(found.sources)}) of the library {self.library.path.name}",
            "loss": "the next token of a query after its passage, by low-rank adapters, which were merged",
            "steps": found.steps,
            "losses": f"training.json, and as a picture {FILE}",
            "seed": found.seed,
            "options": asdict(self.options),
            "memory": found.plan,
            "seconds": round(found.seconds),
            "torch, transformers, peft": versions_of("torch", "transformers", "peft"),
        }
        gain = f", then search with `{found.recipe}`" if found.recipe else ""
        says = (
            "A language model that writes queries for passages of one collection. Train other models on them with `--from "
            f"written=FOLDER`, or add the terms of what it writes with `bookwheel encoders add {QUESTIONS}=FOLDER --kind sparse` and "
            f"`bookwheel embed {QUESTIONS}`{gain}."
        )
        tags = ("text-generation", "doc2query", "bookwheel")
        return card(name, licence_of(self.base.folder, self.base.name), tags, says, facts, found.verdict.rows())


def _both(told: Verdict, ranked: Verdict) -> Verdict:
    return Verdict((*told.changes, *ranked.changes), (*told.languages, *ranked.languages))


def _by(names: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))
