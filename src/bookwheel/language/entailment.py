"""Whether one text follows from another: by a cross-encoder for entailment, or by a language model that is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .._errors import ModelError

if TYPE_CHECKING:
    from ..encode.cross import CrossEncoder

__all__ = ["CrossEntailment", "Entailment", "WrittenEntailment", "entailment_model", "is_entailment_model"]


class Entailment(Protocol):
    """Says of pairs whether the hypothesis follows from the premise."""

    @property
    def name(self) -> str:
        """What it is called in results."""

    def entails(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        """For each premise and hypothesis, whether it follows."""


class CrossEntailment:
    """A cross-encoder with an output for entailment, in the folder ``path``: its probability is 1/2 or more.

    The premise comes first, as in the models for natural language inference; a pair that is too long loses words of the longer text.
    Raises `ModelError`.
    """

    def __init__(self, path: str | Path) -> None:
        from ..encode.cross import CrossEncoder

        self._model: CrossEncoder = CrossEncoder(path, long="first")
        self.name = Path(path).name
        if self._model.labels == 1:
            raise ModelError(f"the model in {path} has one output; entailment needs one whose labels name 'entailment'")

    def entails(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        """See `Entailment`."""
        return [score >= 0 for score in self._model.pair_scores(pairs)]


class WrittenEntailment:
    """A language model that is asked, and answers Yes or No. Small ones are not to be trusted with it: measure yours first."""

    def __init__(self, model: str | Any) -> None:
        self._given = model
        self.name = model if isinstance(model, str) else str(model.name)

    @cached_property
    def _model(self) -> Any:
        from .registry import writer

        return writer(self._given) if isinstance(self._given, str) else self._given

    def entails(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        """See `Entailment`."""
        from .prompts import load_prompt

        prompt = load_prompt("entails")
        answers = self._model.generate(
            [prompt.fill(premise=premise, hypothesis=hypothesis) for premise, hypothesis in pairs],
            system=prompt.settings.get("system", ""),
            max_tokens=prompt.number("max_tokens", 4),
        )
        return [re.match(r"\W*yes\b", answer, re.IGNORECASE) is not None for answer in answers]


def entailment_model(name: str) -> Entailment:
    """The folder of a cross-encoder, or a language model. Raises `ModelError`."""
    if is_entailment_model(name):
        return CrossEntailment(Path(name).expanduser())
    from .registry import model_kind

    model_kind(name)
    return WrittenEntailment(name)


def is_entailment_model(name: str) -> bool:
    """Whether ``name`` is a folder whose config names labels for entailment, as that of a model that writes does not."""
    folder = Path(name).expanduser()
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    labels = config.get("id2label") if isinstance(config, dict) else None
    return isinstance(labels, dict) and "entailment" in {str(label).lower() for label in labels.values()}
