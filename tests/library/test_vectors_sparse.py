"""A learned-sparse representation: filled part by part, merged, deleted from, it ranks as brute force over its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_vectors_dense import QUERIES, documents, make
from vectors_encoders import Rotated, Weighted, texts_of

import bookwheel
from bookwheel import Library
from bookwheel.encode.protocols import SparseVectors
from bookwheel.library.retrieval.registry import retriever
from bookwheel.library.settings import EncoderInfo, Representation
from bookwheel.library.vectors.kinds.sparse import KIND, TermWeights
from bookwheel.rank.query import Query

WEIGHTED = Representation("splade", "sparse", None, EncoderInfo("weighted", "1", 0, "0" * 64), "splade")


def exact(library: Library, encoder: Weighted, query: str) -> dict[int, float]:
    """Dot products of all living passages with any."""
    snapshot = library._snapshot
    ids = np.concatenate([segment.ids for segment in snapshot.segments])
    alive = np.concatenate(
        [
            np.ones(len(s.ids), bool) if m is None else np.unpackbits(m.view(np.uint8), bitorder="little")[: len(s.ids)] > 0
            for s, m in zip(snapshot.segments, snapshot.alive, strict=True)
        ]
    )
    ids = ids[alive]
    asked = encoder.terms(query)
    found = {}
    for number, text in zip(ids.tolist(), texts_of(library, ids), strict=True):
        weights = encoder.terms(text)
        if score := sum(weight * weights.get(term, 0.0) for term, weight in asked.items()):
            found[number] = score
    return found


def assert_exact(library: Library, encoder: Weighted) -> None:
    for query in QUERIES:
        hits = library.rank(query, 10, recipe="splade")
        wanted = exact(library, encoder, query)
        assert hits.scores == pytest.approx(sorted(wanted.values(), reverse=True)[:10], rel=2e-3)
        assert hits.scores == pytest.approx([wanted[number] for number in hits.ids.tolist()], rel=2e-3)


def test_filled_merged_and_deleted_from_it_ranks_as_brute_force(
    tmp_path: Path, prose: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookwheel.library.vectors.embedding.CHUNK", 110)
    docs = documents(prose, slice(0, 260))
    library = make(tmp_path / "x", docs[:100], docs[100:])
    encoder = Weighted()
    library.add_encoder("splade", encoder, kind="sparse")
    while not library.embed(passages=330)[0].complete:
        assert library.check() == []
        assert library.rank(QUERIES[0], 10, recipe="splade")
    assert max(len(e.parts) for e in library._snapshot.manifest.segments) <= 4
    assert_exact(library, encoder)
    library.add(documents(prose, slice(260, 300)))
    library.remove([d.id for d in docs[:30]])
    library.embed()
    assert_exact(library, encoder)
    before = [library.rank(query, 10, recipe="bm25 + splade").ids.tolist() for query in QUERIES]
    once = len(encoder.encoded)
    library.compact()
    assert len(encoder.encoded) == once
    assert [len(e.parts) for e in library._snapshot.manifest.segments] == [1]
    assert_exact(library, encoder)
    assert library.check() == []
    after = [library.rank(query, 10, recipe="bm25 + splade").ids.tolist() for query in QUERIES]
    assert [set(a[:5]) for a in after] == [set(b[:5]) for b in before]


def test_what_is_filled_already_decides_and_the_rest_is_encoded_late(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    library = make(tmp_path / "x", documents(prose, slice(0, 150)))
    encoder = Weighted()
    library.add_encoder("splade", encoder, kind="sparse")
    library.embed(passages=100)
    scored = retriever(library._encoders, library._snapshot, "splade", Query(QUERIES[0]), library._snapshot.alive, limit=10.0)
    hits = scored.retrieve(5)
    wanted = exact(library, encoder, QUERIES[0])
    assert hits.scores == pytest.approx([wanted[number] for number in hits.ids.tolist()], rel=2e-3)


def test_a_filter_and_given_weights_hold(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    docs = [bookwheel.Document(d.id, d.text, d.title, {"n": n}) for n, d in enumerate(documents(prose, slice(0, 120)))]
    library = make(tmp_path / "x", docs)
    encoder = Weighted()
    library.add_encoder("splade", encoder, kind="sparse")
    library.embed()
    found = library.search(QUERIES[0], 50, recipe="splade", where="n >= 90")
    assert found
    assert all(int(result.id[1:]) >= 90 for result in found)
    weights = {encoder.vocabulary[term]: weight for term, weight in encoder.terms(QUERIES[1]).items()}
    given_ = library.rank(Query("something else", sparse={"splade": weights}), 10, recipe="splade")
    assert given_.ids.tolist() == library.rank(QUERIES[1], 10, recipe="splade").ids.tolist()
    for bad in ({"w1": float("nan")}, {"w1": -1.0}):
        with pytest.raises(bookwheel.UsageError, match="finite numbers from 0 up"):
            library.rank(Query("x", sparse={"splade": bad}), 10, recipe="splade")


def test_weights_that_are_none_lose_nothing(
    tmp_path: Path, prose: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookwheel.library.vectors.embedding.BATCH", 16)
    library = make(tmp_path / "x", documents(prose, slice(0, 80)))
    encoder = Weighted()
    library.add_encoder("splade", encoder, kind="sparse")
    good = encoder.encode

    def bad(texts: list[str]) -> SparseVectors:
        found = good(texts)
        if len(encoder.encoded) > 40:
            found.weights[0] = np.nan
        return found

    monkeypatch.setattr(encoder, "encode", bad)
    with pytest.raises(bookwheel.ModelError, match="not finite"):
        library.embed()
    library.refresh()
    assert sum(e.embedded("splade") for e in library._snapshot.manifest.segments) == 32
    monkeypatch.setattr(encoder, "encode", good)
    assert library.embed()[0].complete
    assert_exact(library, encoder)


rows = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "é", "##c", ""]), st.integers(1, 900).map(lambda n: n / 64)), max_size=6
)


def weights_of(texts: list[dict[str, float]]) -> TermWeights:
    vocabulary = ["a", "b", "é", "##c", ""]
    ordered = [sorted((vocabulary.index(term), weight) for term, weight in text.items()) for text in texts]
    indptr = np.cumsum([0, *map(len, ordered)]).astype(np.int64)
    flat = [pair for text in ordered for pair in text]
    return TermWeights(
        SparseVectors(indptr, np.array([t for t, _ in flat], np.int32), np.array([w for _, w in flat], np.float32)), vocabulary
    )


def as_dicts(payload: TermWeights) -> list[dict[str, float]]:
    found = [payload.vectors.row(at) for at in range(len(payload))]
    return [{payload.vocabulary[t]: w for t, w in zip(ts.tolist(), ws.tolist(), strict=True)} for ts, ws in found]


@given(rows, rows, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_taken_apart_and_put_together_nothing_is_lost(first: list, second: list, random: object) -> None:
    payload = weights_of(first)
    assert as_dicts(KIND.unpack(KIND.pack(payload), WEIGHTED)) == first
    both = KIND.join([payload, weights_of(second)])
    assert as_dicts(both) == [*first, *second]
    order = list(range(len(both)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert as_dicts(KIND.take(both, np.array(order, np.int64))) == [[*first, *second][at] for at in order]


@given(rows, st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_rows_of_a_part_come_back(tmp_path_factory: pytest.TempPathFactory, texts: list, random: object) -> None:
    folder = tmp_path_factory.mktemp("part") / "sparse-x-g000001"
    builder = KIND.build(folder, WEIGHTED, 0)
    builder.append(weights_of(texts))
    builder.close()
    index = KIND.open(folder)
    order = list(range(len(texts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    order = order[: max(1, len(order) // 2)] if order else order
    found = as_dicts(KIND.gather(index, np.array(order, np.int64)))
    for row, at in zip(found, order, strict=True):
        assert row == pytest.approx(texts[at], rel=2e-3, abs=2e-3)


@pytest.mark.parametrize("row", [b"", b"\1\0\0\0", b"\2\0\0\0" + bytes(8) + b'["a"]', b"\1\0\0\0\0\0\xc0\x7f" + b'["a"]'])
def test_a_row_that_was_altered_is_refused(row: bytes) -> None:
    with pytest.raises(ValueError):
        KIND.unpack([row], WEIGHTED)


def test_the_strongest_terms_say_why(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    library = make(tmp_path / "x", documents(prose, slice(0, 60)))
    encoder = Weighted()
    library.add_encoder("splade", encoder, kind="sparse")
    library.add_encoder("other", Rotated())
    assert library.terms("splade", [1]) == [[]]
    library.embed("splade")
    first = library.get("d7")[0].first
    text = texts_of(library, np.array([first]))[0]
    wanted = sorted(encoder.terms(text).values(), reverse=True)[:5]
    (found,) = library.terms("splade", [first], 5)
    assert [weight for _, weight in found] == pytest.approx(wanted, rel=2e-3)
    weights = {encoder.vocabulary[term]: weight for term, weight in encoder.terms(text).items()}
    assert [weights[term] for term, _ in found] == pytest.approx(wanted, rel=2e-3)
    (result,) = library.search(QUERIES[0], 1, recipe="bm25 + splade")
    (why,) = library.why(QUERIES[0], [result.passage], recipe="bm25 + splade")
    text = texts_of(library, np.array([result.passage]))[0]
    asked, held = encoder.terms(QUERIES[0]), encoder.terms(text)
    products = {encoder.vocabulary[term]: weight * held[term] for term, weight in asked.items() if term in held}
    assert {reason.term: reason.score for reason in why} == pytest.approx(
        dict(sorted(products.items(), key=lambda item: -item[1])[:6]), rel=2e-3
    )
    with pytest.raises(bookwheel.RecipeError, match="'other' is a dense representation"):
        library.terms("other", [first])
