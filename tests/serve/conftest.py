"""One server for all tests that only read, and its library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("uvicorn")

from serve_processes import Running, library_of, started


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
