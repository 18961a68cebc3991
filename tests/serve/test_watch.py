"""A watched folder: real files, the system's own events, a thread as in the server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from watch_kit import Watched

import bookwheel
from bookwheel.serve import changes


@pytest.mark.parametrize("watched", ["events", "looking"], indirect=True)
def test_edits_renames_and_removals_are_followed_and_nothing_else_is_read(watched: Watched) -> None:
    report = watched.after(lambda: (watched.folder / "note 3.txt").write_text("Now about a zebra."))
    assert (report.updated, report.passages, report.files) == (1, 1, 1)
    assert watched.asked[-1] == [str(watched.folder / "note 3.txt")]
    assert len(watched.library.find_all("zebra")) == 1
    report = watched.after(lambda: (watched.folder / "note 4.txt").rename(watched.folder / "sub" / "note 4.txt"))
    assert (report.moved, report.passages) == (1, 0)
    report = watched.after(lambda: (watched.folder / "note 6.txt").rename(watched.folder / "pond.txt"))
    assert (report.moved, report.updated, report.added, report.removed) == (1, 1, 0, 0)
    report = watched.after(lambda: (watched.folder / "note 5.txt").unlink())
    assert (report.removed, report.passages) == (1, 0)
    assert watched.library.document_count == 11


@pytest.mark.parametrize("watched", ["events", "looking"], indirect=True)
def test_an_emptied_folder_removes_nothing_and_is_told_until_a_file_is_back(watched: Watched) -> None:
    away = watched.base / "away"
    watched.folder.rename(away)
    watched.until(lambda: watched.watch.state()["doing"] == "missing")
    watched.folder.mkdir()
    watched.until(lambda: watched.watch.state()["doing"] == "held")
    assert "their documents are kept" in watched.watch.state()["problem"]
    assert any("mount it again" in sentence for sentence in watched.told)
    (watched.folder / "stray.txt").write_text("A stray dingo.")
    watched.until(lambda: len(watched.library.find_all("dingo")) == 1)
    watched.until(lambda: watched.watch.state()["doing"] == "held")
    assert watched.library.document_count == 13
    # As if the disk was mounted again, meanwhile without one of the files.
    (watched.folder / "stray.txt").unlink()
    watched.folder.rmdir()
    (away / "note 1.txt").unlink()
    away.rename(watched.folder)
    watched.until(lambda: watched.library.document_count == 11)
    watched.until(lambda: watched.watch.state() | {"doing": "watching", "problem": ""} == watched.watch.state())


def test_what_failed_is_tried_again_and_said(watched: Watched, monkeypatch) -> None:
    from bookwheel.serve import watch

    monkeypatch.setattr(watch, "RETRY", 0.1)
    for error in (bookwheel.LibraryLocked("another process writes to it"), RuntimeError("a bug")):
        watched.fail = error
        report = watched.after(lambda: (watched.folder / "note 6.txt").write_text(f"A walrus after {watched.fail!r}."))
        assert report.updated == 1
        watched.until(lambda: watched.watch.state()["doing"] == "watching")
    assert any("another process" in sentence for sentence in watched.told)
    assert any("unexpected RuntimeError" in sentence for sentence in watched.told)


def test_errors_are_kept_by_file_until_the_file_is_right(watched: Watched) -> None:
    odd = watched.folder / "broken.pdf"
    odd.write_bytes(b"%PDF-1.7\n" + b"\x00nonsense" * 40)
    watched.until(lambda: watched.watch.state()["errors"])
    assert str(odd) in watched.watch.state()["errors"][0]["error"]
    watched.after(lambda: (watched.folder / "note 7.txt").write_text("Another file changes."))
    assert watched.watch.state()["errors"]
    odd.unlink()
    watched.until(lambda: not watched.watch.state()["errors"])


def test_a_flood_is_gathered_and_rules_that_change_look_at_all(watched: Watched) -> None:
    before = len(watched.asked)
    for number in range(200):
        (watched.folder / f"flood {number}.txt").write_text(f"Flood {number}.")
    watched.until(lambda: watched.library.document_count == 212)
    assert len(watched.asked) - before < 12
    watched.after(lambda: (watched.folder / ".gitignore").write_text("flood*\n"))
    watched.until(lambda: watched.library.document_count == 12)
    assert None in watched.asked[before:]


def test_a_library_in_its_own_folder_and_a_repository_make_no_noise(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(changes, "HEARTBEAT", 0.1)
    watched = Watched(tmp_path, 3, not changes.has_events(), where=tmp_path / "files" / "library")
    try:
        watched.until(lambda: watched.reports)
        watched.after(lambda: (watched.folder / "note 1.txt").write_text("Edited."))
        (watched.folder / ".git").mkdir()
        for number in range(5):
            (watched.folder / ".git" / f"object {number}").write_text("x")
        time.sleep(1.5)
        assert watched.asked[:2] == [None, [str(watched.folder / "note 1.txt")]]
        assert len(watched.asked) <= 3  # the folder .git itself is new
    finally:
        watched.close()


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_folder_behind_a_link_is_followed(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    watched = Watched(tmp_path / "link", 3, not changes.has_events())
    try:
        watched.until(lambda: watched.reports)
        report = watched.after(lambda: (tmp_path / "real" / "files" / "note 1.txt").write_text("Edited zebra."))
        assert report.updated == 1
    finally:
        watched.close()


def test_the_command_line_watches_until_ctrl_c(tmp_path: Path, child_environment: dict[str, str]) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "one.txt").write_text("One heron.")
    command = [
        sys.executable,
        "-m",
        "bookwheel",
        "index",
        str(folder),
        "--library",
        str(tmp_path / "library"),
        "--watch",
        "--json",
    ]
    command += ["--encoder", "none"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=child_environment, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    said = []
    while "watching" not in (line := process.stderr.readline()):
        assert line
        said.append(line)
    time.sleep(1.2)
    (folder / "two.txt").write_text("Two herons.")
    told = ""
    while '"added": 1' not in told.rpartition('"library"')[2] or "two" not in told:
        line = process.stdout.readline()
        assert line
        told += line
        if line.startswith("{") and line.endswith("}\n"):
            assert json.loads(line)["added"] == 1
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode in (0, 130)
    with bookwheel.open(tmp_path / "library") as library:
        assert library.document_count == 2


@pytest.mark.slow
def test_one_edited_file_of_ten_thousand_is_found_within_three_seconds(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles", reason="the extra watch is not installed")
    watched = Watched(tmp_path, 10_000, polling=False)
    try:
        watched.until(lambda: watched.reports, 600)
        times = []
        for number in range(5):
            began = time.monotonic()
            (watched.folder / f"note {number}.txt").write_text(f"Now about zebra{number}.")
            watched.until(lambda number=number: len(watched.library.find_all(f"zebra{number}")) == 1)
            times.append(time.monotonic() - began)
            assert watched.reports[-1].passages == 1
        assert sorted(times)[2] < 3, times
    finally:
        watched.close()
