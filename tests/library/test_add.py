"""`Library.add` takes whatever holds documents, in flat memory, and the last of equal ids wins."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bookwheel
from bookwheel import Document, Fields, InputError, Library
from bookwheel.library.inputs import ROWS, batches

BIRDS = [
    {"id": "1", "title": "avocet", "text": "The avocet sweeps its bill from side to side.", "year": 2021},
    {"id": "2", "title": "stilt", "text": "The stilt has the longest legs.", "year": 1998},
]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with bookwheel.open(tmp_path / "x", create=True, language="english", encoder=None) as opened:
        yield opened


def held(library: Library) -> dict[str, tuple[str, str, dict[str, Any]]]:
    return {document.id: (document.title, document.text, document.metadata) for document in library}


EXPECTED = {str(b["id"]): (b["title"], b["text"], {"year": b["year"]}) for b in BIRDS}


def table(kind: str) -> Any:
    """The birds as a table of one of the libraries that have some."""
    if kind == "pandas":
        return pytest.importorskip("pandas").DataFrame(BIRDS)
    if kind == "polars":
        return pytest.importorskip("polars").DataFrame(BIRDS)
    arrow = pytest.importorskip("pyarrow")
    made = arrow.Table.from_pylist(BIRDS)
    return made if kind == "arrow table" else made.to_batches()[0]


class PolarsLike:
    """The part of a polars frame that is used, for where polars is not installed."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def height(self) -> int:
        return len(self.rows)

    def iter_slices(self, n_rows: int) -> Iterator[PolarsLike]:
        raise NotImplementedError

    def slice(self, offset: int, length: int) -> PolarsLike:
        return PolarsLike(self.rows[offset : offset + length])

    def to_dicts(self) -> list[dict[str, Any]]:
        assert len(self.rows) <= ROWS
        return self.rows


class PandasLike:
    """The part of a pandas frame that is used."""

    columns = ("id", "title", "text", "year")

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    @property
    def iloc(self) -> PandasLike:
        return self

    def __getitem__(self, part: slice) -> PandasLike:
        return PandasLike(self.rows[part])

    def __len__(self) -> int:
        return len(self.rows)

    def to_dict(self, how: str) -> list[dict[str, Any]]:
        assert how == "records"
        assert len(self.rows) <= ROWS
        return self.rows


class ArrowLike:
    """The part of an Arrow table that is used."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.num_rows = len(rows)

    def to_batches(self, max_chunksize: int) -> list[ArrowLike]:
        raise NotImplementedError

    def slice(self, offset: int, length: int) -> ArrowLike:
        return ArrowLike(self.rows[offset : offset + length])

    def to_pylist(self) -> list[dict[str, Any]]:
        return self.rows


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow table", "arrow batch", PandasLike, PolarsLike, ArrowLike])
def test_tables(library: Library, kind: Any) -> None:
    given = table(kind) if isinstance(kind, str) else kind(BIRDS)
    assert library.add(given).added == 2
    assert held(library) == EXPECTED
    assert library.add([given, given]).unchanged == 2, "an iterable of tables"


@pytest.mark.parametrize("kind", [PandasLike, PolarsLike, ArrowLike])
def test_large_tables_are_read_some_rows_at_a_time(kind: Any) -> None:
    rows = [{"id": str(number), "text": f"heron {number}"} for number in range(3 * ROWS + 5)]
    got = [[document.id for document in batch] for batch, _ in batches(kind(rows), Fields(), [])]
    assert [len(some) for some in got] == [ROWS, ROWS, ROWS, 5]
    assert [name for some in got for name in some] == [row["id"] for row in rows]


@pytest.mark.parametrize("name", ["pandas", "polars", "pyarrow"])
def test_real_tables_with_gaps_and_dates(library: Library, name: str) -> None:
    module = pytest.importorskip(name)
    columns: dict[str, list[Any]] = {
        "docno": [7, None, 9],
        "body": ["heron", "stork", "ibis"],
        "day": [datetime.date(2021, 5, 6), None, datetime.date(1998, 1, 2)],
        "weight": [1.5, None, 2.0],
        "wader": [True, None, False],
    }
    library.add(module.table(columns) if name == "pyarrow" else module.DataFrame(columns))
    found = held(library)
    assert found["7"][2] == {"day": "2021-05-06", "weight": 1.5, "wader": True}
    assert found["9"][1] == "ibis"
    (other,) = found.keys() - {"7", "9"}
    assert found[other][1:] == ("stork", {})


def test_one_of_each(library: Library) -> None:
    assert library.add("a single heron").added == 1
    assert library.add({"text": "a single stork"}).added == 1
    assert library.add(Document("d", "a single ibis")).added == 1
    assert library.add(iter(["two", {"_id": 3, "contents": "three"}, Document("4", "four")])).added == 3
    assert {text for _, text, _ in held(library).values()} == {
        "a single heron", "a single stork", "a single ibis", "two", "three", "four",
    }  # fmt: skip
    assert library.get("3")[0].text == "three"


def test_a_text_without_an_id_is_one_document_however_often_it_is_added(library: Library) -> None:
    assert library.add(["heron", "stork", "heron"]).added == 2
    assert library.add(["stork", "ibis"]).unchanged == 1
    assert sorted(text for _, text, _ in held(library).values()) == ["heron", "ibis", "stork"]
    assert library.add([{"text": "heron", "year": 1}, {"text": "heron", "year": 2}]).added == 2


def test_fields_are_named(library: Library) -> None:
    fields = Fields(id="key", title="name", text=("summary", "body"))
    library.add([{"key": "k", "name": "n", "summary": "one", "body": "two", "text": "else"}], fields=fields)
    assert held(library) == {"k": ("n", "one\n\ntwo", {"text": "else"})}
    with pytest.raises(InputError, match=r"document 1 has no field 'name', 'summary'"):
        library.add([{"key": "k", "body": "two"}], fields=fields)


def test_metadata_of_other_libraries_and_nested(library: Library) -> None:
    library.add({
        "id": 1, "text": "heron", "n": np.int64(3), "x": np.float32(0.5), "yes": np.bool_(True), "price": decimal.Decimal("1.5"),
        "at": datetime.datetime(2021, 5, 6, 7, 8), "gone": float("nan"), "none": None, "metadata": {"inner": "y"},
    })  # fmt: skip
    assert held(library)["1"][2] == {
        "n": 3, "x": 0.5, "yes": True, "price": 1.5, "at": "2021-05-06T07:08:00", "inner": "y",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (3, "add takes texts.* not int"),
        (b"bytes", "add takes texts.* not bytes"),
        (Path("folder"), "not PosixPath; files and folders are read by index"),
        ([Path("folder")], "document 1 must be .* not PosixPath; files and folders are read by index"),
        (["a text", None], "document 2 must be .* not None"),
        ([Document("ok", "text"), Document("bad", 3)], r"document 2 \('bad'\): text must be a string, not int"),  # type: ignore[arg-type]
        ([Document(4, "text")], r"document 1 \(4\): id must be a string, not int"),  # type: ignore[arg-type]
        ([Document("a", "text", metadata=["x"])], r"document 1 \('a'\): metadata must be a dictionary, not list"),  # type: ignore[arg-type]
        ([Document("a", "text", metadata={"by": [b"x"]})], r"document 1 \('a'\): field 'by' must be .* not bytes"),  # type: ignore[dict-item]
        ([{"id": "a", "text": 3}], r"document 1 \('a'\): field 'text' must be a string, not int"),
        ([{"id": "a", "text": "x", "title": []}], r"document 1 \('a'\): field 'title' must be a string, not list"),
        ([{"id": "a", "text": "x", "year": 1 << 20000}], r"document 1 \('a'\): field 'year' must have at most 4,000 digits"),
        ([{"id": ["a"], "text": "x"}], "document 1: field 'id', the id, must be a string or a whole number, not list"),
        ([{"id": "a", "text": None}], r"document 1 \('a'\) has no text"),
        ([{"id": "a", "words": "x"}], r"document 1 \('a'\) has no text; its fields are 'id', 'words'"),
        ([{1: "x"}], "document 1: the name of a field must be a string, not 1"),
    ],
)
def test_wrong_types_are_told_and_change_nothing(library: Library, given: Any, told: str) -> None:
    library.add(Document("first", "heron"))
    with pytest.raises(InputError, match=told):
        library.add(given)
    assert list(held(library)) == ["first"]
    assert library.check() == []


@pytest.mark.parametrize("between", [0, 3, 300, 2500])
def test_the_last_of_two_equal_ids_wins(library: Library, between: int) -> None:
    others = [Document(f"o{number}", f"stork number {number}") for number in range(between)]
    library.add([Document("x", "the first heron"), *others, Document("x", "the second ibis"), *others, Document("y", "egret")])
    assert held(library)["x"][1] == "the second ibis"
    assert len(held(library)) == between + 2
    assert library.search("heron") == []
    assert [result.id for result in library.search("ibis")] == ["x"]
    assert library.check() == []
    library.compact()
    assert [result.text for result in library.search("second")] == ["the second ibis"]
    assert library.add(Document("x", "the second ibis")).unchanged == 1


def test_many_versions_of_one_document(library: Library) -> None:
    library.add(Document("x", f"heron version {number}") for number in range(3 * ROWS))
    assert [result.text for result in library.search("heron")] == [f"heron version {3 * ROWS - 1}"]


def test_progress_is_told(library: Library) -> None:
    told: list[Any] = []

    class Task:
        def advance(self, n: int = 1, note: str = "") -> None:
            told.append(n)

        def close(self) -> None:
            told.append("closed")

    def progress(label: str, total: int | None, unit: str) -> Task:
        told.append((label, total, unit))
        return Task()

    library.add(["heron", "stork"], progress=progress)
    assert told == [("adding", 2, "documents"), 1, 1, "closed"]
    told.clear()
    library.add((text for text in ["ibis"]), progress=progress)
    assert told == [("adding", None, "documents"), 1, "closed"]


def test_odd_ids(library: Library) -> None:
    library.add([{"id": "lone \ud800", "text": "heron"}, {"id": "nul \0", "text": "stork"}])
    library.add([{"id": "lone \ud800", "text": "egret"}])
    assert [text for _, text, _ in held(library).values()] == ["stork", "egret"]


def test_an_id_that_is_kept_otherwise_is_told(library: Library) -> None:
    done = library.add([{"id": "a\0b", "text": "heron"}, {"id": "plain", "text": "ibis"}])
    assert done.notes == ["document 1 is kept as 'a b': NUL and half characters of its id are replaced"]
    assert len(library.add([{"id": f"{at}\0", "text": "owl"} for at in range(100)]).notes) == 20
