"""Whether one text follows from another, for the measures of answers: by its words, or by a model (`bookwheel.language.entailment`)."""

from __future__ import annotations

from collections.abc import Sequence

from ...analysis.stop_words import stop_words
from ...language.entailment import CrossEntailment, Entailment, WrittenEntailment, entailment_model
from .text import words

__all__ = ["CrossEntailment", "Entailment", "Words", "WrittenEntailment", "entailment"]


class Words:
    """Every word of the hypothesis that is no function word, every number and name, stands in the premise.

    A string match: it takes no model, knows no paraphrase, and is blind to order and negation.
    """

    name = "words"

    def entails(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        """See `Entailment`."""
        return [bool(there := _content(hypothesis)) and there <= set(words(premise)) for premise, hypothesis in pairs]


def entailment(name: str) -> Entailment:
    """What ``name`` means: ``words``, the folder of a cross-encoder, or a language model. Raises `ModelError`."""
    return Words() if name == Words.name else entailment_model(name)


def _content(text: str) -> set[str]:
    every = set(words(text))
    return (every - stop_words("english")) or every
