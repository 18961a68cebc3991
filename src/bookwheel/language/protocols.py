"""The protocols of language models: what the stages that use one expect of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError

__all__ = [
    "Copier",
    "Ensemble",
    "Generator",
    "LanguageModel",
    "OneByOne",
    "Reply",
    "Sampler",
    "Scorer",
    "Streamer",
    "remaining",
    "stopped",
]


@runtime_checkable
class Generator(Protocol):
    """A model that answers prompts."""

    @property
    def name(self) -> str:
        """The name by which it was asked for; answers are cached under it."""

    def generate(
        self,
        prompts: Sequence[str],
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
    ) -> list[str]:
        """One answer per prompt, each in a conversation of its own, decoded greedily (temperature
        0).

        An answer ends before the first of ``stop``, after ``max_tokens`` tokens, or where the model
        ends it. ``deadline`` is a time of ``time.monotonic()``. Raises `ModelError` if the model
        cannot answer, or not all prompts by the deadline.
        """

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The length of each text in tokens.

        A remote model estimates it: one token per 3 bytes of UTF-8, rounded up.
        """

    def close(self) -> None:
        """Free its memory and connections. Using it afterwards raises `ModelError`."""


@runtime_checkable
class Scorer(Protocol):
    """A model that gives the probability of a text."""

    @property
    def name(self) -> str:
        """The name by which it was asked for."""

    def log_likelihoods(
        self, contexts: Sequence[str], continuations: Sequence[str], *, deadline: float | None = None
    ) -> list[NDArray[np.float32] | None]:
        """The log-probabilities of the tokens of each continuation after its context.

        Natural logarithms, float32 (tokens,) each. Contexts are raw text: no chat template is
        applied, and special tokens that are written out are recognised. A pair that was not done by
        ``deadline`` (a time of ``time.monotonic()``) has None; pairs are done in order. Raises
        `ModelError`.
        """


@dataclass
class Reply:
    """What is known of an answer that is being streamed; the model fills it in."""

    prompt_tokens: int = 0
    """As counted by the model or its server; 0 where it does not tell."""
    completion_tokens: int = 0
    finish: str = ""
    """``stop`` where the model ended it, ``length`` where ``max_tokens`` did; empty while it is written or cut short."""
    notes: list[str] = field(default_factory=list)
    """What went otherwise than asked, in words for people."""
    probabilities: bool = False
    """Set by who asks: whether `tokens` is wanted."""
    tokens: list[tuple[str, float]] = field(default_factory=list)
    """The text of each token and the natural logarithm of its probability; empty where the model does not tell."""


@runtime_checkable
class Streamer(Protocol):
    """A model that answers a prompt piece by piece."""

    @property
    def name(self) -> str:
        """The name by which it was asked for."""

    def stream(
        self,
        prompt: str,
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
        reply: Reply | None = None,
    ) -> Iterator[str]:
        """The answer to ``prompt`` in pieces, as `Generator.generate` gives it as a whole.

        At ``deadline`` it ends where it is. ``reply`` is filled in. Raises `ModelError`, also after some pieces, where the model
        cannot go on. Closing the iterator ends the request.
        """


@runtime_checkable
class Sampler(Protocol):
    """A model that gives several different answers to a prompt."""

    @property
    def name(self) -> str:
        """The name by which it was asked for."""

    def sample(
        self,
        prompt: str,
        count: int,
        *,
        system: str = "",
        max_tokens: int = 128,
        top: int = 10,
        seed: int = 0,
        deadline: float | None = None,
    ) -> list[str]:
        """``count`` answers to ``prompt``, each token drawn from the ``top`` most probable ones: see `sampling.sampled`.

        They are the same for the same ``seed``. Raises `ModelError`, and `UsageError` for a ``count`` or a ``top`` below 1.
        """


@runtime_checkable
class Copier(Protocol):
    """A model whose answers can copy from a text of the prompt."""

    @property
    def name(self) -> str:
        """The name by which it was asked for."""

    def copying(
        self,
        prompt: str,
        source: str,
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
        reply: Reply | None = None,
    ) -> Iterator[str]:
        """As `Streamer.stream`; each next token is the model's own or one of ``source``, a part of ``prompt``: see `copying`.

        Raises `ModelError`, also where the source is not part of the prompt word for word.
        """

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Generator.count_tokens`."""


@runtime_checkable
class Ensemble(Protocol):
    """A model that answers several prompts with one text."""

    def ensemble(
        self,
        prompts: Sequence[str],
        weights: Sequence[float],
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
        reply: Reply | None = None,
    ) -> Iterator[str]:
        """As `Streamer.stream`; each next token is the one that is most probable on average over ``prompts``, by ``weights``.

        Source: Shi et al., REPLUG, 2024. Raises `ModelError`, also where the prompts together are too long.
        """


class OneByOne:
    """`Generator.generate` of a model of this process, which has `Streamer.stream` and answers one prompt after another."""

    name: str

    def stream(
        self,
        prompt: str,
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
        reply: Reply | None = None,
    ) -> Iterator[str]:
        """See `Streamer.stream`."""
        raise NotImplementedError

    def generate(
        self,
        prompts: Sequence[str],
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
    ) -> list[str]:
        """See `Generator.generate`. At the deadline the current answer ends where it is; if prompts are left, `ModelError`."""
        answers = []
        for number, prompt in enumerate(prompts):
            if remaining(deadline) <= 0:
                raise ModelError(
                    f"the language model {self.name!r} answered {number} of {len(prompts)} prompts within the time limit; "
                    "allow more time"
                )
            answers.append("".join(self.stream(prompt, system=system, max_tokens=max_tokens, stop=stop, deadline=deadline)))
        return answers


@runtime_checkable
class LanguageModel(Generator, Scorer, Protocol):
    """A model that answers prompts and gives probabilities."""


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
