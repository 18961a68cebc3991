"""Folders in model2vec's and WordLlama's layouts, built here, against means worked out by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bookwheel._errors import ModelError
from bookwheel.encode import load_encoder

tokenizers = pytest.importorskip("tokenizers", reason="the extra `models` is not installed")
numpy_tensors = pytest.importorskip("safetensors.numpy", reason="safetensors, which writes the files, is not installed")

WORDS = ["[UNK]", "red", "green", "blue"]
VECTORS = np.array([[9, 9], [1, 0], [0, 1], [3, 4]], np.float32)


def _tokenizer(path: Path) -> None:
    model = tokenizers.models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.enable_padding(length=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path))


def _model2vec(folder: Path, **tensors: np.ndarray) -> Path:
    _tokenizer(folder / "tokenizer.json")
    (folder / "config.json").write_text('{"normalize": true}')
    numpy_tensors.save_file(tensors, folder / "model.safetensors")
    return folder


def _wordllama(folder: Path, vectors: np.ndarray) -> Path:
    _tokenizer(folder / "tokenizers" / "l2_tokenizer_config.json")
    (folder / "weights").mkdir()
    numpy_tensors.save_file({"embedding.weight": vectors}, folder / "weights" / "l2_256.safetensors")
    return folder


def _unit(*rows: list[float]) -> np.ndarray:
    return np.array([np.array(row) / max(float(np.linalg.norm(row)), 1e-9) for row in rows], np.float32)


def test_model2vec_plain(tmp_path: Path) -> None:
    encoder = load_encoder(_model2vec(tmp_path / "plain", embeddings=VECTORS.astype(np.float16)))
    expected = _unit([1, 1], [4, 4], [0, 0], [0, 0])  # an unknown word is left out
    np.testing.assert_allclose(encoder.encode(["red green", "blue red what", "", "what"]), expected, atol=1e-6)
    assert (encoder.name, encoder.dimension, len(encoder.sha256)) == ("plain", 2, 64)
    assert not hasattr(encoder, "encode_words")


def test_model2vec_with_weights_mapping_and_int8(tmp_path: Path) -> None:
    tensors = {
        "embeddings": np.array([[1, 0], [0, 1]], np.int8),
        "weights": np.array([5, 2, 3, 7], np.float32),
        "mapping": np.array([0, 0, 1, 1], np.int64),
    }
    encoder = load_encoder(_model2vec(tmp_path, **tensors))
    np.testing.assert_allclose(encoder.encode(["red green", "blue"]), _unit([2, 3], [0, 7]), atol=1e-6)


def test_model2vec_looks_at_512_tokens(tmp_path: Path) -> None:
    encoder = load_encoder(_model2vec(tmp_path, embeddings=VECTORS))
    np.testing.assert_allclose(encoder.encode(["red " * 512 + "green " * 99]), _unit([1, 0]), atol=1e-6)


def test_wordllama(tmp_path: Path) -> None:
    encoder = load_encoder(_wordllama(tmp_path, VECTORS))
    np.testing.assert_allclose(encoder.encode(["red blue", "", "what"]), _unit([4, 4], [0, 0], [9, 9]), atol=1e-6)
    assert encoder.name == "l2_256"


def test_wordllama_gives_tokens_beyond_the_table_the_last_vector(tmp_path: Path) -> None:
    encoder = load_encoder(_wordllama(tmp_path, VECTORS[:3]))
    np.testing.assert_allclose(encoder.encode(["blue"]), _unit([0, 1]), atol=1e-6)


def test_several_wordllama_models_in_one_folder_are_refused(tmp_path: Path) -> None:
    _wordllama(tmp_path, VECTORS)
    numpy_tensors.save_file({"embedding.weight": VECTORS}, tmp_path / "weights" / "l2_64.safetensors")
    with pytest.raises(ModelError, match=r"several models \(l2_256\.safetensors, l2_64\.safetensors\)"):
        load_encoder(tmp_path)


def test_the_checksum_tells_models_apart(tmp_path: Path) -> None:
    one = load_encoder(_model2vec(tmp_path / "a", embeddings=VECTORS))
    other = load_encoder(_model2vec(tmp_path / "b", embeddings=VECTORS + 1))
    again = load_encoder(_model2vec(tmp_path / "c", embeddings=VECTORS))
    assert one.sha256 == again.sha256 != other.sha256


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"other": VECTORS}, "no array 'embeddings'"),
        ({"embeddings": VECTORS[:2]}, "tokenizer of 4 tokens and vectors for 2"),
        ({"embeddings": VECTORS[0]}, "two dimensions"),
        ({"embeddings": VECTORS * np.nan}, "not finite"),
        ({"embeddings": VECTORS, "weights": np.ones(3, np.float32)}, "3 weights for 4 tokens"),
        ({"embeddings": VECTORS, "mapping": np.array([0, 1, 2, 9])}, "mapping to vector 9"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, tensors: dict[str, np.ndarray], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        load_encoder(_model2vec(tmp_path, **tensors))


def test_truncated_files_are_named(tmp_path: Path) -> None:
    folder = _model2vec(tmp_path, embeddings=VECTORS)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-3])
    with pytest.raises(ModelError, match=r"model\.safetensors is truncated"):
        load_encoder(folder)
    (folder / "model.safetensors").write_bytes(whole)
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match=r"tokenizer\.json is not readable"):
        load_encoder(folder)


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _model2vec(tmp_path, embeddings=VECTORS)
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ModelError, match=r"pip install 'bookwheel\[models\]'"):
        load_encoder(folder)
