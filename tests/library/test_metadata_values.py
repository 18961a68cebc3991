"""Lists, nested objects, dates, truth values and odd numbers in metadata: kept, filtered and exported as they are."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

import bookwheel
from bookwheel import Document, InputError
from bookwheel.library.results import StoredDocument

ROWS = [
    {"id": "1", "text": "one", "tags": ["red", "blue"], "author": {"name": "Ada", "born": 1815}, "date": "2024-01-31T10:00:00"},
    {"id": "2", "text": "two", "tags": "red", "author": {"name": "Bob"}, "date": "2024-02-01", "draft": True},
    {"id": "3", "text": "three", "tags": [], "sizes": [1, 2.5, None, float("nan")], "big": 2**70, "date": "2023-12-31"},
    {"id": "4", "text": "four", "people": [{"name": "Cy", "age": 3}, {"name": "Di", "age": 40}], "draft": False},
]
FILTERS = {
    'tags = "red"': "12",
    'tags = "blue"': "1",
    'tags != "red"': "",
    'tags in ("blue", "green")': "1",
    'tags like "LU"': "1",
    "tags exists": "12",
    'author.name = "Ada"': "1",
    "author.born < 1900": "1",
    "sizes > 2": "3",
    "sizes = 1": "3",
    "big > 1e20": "3",
    "big = 1180591620717411303424": "3",
    'people.name = "Di"': "4",
    "people.age >= 40": "4",
    "draft = true": "2",
    "draft = false": "4",
    "date >= 2024-01-31": "12",
    "date > 2024-01-31": "2",
    "date <= 2024-01-31": "13",
    "date < 2024-01-31": "3",
    "date = 2024-01-31": "1",
    "date = 2024-01": "1",
    "date != 2024-01": "23",
    "date <= 2024-01": "13",
    'date >= "2024-02-01"': "2",
}


def ids(library: bookwheel.Library, condition: str) -> str:
    return "".join(sorted(result.id for result in library.search("one two three four", k=10, where=condition, recipe="bm25")))


def only(library: bookwheel.Library, name: str) -> StoredDocument:
    (document,) = library.get(name)
    return document


@pytest.fixture(params=["add", "jsonl", "json"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> bookwheel.Library:
    made = bookwheel.open(tmp_path / "library", create=True, encoder=None, language="none")
    if request.param == "add":
        made.add(ROWS)
    elif request.param == "jsonl":
        (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        made.index([tmp_path / "a.jsonl"])
    else:
        (tmp_path / "a.json").write_text(json.dumps(ROWS))
        made.index([tmp_path / "a.json"])
    return made


def test_filters(library: bookwheel.Library) -> None:
    assert {condition: ids(library, condition) for condition in FILTERS} == FILTERS


def test_whole_numbers_of_any_size_are_compared_exactly(tmp_path: Path) -> None:
    hashes = [17293822569102704640 + n for n in range(3)] + [
        2**63 - 1,
        2**63,
        -(2**63),
        -(2**63) - 1,
        2**53,
        2**53 + 1,
        10**40,
        10**400,
    ]
    made = bookwheel.open(tmp_path / "library", create=True, encoder=None, language="none")
    made.add([{"id": str(n), "text": "one two three four", "hash": value} for n, value in enumerate(hashes)])
    made.add(
        [
            {"id": "text", "text": "one two three four", "hash": "none"},
            {"id": "csv", "text": "one two three four", "hash": str(2**64)},
        ]
    )
    every = dict(zip(map(str, range(len(hashes))), hashes, strict=True)) | {"csv": 2**64}

    def found(condition: str) -> set[str]:
        return {result.id for result in made.search("one", k=20, where=condition, recipe="bm25")}

    for value in {*every.values(), 2**64 + 1, 10**39, -(10**30)}:
        assert found(f"hash = {value}") == {name for name, own in every.items() if own == value}
        assert found(f"hash in ({value}, 5)") == {name for name, own in every.items() if own == value}
        assert found(f"hash < {value}") == {name for name, own in every.items() if own < value}
        assert found(f"hash >= {value}") == {name for name, own in every.items() if own >= value}


def test_infinity_is_shown_and_found_as_a_word(tmp_path: Path) -> None:
    made = bookwheel.open(tmp_path / "library", create=True, encoder=None, language="none")
    made.add([{"id": "1", "text": "one", "x": float("inf")}, {"id": "2", "text": "one", "x": [float("-inf"), 3]}])
    assert [ids(made, condition) for condition in ('x = "Infinity"', 'x in ("-Infinity")', "x > 1e300", "x < 0")] == [
        "1",
        "2",
        "1",
        "2",
    ]
    assert dict(made.facets("x")) == {"Infinity": 1, "-Infinity": 1, 3: 1} == dict(made.facets("x", "one"))


def test_what_is_kept_is_what_was_given(library: bookwheel.Library) -> None:
    assert only(library, "1").metadata == {
        "tags": ["red", "blue"],
        "author.name": "Ada",
        "author.born": 1815,
        "date": "2024-01-31T10:00:00",
    }
    assert only(library, "3").metadata == {"sizes": [1, 2.5], "big": 2**70, "date": "2023-12-31"}
    json.dumps([only(library, name).metadata for name in "1234"], allow_nan=False)


def test_front_matter_lists(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\ntags: [red, blue]\nsummary: >\n  folded\n  lines\ndate: 2024-01-31\n---\none\n")
    (tmp_path / "b.md").write_text("---\ntags:\n  - red\n  - green\n---\ntwo\n")
    (tmp_path / "c.md").write_text("---\ntags: red\n---\nthree\n")
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None, language="none")
    library.index([tmp_path / name for name in ("a.md", "b.md", "c.md")])
    assert len(library.search("one two three", where='tags = "red"', recipe="bm25")) == 3
    (found,) = library.search("one two three", where="tags = 'blue' and date = 2024-01", recipe="bm25")
    assert found.metadata == {"tags": ["red", "blue"], "summary": "folded lines", "date": "2024-01-31"}


def test_values_of_python_and_numpy(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    identity = uuid.UUID(int=7)
    given = {
        "a": np.int64(3),
        "b": np.float32(0.5),
        "c": np.bool_(True),
        "d": datetime.date(2024, 1, 31),
        "e": decimal.Decimal("1.5"),
        "f": identity,
        "g": PurePosixPath("x/y"),
        "h": np.array([1, 2]),
        "i": {"deep": [datetime.date(2020, 1, 1), None]},
        "j": float("nan"),
    }
    library.add([Document("1", "text", "", given)])  # type: ignore[arg-type]
    assert only(library, "1").metadata == {
        "a": 3,
        "b": 0.5,
        "c": True,
        "d": "2024-01-31",
        "e": 1.5,
        "f": str(identity),
        "g": "x/y",
        "h": [1, 2],
        "i.deep": ["2020-01-01"],
    }
    with pytest.raises(InputError, match=r"document 1 \('9'\): field 'odd' must be a string"):
        library.add([Document("9", "text", "", {"odd": object()})])  # type: ignore[dict-item]


def test_of_two_equal_ids_the_last_wins(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    library.add([Document("1", "first"), Document("1", "last")])
    assert only(library, "1").text == "last"
    assert library.document_count == 1


def test_what_is_left_out_is_told_with_document_and_field(tmp_path: Path) -> None:
    deep: object = 1
    for _ in range(9):
        deep = {"a": deep}
    record = {"id": "x", "text": "a kite", "vector": [0.5] * 1500, "deep": deep, "year": 2020}
    (tmp_path / "r.jsonl").write_text(json.dumps(record) + "\n" + json.dumps({"id": "y", "text": "another", "year": 1}) + "\n")
    (tmp_path / "r.json").write_text(json.dumps([record]))
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        for name in ("r.jsonl", "r.json"):
            report = library.index(tmp_path / name)
            (note,) = [note for note in report.notes if "ids" not in note and "the id" not in note]
            assert note.startswith(f"{tmp_path / name}:1: document 'x': of the metadata ")
            assert "'vector'" in note
            assert "beyond 1,000 values or 8 levels was left out" in note
        (note,) = library.add({"id": "z", "text": "a third", "vector": [0.5] * 1500, "year": 3}).notes
        assert note.startswith("document 1 ('z'): of the metadata 'vector' what goes beyond")
        assert len(library["z"].metadata["vector"]) == 1000  # type: ignore[arg-type]
        assert library["z"].metadata["year"] == 3
