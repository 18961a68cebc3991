"""A folder that is empty now may be a disk that is not mounted: its documents stay until they are removed by name."""

from __future__ import annotations

from pathlib import Path

import pytest

import bookwheel
from bookwheel.library.library import Library


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.txt", "b.txt", "sub/c.txt"):
        (folder / name).write_text(f"The heron of {name} stands in shallow water.")
    return folder


@pytest.fixture
def library(tmp_path: Path, folder: Path) -> Library:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    library.index(folder)
    return library


def empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def test_an_emptied_folder_removes_nothing_and_is_told(library: Library, folder: Path) -> None:
    empty(folder)
    for _ in range(2):
        report = library.index(folder)
        assert (report.removed, library.document_count) == (0, 3)
        (note,) = report.notes
        assert str(folder) in note
        assert f"bookwheel remove {folder}" in note
    assert library.remove(folder) == 3
    assert library.index(folder).notes == []


def test_mounted_again_nothing_is_read_again(library: Library, folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "away")
    folder.mkdir()
    library.index(folder)
    folder.rmdir()
    (tmp_path / "away").rename(folder)
    report = library.index(folder)
    assert (report.unchanged, report.added, report.removed, report.notes) == (3, 0, 0, [])


def test_a_folder_with_other_files_was_changed_by_somebody(library: Library, folder: Path) -> None:
    empty(folder)
    (folder / "new.txt").write_text("Only this one is left.")
    report = library.index(folder)
    assert (report.added, report.removed, report.notes) == (1, 3, [])


def test_files_that_are_left_out_now_are_not_gone(library: Library, folder: Path) -> None:
    (folder / ".gitignore").write_text("*.txt\n")
    report = library.index(folder)
    assert (report.removed, report.notes) == (3, [])


def test_files_moved_to_another_folder_that_was_given_are_moved(library: Library, folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "other")
    folder.mkdir()
    report = library.index([folder, tmp_path / "other"])
    assert (report.moved, report.removed, report.notes, library.document_count) == (3, 0, [], 3)


def test_one_of_two_folders_is_empty(library: Library, folder: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    (second / "x.txt").write_text("A bittern in the reeds.")
    (second / "y.txt").write_text("A grebe on the lake.")
    library.index([folder, second])
    empty(folder)
    (second / "x.txt").unlink()
    report = library.index([folder, second])
    assert (report.removed, library.document_count) == (1, 4)
    assert len(report.notes) == 1


@pytest.mark.parametrize("stays", ["nothing", "the mount point"])
def test_indexing_another_folder_removes_nothing_of_a_disk_that_is_away(
    library: Library, folder: Path, tmp_path: Path, stays: str
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "own.txt").write_text("A bittern in the reeds.")
    library.index(other)
    (other / "a.txt").write_bytes((folder / "a.txt").read_bytes())
    folder.rename(tmp_path / "away")
    if stays == "the mount point":
        folder.mkdir()
    report = library.index(other)
    # The file of equal content is taken for the one that is gone; what else was on the disk is not.
    assert (report.moved, report.removed, report.unchanged, library.document_count) == (1, 0, 2, 4)
    (note,) = report.notes
    assert f"2 other files that the library has from {folder}, where files were moved from, are not there any more" in note
    assert "the documents are kept" in note
    gone = folder if stays == "nothing" else folder / "b.txt"
    assert note.endswith(f"bookwheel remove {gone}")
    assert library.index(other).notes == []
    if folder.exists():
        folder.rmdir()
    (tmp_path / "away").rename(folder)
    report = library.index(folder)
    assert (report.unchanged, report.added, report.removed) == (2, 1, 0)
