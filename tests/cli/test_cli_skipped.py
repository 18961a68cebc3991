"""Every file that is not in the library is counted by reason, and listed where that is asked for."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from bookwheel.cli.main import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "files"
    root.mkdir()
    (root / "good.txt").write_text("The heron stands in the shallow water.\n")
    (root / "blank.txt").write_text(" \n\n")
    (root / "only.md").write_text("---\ntitle: x\n---\n")
    (root / "shell.html").write_text("<html><body><script>1</script></body></html>")
    (root / "empty.txt").write_text("")
    (root / ".hidden.txt").write_text("hidden")
    for number in range(3):
        (root / f"{number}.mp3").write_bytes(b"ID3\x04\0\0\0\0\0\0" * 20)
    (root / "picture.PNG").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (root / "core").write_bytes(bytes(range(256)) * 20)
    (root / "cut.md.gz").write_bytes(gzip.compress(b"text" * 1000)[:10])
    return root


def index(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["index", *arguments, "--encoder", "none"])
    out, err = capsys.readouterr()
    return code, out, err


def test_all_are_counted_and_listed(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = index(capsys, str(folder), "--library", str(tmp_path / "library"), "--skipped")
    assert code == 2, err
    assert "5 binary (3 .mp3, 1 without suffix, 1 .png)" in out
    assert "3 no text" in out
    for name, reason in {
        "blank.txt": "no text",
        "only.md": "no text",
        "shell.html": "no text",
        "empty.txt": "empty",
        ".hidden.txt": "hidden",
        "0.mp3": "binary",
        "core": "binary",
        "cut.md.gz": "cannot be read",
    }.items():
        assert f"  {folder / name}: {reason}" in out
    # The second time nothing has changed, and the same is told.
    _, again, _ = index(capsys, str(folder), "--library", str(tmp_path / "library"), "--json")
    report = json.loads(again)
    assert report["binary"] == {".mp3": 3, ".png": 1, "": 1}
    assert report["skipped"]["no text"] == 3
    assert {"path": str(folder / "blank.txt"), "reason": "no text"} in report["skipped_files"]
    in_folder = sum(1 for path in folder.iterdir() if path.is_file())
    assert in_folder == report["unchanged"] + len(report["skipped_files"])


def test_what_is_said_of_the_library_is_true(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = str(tmp_path / "library")
    _, _, err = index(capsys, str(folder / "blank.txt"), "--library", library)
    assert "the library is still empty" in err
    index(capsys, str(folder / "good.txt"), "--library", library)
    _, out, err = index(capsys, str(folder / "blank.txt"), "--library", library)
    assert "nothing in" in err
    assert "empty" not in err
    assert "1 no text" in out


def test_a_file_beyond_the_limit_is_named_with_both_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/big.md").write_text("word " * 3_000_000)
    _, out, err = index(capsys, str(tmp_path / "files"), "--library", str(tmp_path / "library"), "--ram", "256MB")
    assert "1 too large" in out
    # How many MiB depends on what other libraries of this process hold.
    said = re.search(
        r"big\.md \(14\.3 MiB\) exceeds the limit of (\d+\.\d) MiB per file, which follows from the memory budget", err
    )
    assert said, err
    assert 5 < float(said[1]) < 14.3
