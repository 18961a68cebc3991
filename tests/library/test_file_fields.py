"""What files tell of their documents: fields that filters, the query line, results and exports know."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from pathlib import Path

import pytest

import bookwheel
from bookwheel import FilterError
from bookwheel.cli.main import main
from bookwheel.library.filters.file_fields import file_values, suffix_of

TEXT = "kites fly over the lake"
JANUARY = 1_706_695_200  # 2024-01-31T10:00:00Z


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files below ``reports/2024``, ``reports/20245`` and ``other``, and a library of them."""
    base = tmp_path_factory.mktemp("files")
    for name in ("reports/2024/q1/b.md", "reports/20245/c.TXT", "reports/2024/a.txt", "other/README"):
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{TEXT}, says {name}\n")
    (base / "other/d.txt.gz").write_bytes(gzip.compress(TEXT.encode()))
    with zipfile.ZipFile(base / "other/e.zip", "w") as archive:
        archive.writestr("in/f.txt", TEXT)
    records = [{"id": "1", "text": TEXT, "size": "XL", "folder": "inbox", "modified": "1999-12-31"}, {"id": "2", "text": TEXT}]
    (base / "other/r.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    os.utime(base / "reports/2024/a.txt", (JANUARY, JANUARY))
    with bookwheel.open(base / "library", create=True, encoder=None) as library:
        library.index([base / "reports", base / "other"])
    return base


@pytest.fixture(scope="module")
def library(base: Path) -> bookwheel.Library:
    return bookwheel.open(base / "library")


def found(library: bookwheel.Library, base: Path, where: str) -> set[str]:
    results = library.search("kites", k=50, where=where.replace("BASE", str(base)))
    return {Path(result.source).name if result.id.startswith("/") else result.id for result in results}


EVERY = {"a.txt", "b.md", "c.TXT", "README", "d.txt.gz", "f.txt", "1", "2"}


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ('suffix = "txt"', {"a.txt", "c.TXT", "d.txt.gz", "f.txt"}),
        ('suffix = ".MD"', {"b.md"}),
        ('suffix in ("md", "jsonl")', {"b.md", "1", "2"}),
        ("not suffix exists", {"README"}),
        ('folder = "BASE/reports/2024"', {"a.txt", "b.md"}),
        ('folder = "BASE/reports/2024/"', {"a.txt", "b.md"}),
        ('folder = "2024"', {"a.txt", "b.md"}),
        ("folder = 2024", {"a.txt", "b.md"}),
        ('folder = "reports"', {"a.txt", "b.md", "c.TXT"}),
        ('folder = "reports/2024/q1"', {"b.md"}),
        ('folder = "ports"', set()),
        ('folder = "other/e.zip"', {"f.txt"}),
        ('folder = "/"', EVERY - {"1"}),
        ('folder != "reports"', {"README", "d.txt.gz", "f.txt", "1", "2"}),
        ('folder = "inbox"', {"1"}),
        ('folder not in ("2024", "other")', {"c.TXT", "1"}),
        ('path = "BASE/reports/2024/a.txt"', {"a.txt"}),
        ('path = "q1/b.md"', {"b.md"}),
        ('path = "1/b.md"', set()),
        ('path like "OTHER"', {"README", "d.txt.gz", "f.txt", "1", "2"}),
        ('size = "XL"', {"1"}),
        ("size < 100000 and size > 0", EVERY - {"1"}),
        ("size > 100000", set()),
        ("modified = 2024-01-31", {"a.txt"}),
        ("modified = 2024-01", {"a.txt"}),
        ("modified < 2024-02-01", {"a.txt", "1"}),
        ("modified >= 2024-02", EVERY - {"a.txt", "1"}),
        ('modified < "2000"', {"1"}),
        ("modified < 2025", {"a.txt", "1"}),
        ("modified = 2024", {"a.txt"}),
        ("modified in (1999, 2024)", {"a.txt", "1"}),
    ],
)
def test_filters(library: bookwheel.Library, base: Path, where: str, names: set[str]) -> None:
    assert found(library, base, where) == names
    assert found(library, base, f"not ({where})") == EVERY - names


def test_what_depends_on_where_one_is_is_refused(library: bookwheel.Library, base: Path) -> None:
    for where in ('folder = "./reports"', 'folder in ("../x")', 'path = "~/a.txt"'):
        with pytest.raises(FilterError, match="depends on where you are"):
            found(library, base, where)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("suffix:md kites", {"b.md"}),
        ("folder:2024 kites", {"a.txt", "b.md"}),
        ("-folder:reports kites", {"README", "d.txt.gz", "f.txt", "1", "2"}),
        ("modified:2024 kites -suffix:md", {"a.txt"}),
        ("modified:2024-01-31", {"a.txt"}),
        ("path:q1", {"b.md"}),
    ],
)
def test_the_query_line(library: bookwheel.Library, query: str, names: set[str]) -> None:
    results = library.search(query, k=50, recipe="syntax() >> bm25")
    assert {Path(result.source).name if result.id.startswith("/") else result.id for result in results} == names


def test_a_year_holds_for_dates_and_for_numbers(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.add([{"id": "n", "text": TEXT, "year": 2024}, {"id": "d", "text": TEXT, "year": "2024-05-01"}])
        library.add([{"id": "x", "text": TEXT, "year": "120245"}, {"id": "y", "text": TEXT, "year": "n/a"}])
        assert {r.id for r in library.search("kites", where="year >= 2024 and year < 2025")} == {"n", "d"}
        assert {r.id for r in library.search("kites", where="year != 2024")} == {"x", "y"}
        assert {r.id for r in library.search("kites year:2024", recipe="syntax() >> bm25")} == {"n", "d"}


def test_in_results_export_and_info(library: bookwheel.Library, base: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = base / "reports/2024/a.txt"
    told = {"path": str(path), "folder": str(path.parent), "suffix": "txt", "size": path.stat().st_size}
    told |= {"modified": "2024-01-31T10:00:00Z"}
    (result,) = library.search("kites", where="modified = 2024-01-31")
    assert dict(result.file) == told
    assert result.to_dict()["file"] == told
    assert dict(library[str(path)].file) == told
    assert {"path", "folder", "suffix", "size", "modified"} <= set(library.info().fields)
    assert main(["export", "--library", str(base / "library")]) == 0
    rows = {row["_id"]: row["metadata"] for row in map(json.loads, capfd.readouterr().out.splitlines())}
    assert rows[str(path)] == {**told, "source": str(path)}
    assert rows["1"]["size"] == "XL"
    assert rows["1"]["suffix"] == "jsonl"
    assert main(["show", str(path), "--library", str(base / "library")]) == 0
    assert "modified: 2024-01-31T10:00:00Z" in capfd.readouterr().out


def test_none_for_what_a_program_adds(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.add([{"id": "1", "text": TEXT, "year": 2020}])
        assert library.info().fields == ("year",)
        (result,) = library.search("kites", where="not path exists and not size exists")
        assert dict(result.file) == {}
        # A name before a colon that is no field is plain text.
        assert len(library.search("path:kites kites", recipe="syntax() >> bm25")) == 1


def test_a_damaged_file_tells_its_size_too(tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    path.write_text('[{"id": "1", "text": "kites fly"}, {"id": "2", "te')
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        report = library.index(path)
        assert len(report.failures) == 1
        (result,) = library.search("kites", where="size > 10 and modified >= 2020")
        assert result.file["size"] == path.stat().st_size
        assert library.check() == []


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("/a/b.PDF", "pdf"),
        ("/a/b.tar.gz", "tar"),
        ("/a/b.gz", "gz"),
        ("/a.d/b", ""),
        ("/a/.bashrc", ""),
        ("/a/..x", ""),
        ("/a/end.", ""),
        ("/a/Mr. Smith and others", ""),
        ("/a/ls.1", "1"),
    ],
)
def test_suffixes(name: str, suffix: str) -> None:
    assert suffix_of(name) == suffix


def test_values_of_odd_files() -> None:
    assert file_values("-", 3, 4) == {}
    assert file_values("/x", 0, -1) == {"path": "/x", "folder": "/", "size": 0, "modified": "1970-01-01T00:00:00Z"}
    assert "modified" not in file_values("/x", 1, 10**21)
