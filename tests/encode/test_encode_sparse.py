"""Learned sparse encoders against plain numpy, in every published layout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from encoder_models import TEXTS, VOCABULARY, bert_states, bert_weights, mlm_logits, tokens_of, write_bert

from bookwheel._errors import ModelError
from bookwheel.encode import load_encoder
from bookwheel.encode.protocols import SparseEncoder
from bookwheel.encode.sparse import stack, top_terms

pytest.importorskip("onnxruntime", reason="the extra `models` is not installed")
pytest.importorskip("tokenizers", reason="the extra `models` is not installed")
save_file = pytest.importorskip("safetensors.numpy", reason="the extra `models` is not installed").save_file

WEIGHTS = bert_weights(3, mlm=True)


def _saved(folder: Path) -> Path:
    """As transformers saves BertForMaskedLM: the encoder's arrays under ``bert.``, the head's under ``cls.``."""
    named = {name if name.startswith("cls.") else f"bert.{name}": array for name, array in WEIGHTS.items()}
    return write_bert(folder, named, architectures=["BertForMaskedLM"])


@pytest.fixture(scope="module")
def splade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _saved(tmp_path_factory.mktemp("models") / "splade")


def _logits(folder: Path, text: str) -> np.ndarray:
    return mlm_logits(WEIGHTS, bert_states(WEIGHTS, tokens_of(folder, text)))


def _dense(encoder: SparseEncoder, texts: list[str], *, query: bool = False) -> np.ndarray:
    vectors = (encoder.encode_queries if query else encoder.encode)(texts)
    out = np.zeros((len(texts), len(encoder.vocabulary)), np.float32)
    for number in range(len(texts)):
        terms, weights = vectors.row(number)
        assert (np.diff(terms) > 0).all()
        assert (weights > 0).all()
        out[number, terms] = weights
    return out


def test_splade_is_the_largest_saturated_logit(splade: Path) -> None:
    encoder = load_encoder(splade, "sparse", precision="fp32")
    assert isinstance(encoder, SparseEncoder)
    assert list(encoder.vocabulary) == VOCABULARY
    expected = np.array([np.log1p(np.maximum(_logits(splade, text), 0)).max(0) for text in TEXTS])
    np.testing.assert_allclose(_dense(encoder, TEXTS), expected, atol=2e-5)
    np.testing.assert_array_equal(_dense(encoder, TEXTS, query=True), _dense(encoder, TEXTS))
    int8 = _dense(load_encoder(splade, "sparse"), TEXTS)
    cosine = (int8 * expected).sum(1) / np.linalg.norm(int8, axis=1) / np.linalg.norm(expected, axis=1)
    assert cosine.min() > 0.995


@pytest.mark.parametrize(("strategy", "activation"), [("max", "relu"), ("max", "log1p_relu"), ("sum", "relu")])
def test_sentence_transformers_layout(tmp_path: Path, strategy: str, activation: str) -> None:
    folder = _saved(tmp_path / "st")
    steps = ("MLMTransformer", ""), ("SpladePooling", "1_SpladePooling")
    listed = [
        {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.x.{kind}"}
        for n, (kind, path) in enumerate(steps)
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_SpladePooling").mkdir()
    config = {"pooling_strategy": strategy, "activation_function": activation}
    (folder / "1_SpladePooling" / "config.json").write_text(json.dumps(config))
    weights = [np.log1p(np.maximum(_logits(folder, text), 0)) for text in TEXTS]
    if activation == "log1p_relu":
        weights = [np.log1p(one) for one in weights]
    expected = np.array([one.max(0) if strategy == "max" else one.sum(0) for one in weights])
    np.testing.assert_allclose(_dense(load_encoder(folder, "sparse", precision="fp32"), TEXTS), expected, atol=1e-4)


def test_queries_by_a_table(tmp_path: Path) -> None:
    folder = _saved(tmp_path / "doc")
    table = {word: 1 + number / 10 for number, word in enumerate(VOCABULARY)}
    table["river"] = 0
    (folder / "idf.json").write_text(json.dumps(table))
    encoder = load_encoder(folder, "sparse", precision="fp32")
    got = _dense(encoder, ["the red red river", ""], query=True)
    expected = np.zeros_like(got)
    for word in ("the", "red"):
        expected[0, VOCABULARY.index(word)] = table[word]
    np.testing.assert_allclose(got, expected)
    # Markers get no weight in passages either.
    passages = _dense(encoder, TEXTS)
    assert passages[:, VOCABULARY.index("[CLS]")].max() == 0
    assert passages[:, VOCABULARY.index("sea")].max() > 0


def test_a_router_with_static_queries(tmp_path: Path) -> None:
    folder = tmp_path / "router"
    folder.mkdir()
    (folder / "modules.json").write_text(
        json.dumps([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Router"}])
    )
    types = {
        "query_0_SparseStaticEmbedding": "sentence_transformers.sparse_encoder.models.SparseStaticEmbedding",
        "document_0_MLMTransformer": "sentence_transformers.sparse_encoder.models.MLMTransformer",
        "document_1_SpladePooling": "sentence_transformers.sparse_encoder.models.SpladePooling",
    }
    structure = {"query": list(types)[:1], "document": list(types)[1:]}
    (folder / "router_config.json").write_text(json.dumps({"types": types, "structure": structure, "parameters": {}}))
    _saved(folder / "document_0_MLMTransformer")
    for step in ("query_0_SparseStaticEmbedding", "document_1_SpladePooling"):
        (folder / step).mkdir()
        (folder / step / "config.json").write_text("{}")
    weights = np.linspace(0, 2, len(VOCABULARY)).astype(np.float32)
    save_file({"weight": weights}, folder / "query_0_SparseStaticEmbedding" / "model.safetensors")
    encoder = load_encoder(folder, "sparse", precision="fp32")
    got = _dense(encoder, ["a blue sky"], query=True)[0]
    assert sorted(np.flatnonzero(got)) == sorted(VOCABULARY.index(word) for word in ("a", "blue", "sky"))
    assert got[VOCABULARY.index("sky")] == weights[VOCABULARY.index("sky")]
    expected = np.log1p(np.maximum(_logits(folder / "document_0_MLMTransformer", TEXTS[0]), 0)).max(0)
    assert _dense(encoder, TEXTS[:1])[0][VOCABULARY.index("sea")] == pytest.approx(expected[VOCABULARY.index("sea")], abs=1e-5)
    save_file({"weight": weights[:5]}, folder / "query_0_SparseStaticEmbedding" / "model.safetensors")
    with pytest.raises(ModelError, match=r"has 5 weights for .* tokens"):
        load_encoder(folder, "sparse")


def test_the_strongest_terms_of_a_text(splade: Path) -> None:
    encoder = load_encoder(splade, "sparse")
    found = top_terms(encoder, TEXTS[0], 5)
    row = _dense(encoder, TEXTS[:1])[0]
    assert [term for term, _ in found] == [VOCABULARY[n] for n in np.argsort(-row, kind="stable")[:5]]


def test_tables_and_models_that_do_not_fit(tmp_path: Path) -> None:
    folder = _saved(tmp_path / "doc")
    (folder / "idf.json").write_text(json.dumps({"quark": 1.0, "lepton": 2.0, "red": 1.0}))
    with pytest.raises(ModelError, match="its tokenizer knows 1 of 3 tokens"):
        load_encoder(folder, "sparse")
    (folder / "idf.json").write_text("[1, 2]")
    with pytest.raises(ModelError, match="is no table of token weights"):
        load_encoder(folder, "sparse")
    with pytest.raises(ModelError, match=r"has no array .*cls\.predictions"):
        load_encoder(write_bert(tmp_path / "plain", bert_weights()), "sparse")


def test_no_texts() -> None:
    empty = stack([])
    assert len(empty) == 0
    assert empty.indptr.tolist() == [0]
