"""Embedding in a process of its own: it gives way, can be paused and killed, keeps to the budget, and says how it is doing."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

import bookwheel
from bookwheel.serve.background import Embedding, memory_left

PASSAGES = 1500


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("background") / "library"
    with bookwheel.open(path, create=True, encoder=None) as made:
        made.add({"id": f"n{n}", "text": f"Note {n} is about herons in the reeds of river {n % 97}."} for n in range(PASSAGES))
        made.add_encoder("second", "static")
    return path


def embedded(run: Embedding) -> int:
    return sum(one["embedded"] for one in run.state()["encoders"])


def started(library: Path, more_than: int) -> Embedding:
    run = Embedding(library, cpu=0.01)
    while embedded(run) <= more_than:
        assert run.running, run.state()
        time.sleep(0.02)
    return run


def test_it_gives_way_and_is_paused(library: Path, child_environment, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", child_environment["PYTHONPATH"])
    run = started(library, 0)
    assert run.state()["doing"] == "embedding"
    if sys.platform == "linux":
        assert os.getpriority(os.PRIO_PROCESS, run.process) == 19
        assert os.sched_getscheduler(run.process) == os.SCHED_IDLE
    run.pause()
    assert run.wait(30)
    assert run.state()["doing"] == "paused"
    with bookwheel.open(library) as reader:
        (status,) = reader.encoders()
        assert 0 < status.embedded < PASSAGES


@pytest.mark.slow
def test_killed_it_goes_on_where_it_was(library: Path, child_environment, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", child_environment["PYTHONPATH"])
    with bookwheel.open(library) as reader:
        (status,) = reader.encoders()
    run = started(library, status.embedded)
    os.kill(run.process, signal.SIGKILL)
    assert run.wait(10)
    assert run.state()["doing"] == "failed"
    assert "start it again" in run.state()["error"]
    run = Embedding(library, cpu=1.0)
    assert run.wait(120)
    assert run.state()["doing"] == "done"
    with bookwheel.open(library) as reader:
        assert reader.encoders()[0].complete
        assert len(reader.search("herons in the reeds", recipe="second")) == 10


def test_a_budget_without_room_is_refused_with_the_numbers(library: Path) -> None:
    with pytest.raises(bookwheel.BudgetError, match="larger --ram"):
        Embedding(library, ram=260 << 20)
    assert memory_left(None) == 0
    assert (4 << 30) > memory_left(4 << 30) > 256 << 20


def test_it_says_why_it_cannot(tmp_path: Path, child_environment, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", child_environment["PYTHONPATH"])
    run = Embedding(tmp_path / "nothing")
    assert run.wait(30)
    assert "there is no library" in run.state()["error"]
    assert run.state()["doing"] == "failed"
