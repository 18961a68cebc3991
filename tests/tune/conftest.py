from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document
from bookwheel.evaluate import Collection
from bookwheel.kernels.bm25 import Bm25
from bookwheel.tune.space import Space

COUNT = 40


@pytest.fixture(scope="session")
def tuned_library(prose: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of docstrings, by passages."""
    path = tmp_path_factory.mktemp("tuned") / "library"
    with bookwheel.open(path, create=True, unit="passage", words=60, language="english") as library:
        library.add([Document(str(number), text, title=title) for number, (title, text) in enumerate(prose[:300])], workers=1)
    return path


@pytest.fixture
def texts(prose: list[tuple[str, str]]) -> dict[str, str]:
    """Queries: some words of each of the first documents."""
    return {f"q{number}": " ".join(text.split()[4:12]) for number, (_, text) in enumerate(prose[:COUNT])}


@pytest.fixture
def library(tuned_library: Path, tmp_path: Path) -> Iterator[bookwheel.Library]:
    """A copy of it, for tests that write."""
    import shutil

    shutil.copytree(tuned_library, tmp_path / "library")
    with bookwheel.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def planted(tuned_library: Path, texts: dict[str, str]) -> Collection:
    """Judgments by which the vectors alone are best: each query's relevant document is the first that they find."""
    with bookwheel.open(tuned_library) as opened:
        found = opened.rank_documents(list(texts.values()), 1, recipe="dense")
    return Collection("planted", texts, {query: {ranking[0][0]: 1} for query, ranking in zip(texts, found, strict=True)})


@pytest.fixture
def noise(texts: dict[str, str]) -> Collection:
    """Judgments that no recipe can know: documents drawn at random, many a query."""
    import random

    draw = random.Random(7)
    return Collection("noise", texts, {query: dict.fromkeys(map(str, draw.sample(range(300), 40)), 1) for query in texts})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small space, so that a search takes a second, and no other process."""
    feedback, reranking = Space.feedback, Space.reranking
    monkeypatch.setattr(Space, "weights", lambda self, parts: [(1,)] if parts == 1 else [(2, 8), (5, 5), (8, 2)])
    monkeypatch.setattr(Space, "feedback", lambda self, parts: list(feedback(self, parts))[-1:])
    monkeypatch.setattr(Space, "reranking", lambda self: list(reranking(self))[:1])
    monkeypatch.setattr(Space, "rewriting", lambda self: iter(()))
    monkeypatch.setattr("bookwheel.tune.search.K1", (0.9, 1.2, 2.0))
    monkeypatch.setattr("bookwheel.tune.search.B", (0.4, 0.75))
    monkeypatch.setattr(Space, "bm25", lambda self: [Bm25(k1, b) for k1 in (0.9, 1.2, 2.0) for b in (0.4, 0.75)])
    monkeypatch.setattr("bookwheel.tune.clock.SAMPLE", 5)
    monkeypatch.setattr("bookwheel.tune.tuning.measured_bytes", lambda *given: 100 << 20)
