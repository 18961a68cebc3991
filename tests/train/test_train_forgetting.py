"""General questions: what a trained model has forgotten of other subjects, and when it is told as a warning."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from bookwheel.encode import load_encoder
from bookwheel.encode.static.built_in import StaticEncoder
from bookwheel.train.forgetting import LARGE, forgetting, general_questions, warning
from bookwheel.train.safety import Change


@dataclass
class Damaged:
    """An encoder some of whose vectors are noise."""

    inner: StaticEncoder
    share: float
    draw: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def encode(self, texts: list[str]) -> np.ndarray:
        vectors = self.inner.encode(texts)
        noise = self.draw.standard_normal(vectors.shape).astype(np.float32)
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        return np.where(self.draw.random((len(texts), 1)) < self.share, noise, vectors)


@pytest.fixture(scope="module")
def encoder() -> StaticEncoder:
    return load_encoder()


def test_a_model_that_did_not_change_has_forgotten_nothing(encoder: StaticEncoder) -> None:
    change = forgetting(encoder, encoder)
    assert change.difference == 0
    assert change.p == 1
    assert change.before > 0.5
    assert change.queries == len(general_questions())
    assert warning(change) == ""
    assert str(change).startswith("general questions: nDCG@10 0.")


def test_what_destroys_vectors_is_seen(encoder: StaticEncoder) -> None:
    half, all_of_it = (forgetting(encoder, Damaged(encoder, share)) for share in (0.5, 1.0))
    assert half.before > half.after > all_of_it.after
    assert half.worse
    assert all_of_it.after < 0.1
    assert "forgotten much" in warning(half)


@pytest.mark.parametrize(
    ("loss", "p", "warned"),
    [(LARGE + 0.01, 0.01, True), (LARGE - 0.01, 0.01, False), (LARGE + 0.01, 0.2, False), (-0.1, 0.01, False)],
)
def test_a_loss_is_warned_of_where_it_is_large_and_significant(loss: float, p: float, warned: bool) -> None:
    change = Change("general questions", 162, 0.8, 0.8 - loss, -0.1, 0.1, p)
    assert bool(warning(change)) is warned
    assert warning(None) == ""
    assert warning(replace(change, after=change.before)) == ""


def test_questions_and_answers_are_no_riddles_of_the_same_words() -> None:
    pairs = general_questions()
    questions, answers = zip(*pairs, strict=True)
    assert len(set(questions)) == len(set(answers)) == len(pairs) >= 150
    assert all(question.endswith("?") and answer.endswith(".") for question, answer in pairs)
    # Counting common words of five letters and more finds few of the answers: meaning has to do it.
    found = 0
    for number, question in enumerate(questions):
        asked = {word for word in question.casefold().strip("?").split() if len(word) > 4}
        shared = [len(asked & set(answer.casefold().replace(",", "").strip(".").split())) for answer in answers]
        found += shared[number] == max(shared) and shared.count(max(shared)) == 1
    assert found < len(pairs) / 3
