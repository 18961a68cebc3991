"""``train reranker`` from a causal language model: how it begins, what is trained, what is written, and who can read it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bookwheel
from bookwheel._errors import BudgetError, ModelError, UsageError
from bookwheel.encode.cross import CrossEncoder
from bookwheel.encode.options import Options
from bookwheel.encode.transformer.causal import CAUSAL
from bookwheel.encode.transformer.export import export
from bookwheel.encode.transformer.layout import read_layout
from bookwheel.train import RerankerOptions, train_reranker
from bookwheel.train.kept import FOLDER
from bookwheel.train.lists import run as training
from bookwheel.train.reranker import causal
from bookwheel.train.reranker.stage import RerankerRun

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("peft", reason="training rerankers needs bookwheel[train]")

from bookwheel.encode.safetensors import Tensors, write_tensors  # noqa: E402
from bookwheel.train.lists.batches import ListBatches, largest  # noqa: E402
from bookwheel.train.memory import Plan, plan, planner  # noqa: E402
from bookwheel.train.memory.adapters import Adapters  # noqa: E402
from bookwheel.train.objectives.localized_contrast import LocalizedContrast  # noqa: E402
from bookwheel.train.reranker.causal_model import ATTENTION, HEAD, CausalScorer  # noqa: E402

sys.path.append(str(Path(__file__).parents[1] / "rank"))
try:
    from language_tiny import tiny_model, tiny_tokenizer
finally:
    sys.path.pop()

pytestmark = pytest.mark.filterwarnings("ignore")

OPTIONS = RerankerOptions(batch=4, others=2, tokens=260, rate=2e-3, epochs=1)
PLAIN = Options(precision="fp32", threads=1)
QUERY = "a red bird"
TEXTS = ["stone", "the bird of the sea is red and far", "", "under the river and the green stone"]
CHANGES = {"only": ATTENTION, "whole": (HEAD,)}


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of two layers with random weights, whose embeddings predict too."""
    folder = tmp_path_factory.mktemp("causal") / "tiny"
    tiny_model(1, initializer_range=0.2).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def scores(scorer: Any, query: str, texts: list[str]) -> np.ndarray:
    with torch.no_grad():
        return scorer.eval()(scorer.tokenise([query] * len(texts), texts)).numpy()


def asked(query: str, text: str) -> str:
    return f"Passage: {text}\n\nQuery: {query}\n\nDoes the passage answer the query? Answer:"


# -- the model ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CAUSAL)
@pytest.mark.parametrize("tied", [True, False])
def test_the_first_scores_are_the_models_log_odds_of_yes_against_no(kind: str, tied: bool, tmp_path: Path) -> None:
    """The tokenizer has a token for each byte: what both words begin with, a space, ends the prompt."""
    settings = {
        "vocab_size": 260, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 2048, "initializer_range": 0.2, "tie_word_embeddings": tied,
        "bos_token_id": None, "eos_token_id": 259, "pad_token_id": 258,
    }  # fmt: skip
    torch.manual_seed(3)
    model = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.for_model(kind, **settings)).eval()
    model.save_pretrained(tmp_path)
    tokenizer = tiny_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    yes, no = tokenizer("y")["input_ids"][0], tokenizer("n")["input_ids"][0]
    expected = []
    for text in TEXTS:
        with torch.no_grad():
            logits = model(torch.tensor([tokenizer(asked(QUERY, text) + " ")["input_ids"]])).logits[0, -1]
        expected.append(float(logits[yes] - logits[no]))
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(scores(CausalScorer(tmp_path, 400, trained=False), QUERY, TEXTS), expected, atol=1e-4)


def test_the_first_token_that_a_model_expects_is_there(llama: Path, tmp_path: Path) -> None:
    from tokenizers.processors import TemplateProcessing

    tiny_model(1).save_pretrained(tmp_path)
    tokenizer = tiny_tokenizer()
    inner = tokenizer.backend_tokenizer
    inner.post_processor = TemplateProcessing(
        single="<a> $A", pair="<a> $A $B", special_tokens=[("<a>", inner.token_to_id("<a>"))]
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<a>", eos_token="<end>", pad_token="<pad>"
    ).save_pretrained(tmp_path)
    without, ids = CausalScorer(llama, 400, trained=False), CausalScorer(tmp_path, 400, trained=False).tokenise([QUERY], ["x"])
    assert ids["input_ids"][0].tolist() == [256, *without.tokenise([QUERY], ["x"])["input_ids"][0].tolist()]


@pytest.mark.parametrize("texts", [TEXTS, ["the green stone under the river " * 30]])
def test_what_is_written_scores_alike_in_three_libraries(llama: Path, tmp_path: Path, texts: list[str]) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    scorer = CausalScorer(llama, 320, trained=False)
    scorer.save(tmp_path, False)
    expected = scores(scorer, QUERY, texts)
    np.testing.assert_allclose(CrossEncoder(tmp_path, PLAIN, long="first").score(QUERY, texts), expected, atol=1e-4)
    np.testing.assert_allclose(scores(CausalScorer(tmp_path, 999, trained=True), QUERY, texts), expected, atol=1e-4)
    peer = sentence_transformers.CrossEncoder(str(tmp_path), device="cpu", activation_fn=torch.nn.Identity())
    np.testing.assert_allclose(peer.predict([(QUERY, text) for text in texts]), expected, atol=1e-4)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    tokens = tokenizer([QUERY] * len(texts), texts, padding=True, truncation=True, return_tensors="pt")
    assert type(model).__name__ == "LlamaForSequenceClassification"
    with torch.no_grad():
        np.testing.assert_allclose(model(**tokens).logits[:, 0], expected, atol=1e-4)


def test_a_long_passage_is_read_in_windows_behind_the_same_prompt(llama: Path, tmp_path: Path) -> None:
    CausalScorer(llama, 320, trained=False).save(tmp_path, False)
    text = "".join(chr(ord("a") + at % 26) for at in range(450))  # a token a letter
    room = 320 - len(asked(QUERY, "") + " ")
    step = room - 32
    windows = [text[at : at + room] for at in range(0, 450 - 32, step)]
    assert len(windows) > 1
    each = CrossEncoder(tmp_path, PLAIN, long="first").score(QUERY, windows)
    assert CrossEncoder(tmp_path, PLAIN, long="max").score(QUERY, [text]) == [pytest.approx(max(each), abs=1e-4)]
    assert np.isfinite(CrossEncoder(tmp_path, PLAIN).score("why " * 200, TEXTS)).all()


def test_adapters_are_in_the_weights_that_are_kept_on_the_way(llama: Path, tmp_path: Path) -> None:
    """Half way they are still beside them; at the end they are merged."""
    scorer = CausalScorer(llama, 320, trained=False)
    before = {name: weight.clone() for name, weight in scorer.inner.state_dict().items()}
    attached = Adapters(rank=4, **CHANGES).attach(scorer)
    trained = attached.trained()
    assert {name.rpartition("inner.")[2].rpartition(".lora_")[0].rpartition(".")[2] or HEAD for name in trained} == {
        *ATTENTION,
        HEAD,
    }
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in trained.values():
            weight.add_(0.05 * torch.randn_like(weight))
    expected = scores(attached.model, QUERY, TEXTS)
    attached.model.save(tmp_path / "half", False)
    np.testing.assert_allclose(CrossEncoder(tmp_path / "half", PLAIN).score(QUERY, TEXTS), expected, atol=1e-4)
    assert attached.finish() is scorer
    np.testing.assert_allclose(scores(scorer, QUERY, TEXTS), expected, atol=1e-4)
    changed = {name for name, weight in scorer.inner.state_dict().items() if not torch.equal(weight, before[name])}
    assert changed == {HEAD, *(f"model.layers.{at}.self_attn.{part}.weight" for at in (0, 1) for part in ATTENTION)}


def test_a_plan_is_made_for_adapters_alone(llama: Path) -> None:
    scorer = CausalScorer(llama, 320, trained=False)
    batch = largest(scorer, 4, 3)
    assert batch["ids"].shape == (4, 4, 320)
    found = plan(scorer, batch, "4GB", objective=LocalizedContrast(), methods=("lora",), changes=CHANGES)
    assert (found.method, found.rows) == ("lora", 4)
    with pytest.raises(BudgetError, match=r"give --ram \d+"):
        plan(scorer, batch, "256MB", objective=LocalizedContrast(), methods=("lora",), changes=CHANGES)


def test_a_file_is_named_as_it_is_and_taken_as_the_folder_that_comes_of_it(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causal, "folder_of", {"./Small.Q4.gguf": llama, "smollm2": llama}.__getitem__)
    assert [causal.base_of(name).name for name in ("./Small.Q4.gguf", "smollm2", str(llama))] == ["Small.Q4", "smollm2", "tiny"]
    found = causal.base_of("smollm2")
    assert (found.folder, found.causal, found.trained, found.encoder()) == (llama, True, False, None)


# -- runs --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def quick(quick_lists: None, taken: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short runs, whose model is taken, by the first method that is asked for and without asking what a step needs."""
    monkeypatch.setattr(RerankerRun, "candidates", 4)
    monkeypatch.setattr(RerankerRun, "_affordable", lambda *_: 5)
    monkeypatch.setattr(causal, "CrossEncoder", partial(CrossEncoder, windows=1))
    monkeypatch.setattr(training, "PAIRS", 24)

    def chosen(*_: Any, methods: Any, changes: Any, objective: Any) -> Plan:
        return Plan(1 << 40, methods[0], 2, 0, 0, changes=changes, objective=objective)

    monkeypatch.setattr(planner, "plan", chosen)


def test_a_run_is_written_as_a_model_that_the_stage_loads(held: tuple, llama: Path, tmp_path: Path, quick: None) -> None:
    library, made, copy = held
    found = train_reranker(library, llama, tmp_path / "tuned", options=OPTIONS, minutes=5)
    assert found.folder == str(tmp_path / "tuned"), str(found)
    assert found.plan.startswith("lora, 2 lists at a time")
    assert list(found.validation) == ["0", f"{found.steps // 2}", f"{found.steps}"]
    about = json.loads((tmp_path / "tuned" / "config.json").read_text())
    assert about["architectures"] == ["LlamaForSequenceClassification"]
    card = (tmp_path / "tuned" / "README.md").read_text()
    assert "torch, transformers, peft: " in card
    assert "with a head over its last token" in card
    before, after = Tensors(llama / "model.safetensors"), Tensors(tmp_path / "tuned" / "model.safetensors")
    assert set(after) == {*before, HEAD} - {"lm_head.weight"}
    changed = {name.split(".")[-2] for name in set(before) & set(after) if not np.array_equal(before[name], after[name])}
    assert changed == set(ATTENTION)
    assert np.ptp(CrossEncoder(tmp_path / "tuned", PLAIN).score(QUERY, TEXTS)) > 1e-3
    assert found.recipe is not None
    assert len(copy.rank(next(iter(made.judged.values())), k=5, recipe=found.recipe)) == 5
    again = train_reranker(library, tmp_path / "tuned", tmp_path / "more", options=OPTIONS, minutes=5)
    assert [change.what for change in again.verdict.changes][1] == "the same with tuned before"
    assert not (library.path / FOLDER).exists()


def test_a_run_that_was_stopped_ends_with_the_same_weights(
    library: bookwheel.Library, llama: Path, tmp_path: Path, quick: None, stopped_at: Callable
) -> None:
    whole = train_reranker(library, llama, tmp_path / "whole", options=OPTIONS, minutes=5)
    with stopped_at(training, ListBatches, 4) as seen:
        train_reranker(library, llama, tmp_path / "again", options=OPTIONS, minutes=5)
    assert len(list((library.path / FOLDER).glob("*/weights-*"))) == 2
    found = train_reranker(library, llama, tmp_path / "again", options=OPTIONS, minutes=5)
    assert 1 not in seen
    np.testing.assert_allclose(found.losses, whole.losses, rtol=1e-4)
    one, two = (CrossEncoder(tmp_path / name, PLAIN).score(QUERY, TEXTS) for name in ("again", "whole"))
    np.testing.assert_allclose(one, two, atol=1e-4)


@pytest.mark.parametrize(("pace", "share"), [(0.0, 0.75), (0.5, 2 / 3), (9.0, 0.3)])
def test_time_is_left_to_compare(
    library: bookwheel.Library, llama: Path, quick: None, monkeypatch: pytest.MonkeyPatch, pace: float, share: float
) -> None:
    """Of 10 minutes: 100 readings of 4 passages each, by the weights of three steps, and by the chosen ones."""
    seen: list[float] = []

    def stopped(run: Any, model: Any) -> int:
        seen.append(run.trained())
        raise MemoryError

    monkeypatch.setattr(causal.CausalRun, "_room", stopped)
    monkeypatch.setattr(causal.CausalRun, "_pace", lambda *_: pace)
    with pytest.raises(MemoryError):
        train_reranker(library, llama, options=OPTIONS, minutes=10, seed=int(4 * pace))  # each its own run
    assert seen == [pytest.approx(share)]


def test_a_passage_is_timed_as_long_as_it_is_read(
    library: bookwheel.Library, llama: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    def stopped(run: Any, model: Any) -> int:
        seen.append(run.kept.fact("pace"))
        raise MemoryError

    monkeypatch.setattr(causal.CausalRun, "_room", stopped)
    with pytest.raises(MemoryError):
        train_reranker(library, llama, options=OPTIONS, minutes=10, seed=77)
    assert 0 < seen[0] < 5


def test_what_cannot_be_trained_or_run_is_told(
    library: bookwheel.Library, llama: Path, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"the prompt and a pair need \d+ tokens, and 24 are read"):
        train_reranker(library, llama, options=RerankerOptions(batch=4, others=3, tokens=24))
    with pytest.raises(ModelError, match="there is no language model at"):
        train_reranker(library, "nowhere.gguf")
    with pytest.raises(UsageError, match="is of type 'llama', which cannot give token vectors"):
        bookwheel.train.train_tokens(library, llama)
    scorer = CausalScorer(llama, 320, trained=False)
    scorer.save(tmp_path / "scores", False)
    settings = json.loads((tmp_path / "scores" / "tokenizer_config.json").read_text())
    (tmp_path / "scores" / "tokenizer_config.json").write_text(json.dumps(settings | {"model_max_length": 99}))
    with pytest.raises(ModelError, match="reads 99 tokens, and its prompt takes"):
        CrossEncoder(tmp_path / "scores")
    (tmp_path / "scores" / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelError, match="gives no scores of pairs; train it first: bookwheel train reranker"):
        CrossEncoder(llama)
    with pytest.raises(ModelError, match="nothing need be exported"):
        export(read_layout(tmp_path / "scores"), tmp_path / "model.onnx", "scores")
    weights = tmp_path / "scores" / "model.safetensors"
    tensors = Tensors(weights)
    write_tensors(tmp_path / "few.safetensors", {name: tensors[name] for name in tensors if name != HEAD})
    (tmp_path / "few.safetensors").rename(weights)
    for load in (CrossEncoder, partial(CausalScorer, tokens=320, trained=True)):
        with pytest.raises(ModelError, match="has no weights 'score.weight'; get its files again"):
            load(tmp_path / "scores")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelError, match=r"torch is needed, which is not installed; type: pip install 'bookwheel\[language\]'"):
        CrossEncoder(tmp_path / "scores")
