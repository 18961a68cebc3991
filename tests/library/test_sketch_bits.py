"""Sketches take the bits a dimension that fit into the budget."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bookwheel
from bookwheel._errors import BudgetError
from bookwheel.documents.document import Document
from bookwheel.index.dense.size import memory_bytes
from bookwheel.library import memory_plan, writer_memory
from bookwheel.library.memory_plan import SKETCHES, STATIC, WORKING, sketch_bits
from bookwheel.memory.shares import BASE
from bookwheel.memory.sizes import MIB

TEXT = """heron water bird river stone paper engine music planet garden bridge letter winter silver market forest"""
WORDS = TEXT.split()


def documents(count: int) -> list[Document]:
    dice = random.Random(7)
    return [Document(f"d{n}", " ".join(dice.choices(WORDS, k=14)) + f" number {n}.") for n in range(count)]


def bits_of(library: bookwheel.Library) -> list[int]:
    return [segment.dense.bits for segment in library._snapshot.segments if segment.dense is not None]


def test_a_million_passages_take_two_bits_in_the_smallest_budget() -> None:
    assert sketch_bits(1_000_000, 256, 256 * MIB) == 2
    assert sketch_bits(10_000_000, 256, 2048 * MIB) == 2
    assert sketch_bits(1_000_000, 256, 1024 * MIB) == 1, "the vectors themselves fit there"
    assert sketch_bits(1_000_000, 256, None) == 1
    assert sketch_bits(5_000_000, 256, 256 * MIB) == 1


@given(st.integers(1, 30_000_000), st.sampled_from([8, 64, 256, 384, 768]), st.integers(256, 64 << 10))
def test_more_bits_than_one_leave_room_for_the_rest(passages: int, dimension: int, megabytes: int) -> None:
    ram = megabytes * MIB
    bits = sketch_bits(passages, dimension, ram)
    assert bits in (1, 2, 4)
    if bits > 1:
        assert memory_bytes(passages, dimension, bits) <= SKETCHES * (ram - BASE - WORKING - STATIC)
        assert 2 * dimension * passages > ram


def test_segments_of_different_bits_are_searched_and_merged_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs, found = documents(6000), 2
    monkeypatch.setattr(writer_memory, "sketch_bits", lambda *_: found)
    queries = ["heron on the river", "silver engine music", "winter garden bridge"]
    with bookwheel.open(tmp_path / "lib", create=True, language="english", ram="256MB") as library:
        library.add(docs[:3000])
        found = 1
        library.add(docs[3000:])
        assert bits_of(library) == [2, 1]
        before = [library.rank(query, 20, recipe="dense").ids.tolist() for query in queries]
        found = 2
        library.compact()
        assert bits_of(library) == [2]
        for query, earlier in zip(queries, before, strict=True):
            hits = library.rank(query, 20, recipe="dense")
            assert len(set(earlier) & set(hits.ids.tolist())) >= 18
        assert library.check() == []
        found = 1
        library.compact()
        assert bits_of(library) == [1], "a smaller budget makes them anew"
    with bookwheel.open(tmp_path / "lib") as library:
        found = 4
        library.compact()
        assert bits_of(library) == [1], "no budget was named: they stay"


def test_the_refusal_names_what_makes_them_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_memory, "sketch_bits", lambda *_: 2)
    with bookwheel.open(tmp_path / "lib", create=True, language="english", ram="512MB") as library:
        library.add(documents(50))
    monkeypatch.setattr(memory_plan, "WORKING", 300 * MIB)
    with (
        bookwheel.open(tmp_path / "lib", ram="256MB") as library,
        pytest.raises(BudgetError, match="bookwheel compact --ram 256MB"),
    ):
        library.rank("heron", 3, recipe="dense")
