"""``train splade``: weights of terms and their gradients by plain torch, the price of terms, whole runs, and what is refused."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel._errors import UsageError
from bookwheel.encode import load_encoder
from bookwheel.encode.sparse import special_tokens
from bookwheel.evaluate.measures import measure
from bookwheel.train import SpladeOptions, train_splade
from bookwheel.train.encoder import onnx
from bookwheel.train.lists.comparing import Candidates, as_interpolate
from bookwheel.train.safety import MEASURE

torch = pytest.importorskip("torch")
sentence_transformers = pytest.importorskip("sentence_transformers", reason="training encoders needs bookwheel[train]")

from bookwheel.train.memory import planner  # noqa: E402
from bookwheel.train.objectives.flops import Flops  # noqa: E402
from bookwheel.train.objectives.listwise import Listwise  # noqa: E402
from bookwheel.train.splade import pooling, training  # noqa: E402
from bookwheel.train.splade.model import SpladeScorer  # noqa: E402
from bookwheel.train.splade.scoring import SparseScorer  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

sys.path.append(str(Path(__file__).parents[1] / "encode"))
try:
    import encoder_models as models
finally:
    sys.path.pop()

OPTIONS = SpladeOptions(batch=4, others=3, tokens=24, rate=2e-3, epochs=1)
TEXTS = ["the red bird sings", "sky over the green stone", "a river"]


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with random weights and a masked-language-model head."""
    weights = models.bert_weights(5, mlm=True)
    named = {(name if name.startswith("cls.") else f"bert.{name}"): value for name, value in weights.items()}
    return models.write_bert(tmp_path_factory.mktemp("masked") / "masked", named, architectures=["BertForMaskedLM"])


@pytest.fixture
def quick(quick_lists: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training._Run, "candidates", 5)
    monkeypatch.setattr(onnx, "write_onnx", lambda *_: None)


@pytest.mark.parametrize("terms", [3, 4096])
def test_weights_and_gradients_are_those_of_all_logits(terms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a maximum over logits that are all there; padding has no say."""
    monkeypatch.setattr(pooling, "TERMS", terms)
    draw = torch.Generator().manual_seed(0)
    hidden = torch.randn(4, 6, 5, generator=draw, requires_grad=True)
    weight = torch.randn(11, 5, generator=draw, requires_grad=True)
    bias = torch.randn(11, generator=draw, requires_grad=True)
    mask = torch.tensor([[1] * 6, [1] * 2 + [0] * 4, [1] * 5 + [0], [1] + [0] * 5])
    slopes = torch.randn(4, 11, generator=draw)
    logits = (hidden @ weight.T + bias).masked_fill(mask[:, :, None] == 0, -torch.inf)
    plain = torch.log1p(torch.relu(logits.max(1).values))
    (plain * slopes).sum().backward()
    wanted = [one.grad.clone() for one in (hidden, weight, bias)]
    for one in (hidden, weight, bias):
        one.grad = None
    found = pooling.term_weights(hidden, mask, weight, bias)
    torch.testing.assert_close(found, plain)
    (found * slopes).sum().backward()
    for one, other in zip((hidden, weight, bias), wanted, strict=True):
        torch.testing.assert_close(one.grad, other)


def test_it_weighs_terms_as_the_encoder_does_that_searches(masked: Path) -> None:
    scorer = SpladeScorer(masked, 24)
    encoder = load_encoder(masked, "sparse", precision="fp32")
    found = scorer.terms(scorer.tokenise(TEXTS)).detach().numpy()
    wanted = encoder.encode(TEXTS)
    for at in range(len(TEXTS)):
        terms, weights = wanted.row(at)
        np.testing.assert_allclose(found[at, terms], weights, atol=1e-4)
        assert (np.delete(found[at], terms) <= 1e-4).all()


def test_terms_have_a_price(masked: Path) -> None:
    """The sum over terms of the squares of their mean weights; a table of rarity makes rare ones cheap, and grows with the steps."""
    size = len(load_encoder(masked, "sparse").vocabulary)
    rarity = np.linspace(0.5, 1.5, size).astype(np.float32)
    scorer = SpladeScorer(masked, 24)
    scorer.weigh(rarity, None)
    batch = scorer.lists(["the bird", "a stone"], [*TEXTS, "green"], np.zeros((2, 2), np.float32))
    goal = Flops(Listwise(), 0.3, 0.7)
    prepared = goal.prepare(batch)
    passages = scorer.terms(prepared).detach().numpy()
    queries = scorer.asked(prepared["query_ids"], prepared["query_mask"]).detach().numpy()
    cost = [float(((one.mean(0) / rarity) ** 2).sum()) for one in (passages, queries)]
    plain = float(Listwise().total(scorer, prepared))
    for strength in (1.0, 0.25):
        scorer.strength = strength
        assert float(goal.total(scorer, prepared)) == pytest.approx(
            plain + 2 * strength * (0.3 * cost[0] + 0.7 * cost[1]), rel=1e-4
        )
    run = object.__new__(training._Run)
    strengths = []
    for step in (0, 4, 9, 29):
        training._Run.at(run, step, 30, scorer)
        strengths.append(scorer.strength)
    assert strengths == pytest.approx([0.01, 0.25, 1.0, 1.0])


@pytest.mark.parametrize("table", [False, True])
def test_a_whole_run_ends_with_a_model_that_searches(
    library: bookwheel.Library, masked: Path, tmp_path: Path, quick: None, planned: None, taken: None, table: bool
) -> None:
    """Other tools give the same weights; with a table no model reads a query."""
    options = SpladeOptions(batch=4, others=3, tokens=24, rate=2e-3, epochs=1, table=table)
    found = train_splade(library, masked, tmp_path / "model", teacher="bm25", options=options, minutes=5)
    assert found.folder == str(tmp_path / "model")
    assert found.kind == "splade"
    assert found.recipe == "bm25 >> interpolate(splade, weight=0.5)"
    assert found.teacher == "bm25"
    assert any("before" in one.what for one in found.verdict.changes)
    assert "interpolate(splade" in (tmp_path / "model" / "README.md").read_text()
    encoder = load_encoder(found.folder, "sparse", precision="fp32")
    assert encoder.inference_free == table
    theirs = sentence_transformers.SparseEncoder(found.folder, device="cpu", local_files_only=True)
    wanted = theirs.encode_document(TEXTS, convert_to_sparse_tensor=False).numpy()
    ours = encoder.encode(TEXTS)
    special = special_tokens(theirs.tokenizer.backend_tokenizer) if table else []
    for at in range(len(TEXTS)):
        row = np.zeros(wanted.shape[1], np.float32)
        terms, weights = ours.row(at)
        row[terms] = weights
        np.testing.assert_allclose(row, np.where(np.isin(np.arange(len(row)), special), 0, wanted[at]), atol=1e-3)
    if table:
        terms, _ = encoder.encode_queries(["the red bird"]).row(0)
        assert {encoder.vocabulary[one] for one in terms.tolist()} <= set(theirs.tokenizer.tokenize("the red bird"))


def test_it_is_compared_as_the_recipe_ranks(held: tuple, masked: Path) -> None:
    """The same documents by the stage, over vectors that the library holds, and by the scorer over texts."""
    _, made, copy = held
    queries = list(made.judged)[:6]
    asked = Candidates(copy, made, queries, 50, as_interpolate)
    scores = asked.scored(SparseScorer(load_encoder(masked, "sparse")))
    copy.add_encoder("splade", masked, kind="sparse")
    try:
        copy.embed("splade")
        for weight in (0.25, 1.0):
            recipe = f"bm25%50 >> interpolate(splade, weight={weight:g})"
            found = copy.rank_documents([made.queries[one] for one in queries], k=10, recipe=recipe)
            run = dict(zip(queries, found, strict=True))
            wanted = measure(run, {one: made.qrels[one] for one in queries}, [MEASURE]).of(MEASURE)
            assert asked.values(scores, weight) == pytest.approx(dict(wanted), abs=1e-6)
    finally:
        copy.remove_encoder("splade")


def test_a_run_that_was_stopped_ends_with_the_same_weights(
    library: bookwheel.Library,
    masked: Path,
    tmp_path: Path,
    quick: None,
    planned: None,
    taken: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from bookwheel.train.lists import run as lists

    whole = train_splade(library, masked, tmp_path / "whole", options=OPTIONS, minutes=5)
    assert whole.steps > 2
    monkeypatch.setattr(lists, "CHECKPOINT", 0.0)
    forward, calls = SpladeScorer.forward, []

    def stopped(self: SpladeScorer, batch: dict) -> object:
        calls.append(1)
        if len(calls) == 9:
            raise MemoryError
        return forward(self, batch)

    monkeypatch.setattr(SpladeScorer, "forward", stopped)
    with pytest.raises(MemoryError):
        train_splade(library, masked, tmp_path / "again", options=OPTIONS, minutes=5)
    again = train_splade(library, masked, tmp_path / "again", options=OPTIONS, minutes=5)
    if again.steps == whole.steps:
        np.testing.assert_allclose(again.losses, whole.losses, rtol=1e-3)
    shutil.rmtree(tmp_path / "again")


def test_what_cannot_be_trained_is_told(library: bookwheel.Library, base: Path, masked: Path, quick: None) -> None:
    with pytest.raises(
        UsageError, match="is a model of kind dense, from which none of kind sparse is trained; take the folder of a"
    ):
        train_splade(library, base)
    with pytest.raises(UsageError, match="terms have a price of 0 or more, not -1 and"):
        train_splade(library, masked, options=SpladeOptions(passages=-1))
    with pytest.raises(UsageError, match="imitates a teacher; name one"):
        train_splade(library, masked, options=SpladeOptions(loss="listwise"))


def test_a_step_within_the_budget_is_planned(masked: Path) -> None:
    """From shapes alone, of a function of autograd that is our own."""
    scorer = SpladeScorer(masked, 24)
    batch = scorer.lists(["a " * 24] * 2, ["a " * 24] * 8, np.zeros((2, 4), np.float32))
    found = planner.plan(
        scorer, batch, 4 << 30, objective=Flops(Listwise(), 0.1, 0.1), methods=("adamw",), changes={"layers": 0}
    )
    assert found.planned > 0
