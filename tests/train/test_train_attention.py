"""``train attention``: what is written ranks as it was measured, stopped runs, and what is refused."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel._errors import BudgetError, ModelError, RecipeError, UsageError
from bookwheel.rank.stages.head_weights import FILE, HeadWeights, named_file, read_heads
from bookwheel.rank.stages.rerank.attention import AttentionReranker, parse_heads, trained_reranker
from bookwheel.train import AttentionOptions, held_out, train_attention
from bookwheel.train.attention import training
from bookwheel.train.attention.tables import HeadTables
from bookwheel.train.kept import FOLDER
from bookwheel.train.lists.comparing import Candidates
from bookwheel.train.safety import Verdict

pytest.importorskip("torch")
pytest.importorskip("transformers")

from bookwheel.language import close_models, language_model

sys.path.append(str(Path(__file__).parents[1] / "rank"))
try:
    from language_tiny import saved, tiny_language_model
finally:
    sys.path.pop()

pytestmark = pytest.mark.filterwarnings("ignore")

OPTIONS = AttentionOptions(others=2)
TEXTS = ["a lens bends light", "heat flows from warm to cold", "x"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory):
    """The folder of a Llama of two layers of four heads, with random weights."""
    yield str(saved(tmp_path_factory.mktemp("attention") / "tiny"))
    close_models()


@pytest.fixture
def quick(held: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pairs and candidates, with the queries and the copy of ``held``."""
    monkeypatch.setattr(training, "PAIRS", 40)
    monkeypatch.setattr(training, "CANDIDATES", 3)
    monkeypatch.setattr(held_out, "made_collection", lambda *_, **__: held[1])
    monkeypatch.setattr(training, "searchable", lambda *_, **__: nullcontext(held[2]))


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever held-out queries say, the weights are taken: what is tested here is the way, not the gain."""
    monkeypatch.setattr(Verdict, "reason", "")
    monkeypatch.setattr(training, "_best", lambda _: 0.5)
    monkeypatch.setattr(training, "fitted", _some)


def _some(tables: np.ndarray, groups: list[int]) -> training.Fit:
    """Weights of a few heads, by what they give to answers."""
    assert tables.shape[1:] == (8, 3)
    assert len(groups) == len(tables)
    weights = np.maximum(tables[:, :, 0].mean(0), 0)
    weights[[0, 1]] = 0.25, 0.5
    return training.Fit(weights, 0.1, (1.0,))


def test_what_is_written_ranks_as_it_was_measured(held: tuple, model: str, tmp_path: Path, quick: None, taken: None) -> None:
    library, made, copy = held
    found = train_attention(library, model, tmp_path / "heads", options=OPTIONS, minutes=5, ram="4GB")
    assert found.folder == str(tmp_path / "heads"), str(found)
    assert found.layers == 2
    assert found.verdict.changes[0].queries == 40
    assert set(found.validation["trained"]) == {"0", "0.25", "0.5", "0.75", "1"}
    assert found.lists >= training.FEWEST_LISTS
    assert not (library.path / FOLDER).exists()
    written = read_heads(tmp_path / "heads" / FILE)
    assert [(*head, weight) for head, weight in zip(written.chosen, written.weights, strict=True)] == list(found.heads)
    assert {(0, 0), (0, 1)} <= set(written.chosen)
    assert "queries made of the library" in (tmp_path / "heads" / "README.md").read_text()
    assert json.loads((tmp_path / "heads" / "training.json").read_text())["recipe"] == found.recipe
    assert found.recipe == f'bm25 >> attention(3, model="{model}", heads="{tmp_path / "heads"}", weight=0.5)'
    queries = list(made.judged)[:5]
    asked = Candidates(copy, made, queries, 3)
    reranker = trained_reranker(language_model(model), model, written)
    scores = [reranker.rerank(query, texts).scores for _, query, texts in asked.texts()]
    values = asked.values(scores, 0.5)
    ranked = copy.rank_documents([made.queries[one] for one in queries], k=10, recipe=found.recipe)
    for query, names in zip(queries, ranked, strict=True):
        gains = [made.qrels[query].get(name, 0) / np.log2(place + 2) for place, (name, _) in enumerate(names)]
        assert values[query] == pytest.approx(sum(gains), abs=1e-6)


def test_a_run_that_was_stopped_reads_nothing_twice(
    library: bookwheel.Library, model: str, tmp_path: Path, quick: None, taken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped among the lists, then among the held-out queries."""
    whole = train_attention(library, model, tmp_path / "whole", options=OPTIONS, minutes=5, ram="4GB")
    weights, seen = AttentionReranker.weights, []

    def stopping(self: AttentionReranker, query: str, texts: list[str], **_: float) -> tuple:
        seen.append((query, *texts))
        if len(seen) in (7, whole.lists + 12):
            raise MemoryError
        return weights(self, query, texts)

    monkeypatch.setattr(AttentionReranker, "weights", stopping)
    for _ in range(2):
        with pytest.raises(MemoryError):
            train_attention(library, model, tmp_path / "again", options=OPTIONS, minutes=5, ram="4GB")
    found = train_attention(library, model, tmp_path / "again", options=OPTIONS, minutes=5, ram="4GB")
    assert len(seen) == len(set(seen)) + 2
    assert found.heads == whole.heads
    assert found.verdict == whole.verdict


def test_what_gains_nothing_is_not_written(
    library: bookwheel.Library, model: str, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HeadTables, "table", lambda *given: np.zeros((8, len(given[3]))))
    found = train_attention(library, model, options=OPTIONS, minutes=5, ram="4GB")
    assert (found.folder, found.recipe, found.heads, found.weight) == (None, None, (), 0)
    assert "Nothing was written: on validation queries no share of the heads' score raised nDCG@10" in str(found)
    assert not (library.path / "models").exists()


def test_heads_of_equal_weight_are_heads_without_weights() -> None:
    model = tiny_language_model()
    heads = ((0, 1), (1, 2), (1, 3))
    told = HeadWeights(model.layers, model.heads, model.parameters, heads, (0.5, 0.5, 0.5))
    plain = AttentionReranker(model, heads=heads, standardise=True, calibrate=False).rerank("warm light", TEXTS).scores
    np.testing.assert_allclose(trained_reranker(model, "tiny", told).rerank("warm light", TEXTS).scores, plain / 2, rtol=1e-4)
    one = HeadWeights(model.layers, model.heads, model.parameters, heads, (1e-9, 1.0, 1e-9))
    alone = AttentionReranker(model, heads=heads[1:2], standardise=True, calibrate=False).rerank("warm light", TEXTS).scores
    np.testing.assert_allclose(trained_reranker(model, "tiny", one).rerank("warm light", TEXTS).scores, alone, atol=1e-4)
    with pytest.raises(ModelError, match=r"of a model of 9 weights in 2 layers of 4 heads, and 'tiny' has"):
        trained_reranker(model, "tiny", HeadWeights(2, 4, 9, heads, (1.0,) * 3))


def test_paths_of_heads_are_told_from_names_and_numbers(tmp_path: Path) -> None:
    assert named_file("17.3 18.7") is None
    assert named_file("best") is None
    assert named_file("heads.json") == Path("heads.json")
    assert named_file(str(tmp_path)) == tmp_path / FILE
    assert parse_heads(str(tmp_path)) is None
    with pytest.raises(RecipeError, match=r"or a path such as"):
        parse_heads("west")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "[]",
        '{"layers": 2}',
        '{"layers": 2, "heads": 4, "parameters": 9, "weights": []}',
        '{"layers": 2, "heads": 4, "parameters": 9, "weights": [[0, 4, 1.0]]}',
        '{"layers": 2, "heads": 4, "parameters": 9, "weights": [[0, 1, 1.0], [0, 1, 1.0]]}',
        '{"layers": 2, "heads": 4, "parameters": 9, "weights": [[0, 1, NaN]]}',
        '{"layers": 2, "heads": 4, "parameters": 9, "weights": [[0, 1, -1]]}',
        '{"layers": 2, "heads": 4, "parameters": 9, "weights": [[0, true, 1]]}',
        '{"layers": 2, "heads": 4, "parameters": 9, "weights": [[0, 1]]}',
    ],
)
def test_damaged_files_are_told(tmp_path: Path, wrong: str) -> None:
    (tmp_path / FILE).write_text(wrong)
    with pytest.raises(ModelError, match="does not hold the weights of heads"):
        read_heads(tmp_path / FILE)


def test_what_cannot_be_trained_is_told(
    held: tuple, model: str, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, made, _ = held
    with pytest.raises(ModelError, match="is on a server, which shows no attention"):
        train_attention(library, "http://localhost:1/v1#m")
    with pytest.raises(ModelError, match="there is no language model"):
        train_attention(library, "./nowhere")
    with pytest.raises(BudgetError, match=r"give --ram \d+"):
        train_attention(library, model, ram="100MB")
    with monkeypatch.context() as patched:
        held, told = iter([1 << 20]), 64 << 30
        patched.setattr(training, "anonymous_bytes", lambda: next(held, told))
        with pytest.raises(
            BudgetError, match=r"training took .* of memory, and .* are allowed; give --ram .* it goes on where"
        ):
            train_attention(library, model, ram="2GB", options=OPTIONS, minutes=5)
    for wrong in ({"sources": ()}, {"options": AttentionOptions(others=0)}, {"options": AttentionOptions(depth=0)}):
        with pytest.raises(UsageError):
            train_attention(library, model, **wrong)
    with pytest.raises(ModelError, match="there are no trained heads at"):
        library.rank(next(iter(made.queries.values())), recipe=f'bm25 >> attention(3, model="{model}", heads="{tmp_path}")')
    monkeypatch.setattr(training, "FEWEST_LISTS", 1000)
    with pytest.raises(UsageError, match=r"there are \d+ queries with 2 passages .* index more documents"):
        train_attention(library, model, options=OPTIONS, ram="4GB")
    assert not (library.path / "models").exists()
