"""``train reranker``: losses by plain numpy, whole runs on a library of real texts, stopped runs, and what is refused."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel._errors import BudgetError, ModelError, TrainingError, UsageError
from bookwheel.encode import load_encoder
from bookwheel.encode.cross import CrossEncoder
from bookwheel.encode.options import Options
from bookwheel.hits import Hits
from bookwheel.library.manifest import Manifest
from bookwheel.train import RerankerOptions, train_reranker
from bookwheel.train.data.material import Material
from bookwheel.train.data.negatives import NONE
from bookwheel.train.data.passages import Passages
from bookwheel.train.data.sources import pairs_of, source_of
from bookwheel.train.encoder import onnx
from bookwheel.train.kept import FOLDER, Kept
from bookwheel.train.lists import run as training
from bookwheel.train.lists.candidates import DEEP, Lists, candidates_of
from bookwheel.train.lists.comparing import FIRST, Candidates
from bookwheel.train.reranker.stage import CANDIDATES, RerankerRun
from bookwheel.train.teachers.vectors import DenseTeacher

torch = pytest.importorskip("torch")
pytest.importorskip("sentence_transformers", reason="training rerankers needs bookwheel[train]")

from bookwheel.train.lists.batches import ListBatches  # noqa: E402
from bookwheel.train.memory import Plan, planner  # noqa: E402
from bookwheel.train.memory.loop import _losses  # noqa: E402
from bookwheel.train.objectives.listwise import Listwise  # noqa: E402
from bookwheel.train.objectives.localized_contrast import LocalizedContrast  # noqa: E402
from bookwheel.train.objectives.margin_mse import MarginMSE  # noqa: E402
from bookwheel.train.reranker.model import CrossScorer  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

OPTIONS = RerankerOptions(batch=4, others=3, tokens=32, rate=2e-3, epochs=1)
PLAIN = Options(precision="fp32", threads=1)
SCORES = np.array([[0.3, -1.2, 2.0, 0.1], [1.5, 1.4, -0.2, 0.0]], np.float32)
WANTED = np.array([[0.9, 0.7, 0.8, 0.1], [0.6, 0.65, 0.2, 0.3]], np.float32)


sys.path.append(str(Path(__file__).parents[1] / "encode"))
try:
    import encoder_models as models
finally:
    sys.path.pop()


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Such a model with a head of one output."""
    folder = tmp_path_factory.mktemp("cross") / "crossed"
    labels = {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}
    weights = models.bert_weights(4, prefix="bert.", labels=1)
    return models.write_bert(folder, weights, architectures=["BertForSequenceClassification"], **labels)


@pytest.fixture
def quick(quick_lists: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RerankerRun, "candidates", 5)


# -- losses ------------------------------------------------------------------------------------------------------------


def softmax(row: np.ndarray) -> np.ndarray:
    return np.exp(row - row.max()) / np.exp(row - row.max()).sum()


def test_margin_mse_is_the_square_of_what_margins_differ_by() -> None:
    by_hand = [
        np.mean([((row[0] - row[at]) - 20 * (told[0] - told[at])) ** 2 for at in (1, 2, 3)])
        for row, told in zip(SCORES, WANTED, strict=True)
    ]
    found = MarginMSE(20.0).losses(torch.tensor(SCORES), torch.tensor(WANTED))
    np.testing.assert_allclose(found, by_hand, rtol=1e-5)
    moved = MarginMSE(20.0).losses(torch.tensor(SCORES + 7), torch.tensor(WANTED - 3))
    np.testing.assert_allclose(moved, by_hand, rtol=1e-3)


def test_listwise_is_the_divergence_of_two_softmaxes() -> None:
    by_hand = []
    for row, told in zip(SCORES, WANTED, strict=True):
        theirs, own = softmax(20 * told), softmax(row)
        by_hand.append(sum(p * np.log(p / q) for p, q in zip(theirs, own, strict=True)))
    found = Listwise(20.0).losses(torch.tensor(SCORES), torch.tensor(WANTED))
    np.testing.assert_allclose(found, by_hand, rtol=1e-4)
    same = Listwise(20.0).losses(torch.tensor(20 * WANTED), torch.tensor(WANTED))
    np.testing.assert_allclose(same, 0, atol=1e-6)


def test_contrast_is_the_answers_cross_entropy() -> None:
    by_hand = [-np.log(softmax(row)[0]) for row in SCORES]
    found = LocalizedContrast().losses(torch.tensor(SCORES), torch.tensor(WANTED * np.nan))
    np.testing.assert_allclose(found, by_hand, rtol=1e-5)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_parts_of_a_batch_have_the_gradient_of_the_whole(base: Path, rows: int) -> None:
    """Lists in parts, with padding cut away, against all pairs scored one at a time."""
    model, goal = CrossScorer(base, 24), Listwise(3.0)
    queries = ["the sea", "a red bird sings", "sky"]
    texts = ["the river flows", "bird", "the blue sea is far under the green stone", "sky", "a", "red stone"]
    wanted = torch.tensor([[0.2, 0.7], [0.9, 0.3], [0.5, 0.5]])
    scores = []
    for at, text in enumerate(texts):
        scores.append(model(model.tokenise([queries[at // 2]], [text])))
    theirs = torch.softmax(3.0 * wanted, 1)
    loss = (theirs * (theirs.log() - torch.log_softmax(torch.cat(scores).view(3, 2), 1))).sum() / 3
    loss.backward()
    expected = {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}
    model.zero_grad()
    tokens = model.tokenise([queries[at // 2] for at in range(6)], texts)
    batch = {
        "ids": tokens["input_ids"].view(3, 2, -1),
        "mask": tokens["attention_mask"].view(3, 2, -1),
        "types": tokens["token_type_ids"].view(3, 2, -1),
        "wanted": wanted,
    }
    total = 0.0
    for part in _losses(goal, model, batch, rows):
        found = part()
        found.backward()
        total += float(found.detach())
    assert total == pytest.approx(float(loss.detach()), rel=1e-4)
    for name, weight in model.named_parameters():
        if name in expected:
            torch.testing.assert_close(weight.grad, expected[name], rtol=1e-3, atol=1e-5)


# -- data --------------------------------------------------------------------------------------------------------------


def test_candidates_are_of_other_documents_with_the_teachers_cosines(
    held: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, _, copy = held
    passages = Passages.drawn(copy._snapshot, 60, 0)
    pairs = list(pairs_of(Material(library, copy, passages, 0), [source_of("titles")], []))[:150]
    judge, told = load_encoder(), []
    (tmp_path / "library").mkdir()
    kept = Kept(tmp_path / "library", "x")
    found = candidates_of(copy, pairs, DenseTeacher(judge), kept, lambda: False, told.append)
    assert found.passages.shape == (150, DEEP)
    assert sum(told) == 150
    store = copy._snapshot.store
    for pair, numbers, wanted in list(zip(pairs, found.passages.tolist(), found.wanted, strict=True))[::10]:
        there = [number for number in numbers if number != NONE]
        assert len(set(there)) == len(there) > 3
        owners = store.documents_of(there)
        assert all(owners[number][0] != pair.document for number in there)
        query, answer = judge.encode([pair.query, pair.answer])
        texts = [f"{title}\n{text}" if title and title != text else text for title, text in map(store.texts(there).get, there)]
        np.testing.assert_allclose(wanted[0], query @ answer, atol=1e-5)
        np.testing.assert_allclose(wanted[1 : len(there) + 1], judge.encode(texts) @ query, atol=1e-5)
        assert np.isnan(wanted[len(there) + 1 :]).all()
    silent = DenseTeacher(judge)
    monkeypatch.setattr(silent, "scores", None)  # nothing is left to be asked
    again = candidates_of(copy, pairs, silent, kept, lambda: False)
    np.testing.assert_array_equal(again.passages, found.passages)
    (tmp_path / "other").mkdir()
    short = candidates_of(copy, pairs, DenseTeacher(judge), Kept(tmp_path / "other", "y"), lambda: True)
    assert len(short) == 128


def test_what_may_be_an_answer_is_no_negative() -> None:
    wanted = np.array([[0.8, 0.79, 0.5, np.nan], [0.2, 0.1, 0.9, 0.15]], np.float32)
    found = Lists(np.array([[5, 6, NONE], [7, 8, 9]]), wanted).no_answers()
    assert found.passages.tolist() == [[NONE, 6, NONE], [7, NONE, 9]]
    assert found.count.tolist() == [1, 2]


def test_reranking_is_measured_as_the_recipe_ranks(held: tuple, crossed: Path) -> None:
    """Candidates, weights and documents as the stage has them."""
    _, made, copy = held
    queries = list(made.judged)[:6]
    asked = Candidates(copy, made, queries, CANDIDATES)
    scores = asked.scored(CrossEncoder(crossed))
    texts = [made.queries[one] for one in queries]
    for weight in (FIRST, 0.5, 1.0):
        recipe = "bm25" if weight == FIRST else f'bm25 >> cross({CANDIDATES}, model="{crossed}", weight={weight})'
        ranked = copy.rank_documents(texts, k=10, recipe=recipe)
        values = asked.values(scores, weight)
        for query, names in zip(queries, ranked, strict=True):
            gains = [made.qrels[query].get(name, 0) / np.log2(place + 2) for place, (name, _) in enumerate(names)]
            assert values[query] == pytest.approx(sum(gains), abs=1e-6)  # one answer of grade 1
    assert asked._ordered(Hits(np.array([3]), np.array([1.0], np.float32)), np.array([1.0]), 1.0) == [3]


def test_of_equals_the_first_stage_is_taken_then_the_last_step() -> None:
    assert training._best({(9, FIRST): 0.5, (4, 0.5): 0.5, (9, 0.25): 0.5}) == (9, FIRST)
    assert training._best({(9, FIRST): 0.4, (4, 0.5): 0.5, (9, 0.5): 0.5, (9, 0.75): 0.5}) == (9, 0.5)
    assert training._best({(9, FIRST): 0.4, (4, 0.5): 0.6, (9, 0.5): 0.5}) == (4, 0.5)


# -- runs --------------------------------------------------------------------------------------------------------------


def test_a_run_is_written_as_a_model_that_the_stage_loads(
    held: tuple, base: Path, tmp_path: Path, quick: None, planned: None, taken: None
) -> None:
    library, made, copy = held
    before = Manifest.read(library.path).version
    found = train_reranker(library, base, tmp_path / "tuned", options=OPTIONS, minutes=5)
    assert found.folder == str(tmp_path / "tuned"), str(found)
    assert found.steps == len(found.losses) >= 4
    assert found.loss == "contrast"
    assert len(found.validation) == 2
    assert Manifest.read(library.path).version == before
    assert not (library.path / FOLDER).exists()
    card = (tmp_path / "tuned" / "README.md").read_text()
    for part in ("text-ranking", "without a teacher", "torch, transformers: ", "- seed: 0", "weight=0.5"):
        assert part in card
    assert (tmp_path / "tuned" / "training.svg").read_text().startswith("<svg")
    assert json.loads((tmp_path / "tuned" / "training.json").read_text())["taken"] == found.taken == found.steps
    scorer = CrossScorer(tmp_path / "tuned", 99).eval()
    query, texts = "the red bird", ["sky over the stone", "a bird", "the blue sea is far under the river and the green stone"]
    with torch.no_grad():
        expected = scorer(scorer.tokenise([query] * 3, texts)).numpy()
    np.testing.assert_allclose(CrossEncoder(tmp_path / "tuned", PLAIN).score(query, texts), expected, atol=1e-4)
    assert np.ptp(expected) > 1e-3
    for precision, near in (("fp32", 1e-4), ("int8", 0.15)):  # the files for others, without the weights beside them
        plain = tmp_path / precision
        shutil.copytree(tmp_path / "tuned", plain)
        (plain / "model.safetensors").unlink()
        scores = CrossEncoder(plain, Options(precision=precision, threads=1)).score(query, texts)
        np.testing.assert_allclose(scores, expected, atol=near)
    assert found.recipe is not None
    assert len(copy.rank(next(iter(made.judged.values())), k=5, recipe=found.recipe)) == 5
    with pytest.raises(UsageError, match="never written over"):
        train_reranker(library, base, tmp_path / "tuned")


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
    """Stopped after the weights half way were kept; a teacher says what is wanted."""
    monkeypatch.setattr(onnx, "write_onnx", lambda *_: None)
    whole = train_reranker(library, base, tmp_path / "whole", teacher=base, options=OPTIONS, minutes=5)
    assert (whole.teacher, whole.loss) == (base.name, "listwise")
    with stopped_at(training, ListBatches, 7) as seen:
        train_reranker(library, base, tmp_path / "again", teacher=base, options=OPTIONS, minutes=5)
    assert len(list((library.path / FOLDER).glob("*/weights-*"))) == 1
    found = train_reranker(library, base, tmp_path / "again", teacher=base, options=OPTIONS, minutes=5)
    assert 1 not in seen
    np.testing.assert_allclose(found.losses, whole.losses, rtol=1e-4)
    scores = [
        CrossEncoder(tmp_path / name, PLAIN).score("a red bird", ["stone", "a bird of the sea"]) for name in ("again", "whole")
    ]
    np.testing.assert_allclose(*scores, atol=1e-5)


def test_a_cross_encoder_keeps_its_head_and_is_compared_with_itself(
    library: bookwheel.Library, crossed: Path, tmp_path: Path, quick: None, planned: None, taken: None
) -> None:
    scorer = CrossScorer(crossed, 16).eval()
    with torch.no_grad():
        scores = scorer(scorer.tokenise(["a bird"], ["the sea"])).numpy()
    np.testing.assert_allclose(scores, CrossEncoder(crossed, PLAIN).score("a bird", ["the sea"]), atol=1e-4)
    found = train_reranker(library, crossed, tmp_path / "tuned", options=OPTIONS, minutes=5)
    first, own = found.verdict.changes
    assert first.what == "bm25 >> cross(5, weight=0.5)"
    assert own.what == "the same with crossed before"
    assert first.after == own.after
    assert CrossScorer(tmp_path / "tuned", 1000).limit == CrossScorer(crossed, 1000).limit > OPTIONS.tokens


def test_what_gains_nothing_is_not_written(
    library: bookwheel.Library, base: Path, quick: None, planned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "WEIGHTS", (1.0,))  # random weights, and BM25 has no say
    found = train_reranker(library, base, options=OPTIONS, minutes=5)
    assert found.folder is None
    assert found.recipe is None
    assert "Nothing was written: on validation queries no share of its score raised nDCG@10" in str(found)
    assert not (library.path / "models").exists()


def test_what_cannot_be_trained_is_told_and_nothing_changes(
    library: bookwheel.Library, base: Path, crossed: Path, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"there are \d+ queries with 3 passages .* index more documents"):
        train_reranker(library, base, options=RerankerOptions(batch=1024, others=3, tokens=24))
    monkeypatch.setattr(training.ListRun, "ladder", ("adamw",))
    with pytest.raises(BudgetError, match=r"give --ram \d+"):
        train_reranker(library, base, ram="256MB", options=OPTIONS)
    monkeypatch.setattr(planner, "plan", lambda *_, objective, **__: Plan(1 << 40, "adamw", 8, 0, 0, objective=objective))
    with pytest.raises(TrainingError, match="became nan"):
        train_reranker(library, base, options=RerankerOptions(batch=4, others=3, tokens=24, rate=1e30))
    with pytest.raises(UsageError, match=r"static has no transformer's weights"):
        train_reranker(library, "static")
    with pytest.raises(UsageError, match="static is a static model"):
        train_reranker(library, base, teacher="static")
    three = tmp_path / "three"
    shutil.copytree(crossed, three)
    about = json.loads((three / "config.json").read_text())
    (three / "config.json").write_text(json.dumps(about | {"id2label": {"0": "a", "1": "b", "2": "c"}}))
    with pytest.raises(UsageError, match="has 3 outputs"):
        train_reranker(library, three)
    (three / "config.json").write_text(json.dumps(about | {"model_type": "gpt2"}))
    with pytest.raises(UsageError, match="is of type 'gpt2', which cannot score pairs"):
        train_reranker(library, three)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no transformer's weights"):
        train_reranker(library, tmp_path / "empty")
    with pytest.raises(ModelError, match="there is no"):
        train_reranker(library, "./nowhere")
    for wrong in (
        {"minutes": 0},
        {"sources": ()},
        {"options": RerankerOptions(others=0)},
        {"options": RerankerOptions(loss="hinge")},
        {"options": RerankerOptions(loss="margin-mse")},
    ):
        with pytest.raises(UsageError):
            train_reranker(library, base, **wrong)
    assert not (library.path / "models").exists()
