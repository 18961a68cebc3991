"""What a search gives back: a list of results that knows its query, its ranking, its notes and its timings."""

from __future__ import annotations

import dataclasses
import inspect
import json
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import Document, Library, Results, SearchOptions

HERON = "The heron <b>stands</b> in shallow water & waits for fish."


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with bookwheel.open(tmp_path_factory.mktemp("results") / "x", create=True, language="english") as opened:
        opened.add([
            Document("heron", HERON, "<i>Heron</i>", {"year": 2021}),
            Document("stilt", "The stilt wades in shallow water on the longest legs of all waders.", "stilt", {"year": 1998}),
            Document("long", "sand " * 200 + "avocet " + "mud " * 200),
            Document("owl", "The owl hunts at night."),
        ])  # fmt: skip
        yield opened


@pytest.fixture
def results(library: Library) -> Results:
    return library.search("shallow water", 3, recipe="hybrid")


def test_it_is_a_list(results: Results) -> None:
    assert isinstance(results, list)
    assert [result.rank for result in results] == [1, 2, 3]
    assert {result.id for result in results[:2]} == {"heron", "stilt"}
    assert results == list(results)
    assert results.query == "shallow water"
    assert results.notes == ()


def test_ranking_is_aligned_with_the_results(results: Results) -> None:
    assert [result.passage for result in results] == results.ranking.hits.ids.tolist()
    assert set(results.ranking.parts) == {"bm25", "dense"}
    for at, result in enumerate(results):
        assert result.parts == {name: pytest.approx(values[at]) for name, values in results.ranking.parts.items()}
        assert sum(result.parts.values()) == pytest.approx(result.score, abs=1e-5)


def test_timings_are_by_stage(library: Library, results: Results) -> None:
    assert list(results.timings) == ["ranking", "texts", "highlights"]
    assert all(seconds >= 0 for seconds in results.timings.values())
    traced = library.search("shallow water", recipe="bm25 >> rm3() >> bm25", trace=True)
    assert list(traced.timings) == ["bm25", "rm3()", "between stages", "texts", "highlights"]
    assert traced.ranking.trace is not None
    assert [stage.recipe for stage in traced.ranking.trace.stages] == ["bm25", "rm3()", "bm25"]
    assert results.ranking.trace is None


def test_notes_say_what_was_corrected(library: Library) -> None:
    found = library.search("shalow watre", recipe="spell() >> bm25")
    assert any(note.startswith("spelling: ") for note in found.notes)
    assert [[result.text[a:b] for a, b in result.highlights] for result in found][0] == ["shallow", "water"]


def test_dictionaries_are_json(results: Results) -> None:
    rows = json.loads(json.dumps(results.to_dicts()))
    assert [row["id"] for row in rows] == [result.id for result in results]
    assert rows == results.to_dicts()
    assert set(rows[0]) == {field.name for field in dataclasses.fields(bookwheel.Result)}
    assert rows[0]["metadata"]["year"] in (2021, 1998)


def test_pandas(library: Library, results: Results) -> None:
    pandas = pytest.importorskip("pandas")
    frame = results.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["id"].tolist() == [result.id for result in results]
    assert frame["parts.bm25"].tolist() == pytest.approx([result.parts["bm25"] for result in results])
    assert frame["metadata.year"].dropna().tolist() in ([2021, 1998], [1998, 2021])
    none = library.search("zyzzyva", recipe="bm25").to_pandas()
    assert len(none) == 0
    assert "id" in none.columns


def test_pandas_missing_is_said(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(bookwheel.UsageError, match=r"needs pandas, .* pip install pandas"):
        results.to_pandas()


def test_shown_in_a_terminal(results: Results) -> None:
    lines = repr(results).splitlines()
    assert lines[0].startswith("3 results for 'shallow water' in ")
    assert len(lines) == 4
    assert "<i>Heron</i>: The heron <b>stands</b>" in repr(results)
    assert all(len(line) < 200 for line in lines)


def test_shown_in_a_notebook_with_everything_escaped(library: Library) -> None:
    html = library.search('heron "stands" <script>alert(1)</script>', recipe="bm25")._repr_html_()
    assert "<script" not in html
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;i&gt;Heron&lt;/i&gt;" in html
    assert "The <mark>heron</mark> &lt;b&gt;<mark>stands</mark>&lt;/b&gt; in shallow water &amp; waits" in html
    assert html.count("<tr>") == html.count("</tr>") == 2


def test_a_long_passage_is_cut_around_its_highlight(library: Library) -> None:
    html = library.search("avocet", recipe="bm25")._repr_html_()
    assert "… sand" in html
    assert "<mark>avocet</mark> mud" in html
    assert html.count("sand") < 70


def test_results_can_be_pickled(results: Results) -> None:
    copy = pickle.loads(pickle.dumps(results))
    assert copy == results
    assert copy.query == results.query
    assert copy.ranking.hits.ids.tolist() == results.ranking.hits.ids.tolist()


def test_nothing_found(library: Library) -> None:
    none = library.search("zyzzyva", recipe="bm25")
    assert none == []
    assert not none
    assert none.to_dicts() == []
    assert repr(none).startswith("0 results for 'zyzzyva'")
    assert "<table" not in none._repr_html_()


@pytest.mark.parametrize("threads", [1, 3])
def test_many_queries_are_found_as_each_alone(library: Library, threads: int) -> None:
    queries = ["shallow water", "owl at night", "longest legs", "zyzzyva"]
    for recipe in ("bm25", "hybrid"):
        together = library.search_many(queries, 2, recipe=recipe, threads=threads)
        assert [results.query for results in together] == queries
        for query, results in zip(queries, together, strict=True):
            alone = library.search(query, 2, recipe=recipe)
            assert [(r.id, r.text, r.highlights) for r in results] == [(r.id, r.text, r.highlights) for r in alone]
            assert [r.score for r in results] == pytest.approx([r.score for r in alone], abs=1e-5)
    assert library.search_many([]) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"k": 0}, "k must be a whole number between 1 and 1000000, not 0"),
        ({"k": 2.5}, "not 2.5"),
        ({"k": True}, "not True"),
        ({"cutoff": 3}, "cutoff must be between 0 and 1, not 3"),
        ({"seconds": -1}, "seconds must be a number from 0 up, not -1"),
        ({"threads": 0}, "threads must be a whole number between 1 and 256, not 0"),
    ],
)
def test_options_that_make_no_sense(library: Library, wrong: dict[str, object], told: str) -> None:
    for ask in (lambda: library.search("x", **wrong), lambda: library.search_many(["x"], **wrong)):  # type: ignore[arg-type]
        with pytest.raises(bookwheel.UsageError, match=told):
            ask()


def test_the_options_are_the_arguments() -> None:
    names = [field.name for field in dataclasses.fields(SearchOptions)]
    for method in (Library.search, Library.search_many, Library.rank_documents):
        assert list(inspect.signature(method).parameters)[2:] == names
    with pytest.raises(dataclasses.FrozenInstanceError):
        SearchOptions().k = 3  # type: ignore[misc]


def test_members(library: Library) -> None:
    assert len(library) == library.document_count == 4
    assert library.passage_count >= 4
    assert "heron" in library
    assert "zyzzyva" not in library
    assert 3 not in library
    assert library["heron"].text == HERON
    with pytest.raises(KeyError, match="zyzzyva"):
        library["zyzzyva"]
    with pytest.raises(TypeError, match="string, not int"):
        library[3]  # type: ignore[index]
    assert [document.id for document in library] == ["heron", "stilt", "long", "owl"]
    ids = library.rank("heron", recipe="bm25").ids
    assert [name for _, name in library.documents_of(ids).values()] == ["heron"]


def test_an_empty_library_is_true(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "empty", create=True) as empty:
        assert len(empty) == 0
        assert bool(empty)
        assert "x" not in empty


def test_features_add_up_to_the_ranking(library: Library) -> None:
    recipe = bookwheel.parse_recipe("0.25*bm25 + 0.75*dense")
    ids, features = library.features("shallow water", recipe, 10)  # type: ignore[arg-type]
    ranked = library.rank("shallow water", 10, recipe=recipe)
    scores = dict(zip(ids.tolist(), (features @ np.array([0.25, 0.75])).tolist(), strict=True))
    assert [scores[number] for number in ranked.ids.tolist()] == pytest.approx(ranked.scores.tolist(), abs=1e-5)


def test_the_query_can_be_named(library: Library) -> None:
    search: object = library.search
    assert search(query="heron", k=1)[0].id == "heron"  # type: ignore[operator]
    assert len(library.search_many(queries=["heron"], k=1)) == 1  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"search\(\) needs query"):
        library.search()  # type: ignore[call-arg]
