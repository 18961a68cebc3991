"""``train tower``: layers that encode queries for stored vectors, stopped and resumed, and put in the whole model's place."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import Document
from bookwheel._errors import RecipeError, UsageError
from bookwheel.encode import load_encoder
from bookwheel.library.vectors.stored import passage_vectors
from bookwheel.train import TowerOptions, held_out, train_tower
from bookwheel.train.data.passages import Passages
from bookwheel.train.tower import training
from bookwheel.tune.made import made_collection
from bookwheel.tune.reliability import searchable

torch = pytest.importorskip("torch")
sentence_transformers = pytest.importorskip("sentence_transformers", reason="training encoders needs bookwheel[train]")

from bookwheel.train.encoder.model import SentenceEncoder  # noqa: E402
from bookwheel.train.memory import Plan, planner  # noqa: E402
from bookwheel.train.memory.modules import cut  # noqa: E402
from bookwheel.train.objectives.query_imitation import QueryImitation  # noqa: E402
from bookwheel.train.objectives.query_ranking import QueryRanking  # noqa: E402
from bookwheel.train.tower import layered  # noqa: E402
from bookwheel.train.tower.drawn import OPENINGS, Text, drawn_query  # noqa: E402
from bookwheel.train.tower.queries import QueryBatches  # noqa: E402
from bookwheel.train.tower.ranked import DEPTH, RankedBatches, probable  # noqa: E402
from bookwheel.train.tower.student import choices  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

OPTIONS = TowerOptions(batch=16, tokens=24, rate=5e-3)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with random weights, in sentence-transformers' layout."""
    sys.path.append(str(Path(__file__).parents[1] / "encode"))
    try:
        import encoder_models as models
    finally:
        sys.path.pop()
    path = models.write_bert(tmp_path_factory.mktemp("tiny") / "model", models.bert_weights(3))
    pooling = {"word_embedding_dimension": models.HIDDEN, "pooling_mode_mean_tokens": True}
    models.write_modules(path, ("sentence_transformers.models.Pooling", "1_Pooling", pooling))
    return path


@pytest.fixture(scope="module")
def held(base: Path, prose: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    """A library whose passages ``tiny`` has embedded, queries made of it, and the copy without them."""
    path = tmp_path_factory.mktemp("towers") / "library"
    with bookwheel.open(path, create=True, language="english", ram="4GB") as opened:
        opened.add([Document(str(number), text, title=title) for number, (title, text) in enumerate(prose[:60])], workers=1)
        opened.add_encoder("tiny", base)
        opened.embed("tiny")
        made = made_collection(opened, 40)
        with searchable(opened, made) as copy:
            yield opened, made, copy


@pytest.fixture
def library(held: tuple, monkeypatch: pytest.MonkeyPatch) -> bookwheel.Library:
    monkeypatch.setattr(layered, "MOST_STEPS", 12)
    monkeypatch.setattr(layered, "PROBED", 2)
    monkeypatch.setattr(held_out, "made_collection", lambda *_, **__: held[1])
    monkeypatch.setattr(training, "searchable", lambda *_, **__: nullcontext(held[2]))
    return held[0]


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without asking what a step needs."""
    monkeypatch.setattr(planner, "plan", lambda *_, objective, **__: Plan(1 << 40, "adamw", 8, 0, 0, objective=objective))


@pytest.mark.slow
def test_a_tower_that_was_stopped_ends_with_the_same_weights(
    library: bookwheel.Library, tmp_path: Path, planned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_tower(library, "tiny", tmp_path / "whole", layers=1, least=0.0, options=OPTIONS, minutes=5)
    monkeypatch.setattr(layered, "CHECKPOINT", 0.0)
    steps, calls = QueryBatches.__getitem__, []

    def stopped(self: QueryBatches, step: int) -> dict:
        if self.steps == 12 and step == 6:
            calls.append(step)
            if len(calls) == 1:
                raise MemoryError
        return steps(self, step)

    monkeypatch.setattr(QueryBatches, "__getitem__", stopped)
    with pytest.raises(MemoryError):
        train_tower(library, "tiny", tmp_path / "again", layers=1, least=0.0, options=OPTIONS, minutes=5)
    found = train_tower(library, "tiny", tmp_path / "again", layers=1, least=0.0, options=OPTIONS, minutes=5)
    np.testing.assert_allclose(found.losses, whole.losses, rtol=1e-4)
    texts = ["the red bird sings"]
    vectors = [load_encoder(str(tmp_path / name), precision="fp32").encode_queries(texts) for name in ("again", "whole")]
    np.testing.assert_allclose(*vectors, atol=1e-5)


def test_what_reaches_too_little_is_not_written(
    library: bookwheel.Library, tmp_path: Path, planned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layered, "MOST_STEPS", 2)
    found = train_tower(library, "tiny", tmp_path / "tower", layers=1, least=2.0, options=OPTIONS, minutes=5)
    assert found.folder is None
    assert "Nothing was changed: 200 % are wanted" in str(found)
    assert not (tmp_path / "tower").exists()
    for name, wrong, told in (
        ("dense", {}, "no dense encoder that was added to the library; there are tiny"),
        ("tiny", {"layers": 2}, "has 2 layers; a query tower has fewer"),
        ("tiny", {"layers": -1}, "or 0 for a table of token vectors"),
        ("tiny", {"minutes": 0}, "minutes"),
        ("tiny", {"layers": 0, "teacher": "bm25"}, "imitates its encoder alone; leave out the teacher"),
        ("tiny", {"layers": 3, "teacher": "bm25"}, "has 2 layers"),
    ):
        with pytest.raises(UsageError, match=told):
            train_tower(library, name, **wrong)
    with pytest.raises(RecipeError, match="bm26"):
        train_tower(library, "tiny", teacher="bm25 + bm26")


def test_which_layers_may_be_kept(base: Path) -> None:
    assert choices(6, 2) == [(0, 1), (0, 5), (0, 3)]
    assert choices(12, 3) == [(0, 1, 2), (0, 6, 11), (0, 4, 8), (0, 1, 11)]
    assert choices(6, 1) == [(0,), (5,)]
    model, whole = SentenceEncoder(base, 24), SentenceEncoder(base, 24)
    cut(model, (1,))
    weights = dict(whole.named_parameters())
    for name, weight in model.named_parameters():
        torch.testing.assert_close(weight, weights[name.replace("layer.0.", "layer.1.")])


def test_the_order_of_stored_passages_counts() -> None:
    """Two vectors as near to the target: the one that keeps the order has the smaller loss, and none at the target itself."""
    unit = torch.nn.functional.normalize
    draw = torch.Generator().manual_seed(0)
    passages, target = unit(torch.randn(50, 3, generator=draw), dim=1), unit(torch.randn(1, 3, generator=draw), dim=1)
    goal = QueryImitation(passages, order=1.0)
    batch = goal.prepare({"targets": target[:, None]})
    assert goal.total(lambda _: target, batch) == pytest.approx(0.0, abs=1e-5)
    # On a circle around the target all cosines to it are alike; the order of passages is not.
    across = unit(torch.linalg.cross(target, passages[:1]), dim=1)
    other = torch.linalg.cross(target, across)
    angles = torch.linspace(0, 6, 30)[:, None]
    circle = 0.9 * target + (1 - 0.81) ** 0.5 * (angles.cos() * across + angles.sin() * other)
    losses = torch.stack([goal.total(lambda _, v=v: v[None], batch) for v in circle])
    plain = torch.stack([QueryImitation(None).total(lambda _, v=v: v[None], batch) for v in circle])
    assert float(plain.std()) < 1e-5 < 0.01 < float(losses.std())
    assert float((losses - plain).min()) > 0


def test_a_ranking_is_imitated_over_all_stored_passages(held: tuple, base: Path) -> None:
    """Against a softmax that is written down here over every passage once, with what a recipe gives to its first ones."""
    _, _, copy = held
    encoder = load_encoder(str(base))
    every = np.sort(Passages.drawn(copy._snapshot, 10_000, 0).ids)
    texts = [Text("the name of a file", "An error was raised. The method returns an object.")]
    recipe = "0.5*bm25 + 0.5*tiny"
    for some in (every, every[::3]):
        batches = RankedBatches(texts, encoder, SentenceEncoder(base, 24), "", 6, 3, 0).rank_by(copy, recipe, "tiny", some)
        batch = batches[0]
        assert batch["listed"].shape == (6, DEPTH, encoder.dimension)
        sample = torch.from_numpy(passage_vectors(copy._encoders, copy._snapshot, "tiny", some))
        vectors = torch.nn.functional.normalize(
            torch.randn(6, encoder.dimension, generator=torch.Generator().manual_seed(2)), dim=1
        )
        goal = QueryRanking(sample, order=1.0)
        found = goal.total(lambda _: vectors, goal.prepare(batch))  # noqa: B023
        wanted = 0.0
        for row in range(6):
            listed = [
                tuple(one.tolist()) for one, share in zip(batch["listed"][row], batch["wanted"][row, 0], strict=True) if share
            ]
            shares = [share for share in batch["wanted"][row, 0].tolist() if share]
            assert sum(shares) == pytest.approx(1.0, abs=1e-5)
            places = [at for at in batch["places"][row, 0].tolist() if at < len(some)]
            assert {tuple(sample[at].tolist()) for at in places} <= set(listed)
            assert len(places) == (len(listed) if len(some) == len(every) else len(set(places)))
            others = [tuple(sample[at].tolist()) for at in sorted(set(range(len(some))) - set(places))]
            scores = torch.tensor([*listed, *others]) @ vectors[row] / goal.temperature
            probability = torch.softmax(scores, 0)[: len(listed)].numpy()
            wanted += float((np.array(shares) * (np.log(shares) - np.log(probability))).sum())
            wanted += 1 - float(vectors[row] @ batch["targets"][row, 0])
        assert float(found) == pytest.approx(wanted, rel=1e-3)
    assert batches.largest(encoder.dimension).keys() == batch.keys()
    model = SentenceEncoder(base, 24)
    steps, losses = torch.optim.Adam(model.parameters(), 1e-3), []
    for _ in range(15):
        loss = goal.total(model, goal.prepare(batch))
        losses.append(float(loss.detach()))
        steps.zero_grad()
        loss.backward()
        steps.step()
    assert losses[-1] < 0.8 * losses[0]
    ranked = copy.rank("the name of a file", DEPTH, recipe=recipe)
    np.testing.assert_allclose(probable(ranked.scores), probable(7 * ranked.scores + 3), rtol=1e-3)
    assert (np.diff(probable(ranked.scores)) <= 0).all()


def test_a_better_ranking_teaches_all_layers(
    library: bookwheel.Library, base: Path, tmp_path: Path, planned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written only where it is better."""
    monkeypatch.setattr(layered, "MOST_STEPS", 3)
    options = TowerOptions(batch=16, tokens=24)
    found = train_tower(library, "tiny", tmp_path / "tower", teacher="bm25", least=0.0, options=options, minutes=5)
    assert found.layers == (0, 1)
    assert found.teacher == found.to_dict()["teacher"] == "bm25"
    assert "to rank as bm25" in str(found)
    assert [one.what for one in found.verdict.changes] == ["the stored vectors", "with BM25"]
    assert len(found.losses) == 3
    assert "the order of bm25" in (tmp_path / "tower" / "README.md").read_text()
    tower = load_encoder(found.folder)
    assert tower.passages_sha256 == load_encoder(str(base)).sha256
    asked = train_tower(library, "tiny", tmp_path / "other", teacher="bm25", options=options, minutes=5)
    assert asked.least is None
    assert (asked.folder is not None) == asked.verdict.better
    assert asked.folder is not None or f"Nothing was changed: {asked.verdict.reason}." in str(asked)


def test_queries_are_of_the_texts() -> None:
    draw = random.Random(0)
    texts = [
        Text("A title here", "One sentence is here. Another one stands beside it, and it is longer than that."),
        Text("", "   "),
    ]
    found = {drawn_query(texts, draw) for _ in range(400)}
    assert {"A title here", "One sentence is here."} <= found
    known = {word.casefold().strip(".") for word in f"{texts[0].title} {texts[0].text}".replace(",", "").split()}
    assert {word.casefold().strip(".,") for query in found for word in query.split()} <= known


@pytest.mark.parametrize("language", ["english", "german"])
def test_questions_are_asked_in_the_language_of_the_text(language: str) -> None:
    draw = random.Random(0)
    text = Text("", "Copper wires carry current better than iron wires of equal width.", language)
    found = {drawn_query([text], draw) for _ in range(400)}
    openings = tuple(one.casefold() for one in OPENINGS[language])
    asked = [query for query in found if query.endswith("?")]
    assert len(asked) > 50
    assert all(query.casefold().startswith(openings) and query[0].isupper() for query in asked)
    assert any(query.startswith(openings) and not query.endswith("?") for query in found)  # as people type


def test_a_tower_takes_the_place_of_the_whole_without_embedding(
    library: bookwheel.Library, base: Path, tmp_path: Path, planned: None
) -> None:
    found = train_tower(library, "tiny", tmp_path / "tower", layers=1, least=0.0, options=OPTIONS, minutes=5)
    assert found.folder == str(tmp_path / "tower")
    assert found.losses[-1] < found.losses[0]
    assert len(found.layers) == 1
    assert "general questions (" in (tmp_path / "tower" / "README.md").read_text()
    assert str(found.general) in str(found)
    assert (tmp_path / "tower" / "training.svg").read_text().startswith("<svg")
    whole, tower = load_encoder(str(base)), load_encoder(found.folder)
    assert whole.sha256 == whole.passages_sha256 == tower.passages_sha256 != tower.sha256
    texts = ["the red bird sings", "sky over the green stone"]
    np.testing.assert_array_equal(whole.encode(texts), tower.encode(texts))
    assert not np.allclose(whole.encode_queries(texts), tower.encode_queries(texts), atol=1e-2)

    theirs = sentence_transformers.SentenceTransformer(found.folder, device="cpu", local_files_only=True)
    plain = load_encoder(found.folder, precision="fp32")
    for ours, other in ((plain.encode, theirs.encode_document), (plain.encode_queries, theirs.encode_query)):
        np.testing.assert_allclose(ours(texts), other(texts, normalize_embeddings=True), atol=2e-3)

    ids = np.arange(1, 20)
    before = passage_vectors(library._encoders, library._snapshot, "tiny", ids)
    assert library.replace_encoder("tiny", found.folder).embedded == library.passage_count
    np.testing.assert_array_equal(passage_vectors(library._encoders, library._snapshot, "tiny", ids), before)
    assert library.search(texts[0], recipe="tiny")
    with pytest.raises(UsageError, match="has a query tower already"):
        train_tower(library, "tiny", layers=1)
    assert library.replace_encoder("tiny", base).embedded == library.passage_count  # and back
