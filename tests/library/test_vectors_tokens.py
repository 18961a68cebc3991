"""Token vectors in a library: late interaction over candidates, and the match of each word of the query."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from vectors_encoders import Words, texts_of

import bookwheel
from bookwheel import Document, Library
from bookwheel.library.retrieval.late_interaction import token_scorer
from bookwheel.library.vectors.stored import token_vectors
from bookwheel.rank.query import Query


@pytest.fixture
def library(tmp_path: Path, prose: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setattr("bookwheel.library.vectors.embedding.CHUNK", 70)
    library = bookwheel.open(tmp_path / "x", create=True, language="english", words=60)
    docs = [Document(f"d{n}", text, title) for n, (title, text) in enumerate(prose[:100])]
    library.add(docs[:60])
    library.add(docs[60:])
    return library


def exact(library: Library, encoder: Words, query: str, ids: np.ndarray) -> np.ndarray:
    wanted = encoder.encode([query]).vectors
    found = encoder.encode(texts_of(library, ids))
    return np.array([(found.row(at)[0] @ wanted.T).max(axis=0).mean() for at in range(len(ids))])


def test_scores_are_near_the_exact_ones_and_nearer_with_more_bits(library: Library) -> None:
    encoder = Words()
    errors = []
    for bits in (1, 4):
        library.add_encoder(f"words{bits}", encoder, kind="tokens", bits=bits)
    library.embed()
    ids = library.rank("lock a file", 40, recipe="bm25").ids
    truth = exact(library, encoder, "lock a file", ids)
    for bits in (1, 4):
        scorer = token_scorer(library._encoders, library._snapshot, f"words{bits}", Query("lock a file"), limit=0.0)
        scores, known = scorer.scored(ids)
        assert known.all()
        errors.append(float(np.abs(scores - truth).mean()))
    assert errors[1] < 0.3 * errors[0]
    assert errors[1] < 0.03
    assert library.check() == []
    vectors = token_vectors(library._encoders, library._snapshot, "words4", ids)
    again = [(rows @ encoder.encode(["lock a file"]).vectors.T).max(axis=0).mean() for rows in vectors]
    assert scores == pytest.approx(np.array(again), abs=1e-3)


def test_each_word_of_the_query_shows_its_match(library: Library) -> None:
    library.add_encoder("words", Words(), kind="tokens", bits=4)
    library.embed(passages=80)
    ids = library.rank("lock file", 20, recipe="bm25").ids
    scorer = token_scorer(library._encoders, library._snapshot, "words", Query("lock file"), limit=10.0)
    for number, row in zip(ids.tolist(), scorer.matches(ids), strict=True):
        text = texts_of(library, np.array([number]))[0]
        assert [match.term for match in row] == ["lock", "file"]
        for match in row:
            assert text[match.start : match.end] == match.text
            if match.term in text.lower().split():
                assert match.text.lower() == match.term
                assert match.score > 0.9


def test_merging_and_compaction_keep_the_scores(library: Library) -> None:
    library.add_encoder("words", Words(), kind="tokens", bits=2)
    library.embed()
    ids = library.rank("parse an argument", 30, recipe="bm25").ids
    before = token_scorer(library._encoders, library._snapshot, "words", Query("parse an argument"), limit=0.0).score(ids)
    assert any(len(entry.parts) for entry in library._snapshot.manifest.segments)
    library.compact()
    after = token_scorer(library._encoders, library._snapshot, "words", Query("parse an argument"), limit=0.0).score(ids)
    assert after == pytest.approx(before, abs=1e-5)
    assert library.check() == []


def test_nothing_filled_yet(library: Library) -> None:
    library.add_encoder("words", Words(), kind="tokens")
    ids = library.rank("lock file", 10, recipe="bm25").ids
    scorer = token_scorer(library._encoders, library._snapshot, "words", Query("lock file"), limit=0.0)
    scores, known = scorer.scored(ids)
    assert not known.any()
    assert not scores.any()
    in_time = token_scorer(library._encoders, library._snapshot, "words", Query("lock file"), limit=30.0)
    assert in_time.scored(ids)[1].all()
    assert scorer.matches(ids[:2]) != [[], []]  # what was encoded for one query is there for the next


def test_a_token_representation_is_no_first_stage(library: Library) -> None:
    library.add_encoder("words", Words(), kind="tokens")
    with pytest.raises(bookwheel.RecipeError, match=r"late\(by=\"words\"\)"):
        library.search("lock", recipe="words")
    with pytest.raises(bookwheel.UsageError, match="1, 2 or 4 bits a dimension, not 3"):
        library.add_encoder("other", Words(), kind="tokens", bits=3)


def test_the_late_stage_ranks_by_the_best_matches(library: Library) -> None:
    encoder = Words()
    library.add_encoder("words", encoder, kind="tokens", bits=4)
    library.embed()
    query = "file object for writing"
    ids = library.rank(query, 30, recipe="bm25").ids
    truth = dict(zip(ids.tolist(), exact(library, encoder, query, ids), strict=True))
    for recipe in ("bm25 >> late(30)", 'bm25 % 30 >> late(by="words")'):
        hits = library.rank(query, 10, recipe=recipe)
        assert set(hits.ids.tolist()) <= set(truth)
        best = sorted(truth.values(), reverse=True)[:10]
        assert [truth[number] for number in hits.ids.tolist()] == pytest.approx(best, abs=0.05)
    (why, _) = library.why(query, hits.ids[:2].tolist(), recipe="bm25 >> late(30)")
    assert {reason.term for reason in why} == set(query.split())
    assert [reason.score for reason in why] == sorted((reason.score for reason in why), reverse=True)
    assert library.why(query, hits.ids[:2].tolist(), recipe="bm25") == [[], []]


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_on_several_threads_it_scores_the_same(library: Library, monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    library.add_encoder("words", Words(), kind="tokens", bits=2)
    library.embed()
    query = "file object for writing"
    ids = np.concatenate([segment.ids for segment in library._snapshot.segments])[::-1].copy()
    found = []
    for number in (1, threads):
        monkeypatch.setattr("bookwheel.index.tokens.index.cores", lambda number=number: number)
        scorer = token_scorer(library._encoders, library._snapshot, "words", Query(query), limit=0.0)
        found.append((scorer.score(ids), scorer.matches(ids[:60])))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]
