"""Copies folded into the result that they repeat, results by date, and pages of results: nothing is lost between them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document, Library, UsageError

NEWS = (
    "Installing or upgrading a package now upgrades other binaries of the same source too, since most of them work only "
    "together. A list of exceptions can be given in the configuration, and the old behaviour is had with an option."
)


def _number(at: int) -> str:
    return f"Lighthouse number {at} has a lamp of {at * 7} watts, stands {at * 3} metres above the sea and was built by mason {at}."


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with bookwheel.open(tmp_path_factory.mktemp("arranged") / "x", create=True, language="english") as opened:
        opened.add(
            [
                Document("a/NEWS", NEWS, "NEWS", {"date": "2024-05-14T09:12:00+02:00"}),
                Document("b/NEWS", NEWS, "NEWS", {"year": 2021}),
                Document("c/NEWS", NEWS.replace("a list", "one list").replace("most", "many"), "NEWS", {"date": "2023-01-02"}),
                Document("d", "A package is upgraded by its maintainer, who uploads the new source.", "d", {"date": "soon"}),
                *(Document(f"n{at}", _number(at), "", {"year": 1900 + at}) for at in range(1, 61)),
            ]
        )
        yield opened


def test_copies_and_near_copies_are_under_the_best_of_them(library: Library) -> None:
    plain = library.search("upgrading a package", 4, recipe="bm25")
    assert {result.id for result in plain} == {"a/NEWS", "b/NEWS", "c/NEWS", "d"}
    assert all(result.also == () and result.to_dict()["also"] == [] for result in plain)
    best, other = library.search("upgrading a package", 2, recipe="bm25", fold=True)
    assert {best.id, other.id} >= {"d"}
    news = best if best.id != "d" else other
    told = {copy.id: copy.exact for copy in news.also}
    assert {news.id, *told} == {"a/NEWS", "b/NEWS", "c/NEWS"}
    assert sum(told.values()) == (1 if news.id != "c/NEWS" else 0)
    assert {one["id"] for one in news.to_dict()["also"]} == set(told)


def test_pages_of_folded_results_lose_and_repeat_nothing(library: Library) -> None:
    whole = library.search("upgrading lamp watts mason", 100, recipe="bm25", fold=True)
    shown = [result.id for result in whole] + [copy.id for result in whole for copy in result.also]
    assert len(shown) == len(set(shown)) == 64
    pages = [library.search("upgrading lamp watts mason", 7, recipe="bm25", fold=True, offset=at) for at in range(0, 70, 7)]
    assert [(r.id, r.rank) for page in pages for r in page] == [(r.id, r.rank) for r in whole]
    assert [result.rank for result in pages[1]] == list(range(8, 15))


def test_copies_far_behind_stand_on_a_page_of_their_own(tmp_path: Path) -> None:
    # The copy has a title that only the query's other word likes, so that its rank is far from that of the text it repeats.
    with bookwheel.open(tmp_path / "x", create=True, language="english") as library:
        library.add([Document("best", "heron " + NEWS, "heron heron heron"), *(Document(f"h{i}", f"heron {_number(i)}") for i in range(80)),
                     Document("last", "heron " + NEWS + " " + NEWS)])  # fmt: skip
        every = [result for at in range(0, 90, 9) for result in library.search("heron", 9, recipe="bm25", fold=True, offset=at)]
        shown = [result.id for result in every] + [copy.id for result in every for copy in result.also]
        assert sorted(shown) == sorted(document.id for document in library)


def test_pages_without_folding_and_by_document(library: Library) -> None:
    for options in ({}, {"group": True}):
        whole = [r.passage for r in library.search("lamp watts", 60, recipe="bm25", **options)]
        assert [
            r.passage for at in range(0, 60, 13) for r in library.search("lamp watts", 13, recipe="bm25", offset=at, **options)
        ] == whole  # fmt: skip
    assert library.search("lamp watts", 10, recipe="bm25", offset=5000) == []


def test_by_date(library: Library) -> None:
    newest = library.search("upgrading a package", 4, recipe="bm25", sort="newest")
    assert [result.id for result in newest] == ["a/NEWS", "c/NEWS", "b/NEWS", "d"]  # without a date: last
    assert [result.date for result in newest] == ["2024-05-14T07:12:00", "2023-01-02", "2021", ""]
    oldest = library.search("upgrading a package", 4, recipe="bm25", sort="oldest")
    assert [result.id for result in oldest] == ["b/NEWS", "c/NEWS", "a/NEWS", "d"]
    assert library.search("upgrading a package", 1, recipe="bm25", sort="oldest", offset=2)[0].id == "a/NEWS"


def test_by_date_of_the_best_hundred_only(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "x", create=True, language="english") as library:
        library.add([Document("old", "heron heron heron", metadata={"year": 1900}),
                     *(Document(f"n{at}", f"heron and {_number(at)}", metadata={"year": 2000 + at}) for at in range(150))])  # fmt: skip
        found = library.search("heron", 1, recipe="bm25", sort="oldest")
        assert found[0].id == "old"
        assert "by date: the best 100 passages" in found.notes
        assert len(library.search("heron", 1000, recipe="bm25", sort="oldest")) == 100


def test_files_without_a_date_go_by_when_they_were_changed(tmp_path: Path) -> None:
    import os

    for name, year in (("old", 2001), ("new", 2020)):
        path = tmp_path / "files" / f"{name}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"A heron in {name} reeds.")
        moment = datetime(year, 3, 1, tzinfo=UTC).timestamp()
        os.utime(path, (moment, moment))
    with bookwheel.open(tmp_path / "x", create=True, language="english") as library:
        library.index(tmp_path / "files")
        assert [r.date[:10] for r in library.search("heron", sort="newest")] == ["2020-03-01", "2001-03-01"]


@pytest.mark.parametrize("wrong", [{"offset": -1}, {"offset": 1_000_000}, {"offset": 1.5}, {"sort": "age"}])
def test_wrong_options(library: Library, wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        library.search("heron", **wrong)


def test_rank_documents_refuses_what_it_does_not_do(library: Library) -> None:
    with pytest.raises(UsageError, match="fold"):
        library.rank_documents(["heron"], fold=True)


def test_words_of_a_document_that_match(library: Library) -> None:
    document = library["a/NEWS"]
    found = library.highlights("a/NEWS", "upgrade packages")
    assert [document.text[start:end] for start, end in found] == ["upgrading", "package", "upgrades"]
    assert library.highlights(document.number, "upgrade packages", 1) == found[:1]
    with pytest.raises(KeyError):
        library.highlights("none", "upgrade")
    with pytest.raises(UsageError):
        library.highlights("d", " ")
