"""Damage, other formats, other people's files, a full disk: each has its own sentence and harms nothing."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document
from bookwheel.index.sealed import seal


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, prose: list[tuple[str, str]]) -> Path:
    path = tmp_path_factory.mktemp("sound") / "lib"
    library = bookwheel.open(path, create=True, language="english")
    library.add([Document(f"d{n}", text, title, {"n": n}) for n, (title, text) in enumerate(prose[:150])])
    assert library.check() == []
    library.close()
    return path


def arrays(path: Path) -> list[Path]:
    return sorted(path.rglob("*.npy"))


def test_every_flipped_bit_is_found_by_name(sound: Path, tmp_path: Path) -> None:
    names = [p.relative_to(sound) for p in arrays(sound)]
    assert len(names) > 8
    dice = random.Random(7)
    for name in names:
        size = (sound / name).stat().st_size
        for _ in range(3):
            path = tmp_path / "flipped"
            shutil.copytree(sound, path)
            data = bytearray((path / name).read_bytes())
            data[dice.randrange(size)] ^= 1 << dice.randrange(8)
            (path / name).write_bytes(data)
            found = bookwheel.open(path).check()
            assert any(name.name in problem for problem in found), name
            shutil.rmtree(path)


def test_every_truncated_array_is_named_at_once(sound: Path, tmp_path: Path) -> None:
    for name in [p.relative_to(sound) for p in arrays(sound)]:
        path = tmp_path / "cut"
        shutil.copytree(sound, path)
        os.truncate(path / name, (path / name).stat().st_size - 1)
        with pytest.raises(bookwheel.LibraryDamaged, match=name.name):
            bookwheel.open(path).search("file lock")
        assert any(name.name in problem for problem in bookwheel.open(path).check())
        (path / name).unlink()
        with pytest.raises(bookwheel.LibraryDamaged, match=f"{name.name} is missing"):
            bookwheel.open(path).search("file lock")
        shutil.rmtree(path)


def test_a_damaged_database_is_named(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "lib"
    shutil.copytree(sound, path)
    database = path / "documents.sqlite"
    data = bytearray(database.read_bytes())
    for at in range(4096, len(data), 4096):
        data[at : at + 64] = b"\xff" * 64
    database.write_bytes(data)
    assert any("documents.sqlite" in problem for problem in bookwheel.open(path).check())
    with pytest.raises(bookwheel.LibraryDamaged, match=r"documents\.sqlite"):
        bookwheel.open(path).search("file")
    database.unlink()
    with pytest.raises(bookwheel.LibraryDamaged, match=r"documents\.sqlite is missing"):
        bookwheel.open(path).search("file")


def test_formats_are_told_apart(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "lib"
    shutil.copytree(sound, path)
    manifest = path / "manifest.json"
    data = json.loads(manifest.read_text())
    manifest.write_bytes(seal({**data, "format": 99}))
    with pytest.raises(bookwheel.LibraryFormat, match="newer format"):
        bookwheel.open(path)
    manifest.write_text(json.dumps({"format": 3, "bookwheel": "0.1.0", "settings": {}}))
    with pytest.raises(bookwheel.LibraryFormat, match="an older format .* index the files again into a new library"):
        bookwheel.open(path)
    manifest.write_text("{")
    with pytest.raises(bookwheel.LibraryDamaged, match=r"manifest\.json"):
        bookwheel.open(path)
    with pytest.raises(bookwheel.LibraryNotFound, match="bookwheel index"):
        bookwheel.open(tmp_path / "nowhere")


def test_an_empty_library_says_so(tmp_path: Path) -> None:
    with pytest.raises(bookwheel.LibraryEmpty, match="bookwheel index"):
        bookwheel.open(tmp_path / "lib", create=True).search("word")


def test_a_library_is_not_made_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(bookwheel.StorageError, match="other files"):
        bookwheel.open(tmp_path, create=True)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_settings_that_differ_are_named(sound: Path) -> None:
    with pytest.raises(bookwheel.UsageError, match=r"unit 'sentence' \(the library has 'passage'\)"):
        bookwheel.open(sound, unit="sentence")


def test_one_writer_at_a_time(sound: Path, tmp_path: Path, python: str, child_environment: dict[str, str]) -> None:
    path = tmp_path / "lib"
    shutil.copytree(sound, path)
    script = (
        "import sys, time, pathlib\nfrom bookwheel.library.lock import WriterLock\n"
        "with WriterLock(pathlib.Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([python, "-c", script, str(path)], stdout=subprocess.PIPE, text=True, env=child_environment)
    assert child.stdout is not None
    child.stdout.readline()
    library = bookwheel.open(path)
    with pytest.raises(bookwheel.LibraryLocked, match=f"process {child.pid}"):
        library.remove("d1")
    assert library.search("file"), "readers are not disturbed"
    child.kill()
    child.communicate()
    assert library.remove("d1") == 1, "a killed writer's lock is free at once"


def test_a_model_of_another_make_is_refused(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "lib"
    shutil.copytree(sound, path)
    manifest = path / "manifest.json"
    data = json.loads(manifest.read_text())
    data["settings"]["encoder_info"]["sha256"] = "0" * 64
    manifest.write_bytes(seal(data))
    with pytest.raises(bookwheel.ModelError, match="made by static"):
        bookwheel.open(path).search("file")
    assert bookwheel.open(path).search("file", recipe="bm25"), "what needs no model works on"


FULL = """
import resource, signal, sys
import bookwheel
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, corpus, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
library = bookwheel.open(path)
library._snapshot
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    library.index(corpus)
except bookwheel.StorageError as error:
    print(error)
    raise SystemExit(7)
"""


@pytest.mark.parametrize("limit", [4096, 60_000, 150_000, 400_000])
def test_a_full_disk_loses_nothing(
    sound: Path, tmp_path: Path, prose: list[tuple[str, str]], python: str, child_environment: dict[str, str], limit: int
) -> None:
    """A limit on file sizes stands in for the disk: writes fail in the middle, as on a full one."""
    path = tmp_path / "lib"
    shutil.copytree(sound, path)
    before = [r.id for r in bookwheel.open(path).search("file lock", 50)]
    corpus = tmp_path / "more.jsonl"
    corpus.write_text("".join(json.dumps({"_id": f"x{n}", "text": text}) + "\n" for n, (_, text) in enumerate(prose)))
    done = subprocess.run(
        [python, "-c", FULL, str(path), str(corpus), str(limit)], capture_output=True, text=True, env=child_environment
    )
    assert done.returncode == 7, done.stderr
    assert "the disk is full" in done.stdout
    assert done.stdout.count("\n") == 1
    library = bookwheel.open(path)
    assert library.check() == []
    assert [r.id for r in library.search("file lock", 50)] == before
    assert library.index(corpus).added == len(prose)
    assert library.check() == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="rights do not bind the superuser")
def test_a_folder_without_rights(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "lib"
    shutil.copytree(sound, path)
    path.chmod(0o500)
    try:
        assert bookwheel.open(path).search("file")
        with pytest.raises(bookwheel.StorageError, match="no permission"):
            bookwheel.open(path).remove("d1")
    finally:
        path.chmod(0o700)


def test_a_tmpfs_that_is_really_full(
    sound: Path, tmp_path: Path, prose: list[tuple[str, str]], python: str, child_environment: dict[str, str]
) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    size = sum(p.stat().st_size for p in sound.rglob("*") if p.is_file()) + 600_000
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs the superuser")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount)], capture_output=True).returncode:
        pytest.skip("this system does not allow mounting")
    try:
        path = mount / "lib"
        shutil.copytree(sound, path)
        library = bookwheel.open(path)
        before = [r.id for r in library.search("file lock", 50)]
        documents = [Document(f"y{n}", text * 4) for n, (_, text) in enumerate(prose)]
        with pytest.raises(bookwheel.StorageError, match="disk is full"):
            library.add(documents)
        library.close()
        library = bookwheel.open(path)
        assert library.check() == []
        assert [r.id for r in library.search("file lock", 50)] == before
        library.close()
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False)
