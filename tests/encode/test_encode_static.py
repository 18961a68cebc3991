"""The static encoder: sums of quantised rows, the same from texts and from word numbers, by numpy and by the kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bookwheel.encode.static.built_in as static
from bookwheel._errors import ModelError
from bookwheel.analysis.words import WordTable
from bookwheel.encode import DenseEncoder, load_encoder
from bookwheel.encode.find import BUILT_IN_MODELS

PIECES = ["red", "green", "##ish", "apple", "##s", "zero"]
VECTORS = np.array([[1, 0, 0], [0, 2, 0], [0, 0, 3], [1, 1, 1], [0, -1, 0.5], [0, 0, 0]], np.float32)
TEXTS = ["red apples", "Greenish, GREENISH!", "", "unknown ?", "zero", "apple red"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    static.write(tmp_path / "tiny", VECTORS, PIECES, name="tiny", revision="1", licence="none")
    return tmp_path / "tiny"


@pytest.fixture(scope="module")
def built_in() -> DenseEncoder:
    return load_encoder()


def test_a_text_is_the_unit_sum_of_its_pieces(folder: Path) -> None:
    encoder = load_encoder(folder)
    sums = np.array([VECTORS[[0, 3, 4]].sum(0), 2 * VECTORS[[1, 2]].sum(0), [0] * 3, [0] * 3, [0] * 3, VECTORS[[3, 0]].sum(0)])
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    expected = np.divide(sums, lengths, out=np.zeros_like(sums), where=lengths > 0)
    np.testing.assert_allclose(encoder.encode(TEXTS), expected, atol=0.01)  # 8 bits a value
    assert encoder.encode([]).shape == (0, 3)
    assert (encoder.name, encoder.revision, encoder.dimension) == ("tiny", "1", 3)
    assert isinstance(encoder, DenseEncoder)


SOME = ["heart", "attack", "Python's", "naïve", "running", "café", "北京", "x86_64", "snake_case", "the", "of,", "(qzx)", "..."]
WORDS = st.lists(st.sampled_from(SOME))


@settings(max_examples=30, deadline=None)
@given(batches=st.lists(st.lists(WORDS.map(" ".join), max_size=5), max_size=3))
def test_words_and_texts_give_the_same_vectors(built_in, batches: list[list[str]]) -> None:  # type: ignore[no-untyped-def]
    table = WordTable()
    for texts in batches:
        vectors = built_in.encode_words(*table.ids(texts), table)
        np.testing.assert_allclose(vectors, built_in.encode(texts), atol=1e-5)
        lengths = np.linalg.norm(vectors, axis=1)
        assert np.all((lengths == 0) | (np.abs(lengths - 1) < 1e-5))


def test_the_kernel_equals_numpy(built_in, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    texts = [line for path in sorted(Path(__file__).parent.glob("*.py")) for line in path.read_text("utf-8").splitlines()]
    monkeypatch.setattr(static, "FEW", 10**9)
    by_numpy = built_in.encode(texts)
    monkeypatch.setattr(static, "FEW", -1)
    np.testing.assert_allclose(built_in.encode(texts), by_numpy, atol=1e-5)
    assert (np.linalg.norm(by_numpy, axis=1) > 0).any()


def test_the_kernel_passes_over_numbers_outside_its_arrays() -> None:
    from bookwheel.kernels.pool import pool

    out = np.full((3, 2), 7, np.float32)
    vectors, scales = np.array([[1, 0], [0, 1]], np.int8), np.ones(2, np.float32)
    pool(
        np.array([-5, 3, 99, 1], np.int64),
        np.array([0, -1, 9, 1], np.int32),
        np.array([-3, 2, 77], np.int64),
        np.array([0, 5, -2], np.int32),
        vectors,
        scales,
        out,
    )
    np.testing.assert_array_equal(out, [[1, 0], [0, 0], [0, 0]])


def test_scanning_the_vocabulary_and_a_dictionary_of_it_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [*SOME, "unaffable", "angiotensin's", "qzx", "the", "ＡＢ", "\ud800"]
    scanned = static.load(BUILT_IN_MODELS["static"]).word_rows(words)
    monkeypatch.setattr(static, "SCANS", 0)
    by_dictionary = static.load(BUILT_IN_MODELS["static"]).word_rows(words)
    for one, other in zip(scanned, by_dictionary, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(scanned[1]) >= len(words) - 2


def test_each_character_is_scanned_for_once() -> None:
    """In a script without spaces each is looked up by itself."""
    encoder = static.load(BUILT_IN_MODELS["static"])
    _, rows = encoder.word_rows(["図書館" * 1000])
    assert len(rows) >= 1000
    assert encoder._tokenizer._first.cache_info().misses == 3


@settings(max_examples=30, deadline=None)
@given(words=WORDS, order=st.randoms(use_true_random=False))
def test_order_case_and_accents_do_not_matter(built_in, words: list[str], order) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(words)
    order.shuffle(shuffled)
    first, *others = built_in.encode([" ".join(words), " ".join(shuffled), " ".join(words).upper().replace("Ï", "I")])
    for other in others:
        np.testing.assert_allclose(other, first, atol=1e-5)


def test_the_built_in_model_is_whole_small_and_means_something(built_in) -> None:  # type: ignore[no-untyped-def]
    assert built_in.verify() == []
    assert sum(path.stat().st_size for path in BUILT_IN_MODELS["static"].iterdir()) <= 10_000_000
    assert built_in.description["licence"] == "Apache-2.0"
    near = [("doctor", "physician"), ("car", "automobile"), ("heart attack", "myocardial infarction"), ("cheap", "inexpensive")]
    far = built_in.encode(["violin concerto"])[0]
    for one, other in near:
        a, b = built_in.encode([one, other])
        assert a @ b > a @ far + 0.2


def test_a_query_needs_no_compiler(child_environment: dict[str, str]) -> None:
    code = "import sys; from bookwheel.encode import load_encoder as l; l().encode(['a query']); print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=child_environment)
    assert done.stdout.strip() == "False"


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda f: (f / "config.json").unlink(), "config.json is missing"),
        (lambda f: (f / "config.json").write_text("{"), "config.json is not readable"),
        (lambda f: (f / "config.json").write_text("[]"), "config.json is not readable"),
        (lambda f: _config(f, files={}), "config.json lacks"),
        (lambda f: _config(f, format=2), "format 2"),
        (lambda f: _config(f, dimension=4), "does not fit together"),
        (lambda f: (f / "vectors.npy").unlink(), "vectors.npy is missing"),
        (lambda f: _cut(f / "vectors.npy"), "vectors.npy has .* bytes where"),
        (lambda f: _cut(f / "vocabulary.txt"), "vocabulary.txt has"),
        (lambda f: (f / "scales.npy").write_bytes(b"x" * (f / "scales.npy").stat().st_size), "not readable"),
    ],
)
def test_damage_is_named(folder: Path, harm, words: str) -> None:  # type: ignore[no-untyped-def]
    harm(folder)
    with pytest.raises(ModelError, match=words) as told:
        load_encoder(folder)
    assert "\n" not in str(told.value)


def test_altered_contents_are_found(folder: Path) -> None:
    path = folder / "vocabulary.txt"
    path.write_bytes(path.read_bytes().replace(b"red", b"bed"))
    encoder = load_encoder(folder)
    assert isinstance(encoder, static.StaticEncoder)
    assert ["vocabulary.txt" in problem for problem in encoder.verify()] == [True]
    path.write_bytes(path.read_bytes().replace(b"zero", b"ze\no"))
    with pytest.raises(ModelError, match=r"7 words in vocabulary\.txt"):
        load_encoder(folder).encode(["red"])


def test_an_unknown_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no encoder 'nope'"):
        load_encoder("nope")
    with pytest.raises(ModelError, match="holds no encoder"):
        load_encoder(tmp_path)
