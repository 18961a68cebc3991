"""Named representations: filled part by part, they rank as if they had been there from the beginning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from vectors_encoders import Rotated, texts_of

import bookwheel
from bookwheel import Document, Library
from bookwheel.analysis.analyzer import Analyzer
from bookwheel.library.manifest import Manifest
from bookwheel.library.retrieval.registry import retriever
from bookwheel.library.snapshot import Snapshot
from bookwheel.rank.query import Query

QUERIES = ["open a file for writing", "thread lock acquire release", "parse command line arguments", "abstract base class"]


def documents(prose: list[tuple[str, str]], part: slice = slice(None)) -> list[Document]:
    return [Document(f"d{n}", text, title) for n, (title, text) in enumerate(prose)][part]


def make(path: Path, *batches: list[Document], **settings: object) -> Library:
    analyzer = Analyzer("english", stopwords=True, fold_accents=True, split_identifiers=True)
    library = bookwheel.open(path, create=True, analyzer=analyzer, words=60, **settings)
    for batch in batches:
        library.add(batch)
    return library


def exact(library: Library, encoder: Rotated, query: str, k: int) -> list[tuple[int, float]]:
    """Brute force over the texts."""
    snapshot = library._snapshot
    ids = np.concatenate([segment.ids for segment in snapshot.segments])
    alive = np.concatenate(
        [
            np.ones(len(s.ids), bool) if m is None else np.unpackbits(m.view(np.uint8), bitorder="little")[: len(s.ids)] > 0
            for s, m in zip(snapshot.segments, snapshot.alive, strict=True)
        ]
    )
    ids = ids[alive]
    vectors = encoder.encode(texts_of(library, ids)).astype(np.float16).astype(np.float32)
    scores = vectors @ encoder.encode([query])[0]
    order = np.lexsort((ids, -scores))[:k]
    return [(int(ids[at]), float(scores[at])) for at in order]


def assert_exact(library: Library, encoder: Rotated, name: str = "other") -> None:
    for query in QUERIES:
        hits = library.rank(query, 10, recipe=name)
        wanted = exact(library, encoder, query, 10)
        # Matrix products of other sizes differ in the last bit, which can move a half-precision value by one step.
        assert hits.scores == pytest.approx([score for _, score in wanted], abs=1e-4)
        assert hits.ids.tolist() == [number for number, _ in wanted]


def test_filled_in_chunks_it_ranks_as_brute_force(
    tmp_path: Path, prose: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookwheel.library.vectors.embedding.CHUNK", 110)
    docs = documents(prose, slice(0, 260))
    library = make(tmp_path / "x", docs[:100], docs[100:])
    encoder = Rotated()
    library.add_encoder("other", encoder)
    filled = []
    while not (report := library.embed(passages=330)[0]).complete:
        filled.append(report.embedded)
        assert library.check() == []
    assert filled == sorted(filled)
    assert report.embedded == report.passages == library.passage_count
    assert max(len(e.parts) for e in library._snapshot.manifest.segments) <= 4
    assert_exact(library, encoder)
    # What is added later is found too, by what stands in for its vector, and exactly once it is filled.
    library.add(documents(prose, slice(260, 300)))
    library.remove([d.id for d in docs[:30]])
    assert not library._snapshot.complete("other")
    late = library.rank(prose[280][1][:80], 5, recipe="other")
    assert library._snapshot.store.documents_of(late.ids.tolist())[int(late.ids[0])][1] == "d280"
    library.embed()
    assert_exact(library, encoder)
    library.compact()
    assert len(library._snapshot.segments) == 1
    assert [len(e.parts) for e in library._snapshot.manifest.segments] == [1]
    assert_exact(library, encoder)
    assert library.check() == []


def test_a_filter_holds_in_every_part(tmp_path: Path, prose: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bookwheel.library.vectors.embedding.CHUNK", 50)
    docs = [Document(d.id, d.text, d.title, {"n": n}) for n, d in enumerate(documents(prose, slice(0, 200)))]
    library = make(tmp_path / "x", docs)
    library.add_encoder("other", Rotated())
    library.embed(passages=130)
    for recipe in ("other", "bm25 + other"):
        for query in QUERIES:
            found = library.search(query, 100, recipe=recipe, where="n >= 120")
            assert found
            assert all(int(r.id[1:]) >= 120 for r in found)


def test_hybrid_explains_itself_with_the_new_name(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    library = make(tmp_path / "x", documents(prose, slice(0, 80)))
    library.add_encoder("other", Rotated())
    library.embed()
    result = library.search("open a file", recipe="0.5*bm25 + 0.5*other")[0]
    assert set(result.parts) == {"bm25", "other"}
    assert sum(result.parts.values()) == pytest.approx(result.score, abs=1e-5)


def test_another_model_is_refused_and_may_replace(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    library = make(tmp_path / "x", documents(prose, slice(0, 120)))
    old, new = Rotated(1), Rotated(2, dimension=64)
    library.add_encoder("other", old)
    library.embed()
    assert library.add_encoder("other", Rotated(1)) == library.encoders()[0]
    with pytest.raises(bookwheel.UsageError, match=r"'other' is made by rotated1 .*not by rotated2.*encoders replace other="):
        library.add_encoder("other", new)
    with pytest.raises(bookwheel.UsageError, match="no encoder 'third' to replace"):
        library.replace_encoder("third", new)
    library.replace_encoder("other", new)
    with pytest.raises(bookwheel.UsageError, match="already being replaced"):
        library.replace_encoder("other", Rotated(3))
    # The old one serves: its order is the old model's.
    snapshot = library._snapshot
    waiting = retriever(library._encoders, snapshot, "other", Query(QUERIES[0]), snapshot.alive, limit=0.0)
    assert waiting.retrieve(10).ids.tolist() == [number for number, _ in exact(library, old, QUERIES[0], 10)]
    library.embed(passages=70)
    assert len(library._snapshot.manifest.representations) == 2
    assert library._snapshot.manifest.representations[-1].adapter is not None
    assert len(library.rank(QUERIES[0], 10, recipe="other")) == 10
    library.embed()
    (only,) = library._snapshot.manifest.representations
    assert (only.name, only.info.name, only.replaces, only.adapter) == ("other", "rotated2", None, None)
    assert_exact(library, new)
    assert library.check() == []
    folders = {p.name.split("-g")[0] for s in (tmp_path / "x" / "segments").iterdir() for p in s.glob("dense-*")}
    assert folders == {f"dense-{only.key}"}
    assert not list((tmp_path / "x").glob("adapter-*"))


def test_the_instant_vectors_can_be_replaced(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    library = make(tmp_path / "x", documents(prose, slice(0, 120)))
    new = Rotated(2)
    before = library.rank(QUERIES[0], 10, recipe="dense").ids.tolist()
    library.replace_encoder("dense", new)
    snapshot = library._snapshot
    waiting = retriever(library._encoders, snapshot, "dense", Query(QUERIES[0]), snapshot.alive, limit=0.0)
    assert waiting.retrieve(10).ids.tolist() == before
    library.embed()
    assert_exact(library, new, "dense")
    assert library.search(QUERIES[0])  # the default recipe goes on by the same name


def test_a_model_that_changed_is_refused(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    from bookwheel.encode.static import built_in as static

    vectors = np.random.default_rng(0).standard_normal((4, 16)).astype(np.float32)
    for name in ("a", "b"):
        static.write(tmp_path / name, vectors, ["file", "open", "lock", "read"], name=name, revision="1")
        vectors = vectors + 1
    library = make(tmp_path / "x", documents(prose, slice(0, 60)))
    library.add_encoder("small", str(tmp_path / "a"))
    library.embed()
    library.close()
    (tmp_path / "a").rename(tmp_path / "gone")
    reopened = bookwheel.open(tmp_path / "x")
    with pytest.raises(bookwheel.ModelError, match="there is no folder"):
        reopened.search("open a file", recipe="small")
    (tmp_path / "b").rename(tmp_path / "a")
    with pytest.raises(bookwheel.ModelError, match=r"'small' were made by a \(revision 1.*is now b .*encoders replace small="):
        reopened.search("open a file", recipe="small")
    assert reopened.search("open a file")


def test_a_function_is_an_encoder_while_it_is_given(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    inner = Rotated()
    library = make(tmp_path / "x", documents(prose, slice(0, 60)))
    library.add_encoder("own", inner.encode)
    library.embed()
    assert library.search("open a file", recipe="own")
    again = bookwheel.open(tmp_path / "x")
    with pytest.raises(bookwheel.ModelError, match=r"library.add_encoder\('own'"):
        again.search("open a file", recipe="own")
    assert Manifest.read(tmp_path / "x").representations[0].encoder is None


def test_removing_an_encoder_removes_its_files(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    library = make(tmp_path / "x", documents(prose, slice(0, 60)))
    library.add_encoder("other", Rotated())
    library.embed()
    assert library.remove_encoder("other") == library.passage_count
    with pytest.raises(bookwheel.RecipeError, match="other"):
        library.search("open a file", recipe="other")
    with pytest.raises(bookwheel.UsageError, match="no encoder 'other'"):
        library.remove_encoder("other")
    assert not list((tmp_path / "x" / "segments").glob("*/dense-*"))
    assert library.check() == []


@pytest.mark.parametrize("name", ["bm25", "hybrid", "two words", "a-b", "lambda", "", "é", "x" * 41])
def test_names_that_recipes_could_not_use(tmp_path: Path, prose: list[tuple[str, str]], name: str) -> None:
    library = make(tmp_path / "x", documents(prose, slice(0, 3)))
    with pytest.raises(bookwheel.UsageError):
        library.add_encoder(name, Rotated())
    assert Manifest.read(tmp_path / "x").representations == ()


def test_vectors_that_are_none_lose_nothing(
    tmp_path: Path, prose: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookwheel.library.vectors.embedding.BATCH", 16)
    library = make(tmp_path / "x", documents(prose, slice(0, 80)))
    encoder = Rotated()
    library.add_encoder("other", encoder)
    good = encoder.encode

    def bad(texts: list[str]) -> np.ndarray:
        rows = good(texts)
        if len(encoder.encoded) > 40:
            rows[0, 0] = np.nan
        return rows

    monkeypatch.setattr(encoder, "encode", bad)
    with pytest.raises(bookwheel.ModelError, match="not finite"):
        library.embed()
    library.refresh()
    kept = sum(e.embedded("other") for e in library._snapshot.manifest.segments)
    assert kept == 32
    monkeypatch.setattr(encoder, "encode", good)
    assert library.embed()[0].complete
    assert_exact(library, encoder)


def test_a_reader_goes_on_while_parts_are_superseded(
    tmp_path: Path, prose: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookwheel.library.vectors.embedding.CHUNK", 40)
    encoder = Rotated()
    library = make(tmp_path / "x", documents(prose, slice(0, 200)))
    library.add_encoder("other", encoder)
    library.embed(passages=80)
    reader = Snapshot.open(tmp_path / "x")
    library.embed()
    hits = retriever(library._encoders, reader, "other", Query(QUERIES[0]), reader.alive, limit=0.0).retrieve(5)
    assert len(hits) == 5
