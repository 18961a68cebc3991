from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document
from bookwheel.evaluate import Collection

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
