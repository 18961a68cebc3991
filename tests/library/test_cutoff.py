"""The relevance cut-off: fitted on the library itself, it keeps what fits and says when nothing does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_vectors_dense import documents, make
from vectors_encoders import Rotated

import bookwheel
from bookwheel import Library
from bookwheel.library.retrieval import cutoff
from bookwheel.library.retrieval.cutoff import fitting_probabilities


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, prose: list[tuple[str, str]]) -> Library:
    return make(tmp_path_factory.mktemp("cutoff") / "x", documents(prose, slice(0, 200)))


def own_queries(library: Library, count: int = 40) -> list[tuple[str, str]]:
    """Ids of documents, and a few words in a row of each."""
    found = []
    for document in list(library)[: 3 * count : 3]:
        words = document.text.split()
        if len(words) > 30:
            found.append((document.id, " ".join(words[20:27])))
    return found


def test_it_keeps_what_fits_and_drops_what_does_not(library: Library) -> None:
    asked = own_queries(library)
    kept = [name in [r.id for r in library.search(text, 10, cutoff=0.3)] for name, text in asked]
    had = [name in [r.id for r in library.search(text, 10)] for name, text in asked]
    assert sum(kept) >= 0.8 * sum(had)
    foreign = ["medieval cathedral stained glass windows", "recipe for lentil soup with cumin", "football world cup final 1974"]
    assert all(not library.search(text, 10, cutoff=0.5) for text in foreign)
    assert all(library.search(text, 10, recipe="hybrid") for text in foreign)


@pytest.mark.parametrize("recipe", ["bm25", "hybrid", "dense"])
def test_a_greater_cutoff_keeps_fewer_of_the_same(library: Library, recipe: str) -> None:
    for _, text in own_queries(library, 5):
        whole = [r.passage for r in library.search(text, 10, recipe=recipe)]
        before = whole
        for level in (0.0, 0.2, 0.5, 0.8, 1.0):
            left = [r.passage for r in library.search(text, 10, recipe=recipe, cutoff=level)]
            assert left == [number for number in before if number in left]
            assert level > 0 or left == whole
            before = left


def test_it_is_fitted_once_and_again_when_the_library_has_grown(
    tmp_path: Path, prose: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = []
    fit = cutoff._fit
    monkeypatch.setattr(cutoff, "_fit", lambda *a: fitted.append(a[2].names) or fit(*a))
    library = make(tmp_path / "x", documents(prose, slice(0, 60)))
    library.search("open a file", cutoff=0.5)
    library.search("thread lock", cutoff=0.5)
    library.close()
    library = bookwheel.open(tmp_path / "x")
    library.search("thread lock", cutoff=0.5)
    assert fitted == [["dense"]]
    library.add(documents(prose, slice(60, 140)))
    library.search("thread lock", cutoff=0.5)
    assert fitted == [["dense"]] * 2
    library.add_encoder("other", Rotated())
    library.embed()
    library.search("thread lock", cutoff=0.5)
    assert fitted[2:] == [["dense", "other"]]
    library._encoders.cache.set_note("cutoff 7 dense other", "not json")
    assert library.search("thread lock", cutoff=0.0)


def test_words_alone_will_do_and_little_text_drops_nothing(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    lexical = make(tmp_path / "x", documents(prose, slice(0, 100)), encoder=None)
    text = " ".join(prose[10][1].split()[20:27])
    assert "d10" in [r.id for r in lexical.search(text, 10, recipe="bm25", cutoff=0.3)]
    assert not lexical.search("zyzzyva quokka file", 10, recipe="bm25", cutoff=0.6)
    small = bookwheel.open(tmp_path / "small", create=True, language="english")
    small.add([bookwheel.Document("a", "a red fox")])
    assert [r.id for r in small.search("fox", cutoff=0.9)] == ["a"]


def test_what_is_no_probability(library: Library) -> None:
    for bad in (-0.1, 1.5, float("nan")):
        with pytest.raises(bookwheel.UsageError, match="cutoff must be between 0 and 1, not"):
            library.search("file", cutoff=bad)


@given(st.text(max_size=40))
@settings(max_examples=25, deadline=None)
def test_any_query_has_probabilities(library: Library, text: str) -> None:
    found = fitting_probabilities(library._encoders, library._snapshot, text, np.arange(1, 6))
    assert found.shape == (5,)
    assert ((found >= 0) & (found <= 1)).all()
    assert fitting_probabilities(library._encoders, library._snapshot, text, []).shape == (0,)
