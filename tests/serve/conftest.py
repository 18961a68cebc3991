"""One server for all tests that only read, and its library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("uvicorn")

from serve_processes import Running, library_of, started
from watch_kit import Watched

from bookwheel.serve import changes


@pytest.fixture(scope="session")
def served_library(tmp_path_factory: pytest.TempPathFactory, prose: list[tuple[str, str]]) -> Path:
    path = tmp_path_factory.mktemp("served") / "docs"
    library_of(path, prose[:80])
    return path


@pytest.fixture(scope="session")
def serve_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve-home")


@pytest.fixture(scope="session")
def environment(child_environment: dict[str, str], serve_home: Path) -> dict[str, str]:
    return {**child_environment, "BOOKWHEEL_HOME": str(serve_home), "BOOKWHEEL_API_KEY": "", "BOOKWHEEL_TOKEN": ""}


@pytest.fixture(scope="session")
def server(served_library: Path, environment: dict[str, str]) -> Iterator[Running]:
    with started(str(served_library), environment=environment) as running:
        yield running


@pytest.fixture
def watched(request, tmp_path: Path, monkeypatch) -> Iterator[Watched]:
    polling = getattr(request, "param", "") == "looking" or not changes.has_events()
    monkeypatch.setattr(changes, "HEARTBEAT", 0.1)
    monkeypatch.setattr(changes, "LEAST", 0.2)
    monkeypatch.setattr(changes.by_looking, "__defaults__", (0.2,))
    found = Watched(tmp_path, 12, polling)
    try:
        found.until(lambda: found.reports)
        found.until(lambda: found.watch.state()["doing"] == "watching")
        yield found
    finally:
        found.close()
