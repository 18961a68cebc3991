"""What a language model is to the stages that use one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError

__all__ = ["Generator", "LanguageModel", "Scorer", "remaining", "stopped"]


@runtime_checkable
class Generator(Protocol):
    """A model that answers prompts."""

    @property
    def name(self) -> str:
        """What a person calls it; answers are cached under it."""

    def generate(
        self,
        prompts: Sequence[str],
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
    ) -> list[str]:
        """One answer a prompt, each a turn of a conversation of its own, decoded greedily
        (temperature 0).

        An answer ends before the first of ``stop``, after ``max_tokens`` tokens, or where the model
        ends it. ``deadline`` is a time of ``time.monotonic()``. Raises `ModelError` where the model
        cannot answer, or not all prompts by then.
        """

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in tokens; a remote model's is estimated (a token for 3 bytes of
        UTF-8, rounded up).
        """

    def close(self) -> None:
        """Free what it holds. Using it afterwards raises `ModelError`."""


@runtime_checkable
class Scorer(Protocol):
    """A model that tells how probable a text is."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    def log_likelihoods(
        self, contexts: Sequence[str], continuations: Sequence[str], *, deadline: float | None = None
    ) -> list[NDArray[np.float32] | None]:
        """Of each continuation, given its context: the natural logarithms of its tokens'
        probabilities, float32 (tokens,).

        Contexts are raw text (no chat template is applied; special tokens may be spelled out). None
        for a pair that could not be done by ``deadline`` (a time of ``time.monotonic()``); those
        asked for first are done first. Raises `ModelError`.
        """


@runtime_checkable
class LanguageModel(Generator, Scorer, Protocol):
    """Both."""


def remaining(deadline: float | None) -> float:
    """Seconds until ``deadline``, a time of ``time.monotonic()``; infinite for None."""
    return float("inf") if deadline is None else deadline - time.monotonic()


def stopped(text: str, stop: Sequence[str]) -> str:
    """``text`` up to the first of ``stop``."""
    for mark in stop:
        if not mark:
            raise ModelError("`stop` must not contain an empty string")
        text = text.split(mark, 1)[0]
    return text
