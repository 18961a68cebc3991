"""Answers that copy from a source: laws of the mixture, and a model's step against transformers' own attention and states."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from language_tiny import saved, tiny_language_model, tiny_tokenizer
from numpy.typing import NDArray

import bookwheel
from bookwheel._errors import ModelError
from bookwheel.cli.main import main
from bookwheel.language import close_models, copying, problem
from bookwheel.language.copying import (
    CopyingFrom,
    copy_probability,
    divergence,
    high_layers,
    mixture,
    pointed,
    source_tokens,
)
from bookwheel.language.protocols import Copier, Generator, Reply
from bookwheel.train.data.sources import source_of
from bookwheel.tune.made.copied import Copied

SIZE = 7


@st.composite
def distributions(draw: st.DrawFn, rows: int) -> NDArray[np.float64]:
    """Rows of shares of `SIZE` tokens; some are 0."""
    found = [
        draw(st.lists(st.sampled_from([0.0, 1e-9, 0.2, 1.0, 5.0]), min_size=SIZE, max_size=SIZE).filter(any))
        for _ in range(rows)
    ]
    whole = np.asarray(found, np.float64)
    return whole / whole.sum(1, keepdims=True)


SOURCES = st.lists(st.tuples(st.integers(0, SIZE - 1), st.sampled_from([0.0, 1e-6, 0.1, 0.7])), max_size=9)


# -- laws ----------------------------------------------------------------------------------------------------------------


@given(distributions(3), SOURCES)
def test_the_mixture_is_a_distribution_that_gives_more_to_the_source_only(
    rows: NDArray[np.float64], source: list[tuple[int, float]]
) -> None:
    own, high = rows[0], rows[1:]
    pointer = pointed(np.array([weight for _, weight in source]), [token for token, _ in source], SIZE)
    copied = copy_probability(own, high)
    mixed = mixture(own, pointer, copied)
    assert 0 <= copied <= copying.MOST
    assert (mixed >= 0).all()
    assert mixed.sum() == pytest.approx(1)
    outside = [token for token in range(SIZE) if token not in {token for token, _ in source}]
    assert not pointer[outside].any()
    assert (mixed[outside] <= own[outside]).all()
    if pointer.any():
        assert pointer.sum() == pytest.approx(1)
        assert mixed == pytest.approx((1 - copied) * own + copied * pointer)
    else:
        assert (mixed == own).all()
    assert (mixture(own, pointer, 0.0) == own).all()


@given(distributions(2))
def test_the_divergence_is_that_of_jensen_and_shannon(rows: NDArray[np.float64]) -> None:
    """By entropies: that of the middle less the mean of both."""

    def entropy(one: NDArray[np.float64]) -> float:
        return float(-sum(share * np.log2(share) for share in one if share > 0))

    first, second = rows
    wanted = entropy((first + second) / 2) - (entropy(first) + entropy(second)) / 2
    assert float(divergence(first, second)) == pytest.approx(wanted, abs=1e-9)
    assert float(divergence(second, first)) == pytest.approx(wanted, abs=1e-9)


@given(distributions(1))
def test_layers_that_agree_copy_nothing(rows: NDArray[np.float64]) -> None:
    assert copy_probability(rows[0], np.repeat(rows, 3, 0)) == pytest.approx(0, abs=1e-12)
    assert copy_probability(rows[0], rows[:0]) == 0


def test_layers_that_share_nothing_copy_half() -> None:
    last = np.array([1.0, 0.0, 0.0])
    assert float(divergence(last, np.array([0.0, 1.0, 0.0]))) == 1
    assert copy_probability(last, np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])) == copying.MOST


def test_a_token_that_is_in_the_source_again_gets_the_sum() -> None:
    assert pointed(np.array([0.1, 0.2, 0.1]), [4, 2, 4], 6).tolist() == pytest.approx([0, 0, 0.5, 0, 0.5, 0])
    assert not pointed(np.zeros(2), [1, 2], 4).any()


def test_high_layers_are_below_the_last() -> None:
    assert high_layers(32) == [26, 28, 30]
    assert high_layers(30) == [24, 26, 28]
    assert high_layers(2) == [1]
    assert high_layers(1) == []
    for layers in range(2, 100):
        assert high_layers(layers)
        assert all(1 <= layer < layers for layer in high_layers(layers))


# -- where the source is -------------------------------------------------------------------------------------------------


def test_the_tokens_of_the_source_are_found_in_the_last_place_of_it() -> None:
    tokenizer = tiny_tokenizer()
    text = "<a>user: wheel, or: wheel? wheel<b>"
    ids, places = source_tokens(tokenizer, text, "wheel, or: wheel? ", " wheel? ")
    assert tokenizer.decode([ids[at] for at in places]) == "wheel?"
    start = len(tokenizer("<a>user: wheel, or: ", add_special_tokens=False)["input_ids"])
    assert places == list(range(start, start + 6))
    _, some = source_tokens(tokenizer, "<a>é<end>x é", "é<end>x é", "é<end>x")
    assert len(some) == 3  # the two bytes of é and x; what is written as a special token is not the source's


@pytest.mark.parametrize("source", ["rims", "", "  ", "What are wheels? And"])
def test_a_source_that_is_not_in_the_prompt_is_a_sentence(source: str) -> None:
    with pytest.raises(ModelError, match=r"not part of the prompt; give a text of it, word for word$"):
        next(tiny_language_model().copying("What are wheels?", source))


def test_a_tokenizer_without_places_is_a_sentence() -> None:
    def slow(*_: Any, **__: Any) -> None:
        raise NotImplementedError

    with pytest.raises(ModelError, match="does not tell where its tokens are"):
        source_tokens(slow, "text", "text", "text")


# -- a model -------------------------------------------------------------------------------------------------------------


def plainly(model: Any, prompt: str, source: str, most: int, *, eager: bool) -> tuple[list[int], list[float]]:
    """The tokens by passes over the whole text each, with what transformers gives out of attention and states; and their chances."""
    import torch

    inner, tokenizer = model._model, model._tokenizer
    if eager:
        inner.set_attn_implementation("eager")
    ids = model._chat("", prompt)
    text = tokenizer.decode(ids)
    start = text.rindex(source)  # one byte a token, but the special ones before
    before = len(tokenizer(text[:start], add_special_tokens=False)["input_ids"])
    places = range(before, before + len(source.encode()))
    answer, chances = [], []
    for _ in range(most):
        with torch.no_grad():
            out = inner(torch.tensor([ids + answer]), output_attentions=True, output_hidden_states=True)
            last = out.logits[0, -1].double().softmax(-1)
            layers = [inner.lm_head(inner.model.norm(state))[0, -1].double().softmax(-1) for state in out.hidden_states[1:-1]]
        gaps = []
        for layer in layers[-3:]:
            middle = (layer + last) / 2
            gaps.append(float(((layer * (layer / middle).log2()).sum() + (last * (last / middle).log2()).sum()) / 2))
        copied = max(gaps) / 2
        attention = out.attentions[-1][0].mean(0)[-1].double()
        total = sum(float(attention[at]) for at in places)
        mixed = (1 - copied) * last
        for at in places:
            mixed[ids[at]] += copied * float(attention[at]) / total
        token = int(mixed.argmax())
        if token in model._ends():
            break
        answer.append(token)
        chances.append(float(mixed[token].log()))
    return answer, chances


@pytest.mark.parametrize("layers", [2, 16])
@pytest.mark.parametrize("seed", [0, 2, 3])
def test_each_token_is_that_of_a_plain_computation(seed: int, layers: int) -> None:
    prompt, source = "Text: gears and wheels. What?", "gears and wheels."
    model = tiny_language_model(seed, layers=layers)
    told = Reply(probabilities=True)
    text = "".join(model.copying(prompt, source, max_tokens=12, reply=told))
    again = "".join(model.copying(prompt, source, max_tokens=12))  # of the prompt that is kept only the end is read again
    wanted, chances = plainly(model, prompt, source, 12, eager=True)
    assert text == again == model._text(wanted)
    assert [chance for _, chance in told.tokens] == pytest.approx(chances, abs=1e-3)


def test_a_source_changes_what_is_written() -> None:
    prompt, source = "Text: gears and wheels. What?", "gears and wheels."
    changed = []
    for seed in range(6):
        model = tiny_language_model(seed)
        copied = "".join(model.copying(prompt, source, max_tokens=24))
        changed.append(copied != "".join(model.stream(prompt, max_tokens=24)))
    assert any(changed)


def test_what_may_not_be_copied_is_the_greedy_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "copy_probability", lambda *_: 0.0)
    for seed in range(3):
        model = tiny_language_model(seed)
        prompt = "Text: gears and wheels. What?"
        assert "".join(model.copying(prompt, "gears", max_tokens=16)) == "".join(model.stream(prompt, max_tokens=16))


def test_a_model_whose_layers_cannot_be_read_is_a_sentence() -> None:
    import torch

    model = tiny_language_model()
    plain = model._model.forward

    class Louder(torch.nn.Module):
        """Its logits are not what the head gives."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = model._model
            self.generation_config = model._model.generation_config

        def forward(self, *args: Any, past_key_values: Any = None, cache: Any = None, **named: Any) -> Any:
            held = {"cache": cache} if cache is not None else {"past_key_values": past_key_values}
            out = plain(*args, **held, **named)
            return SimpleNamespace(logits=out.logits * 3, hidden_states=out.hidden_states)

        def get_decoder(self) -> Any:
            return self.inner.get_decoder()

        def get_output_embeddings(self) -> Any:
            return self.inner.get_output_embeddings()

    model._model = Louder()
    with pytest.raises(ModelError, match="'tiny' cannot copy"):
        next(model.copying("What are wheels?", "wheels"))


# -- asking for it -------------------------------------------------------------------------------------------------------


class Plain:
    """A model that answers, and cannot copy."""

    name = "plain"

    def generate(self, prompts: list[str], **_: Any) -> list[str]:
        return ["no"] * len(prompts)


class Copying(Plain):
    """A model that copies the beginning of the source."""

    name = "fake"

    def copying(self, prompt: str, source: str, **_: Any) -> Iterator[str]:
        assert source in prompt
        yield "What is "
        yield " ".join(source.split()[:5]) + "?"

    def count_tokens(self, texts: list[str]) -> list[int]:
        return [len(text.split()) for text in texts]


def test_a_model_of_this_process_copies_and_others_do_not() -> None:
    assert isinstance(tiny_language_model(), Copier)
    assert isinstance(CopyingFrom(Copying(), "x"), Generator)
    assert not isinstance(Plain(), Copier)
    assert problem(Copying(), copying=True) == ""
    assert problem(Plain()) == ""
    assert "'plain' cannot copy from its prompt" in problem(Plain(), copying=True)
    with pytest.raises(ModelError, match="cannot copy from its prompt"):
        Copied()._opened(Plain())


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("http://localhost:1/v1#m", "cannot copy from its prompt: its attention must be read"),
        ("nothing-here", "there is no language model 'nothing-here'"),
        ("./missing.gguf", "there is no language model at ./missing.gguf"),
    ],
)
def test_a_wrong_model_is_told_before_anything_is_read(
    model: str, told: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """There is no such encoder either; the source of pairs comes first."""
    bookwheel.open(tmp_path / "library", create=True).close()
    assert main(["train", "encoder", "no-encoder", "--library", str(tmp_path / "library"), "--from", f"copied={model}"]) == 2
    shown = capfd.readouterr()
    assert told in shown.err
    assert len(shown.err.strip().splitlines()) == 1
    assert not shown.out


def test_a_folder_of_transformers_copies(tmp_path: Path) -> None:
    assert source_of(f"copied={saved(tmp_path / 'tiny')}").name == "copied"
    model = Copied()._opened(str(tmp_path / "tiny"))
    try:
        (answer,) = CopyingFrom(model, "gears and wheels").generate(["Text: gears and wheels"], max_tokens=5)
        assert answer == "".join(model.copying("Text: gears and wheels", "gears and wheels", max_tokens=5))
    finally:
        close_models()
