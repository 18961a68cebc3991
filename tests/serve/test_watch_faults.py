"""A watch goes on: whatever the system does not tell, cannot watch or names oddly, what changes is indexed, or it is said."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from watch_kit import Watched

from bookwheel.serve import changes, inotify, watch
from bookwheel.serve.watch import Watch

EVENTS = pytest.mark.skipif(not changes.has_events(), reason="watchfiles is not installed")
LINUX = pytest.mark.skipif(not Path("/proc/self/fdinfo").is_dir(), reason="only Linux tells which folders it watches")


@pytest.fixture
def starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Watched]]:
    """For a watch that a test starts itself: what is in the list is closed at the end."""
    for name, value in (("HEARTBEAT", 0.1), ("LEAST", 0.2)):
        monkeypatch.setattr(changes, name, value)
    monkeypatch.setattr(watch, "HEARTBEAT", 0.1)
    monkeypatch.setattr(changes.by_looking, "__defaults__", (0.2,))
    started: list[Watched] = []
    yield started
    for one in started:
        one.close()


def is_followed(watched: Watched, file: str = "note 1.txt") -> None:
    """Check that what is written from now on is indexed."""
    watched.until(lambda: watched.library.document_count)
    (watched.folder / file).write_text("A walrus on the ice.")
    watched.until(lambda: len(watched.library.find_all("walrus")) == 1)
    watched.until(lambda: watched.watch.state()["doing"] == "watching")


@EVENTS
def test_a_name_that_is_not_utf_8_ends_no_watch(watched: Watched) -> None:
    for number in range(watch.ENDS + 1):
        try:
            Path(os.fsdecode(os.fsencode(watched.folder) + b"/caf\xe9 %d.txt" % number)).write_text("latin")
        except OSError:
            pytest.skip("the file system takes no such names")
        watched.until(lambda number=number: len(watched.watch.state()["errors"]) == number + 1)
    assert all("name is not UTF-8" in one["error"] for one in watched.watch.state()["errors"])
    assert any("lost track of changes" in sentence for sentence in watched.told)
    is_followed(watched)


@EVENTS
@pytest.mark.parametrize(
    "error",
    [OSError(28, "OS file watch limit reached"), RuntimeError("Error creating recommended watcher: Too many open files")],
)
def test_where_no_watcher_can_be_made_it_is_looked(
    starting: list[Watched], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refused(*_: object) -> Iterator[None]:
        raise error
        yield

    monkeypatch.setattr(changes, "_changes", refused)
    starting.append(watched := Watched(tmp_path, 3, polling=False))
    watched.until(lambda: watched.watch.state()["how"] == "looking")
    assert any("looked at every few seconds" in sentence and str(error) in sentence for sentence in watched.told)
    is_followed(watched)


def test_a_fault_of_any_kind_ends_no_watch(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(watch, "RETRY", 0.1)
    monkeypatch.setattr(watched.watch, "told", fails)
    monkeypatch.setattr(watched.watch, "reports", fails)
    for file in ("note 1.txt", "note 2.txt", "note 3.txt", "note 4.txt"):
        (watched.folder / file).write_text(f"A walrus of {file}.")
    watched.until(lambda: len(watched.library.find_all("walrus")) == 4)
    watched.stop.set()
    watched.thread.join(20)
    assert watched.watch.state()["doing"] == "stopped"


@LINUX
@EVENTS
def test_a_folder_that_comes_and_is_not_watched_has_the_watcher_made_anew(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, made, lost = changes._changes, [], [True]
    watched.until(lambda: watched.watch.state()["how"] == "events")

    def again(*given: object) -> object:
        made.append(given)
        lost.clear()
        return real(*given)

    monkeypatch.setattr(changes, "_changes", again)
    monkeypatch.setattr(inotify.Told, "missing", lambda self, folder: len(lost))
    (watched.folder / "later").mkdir()
    watched.until(lambda: made)
    is_followed(watched, "later/new.txt")
    assert watched.watch.state()["how"] == "events", watched.told


@EVENTS
def test_where_not_all_folders_are_watched_from_the_start_it_is_looked(
    starting: list[Watched], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = changes._changes

    def refused(folder: Path, stop: object, passing_over: bool = False) -> object:
        if not passing_over:
            raise PermissionError("a folder may not be read")
        return real(folder, stop, passing_over)

    monkeypatch.setattr(changes, "_changes", refused)
    monkeypatch.setattr(inotify.Told, "missing", lambda self, folder: 1)
    starting.append(watched := Watched(tmp_path, 3, polling=False))
    watched.until(lambda: watched.watch.state()["how"] == "looking")
    assert any("it passes over others" in sentence for sentence in watched.told)
    is_followed(watched)


@LINUX
@EVENTS
def test_a_folder_that_may_be_read_later_is_watched_then(starting: list[Watched], tmp_path: Path) -> None:
    closed = tmp_path / "files" / "closed"
    closed.mkdir(parents=True)
    (closed / "one.txt").write_text("One heron.")
    closed.chmod(0)
    try:
        if os.access(closed, os.R_OK):
            pytest.skip("this user may read everything")
        starting.append(watched := Watched(tmp_path, 3, polling=False))
        watched.until(lambda: watched.library.document_count == 3)
    finally:
        closed.chmod(0o755)
    watched.until(lambda: watched.library.document_count == 4)
    is_followed(watched, "closed/one.txt")
    (closed / "two.txt").write_text("A second one, with a yak.")
    watched.until(lambda: len(watched.library.find_all("yak")) == 1)


@LINUX
def test_inotify_s_count_is_the_number_of_folders(tmp_path: Path) -> None:
    watchfiles = pytest.importorskip("watchfiles")
    for name in ("in/a/b", "in/.git/x", "out/q/r"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "in" / "out").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "same").symlink_to("a")
    (tmp_path / "in" / "a" / "up").symlink_to("..")
    assert inotify.folders_below(tmp_path / "in") == 8
    before = inotify.open_instances()
    found = watchfiles.watch(tmp_path / "in", rust_timeout=50, yield_on_timeout=True)
    next(found)
    told = inotify.Told(before)
    assert told.missing(tmp_path / "in") == 0
    assert told.missing(tmp_path) == 1
    assert inotify.Told(inotify.open_instances()).missing(tmp_path) == 0, "nothing is known, and nothing is said"
    found.close()


def test_a_folder_deleted_and_made_anew_at_once_is_watched(watched: Watched) -> None:
    shutil.rmtree(watched.folder)
    watched.folder.mkdir()
    (watched.folder / "a.txt").write_text("A dingo.")
    watched.until(lambda: len(watched.library.find_all("dingo")) == 1)
    (watched.folder / "later.txt").write_text("A walrus on the ice.")
    watched.until(lambda: len(watched.library.find_all("walrus")) == 1)


def test_a_disk_below_the_folder_is_held_while_it_is_away(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from bookwheel.library import mounts

    points = set[str]()
    for module in (mounts, watch):
        monkeypatch.setattr(module, "mount_points", lambda: frozenset(points))
    disk, away = watched.folder / "sub", tmp_path / "away"
    (disk / "on disk.txt").write_text("A heron on the disk.")
    watched.until(lambda: watched.library.document_count == 13)
    points.add(str(disk))  # the whole folder is looked at
    watched.until(lambda: watched.asked[-1] is None and watched.watch.state()["doing"] == "watching")
    disk.rename(away)
    points.clear()
    watched.until(lambda: watched.watch.state()["doing"] == "held")
    assert f"{disk} is not mounted any more" in watched.watch.state()["problem"]
    assert watched.told.count(watched.watch.state()["problem"]) == 1
    watched.after(lambda: (watched.folder / "note 1.txt").unlink())
    assert watched.watch.state()["doing"] == "held"
    assert watched.library.document_count == 12
    away.rename(disk)
    points.add(str(disk))
    watched.until(lambda: watched.watch.state()["doing"] == "watching")
    assert watched.library.document_count == 12


@pytest.mark.parametrize("watched", ["events", "looking"], indirect=True)
def test_failures_alone_are_reported_once(watched: Watched) -> None:
    odd = watched.folder / "broken.pdf"
    report = watched.after(lambda: odd.write_bytes(b"%PDF-1.7\n" + b"\x00nonsense" * 40))
    (failure,) = report.failures
    assert str(odd) in failure
    assert (report.added, report.updated, report.removed) == (0, 0, 0)
    count = len(watched.reports)
    (watched.folder / ".gitignore").write_text("nothing\n")  # all is looked at, and fails again
    watched.until(lambda: watched.asked[-1] is None)
    report = watched.after(lambda: (watched.folder / "note 1.txt").write_text("A walrus on the ice."))
    assert (report.updated, report.failures, len(watched.reports)) == (1, [], count + 1)


def test_what_was_told_before_is_not_told_again(tmp_path: Path) -> None:
    from bookwheel.library.results import IndexReport

    before = IndexReport(failures=["a.pdf: damaged"], notes=["b.pdf: something"])
    now = IndexReport(failures=["a.pdf: damaged", "c.pdf: damaged"], notes=["b.pdf: something"], unchanged=1)
    reports: list[IndexReport] = []
    one = Watch(tmp_path, lambda only, prune: dataclasses.replace(now), lambda: False, polling=True)
    one.reports = reports.append
    one.know(before)
    one._bring_up_to_date()
    one._bring_up_to_date()
    assert [(report.failures, report.notes) for report in reports] == [(["c.pdf: damaged"], [])]
    assert one.state()["updates"] == 2


@pytest.mark.parametrize("watched", ["events", "looking"], indirect=True)
def test_an_edit_that_leaves_size_and_time_is_seen(watched: Watched) -> None:
    file = watched.folder / "note 3.txt"
    status, text = file.stat(), file.read_text()

    def edit() -> None:
        file.write_text(text.replace("herons", "walrus"))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert watched.after(edit).updated == 1
    assert file.stat().st_size == status.st_size
    assert len(watched.library.find_all("walrus")) == 1


@pytest.mark.parametrize("watched", ["events", "looking"], indirect=True)
@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_a_link_changes_with_what_is_hidden_behind_it(watched: Watched) -> None:
    store = watched.folder / ".store"
    store.mkdir()
    (store / "r.txt").write_text("A dingo of old.")
    watched.after(lambda: (watched.folder / "linked.txt").symlink_to(".store/r.txt"))
    report = watched.after(lambda: (store / "r.txt").write_text("A walrus of today."))
    assert report.updated == 1
    assert len(watched.library.find_all("walrus")) == 1
    report = watched.after(lambda: (store / "r.txt").unlink())
    assert (report.removed, watched.library.document_count) == (1, 12)
