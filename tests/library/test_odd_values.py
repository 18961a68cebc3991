"""Values that metadata may have and databases or JSON do not: stored, compared, exported, and never the end of a run."""

from __future__ import annotations

import datetime
import decimal
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bookwheel
from bookwheel import InputError, Library
from bookwheel.cli.main import main

BIG = 18446744073709551615


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return bookwheel.open(tmp_path / "library", create=True, encoder=None)


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def ids(library: Library, where: str) -> list[str]:
    return sorted(result.id for result in library.search("owl", where=where))


def test_integers_beyond_64_bits_in_files(tmp_path: Path, library: Library) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "u.jsonl").write_text("".join(f'{{"_id": "j{n}", "text": "owl", "hash": {BIG - n}}}\n' for n in range(100)))
    (folder / "u.csv").write_text(f"id,text,hash\nc,owl,{BIG}\n")
    (folder / "u.md").write_text(f"---\nhash: {BIG}\n---\nowl\n")
    (folder / "good.txt").write_text("an owl")
    report = library.index(folder)
    assert (report.added, report.failures, report.notes) == (103, [], [])
    found = {document.id: document.metadata for document in library}
    assert found["j0"] == found["c"] == found[str(folder / "u.md")] == {"hash": BIG}
    assert found["j1"] == {"hash": BIG - 1}
    assert len(library.search("owl", 200, where="hash > 1e19")) == 102
    assert ids(library, "hash < 1e19") == []
    assert "c" in ids(library, f"hash = {BIG}")
    assert ids(library, f'hash = "{BIG - 7}"') == ["j7"]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (BIG, BIG),
        (-(10**300), -(10**300)),
        (np.uint64(BIG), BIG),
        (np.int8(3), 3),
        (np.bool_(True), True),
        (np.float32(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.str_("x"), "x"),
        (math.inf, "Infinity"),
        (np.float64(-math.inf), "-Infinity"),
        (decimal.Decimal("1.5"), 1.5),
        (decimal.Decimal("1e999"), "Infinity"),
        (datetime.date(2024, 1, 31), "2024-01-31"),
        (datetime.datetime(2024, 1, 31, 5, 6), "2024-01-31T05:06:00"),
        (np.datetime64("2024-01-31"), "2024-01-31"),
        (np.datetime64("2024-01-31T05:06:00.000000000"), "2024-01-31T05:06:00.000000000"),
        ("a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        ("\ud800", "?"),
    ],
)
def test_a_value_is_stored(library: Library, value: Any, stored: Any) -> None:
    library.add([{"id": "a", "text": "owl", "x": value}, {"id": "b", "text": "owl"}])
    (found,) = library.get("a")
    assert found.metadata == {"x": stored}
    assert type(found.metadata["x"]) is type(stored)
    assert len(library) == 2


@pytest.mark.parametrize(
    "value", [None, math.nan, np.float32("nan"), decimal.Decimal("NaN"), decimal.Decimal("sNaN"), np.datetime64("NaT")]
)
def test_a_missing_value_is_left_out(library: Library, value: Any) -> None:
    library.add([{"id": "a", "text": "owl", "x": value, "y": 1}])
    assert library.get("a")[0].metadata == {"y": 1}


@pytest.mark.parametrize(
    "value",
    [{"a": b"x"}, [1j], b"x", object(), 1j, np.zeros(2, complex), np.complex64(1), pytest.param(10**5000, id="large"), {b"x"}],
)
def test_a_value_of_a_wrong_type_is_named_with_its_document(library: Library, value: Any) -> None:
    with pytest.raises(InputError, match="document 2 .'b'.: field 'odd' must"):
        library.add([{"id": "a", "text": "owl"}, {"id": "b", "text": "owl", "odd": value}])


def test_infinity_compares_as_a_number(library: Library) -> None:
    library.add([{"id": "a", "text": "owl", "x": math.inf}, {"id": "b", "text": "owl", "x": 5}])
    assert ids(library, "x > 4") == ["a", "b"]
    assert ids(library, "x > 6") == ["a"]


@pytest.mark.parametrize("key", [pytest.param("k" * 1_000_000, id="long"), "a\0b", "\ud800", "\u202e", "", "a'b\"c", "\n"])
def test_any_key_is_stored(library: Library, key: str) -> None:
    library.add([{"id": "a", "text": "owl", key: 1}])
    assert list(library.get("a")[0].metadata.values()) == [1]


def test_odd_values_of_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = tmp_path / "odd.jsonl"
    odd = {"a": "NaN", "b": "-Infinity", "c": "1e999", "d": '{"x": [1]}', "e": '"\\ud800\\u0000"', "f": str(-BIG)}
    records.write_text(
        "".join(f'{{"_id": "{name}", "text": "owl", "v\\u0000": {value}}}\n' for name, value in odd.items())
        + '{"_id": "g", "text": "owl", "n": ' + "9" * 5000 + "}\n"
        + '{"_id": "h", "text": "owl"}\n'
    )  # fmt: skip
    assert run("index", records, "--library", tmp_path / "l", "--encoder", "none") == 2
    assert f"{records}:7: " in capsys.readouterr().err
    assert run("export", "--library", tmp_path / "l") == 0

    def refused(word: str) -> None:
        raise AssertionError(word)

    lines = [json.loads(line, parse_constant=refused) for line in capsys.readouterr().out.splitlines()]
    assert [line["_id"] for line in lines] == ["a", "b", "c", "d", "e", "f", "h"]
    assert lines[5]["metadata"]["v "] == -BIG
    assert lines[1]["metadata"]["v "] == "-Infinity"
