"""Two processes that make one library at the same time."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

import bookwheel
from bookwheel.library import creation
from bookwheel.library.lock import WriterLock


def test_the_slower_of_two_opens_what_the_faster_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "library"
    real = creation.load_encoder

    def meanwhile(name: str) -> object:
        monkeypatch.setattr(creation, "load_encoder", real)
        with bookwheel.open(path, create=True) as other:
            other.add("The heron stands in shallow water.")
        return real(name)

    monkeypatch.setattr(creation, "load_encoder", meanwhile)
    with bookwheel.open(path, create=True) as library:
        assert library.document_count == 1


def test_another_that_is_still_making_it_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "library"
    path.mkdir()
    with WriterLock(path):
        with pytest.raises(bookwheel.LibraryLocked):
            bookwheel.open(path, create=True, encoder=None)
        opened: list[int] = []
        thread = threading.Thread(
            target=lambda: opened.append(bookwheel.open(path, create=True, encoder=None, wait=60).document_count)
        )
        thread.start()
        time.sleep(0.3)
    thread.join(60)
    assert opened == [0]


def test_a_folder_of_other_files_is_still_refused(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("mine")
    with pytest.raises(bookwheel.StorageError, match="contains other files"):
        bookwheel.open(tmp_path, create=True, encoder=None)


def test_a_library_deleted_while_it_is_open_is_said_to_be_gone(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The heron stands in shallow water.")
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index(tmp_path / "a.txt")
        assert library.document_count == 1
        shutil.rmtree(tmp_path / "library")
        with pytest.raises(bookwheel.LibraryNotFound, match="is gone: it was deleted or moved"):
            library.all_gone(tmp_path)
        with pytest.raises(bookwheel.LibraryNotFound, match="there is no library at"):
            library.index(tmp_path / "a.txt")
