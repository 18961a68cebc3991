"""``train writer``: what is learned, what decides, what is written, and that a library can embed and search with it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bookwheel
from bookwheel._errors import ModelError, UsageError
from bookwheel.analysis.analyzer import Analyzer
from bookwheel.cli.main import main
from bookwheel.encode.expansion import queries_of
from bookwheel.language import close_models, language_model
from bookwheel.language.query_writer import FILE, QueryWriter, WriterSettings, drawn_queries, weights_sha256
from bookwheel.train import WriterOptions, held_out, train_writer
from bookwheel.train.data.pairs import Pair
from bookwheel.train.kept import FOLDER
from bookwheel.train.safety import Verdict
from bookwheel.train.writer import expanding, training
from bookwheel.train.writer.expanding import Terms

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("peft", reason="training writers needs bookwheel[train]")

from bookwheel.train.memory import Plan, finetune, plan, planner  # noqa: E402
from bookwheel.train.memory.objective import CausalLoss, split  # noqa: E402
from bookwheel.train.writer.model import NO_LABEL, Writer, WriterBatches  # noqa: E402

sys.path.append(str(Path(__file__).parents[1] / "rank"))
try:
    from encoder_decoder_tiny import saved_encoder_decoder
    from language_tiny import tiny_model, tiny_tokenizer
finally:
    sys.path.pop()

pytestmark = pytest.mark.filterwarnings("ignore")

OPTIONS = WriterOptions(batch=4, tokens=400, characters=80, longest=12, count=3, rate=3e-3, epochs=1)
PAIRS = [Pair("red bird", "the bird of the sea is red and far", 1), Pair("stone", "under the river lies a green stone", 2)]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("writer") / "tiny"
    tiny_model(1, initializer_range=0.2).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def quick(held: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pairs, held-out queries and passages, and no question of what a step needs."""
    monkeypatch.setattr(training, "PAIRS", 24)
    monkeypatch.setattr(expanding, "CANDIDATES", 3)
    monkeypatch.setattr(held_out, "made_collection", lambda *_, **__: held[1])
    monkeypatch.setattr(training, "searchable", lambda *_, **__: nullcontext(held[2]))

    def chosen(*_: Any, methods: Any, changes: Any, objective: Any) -> Plan:
        return Plan(1 << 40, methods[0], 2, 0, 0, changes=changes, objective=objective)

    monkeypatch.setattr(planner, "plan", chosen)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever held-out queries say, the model is taken: what is tested here is the way, not the gain."""
    monkeypatch.setattr(Verdict, "reason", "")


# -- the model ---------------------------------------------------------------------------------------------------------


def test_a_batch_has_what_is_asked_later_and_only_the_query_is_learned(llama: Path) -> None:
    writer = Writer(llama, 400, 80, 12)
    batch = writer.batch(PAIRS)
    for row, pair in enumerate(PAIRS):
        used = int(batch["attention_mask"][row].sum())
        ids, labels = batch["input_ids"][row, :used].tolist(), batch["labels"][row, :used].tolist()
        learned = [token for token in labels if token != NO_LABEL]
        assert ids[-len(learned) :] == learned
        assert writer.tokenizer.decode(learned) == f"{pair.query}<end>"
        text = writer.tokenizer.decode(ids[: -len(learned)])
        assert f"Text: {pair.answer}\n" in text
        with writer.asked() as model:
            assert ids[: -len(learned)] == model._chat("", text.split("user: ")[1].split("<b>")[0])
    assert bool((batch["labels"][batch["attention_mask"] == 0] == NO_LABEL).all())


def test_the_loss_is_the_mean_log_probability_that_the_model_gives_the_queries(llama: Path) -> None:
    """Without the token that ends a query, which has no probability in a likelihood."""
    writer, goal = Writer(llama, 400, 80, 40), CausalLoss()
    writer._end = writer.tokenizer("x")["input_ids"][0]
    longer = [replace(pair, query=f"{pair.query}") for pair in PAIRS]
    batch = writer.batch(longer)
    batch["labels"][:, 1:] = torch.where(batch["labels"][:, 1:] == writer._end, NO_LABEL, batch["labels"][:, 1:])
    total = float(goal.total(writer.model.eval(), goal.prepare(batch)).detach())
    with writer.asked() as model:
        found = writer.log_probabilities(model, longer)
    lengths = [len(writer.tokenizer(pair.query)["input_ids"]) for pair in longer]
    assert total == pytest.approx(-float(np.dot(found, lengths)), rel=1e-4)


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_of_encoder_and_decoder_the_decoder_learns_the_query(kind: str, tmp_path: Path) -> None:
    """The loss is what such a model expects of a query and of its end; the parts of a batch add up."""
    folder = saved_encoder_decoder(tmp_path / kind, kind)
    writer = Writer(folder, 400, 60, 40)
    batch, goal = writer.batch(PAIRS), writer.objective
    assert batch["labels"].shape[:2] == (2, 1)
    assert writer.tokenizer.decode(batch["input_ids"][0]).startswith("Text: the bird of the sea")
    total = float(goal.total(writer.model.eval(), batch).detach())
    parts = [float(goal.total(writer.model, part).detach()) for part in split(batch, 1)]
    assert sum(parts) == pytest.approx(total, rel=1e-5)
    with writer.asked() as model:
        logs = model.log_likelihoods(
            [model.chat_text(training.written_prompt(pair.answer, 60)) for pair in PAIRS],
            [f"{pair.query}<end>" for pair in PAIRS],
        )
    begun = 0.0
    if kind == "bart":  # which answers begin with, whatever the model says
        with torch.no_grad():
            logits = writer.model(
                **{name: batch[name] for name in ("input_ids", "attention_mask")}, labels=batch["labels"][:, 0]
            ).logits
        begun = float(logits[:, 0].log_softmax(-1)[:, writer._begin[0]].sum())
    assert total == pytest.approx(-sum(float(one.sum()) for one in logs) - begun, rel=1e-4)
    assert writer.largest(3)["labels"].shape == (3, 1, 41 + len(writer._begin))


def test_a_model_of_encoder_and_decoder_learns_to_write_and_is_written(
    library: bookwheel.Library, tmp_path: Path, quick: None, taken: None
) -> None:
    folder = saved_encoder_decoder(tmp_path / "t5")
    found = train_writer(library, folder, tmp_path / "tuned", options=replace(OPTIONS, epochs=4, rate=1e-2), minutes=5)
    assert found.folder == str(tmp_path / "tuned"), str(found)
    assert found.loss[1] < 0.9 * found.loss[0]
    assert found.verdict.changes[0].better
    settings = json.loads((tmp_path / "tuned" / "config.json").read_text())
    assert settings["architectures"] == ["T5ForConditionalGeneration"]
    assert len(QueryWriter(tmp_path / "tuned").encode([PAIRS[0].answer]).indptr) == 2


def test_a_passage_that_is_too_long_gives_way_and_the_query_stays(llama: Path) -> None:
    writer = Writer(llama, 330, 800, 12)
    batch = writer.batch([Pair("red bird of the sea and more", "the bird is red " * 100, 1)])
    assert batch["input_ids"].shape[1] <= 330
    learned = batch["labels"][0][batch["labels"][0] != NO_LABEL].tolist()
    assert writer.tokenizer.decode(learned) == "red bird of <end>"
    assert writer.largest(2)["input_ids"].shape == (2, 330)
    with pytest.raises(UsageError, match=r"need \d+ tokens, and 100 are read; allow more"):
        Writer(llama, 100, 80, 12)


def test_training_teaches_to_write_the_query_of_each_passage(llama: Path) -> None:
    """Real steps: the untrained model writes noise, the trained one each passage's own query, greedily."""
    writer = Writer(llama, 400, 80, 12)
    batches = WriterBatches(PAIRS, writer, 2, 0)
    batches.plan(100)
    chosen = plan(writer.model, writer.largest(2), "4GB", methods=("adamw",))
    outcome = finetune(writer.model, batches, chosen, rate=3e-3, shuffle=False)
    assert outcome.losses[-1] < 0.2 < 2 < outcome.losses[0]
    with writer.asked(outcome.model) as model:
        for pair in PAIRS:
            (answer,) = model.generate([training.written_prompt(pair.answer, 80)], max_tokens=12)
            assert answer == pair.query


def test_adapters_of_the_last_layers_leave_the_others_as_they_are(llama: Path) -> None:
    writer = Writer(llama, 400, 80, 12)
    before = {name: weight.clone() for name, weight in writer.model.state_dict().items()}
    batches = WriterBatches(PAIRS, writer, 2, 0)
    chosen = plan(writer.model, writer.largest(2), "4GB", methods=("lora",), changes={"layers": 1})
    assert (
        plan(writer.model, writer.largest(2), "4GB", methods=("lora",)).planned >= chosen.planned
    )  # activations of the first layer are not kept
    model = finetune(writer.model, batches, chosen, rate=2e-2).model
    changed = {name for name, weight in model.state_dict().items() if not torch.equal(weight, before[name])}
    assert changed
    assert all(name.startswith("model.layers.1.") for name in changed)


# -- runs --------------------------------------------------------------------------------------------------------------


def test_a_run_is_written_as_a_model_that_a_library_embeds_and_searches_with(
    held: tuple, llama: Path, tmp_path: Path, quick: None, taken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, made, _ = held
    monkeypatch.setattr(expanding, "WEIGHTS", (0.5,))
    monkeypatch.setattr(expanding, "FIRST", -1.0)  # no share of the score is "none", so that one is taken
    found = train_writer(library, llama, tmp_path / "tuned", options=OPTIONS, minutes=5)
    assert found.folder == str(tmp_path / "tuned"), str(found)
    assert found.plan.startswith("lora, 2 texts at a time")
    assert found.losses[-1] < found.losses[0]
    (first, *_) = found.verdict.changes
    assert first.what.startswith("log-probability")
    assert first.queries == len(made.judged)
    assert first.better
    assert found.expanded > 0
    assert set(found.validation) == {"1", "0.5"}
    assert len(found.samples) == 3
    assert "before: " in str(found)
    card = (tmp_path / "tuned" / "README.md").read_text()
    assert f"({len(made.judged)}, in nats)" in card
    assert json.loads((tmp_path / "tuned" / "training.json").read_text())["loss"] == list(found.loss)
    assert not (library.path / FOLDER).exists()

    # As a language model of any other command,
    model = language_model(str(tmp_path / "tuned"))
    assert model.generate(["a"], max_tokens=3)
    # and as a sparse encoder: terms are those of the queries that it draws, and a query needs no model.
    with bookwheel.open(tmp_path / "other", create=True, language="english") as other:
        other.add([bookwheel.Document("1", PAIRS[0].answer), bookwheel.Document("2", PAIRS[1].answer)], workers=1)
        other.add_encoder("questions", str(tmp_path / "tuned"), kind="sparse")
        other.embed("questions")
        settings = WriterSettings.read(tmp_path / "tuned")
        drawn = queries_of(drawn_queries(model, PAIRS[0].answer, settings))
        assert drawn
        close_models()
        encoder = QueryWriter(tmp_path / "tuned")
        terms, weights = encoder.encode([PAIRS[0].answer]).row(0)
        asked = [encoder.vocabulary[term] for term in terms.tolist()]
        hits = other.rank(" ".join(asked), k=2, recipe="questions")
        assert dict(zip(hits.ids.tolist(), hits.scores.tolist(), strict=True))[1] == pytest.approx(
            float(weights.sum()), rel=1e-2
        )
    with bookwheel.open(tmp_path / "other") as again:
        monkeypatch.setattr("bookwheel.language.query_writer.language_model", None)
        assert again.rank(" ".join(asked), k=2, recipe="questions").ids.tolist() == hits.ids.tolist()
        assert again.rank("bird", k=2, recipe="bm25 >> interpolate(questions, weight=0.5)").ids.tolist() == [1]


def test_what_is_compared_is_what_a_library_ranks_by(llama: Path, tmp_path: Path) -> None:
    """The scores of `Terms` are the products of the vectors that `QueryWriter` gives."""
    texts = [pair.answer for pair in PAIRS]
    settings = WriterSettings("", Analyzer.for_language("english"), count=4, top=200, max_tokens=8, characters=80)
    folder = tmp_path / "writer"
    Writer(llama, 400, 80, 12).save(folder, tiny_model(1, initializer_range=0.2))
    run = type("Run", (), {"kept": type("Kept", (), {"fact": lambda *_: None, "note": lambda *_, **__: None})()})()
    for threshold in (None, 0.05):
        own = replace(settings, sha256=weights_sha256(folder), threshold=threshold)
        (folder / FILE).write_text(own.to_json())
        assert WriterSettings.read(folder) == own
        encoder = QueryWriter(folder)
        terms = Terms(run, language_model(str(folder)), own)
        terms.write(texts)
        asked = " ".join(query for text in texts for query in terms.drawn[expanding._key(text)])
        dense = np.zeros((3, 10_000), np.float32)
        for row, vectors in ((0, encoder.encode(texts)), (1, encoder.encode_queries([asked]))):
            for at in range(len(vectors.indptr) - 1):
                number, weights = vectors.row(at)
                dense[2 if row else at, number] = weights
        np.testing.assert_allclose(terms.scores(asked, texts, threshold), dense[:2] @ dense[2], rtol=1e-5)


def test_a_run_that_was_stopped_ends_with_the_same_weights(
    library: bookwheel.Library, llama: Path, tmp_path: Path, quick: None, taken: None, stopped_at: Callable
) -> None:
    whole = train_writer(library, llama, tmp_path / "whole", options=OPTIONS, minutes=5)
    with stopped_at(training, WriterBatches, 3) as seen:
        train_writer(library, llama, tmp_path / "again", options=OPTIONS, minutes=5)
    found = train_writer(library, llama, tmp_path / "again", options=OPTIONS, minutes=5)
    assert 1 not in seen
    np.testing.assert_allclose(found.losses, whole.losses, rtol=1e-4)
    assert [change.after for change in found.verdict.changes] == pytest.approx(
        [change.after for change in whole.verdict.changes]
    )
    one, two = (language_model(str(tmp_path / name)).log_likelihoods(["a b"], ["red bird"])[0] for name in ("again", "whole"))
    np.testing.assert_allclose(one, two, atol=1e-4)


def test_a_model_that_expects_queries_less_than_before_is_not_written(
    library: bookwheel.Library, llama: Path, tmp_path: Path, quick: None
) -> None:
    found = train_writer(library, llama, tmp_path / "worse", options=replace(OPTIONS, rate=0.0), minutes=5)
    assert found.folder is None
    assert not (tmp_path / "worse").exists()
    assert "Nothing was written" in str(found)


def test_without_time_to_compare_orders_the_queries_alone_decide(
    library: bookwheel.Library, llama: Path, tmp_path: Path, quick: None
) -> None:
    found = train_writer(library, llama, tmp_path / "short", options=OPTIONS, minutes=0.02)
    assert found.folder == str(tmp_path / "short"), str(found)
    assert (found.weight, found.recipe, found.validation) == (0, None, {})
    assert len(found.verdict.changes) == 1
    assert "there was no time to try the terms" in str(found)
    assert math.isfinite(found.loss[1])


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_what_cannot_be_trained_is_told(library: bookwheel.Library, llama: Path, base: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"which writes no text; take the folder of a language model"):
        train_writer(library, base)
    with pytest.raises(ModelError, match="there is no language model at"):
        train_writer(library, "nowhere.gguf")
    with pytest.raises(UsageError, match="name a source of pairs"):
        train_writer(library, llama, sources=())
    with pytest.raises(UsageError, match="give 1 or more of each"):
        train_writer(library, llama, options=WriterOptions(count=0))
    with pytest.raises(UsageError, match="depth is the share of the layers"):
        train_writer(library, llama, options=WriterOptions(depth=0.0))
    with pytest.raises(UsageError, match=r"there are 0 pairs to train on, and a step takes 4"):
        train_writer(library, llama, sources=[f"pairs={_empty(tmp_path)}"])


def _empty(folder: Path) -> Path:
    path = folder / "pairs.jsonl"
    path.write_text("")
    return path


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": 2}, "of another format"),
        ({"count": 0}, "out of range"),
        ({"count": "5"}, "out of range"),
        ({"threshold": 7}, "out of range"),
        ({"analyzer": {"language": "klingon"}}, "klingon"),
        ({"run": "rm"}, "unexpected keyword"),
    ],
)
def test_a_damaged_folder_is_a_sentence(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    whole = json.loads(WriterSettings("0" * 64, Analyzer()).to_json())
    (tmp_path / FILE).write_text(json.dumps(whole | changes))
    with pytest.raises(ModelError, match=told) as error:
        QueryWriter(tmp_path)
    assert str(error.value).endswith("train the writer again")


def test_weights_that_are_not_those_of_the_folder_are_refused(llama: Path, tmp_path: Path) -> None:
    Writer(llama, 400, 80, 12).save(tmp_path, tiny_model(1))
    (tmp_path / FILE).write_text(WriterSettings("0" * 64, Analyzer()).to_json())
    encoder = QueryWriter(tmp_path)
    assert len(encoder.encode_queries(["red bird"]).terms) == 2
    with pytest.raises(ModelError, match="does not fit together"):
        encoder.encode(["the bird"])


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["{base}"], "which writes no text; take the folder of a language model"),
        (["{llama}", "--count", "0"], "--count"),
        (["{llama}", "--from", "nonsense"], "there is no source 'nonsense' of pairs"),
        (["{folder}/none"], "none"),
    ],
)
def test_wrong_commands_are_a_sentence(
    library: bookwheel.Library, llama: Path, base: Path, tmp_path: Path, more: list[str], told: str, capsys: Any
) -> None:
    given = [one.format(base=base, llama=llama, folder=tmp_path) for one in more]
    assert main(["train", "writer", *given, "--library", str(library.path)]) == 2
    assert told in capsys.readouterr().err
