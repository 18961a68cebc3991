"""``train tokens``: scores by plain numpy and by sentence-transformers, whole runs, stopped runs, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel._errors import ModelError, UsageError
from bookwheel.encode.options import Options
from bookwheel.encode.tokens import load
from bookwheel.library.manifest import Manifest
from bookwheel.train import TokensOptions, train_tokens
from bookwheel.train.encoder import onnx
from bookwheel.train.kept import FOLDER
from bookwheel.train.lists import run as training
from bookwheel.train.tokens import training as late
from bookwheel.train.tokens.scoring import LateScorer

torch = pytest.importorskip("torch")
sentence_transformers = pytest.importorskip("sentence_transformers", reason="training token vectors needs bookwheel[train]")

from bookwheel.train.lists.batches import ListBatches  # noqa: E402
from bookwheel.train.memory.full import Full  # noqa: E402
from bookwheel.train.memory.loop import _losses  # noqa: E402
from bookwheel.train.memory.modules import last_layers, weights_from  # noqa: E402
from bookwheel.train.objectives.listwise import Listwise  # noqa: E402
from bookwheel.train.tokens.model import TokenScorer  # noqa: E402
from bookwheel.train.tokens.projection import principal  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

OPTIONS = TokensOptions(batch=4, others=3, tokens=32, dimension=16, layers=1, rate=2e-3, epochs=1)
PLAIN = Options(precision="fp32", threads=1)
QUERIES = ["the red bird", "sky, over"]
TEXTS = ["sky over the stone.", "a bird", "the blue sea, is far under the river and the green stone", "green stone"]


@pytest.fixture
def quick(quick_lists: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late, "CANDIDATES", 9)
    monkeypatch.setattr(late._Run, "candidates", 9)


def by_hand(model: TokenScorer, query: str, text: str) -> float:
    """The mean best match, one pair at a time, without the passage's punctuation."""
    with torch.no_grad():
        asked = model.states(model.tokenise([query], query=True))[0].numpy()
        tokens = model.tokenise([text])
        states = model.states(tokens)[0].numpy()
    words = model.inner.tokenizer.convert_ids_to_tokens(tokens["input_ids"][0].tolist())
    kept = [at for at, word in enumerate(words) if word.isalnum() or word.startswith(("[", "##"))]
    return float((asked @ states[kept].T).max(1).mean())


def test_scores_are_mean_best_matches_in_all_programs(base: Path, tmp_path: Path) -> None:
    """While training, as it is searched with, and in sentence-transformers."""
    model = TokenScorer(base, 32, projection=principal(TokenScorer(base, 32, 1 << 20), TEXTS, 16), scale=3.0).eval()
    expected = np.array([[by_hand(model, query, text) for text in TEXTS] for query in QUERIES])
    batch = model.lists(QUERIES, TEXTS * 2, np.zeros((2, 4), np.float32))
    with torch.no_grad():
        found = model(Listwise().prepare(batch)).view(2, 4).numpy() / 3.0
    np.testing.assert_allclose(found, expected, atol=1e-5)
    model.save(tmp_path / "out", False)
    onnx.write_onnx(tmp_path / "out")
    scorer = LateScorer(load(tmp_path / "out", PLAIN, "out"))
    np.testing.assert_allclose([scorer.score(query, TEXTS) for query in QUERIES], expected, atol=1e-4)
    again = TokenScorer(tmp_path / "out", 32, trained=True, scale=3.0).eval()
    with torch.no_grad():
        np.testing.assert_allclose(again(Listwise().prepare(batch)).view(2, 4).numpy() / 3.0, expected, atol=1e-5)
    theirs = sentence_transformers.MultiVectorEncoder(str(tmp_path / "out"), device="cpu")
    asked, texts = theirs.encode_query(QUERIES, convert_to_numpy=True), theirs.encode_document(TEXTS, convert_to_numpy=True)

    def unit(rows: np.ndarray) -> np.ndarray:
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    scores = [[(unit(query) @ unit(text).T).max(1).mean() for text in texts] for query in asked]
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    (tmp_path / "out" / "model.safetensors").unlink()  # the files for others
    for precision, near in (("fp32", 1e-4), ("int8", 0.05)):
        scorer = LateScorer(load(tmp_path / "out", Options(precision=precision, threads=1), "out"))
        np.testing.assert_allclose([scorer.score(query, TEXTS) for query in QUERIES], expected, atol=near)


def test_a_projection_begins_at_the_principal_directions(base: Path) -> None:
    """Orthonormal, the best for products of vectors, and whole where there is room for all."""
    whole = TokenScorer(base, 32, 1 << 20).eval()
    rows = principal(whole, TEXTS, 16)
    np.testing.assert_allclose(rows @ rows.T, np.eye(16), atol=1e-5)
    with torch.no_grad():
        tokens = whole.tokenise(TEXTS)
        states = whole.states(tokens)[tokens["attention_mask"].bool()].numpy()
    products = states @ states.T

    def lost(projection: np.ndarray) -> float:
        mapped = states @ projection.T
        return float(np.square(products - mapped @ mapped.T).sum())

    _, _, best = np.linalg.svd(states, full_matrices=False)
    assert lost(rows) == pytest.approx(lost(best[:16]), rel=1e-3, abs=1e-4)
    drawn, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((32, 16)))
    assert lost(rows) < 0.5 * lost(drawn.T.astype(np.float32))
    assert len(principal(whole, TEXTS, 400)) == 32


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_parts_of_a_batch_have_the_gradient_of_the_whole(base: Path, rows: int) -> None:
    model, goal = TokenScorer(base, 24, 8), Listwise(3.0)
    queries = [*QUERIES, "sea"]
    wanted = np.array([[0.2, 0.7], [0.9, 0.3], [0.5, 0.5]], np.float32)
    batch = model.lists(queries, [*TEXTS, "a", "red stone"], wanted)
    loss = goal.total(model, goal.prepare(batch)) / 3
    loss.backward()
    expected = {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}
    model.zero_grad()
    total = 0.0
    for part in _losses(goal, model, batch, rows):
        found = part()
        found.backward()
        total += float(found.detach())
    assert total == pytest.approx(float(loss.detach()), rel=1e-4)
    assert any("linear" in name for name in expected)
    for name, weight in model.named_parameters():
        if name in expected:
            torch.testing.assert_close(weight.grad, expected[name], rtol=1e-3, atol=1e-5)


def test_the_last_layers_are_trained_with_the_projection_behind_them(base: Path) -> None:
    model = TokenScorer(base, 24, 8)
    names = set(weights_from(model, 1))
    assert any("linear" in name for name in names)
    assert {name.split("layer.")[1][0] for name in names if ".layer." in name} == {"1"}
    assert not any("embeddings" in name for name in names)
    assert set(Full(layers=1).attach(model).trained()) == names
    with last_layers(model, 1):
        assert {name for name, weight in model.named_parameters() if weight.requires_grad} == names
    assert all(weight.requires_grad for weight in model.parameters())
    assert len(weights_from(model, 0)) == len(list(model.parameters()))


def test_a_run_is_written_as_a_model_that_a_library_takes(
    held: tuple, base: Path, tmp_path: Path, quick: None, planned: None, taken: None
) -> None:
    library, made, copy = held
    before = Manifest.read(library.path).version
    found = train_tokens(library, base, tmp_path / "tuned", options=OPTIONS, minutes=5)
    assert found.folder == str(tmp_path / "tuned"), str(found)
    assert (found.kind, found.loss, found.teacher) == ("tokens", "listwise", base.name)
    assert found.steps == len(found.losses) >= 4
    assert len(found.validation) == 3  # before the first step, half way, at the end
    assert found.recipe == "bm25 >> late(9, weight=0.5)"
    assert Manifest.read(library.path).version == before
    assert not (library.path / FOLDER).exists()
    card = (tmp_path / "tuned" / "README.md").read_text()
    for part in ("multi-vector", f"taught by {base.name}", "sentence-transformers: ", "- seed: 0", "weight=0.5"):
        assert part in card
    assert json.loads((tmp_path / "tuned" / "training.json").read_text())["kind"] == "tokens"
    assert "written to" in str(found)
    shutil.copytree(copy.path, tmp_path / "library")
    with bookwheel.open(tmp_path / "library", ram="4GB") as other:
        other.add_encoder("tokens", tmp_path / "tuned", kind="tokens")
        other.embed("tokens")
        query = next(iter(made.judged.values()))
        assert len(other.rank(query, k=5, recipe=found.recipe)) == 5
    with pytest.raises(UsageError, match="never written over"):
        train_tokens(library, base, tmp_path / "tuned")


def test_a_model_is_trained_on(
    library: bookwheel.Library, base: Path, tmp_path: Path, quick: None, planned: None, taken: None
) -> None:
    """What was written is a base, which keeps its projection and is compared with itself; it imitates another."""
    first = TokenScorer(base, 32, 8)
    first.save(tmp_path / "first", False)
    found = train_tokens(library, tmp_path / "first", tmp_path / "second", teacher=base, options=OPTIONS, minutes=5)
    assert [change.what for change in found.verdict.changes] == ["bm25 >> late(9, weight=0.5)", "the same with first before"]
    weight = TokenScorer(tmp_path / "second", 32, trained=True).inner[1].linear.weight
    assert weight.shape == (8, 32)
    assert not torch.equal(weight, first.inner[1].linear.weight)


def test_a_run_that_was_stopped_ends_with_the_same_weights(
    library: bookwheel.Library,
    base: Path,
    tmp_path: Path,
    quick: None,
    planned: None,
    taken: None,
    stopped_at: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(onnx, "write_onnx", lambda *_: None)
    whole = train_tokens(library, base, tmp_path / "whole", options=OPTIONS, minutes=5)
    with stopped_at(training, ListBatches, 6) as seen:
        train_tokens(library, base, tmp_path / "again", options=OPTIONS, minutes=5)
    monkeypatch.setattr("bookwheel.train.tokens.projection.principal", None)  # it was kept
    found = train_tokens(library, base, tmp_path / "again", options=OPTIONS, minutes=5)
    assert 1 not in seen
    np.testing.assert_allclose(found.losses, whole.losses, rtol=1e-4)
    scores = [LateScorer(load(tmp_path / name, PLAIN, name)).score(QUERIES[0], TEXTS) for name in ("again", "whole")]
    np.testing.assert_allclose(*scores, atol=1e-5)


def test_what_cannot_be_trained_is_told_and_nothing_changes(
    library: bookwheel.Library, base: Path, tmp_path: Path, quick: None
) -> None:
    marked = tmp_path / "marked"
    TokenScorer(base, 32, 8).save(marked, False)
    settings = marked / "sentence_bert_config.json"
    expansion = {"query_expansion": {"strategy": "fixed", "length": 8, "attend": False}, "query_length": 8}
    settings.write_text(json.dumps(json.loads(settings.read_text()) | expansion))
    with pytest.raises(UsageError, match="take the sentence encoder that it was made from"):
        train_tokens(library, marked, teacher=base, options=OPTIONS)
    with pytest.raises(UsageError, match="static has no transformer's weights"):
        train_tokens(library, "static")
    with pytest.raises(UsageError, match="imitates a teacher"):
        train_tokens(library, marked, options=TokensOptions(loss="margin-mse"))
    with pytest.raises(UsageError, match="at least 8 dimensions"):
        train_tokens(library, base, options=TokensOptions(dimension=2))
    with pytest.raises(ModelError, match="there is no"):
        train_tokens(library, "./nowhere")
    assert not (library.path / "models").exists()
