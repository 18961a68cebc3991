"""Token vectors against BERT in plain numpy: plain encoders, PyLate's and Stanford's ColBERT, and MUVERA's encodings."""

from __future__ import annotations

import json
import string
from pathlib import Path

import numpy as np
import pytest
from encoder_models import HIDDEN, TEXTS, VOCABULARY, bert_states, bert_weights, tokens_of, write_bert, write_modules

from bookwheel._errors import ModelError
from bookwheel.encode import load_encoder
from bookwheel.encode.protocols import TokenEncoder

WEIGHTS = bert_weights(5)
MASK, CLS, SEP, Q, D = (VOCABULARY.index(name) for name in ("[MASK]", "[CLS]", "[SEP]", "[unused0]", "[unused1]"))


@pytest.fixture(autouse=True)
def _needs_models(request: pytest.FixtureRequest) -> None:
    if "fixed" not in request.node.name:
        for package in ("onnxruntime", "tokenizers", "safetensors"):
            pytest.importorskip(package, reason="the extra `models` is not installed")


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_tokens_of_any_encoder(tmp_path: Path) -> None:
    folder = write_bert(tmp_path / "plain", WEIGHTS)
    encoder = load_encoder(folder, "tokens", precision="fp32")
    assert isinstance(encoder, TokenEncoder)
    found = encoder.encode(TEXTS)
    assert len(found) == len(TEXTS)
    for number, text in enumerate(TEXTS):
        vectors, spans = found.row(number)
        np.testing.assert_allclose(vectors, _unit(bert_states(WEIGHTS, tokens_of(folder, text))), atol=5e-6)
        assert len(spans) == len(vectors)
    words = [TEXTS[0][a:b] for a, b in found.row(0)[1]]
    assert words == ["", "the", "red", "bird", "sings", ""]
    assert encoder.encode([]).vectors.shape == (0, HIDDEN)


def _pylate(folder: Path, **overall: object) -> tuple[Path, np.ndarray]:
    from safetensors.numpy import save_file

    write_bert(folder, WEIGHTS)
    write_modules(folder, ("pylate.models.Dense.Dense", "1_Dense", {"activation_function": "torch.nn.modules.linear.Identity"}))
    weight = np.random.default_rng(1).standard_normal((12, HIDDEN)).astype(np.float32)
    save_file({"linear.weight": weight}, folder / "1_Dense" / "model.safetensors")
    config = {"query_prefix": "[unused0]", "document_prefix": "[unused1]", "query_length": 10, "document_length": 14, **overall}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(config))
    return folder, weight


@pytest.mark.parametrize("attend", [False, True])
def test_pylate(tmp_path: Path, attend: bool) -> None:
    folder, weight = _pylate(tmp_path / "pylate", attend_to_expansion_tokens=attend)
    encoder = load_encoder(folder, "tokens", precision="fp32")
    assert encoder.dimension == 12
    queries = encoder.encode_queries(TEXTS)
    for number, text in enumerate(TEXTS):
        ids = tokens_of(folder, text, 9)
        ids = [CLS, Q, *ids[1:]]
        states = bert_states(WEIGHTS, ids + [MASK] * (10 - len(ids)), attended=None if attend else len(ids))
        np.testing.assert_allclose(queries.row(number)[0], _unit(states @ weight.T), atol=5e-6)
    passages = encoder.encode(TEXTS)
    skipped = {VOCABULARY.index(c) for c in string.punctuation}
    for number, text in enumerate(TEXTS):
        ids = tokens_of(folder, text, 13)
        ids = [CLS, D, *ids[1:]]
        kept = [n for n, token in enumerate(ids) if token not in skipped]
        np.testing.assert_allclose(passages.row(number)[0], _unit(bert_states(WEIGHTS, ids)[kept] @ weight.T), atol=5e-6)


def test_pylate_without_expansion_and_skip_list(tmp_path: Path) -> None:
    folder, _ = _pylate(tmp_path / "pylate", do_query_expansion=False, skiplist_words=[])
    encoder = load_encoder(folder, "tokens")
    assert [len(encoder.encode_queries([text]).vectors) for text in ("sky", "red sky")] == [4, 5]
    assert len(encoder.encode(["red, sky!"]).vectors) == 7


def test_stanford(tmp_path: Path) -> None:
    weight = np.random.default_rng(2).standard_normal((8, HIDDEN)).astype(np.float32)
    named = {f"bert.{name}": array for name, array in WEIGHTS.items()}
    folder = write_bert(tmp_path / "colbert", {**named, "linear.weight": weight}, architectures=["HF_ColBERT"])
    (folder / "artifact.metadata").write_text(json.dumps({"query_maxlen": 8, "doc_maxlen": 20, "mask_punctuation": True}))
    encoder = load_encoder(folder, "tokens", precision="fp32")
    assert encoder.encode_queries(TEXTS).indptr.tolist() == [8 * n for n in range(len(TEXTS) + 1)]
    ids = [CLS, D, *tokens_of(folder, TEXTS[1], 19)[1:]]
    kept = [n for n, token in enumerate(ids) if VOCABULARY[token] != "."]
    vectors, spans = encoder.encode(TEXTS).row(1)
    np.testing.assert_allclose(vectors, _unit(bert_states(WEIGHTS, ids)[kept] @ weight.T), atol=5e-6)
    assert [TEXTS[1][a:b] for a, b in spans] == ["", "", "a", "river", "flows", "over", "the", "stone", ""]


def test_int8_tokens_are_near(tmp_path: Path) -> None:
    folder, _ = _pylate(tmp_path / "pylate")
    near, exact = (load_encoder(folder, "tokens", precision=p).encode(TEXTS) for p in ("int8", "fp32"))
    np.testing.assert_array_equal(near.indptr, exact.indptr)
    assert (near.vectors * exact.vectors).sum(1).mean() > 0.995


def test_a_model_that_does_not_fit(tmp_path: Path) -> None:
    folder, _ = _pylate(tmp_path / "pylate")
    config = {"activation_function": "torch.nn.modules.linear.Identity", "use_residual": True}
    (folder / "1_Dense" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="adds a residual"):
        load_encoder(folder, "tokens")
