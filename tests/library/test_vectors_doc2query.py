"""Written queries as a representation of a library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import Document
from bookwheel.analysis.analyzer import Analyzer
from bookwheel.encode.doc2query import Doc2QueryEncoder

ENGLISH = Analyzer("english", True)
WRITTEN = {"heron": "1. a bird waits for fish\n2. birds that fish", "stork": "who nests on roofs\nwhat is a stork"}


def answers(prompts: Sequence[str]) -> list[str]:
    return [next((queries for word, queries in WRITTEN.items() if word in prompt), "Queries:") for prompt in prompts]


def test_terms_are_those_of_the_queries_written() -> None:
    encoder = Doc2QueryEncoder(answers, "table", ENGLISH)
    found = encoder.encode(["the grey heron", "a table", "the white stork"])
    rows = [
        {encoder.vocabulary[term]: weight for term, weight in zip(*(part.tolist() for part in found.row(n)), strict=True)}
        for n in range(3)
    ]
    assert rows[0] == pytest.approx({"bird": np.log(3), "wait": np.log(2), "fish": np.log(3)}, rel=1e-6)
    assert rows[1] == {}
    assert set(rows[2]) >= {"nest", "roof", "stork"}
    query = encoder.encode_queries(["birds on roofs, roofs"])
    assert query.row(0)[1].tolist() == pytest.approx([1.0, 1.0])
    assert len(encoder.encode([])) == 0


def test_what_makes_another_model() -> None:
    one = Doc2QueryEncoder(answers, "table", ENGLISH)
    assert one.sha256 == Doc2QueryEncoder(answers, "table", ENGLISH).sha256
    for other in (
        Doc2QueryEncoder(answers, "another", ENGLISH),
        Doc2QueryEncoder(answers, "table", Analyzer()),
        Doc2QueryEncoder(answers, "table", ENGLISH, count=3),
        Doc2QueryEncoder(answers, "table", ENGLISH, threshold=0.5),
    ):
        assert other.sha256 != one.sha256
    with pytest.raises(bookwheel.UsageError, match="at least 1, not 0"):
        Doc2QueryEncoder(answers, "table", ENGLISH, count=0)
    with pytest.raises(bookwheel.UsageError, match=r"\{text\}"):
        Doc2QueryEncoder(answers, "table", ENGLISH, prompt="write queries")


def test_a_library_finds_by_written_queries(tmp_path: Path) -> None:
    texts = {"heron": "The grey heron stands in shallow water.", "stork": "The white stork.", "storm": "Hail broke the reeds."}
    library = bookwheel.open(tmp_path / "birds", create=True, language="english", encoder=None, recipe="bm25")
    library.add([Document(id=name, text=text) for name, text in texts.items()])
    assert library.search("birds that nest on roofs") == []
    encoder = Doc2QueryEncoder(answers, "table", ENGLISH)
    library.add_encoder("questions", encoder, kind="sparse")
    library.embed()
    found = library.search("birds that nest on roofs", recipe="bm25 + questions")
    assert [result.id for result in found] == ["stork", "heron"]
    library.compact()
    again = library.search("birds that nest on roofs", recipe="questions")
    assert [result.id for result in again] == ["stork", "heron"]
