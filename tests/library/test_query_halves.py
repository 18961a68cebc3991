"""Half a surrogate pair in a query, as a terminal or a broken client sends it: encoders' tokenizers refuse it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import Document
from bookwheel.library.query_texts import asked
from bookwheel.rank.query import Query


class Strict:
    """Counts letters, of text that UTF-8 can hold."""

    name, revision, sha256, dimension = "strict", "1", "0" * 64, 8

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.array([np.bincount(np.frombuffer(text.encode(), np.uint8) % 8, minlength=8) for text in texts], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bookwheel.Library:
    made = bookwheel.open(Path(tmp_path_factory.mktemp("halves")) / "library", create=True, language="english")
    made.add([Document(str(at), text) for at, text in enumerate(["a bird sings", "the sea is blue", "stones"])], workers=1)
    made.add_encoder("strict", Strict())
    made.embed()
    return made


def test_half_a_surrogate_pair_is_replaced_in_queries(library: bookwheel.Library) -> None:
    """As in documents, wherever the query comes from."""
    for half in ("\ud83d", "\udcff"):
        query = Query(f"{half} bird", history=(f"the {half} sea",))
        whole = library.rank("? bird", recipe="strict").ids.tolist()
        assert len(whole) == 3
        for one in (f"{half} bird", query):
            assert library.rank(one, recipe="strict").ids.tolist() == whole
            assert library.rank_many([one, "sea"], recipe="strict")[0].ids.tolist() == whole
            assert len(library.search(one, recipe="strict")) == 3
        assert len(library.rank(query, recipe="follow_up() >> strict")) == 3
        assert asked(f"{half} who?") == "? who?"


def test_other_queries_stay_what_they_are(library: bookwheel.Library) -> None:
    query = Query(" bird 🐦 ", history=("sea 🌊",))
    assert library.search(query, recipe="strict").query == query.original
