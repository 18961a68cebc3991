"""How an encoder is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..._errors import UsageError
from .pretraining import PretrainOptions

__all__ = ["DEFAULT", "EncoderOptions", "checked"]


@dataclass(frozen=True)
class EncoderOptions:
    """How an encoder is trained."""

    batch: int = 32
    """Pairs of a step: the texts of the others, and all negatives, are each one's negatives. The memory does not grow with it."""
    tokens: int = 128
    """Of a text, at most, while training."""
    layers: int = 2
    """The last layers, which alone are trained; 0 for all weights. In the same time two take more than twice as many steps."""
    negatives: bool = True
    """Whether a pair has a hard negative beside the texts of the others."""
    rate: float = 5e-5
    warmup: float = 0.1
    """The share of the steps in which the rate rises; then it falls to nothing."""
    scale: float = 20.0
    """Cosines are multiplied by it."""
    epochs: int = 3
    """Times, at most, that a pair is trained on."""
    widths: Sequence[int] = ()
    """First dimensions by which vectors are to be as good as they can, too, when they are cut (Matryoshka)."""
    codes: bool = False
    """Whether codes of one bit a dimension are to be, of whole and of cut vectors."""
    typos: float = 0.0
    """The share of queries that are mistyped."""
    paraphrases: float = 0.0
    """The share of queries that are put in other words, by rules for English."""
    easy_first: bool = False
    """Whether pairs come first whose queries share most words with their answers."""
    pretraining: PretrainOptions = field(default_factory=PretrainOptions)
    """What comes before: nothing, unless it has a share of the minutes."""
    seed: int = 0


DEFAULT = EncoderOptions()


def checked(options: EncoderOptions, sources: Sequence[str]) -> None:
    """Raise `UsageError` for options that mean nothing."""
    if options.batch < 2:
        raise UsageError(f"a batch has at least 2 pairs, which are set against each other, not {options.batch}")
    if not 0 <= options.typos <= 1:
        raise UsageError(f"typos is the share of queries that are mistyped, from 0 to 1, not {options.typos!r}")
    if not 0 <= options.paraphrases <= 1:
        raise UsageError(f"paraphrases is the share of queries in other words, from 0 to 1, not {options.paraphrases!r}")
    if not sources:
        raise UsageError("name a source of pairs, such as titles")
