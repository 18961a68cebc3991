"""``train sparse``: the least squares against plain numpy, whole runs with a small model, stopped runs, and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel import Document
from bookwheel._errors import InputError, UsageError
from bookwheel.cli.main import main
from bookwheel.encode import load_encoder
from bookwheel.encode.protocols import SparseVectors
from bookwheel.encode.sparse import stack
from bookwheel.train import train_sparse
from bookwheel.train.kept import FOLDER, Kept
from bookwheel.train.sparse import teaching
from bookwheel.train.sparse.result import SparseTraining
from bookwheel.train.sparse.table import Postings, Rows, fitted, idf_of, rows_of, self_weights

SIZE = 30


def vectors(draw: np.random.Generator, count: int) -> SparseVectors:
    rows = []
    for _ in range(count):
        terms = np.sort(draw.choice(SIZE, draw.integers(1, 12), replace=False)).astype(np.int32)
        rows.append((terms, draw.uniform(0.1, 2, len(terms)).astype(np.float32)))
    return stack(rows)


def dense(some: SparseVectors) -> np.ndarray:
    out = np.zeros((len(some), SIZE))
    for at in range(len(some)):
        terms, weights = some.row(at)
        out[at, terms] = weights
    return out


# -- the table ---------------------------------------------------------------------------------------------------------


def by_table(table: np.ndarray, tokens: list[np.ndarray]) -> SparseVectors:
    """Queries of a model that does no more than weigh tokens."""
    return stack([(some, table[some].astype(np.float32)) for some in tokens])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_a_model_that_only_weighs_tokens_is_imitated_exactly(seed: int) -> None:
    draw = np.random.default_rng(seed)
    passages = vectors(draw, int(draw.integers(2, 60)))
    tokens = [np.sort(draw.choice(SIZE, draw.integers(1, 8), replace=False)).astype(np.int32) for _ in range(12)]
    table = draw.uniform(0.1, 2, SIZE)
    queries, postings = by_table(table, tokens), Postings(passages, SIZE)
    for at in range(len(tokens)):
        expected = dense(passages) @ dense(queries)[at]
        np.testing.assert_allclose(postings.scores(*queries.row(at)), expected, atol=1e-5)
    rows = rows_of(postings, tokens, queries, 0)
    np.testing.assert_allclose(_made(rows, table), rows.targets, atol=1e-5)
    found = fitted(rows, np.ones(SIZE), 1e-6)
    assert (found >= 0).all()
    before, after = (float(((_made(rows, some) - rows.targets) ** 2).sum()) for some in (np.ones(SIZE), found))
    assert after <= 0.02 * before + 1e-6
    np.testing.assert_allclose(fitted(rows, table, 1e9), table, atol=1e-5)


def _made(rows: Rows, table: np.ndarray) -> np.ndarray:
    return np.bincount(rows.rows, rows.values * table[rows.tokens], minlength=len(rows.targets))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 1.0, 10.0]))
def test_the_fit_is_the_least_of_all_tables(seed: int, pull: float) -> None:
    """No table near it is better (the loss is convex), and none of its weights is below 0."""
    draw = np.random.default_rng(seed)
    tokens = [np.sort(draw.choice(SIZE, 4, replace=False)).astype(np.int32) for _ in range(20)]
    rows = rows_of(Postings(vectors(draw, 40), SIZE), tokens, vectors(draw, 20), 0)
    start = draw.uniform(0, 1, SIZE)

    def loss(table: np.ndarray) -> float:
        return float(((_made(rows, table) - rows.targets) ** 2).sum() + pull * ((table - start) ** 2).sum())

    found = fitted(rows, start, pull)
    assert (found >= 0).all()
    assert loss(found) <= loss(start)
    for _ in range(50):
        other = np.maximum(found + draw.normal(0, 0.05, SIZE), 0)
        assert loss(found) <= loss(other) + 1e-3 * loss(start)


def test_rare_tokens_weigh_what_their_rarity_suggests() -> None:
    tokens = [np.array([0, 1], np.int32), np.array([0, 2], np.int32), np.array([0, 3], np.int32)] * 10
    idf = idf_of(tokens, 6)
    assert idf[0] < idf[1] == idf[2] < idf[4] == idf[5]
    queries = stack([(some, np.array([0.2, 1.0], np.float32)) for some in tokens])
    weights = self_weights(tokens, queries, idf)
    assert abs(weights[0] - 0.2) < 0.05
    assert abs(weights[1] - 1.0) < 0.1
    assert weights[4] == weights[5] >= weights[1]  # never seen: rarer still


# -- whole runs --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def splade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A masked language model of two small layers with random weights, which reads any English text."""
    for needed in ("onnxruntime", "tokenizers", "safetensors"):
        pytest.importorskip(needed, reason="the extra `models` is not installed")
    sys.path.append(str(Path(__file__).parents[1] / "encode"))
    try:
        import encoder_models as models
    finally:
        sys.path.pop()
    weights = {
        name if name.startswith("cls.") else f"bert.{name}": array for name, array in models.bert_weights(3, mlm=True).items()
    }
    folder = models.write_bert(tmp_path_factory.mktemp("models") / "splade", weights, architectures=["BertForMaskedLM"])
    (folder / "modeling.py").write_text("raise SystemExit('a model folder is never run')")
    return Path(folder)


@pytest.fixture(scope="module")
def docs(prose: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "library"
    with bookwheel.open(path, create=True, language="english", encoder=None) as library:
        library.add([Document(str(n), text[:300], title=title) for n, (title, text) in enumerate(prose[:140])], workers=1)
    return path


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teaching, "QUERIES", 150)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever held-out queries say, the model is taken: what is tested here is the way, not the gain."""
    monkeypatch.setattr(SparseTraining, "reason", "")


def test_queries_then_need_no_model(docs: Path, splade: Path, tmp_path: Path, taken: None) -> None:
    found = train_sparse(docs, tmp_path / "model", teacher=splade, seed=1)
    assert found.folder == str(tmp_path / "model")
    assert {path.name for path in tmp_path.iterdir()} == {"model"}
    assert not (docs / FOLDER).exists()
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert {"README.md", "idf.json", "config.json", "model.safetensors", "tokenizer.json"} <= names
    assert "modeling.py" not in names
    before: Any = load_encoder(splade, "sparse")
    after: Any = load_encoder(tmp_path / "model", "sparse")
    assert after.inference_free
    assert not before.inference_free
    for text in ("a lock that many threads share", "parse the arguments"):
        mine, own = (dict(zip(*map(list, one.encode([text]).row(0)), strict=True)) for one in (before, after))
        assert own.items() <= mine.items()
        assert not (mine.keys() - own.keys()) & set(after.tokens([text])[0].tolist())  # special tokens, which no query has
        terms, weights = after.encode_queries([text]).row(0)
        assert set(terms.tolist()) <= set(after.tokens([text])[0].tolist())
        assert (weights > 0).all()
    with pytest.raises(UsageError, match="never written over"):
        train_sparse(docs, tmp_path / "model", teacher=splade)
    with pytest.raises(UsageError, match="reads no queries already"):
        train_sparse(docs, tmp_path / "other", teacher=tmp_path / "model")


def test_a_stopped_run_goes_on_and_ends_alike(
    docs: Path, splade: Path, tmp_path: Path, taken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_sparse(docs, tmp_path / "whole", teacher=splade)
    writes, write = [], Kept.write

    def stopping(self: Kept, name: str, arrays: Any) -> None:
        write(self, name, arrays)
        writes.append(name)
        if len(writes) in (2, 5):
            raise KeyboardInterrupt

    monkeypatch.setattr(Kept, "write", stopping)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train_sparse(docs, tmp_path / "again", teacher=splade)
        assert not (tmp_path / "again").exists()
    again = train_sparse(docs, tmp_path / "again", teacher=splade)
    assert (again.change, again.pull, again.tokens) == (whole.change, whole.pull, whole.tokens)
    assert (tmp_path / "again" / "idf.json").read_bytes() == (tmp_path / "whole" / "idf.json").read_bytes()


def test_a_table_that_loses_is_not_written(docs: Path, splade: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SparseTraining, "reason", "it loses")
    found = train_sparse(docs, tmp_path / "model", teacher=splade)
    assert found.folder is None
    assert "Nothing was written: it loses" in str(found)
    assert list(tmp_path.iterdir()) == []


def test_from_the_command_line(docs: Path, splade: Path, tmp_path: Path, taken: None, capsys) -> None:
    at = ["--library", str(docs)]
    assert main(["train", "sparse", *at, "--teacher", str(splade), "--out", str(tmp_path / "m"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["folder"] == str(tmp_path / "m")
    assert told["queries"] >= 100
    for arguments, said in (
        ([], "no sparse encoder"),
        (["--teacher", str(tmp_path / "none")], "none"),
        (["--teacher", "static"], "static gives dense vectors"),
        (["--teacher", str(splade), "--minutes", "0"], "minutes"),
    ):
        assert main(["train", "sparse", *at, *arguments]) == 2
        assert said in capsys.readouterr().err


def test_too_little_to_learn_from_is_a_sentence(splade: Path, tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "small", create=True, encoder=None) as library:
        library.add(["One short text.", "And another one."])
    with pytest.raises(InputError, match="index more documents"):
        train_sparse(tmp_path / "small", teacher=splade)
