"""``train in-context``: scores are the stage's, in every model and every form of a step; what is written, and what is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bookwheel
from bookwheel._errors import BudgetError, ModelError, UsageError
from bookwheel.encode.transformer.causal import CAUSAL
from bookwheel.rank.stages.head_weights import FILE, HeadWeights, read_heads
from bookwheel.rank.stages.rerank.attention import AttentionReranker, trained_reranker
from bookwheel.train import InContextOptions, train_in_context
from bookwheel.train.attention import in_context
from bookwheel.train.kept import FOLDER
from bookwheel.train.lists import run as training
from bookwheel.train.lists.comparing import Candidates

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("peft", reason="training needs bookwheel[train]")

from bookwheel.language.load import load_local  # noqa: E402
from bookwheel.train.attention.model import BlockScorer  # noqa: E402
from bookwheel.train.lists.batches import ListBatches, largest  # noqa: E402
from bookwheel.train.memory import Plan, finetune, plan, planner  # noqa: E402
from bookwheel.train.memory.adapters import Adapters  # noqa: E402
from bookwheel.train.objectives.localized_contrast import LocalizedContrast  # noqa: E402

sys.path.append(str(Path(__file__).parents[1] / "rank"))
try:
    from language_tiny import tiny_model, tiny_tokenizer
finally:
    sys.path.pop()

pytestmark = pytest.mark.filterwarnings("ignore")

OPTIONS = InContextOptions(batch=4, others=2, tokens=120, rate=2e-3, epochs=1)
TEXTS = ["a lens bends light", "heat flows from warm to cold", "x", "the bird of the sea is red and far"]
QUERIES = ["warm light", "which bird is that, and is the sea red"]
CHOSEN, WEIGHTS = ((0, 1), (1, 3), (1, 0)), (0.5, 1.0, 2.0)
GOAL = LocalizedContrast()


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of three layers of four heads with random weights."""
    folder = tmp_path_factory.mktemp("in-context") / "tiny"
    tiny_model(1, layers=3, initializer_range=0.2).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def heads(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights of three of its heads, the last in its second layer."""
    folder = tmp_path_factory.mktemp("heads")
    (folder / FILE).write_text(weights_of(llama).to_json())
    return folder


def weights_of(folder: Path) -> HeadWeights:
    model: Any = load_local(str(folder))
    return HeadWeights(model.layers, model.heads, model.parameters, CHOSEN, WEIGHTS)


def batch_of(scorer: BlockScorer) -> dict[str, Any]:
    return GOAL.prepare(scorer.lists(QUERIES, TEXTS * 2, np.zeros((2, 4), np.float32)))


def ranked(folder: Path, heads: HeadWeights) -> list[list[float]]:
    # The model is trained in float32; where the processor multiplies bfloat16, it is loaded in that.
    reranker = trained_reranker(load_local(str(folder), precision="float32"), folder.name, heads)
    return [reranker.rerank(query, TEXTS).scores for query in QUERIES]


# -- the model ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CAUSAL)
def test_scores_are_those_of_the_stage_before_and_after_layers_are_cut(kind: str, tmp_path: Path) -> None:
    """Passages and queries of several lengths in one row of tokens, against each list read by itself."""
    settings = {
        "vocab_size": 260, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 2048, "initializer_range": 0.2, "bos_token_id": None,
        "eos_token_id": 259, "pad_token_id": 258,
    }  # fmt: skip
    torch.manual_seed(3)
    transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.for_model(kind, **settings)).save_pretrained(
        tmp_path / "whole"
    )
    tiny_tokenizer().save_pretrained(tmp_path / "whole")
    told = weights_of(tmp_path / "whole")
    scorer = BlockScorer(tmp_path / "whole", told, 200)
    expected = ranked(tmp_path / "whole", told)
    assert np.ptp(expected[0]) > 0.1
    with torch.no_grad():
        np.testing.assert_allclose(scorer.table(batch_of(scorer)), expected, atol=1e-4)
    scorer.save(tmp_path / "cut", True)
    found = read_heads(tmp_path / "cut" / FILE)
    assert (scorer.depth, found.layers, found.chosen) == (2, 2, CHOSEN)
    assert found.parameters < told.parameters
    np.testing.assert_allclose(ranked(tmp_path / "cut", found), expected, atol=1e-4)


def test_heads_without_weights_count_alike(llama: Path) -> None:
    scorer = BlockScorer(llama, CHOSEN[:2], 200)
    reranker = AttentionReranker(
        load_local(str(llama), precision="float32"), heads=CHOSEN[:2], standardise=True, calibrate=False
    )
    expected = [reranker.rerank(query, TEXTS).scores for query in QUERIES]
    with torch.no_grad():
        np.testing.assert_allclose(scorer.table(batch_of(scorer)), expected, atol=1e-4)


def test_passages_do_not_see_each_other_and_long_ones_are_cut(llama: Path) -> None:
    """What another passage says changes nothing but the shares of the attention; the scale is that of the same list."""
    scorer = BlockScorer(llama, CHOSEN, 10)
    long = scorer.lists(QUERIES[:1], ["a lens bends light far away", "heat flows"], np.zeros((1, 2), np.float32))
    short = scorer.lists(QUERIES[:1], ["a lens ben", "heat flows"], np.zeros((1, 2), np.float32))
    assert long["ids"].shape == (1, 2, 10)
    assert torch.equal(long["ids"], short["ids"])
    empty = scorer.lists(["", "z" * 99], ["", "x"] * 2, np.zeros((2, 2), np.float32))
    with torch.no_grad():
        assert torch.isfinite(scorer.table(GOAL.prepare(empty))).all()


def test_a_step_is_the_same_in_every_form_and_learns(llama: Path) -> None:
    """Whole or in parts, with activations kept or computed again; the first passage is taught to be the best."""

    def losses(rows: int, checkpoint: int) -> list[float]:
        scorer = BlockScorer(llama, CHOSEN, 200)
        batch = scorer.lists(QUERIES, TEXTS * 2, np.zeros((2, 4), np.float32))
        before = {name: weight.clone() for name, weight in scorer.inner.state_dict().items()}
        chosen = plan(
            scorer, largest(scorer, 2, 3), "3GB", objective=GOAL, methods=("lora",), changes={"layers": 1}, rows=rows,
            checkpoint=checkpoint,
        )  # fmt: skip
        outcome = finetune(scorer, [batch] * 6, chosen, steps=6, rate=1e-2, shuffle=False)
        now = outcome.model.inner.state_dict()
        changed = {name for name, weight in now.items() if not torch.equal(weight, before[name])}
        assert {"model.layers.1.self_attn.q_proj.weight", "model.layers.1.self_attn.k_proj.weight"} <= changed
        assert all(name.startswith("model.layers.1.") for name in changed)
        return outcome.losses

    whole = losses(2, 0)
    assert whole[-1] < 0.3 < 2 < whole[0]
    for rows, checkpoint in ((2, 1), (1, 0), (1, 1)):
        np.testing.assert_allclose(losses(rows, checkpoint), whole, rtol=1e-3, atol=1e-4)


def test_what_is_kept_on_the_way_has_the_adapters(llama: Path, tmp_path: Path) -> None:
    scorer = BlockScorer(llama, CHOSEN, 200)
    attached = Adapters(layers=2).attach(scorer)
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in attached.trained().values():
            weight.add_(0.05 * torch.randn_like(weight))
        expected = attached.model.eval().table(batch_of(scorer)).numpy()
    attached.model.save(tmp_path / "half", False)
    np.testing.assert_allclose(ranked(tmp_path / "half", read_heads(tmp_path / "half" / FILE)), expected, atol=1e-3)


# -- runs --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def quick(quick_lists: None, taken: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short runs, whose model is taken, without asking what a step needs."""
    monkeypatch.setattr(in_context._Run, "candidates", 4)
    monkeypatch.setattr(in_context._Run, "_affordable", lambda *_: 5)
    monkeypatch.setattr(training, "PAIRS", 24)

    def chosen(*_: Any, methods: Any, changes: Any, objective: Any) -> Plan:
        return Plan(1 << 40, methods[0], 2, 0, 0, changes=changes, objective=objective)

    monkeypatch.setattr(planner, "plan", chosen)


def test_what_is_written_ranks_as_it_was_measured(held: tuple, llama: Path, heads: Path, tmp_path: Path, quick: None) -> None:
    library, made, copy = held
    found = train_in_context(library, llama, tmp_path / "tuned", heads=heads, options=OPTIONS, minutes=5)
    assert found.folder == str(tmp_path / "tuned"), str(found)
    assert found.recipe == f'bm25 >> attention(4, model="{found.folder}", heads="{found.folder}", weight=0.5)'
    assert [change.what for change in found.verdict.changes] == [
        "bm25 >> attention(4, weight=0.5)",
        "the same with tiny before",
    ]
    card = (tmp_path / "tuned" / "README.md").read_text()
    assert "writes no text" in card
    assert json.loads((tmp_path / "tuned" / "config.json").read_text())["num_hidden_layers"] == 2
    assert not (library.path / FOLDER).exists()
    model: Any = load_local(found.folder)
    for use in (
        lambda: model.generate(["a red bird"]),
        lambda: model.sample("a red bird", 2),
        lambda: model.log_likelihoods(["a red"], ["bird"]),
    ):
        with pytest.raises(ModelError, match="rank passages and write no text; give the whole model"):
            use()
    queries = list(made.judged)[:5]
    asked = Candidates(copy, made, queries, 4)
    reranker = trained_reranker(load_local(found.folder), "tuned", read_heads(tmp_path / "tuned" / FILE))
    values = asked.values([reranker.rerank(query, texts).scores for _, query, texts in asked.texts()], 0.5)
    results = copy.rank_documents([made.queries[one] for one in queries], k=10, recipe=found.recipe)
    for query, names in zip(queries, results, strict=True):
        gains = [made.qrels[query].get(name, 0) / np.log2(place + 2) for place, (name, _) in enumerate(names)]
        assert values[query] == pytest.approx(sum(gains), abs=1e-6)
    again = train_in_context(library, found.folder, tmp_path / "more", options=OPTIONS, minutes=5)
    assert again.verdict.changes[1].what == "the same with tuned before"
    assert read_heads(tmp_path / "more" / FILE).chosen == CHOSEN


def test_a_run_that_was_stopped_ends_with_the_same_weights(
    library: bookwheel.Library, llama: Path, heads: Path, tmp_path: Path, quick: None, stopped_at: Callable
) -> None:
    def run(name: str) -> Any:
        return train_in_context(library, llama, tmp_path / name, heads=heads, options=OPTIONS, minutes=5)

    whole = run("whole")
    with stopped_at(training, ListBatches, 4) as seen:
        run("again")
    found = run("again")
    assert 1 not in seen
    np.testing.assert_allclose(found.losses, whole.losses, rtol=1e-4)
    one, two = (ranked(tmp_path / name, read_heads(tmp_path / name / FILE)) for name in ("again", "whole"))
    np.testing.assert_allclose(one, two, atol=1e-3)


@pytest.mark.parametrize(("pace", "share"), [(0.0, 0.75), (0.25, 2 / 3), (9.0, 0.3)])
def test_time_is_left_to_compare(
    library: bookwheel.Library,
    llama: Path,
    heads: Path,
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
    pace: float,
    share: float,
) -> None:
    """Of 10 minutes: 120 readings of 4 passages each."""
    seen: list[float] = []

    def stopped(run: Any, model: Any) -> int:
        seen.append(run.trained())
        raise MemoryError

    monkeypatch.setattr(in_context._Run, "_room", stopped)
    monkeypatch.setattr(in_context._Run, "_pace", lambda *_: pace * 10 * 60 / 360)
    with pytest.raises(MemoryError):
        train_in_context(library, llama, heads=heads, options=OPTIONS, minutes=10, seed=int(4 * pace))  # each its own run
    assert seen == [pytest.approx(share)]


@pytest.mark.parametrize("heavy", [0.5, 1.0, 4.0])
def test_scores_are_scaled_as_suits_the_loss(heavy: float) -> None:
    """However heavy heads are, a step begins alike; of heads that tell nothing, with the least."""
    torch.manual_seed(0)
    noise = torch.randn(200, 8)
    answers = torch.zeros(200, 8)
    answers[:, 0] = 1.0
    wanted = torch.zeros(200, 8)
    found = in_context.scale_of(GOAL, [(heavy * (noise + answers), wanted)])
    assert found * heavy == 1.0
    assert in_context.scale_of(GOAL, [(heavy * noise, wanted)]) == min(in_context.SCALES)


def test_what_cannot_be_trained_is_told(
    library: bookwheel.Library, base: Path, llama: Path, heads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="is no causal language model whose attention can be trained; take smollm2"):
        train_in_context(library, base)
    with pytest.raises(ModelError, match="there is no language model at"):
        train_in_context(library, "nowhere.gguf")
    with pytest.raises(
        UsageError, match="which heads of .* rank is not known, .* find them first with: bookwheel train attention"
    ):
        train_in_context(library, llama)
    with pytest.raises(ModelError, match="there are no trained heads at"):
        train_in_context(library, llama, heads=tmp_path)
    with pytest.raises(UsageError, match="imitates a teacher"):
        train_in_context(library, llama, heads=heads, options=InContextOptions(loss="listwise"))
    told = read_heads(heads / FILE)
    (tmp_path / FILE).write_text(HeadWeights(30, 9, 5, told.chosen, told.weights).to_json())
    with pytest.raises(ModelError, match="the heads are of a model of 5 weights in 30 layers of 9 heads, and 'tiny' has"):
        train_in_context(library, llama, heads=tmp_path)
    with pytest.raises(BudgetError, match=r"give --ram \d+"):
        train_in_context(library, llama, heads=heads, ram="256MB")
    assert not (library.path / "models").exists()
