"""What grows is counted and spilled: many small segments rank as one large one does."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel.documents.document import Document
from bookwheel.library import intake
from bookwheel.library import writer_memory as memory_module
from bookwheel.library.segment import SegmentBuilder
from bookwheel.library.settings import Settings
from bookwheel.memory.shares import Shares
from bookwheel.memory.sizes import MIB

QUERIES = ["open a file", "thread lock", "iterator over items", "parse arguments", "base class"]


def documents(prose: list[tuple[str, str]]) -> list[Document]:
    return [Document(f"d{number}", text, title) for number, (title, text) in enumerate(prose)]


def rankings(path: Path) -> list[list[tuple[int, float]]]:
    with bookwheel.open(path) as library:
        found = [library.rank(query, 20, recipe=recipe) for query in QUERIES for recipe in ("bm25", "dense")]
        return [list(zip(hits.ids.tolist(), np.round(hits.scores, 3).tolist(), strict=True)) for hits in found]


@pytest.fixture
def tiny_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Next to no room for postings: a segment after every batch."""

    def shares(ram: int, *, encoder: int = 0, **others: int) -> Shares:
        return Shares(96 * MIB, encoder, 0, 4 * MIB, 16 * MIB, 1 << 16, 0)

    monkeypatch.setattr(memory_module, "share_out", shares)
    monkeypatch.setattr(intake, "BATCH_PASSAGES", 50)


def test_spilled_segments_rank_as_one(tmp_path: Path, prose: list[tuple[str, str]], request: pytest.FixtureRequest) -> None:
    with bookwheel.open(tmp_path / "one", create=True, language="english") as library:
        library.add(documents(prose))
        assert library.info().segments == 1
    request.getfixturevalue("tiny_share")
    with bookwheel.open(tmp_path / "many", create=True, language="english") as library:
        library.add(documents(prose))
        assert library.info().segments > 1
        assert library.check() == []
    assert rankings(tmp_path / "many") == rankings(tmp_path / "one")


def test_a_document_larger_than_the_budget_of_text_is_taken_in_pieces(
    tmp_path: Path, prose: list[tuple[str, str]], request: pytest.FixtureRequest
) -> None:
    whole = "\n\n".join(text for _, text in prose)
    before = [Document("first", "heron and bittern"), Document("large", whole), Document("last", "stork")]
    with bookwheel.open(tmp_path / "one", create=True, language="english") as library:
        library.add(before)
        expected = [(r.id, r.start, r.end) for r in library.search("thread lock", 20, recipe="bm25")]
    request.getfixturevalue("tiny_share")
    with bookwheel.open(tmp_path / "many", create=True, language="english") as library:
        library.add(before)
        assert library.get("large")[0].text == whole
        assert [(r.id, r.start, r.end) for r in library.search("thread lock", 20, recipe="bm25")] == expected
        assert library.check() == []


@pytest.mark.parametrize("vocabulary", [500, 1 << 30])
def test_what_a_segment_holds_is_counted(tmp_path: Path, vocabulary: int) -> None:
    """`nbytes` is at least what Python and numpy report, for few words often and for words met once."""
    dice = random.Random(0)
    settings = Settings(language="english")
    builder = SegmentBuilder(tmp_path, "000001", settings, None, "impacts-000001")
    texts = [" ".join(f"w{dice.randrange(vocabulary):x}" for _ in range(60)) for _ in range(512)]
    builder.add(np.arange(512), texts, ["english"] * 512)  # the compiled loops are imported by now
    tracemalloc.start()
    counted = builder.nbytes
    for batch in range(1, 12):
        texts = [" ".join(f"w{dice.randrange(vocabulary):x}" for _ in range(60)) for _ in range(512)]
        builder.add(np.arange(512 * batch, 512 * batch + 512), texts, ["english"] * 512)
        del texts
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    grown = builder.nbytes - counted
    assert 0.8 * held <= grown + (1 << 20)
    if vocabulary > 1000:
        assert grown <= 4 * held, "nor is it counted many times over"
