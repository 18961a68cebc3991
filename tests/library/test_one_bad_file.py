"""Whatever is wrong with one file, the others are indexed, and it is told by name."""

from __future__ import annotations

import gzip
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bookwheel
from bookwheel.cli.main import main
from bookwheel.documents import read, readers
from bookwheel.documents.document import Document
from bookwheel.documents.source import Fields, Source
from bookwheel.library import indexing
from bookwheel.library.estimate import estimate

ERRORS = [
    zlib.error("bad"),
    lzma.LZMAError("bad"),
    zipfile.BadZipFile("bad"),
    EOFError("bad"),
    UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
    UnicodeEncodeError("utf-8", "x", 0, 1, "bad"),
    struct.error("bad"),
    RecursionError("bad"),
    MemoryError(),
    OSError(24, "Too many open files"),
    KeyError("bad"),
    AssertionError(),
    StopIteration(),
    NotImplementedError(),
    ImportError("bad"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_a_reader_raises_is_its_files_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def fails(source: Source, fields: Fields) -> Iterator[Any]:
        yield Document(f"{source.path}#1", "what came before the damage")
        raise error

    monkeypatch.setitem(readers.FORMATS, "csv", replace(readers.FORMATS["csv"], read=fails))
    monkeypatch.setattr(indexing, "LOOKED_AT", 0)  # the estimate reads them too
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.txt", "m.csv", "z.txt"):
        (folder / name).write_text("good words")
    assert main(["index", str(folder), "--library", str(tmp_path / "l"), "--encoder", "none", "--json"]) == 2
    report = json.loads(capsys.readouterr().out)
    (failure,) = report["failures"]
    assert failure.startswith(str(folder / "m.csv"))
    with bookwheel.open(tmp_path / "l") as library:
        assert {Path(document.id).name for document in library} == {"a.txt", "m.csv#1", "z.txt"}


def damaged() -> dict[str, bytes]:
    good = gzip.compress(b'{"_id": "x", "text": "heron"}\n' * 2000)
    return {
        "block.jsonl.gz": b"\x1f\x8b\x08\x00" + b"\xff" * 3000,
        "cut.jsonl.gz": good[:-20],
        "checksum.jsonl.gz": good[:-8] + b"\0" * 8,
        "text.txt.gz": b"\x1f\x8b\x08\x00" + b"\xff" * 3000,
        "frame.jsonl.zst": b"\x28\xb5\x2f\xfd" + b"\xff" * 3000,
        "window.jsonl.zst": b"\x28\xb5\x2f\xfd\x00\xff" + b"\0" * 3000,
        "zip.docx": b"PK\x03\x04" + b"\xff" * 3000,
        "zip.epub": b"PK\x03\x04" + b"\0" * 3000,
        "paper.pdf": b"%PDF-1.4\n" + b"\xff" * 3000,
    }


@pytest.mark.parametrize("looked_at", [0, 64 << 20])
def test_damaged_files_among_good_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looked_at: int) -> None:
    monkeypatch.setattr(indexing, "LOOKED_AT", looked_at)
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in damaged().items():
        (folder / name).write_bytes(data)
        (folder / f"{name}.good.txt").write_text("heron")
    with bookwheel.open(tmp_path / "l", create=True, encoder=None) as library:
        report = library.index(folder)
        for name in damaged():
            assert any(f"/{name}" in failure for failure in report.failures), (name, report.failures)
        kept = {document.id for document in library}
        assert {str(folder / f"{name}.good.txt") for name in damaged()} <= kept
    estimate([folder])


def test_a_damaged_file_of_64_megabytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with (folder / "q.jsonl.gz").open("wb") as file:
        file.write(b"\x1f\x8b\x08\x00" + b"\xff" * 1000)
        file.truncate(65 << 20)
    (folder / "good.txt").write_text("heron")
    assert main(["index", str(folder), "--library", str(tmp_path / "l"), "--encoder", "none"]) == 2
    assert "q.jsonl.gz is damaged" in capsys.readouterr().err
    with bookwheel.open(tmp_path / "l") as library:
        assert [document.text for document in library] == ["heron"]


def test_a_file_that_goes_while_it_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.txt", "m.txt", "z.txt"):
        (folder / name).write_text("heron")
    with bookwheel.open(tmp_path / "l", create=True, encoder=None) as library:
        library.index(folder)
        os.utime(folder / "m.txt", (1, 1))
        digest = Source.digest

        def gone(source: Source) -> str:
            (folder / "m.txt").unlink(missing_ok=True)
            return digest(source)

        monkeypatch.setattr(Source, "digest", gone)
        report = library.index(folder)
        assert (len(report.failures), report.unchanged) == (1, 2)


def test_notes_are_no_failures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.md").write_text("---\nyear: 2020\ntags: [a, b\ntitle: ColBERT: efficient retrieval\n---\nThe text.\n")
    at = ("--library", str(tmp_path / "l"))
    assert main(["index", str(tmp_path / "a.md"), *at, "--encoder", "none", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["failures"], len(report["notes"])) == ([], 1)
    assert main(["index", str(tmp_path / "a.md"), "--library", str(tmp_path / "m"), "--encoder", "none"]) == 0
    assert "front matter is not valid YAML (line 4: " in capsys.readouterr().err


def test_many_notes_of_a_file_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bookwheel.documents.failures import Note

    def notes(source: Source, fields: Fields) -> Iterator[Any]:
        yield from (Note(f"{source.label}: {n}") for n in range(1000))

    monkeypatch.setitem(readers.FORMATS, "csv", replace(readers.FORMATS["csv"], read=notes))
    source = Source(str(tmp_path / "x.csv"), 1, 1, "csv")
    found = list(read.read(source))
    assert len(found) == read.MAX_ERRORS + 1
    assert str(found[-1]).endswith("980 more notes")
