"""Judges that are models: a score or a grade for every passage of a query.

Each is one class and one line of `METHODS`. A judge that reads meaning as a recipe does (`similarity`) prefers that recipe's
documents; see `comparison.Bias`, and docs/judging.md for what each is worth.

Where a model gives probabilities, a score is the expected grade (`Graded`): Huang and Chen, "InstUPR : Instruction-based Unsupervised
Passage Reranking with Large Language Models" (2024). In part: for judging rather than for a recipe, and not by pairs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..._errors import ModelError, UsageError
from ...encode.cross import CrossEncoder
from ...encode.load import load_encoder
from ...encode.protocols import encode_queries
from ...language import language_model
from ...language.prompts import load_prompt
from ...language.protocols import Generator, Scorer
from ...language.registry import model_kind, writer
from ...rank.stages.rerank.likelihood import QueryLikelihood
from ...read.hostile import Fence, bare
from .grades import HIGHEST
from .prompt_choice import PROMPTS, PromptChoice, choose

__all__ = [
    "METHODS",
    "Cross",
    "Gain",
    "Graded",
    "ModelJudge",
    "Similarity",
    "Verdict",
    "Yes",
    "fenced",
    "open_judge",
    "read_grade",
    "require_way",
]

WORDS = 160
"""Words of a passage that a language model reads."""
_GRADE = re.compile(rf"(?<![\w.,/-])([0-{HIGHEST}])(?![\w/-]|[.,]\d)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge says of one passage: a score, or a grade; neither where its answer was nonsense."""

    score: float | None = None
    grade: int | None = None


class ModelJudge(Protocol):
    """A judge of passages."""

    name: str

    def judge(self, query: str, texts: Sequence[str]) -> list[Verdict]:
        """A verdict on each text. Raises `ModelError`."""


class Gain:
    """The share of what there is to learn of the query that the passage tells: likelihood gain.

    The log-probability of the query's words after the passage, less that after no passage, word by word where it gains, over all
    that the query has (its self-information). Query likelihood: Sachan et al., UPR (EMNLP 2022); the gain over the query alone
    as of pointwise mutual information. From 0 to 1. Raises `ModelError` for a model that gives no probabilities.
    """

    def __init__(self, model: Any) -> None:
        self.name = f"gain {model.name}"
        self._model = model
        self._likelihood = QueryLikelihood(model)
        before, between, _ = load_prompt("likelihood").around("passage", "query")
        self._without = before + between

    def judge(self, query: str, texts: Sequence[str]) -> list[Verdict]:
        """See `ModelJudge`."""
        query = " ".join(bare(query).split())
        (alone,) = self._model.log_likelihoods([self._without], [query])
        if alone is None or not len(alone):
            return [Verdict() for _ in texts]
        whole = -float(np.sum(alone))
        found = []
        for values in self._likelihood.tokens(query, [_cut(bare(text)) for text in texts]):
            if values is None or len(values) != len(alone) or whole <= 0 or not np.isfinite(values).all():
                found.append(Verdict())
            else:
                found.append(Verdict(score=min(1.0, float(np.maximum(values - alone, 0).sum()) / whole)))
        return found


class Yes:
    """The probability of "Yes" when asked whether the passage is relevant: the naive judge, with which to compare."""

    def __init__(self, model: Any) -> None:
        if not isinstance(model, Scorer):
            raise ModelError(f"{model.name!r} gives no probabilities, which judging by 'yes' needs; use a local model")
        self.name = f"yes {model.name}"
        self._model = model

    def judge(self, query: str, texts: Sequence[str]) -> list[Verdict]:
        """See `ModelJudge`."""
        contexts = [
            f"Passage: {_cut(bare(text))}\n\nQuery: {bare(query)}\n\nIs the passage relevant to the query? Answer Yes or No.\nAnswer:"
            for text in texts
        ]
        values = self._model.log_likelihoods(contexts, [" Yes"] * len(contexts))
        return [Verdict() if one is None else Verdict(score=float(np.sum(one))) for one in values]


class Graded:
    """A grade from 0 to 3 that a model is asked for (Upadhyay et al., "UMBRELA", 2024; the prompt is ours).

    A model that only writes is read: its answer must have one grade, else it is nonsense, and counted. Of one that gives
    probabilities, those of the four digits are taken, divided by what they are on average (``choice``: see `prompt_choice`), so
    that a model which likes a digit does not give it to everything; nonsense is where the digits are improbable together.
    """

    def __init__(self, model: Any, prompt: str = "", *, probabilities: bool | None = None) -> None:
        self.name = f"graded {model.name}"
        self._model = model
        self.probabilities = isinstance(model, Scorer) if probabilities is None else probabilities
        if not self.probabilities and not isinstance(model, Generator):
            raise ModelError(f"{model.name!r} writes no answers; use another model")
        self.choice: PromptChoice | None = None
        self._prompt = load_prompt(prompt or PROMPTS[0])

    def choose(self, samples: Sequence[tuple[str, str]]) -> PromptChoice:
        """Choose the prompt by mutual information on ``samples`` of query and text, without labels."""
        self.choice = choose(self.distributions, samples)
        self._prompt = load_prompt(self.choice.prompt)
        return self.choice

    def distributions(self, prompt: str, query: str, texts: Sequence[str]) -> list[list[float] | None]:
        """The probabilities of the grades for each text; None for nonsense. Of a model that only writes, 0 and 1."""
        loaded = load_prompt(prompt)
        filled = [fenced(loaded, query, text) for text in texts]
        system = loaded.settings.get("system", "")
        if not self.probabilities:
            answers = self._model.generate(filled, system=system, max_tokens=loaded.number("max_tokens", 8))
            grades = [read_grade(answer) for answer in answers]
            return [None if grade is None else [float(n == grade) for n in range(HIGHEST + 1)] for grade in grades]
        found: list[list[float] | None] = []
        for text in filled:
            context = f"{system}\n\n{text}"
            logs = self._model.log_likelihoods([context] * (HIGHEST + 1), [f" {n}" for n in range(HIGHEST + 1)])
            values = [None if one is None else float(np.sum(one)) for one in logs]
            if any(one is None or not math.isfinite(one) for one in values):
                found.append(None)
                continue
            chances = np.exp(np.array(values, np.float64))
            found.append((chances / chances.sum()).tolist() if chances.sum() > LEAST else None)
        return found

    def judge(self, query: str, texts: Sequence[str]) -> list[Verdict]:
        """See `ModelJudge`."""
        found = []
        for chances in self.distributions(self._prompt.name, query, texts):
            if chances is None:
                found.append(Verdict())
                continue
            values = np.array(chances)
            if self.probabilities and self.choice is not None:
                values = values / np.maximum(self.choice.marginal, 1e-9)
                values = values / values.sum()
            expected = float(values @ np.arange(HIGHEST + 1))
            found.append(Verdict(score=expected, grade=int(values.argmax())))
        return found


LEAST = 0.05
"""The least probability of the four digits together for an answer to be one."""


class Similarity:
    """The cosine of query and passage by an encoder. Cheap; and it prefers whatever was ranked by a like encoder."""

    def __init__(self, encoder: Any, name: str) -> None:
        self.name = f"similarity {name}"
        self._encoder = encoder

    def judge(self, query: str, texts: Sequence[str]) -> list[Verdict]:
        """See `ModelJudge`."""
        if not texts:
            return []
        asked = encode_queries(self._encoder, [query])[0]
        return [Verdict(score=float(value)) for value in self._encoder.encode(list(texts)) @ asked]


class Cross:
    """The score of a cross-encoder that was trained for relevance."""

    def __init__(self, encoder: CrossEncoder) -> None:
        self.name = f"cross {encoder.name}"
        self._encoder = encoder

    def judge(self, query: str, texts: Sequence[str]) -> list[Verdict]:
        """See `ModelJudge`."""
        return [Verdict(score=one) for one in self._encoder.score(query, texts)]


def _scorer(name: str) -> Any:
    """A language model that gives probabilities: by torch where that is installed, which reads faster, else by llama.cpp."""
    try:
        return language_model(name)
    except ModelError:
        if model_kind(name) == "remote":
            raise
        return writer(name)


METHODS: Mapping[str, Callable[[str], Any]] = {
    "gain": lambda name: Gain(_scorer(name)),
    "graded": lambda name: Graded(_scorer(name), probabilities=model_kind(name) != "remote"),
    "yes": lambda name: Yes(_scorer(name)),
    "similarity": lambda name: Similarity(load_encoder(name), name),
    "cross": lambda name: Cross(CrossEncoder(name)),
}
"""By name, from a model's name to a judge."""


def open_judge(by: str, model: str) -> ModelJudge:
    """The judge ``by`` with ``model``; where ``by`` is empty, `graded` for a server, `gain` for a model of this machine.

    Raises `UsageError`, `ModelError`.
    """
    if not by:
        by = "graded" if model.startswith(("http://", "https://")) else "gain"
    require_way(by)
    judge: ModelJudge = METHODS[by](model)
    return judge


def require_way(by: str) -> None:
    """Raises `UsageError` where no model judges ``by``."""
    if by not in METHODS:
        raise UsageError(f"a model judges by {', '.join(METHODS)}, not by {by!r:.40}")


def read_grade(answer: str) -> int | None:
    """The grade in a model's answer; None for nonsense: no digit from 0 to 3 that stands alone, or two different ones."""
    found = set(_GRADE.findall(answer[:400]))
    return int(found.pop()) if len(found) == 1 else None


def fenced(prompt: Any, query: str, text: str) -> str:
    """The prompt filled in, with the passage between marks that it cannot contain."""
    held = _cut(bare(text))
    secret = Fence([text, query]).secret
    passage = f"=== {secret} passage ===\n{held}\n=== {secret} end of passage ==="
    filled: str = prompt.fill(passage=passage, secret=secret, query=" ".join(bare(query).split()))
    return filled


def _cut(text: str) -> str:
    words = text.split()
    return text if len(words) <= WORDS else " ".join(words[:WORDS])
