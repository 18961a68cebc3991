"""``train encoder``: steps in little memory, whole runs on a library of real texts, stopped runs, and what is refused."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel._errors import BudgetError, InputError, ModelError, TrainingError, UsageError
from bookwheel.encode import load_encoder
from bookwheel.library.manifest import Manifest
from bookwheel.train import EncoderOptions, held_out, train_encoder
from bookwheel.train.data.material import Material
from bookwheel.train.data.negatives import NONE, hard_negatives
from bookwheel.train.data.pairs import Pair, drawn, hardness
from bookwheel.train.data.passages import Passages
from bookwheel.train.data.schedule import schedule
from bookwheel.train.data.sources import pairs_of, source_of
from bookwheel.train.data.typos import mistyped
from bookwheel.train.encoder import onnx, training
from bookwheel.train.kept import FOLDER
from bookwheel.train.safety import Verdict
from bookwheel.train.teachers.vectors import DenseTeacher

torch = pytest.importorskip("torch")
pytest.importorskip("sentence_transformers", reason="training encoders needs bookwheel[train]")

from bookwheel.train.encoder.batches import Batches  # noqa: E402
from bookwheel.train.encoder.model import SentenceEncoder  # noqa: E402
from bookwheel.train.memory import Plan, planner  # noqa: E402
from bookwheel.train.memory.loop import _losses, finetune  # noqa: E402
from bookwheel.train.memory.modules import layers_of  # noqa: E402
from bookwheel.train.memory.objective import split  # noqa: E402
from bookwheel.train.objectives.cached_contrast import ANSWER, NEGATIVE, QUERY, CachedContrast  # noqa: E402
from bookwheel.train.objectives.cached_imitation import CachedImitation, alike  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

OPTIONS = EncoderOptions(batch=16, tokens=24, rate=2e-3, epochs=1)


@pytest.fixture
def quick(held: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "PAIRS", 160)
    monkeypatch.setattr(held_out, "made_collection", lambda *_, **__: held[1])
    monkeypatch.setattr(training, "searchable", lambda *_, **__: nullcontext(held[2]))


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without asking what a step needs."""
    monkeypatch.setattr(planner, "plan", lambda *_, objective, **__: Plan(1 << 40, "adamw", 8, 0, 0, objective=objective))


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever held-out queries say, the model is taken: what is tested here is the way, not the gain."""
    monkeypatch.setattr(Verdict, "reason", "")
    monkeypatch.setattr(training, "SHARES", (0.5,))
    monkeypatch.setattr(training._Run, "_mean", lambda _, pool, encoder: float("/model-" in encoder.name))


def batch_of(model: SentenceEncoder, count: int = 6) -> dict:
    """Queries, answers and negatives, one another's opposites; the last two pairs are of one document."""
    words = ["sea", "sky", "stone", "river", "bird", "far", "near", "red"]
    texts = [f"the {words[at]}" for at in range(count)] + [
        f"{words[at]} falls over the green {words[at]}" for at in range(count)
    ]
    texts += [f"{words[at + 1]} is {words[at]}" for at in range(count)]
    tokens = model.tokenise(texts)
    documents = torch.arange(count).clamp(max=count - 2)
    return tokens | {
        "role": torch.tensor([QUERY, ANSWER, NEGATIVE]).repeat_interleave(count),
        "pair": torch.arange(count).repeat(3),
        "document": torch.cat([documents, documents, documents + 100]),
        "draw": torch.arange(3 * count),
    }


def gradients(model: SentenceEncoder, losses: list) -> tuple[float, dict]:
    total = 0.0
    for loss in losses:
        found = loss()
        found.backward()
        total += float(found)
    return total, {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("rows", [1, 5, 100])
def test_parts_of_a_batch_have_the_gradient_of_the_whole(base: Path, rows: int) -> None:
    """Of a loss that is written down here without parts, caches or rows by role."""
    model, goal = SentenceEncoder(base, 24), CachedContrast()
    model.eval()  # no dropout, which parts draw for themselves
    batch, count = batch_of(model), 6
    vectors = model(batch)
    scores = 20 * vectors[:count] @ vectors[count:].T
    scores[count - 2, count - 1] = scores[count - 1, count - 2] = -torch.inf  # of one document
    loss = torch.nn.functional.cross_entropy(scores, torch.arange(count))
    loss.backward()
    wanted = {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}
    model.zero_grad()
    total, found = gradients(model, _losses(goal, model, batch, rows))
    assert total == pytest.approx(float(loss.detach()), rel=1e-5)
    assert found.keys() == wanted.keys()
    for name, slope in found.items():
        torch.testing.assert_close(slope, wanted[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 5, 100])
def test_imitation_is_the_divergence_from_the_teacher_over_the_batch(base: Path, rows: int) -> None:
    """By a loss that is written down here; with the teacher's own vectors there is nothing to learn."""
    model = SentenceEncoder(base, 24).eval()
    drawn_ = torch.nn.functional.normalize(torch.randn(18, 7, generator=torch.Generator().manual_seed(1)), dim=1)
    batch = batch_of(model) | {"taught": (drawn_ @ drawn_[:6].T)[:, None]}
    goal, vectors = CachedImitation(5.0, 9.0), model(batch)
    own, theirs = (torch.softmax(scale * one[:6] @ one[6:].T, 1) for scale, one in ((5.0, vectors), (9.0, drawn_)))
    loss = (theirs * (theirs.log() - own.log())).sum(1).mean()
    loss.backward()
    wanted = {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}
    model.zero_grad()
    total, found = gradients(model, _losses(goal, model, batch, rows))
    assert total == pytest.approx(float(loss.detach()), rel=1e-4)
    for name, slope in found.items():
        torch.testing.assert_close(slope, wanted[name], rtol=1e-3, atol=1e-5)
    vectors = vectors.detach()
    own = {"taught": (vectors @ vectors[:6].T)[:, None]}
    np.testing.assert_allclose(CachedImitation(5.0, 5.0).losses(vectors, batch | own), 0, atol=1e-6)
    assert alike(vectors, batch | own, 20.0) == pytest.approx(20.0)
    narrow = {"taught": 0.1 * own["taught"] + 0.9}
    assert alike(vectors, batch | narrow, 20.0) == pytest.approx(200.0, rel=1e-3)


def test_of_what_the_teacher_says_nothing_nothing_is_learned(base: Path) -> None:
    """A teacher that reads pairs says something of a query's own answer and negative only."""
    model = SentenceEncoder(base, 24).eval()
    batch = batch_of(model)
    said = torch.tensor([[2.0, -1.0]]).repeat(6, 1)
    taught = torch.full((18, 1, 6), torch.nan)
    for at in range(6):
        taught[6 + at, 0, at], taught[12 + at, 0, at] = said[at]
    vectors = model(batch).detach().requires_grad_()
    found = CachedImitation(5.0, 1.0).losses(vectors, batch | {"taught": taught})
    for at in range(6):
        own = torch.log_softmax(5.0 * torch.stack([vectors[at] @ vectors[6 + at], vectors[at] @ vectors[12 + at]]), 0)
        theirs = torch.log_softmax(said[at], 0)
        assert float(found[at].detach()) == pytest.approx(float((theirs.exp() * (theirs - own)).sum().detach()), rel=1e-4)
    assert alike(vectors.detach(), batch | {"taught": taught}, 20.0) > 0
    taught[6:, 0, 3] = torch.nan
    silent = CachedImitation(5.0, 1.0).losses(vectors, batch | {"taught": taught})
    silent.sum().backward()
    assert float(silent[3].detach()) == pytest.approx(0, abs=1e-6)
    assert not vectors.grad[3].any()
    assert vectors.grad.isfinite().all()


def test_a_batch_in_one_part_goes_forward_once(base: Path) -> None:
    model, goal = SentenceEncoder(base, 24), CachedContrast()
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    for rows, forward in ((18, 1), (100, 1), (9, 4)):
        calls.clear()
        gradients(model, _losses(goal, model, batch_of(model), rows))
        assert len(calls) == forward


def test_the_last_layers_alone_are_trained(base: Path) -> None:
    """The others keep every bit, and the plan needs less memory."""
    model, goal = SentenceEncoder(base, 24), CachedContrast()
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    known = batch_of(model) | {"slopes": torch.zeros(18, 1, model(batch_of(model)).shape[1]), "shares": torch.zeros(18)}
    plans = [
        planner.plan(model, known, "4GB", methods=("adamw",), objective=goal, changes={"layers": count}) for count in (1, 0)
    ]
    assert plans[0].planned < plans[1].planned
    finetune(model, [batch_of(model)], plans[0], steps=2, rate=1e-3)
    last = {id(weight) for weight in layers_of(model)[-1].parameters()}
    for name, weight in model.named_parameters():
        assert torch.equal(weight, before[name]) == (id(weight) not in last) or "position_ids" in name, name
        assert weight.requires_grad


def test_dropout_draws_the_same_both_times(base: Path) -> None:
    model, goal = SentenceEncoder(base, 24), CachedContrast()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.3
    model.train()
    batch = goal.whole(model, batch_of(model), 5)
    again = goal.whole(model, batch_of(model), 5)
    torch.testing.assert_close(batch["slopes"], again["slopes"])
    vectors = []
    for part in map(goal.prepare, split(batch, 5)):
        torch.manual_seed(part["seed"])
        vectors.append(model(part).detach())
    slopes, _ = goal.slopes(torch.cat(vectors), batch)
    torch.testing.assert_close(slopes, batch["slopes"][:, 0])
    other = goal.whole(model, batch_of(model) | {"draw": torch.arange(18) + 99}, 5)
    assert not torch.allclose(other["slopes"], batch["slopes"])


def test_every_pair_comes_before_one_comes_again_and_a_document_once_a_step() -> None:
    documents = [at // 3 for at in range(90)]
    steps = schedule(documents, 10, 18, 5)
    assert all(len({documents[at] for at in step.tolist()}) == 10 for step in steps)
    counts = np.bincount(np.concatenate(steps), minlength=90)
    assert counts.min() >= 1
    assert counts.max() <= 3
    assert [step.tolist() for step in schedule(documents, 10, 18, 5)] == [step.tolist() for step in steps]
    alike = schedule([1] * 8, 4, 4, 0)  # one document only: nothing better can be done
    assert sorted(np.concatenate(alike[:2]).tolist()) == list(range(8))
    assert [len(step) for step in schedule([1, 2], 5, 3, 0)] == [2, 2, 2]


def test_each_source_has_its_share_of_every_step() -> None:
    """However few its pairs are; they come again more often."""
    domains = [0] * 80 + [1] * 10 + [2] * 10
    steps = schedule(list(range(100)), 12, 15, 2, domains=domains)
    for step in steps:
        assert np.bincount([domains[at] for at in step.tolist()], minlength=3).min() >= 3
    counts = np.bincount(np.concatenate(steps), minlength=100)
    assert counts[:80].max() - counts[:80].min() <= 1
    assert counts[80:].min() > counts[:80].max()
    one = [step.tolist() for step in schedule(list(range(100)), 12, 15, 2)]
    assert [step.tolist() for step in schedule(list(range(100)), 12, 15, 2, domains=[5] * 100)] == one


def test_easy_pairs_come_first() -> None:
    pairs = [Pair("sea sky bird", " ".join(["sea", "sky", "bird"][:count]), at) for at, count in enumerate([0, 1, 2, 3] * 25)]
    ranks = hardness(pairs)
    assert sorted(ranks.tolist()) == pytest.approx(np.linspace(0, 1, 100).tolist())
    assert max(ranks[3::4]) < min(ranks[2::4]) < max(ranks[1::4]) < min(ranks[0::4])
    steps = schedule(list(range(100)), 5, 40, 0, hardness=ranks)
    hardest = [max(ranks[step]) for step in steps]
    assert hardest[0] <= 0.3 < 0.7 < max(hardest[15:])
    assert np.mean([ranks[step].mean() for step in steps[:8]]) < np.mean([ranks[step].mean() for step in steps[24:]])
    assert set(np.concatenate(steps).tolist()) == set(range(100))


def test_some_queries_are_mistyped_and_the_teacher_reads_them_as_they_are(library: bookwheel.Library, base: Path) -> None:
    """By one letter; the same ones whenever a step is made."""
    pairs = [Pair(f"the river flows over stone {at}", f"a bird near the sea {at}", at) for at in range(8)]
    asked: list[list[str]] = []

    class Teacher:
        quick = True

        def scores(self, queries: list[str], texts: list[str], which: np.ndarray) -> np.ndarray:
            asked.append([*queries, *texts])
            return np.array([len(queries[query]) + len(texts[text]) % 7 for query, text in which.tolist()], np.float32)

    model = SentenceEncoder(base, 24)
    made = [
        Batches(pairs, library._snapshot.store, model, ("", ""), 8, 0, negatives=False, typos=share, teacher=Teacher())
        for share in (0.0, 0.5, 1.0)
    ]
    tokens = []
    for one in made:
        one.plan(4)
        first, again = one[1], one[1]
        assert all(torch.equal(first[name].nan_to_num(), again[name].nan_to_num()) for name in first)
        queries = [[token for token in row if token] for row in first["input_ids"][first["role"] == QUERY].tolist()]
        tokens.append(dict(zip(first["pair"][first["role"] == QUERY].tolist(), queries, strict=True)))
    changed = [sum(tokens[0][at] != other[at] for at in range(8)) for other in tokens[1:]]
    assert 1 <= changed[0] < changed[1] == 8
    assert {text for texts in asked for text in texts} == {one.query for one in pairs} | {one.answer for one in pairs}
    draw = random.Random(0)
    for _ in range(200):
        found = mistyped("größe einer Flotte 1999", draw)
        assert found.startswith("g")
        assert found.endswith(" 1999")
        assert abs(len(found) - 23) <= 1
        assert found.count(" ") == 3
    assert mistyped("a b 12 以前", draw) == "a b 12 以前"


def test_some_queries_are_put_in_other_words(library: bookwheel.Library, base: Path) -> None:
    """By rules, of which one knows "used" and how questions begin; the same ones whenever a step is made."""
    pairs = [Pair(f"which sea is used by stone {at}", f"a bird near the sea {at}", at) for at in range(8)]
    made = Batches(pairs, library._snapshot.store, SentenceEncoder(base, 24), ("", ""), 8, 0, negatives=False, paraphrases=0.5)
    made.plan(1)
    asked = made._asked(0, list(range(8)), pairs)
    assert asked == made._asked(0, list(range(8)), pairs)
    other = [after for before, after in zip(pairs, asked, strict=True) if after != before.query]
    assert 1 <= len(other) < 8
    assert all(one.startswith("tell me which is used") or "employed" in one for one in other)


def test_pairs_are_drawn_evenly() -> None:
    pairs = [Pair(str(at), "", at) for at in range(1000)]
    some = drawn(pairs, 200, 1)
    assert len({pair.document for pair in some}) == 200
    assert 400 < np.mean([pair.document for pair in some]) < 600
    assert some == drawn(iter(pairs), 200, 1) != drawn(pairs, 200, 2)
    assert len(drawn(pairs[:5], 200, 1)) == 5


def test_sources_give_queries_without_the_words_of_their_answers(library: bookwheel.Library, tmp_path: Path) -> None:
    passages = Passages.drawn(library._snapshot, 50, 0)
    material = Material(library, library, passages, 0)
    titles = list(pairs_of(material, [source_of("titles")], []))
    assert len(titles) > 100
    assert all(pair.query not in pair.answer for pair in titles)
    store = library._snapshot.store
    owners = {number for number, _ in store.documents_of(passages.ids.tolist()).values()}
    assert {pair.document for pair in titles} <= owners
    assert len(list(pairs_of(material, [source_of("titles")], [titles[0].query.upper()]))) < len(titles)

    (tmp_path / "pairs.jsonl").write_text('{"query": "a b", "answer": "c"}\n\n{"anchor": "d", "positive": "c"}\n')
    (tmp_path / "pairs.tsv").write_text("one\ttwo\nthree\tfour\tmore\n")
    files = [source_of(f"pairs={tmp_path / name}") for name in ("pairs.jsonl", "pairs.tsv")]
    found = list(pairs_of(material, files, []))
    assert [(pair.query, pair.answer) for pair in found] == [("a b", "c"), ("d", "c"), ("one", "two"), ("three", "four")]
    assert found[0].document == found[1].document < 0

    folder = tmp_path / "judged"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(json.dumps({"_id": "3", "title": "", "text": "x"}) + "\n")
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "what is it"}\n{"_id": "r", "text": "other"}\n')
    (folder / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\nq\t3\t1\nr\t4\t0\nr\tnone\t1\n")
    (pair,) = pairs_of(material, [source_of(f"judgments={folder}")], [])
    assert (pair.query, pair.document) == ("what is it", store.find(library.generation, "3")[0])
    assert pair.answer.startswith(library["3"].title)

    log = tmp_path / "log.jsonl"
    log.write_text('{"query": "who", "clicked": "5", "rank": 2}\n{"question": "why", "refused": false, "claims": []}\n')
    (pair,) = pairs_of(material, [source_of(f"queries={log}")], [])
    assert (pair.query, pair.document) == ("who", store.find(library.generation, "5")[0])


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("dreams", "no source 'dreams' of pairs; choose from titles, cloze"),
        ("pairs", "give pairs=FILE"),
        ("judgments", "give judgments=FOLDER"),
        ("titles=x", "give titles alone"),
    ],
)
def test_sources_that_there_are_not(named: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        source_of(named)


def test_files_of_pairs_that_are_none(library: bookwheel.Library, tmp_path: Path) -> None:
    material = Material(library, library, Passages.drawn(library._snapshot, 5, 0), 0)
    for name, text, told in (
        ("a.jsonl", '{"query": "q", "answer": "a"}\n{"query": 3}\n', r"a.jsonl:2 is no pair"),
        ("b.jsonl", "nothing\n", r"b.jsonl:1 is no JSON"),
        ("c.tsv", "one\n", r"c.tsv:1 is no pair .*tab"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match=told):
            list(pairs_of(material, [source_of(f"pairs={tmp_path / name}")], []))
    with pytest.raises(InputError, match="keeps no clicks"):
        list(pairs_of(material, [source_of("queries")], []))


def test_negatives_are_near_but_no_answers(library: bookwheel.Library) -> None:
    passages = Passages.drawn(library._snapshot, 60, 0)
    pairs = list(pairs_of(Material(library, library, passages, 0), [source_of("titles")], []))[:80]
    judge = load_encoder()
    found = hard_negatives(library, pairs, judge)
    assert len(found) == 80
    assert (found != NONE).mean() > 0.5
    store = library._snapshot.store
    for pair, number in zip(pairs, found.tolist(), strict=True):
        if number != NONE:
            (owner, _), (title, text) = store.documents_of([number])[number], store.texts([number])[number]
            assert owner != pair.document
            query, answer, negative = judge.encode([pair.query, pair.answer, f"{title}\n{text}" if title != text else text])
            assert query @ negative < query @ answer


def test_a_run_is_written_as_any_other_model(
    library: bookwheel.Library, base: Path, tmp_path: Path, quick: None, taken: None
) -> None:
    before = Manifest.read(library.path).version
    found = train_encoder(library, base, tmp_path / "tuned", options=OPTIONS, minutes=5)
    assert found.folder == str(tmp_path / "tuned"), str(found)
    assert found.steps == len(found.losses) == 10
    assert found.loss[1] < found.loss[0]
    assert len(found.negatives) == 2
    assert Manifest.read(library.path).version == before
    assert not (library.path / FOLDER).exists()
    assert {path.name for path in tmp_path.iterdir()} == {"tuned"}
    card = (tmp_path / "tuned" / "README.md").read_text()
    assert "sentence-transformers: " in card
    assert "vectors alone" in card
    assert "general questions (" in card
    assert str(found.general) in str(found)
    assert len(found.rates) == found.steps
    assert max(found.rates) == OPTIONS.rate
    assert (tmp_path / "tuned" / "training.svg").read_text().startswith("<svg")
    assert json.loads((tmp_path / "tuned" / "training.json").read_text())["seed"] == 0
    texts = ["the red bird sings", "sky over the stone"]
    ours = load_encoder(str(tmp_path / "tuned"), precision="fp32")
    again = SentenceEncoder(tmp_path / "tuned", 40)
    with torch.no_grad():
        np.testing.assert_allclose(ours.encode(texts), again.eval()(again.tokenise(texts)).numpy(), atol=2e-3)
    assert again.limit == SentenceEncoder(base, 5).limit
    assert not np.allclose(ours.encode(texts), load_encoder(str(base), precision="fp32").encode(texts), atol=1e-2)
    for precision, near in (("fp32", 0.9999), ("int8", 0.98)):  # the files for others, without the weights beside them
        plain = tmp_path / precision
        shutil.copytree(tmp_path / "tuned", plain)
        (plain / "model.safetensors").unlink()
        vectors = load_encoder(str(plain), precision=precision).encode(texts)
        assert (np.einsum("ij,ij->i", vectors, ours.encode(texts)) > near).all()
    with pytest.raises(UsageError, match="never written over"):
        train_encoder(library, base, tmp_path / "tuned")


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
    """Stopped in the second round, whose negatives the model as it was then had found."""
    monkeypatch.setattr(onnx, "write_onnx", lambda _: None)
    whole = train_encoder(library, base, tmp_path / "whole", options=OPTIONS, minutes=5)
    with stopped_at(training, Batches, 7) as seen:
        train_encoder(library, base, tmp_path / "again", options=OPTIONS, minutes=5)
    assert (library.path / FOLDER).exists()
    found = train_encoder(library, base, tmp_path / "again", options=OPTIONS, minutes=5)
    assert 1 not in seen
    assert found.negatives == whole.negatives
    np.testing.assert_allclose(found.losses, whole.losses, rtol=1e-4)
    vectors = [load_encoder(str(tmp_path / name), precision="fp32").encode(["a red bird"]) for name in ("again", "whole")]
    np.testing.assert_allclose(*vectors, atol=1e-5)


def test_a_teacher_is_imitated_and_told(
    library: bookwheel.Library,
    base: Path,
    tmp_path: Path,
    quick: None,
    planned: None,
    taken: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its vectors of every text stand beside the tokens, whatever order they are in; a stopped run keeps its scale."""
    monkeypatch.setattr(onnx, "write_onnx", lambda _: None)
    sys.path.append(str(Path(__file__).parents[1] / "encode"))
    try:
        import encoder_models as models
    finally:
        sys.path.pop()
    larger = models.write_bert(tmp_path / "larger", models.bert_weights(9))
    models.write_modules(
        larger,
        (
            "sentence_transformers.models.Pooling",
            "1_Pooling",
            {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True},
        ),
    )
    judge = load_encoder(str(larger))
    teacher = DenseTeacher(judge)
    pairs = [
        Pair(f"the {word} bird", f"a {word} of the sea " * (at + 1), at) for at, word in enumerate(("sky", "stone", "river"))
    ]
    batches = Batches(
        pairs, library._snapshot.store, SentenceEncoder(base, 24), ("", ""), 3, 0, negatives=False, teacher=teacher
    )
    batch = batches[0]
    asked = judge.encode([one.query for one in pairs])
    for role, number, scores in zip(batch["role"].tolist(), batch["pair"].tolist(), batch["taught"][:, 0].numpy(), strict=True):
        if role == QUERY:
            assert np.isnan(scores).all()
            continue
        text = judge.encode([pairs[int(batches.steps[0][number])].answer])[0]
        np.testing.assert_allclose(scores, [asked[int(at)] @ text for at in batches.steps[0]], atol=1e-5)
    found = train_encoder(library, base, tmp_path / "tuned", teacher=larger, options=OPTIONS, minutes=5)
    assert found.teacher == found.to_dict()["teacher"] == "larger"
    assert "taught by larger" in str(found)
    assert "imitation of larger" in (tmp_path / "tuned" / "README.md").read_text()
    assert found.loss[1] < found.loss[0]
    with pytest.raises(UsageError, match="static is a static model, which has nothing to teach"):
        train_encoder(library, base, teacher="static", options=OPTIONS)


def test_what_cannot_be_trained_is_told_and_nothing_changes(
    library: bookwheel.Library, base: Path, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"there are \d+ pairs .* a smaller --batch"):
        train_encoder(library, base, options=EncoderOptions(batch=1024))
    monkeypatch.setattr(training, "LADDER", ("adamw",))
    with pytest.raises(BudgetError, match=r"give --ram \d+"):
        train_encoder(library, base, ram="256MB", options=OPTIONS)
    monkeypatch.setattr(planner, "plan", lambda *_, objective, **__: Plan(1 << 40, "adamw", 8, 0, 0, objective=objective))
    with pytest.raises(TrainingError, match="became nan"):
        train_encoder(library, base, options=EncoderOptions(batch=16, tokens=24, rate=1e30))
    with pytest.raises(UsageError, match="is a static model; .* bookwheel train static"):
        train_encoder(library, "static")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError):
        train_encoder(library, tmp_path / "empty")
    for wrong in ({"minutes": 0}, {"sources": ()}, {"options": EncoderOptions(batch=1)}):
        with pytest.raises(UsageError):
            train_encoder(library, base, **wrong)
    assert not (library.path / "models").exists()
    assert load_encoder(str(base)).dimension == 32
