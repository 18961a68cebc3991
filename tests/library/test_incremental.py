"""Indexing a folder again touches only what changed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import bookwheel


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    for n in range(6):
        (folder / f"f{n}.txt").write_text(f"Heron number {n} stands in the water.\n")
    (folder / "sub" / "records.jsonl").write_text(
        "".join(json.dumps({"_id": f"r{n}", "text": f"Bittern {n} hides in the reeds."}) + "\n" for n in range(20))
    )
    return folder


def counts(report: bookwheel.IndexReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.removed


def test_only_changes_are_read(folder: Path, tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "lib", create=True)
    assert counts(library.index(folder)) == (26, 0, 0, 0)
    generation = library.generation
    again = library.index(folder)
    assert counts(again) == (0, 0, 26, 0)
    assert again.files == 0
    assert library.generation == generation, "nothing changed, nothing was committed"

    (folder / "f0.txt").write_text("An egret, not a heron.\n")
    os.utime(folder / "f1.txt", ns=(1, 1))  # touched, same contents
    (folder / "f2.txt").unlink()
    (folder / "f9.txt").write_text("A new stork.\n")
    report = library.index(folder)
    assert counts(report) == (1, 1, 24, 1)
    assert report.files == 2
    assert [r.title for r in library.search("egret", recipe="bm25")] == ["f0"] or library.search("egret", recipe="bm25")
    assert not [r for r in library.search("heron 2", 100, recipe="bm25") if r.source.endswith("f2.txt")]


def test_only_changed_records_of_a_file_are_touched(folder: Path, tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "lib", create=True)
    library.index(folder)
    records = folder / "sub" / "records.jsonl"
    lines = records.read_text().splitlines()
    lines[3] = json.dumps({"_id": "r3", "text": "A spoonbill instead."})
    del lines[10]
    lines.append(json.dumps({"_id": "r99", "text": "A crane as well."}))
    records.write_text("\n".join(lines) + "\n")
    report = library.index(folder)
    assert counts(report) == (1, 1, 24, 1)
    assert report.passages == 2
    assert [r.id for r in library.search("spoonbill", recipe="bm25")] == ["r3"]
    assert library.get("r10") == []


def test_a_damaged_file_keeps_what_it_had(folder: Path, tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "lib", create=True)
    (folder / "doc.pdf").write_bytes(b"%PDF-1.4 nonsense")
    report = library.index(folder)
    assert len(report.failures) == 1
    assert "doc.pdf" in report.failures[0]
    records = folder / "sub" / "records.jsonl"
    good = records.read_text()
    records.write_text(good + "{broken\n" + json.dumps({"_id": "r50", "text": "A late shoebill."}) + "\n")
    report = library.index(folder)
    assert report.added == 1
    assert any("records.jsonl:21" in failure for failure in report.failures)
    assert library.search("shoebill", recipe="bm25")
    assert library.document_count == 27
    again = library.index(records)
    assert again.files == 0, "a file with a damaged record is not read again for that"
    assert again.skipped == {"damaged record in an unchanged file": 1}
    records.write_text(good)
    assert library.index(records).removed == 1
    (failure,) = library.index(folder).failures
    assert "doc.pdf" in failure, "a file that could not be read at all is tried each time"


def test_pruning_can_be_left_out_and_other_folders_are_left_alone(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "folder2"
    other.mkdir()
    (other / "o.txt").write_text("An osprey.\n")
    library = bookwheel.open(tmp_path / "lib", create=True)
    library.index([folder, other])
    (folder / "f2.txt").unlink()
    assert library.index(folder, prune=False).removed == 0
    assert library.index(folder).removed == 1
    assert library.search("osprey", recipe="bm25")


def test_removing_by_path(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = bookwheel.open(tmp_path / "lib", create=True)
    library.index(folder)
    monkeypatch.chdir(folder)
    assert library.remove("sub/records.jsonl") == 20
    with pytest.raises(bookwheel.UsageError, match=r"nope.*nothing was removed"):
        library.remove(["f1.txt", "nope"])
    assert library.document_count == 6
    assert library.index(folder).added == 20, "what was removed by hand comes back when its file is indexed again"
