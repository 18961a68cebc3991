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


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The places where disks are mounted, for a test to change: to mount one takes rights."""
    from bookwheel.library import mounts

    points: set[str] = set()
    monkeypatch.setattr(mounts, "mount_points", lambda: frozenset(points))
    return points


def test_a_disk_mounted_below_the_folder_keeps_its_documents(
    library: Library, folder: Path, tmp_path: Path, mounted: set[str]
) -> None:
    disk = folder / "sub"
    mounted.add(str(disk))
    library.index(folder)  # another process than those below: what is mounted is noted in the library
    mounted.clear()
    disk.rename(tmp_path / "away")
    with bookwheel.open(library.path) as later:
        for only in (None, [disk], [disk / "c.txt"], None):
            report = later.index(folder, only=only)
            assert (report.removed, report.kept, later.document_count) == (0, [str(disk)], 3), only
            (note,) = report.notes
            assert note.startswith(f"{disk} is not mounted any more; the documents of its files are kept")
        (folder / "b.txt").unlink()
        assert later.index(folder).removed == 1, "what is gone from the folder itself goes"
        disk.mkdir()  # the mount point stays, and somebody wrote to it
        (disk / "stray.txt").write_text("A stray dingo.")
        report = later.index(folder)
        assert (report.added, report.removed, report.kept) == (1, 0, [str(disk)])
        (disk / "stray.txt").unlink()
        disk.rmdir()
        (tmp_path / "away").rename(disk)
        mounted.add(str(disk))
        report = later.index(folder)
        assert (report.added, report.unchanged, report.removed, report.notes) == (0, 2, 1, [])
        (disk / "c.txt").unlink()
        assert later.index(folder).removed == 1, "while it is mounted, its files go as others do"


def test_a_folder_that_took_the_place_of_a_disk_is_a_folder(library: Library, folder: Path, mounted: set[str]) -> None:
    (folder / "sub" / "d.txt").write_text("A grebe on the lake.")
    mounted.add(str(folder / "sub"))
    library.index(folder)
    mounted.clear()
    (folder / "sub" / "d.txt").unlink()  # c.txt is there: its disk is not away
    assert library.index(folder).removed == 1
    empty(folder / "sub")
    assert library.index(folder).removed == 1


def test_a_disk_that_was_the_folder_itself_or_above_it(library: Library, folder: Path, mounted: set[str]) -> None:
    mounted.add(str(folder.parent))
    library.index(folder)
    mounted.clear()
    empty(folder)
    (folder / "stray.txt").write_text("A stray dingo.")
    report = library.index(folder)
    assert (report.added, report.removed, report.kept) == (1, 0, [str(folder)])
    assert library.remove(folder) == 4
    library.index(folder)
    (folder / "stray.txt").rename(folder / "other.txt")
    report = library.index(folder)
    assert (report.moved, report.removed, report.kept) == (1, 0, [])


def test_a_folder_behind_a_link_names_the_disk_as_its_files(tmp_path: Path, mounted: set[str]) -> None:
    disk = tmp_path / "real" / "disk"
    disk.mkdir(parents=True)
    (disk / "a.txt").write_text("The heron stands in shallow water.")
    (tmp_path / "link").symlink_to("real")
    mounted.add(str(disk))
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index(tmp_path / "link")
        mounted.clear()
        empty(disk)
        (tmp_path / "real" / "b.txt").write_text("A bittern in the reeds.")
        report = library.index(tmp_path / "link")
        assert (report.removed, report.kept) == (0, [str(tmp_path / "link" / "disk")])


@pytest.mark.parametrize("only", [False, True])
def test_what_is_behind_a_link_that_leads_nowhere_is_kept(tmp_path: Path, only: bool) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.txt").write_text("The heron stands in shallow water.")
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "own.txt").write_text("A bittern in the reeds.")
    (folder / "linked").symlink_to(tmp_path / "disk")
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index(folder, follow_links=True)
        (tmp_path / "disk").rename(tmp_path / "away")
        report = library.index(folder, follow_links=True, only=[folder / "linked"] if only else None)
        assert (report.removed, report.kept) == (0, [str(folder / "linked")])
        (folder / "linked").unlink()
        assert library.index(folder, follow_links=True, only=[folder / "linked"] if only else None).removed == 1


def test_the_list_of_the_system_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bookwheel.library import mounts

    (tmp_path / "mounts").write_text(
        "/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /media/my\\040disk\\134x ext4 rw 0 0\nsystemd /media/later autofs rw 0 0\nodd\n"
    )
    monkeypatch.setattr(mounts, "_SYSTEM", tmp_path / "mounts")
    assert mounts.mount_points() == {"/", "/media/my disk\\x"}
    assert mounts.mounted_below("/media", frozenset({"/", "/media", "/media/a", "/mediar"})) == {"/media/a": "/media/a"}
    monkeypatch.setattr(mounts, "_SYSTEM", tmp_path / "none")
    assert mounts.mount_points() is None
