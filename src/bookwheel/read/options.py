"""The options of a question: one frozen object, and the keywords of `Library.ask` made of its fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

from .._errors import UsageError
from .._numbers import real, whole
from ..rank.recipe import Recipe
from .methods import METHODS

__all__ = ["AskOptions", "checked_context"]


_ASKED = ("generate", "stream", "entails")
"""What a model has one of."""


@dataclass(frozen=True, slots=True)
class AskOptions:
    """How to answer. Raises `UsageError` for values that make no sense."""

    model: Any = None
    """A language model's name (see `bookwheel.language.language_model`) or a `Generator`; None: the quoting answer."""
    _: KW_ONLY
    method: str | None = None
    """A reading method by name; the default one where None."""
    passages: int = 8
    """How many passages are read."""
    sentences: int = 2
    """The most sentences of a quoting answer."""
    recipe: str | Recipe | None = None
    """How to rank; the library's own recipe where None."""
    where: str | None = None
    """A filter by metadata: ``year >= 2020``."""
    inside: tuple[str, ...] = ()
    """Folders and files: only what is in one of them is read. Whole paths, or their last parts."""
    threshold: float | None = None
    """Refuse where the probability that the evidence answers is smaller; the fitted default where None; 0 never refuses."""
    unsupported: Literal["omit", "mark"] = "omit"
    """What becomes of a model's sentences that the documents do not support."""
    hidden: bool = False
    """Whether text that a reader of the document does not see may be quoted."""
    seconds: float | None = None
    """Time for the model; what is there by then is shown."""
    context: int | None = None
    """Tokens of prompt and answer that the model takes; None: what the model or its server says."""
    calls: int = 8
    """The most times that the model is asked."""
    verifier: Any = None
    """A second model: for `method` ``speculative`` a larger one that chooses among the drafts of the first; for ``entailed`` one that
    says what follows from a passage, which may be the folder of a cross-encoder for entailment."""
    difficulty: Any = None
    """For `method` ``adaptive``: a trained `read.difficulty.Difficulty`, or its file; the refusal's estimate where None."""
    history: tuple[str, ...] = ()
    """Earlier questions of the conversation, oldest first."""
    limits: bool = True
    """Whether limits that are written in the question ("only in /reports", "year >= 2020") are taken as such."""
    whole: bool = True
    """Whether a question about the whole collection ("all reports that mention X") is answered by a scan of all documents."""

    def __post_init__(self) -> None:
        for name, low, high in (("passages", 1, 1000), ("sentences", 1, 100), ("calls", 1, 10_000)):
            value = whole(getattr(self, name), name)
            object.__setattr__(self, name, value)
            if not low <= value <= high:
                raise UsageError(f"{name} must be a whole number between {low} and {high:,}, not {value!r}")
        if self.context is not None:
            object.__setattr__(self, "context", checked_context(self.context))
        for name in ("threshold", "seconds"):
            if (given := getattr(self, name)) is not None:
                object.__setattr__(self, name, real(given, name))
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UsageError(f"threshold must be between 0 and 1, not {self.threshold!r}")
        if self.seconds is not None and not self.seconds >= 0:
            raise UsageError(f"seconds must be a number from 0 up, not {self.seconds!r}")
        if self.method is not None and self.method not in METHODS:
            raise UsageError(f"there is no reading method {self.method!r:.80}; the methods are {', '.join(METHODS)}")
        if self.method is not None and self.model is None:
            raise UsageError(f"the reading method {self.method!r} needs a language model; name one with --model (model=)")
        for name in ("model", "verifier"):
            value = getattr(self, name)
            if value is not None and not (
                value.strip() if isinstance(value, str) else any(hasattr(value, one) for one in _ASKED)
            ):
                raise UsageError(f"{name} must be the name of a language model, or one that is loaded, not {value!r:.80}")
        if self.unsupported not in ("omit", "mark"):
            raise UsageError(f"unsupported must be 'omit' or 'mark', not {self.unsupported!r}")
        for name in ("history", "inside"):
            given = getattr(self, name)
            several = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Iterable) else (given,)
            if wrong := [one for one in several if not isinstance(one, str)]:
                raise UsageError(f"{name} must be strings, not {wrong[0]!r:.80}")
            object.__setattr__(self, name, several)


def checked_context(value: int) -> int:
    """A number of tokens for a model's prompt and answer; raises `UsageError`."""
    if not 256 <= (tokens := whole(value, "context")) <= 1 << 24:
        raise UsageError(f"context must be a whole number between 256 and {1 << 24:,}, not {value!r}")
    return tokens
