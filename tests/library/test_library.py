"""A library answers as its documents say, however they came in."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import Document, Library
from bookwheel.analysis.analyzer import Analyzer

QUERIES = [
    "open a file for writing",
    "iterator over the items of a dictionary",
    "thread lock acquire release",
    "parse command line arguments",
    "abstract base class",
    "encode bytes base64",
    "priority queue heap",
]


def documents(prose: list[tuple[str, str]], part: slice = slice(None)) -> list[Document]:
    return [Document(f"d{n}", text, title) for n, (title, text) in enumerate(prose)][part]


def make(path: Path, *batches: list[Document], **settings: object) -> Library:
    # Fixed, because what is told from the first documents differs with how many come first.
    analyzer = Analyzer("english", stopwords=True, fold_accents=True, split_identifiers=True)
    library = bookwheel.open(path, create=True, analyzer=analyzer, words=60, **settings)
    for batch in batches:
        library.add(batch)
    return library


def rankings(library: Library, recipe: str, k: int = 20) -> list[list[tuple[str, int, float]]]:
    return [[(r.id, r.start, round(r.score, 4)) for r in library.search(q, k, recipe=recipe)] for q in QUERIES]


@pytest.mark.parametrize("recipe", ["bm25", "dense", "hybrid"])
def test_parts_rank_as_the_whole(tmp_path: Path, prose: list[tuple[str, str]], recipe: str) -> None:
    docs = documents(prose)
    whole = make(tmp_path / "whole", docs)
    parts = make(tmp_path / "parts", docs[:100], docs[100:101], docs[101:])
    assert len(parts._snapshot.segments) > 1
    assert parts.passage_count == whole.passage_count
    assert rankings(parts, recipe) == rankings(whole, recipe)
    parts.compact()
    assert len(parts._snapshot.segments) == 1
    assert rankings(parts, recipe) == rankings(whole, recipe)
    assert parts.check() == []


@pytest.mark.parametrize("recipe", ["bm25", "dense", "hybrid"])
def test_removal_ranks_as_if_never_added(tmp_path: Path, prose: list[tuple[str, str]], recipe: str) -> None:
    docs = documents(prose)
    never = make(tmp_path / "never", docs[50:])
    removed = make(tmp_path / "removed", docs)
    assert removed.remove([d.id for d in docs[:50]]) == 50
    assert removed.document_count == never.document_count
    assert removed._snapshot.average_length == pytest.approx(never._snapshot.average_length)
    assert rankings(removed, recipe) == rankings(never, recipe)
    removed.compact()
    assert removed._snapshot.removed_passages == 0
    assert rankings(removed, recipe) == rankings(never, recipe)
    assert removed.get("d3") == []


def test_update_replaces(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    library = make(tmp_path / "x", documents(prose, slice(0, 40)))
    report = library.add([Document("d7", "A zyzzyva is a weevil of tropical America.", "weevils"), Document("new", "quokka")])
    assert (report.added, report.updated, report.unchanged) == (1, 1, 0)
    assert library.document_count == 41
    assert [r.id for r in library.search("zyzzyva", recipe="bm25")] == ["d7"]
    assert library.get("d7")[0].text == "A zyzzyva is a weevil of tropical America."
    again = library.add([Document("d7", "A zyzzyva is a weevil of tropical America.", "weevils")])
    assert (again.added, again.updated, again.unchanged, again.passages) == (0, 0, 1, 0)


def test_new_k1_and_b_rank_as_built_with_them(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    docs = documents(prose)
    built = make(tmp_path / "built", docs, k1=0.6, b=0.2)
    changed = make(tmp_path / "changed", docs[:200], docs[200:])
    before = rankings(changed, "bm25")
    changed.configure(k1=0.6, b=0.2)
    assert rankings(changed, "bm25") == rankings(built, "bm25") != before
    assert bookwheel.open(tmp_path / "changed").settings.k1 == 0.6


def test_a_reader_stays_on_its_generation(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    writer = make(tmp_path / "x", documents(prose, slice(0, 60)))
    reader = bookwheel.open(tmp_path / "x")
    before = rankings(reader, "bm25")
    writer.add([Document("more", "lock lock lock file file queue heap argument")])
    writer.remove("d5")
    assert rankings(reader, "bm25") == before
    assert reader.document_count == 60
    reader.refresh()
    assert reader.document_count == 60
    assert "more" in [r.id for r in reader.search("lock file queue heap", recipe="bm25")]


def test_a_reader_survives_compaction(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    writer = make(tmp_path / "x", documents(prose, slice(0, 60)), documents(prose, slice(60, 120)))
    reader = bookwheel.open(tmp_path / "x")
    before = [r.id for r in reader.search("file", 50, recipe="bm25")]
    gone = before[0]
    writer.remove(gone)
    writer.compact()
    assert [r.id for r in reader.search("file", 50, recipe="bm25")] == before


def test_filters_apply_inside_the_scan(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    docs = [
        Document(d.id, d.text, d.title, {"year": 2000 + n % 30, "author": "Ann" if n % 7 else "O'Brien", "even": n % 2 == 0})
        for n, d in enumerate(documents(prose))
    ]
    library = make(tmp_path / "x", docs[:300], docs[300:])
    allowed = {d.id for d in docs if d.metadata["year"] >= 2025 and d.metadata["author"] == "O'Brien"}  # type: ignore[operator]
    for recipe in ("bm25", "dense", "hybrid"):
        for query in QUERIES:
            everything = library.search(query, 5000, recipe=recipe)
            filtered = library.search(query, 5000, recipe=recipe, where='year >= 2025 and author = "O\'Brien"')
            assert {r.id for r in filtered} <= allowed
            if recipe != "hybrid":  # normalisation depends on the candidates
                assert [r.id for r in filtered] == [r.id for r in everything if r.id in allowed]
    with pytest.raises(bookwheel.FilterError, match=r"yaer.*the fields are .*year"):
        library.search("file", where="yaer > 3")


def test_grouping_gives_each_document_once(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    docs = [Document(f"g{n}", "\n\n".join(text for _, text in prose[n * 20 : n * 20 + 20])) for n in range(15)]
    library = make(tmp_path / "x", docs)
    passages = library.search("file", 10_000, recipe="bm25")
    grouped = library.search("file", 15, recipe="bm25", group=True)
    first = list(dict.fromkeys(r.id for r in passages))
    assert [r.id for r in grouped] == first[:15]
    assert len(first) > 4
    assert [name for name, _ in library.rank_documents(["file"], 15, recipe="bm25")[0]] == first[:15]


def test_results_say_where_and_why(tmp_path: Path) -> None:
    text = "Intro line.\n\nThe quick brown fox jumps.\nOver the lazy dog, said the Foxes.\n"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text(text)
    (tmp_path / "folder" / "b.txt").write_text("Nothing of the kind.\n")
    library = bookwheel.open(tmp_path / "lib", create=True, language="english", unit="sentence")
    library.index(tmp_path / "folder")
    result = library.search("fox", recipe="hybrid")[0]
    assert result.place == f"{tmp_path / 'folder' / 'a.txt'}:3"
    assert [result.text[a:b] for a, b in result.highlights] == ["fox"]
    assert text[result.start : result.end] == result.text
    assert sum(result.parts.values()) == pytest.approx(result.score, abs=1e-5)
    assert set(result.parts) == {"bm25", "dense"}


def test_threads_agree_with_one(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    library = make(tmp_path / "x", documents(prose))
    expected = rankings(library, "hybrid")
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(rankings(library, "hybrid"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [expected] * 4


def test_a_document_without_words_is_kept_but_not_found(tmp_path: Path) -> None:
    library = make(tmp_path / "x", [Document("dots", "... !!! ..."), Document("nothing", ""), Document("word", "heron")])
    assert library.document_count == 3
    assert library.get("dots")[0].text == "... !!! ..."
    assert [r.id for r in library.search("heron")] == ["word"]


def test_odd_ids_and_text_survive(tmp_path: Path) -> None:
    docs = [
        Document("a/b\nc", "heron one"),
        Document("x'; DROP TABLE documents; --", "heron two", metadata={"k'); DROP TABLE metadata; --": "v"}),
        Document("nul", "heron \0 three"),
        Document("lone", "heron \ud800 four"),
        Document("", "heron five"),
    ]
    library = make(tmp_path / "x", docs)
    assert {r.id for r in library.search("heron", recipe="bm25")} == {d.id for d in docs}
    assert library.get("a/b\nc")[0].text == "heron one"
    assert library.get("nul")[0].text == "heron \ufffd three"
    assert library.check() == []


def test_vectors_are_unit_and_exact(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    library = make(tmp_path / "x", documents(prose, slice(0, 200)), unit="document")
    encoder = library.encoder
    assert encoder is not None
    query = encoder.encode(["open a file"])[0]
    vectors = encoder.encode([f"{title}\n{text}" for title, text in prose[:200]])
    hits = library.rank("open a file", 10, recipe="dense")
    exact = np.sort(vectors @ query)[::-1][:10]
    assert hits.scores == pytest.approx(exact, abs=2e-3)
    assert library.recall(10, 50) > 0.95


def test_a_library_is_not_made_with_settings_that_cannot_work(tmp_path: Path) -> None:
    with pytest.raises(bookwheel.UsageError, match="klingon"):
        bookwheel.open(tmp_path / "x", create=True, language="klingon")
    with pytest.raises(bookwheel.ModelError, match="nosuch"):
        bookwheel.open(tmp_path / "x", create=True, encoder="nosuch")
    assert not (tmp_path / "x").exists()
    library = make(tmp_path / "x", [Document("word", "heron")])
    assert [r.id for r in library.search("heron")] == ["word"]


def test_a_lexical_library_has_no_dense_recipe(tmp_path: Path) -> None:
    library = make(tmp_path / "x", [Document("word", "heron"), Document("other", "stork")], encoder=None)
    assert [r.id for r in library.search("heron")] == ["word"]
    with pytest.raises(bookwheel.RecipeError, match="bm25"):
        library.search("heron", recipe="dense")
    assert library.check() == []
    library.compact()
    assert library.check() == []


def test_a_library_made_with_an_analyzer_notes_what_made_its_vectors(tmp_path: Path) -> None:
    make(tmp_path / "x", [Document("a", "A heron stood in the river.")]).close()
    with bookwheel.open(tmp_path / "x") as library:
        info = library.settings.encoder_info
        assert info is not None
        assert info.name == "static"
        assert len(info.sha256) == 64
