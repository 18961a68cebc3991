"""Encoder-decoder models: what transformers computes, laws of what they write, and who cannot use them."""

from __future__ import annotations

import json
import pickle
import time
from pathlib import Path

import numpy as np
import pytest
from encoder_decoder_tiny import (
    BEGIN,
    END,
    MAKERS,
    PAD,
    plain_tokenizer,
    saved_encoder_decoder,
    tiny_encoder_decoder,
    tiny_t5,
)
from language_tiny import tiny_tokenizer

import bookwheel
from bookwheel._errors import ModelError
from bookwheel.analysis.analyzer import Analyzer
from bookwheel.cli.main import main
from bookwheel.encode.doc2query import Doc2QueryEncoder
from bookwheel.language import Ensemble, LanguageModel, Reply, Streamer, close_models, language_model, writer
from bookwheel.language.attending import check_attends
from bookwheel.language.load import load_local
from bookwheel.language.protocols import Sampler
from bookwheel.rank.stages.rerank.attention import AttentionReranker, trained_reranker
from bookwheel.rank.stages.rerank.likelihood import QueryLikelihood

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import torch

PROMPTS = ["a lens bends light", "x", "Heat flows from warm to cold. " * 3]
TEXTS = ["a lens bends light", "heat flows", "x"]
STARTS = {"t5": [PAD], "bart": [END, BEGIN]}
SENTENCE = (
    "is an encoder-decoder model, which writes and gives likelihoods, but shows no attention over passages; name a causal one"
)


@pytest.fixture(scope="module", params=["t5", "bart"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(kind):
    return tiny_encoder_decoder(kind)


@pytest.fixture(scope="module")
def plain(kind):
    return MAKERS[kind]()


@pytest.fixture
def folder(tmp_path: Path):
    yield str(saved_encoder_decoder(tmp_path / "tiny"))
    close_models()


# -- writing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", PROMPTS)
def test_it_writes_what_transformers_writes_token_for_token(model, plain, kind, prompt) -> None:
    ids = torch.tensor([plain_tokenizer()(prompt)["input_ids"]])
    assert int(ids[0, -1]) == END
    start = STARTS[kind]
    found = plain.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=12 + len(start) - 1, do_sample=False, num_beams=1,
        output_scores=True, return_dict_in_generate=True,
    )  # fmt: skip
    assert found.sequences[0, : len(start)].tolist() == start
    written = [token for token in found.sequences[0, len(start) :].tolist() if token != END]
    assert len(set(written)) > 2
    reply = Reply(probabilities=True)
    pieces = list(model.stream(prompt, max_tokens=12, reply=reply))
    assert "".join(pieces) == model._tokenizer.decode(written, skip_special_tokens=True)
    assert model.generate([prompt], max_tokens=12) == ["".join(pieces)]
    assert reply.prompt_tokens == ids.shape[1]
    assert reply.completion_tokens == len(written)
    logs = [float(row[0].log_softmax(-1)[token]) for row, token in zip(found.scores[len(start) - 1 :], written, strict=False)]
    np.testing.assert_allclose([chance for _, chance in reply.tokens], logs, atol=1e-4)


def test_it_ends_where_the_model_ends_and_before_what_it_is_told_to_stop_at(kind) -> None:
    model = tiny_encoder_decoder(kind)
    written: list[int] = []
    reading = model._read(model._source("light"))
    step = model._begin
    for _ in range(8):
        written.append(int(reading.next([step])[0].argmax()))
        step = written[-1:]
    last = next(token for token in written if token != written[0])
    model._model.generation_config.eos_token_id = [last, END]
    reply = Reply()
    (answer,) = model.generate(["light"], max_tokens=8)
    assert "".join(model.stream("light", max_tokens=8, reply=reply)) == answer
    assert answer == model._text(written[: written.index(last)])
    assert reply.finish == "stop"
    assert reply.completion_tokens == written.index(last)
    model._model.generation_config.eos_token_id = END
    (whole,) = model.generate(["light"], max_tokens=8)
    mark = whole[2:4]
    assert model.generate(["light"], max_tokens=8, stop=[mark]) == [whole[: whole.index(mark)]]


def test_the_encoder_runs_once_for_a_prompt(model, monkeypatch) -> None:
    runs = []
    encoder = model._model.get_encoder()
    forward = encoder.forward

    def counted(*arguments, **named):
        runs.append(named["input_ids"].shape)
        return forward(*arguments, **named)

    monkeypatch.setattr(encoder, "forward", counted)
    model.generate(["a lens"], max_tokens=6)
    model.sample("a lens", 3, max_tokens=6)
    assert [rows for rows, _ in runs] == [1, 1]
    runs.clear()
    model.log_likelihoods(["one", "one", "two", "one"], ["a", "bc", "d", "e"])
    assert len(runs) == 3


def test_it_is_all_that_a_writer_is_but_not_what_only_causal_models_are(model) -> None:
    assert isinstance(model, LanguageModel)
    assert isinstance(model, Streamer)
    assert isinstance(model, Sampler)
    assert not isinstance(model, Ensemble)
    assert model.count_tokens(["a lens", ""]) == [6, 0]
    assert model.parameters > 10_000


def test_instructions_come_before_the_prompt_or_where_the_template_has_them(kind) -> None:
    model = tiny_encoder_decoder(kind)
    assert model._chat("Be brief.", "Light?") == model._source("Be brief.\n\nLight?")
    assert model._chat("", "Light?") == [*model.tokens("Light?"), END]
    model._tokenizer.chat_template = tiny_tokenizer().chat_template
    assert model._chat("Be brief.", "Light?") == model.tokens("<a>system: Be brief.<b><a>user: Light?<b><a>")
    model._tokenizer.chat_template = (
        "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "{{ m['content'] }}{% endfor %}"
    )
    assert model._chat("Be brief.", "Light?") == model.tokens("Be brief.\n\nLight?")


# -- drawing -----------------------------------------------------------------------------------------------------------


def test_draws_follow_the_seed_and_not_how_many_there_are(model) -> None:
    many = model.sample("wheels", 6, max_tokens=10, top=50, seed=3)
    assert len(set(many)) > 1
    assert model.sample("wheels", 6, max_tokens=10, top=50, seed=3) == many
    assert model.sample("wheels", 2, max_tokens=10, top=50, seed=3) == many[:2]
    assert model.sample("wheels", 1, max_tokens=10, top=50, seed=3) == many[:1]
    assert model.sample("wheels", 6, max_tokens=10, top=50, seed=4) != many


def test_one_token_to_draw_from_is_the_greedy_answer(model) -> None:
    (greedy,) = model.generate(["wheels"], max_tokens=12)
    assert set(model.sample("wheels", 3, max_tokens=12, top=1)) == {greedy.rstrip("\ufffd").strip()}


# -- probabilities -----------------------------------------------------------------------------------------------------


def test_log_likelihoods_are_less_the_cross_entropy_of_transformers(model, plain, kind) -> None:
    contexts = ["a lens bends light", "a lens bends light", "heat", "x"]
    continuations = ["what bends?", "why", "", "é"]
    found = model.log_likelihoods(contexts, continuations)
    forced = STARTS[kind][1:]
    for context, continuation, values in zip(contexts, continuations, found, strict=True):
        labels = [*forced, *model.tokens(continuation)]
        if not continuation:
            assert values.shape == (0,)
            continue
        assert values.dtype == np.float32
        with torch.inference_mode():
            out = plain(input_ids=torch.tensor([model._source(context)]), labels=torch.tensor([labels]))
            each = torch.nn.functional.cross_entropy(out.logits[0], torch.tensor(labels), reduction="none")
        np.testing.assert_allclose(values, -each[len(forced) :].numpy(), atol=2e-5)
        if not forced:
            assert float(-values.mean()) == pytest.approx(float(out.loss), abs=2e-5)


def test_passages_are_cut_for_the_likelihood_of_a_query(model) -> None:
    cut = QueryLikelihood(model, max_tokens=20)
    long = "heat flows from warm to cold " * 40
    (first, second) = cut.tokens("why?", [long, long[:20]])
    np.testing.assert_array_equal(first, second)
    assert cut.rerank("why?", TEXTS).done.all()
    assert model.cut("é" * 5, 3) == "é"
    assert model.cut("short", 5) == "short"


# -- limits ------------------------------------------------------------------------------------------------------------


def test_the_deadline_leaves_out_the_last(model) -> None:
    model.log_likelihoods(["one", "two"], ["a", "b"])
    assert model.log_likelihoods(["one", "two"], ["a", "b"], deadline=time.monotonic() - 1) == [None, None]
    with pytest.raises(ModelError, match="answered 0 of 1"):
        model.generate(["x"], deadline=time.monotonic() - 1)
    reply = Reply()
    list(model.stream("x", max_tokens=50, deadline=time.monotonic() - 1, reply=reply))
    assert reply.completion_tokens <= 1


def test_a_closed_model_says_so() -> None:
    model = tiny_encoder_decoder("t5")
    model.close()
    for use in (
        lambda: model.generate(["x"]),
        lambda: model.sample("x", 2),
        lambda: model.log_likelihoods(["x"], ["y"]),
        lambda: model.count_tokens(["x"]),
    ):
        with pytest.raises(ModelError, match="is closed; load it again"):
            use()


def test_what_does_not_fit_is_refused() -> None:
    bart = tiny_encoder_decoder("bart", max_position_embeddings=64)
    assert bart.context == 64
    for use in (
        lambda: bart.generate(["x" * 64]),
        lambda: bart.sample("x" * 64, 2),
        lambda: bart.log_likelihoods(["x" * 64], ["y"]),
    ):
        with pytest.raises(ModelError, match="a prompt of 65 tokens exceeds the context of 'bart', 64 tokens"):
            use()
    for use in (lambda: bart.generate(["x"], max_tokens=63), lambda: bart.log_likelihoods(["x"], ["y" * 63])):
        with pytest.raises(ModelError, match="an answer of 63 tokens exceeds what 'bart' can write, 62 tokens"):
            use()
    assert len(bart.log_likelihoods(["x" * 63], ["y" * 62])[0]) == 62
    t5 = tiny_encoder_decoder("t5")
    assert t5.context > 10_000
    assert len(t5.log_likelihoods(["x" * 700], ["y" * 300])[0]) == 300
    tokenizer = plain_tokenizer()
    tokenizer.model_max_length = 40
    trained_on = type(t5)("t5", tiny_t5(), tokenizer)
    with pytest.raises(ModelError, match="a prompt of 41 tokens exceeds the context of 't5', 40 tokens"):
        trained_on.generate(["x" * 40])
    assert type(t5)("t5", tiny_t5(n_positions=32), tokenizer).context == 32


def test_an_empty_context_is_what_the_encoder_makes_of_it() -> None:
    model = tiny_encoder_decoder("t5")
    assert model.log_likelihoods([""], ["y"])[0].shape == (1,)  # it reads the end of a text
    bare = type(model)("t5", tiny_t5(), tiny_tokenizer())
    with pytest.raises(ModelError, match="a context of one word or more"):
        bare.log_likelihoods([""], ["y"])


def test_a_model_that_does_not_say_where_its_decoder_begins_is_told() -> None:
    model = tiny_t5(decoder_start_token_id=None)
    model.generation_config.decoder_start_token_id = None
    from bookwheel.language.encoder_decoder import EncoderDecoderModel

    with pytest.raises(ModelError, match="does not say which token its decoder begins with"):
        EncoderDecoderModel("t5", model, plain_tokenizer())


# -- folders -----------------------------------------------------------------------------------------------------------


def test_a_folder_is_loaded_by_what_its_config_says(tmp_path: Path, kind) -> None:
    folder = saved_encoder_decoder(tmp_path / "tiny", kind)
    made = tiny_encoder_decoder(kind)
    loaded = language_model(str(folder))
    assert writer(str(folder)) is loaded
    assert loaded.name == str(folder)
    exact = load_local(str(folder), precision="float32")
    assert exact.generate(PROMPTS, max_tokens=12) == made.generate(PROMPTS, max_tokens=12)
    close_models()
    with pytest.raises(ModelError, match="is closed"):
        loaded.count_tokens(["x"])


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_it_runs_in_other_precisions(tmp_path: Path, kind, precision) -> None:
    folder = str(saved_encoder_decoder(tmp_path / "tiny", kind))
    exact, other = load_local(folder, precision="float32"), load_local(folder, precision=precision)
    (one,), (two,) = (model.log_likelihoods(["a lens bends light"], ["what bends?"]) for model in (exact, other))
    assert other.precision == precision
    assert np.isfinite(two).all()
    assert 0 < float(np.abs(one - two).mean()) < 0.2 * float(np.abs(one).mean())
    assert other.generate(["x"], max_tokens=4) != [""]


def test_an_encoder_alone_is_not_taken_for_one_that_writes(tmp_path: Path) -> None:
    import transformers

    model = transformers.T5EncoderModel(tiny_t5().config)
    model.save_pretrained(tmp_path / "half")
    told = json.loads((tmp_path / "half" / "config.json").read_text())
    (tmp_path / "half" / "config.json").write_text(json.dumps(told | {"is_encoder_decoder": True}))
    plain_tokenizer().save_pretrained(tmp_path / "half")
    with pytest.raises(ModelError, match=r"has no weights 'decoder\..*take a complete one"):
        language_model(str(tmp_path / "half"))


class _Planted:
    """What unpickling runs."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self):
        return Path.touch, (self.place,)


def test_no_pickle_is_read_and_no_code_of_the_folder_is_run(tmp_path: Path) -> None:
    folder, sign = saved_encoder_decoder(tmp_path / "tiny"), tmp_path / "sign"
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(_Planted(sign)))
    with pytest.raises(ModelError, match="cannot be loaded"):
        language_model(str(folder))
    (folder / "model.safetensors").write_bytes(weights)
    told = json.loads((folder / "config.json").read_text())
    told["auto_map"] = {"AutoConfig": "own.Config", "AutoModelForSeq2SeqLM": "own.Model"}
    (folder / "own.py").write_text(f"open({str(sign)!r}, 'w')\n")
    (folder / "config.json").write_text(json.dumps(told))
    assert language_model(str(folder)).generate(["x"], max_tokens=2) != [""]
    told["model_type"] = "own"
    (folder / "config.json").write_text(json.dumps(told))
    close_models()
    with pytest.raises(ModelError, match="cannot be loaded"):
        language_model(str(folder))
    assert not sign.exists()


# -- who uses it -------------------------------------------------------------------------------------------------------


def test_what_needs_attention_says_what_the_model_is(model) -> None:
    for use in (
        lambda: check_attends(model),
        lambda: AttentionReranker(model),
        lambda: trained_reranker(model, "t5", None),  # type: ignore[arg-type]
    ):
        with pytest.raises(ModelError, match=SENTENCE):
            use()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("http://localhost:1/v1#m", "is on a server, which shows no attention"),
        ("no-such-model", "there is no language model"),
    ],
)
def test_a_name_is_refused_without_asking_for_it(name, says) -> None:
    with pytest.raises(ModelError, match=says):
        check_attends(name)


@pytest.fixture
def library(tmp_path: Path) -> str:
    with bookwheel.open(tmp_path / "library", create=True, encoder=None, unit="document") as made:
        made.add([{"id": f"d{n}", "text": f"{text} in passage {n}"} for n, text in enumerate(TEXTS * 4)])
    return str(tmp_path / "library")


def test_commands_that_need_attention_end_in_one_sentence(library, folder, own_home, capfd) -> None:
    heads = ["all", "best", "0.0"]
    commands = [
        ["search", "light", "--library", library, "--recipe", f'bm25 >> attention(4, model="{folder}", heads="{one}")']
        for one in heads
    ] + [["train", "attention", folder, "--library", library]]
    for command in commands:
        assert main(command) == 2, command
        told = capfd.readouterr().err
        assert SENTENCE in " ".join(told.split()), command
        assert "Traceback" not in told
    assert main(["train", "reranker", folder, "--library", library]) == 2
    told = " ".join(capfd.readouterr().err.split())
    assert "is of type 't5', which cannot score pairs; take the folder of" in told


def test_commands_that_write_and_weigh_use_it(library, folder, own_home, capfd) -> None:
    recipe = f'bm25 >> likelihood(4, model="{folder}", weight=1)'
    assert main(["search", "a lens in light", "--library", library, "--recipe", recipe, "--json"]) == 0
    found = capfd.readouterr()
    assert "skipped" not in found.out + found.err
    scored = json.loads(found.out)["results"]
    assert len(scored) >= 4
    assert main(["search", "a lens in light", "--library", library, "--recipe", "bm25", "--json"]) == 0
    before = json.loads(capfd.readouterr().out)["results"]
    assert [one["score"] for one in scored[:4]] != [one["score"] for one in before[:4]]
    for method, note in (("stuff", ""), ("attention_sort", "does not show what it attends to"), ("replug", "")):
        code = main(["ask", "what bends light?", "--library", library, "--model", folder, "--method", method, "--json"])
        told = capfd.readouterr()
        assert code in (0, 1), told.err
        assert note in told.out + told.err
        assert "Traceback" not in told.err


def test_it_writes_the_queries_of_passages(folder) -> None:
    encoder = Doc2QueryEncoder(
        language_model(folder).generate, "t5", Analyzer.for_language("english"), count=1, prompt="{text}"
    )
    vectors = encoder.encode(TEXTS)
    assert len(vectors.indptr) == 4
    assert (vectors.weights > 0).all()
