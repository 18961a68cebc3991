"""Answers that are drawn: laws of the draw itself, and of a model that draws."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from language_tiny import tiny_language_model
from numpy.typing import NDArray

from bookwheel._errors import ModelError, UsageError
from bookwheel.language.protocols import Sampler
from bookwheel.language.sampling import sampled

LOGITS = np.log(np.array([0.5, 0.05, 0.3, 0.15], np.float32))
"""The chances of four tokens; the second one is left out of the best three."""


def draw(count: int, top: int = 3, *, most: int = 1, seed: int = 0) -> list[str]:
    def step(last: Sequence[int] | None) -> NDArray[np.float32]:
        return np.tile(LOGITS, (count, 1))

    return sampled(step, lambda tokens: "".join(map(str, tokens)), lambda token: False, count, most=most, top=top, seed=seed)


def test_tokens_are_drawn_by_their_probabilities_among_the_best() -> None:
    counts = Counter(draw(20_000))
    assert set(counts) == {"0", "2", "3"}
    for token, chance in {"0": 0.5, "2": 0.3, "3": 0.15}.items():
        wanted = 20_000 * chance / 0.95
        assert abs(counts[token] - wanted) < 5 * wanted**0.5


def test_one_token_to_draw_from_is_the_greedy_answer() -> None:
    model = tiny_language_model()
    (greedy,) = model.generate(["What are wheels?"], max_tokens=12)
    assert set(model.sample("What are wheels?", 3, max_tokens=12, top=1)) == {greedy.rstrip("\ufffd").strip()}


def test_draws_follow_the_seed_and_not_how_many_there_are() -> None:
    model = tiny_language_model()
    assert isinstance(model, Sampler)
    many = model.sample("wheels", 6, max_tokens=10, top=50, seed=3)
    assert len(set(many)) > 1
    assert model.sample("wheels", 6, max_tokens=10, top=50, seed=3) == many
    assert model.sample("wheels", 2, max_tokens=10, top=50, seed=3) == many[:2]
    assert model.sample("wheels", 6, max_tokens=10, top=50, seed=4) != many


def test_each_answer_is_drawn_from_what_the_model_says_of_it() -> None:
    """Answers that are decoded side by side do not see each other: each is drawn as if it were alone."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    model = tiny_language_model()
    ids = model._chat("", "wheels")
    draws = [np.random.default_rng([5, row]) for row in range(3)]
    wanted = []
    for number in draws:
        answer: list[int] = []
        for _ in range(6):
            logits = model._model(torch.tensor([[*ids, *answer]])).logits[0, -1].detach().numpy()
            best = np.argsort(-logits, kind="stable")[:4]
            shares = np.exp(logits[best].astype(np.float64) - logits[best[0]])
            at = int(np.searchsorted(list(itertools.accumulate(shares)), number.random() * shares.sum(), side="right"))
            if int(best[at]) in model._ends():
                break
            answer.append(int(best[at]))
        wanted.append(model._text(answer).rstrip("\ufffd").strip())
    assert model.sample("wheels", 3, max_tokens=6, top=4, seed=5) == wanted


def test_an_answer_ends_where_the_model_ends_it() -> None:
    def step(last: Sequence[int] | None) -> NDArray[np.float32]:
        return np.tile(LOGITS, (50, 1))

    found = sampled(step, lambda tokens: "".join(map(str, tokens)), lambda token: token == 0, 50, most=9, top=4)
    assert all("0" not in answer and len(answer) <= 9 for answer in found)
    assert {len(answer) for answer in found} > {0, 1}


@pytest.mark.parametrize(("count", "top"), [(0, 5), (2, 0), (-1, 1)])
def test_numbers_out_of_range_are_a_sentence(count: int, top: int) -> None:
    with pytest.raises(UsageError, match="one or more"):
        tiny_language_model().sample("wheels", count, top=top)


def test_a_prompt_that_is_too_long_is_a_sentence() -> None:
    with pytest.raises(ModelError, match="exceed the context"):
        tiny_language_model(max_position_embeddings=64).sample("wheels " * 20, 2)
