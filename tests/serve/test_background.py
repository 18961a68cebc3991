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


def test_it_gives_way_is_paused_killed_and_goes_on(library: Path, child_environment, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", child_environment["PYTHONPATH"])
    told: list[str] = []
    first = Embedding(library, cpu=0.01, told=told.append)
    assert first.state()["doing"] == "embedding"
    while not embedded(first):
        assert first.running, first.state()
        time.sleep(0.02)
    if sys.platform == "linux":
        assert os.getpriority(os.PRIO_PROCESS, first.process) == 19
        assert os.sched_getscheduler(first.process) == os.SCHED_IDLE
    first.pause()
    assert first.wait(30)
    assert first.state()["doing"] == "paused"
    with bookwheel.open(library) as reader:
        (status,) = reader.encoders()
        assert 0 < status.embedded < PASSAGES
    second = Embedding(library, cpu=0.01, told=told.append)
    while embedded(second) <= status.embedded:
        assert second.running, second.state()
        time.sleep(0.02)
    os.kill(second.process, signal.SIGKILL)
    assert second.wait(10)
    assert second.state()["doing"] == "failed"
    assert "start it again" in told[-1]
    with bookwheel.open(library) as writer:  # at the usual priority, from where it was
        (status,) = writer.embed()
        assert 0 < status.encoded < PASSAGES
        assert status.complete
        assert len(writer.search("herons in the reeds", recipe="second")) == 10
    third = Embedding(library)
    assert third.wait(60)
    assert third.state()["doing"] == "done"
    third.close()


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
