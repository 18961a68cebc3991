"""The measuring of memory itself: pages that processes share count once, and too much of it is seen."""

from __future__ import annotations

from contextlib import contextmanager

import limits
import pytest
from limits import run_within

MB = 1 << 20
FORKING = """
import os, time
data = bytearray(os.urandom(1 << 20)) * 60
for _ in range(3):
    if not os.fork():
        time.sleep(0.3)
        os._exit(0)
for _ in range(3):
    os.wait()
"""
WRITING = FORKING.replace("time.sleep(0.3)", "data[::4096] = data[1::4096]; time.sleep(0.3)")


@pytest.fixture(params=["cgroup", "polling"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """By the means that there are, and by the poorest."""
    if request.param == "polling":

        @contextmanager
        def none(limit: int):
            yield None

        monkeypatch.setattr(limits, "group_within", none)
    return str(request.param)


def test_pages_that_forked_processes_share_count_once(way: str, python: str, child_environment: dict[str, str]) -> None:
    ended = run_within(150 * MB, [python, "-c", FORKING], child_environment)
    ended.check()
    assert 60 * MB < ended.peak < 120 * MB, ended.told()


def test_pages_that_they_write_to_count_for_each(way: str, python: str, child_environment: dict[str, str]) -> None:
    ended = run_within(150 * MB, [python, "-c", WRITING], child_environment)
    assert not ended.within, ended.told()
