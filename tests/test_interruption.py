"""Ctrl-C in work that commits as it goes."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import pytest

import bookwheel
from bookwheel._interruption import announce, interruptible
from bookwheel.library import moved, writer


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def interrupted(times: int, steps: list[object], error: Exception | None = None) -> None:
    """Work during which Ctrl-C comes so often; what it got to is put to ``steps``."""
    with interruptible() as stop:
        steps.append(stop())
        for _ in range(times):
            ctrl_c()
        steps.append(stop())
        if error is not None:
            raise error


def test_a_request_that_nobody_asked_for_is_not_lost() -> None:
    before, steps = signal.getsignal(signal.SIGINT), list[object]()
    with pytest.raises(KeyboardInterrupt):
        interrupted(1, steps)
    assert steps == [False, True]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_one_stops_at_once_and_an_error_stays_the_error() -> None:
    steps: list[object] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(2, steps)
    assert steps == [False]
    with pytest.raises(ValueError, match="of the work"):
        interrupted(1, steps, ValueError("of the work"))
    steps.clear()
    interrupted(0, steps)
    assert steps == [False, False]


def test_it_is_announced_once() -> None:
    told: list[str] = []
    announce(lambda: told.append("stopping"))
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted(1, [])
        assert told == ["stopping"]
    finally:
        announce(lambda: None)


def test_in_another_thread_ctrl_c_is_left_alone() -> None:
    def work() -> None:
        with interruptible() as stop:
            found.append((signal.getsignal(signal.SIGINT), stop()))

    found: list[tuple[object, bool]] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [(signal.getsignal(signal.SIGINT), False)]


def test_ctrl_c_during_the_last_commit_of_an_index_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("The heron stands in shallow water.")
    real = writer.Writer.commit

    def commit(self: writer.Writer) -> None:
        ctrl_c()
        real(self)

    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        monkeypatch.setattr(writer.Writer, "commit", commit)
        with pytest.raises(KeyboardInterrupt):
            library.index(tmp_path / "a.txt")
        monkeypatch.undo()
        library.refresh()
        assert library.document_count == 1, "what was committed is kept"
        assert library.index(tmp_path / "a.txt").unchanged == 1


def test_ctrl_c_while_it_is_asked_whether_all_is_gone(tmp_path: Path) -> None:
    class Store:
        def stream(self, *_: object) -> object:
            try:
                yield (str(tmp_path),)
                yield (__file__,)
                yield (__file__,)
            finally:
                raise KeyboardInterrupt  # as one that comes while the connection is closed

    with pytest.raises(KeyboardInterrupt):
        moved.all_gone(Store(), 0, str(tmp_path))  # type: ignore[arg-type]


def test_ctrl_c_while_the_command_line_is_imported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from bookwheel import __main__

    class Interrupted:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "bookwheel.cli.main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "bookwheel.cli.main", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert __main__.run() == 130
    assert capsys.readouterr() == ("", "bookwheel: stopped\n")
