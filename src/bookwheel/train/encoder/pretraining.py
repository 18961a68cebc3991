"""What may come before contrast: passages of the library, masked, are rebuilt from the encoder's vectors (`MaskedAutoencoding`)."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ..._errors import UsageError
from ..data.passages import Passages
from ..run import Run

if TYPE_CHECKING:
    from .masked import MaskedBatches
    from .model import SentenceEncoder

__all__ = ["TRAINED", "PretrainOptions", "Pretraining", "pretrained"]

CHECKPOINT = 120.0
"""Seconds of steps that a kill can lose."""
FEWEST = 16
"""Passages, at least."""


@dataclass(frozen=True)
class PretrainOptions:
    """How an encoder is pre-trained on raw passages. Nothing was chosen: the shares are the papers'."""

    share: float = 0.0
    """Of the minutes; 0 for no pre-training."""
    masked: float = 0.3
    """The share of a passage's tokens that are masked for the encoder."""
    rebuilt: float = 0.5
    """The share that are masked for the decoder, which has to rebuild them."""
    neighbour: bool = False
    """Whether the decoder rebuilds the neighbouring passage of the document instead, where there is one."""
    rare: bool = False
    """Whether rare tokens are masked more often, as by BM25's weights."""
    batch: int = 16
    rate: float = 1e-4
    warmup: float = 0.1
    epochs: int = 3
    """Times, at most, that a passage is read."""

    def __post_init__(self) -> None:
        if not 0 <= self.share < TRAINED:
            raise UsageError(
                f"pre-training takes a share of the minutes from 0 to below {TRAINED:g}, not {self.share!r}; training has the rest"
            )
        if not (0 <= self.masked < 1 and 0 < self.rebuilt <= 1):
            raise UsageError("the encoder's masked share is from 0 to below 1, the decoder's above 0 and up to 1")


TRAINED = 0.8
"""The share of the minutes after which an encoder's last step must be made."""


@dataclass(frozen=True)
class Pretraining:
    """What pre-training came to: ``losses`` of each step, a token's mean, and how a step was taken within the budget."""

    passages: int
    losses: tuple[float, ...]
    plan: str

    def __str__(self) -> str:
        tenth = max(1, len(self.losses) // 10)
        first, last = sum(self.losses[:tenth]) / tenth, sum(self.losses[-tenth:]) / tenth
        return (
            f"before that, rebuilt {self.passages:,} masked passages in {len(self.losses):,} steps; loss {first:.3f} → {last:.3f} "
            f"({self.plan})"
        )

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self) | {"losses": list(self.losses)}


def pretrained(
    run: Run, model: SentenceEncoder, passages: Passages, prefix: str, options: PretrainOptions, layers: int
) -> Pretraining:
    """Train ``model`` as ``options`` say, on ``passages`` with ``prefix`` before each; the decoder goes again.

    ``layers``: the last ones, which alone are trained; 0 for all weights. Stopped at any instant, it goes on where it was.
    Raises `UsageError`, `BudgetError`, `TrainingError`, `StorageError`.
    """
    from ..memory.loop import finetune
    from ..memory.modules import last_layers
    from ..memory.planner import plan
    from ..objectives.masked_autoencoding import MaskedAutoencoding
    from ..trainable import step_seconds
    from .decoder import Bottleneck
    from .masked import MaskedBatches, rarities

    if len(passages) < FEWEST:
        raise UsageError(f"there are {len(passages)} passages to pre-train on, and {FEWEST} are needed; leave out --pretrain")

    def batches(steps: int) -> MaskedBatches:
        shares = options.masked, options.rebuilt
        return MaskedBatches(passages, model, prefix, options.batch, steps, run.seed, shares, neighbour=options.neighbour)

    kept, goal, first = run.kept, MaskedAutoencoding(), batches(1)
    whole = Bottleneck(model, model.inner.get_embedding_dimension(), model.tokens, run.seed)
    known = kept.fact("pretraining method")
    chosen = plan(
        whole, first.largest(), run.memory.ram, objective=goal, methods=METHODS if known is None else (str(known),),
        changes={"layers": layers},
    )  # fmt: skip
    weights = None
    if options.rare:
        with run.shown("counting tokens", None, "passages") as advance:
            weights = rarities(first, advance)
    steps = kept.fact("pretraining steps")
    if steps is None:
        first.weights = weights
        began = time.monotonic()
        batch = first[0]
        making = time.monotonic() - began

        def once(part: dict[str, object]) -> None:
            goal.total(whole, goal.prepare(part)).backward()

        with last_layers(whole, layers):
            each = making + UPDATE * step_seconds(
                whole, batch, chosen.rows, once, lambda part: int(part["attention_mask"].numel())
            )
        most = max(1, options.epochs * len(passages) // first.batch)
        steps = max(1, min(most, int(run.left(options.share) / each)))
    kept.note(**{"pretraining method": chosen.method, "pretraining steps": int(steps)})
    every = batches(int(steps))
    every.weights = weights
    folder = kept.folder / "pretraining"
    folder.mkdir(exist_ok=True)
    outcome = finetune(
        whole, every, chosen, rate=options.rate, warmup=options.warmup, seed=run.seed, folder=folder, save_seconds=CHECKPOINT,
        progress=run.progress, shuffle=False,
    )  # fmt: skip
    model.requires_grad_(True)
    run.memory.plan("pre-training", chosen.planned)
    run.memory.measure("pre-training", chosen.measured or 0)
    return Pretraining(min(len(passages), int(steps) * every.batch), tuple(outcome.losses), chosen.told())


METHODS = ("adamw", "adamw-8bit")
UPDATE = 1.15
"""What the weights' update adds to a step's seconds."""
