"""A file that a person named is written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from bookwheel._errors import StorageError
from bookwheel.index.whole_file import whole_file


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def fail(path: Path, error: BaseException) -> None:
    with whole_file(path) as file:
        file.write(b"half of")
        file.flush()
        raise error


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "no space"), OSError(errno.EFBIG, "large"), KeyboardInterrupt(), ValueError()]
)
def test_what_fails_leaves_the_file_as_it_was(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "out.jsonl"
    for there in (False, True):
        with pytest.raises(StorageError if isinstance(error, OSError) else type(error)) as caught:
            fail(path, error)
        if isinstance(error, OSError):
            assert ("what it held is kept" in str(caught.value)) == there
            assert "committed" not in str(caught.value)
        assert names(tmp_path) == ["out.jsonl"][: int(there)]
        if there:
            assert path.read_bytes() == b"good"
        else:
            path.write_bytes(b"good")


def test_a_file_is_replaced_with_its_rights_and_its_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    path, link = tmp_path / "folder" / "out", tmp_path / "link"
    path.write_bytes(b"old and longer")
    path.chmod(0o640)
    link.symlink_to(path)
    with whole_file(link) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old and longer"
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names(path.parent) == ["out"]


def test_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"there is no folder .*no to write out to"), whole_file(tmp_path / "no" / "out"):
        pass


@pytest.mark.skipif(os.name != "posix", reason="no named pipes and no /dev")
def test_pipes_and_devices_are_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with whole_file(pipe) as file:
        file.write(b"through")
    reader.join(10)
    assert read == [b"through"]
    with whole_file(Path(os.devnull)) as file:
        file.write(b"away")
    assert not Path(os.devnull).is_file()
    assert names(tmp_path) == ["pipe"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="rights do not bind the administrator")
def test_rights_are_kept_to(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    path.chmod(0o400)
    with pytest.raises(StorageError, match="no permission"), whole_file(path):
        pass
    path.chmod(0o600)
    tmp_path.chmod(0o500)
    try:
        with whole_file(path) as file:  # the folder takes no other file
            file.write(b"new")
        assert path.read_bytes() == b"new"
        with pytest.raises(StorageError, match="no permission"), whole_file(tmp_path / "other"):
            pass
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EROFS])
def test_a_file_that_no_other_can_take_the_place_of_is_written_itself(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a single file that is mounted into a container, in a folder that may be read-only."""
    path = tmp_path / "out.json"
    path.write_bytes(b"what it held, which is longer")
    inode = path.stat().st_ino
    really_open = Path.open

    def refused(self: Path, *given: object, **named: object) -> object:
        if number == errno.EROFS and given[:1] == ("xb",):
            raise OSError(number, os.strerror(number))
        return really_open(self, *given, **named)  # type: ignore[call-overload]

    def busy(self: Path, target: Path) -> Path:
        raise OSError(errno.EBUSY, "busy")

    monkeypatch.setattr(Path, "open", refused)
    monkeypatch.setattr(Path, "replace", busy)
    with whole_file(path) as file:
        file.write(b"all of it")
    assert path.read_bytes() == b"all of it"
    assert path.stat().st_ino == inode
    assert names(tmp_path) == ["out.json"]
