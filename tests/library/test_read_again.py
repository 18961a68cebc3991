"""Files that another version of the readers read: read again, and what is the same in them keeps its vectors."""

from __future__ import annotations

from pathlib import Path

import pytest

import bookwheel
from bookwheel.library import indexing


def test_files_are_read_again_by_other_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for n in range(3):
        (files / f"{n}.txt").write_text(f"The heron number {n} stands in water.", "utf-8")
    with bookwheel.open(tmp_path / "library", create=True) as library:
        first = library.index(files)
        assert (first.files, first.added, first.notes) == (3, 3, [])
        assert (library.index(files).files, library.index(files).notes) == (0, [])
        monkeypatch.setattr(indexing, "READERS", indexing.READERS + 1)
        again = library.index(files)
        assert (again.files, again.added, again.updated, again.unchanged) == (3, 0, 0, 3), "nothing is embedded anew"
        assert again.notes == [indexing.READ_AGAIN]
        assert (library.index(files).files, library.index(files).notes) == (0, [])


def test_a_changed_file_alone_is_no_reason_to_say_so(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("The heron stands in water.", "utf-8")
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index(file)
        file.write_text("The heron stands in shallow water.", "utf-8")
        assert library.index(file).notes == []
        assert library.index(file, fields=bookwheel.Fields(title="name")).notes == []
