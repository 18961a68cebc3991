"""A library with a segment beyond the size from which sketches are written in lists."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import bookwheel
from bookwheel.documents.document import Document
from bookwheel.index.dense import DenseIndex, IvfDenseIndex
from bookwheel.index.dense import build as dense_build

TEXT = """heron water bird river stone paper engine music planet garden bridge letter winter silver market forest"""
WORDS = TEXT.split()


def documents(count: int) -> list[Document]:
    dice = random.Random(5)
    return [Document(f"d{n}", " ".join(dice.choices(WORDS, k=12)) + f" number {n}.") for n in range(count)]


def kinds(library: bookwheel.Library) -> list[type[DenseIndex | None]]:
    return [type(segment.dense) for segment in library._snapshot.segments]


def test_compaction_beyond_the_threshold_makes_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense_build, "IVF_ROWS", 4000)
    docs = documents(5000)
    with bookwheel.open(tmp_path / "lib", create=True, language="english", ram="256MB") as library:
        for start in (0, 2500):
            library.add(docs[start : start + 2500])
        assert kinds(library) == [DenseIndex, DenseIndex]
        queries = ["heron on the river", "silver engine music", "winter garden bridge", "paper letter market"]
        before = [library.rank(query, 20, recipe="dense") for query in queries]
        library.remove([f"d{n}" for n in range(0, 5000, 10)])
        library.compact()
        assert kinds(library) == [IvfDenseIndex]
        assert library.check() == []
        memory = {line.part: line.planned or 0 for line in library.memory_plan()}
        assert memory["dense: sketches"] < 4 * 256 * 256 + 34 * library.passage_count, "centres of lists, not sketches"
        for query, earlier in zip(queries, before, strict=True):
            hits = library.rank(query, 20, recipe="dense")
            kept = {number for number in earlier.ids.tolist() if number % 10 != 1}
            assert len(kept & set(hits.ids.tolist())) >= 0.85 * len(kept)
        library.add([Document("late", "a heron stands in the river water like a stone bird")])
        assert kinds(library) == [IvfDenseIndex, DenseIndex]
        assert "late" in [result.id for result in library.search("a heron stands in the river", 3, recipe="dense")]
