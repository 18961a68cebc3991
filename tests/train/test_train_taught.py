"""``train projection --teacher``: the gradient, what a map learns, runs that are stopped, and what the library gets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel import Document
from bookwheel._errors import InputError, UsageError
from bookwheel.encode import load_encoder
from bookwheel.encode.find import BUILT_IN_MODELS
from bookwheel.encode.protocols import unit
from bookwheel.library.passage_texts import opening_texts
from bookwheel.library.vectors.stored import passage_vectors
from bookwheel.train import held_out, train_taught_projection
from bookwheel.train.kept import Kept
from bookwheel.train.kept_texts import encoded_chunks
from bookwheel.train.projection import lesson, teaching
from bookwheel.train.projection.taught_map import (
    SCALE,
    Lesson,
    divergence,
    loss_and_slope,
    probabilities,
    taught_map,
    teacher_scale,
)
from bookwheel.train.projection.writing import write_mapped
from bookwheel.train.safety import Verdict
from bookwheel.tune.made import made_collection
from bookwheel.tune.reliability import searchable

pytestmark = pytest.mark.filterwarnings("ignore")


def half(rows: np.ndarray) -> np.ndarray:
    return unit(rows).astype(np.float16)


@pytest.fixture(scope="module")
def crooked() -> np.ndarray:
    """A map (256, 256) that spoils vectors: some directions are stretched 30 times, others shrunk."""
    draw = np.random.default_rng(8)
    left, right = (np.linalg.qr(draw.normal(size=(256, 256)))[0] for _ in range(2))
    return (left * np.geomspace(30, 0.2, 256) @ right).astype(np.float32)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory, prose: list[tuple[str, str]], crooked: np.ndarray) -> Iterator[tuple]:
    """A library with the built-in model and with one whose vectors are spoiled, queries made of it, and the copy without them."""
    above = tmp_path_factory.mktemp("taught")
    write_mapped(above / "crooked", BUILT_IN_MODELS["static"], load_encoder(None), crooked, "crooked", "a test")
    with bookwheel.open(above / "library", create=True, language="english") as opened:
        opened.add([Document(str(number), text, title=title) for number, (title, text) in enumerate(prose[:300])], workers=1)
        opened.add_encoder("crooked", above / "crooked")
        opened.embed("crooked")
        made = made_collection(opened, 120)
        with searchable(opened, made) as copy:
            yield opened, made, copy


@pytest.fixture
def library(held: tuple, monkeypatch: pytest.MonkeyPatch) -> bookwheel.Library:
    """That library. A static model may teach here, and few queries and steps are enough."""
    monkeypatch.setattr(held_out, "made_collection", lambda *_, **__: held[1])
    monkeypatch.setattr(teaching, "searchable", lambda *_, **__: nullcontext(held[2]))
    monkeypatch.setattr(teaching, "dense_teacher", lambda library, named: load_encoder(None if named == "built in" else named))
    monkeypatch.setattr(teaching, "QUERIES", 2000)
    monkeypatch.setattr(teaching, "STEPS", 60)
    monkeypatch.setattr(teaching, "RATE", 5e-3)
    yield held[0]
    for copy in held[2].encoders():
        if copy.name.startswith("mapped"):
            held[2].remove_encoder(copy.name)


@given(st.integers(1, 5), st.integers(2, 9), st.integers(2, 7), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_gradient_is_that_of_the_loss(queries: int, passages: int, dimension: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    asked, told = draw.normal(size=(queries, dimension)), draw.normal(size=(passages, dimension))
    weights = np.eye(dimension) + 0.3 * draw.normal(size=(dimension, dimension))
    wanted = probabilities(3 * draw.normal(size=(queries, passages)))
    loss, slope = loss_and_slope(weights, asked, told, wanted, 5.0)
    assert loss > -1e-9
    away = draw.normal(size=weights.shape)
    up, down = (loss_and_slope(weights + sign * 1e-5 * away, asked, told, wanted, 5.0)[0] for sign in (1, -1))
    np.testing.assert_allclose((slope * away).sum(), (up - down) / 2e-5, rtol=2e-3, atol=1e-5)
    own = probabilities(5.0 * unit(asked @ weights.T).astype(float) @ unit(told @ weights.T).T)
    none, flat = loss_and_slope(weights, asked, told, own, 5.0)
    assert abs(none) < 1e-5
    assert np.abs(flat).max() < 1e-4


@pytest.mark.parametrize("turned", [False, True])
def test_a_map_learns_what_the_teacher_keeps_and_leaves_alone_what_agrees(turned: bool) -> None:
    """Vectors of which the encoder has stretched some directions; those of the teacher may be turned, and have other dimensions."""
    draw = np.random.default_rng(1)
    passages = draw.normal(size=(900, 24))
    queries = passages[draw.integers(900, size=1500)] + 0.7 * draw.normal(size=(1500, 24))
    stretched = np.geomspace(6, 0.3, 24)
    turn = np.linalg.qr(draw.normal(size=(40, 24)))[0].T if turned else np.eye(24)
    lesson = Lesson(half(queries * stretched), half(passages * stretched), half(queries @ turn), half(passages @ turn))
    aside, rest = lesson.parted(300)
    assert (len(aside.own_queries), len(rest.own_queries)) == (300, 1200)
    scale, same = teacher_scale(rest, 0), np.eye(24, dtype=np.float32)
    found = taught_map(rest, scale, 100, 0, rate=2e-2)
    assert divergence(found.weights, aside, scale) < 0.5 * divergence(same, aside, scale)
    assert found.losses[-1] < 0.6 * found.losses[0]
    assert (found.rates[0], len(found.rates)) == (2e-2, 100)
    np.testing.assert_array_equal(taught_map(rest, scale, 5, 0).weights, taught_map(rest, scale, 5, 0).weights)
    agrees = Lesson(half(queries), half(passages), half(queries @ turn), half(passages @ turn))
    assert teacher_scale(agrees, 0) == pytest.approx(SCALE, rel=1e-2)
    assert np.abs(taught_map(agrees, teacher_scale(agrees, 0), 50, 0).weights - same).max() < 0.02


def test_texts_are_encoded_once_and_as_long_as_there_is_time(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    chunks = [[f"text {number}"] * (number + 1) for number in range(6)]
    seen: list[int] = []

    def encode(texts: list[str]) -> dict[str, np.ndarray]:
        if len(texts) == 4 and 4 not in seen:
            seen.append(4)
            raise MemoryError
        seen.append(len(texts))
        return {"rows": np.full((len(texts), 2), len(texts))}

    def run(kept: Kept, seconds: float = 1e9, stop: bool = False, least: int = 0) -> list[int]:
        found = encoded_chunks(kept, "some", iter(chunks), encode, seconds, lambda: stop, least)
        return [int(rows["rows"].sum()) for texts, rows in found]

    with pytest.raises(MemoryError):
        run(Kept(tmp_path / "library", "a"))
    assert run(Kept(tmp_path / "library", "a"), stop=True) == [2, 8, 18]  # as far as it was, and not the end
    whole = [2 * (number + 1) ** 2 for number in range(6)]
    assert run(Kept(tmp_path / "library", "a")) == whole
    assert seen == [1, 2, 3, 4, 4, 5, 6]
    (tmp_path / "library" / "training" / Kept(tmp_path / "library", "a").folder.name / "some-00002.npz").write_bytes(b"damaged")
    assert run(Kept(tmp_path / "library", "a")) == whole[:2]  # it is closed: nothing is encoded any more
    assert run(Kept(tmp_path / "library", "c"), seconds=0, least=2) == whole[:2]
    assert run(Kept(tmp_path / "library", "b"), seconds=0) == []
    assert run(Kept(tmp_path / "library", "b")) == []


def test_a_spoiled_encoder_learns_to_rank_again_and_the_library_gets_it(library: bookwheel.Library, tmp_path: Path) -> None:
    found = train_taught_projection(library, "crooked", tmp_path / "model", teacher="built in", add="straight", minutes=3)
    assert (found.folder, found.added, found.teacher) == (str(tmp_path / "model"), "straight", "static")
    assert [change.what for change in found.verdict.changes] == ["vectors alone", "with BM25"]
    assert found.verdict.changes[0].better
    assert found.divergence[1] < 0.8 * found.divergence[0]
    assert len(found.losses) == len(found.rates) == 60
    said = str(found)
    assert "drawn queries, in 60 steps" in said
    assert f"written to {found.folder}" in said
    card = (tmp_path / "model" / "README.md").read_text()
    assert "teacher: static, sha256" in card
    assert "vectors alone" in card
    assert (tmp_path / "model" / "training.svg").read_text().startswith("<svg")
    ids = np.arange(1, library.passage_count, 7)
    added = passage_vectors(library._encoders, library._snapshot, "straight", ids)
    own = load_encoder(found.folder).encode(opening_texts(library._snapshot.store, ids.tolist()))
    assert np.median((added * own).sum(1)) > 0.995
    assert library.search("a file that is read", recipe="0.5*bm25 + 0.5*straight")
    assert found.memory_plan is not None
    assert not any((library.path / "training").glob("*"))
    with pytest.raises(UsageError, match="'straight' already"):
        train_taught_projection(library, "crooked", teacher="built in", add="straight")
    library.remove_encoder("straight")


def test_a_run_that_was_stopped_goes_on_to_the_same_map(
    library: bookwheel.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Verdict, "reason", "")
    monkeypatch.setattr(teaching, "STEPS", 8)

    def train(out: str) -> bytes:
        train_taught_projection(library, "crooked", tmp_path / out, teacher="built in", seed=4)
        return (tmp_path / out / "vectors.npy").read_bytes()

    whole = train("whole")
    asked = iter([False] * 6 + [True] * 1000)
    with monkeypatch.context() as patch:
        patch.setattr(teaching, "interruptible", lambda: nullcontext(lambda: next(asked)))  # Ctrl-C while texts are encoded
        with pytest.raises(KeyboardInterrupt):
            train("stopped")
    (folder,) = (library.path / "training").iterdir()
    assert list(folder.glob("*-00000.npz"))
    for name in ("taught_map", "load_encoder", "verdict"):

        def stopped(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(teaching, name, stopped)
            with pytest.raises(KeyboardInterrupt):
                train("stopped")
        assert not (tmp_path / "stopped").exists()
    assert train("stopped") == whole
    assert not any((library.path / "training").glob("*"))


def test_a_teacher_of_the_library_does_not_read_passages_again(
    library: bookwheel.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sys.path.append(str(Path(__file__).parents[1] / "encode"))
    try:
        models = pytest.importorskip("encoder_models")
    finally:
        sys.path.pop()
    folder = models.write_bert(tmp_path / "base", models.bert_weights(3))
    both = lesson.Both("crooked", library._encoders.encoder(library._snapshot.manifest.representation("crooked")), None, None)
    kept = Kept(library.path, "a test")
    seen: list[int] = []

    class Teacher:
        """A transformer that counts the texts it reads."""

        dimension = models.HIDDEN
        model = load_encoder(str(folder))

        def encode(self, texts: list[str]) -> np.ndarray:
            seen.append(len(texts))
            return self.model.encode(texts)

    teacher = Teacher()
    others = lesson.Both("crooked", both.encoder, teacher, None)
    told = others.lesson(library, (600, 10_000), kept, 1e9, 0, lambda: False, lambda _: None)
    passages = library.passage_count
    assert len(told.own_queries) <= sum(seen) - passages <= 600
    assert told.own_passages.shape == (passages, 256)
    assert told.their_passages.shape == (passages, models.HIDDEN)
    library.add_encoder("own", folder)
    library.embed("own")
    try:
        seen.clear()
        kept.clear()
        kept = Kept(library.path, "a test")
        stored = lesson.Both("crooked", both.encoder, teacher, "own")
        again = stored.lesson(library, (600, 10_000), kept, 1e9, 0, lambda: False, lambda _: None)
        assert len(again.own_queries) <= sum(seen) <= 600
        np.testing.assert_allclose(again.their_passages, told.their_passages, atol=2e-2)
        np.testing.assert_array_equal(again.own_passages, told.own_passages)
        kept.clear()
        kept = Kept(library.path, "a test")
        least = others.lesson(library, (1100, 10_000), kept, 0, 0, lambda: False, lambda _: None)  # no time at all
        assert len(least.own_passages) == 256
        assert 500 <= len(least.own_queries) <= 1100
        for most, told in (((400, 10_000), "400|3.. queries"), ((1100, 150), "150 passages")):
            kept.clear()
            kept = Kept(library.path, "a test")
            with pytest.raises(InputError, match=f"gives ({told}) for the teacher to rank"):
                others.lesson(library, most, kept, 1e9, 0, lambda: False, lambda _: None)
    finally:
        kept.clear()
        library.remove_encoder("own")


def test_what_cannot_be_taught_is_told(library: bookwheel.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, settings_, told in (
        ("none", {}, "no dense encoder of the library"),
        ("dense", {}, "itself, which has nothing to learn"),
        ("crooked", {"minutes": 0}, "minutes"),
        ("crooked", {"add": "bm25"}, "none of"),
    ):
        with pytest.raises(UsageError, match=told):
            train_taught_projection(library, name, teacher="built in", **settings_)
    monkeypatch.setattr(teaching, "AMONG", 1 << 20)
    with pytest.raises(bookwheel.BudgetError, match="training needs"):
        train_taught_projection(library, "crooked", teacher="built in", ram="256MB")
    monkeypatch.undo()
    with pytest.raises(UsageError, match="static model, which has nothing to teach"):
        train_taught_projection(library, "crooked", teacher="dense")
