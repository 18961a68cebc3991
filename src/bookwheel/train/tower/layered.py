"""Layers of an encoder, trained to encode queries for stored vectors: as the whole encoder does, or as a recipe ranks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..._errors import UsageError
from ...encode.dense import TransformerEncoder
from ...library.library import Library
from ..encoder.model import SentenceEncoder
from ..encoder.seconds import seconds_of_step
from ..encoder.training import LADDER
from ..memory.loop import Outcome, finetune
from ..memory.modules import cut, layers_of
from ..memory.planner import Plan, plan
from ..objectives.query_imitation import QueryImitation
from ..objectives.query_ranking import QueryRanking
from ..run import Run
from .drawn import Text
from .queries import QueryBatches
from .ranked import RankedBatches
from .student import choices

if TYPE_CHECKING:
    from .training import TowerOptions

__all__ = ["Layered", "trained_layers"]

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
RATE, RATE_OF_ALL = 3e-4, 1e-4
"""The learning rate of some layers, which must find together what all of them knew, and of all of them, which know it."""


@dataclass(frozen=True)
class Layered:
    """What layers are trained on. ``name``: of the encoder in the library; ``ids``: passages, rising, whose vectors are ``stored`` (n,
    dimension); ``recipe``: what ranks, None for the encoder itself.
    """

    folder: Path
    name: str
    encoder: TransformerEncoder
    texts: Sequence[Text]
    ids: NDArray[np.int64]
    stored: NDArray[np.float32]
    recipe: str | None

    def goal(self, order: float) -> Any:
        """What a step minimises."""
        passages = torch.from_numpy(self.stored)
        return QueryImitation(passages, order) if self.recipe is None else QueryRanking(passages, order)

    def batches(self, copy: Library, model: SentenceEncoder, batch: int, steps: int, seed: int) -> QueryBatches:
        """Drawn queries with what the goal takes."""
        given = self.texts, self.encoder, model, self.encoder.query_prefix, batch, steps, seed
        if self.recipe is None:
            return QueryBatches(*given)
        return RankedBatches(*given).rank_by(copy, self.recipe, self.name, self.ids)


def trained_layers(
    run: Run, copy: Library, material: Layered, count: int | None, options: TowerOptions
) -> tuple[SentenceEncoder, tuple[int, ...], Plan, Outcome]:
    """The model of ``count`` layers (None: all), which of them these are, and how it was trained. Raises `UsageError`, `BudgetError`."""
    goal = material.goal(options.order)
    total = len(layers_of(SentenceEncoder(material.folder, options.tokens)))
    most = total if material.recipe is not None else total - 1
    wanted = total if count is None else count
    if wanted > most:
        raise UsageError(f"{material.name} has {total} layers; a query tower has fewer, so give a lower --layers")
    rate = options.rate or (RATE_OF_ALL if wanted == total else RATE)

    def student(kept: tuple[int, ...]) -> SentenceEncoder:
        model = SentenceEncoder(material.folder, options.tokens)
        cut(model, kept or choices(total, wanted)[0])
        return model

    def batches(model: SentenceEncoder, steps: int, batch: int = options.batch) -> QueryBatches:
        return material.batches(copy, model, batch, steps, options.seed)

    kept = tuple(run.kept.fact("layers") or ())
    model = student(kept)
    known = run.kept.fact("method")
    chosen = plan(
        model, batches(model, 1).largest(material.encoder.dimension), run.memory.ram, objective=goal,
        methods=LADDER if known is None else (str(known),), rows=min(PART, options.batch),
    )  # fmt: skip
    if not kept:
        losses = {}
        different = choices(total, wanted)
        for one in different if len(different) > 1 else ():
            model = student(one)
            few = batches(model, PROBED, min(PROBED_BATCH, options.batch))
            tried = finetune(model, few, chosen, rate=rate, seed=options.seed, shuffle=False)
            losses[one] = float(np.mean(tried.losses[-PROBED // 4 :]))
        kept = min(losses, key=losses.__getitem__, default=different[0])
        model = student(kept)
    steps = run.kept.fact("steps")
    if steps is None:
        began = time.monotonic()
        batch = batches(model, 1)[0]
        each = time.monotonic() - began + UPDATE * seconds_of_step(model, batch, chosen)
        steps = max(1, min(MOST_STEPS, int(run.left(TRAINED) / each)))
    run.kept.note(layers=list(kept), method=chosen.method, steps=int(steps))
    outcome = finetune(
        model, batches(model, int(steps)), chosen, rate=rate, warmup=options.warmup, seed=options.seed,
        folder=run.kept.folder, save_seconds=CHECKPOINT, progress=run.progress, shuffle=False,
    )  # fmt: skip
    return model, kept, chosen, outcome
