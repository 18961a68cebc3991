from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from language_tiny import saved, tiny_language_model, tiny_model

from bookwheel._errors import ModelError
from bookwheel.language import Generator, LanguageModel, Scorer, close_models, language_model
from bookwheel.language.load import _no_bars

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import torch

CONTEXTS = [
    "Passage: a lens bends light.\nQuestion:",
    "Passage: x\nQuestion:",
    "Passage: the second law of heat\nQuestion:",
    "Pass",
]


@pytest.fixture(scope="module")
def model():
    return tiny_language_model()


@pytest.fixture(scope="module")
def plain():
    return tiny_model()


def reference(plain, ids: list[int], first: int) -> np.ndarray:
    """Log-probabilities of ``ids[first:]`` by one plain forward pass."""
    with torch.inference_mode():
        logits = plain(torch.tensor([ids])).logits[0].log_softmax(-1)
    return np.array([float(logits[i - 1, ids[i]]) for i in range(first, len(ids))], np.float32)


def test_it_is_both_a_generator_and_a_scorer(model) -> None:
    assert isinstance(model, Generator)
    assert isinstance(model, Scorer)
    assert isinstance(model, LanguageModel)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_log_likelihoods_are_those_of_a_plain_forward_pass(model, plain, count) -> None:
    contexts = CONTEXTS[:count]
    continuations = [" what is light?", " why", " a", ""][:count]
    found = model.log_likelihoods(contexts, continuations)
    for context, continuation, values in zip(contexts, continuations, found, strict=True):
        before, after = model.tokens(context), model.tokens(continuation)
        expected = reference(plain, before + after, len(before)) if after else np.zeros(0)
        np.testing.assert_allclose(values, expected, atol=2e-5)


def test_block_likelihoods_are_those_of_the_whole_text(model, plain) -> None:
    prefix, texts, suffix, query = "<a>user\nPassage: ", ["a lens bends light", "x", "heat flows " * 9], "\nQuestion:", " why?"
    head, blocks = model.blocks(prefix, texts, max_tokens=30)
    found = model.block_likelihoods(head, blocks, suffix, query)
    for text, values in zip(texts, found, strict=True):
        ids = model.tokens(prefix) + model.tokens(text)[:30] + model.tokens(suffix)
        np.testing.assert_allclose(values, reference(plain, ids + model.tokens(query), len(ids)), atol=2e-5)


def test_attention_over_a_sequence_is_that_of_a_plain_forward_pass(model, plain) -> None:
    parts = ["Passages:", "[1] a lens bends light", "[2] heat flows", "[3] x"]
    suffix, query = "\nQuery: ", "does light bend?"
    found = model.attention(model.sequence(parts), suffix, query)
    ids = [token for part in (*parts, suffix, query) for token in model.tokens(part)]
    with torch.inference_mode():
        weights = torch.cat([layer[0] for layer in plain(torch.tensor([ids]), output_attentions=True).attentions])
    asked = len(model.tokens(query))
    expected = weights[:, -asked:].mean(1).numpy()
    at = 0
    for part, values in zip(parts, found, strict=True):
        np.testing.assert_allclose(values, expected[:, at : at + len(model.tokens(part))], atol=1e-6)
        at += len(model.tokens(part))


def masked_attention(plain, ids: list[int], sees: list[set[int]], places: list[int], asked: int) -> np.ndarray:
    """Attention of the last ``asked`` tokens in one pass in which token i sees the tokens ``sees[i]``: (heads, tokens)."""
    allowed = torch.tensor([[j in seen for j in range(len(ids))] for seen in sees])
    mask = torch.where(allowed, 0.0, float("-inf"))[None, None]
    with torch.inference_mode():
        out = plain(torch.tensor([ids]), attention_mask=mask, position_ids=torch.tensor([places]), output_attentions=True)
    return torch.cat([layer[0] for layer in out.attentions])[:, -asked:].mean(1).numpy()


@pytest.mark.parametrize("move", [False, True])
def test_attention_over_blocks_is_that_of_one_pass_with_a_block_mask(model, plain, move) -> None:
    """A moved block keeps its distance from the prefix that it was read after: in the plain pass it has a copy of its own."""
    prefix, texts, suffix, query = "Passages: ", ["a lens bends light", "heat", "water flows down"], "\nQuery: ", "light?"
    head, blocks = model.blocks(prefix, texts)
    found = model.attention([head, *blocks], suffix, query, move=move)
    first, new = model.tokens(prefix), model.tokens(suffix) + model.tokens(query)
    ids, places = list(first), list(range(len(first)))
    sees = [set(range(i + 1)) for i in range(len(first))]
    shown, start = list(range(len(first))), len(first)
    for text in texts:
        part = first + model.tokens(text)
        at = len(ids)
        sees += [set(range(at, at + i + 1)) for i in range(len(part))]
        shown += range(at + len(first), at + len(part))
        places += range(start - len(first), start - len(first) + len(part))
        ids += part
        start += len(part) - len(first) if move else 0
    last, at = max(places) + 1, len(ids)
    sees += [{*shown, *range(at, at + i + 1)} for i in range(len(new))]
    expected = masked_attention(plain, ids + new, sees, [*places, *range(last, last + len(new))], len(model.tokens(query)))
    np.testing.assert_allclose(np.concatenate(found, axis=1), expected[:, shown], atol=1e-5)


def test_chosen_heads_come_in_the_order_asked_for(model) -> None:
    head, blocks = model.blocks("P: ", ["one two", "three"])
    every = model.attention([head, *blocks], "\nQ: ", "two")
    some = model.attention([head, *blocks], "\nQ: ", "two", heads=[(1, 3), (0, 2)])
    for all_heads, chosen in zip(every, some, strict=True):
        np.testing.assert_array_equal(chosen, all_heads[[7, 2]])
    with pytest.raises(ModelError, match="no head 9 in layer 0"):
        model.attention([head], "\n", "q", heads=[(0, 9)])


def test_answers_are_greedy_decoding(model, plain) -> None:
    (answer,) = model.generate(["Say something."], max_tokens=12)
    ids = model.tokens("<a>user: Say something.<b><a>")
    with torch.inference_mode():
        expected = plain.generate(
            torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), max_new_tokens=12, do_sample=False
        )
    assert answer == model._tokenizer.decode(expected[0, len(ids) :], skip_special_tokens=True)
    (shorter,) = model.generate(["Say something."], max_tokens=12, stop=[answer[4:6]])
    assert shorter == answer[: answer.index(answer[4:6])]


def test_the_deadline_leaves_out_the_last(model) -> None:
    model.log_likelihoods(CONTEXTS, ["a"] * 4)
    assert model.log_likelihoods(CONTEXTS, ["a"] * 4, deadline=time.monotonic() - 1) == [None] * 4
    head, blocks = model.blocks("fresh: ", ["one", "two"], deadline=time.monotonic() - 1)
    assert len(head) == 7
    assert blocks == [None, None]
    with pytest.raises(ModelError, match="answered 0 of 1"):
        model.generate(["x"], deadline=time.monotonic() - 1)


def test_blocks_are_kept_within_the_bytes_allowed() -> None:
    model = tiny_language_model()
    _, (first, second) = model.blocks("P: ", ["one two three", "four five six!!"])
    assert model.blocks("P: ", ["one two three"])[1][0] is first
    model.cache.limit = model.cache.nbytes
    model.blocks("P: ", ["seven eight nine ten"])
    assert model.cache.nbytes <= model.cache.limit
    assert model.blocks("P: ", ["four five six!!"])[1][0] is not second
    model.close()
    assert model.cache.nbytes == 0
    with pytest.raises(ModelError, match="is closed"):
        model.generate(["x"])


def test_what_does_not_fit_is_refused() -> None:
    model = tiny_language_model(max_position_embeddings=64)
    with pytest.raises(ModelError, match="64"):
        model.generate(["x" * 60], max_tokens=30)
    with pytest.raises(ModelError, match="64"):
        model.log_likelihoods(["x" * 60], ["y" * 10])
    with pytest.raises(ModelError, match="64"):
        model.blocks("P", ["x" * 100], max_tokens=90)
    with pytest.raises(ModelError, match="a context of one word or more"):
        model.log_likelihoods([""], ["y"])


def test_models_are_loaded_once_and_closed(tmp_path: Path) -> None:
    folder = saved(tmp_path / "tiny")
    first = language_model(str(folder))
    assert language_model(str(folder)) is first
    assert first.precision in ("float32", "bfloat16")
    close_models()
    with pytest.raises(ModelError, match="is closed"):
        first.count_tokens(["x"])
    assert language_model(str(folder)) is not first
    close_models()


@pytest.mark.parametrize(
    ("name", "says"),
    [("nothing-of-this-name", "there is no language model"), ("/no/such/folder", "there is no language model at")],
)
def test_a_name_that_is_none_is_told(name, says) -> None:
    with pytest.raises(ModelError, match=says):
        language_model(name)


def test_damaged_files_are_told(tmp_path: Path) -> None:
    folder = saved(tmp_path / "tiny")
    (folder / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be loaded"):
        language_model(str(folder))
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelError, match="cannot be loaded"):
        language_model(str(tmp_path / "x.gguf"))


def test_transformers_draws_no_bars_while_files_are_read(capfd: pytest.CaptureFixture) -> None:
    """Neither its own nor the one of converting .gguf files, which asks nobody."""
    converting = pytest.importorskip("transformers.modeling_gguf_pytorch_utils")
    drawn = converting.tqdm
    with _no_bars():
        list(converting.tqdm(range(3), desc="converting"))
    assert converting.tqdm is drawn
    assert capfd.readouterr().err == ""


def test_a_pass_may_end_at_the_last_layer_that_is_wanted(model) -> None:
    texts, suffix, query = ["a lens bends light", "heat flows"], "\nQuery: ", "light?"
    head, blocks = model.blocks("P: ", texts)
    first, fewer = model.blocks("P: ", texts, layers=1)
    assert first.keys.shape[0] == 1
    for whole, part in zip(blocks, fewer, strict=True):
        np.testing.assert_array_equal(part.keys[0], whole.keys[0])
    heads = [(0, 1), (0, 3)]
    for a, b in zip(
        model.attention([first, *fewer], suffix, query, heads=heads),
        model.attention([head, *blocks], suffix, query, heads=heads),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_a_model_of_the_hub_is_downloaded_only_where_that_is_allowed() -> None:
    with pytest.raises(
        ModelError, match="'nobody/no-such-model' is not on this machine.*bookwheel allow https://huggingface.co"
    ):
        language_model("hub:nobody/no-such-model")


def test_a_streamed_answer_is_the_answer_and_a_prompt_that_begins_alike_is_not_read_again(model, monkeypatch) -> None:
    from bookwheel.language import Reply, Streamer
    from bookwheel.language.forward import cache_argument

    assert isinstance(model, Streamer)
    head = "a passage that stays the same. " * 8
    prompts = [head + "one?", head + "two?", "short", head + "two?"]
    expected = []
    for prompt in prompts:
        model._kept = None
        expected += model.generate([prompt], max_tokens=12)
    model._kept = None
    read: list[int] = []
    forward, name = model._model.forward, cache_argument(model._model)

    def counted(ids, *rest, **more):
        read.append(ids.shape[1])
        return forward(ids, *rest, **more)

    monkeypatch.setattr(model._model, "forward", counted)
    monkeypatch.setattr("bookwheel.language.writing.cache_argument", lambda _: name)
    first_reads = []
    for prompt, whole in zip(prompts, expected, strict=True):
        read.clear()
        reply = Reply()
        pieces = list(model.stream(prompt, max_tokens=12, reply=reply))
        assert "".join(pieces) == whole
        assert reply.prompt_tokens > 0
        assert reply.finish in ("stop", "length")
        first_reads.append(read[0])
    assert first_reads[1] < 40 < first_reads[0]
    assert "".join(model.stream(prompts[0], max_tokens=12, stop=[expected[0][2:4]])) == expected[0][:2]


def test_an_ensemble_averages_the_next_token_over_its_prompts(model, plain) -> None:
    import torch

    from bookwheel.language import Ensemble, Reply

    assert isinstance(model, Ensemble)
    prompts, weights = ["one passage", "another, longer passage"], [3.0, 1.0]
    reply = Reply(probabilities=True)
    answer = "".join(model.ensemble(prompts, weights, max_tokens=4, reply=reply))
    ids, written = [model._chat("", prompt) for prompt in prompts], []
    for _ in range(reply.completion_tokens):
        with torch.inference_mode():
            rows = [plain(torch.tensor([one + written])).logits[0, -1].float().softmax(-1) for one in ids]
        mean = 0.75 * rows[0] + 0.25 * rows[1]
        written.append(int(mean.argmax()))
        assert float(mean.max().log()) == pytest.approx(reply.tokens[len(written) - 1][1], abs=1e-3)
    assert answer == model._tokenizer.decode(written, skip_special_tokens=True)
    assert model.generate([prompts[0]], max_tokens=4) == ["".join(model.ensemble(prompts[:1], [1], max_tokens=4))]
