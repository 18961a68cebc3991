"""Transformer encoders against BERT in plain numpy, sentence-transformers' layout, and what damaged models get."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from encoder_models import HIDDEN, TEXTS, VOCABULARY, bert_states, bert_weights, tokens_of, write_bert, write_modules

import bookwheel
from bookwheel._errors import ModelError, UsageError
from bookwheel.encode import encode_queries, load_encoder
from bookwheel.encode.protocols import DenseEncoder

pytest.importorskip("onnxruntime", reason="the extra `models` is not installed")
pytest.importorskip("tokenizers", reason="the extra `models` is not installed")
pytest.importorskip("safetensors", reason="the extra `models` is not installed")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_bert(tmp_path_factory.mktemp("models") / "tiny", bert_weights())
    write_modules(folder, ("sentence_transformers.models.Pooling", "1_Pooling", {"pooling_mode_mean_tokens": True}))
    return folder


def _expected(folder: Path, texts: list[str], pooled: str = "mean", limit: int = 40) -> np.ndarray:
    rows = []
    for text in texts:
        states = bert_states(bert_weights(), tokens_of(folder, text, limit))
        rows.append({"mean": states.mean(0), "cls": states[0], "max": states.max(0), "lasttoken": states[-1]}[pooled])
    out = np.array(rows)
    return out / np.linalg.norm(out, axis=1, keepdims=True)


def test_fp32_is_bert(model: Path) -> None:
    encoder = load_encoder(model, precision="fp32")
    assert isinstance(encoder, DenseEncoder)
    vectors = encoder.encode(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, _expected(model, TEXTS), atol=2e-6)


def test_int8_is_near_and_never_depends_on_the_neighbours(model: Path) -> None:
    encoder = load_encoder(model, threads=3)
    vectors = encoder.encode(TEXTS)
    assert (vectors * _expected(model, TEXTS)).sum(1).min() > 0.998
    for number, text in enumerate(TEXTS):
        np.testing.assert_array_equal(encoder.encode([text])[0], vectors[number])
    np.testing.assert_array_equal(load_encoder(model, threads=1).encode(TEXTS[::-1])[::-1], vectors)


def test_no_texts_give_no_vectors(model: Path) -> None:
    assert load_encoder(model).encode([]).shape == (0, HIDDEN)


@pytest.mark.parametrize("pooling", ["cls", "max", "lasttoken"])
def test_pooling(model: Path, pooling: str) -> None:
    vectors = load_encoder(model, precision="fp32", pooling=pooling).encode(TEXTS)
    np.testing.assert_allclose(vectors, _expected(model, TEXTS, pooling), atol=2e-6)


def test_the_models_files_are_followed(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    folder = write_bert(tmp_path / "whole", bert_weights())
    write_modules(
        folder,
        ("sentence_transformers.models.Pooling", "1_Pooling", {"pooling_mode": "cls"}),
        ("sentence_transformers.models.Dense", "2_Dense", {"activation_function": "torch.nn.modules.activation.Tanh"}),
        ("sentence_transformers.models.Normalize", "3_Normalize", {}),
    )
    rng = np.random.default_rng(1)
    weight, bias = rng.standard_normal((12, HIDDEN)).astype(np.float32), rng.standard_normal(12).astype(np.float32)
    save_file({"linear.weight": weight, "linear.bias": bias}, folder / "2_Dense" / "model.safetensors")
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 9, "do_lower_case": False}))
    prompts = {"prompts": {"query": "the sky ", "document": "a stone "}, "default_prompt_name": None}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    encoder = load_encoder(folder, precision="fp32")

    def expected(prefix: str) -> np.ndarray:
        states = np.array([bert_states(bert_weights(), tokens_of(folder, prefix + text, 9))[0] for text in TEXTS])
        out = np.tanh(states @ weight.T + bias)
        return out / np.linalg.norm(out, axis=1, keepdims=True)

    assert (encoder.dimension, getattr(encoder, "max_tokens", 0)) == (12, 9)
    np.testing.assert_allclose(encoder.encode(TEXTS), expected("a stone "), atol=3e-6)
    np.testing.assert_allclose(encode_queries(encoder, TEXTS), expected("the sky "), atol=3e-6)
    plain = load_encoder(folder, precision="fp32", query_prefix="", passage_prefix="")
    np.testing.assert_allclose(encode_queries(plain, TEXTS), expected(""), atol=3e-6)
    cut = load_encoder(folder, precision="fp32", dimension=5, passage_prefix="").encode(TEXTS)
    first = expected("")[:, :5]
    np.testing.assert_allclose(cut, first / np.linalg.norm(first, axis=1, keepdims=True), atol=3e-6)


def test_a_checksum_for_every_setting_that_changes_vectors(model: Path) -> None:
    settings = ({}, {"pooling": "cls"}, {"dimension": 8}, {"max_tokens": 7}, {"query_prefix": "q "}, {"passage_prefix": "p "})
    sums = [load_encoder(model, **setting).sha256 for setting in settings]
    assert len(set(sums)) == len(settings)
    assert load_encoder(model, precision="fp32", threads=2).sha256 == sums[0]
    assert load_encoder(model, precision="fp32").revision != load_encoder(model).revision


def test_weights_with_a_head_and_old_names(tmp_path: Path) -> None:
    weights = {f"bert.{name}": array for name, array in bert_weights().items()}
    old = {
        n.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): a
        for n, a in weights.items()
    }
    vectors = load_encoder(write_bert(tmp_path / "old", old), precision="fp32").encode(TEXTS)
    np.testing.assert_allclose(vectors, _expected(tmp_path / "old", TEXTS), atol=2e-6)


def test_half_precision_weights(tmp_path: Path) -> None:
    half = {name: array.astype(np.float16) for name, array in bert_weights().items()}
    vectors = load_encoder(write_bert(tmp_path / "half", half), precision="fp32").encode(TEXTS)  # type: ignore[arg-type]
    assert (vectors * _expected(tmp_path / "half", TEXTS)).sum(1).min() > 0.99999


def test_what_is_kept_is_used_again_and_mended(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKWHEEL_HOME", str(tmp_path))
    first = load_encoder(model).encode(TEXTS)
    (kept,) = (tmp_path / ".cache" / "models").glob("*/model.onnx")
    before = kept.stat().st_mtime_ns
    load_encoder(model)
    assert kept.stat().st_mtime_ns == before
    kept.write_bytes(kept.read_bytes()[:-100])
    np.testing.assert_array_equal(load_encoder(model).encode(TEXTS), first)


def test_models_that_do_not_fit_together(tmp_path: Path) -> None:
    weights = bert_weights()
    folder = write_bert(tmp_path / "a", weights)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"model\.safetensors is truncated .*; get it again$"):
        load_encoder(folder)
    (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ModelError, match="truncated or no safetensors file"):
        load_encoder(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"neither model\.safetensors nor an ONNX file"):
        load_encoder(folder)
    with pytest.raises(ModelError, match=r"does not fit its config\.json: .* has shape \(.*, 32\) where \(.*, 16\)"):
        load_encoder(write_bert(tmp_path / "b", weights, hidden_size=16, vocab_size=len(VOCABULARY), num_attention_heads=4))
    with pytest.raises(ModelError, match=r"its tokenizer has .* tokens and its config\.json says 7"):
        load_encoder(write_bert(tmp_path / "c", weights, vocab_size=7))
    with pytest.raises(ModelError, match=r"no array 'encoder\.layer\.2"):
        load_encoder(write_bert(tmp_path / "d", weights, num_hidden_layers=3))
    with pytest.raises(ModelError, match=r"config\.json lacks 'hidden_size'"):
        load_encoder(write_bert(tmp_path / "e", weights, hidden_size=None))
    folder = write_bert(tmp_path / "f", weights)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"has no tokenizer\.json; get it, or name a model that has the same one"):
        load_encoder(folder)
    np.testing.assert_array_equal(
        load_encoder(folder, tokenizer=str(tmp_path / "d")).encode(TEXTS),
        load_encoder(write_bert(tmp_path / "g", weights)).encode(TEXTS),
    )
    with pytest.raises(ModelError, match="of type 'qwen', which has to be exported once; type: pip install"):
        load_encoder(write_bert(tmp_path / "h", weights, model_type="qwen"))


def test_a_model_that_gives_no_numbers(tmp_path: Path) -> None:
    weights = bert_weights()
    weights["encoder.layer.1.output.dense.bias"][3] = np.nan
    with pytest.raises(ModelError, match=r"gave a vector that is not finite for text 1 of 6; try it at precision fp32"):
        load_encoder(write_bert(tmp_path / "nan", weights), precision="fp32").encode(TEXTS)


def test_settings_that_make_no_sense(model: Path) -> None:
    with pytest.raises(UsageError, match="an encoder has no setting 'precison'"):
        load_encoder(model, precison="fp32")
    with pytest.raises(UsageError, match="precision must be one of int8, fp32, not 'int4'"):
        load_encoder(model, precision="int4")
    with pytest.raises(UsageError, match="vectors of 32 dimensions, not 33"):
        load_encoder(model, dimension=33)
    with pytest.raises(UsageError, match="threads must be a whole number of at least 1"):
        load_encoder(model, threads=0)


@pytest.mark.parametrize("padding", ["none", "fixed", "no such token"])
def test_how_a_tokenizer_pads_does_not_matter(model: Path, tmp_path: Path, padding: str) -> None:
    folder = tmp_path / "padded"
    shutil.copytree(model, folder)
    settings = json.loads((folder / "tokenizer.json").read_text())
    fixed = {
        "strategy": {"Fixed": 30},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0 if padding == "fixed" else 9999,
        "pad_type_id": 0,
        "pad_token": "[PAD]" if padding == "fixed" else "[no such]",
    }
    settings["padding"] = None if padding == "none" else fixed
    (folder / "tokenizer.json").write_text(json.dumps(settings))
    encoder = load_encoder(folder, precision="fp32")
    np.testing.assert_array_equal(encoder.encode(TEXTS), load_encoder(model, precision="fp32").encode(TEXTS))


def test_a_library_made_with_an_encoder_encodes_its_queries_as_queries(tmp_path: Path) -> None:
    folder = write_bert(tmp_path / "model", bert_weights())
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": {"query": "the sky "}}))
    encoder = load_encoder(folder)
    texts = [f"the {word} of a stone" for word in ("sky", "sun", "moon", "sea")]
    with bookwheel.open(tmp_path / "library", create=True, encoder=str(folder)) as library:
        library.add(texts)
        expected = encoder.encode_queries(["moon", "stone"]) @ encoder.encode(texts).T
        assert not np.allclose(expected, encoder.encode(["moon", "stone"]) @ encoder.encode(texts).T, atol=1e-3)
        for alone, many, scores in zip(
            [library.rank(query, recipe="dense") for query in ("moon", "stone")],
            library.search_many(["moon", "stone"], recipe="dense"),
            expected,
            strict=True,
        ):
            np.testing.assert_allclose(alone.scores, np.sort(scores)[::-1], atol=2e-3)
            np.testing.assert_allclose([result.score for result in many], np.sort(scores)[::-1], atol=2e-3)
