"""How many held-out queries compare models where training took longer than was planned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bookwheel.train.lists import run as lists
from bookwheel.train.safety import FEWEST


@pytest.mark.parametrize(
    ("left", "each", "count"),
    [
        (900, 1.0, 200),  # all there are
        (700, 1.0, 175),  # as many as the rest has room for
        (-500, 1.0, 2700 // 4 // 4),  # late: a quarter of the minutes, for four readings
        (-500, 60.0, FEWEST),
    ],
)
def test_late_steps_leave_enough_queries_to_tell(left: float, each: float, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    class Asked:
        def __len__(self) -> int:
            return 2 * lists.TIMED

        def scored(self, scorer: object, *, first: int = 0, after: int = 0) -> None:
            clock[0] += each * (first or len(self) - after)

    class Late(lists.ListRun):
        def __init__(self) -> None:
            self.seconds = 2700.0
            self.kept = SimpleNamespace(fact=lambda _: None, note=lambda **_: None)  # type: ignore[assignment]
            self.base = SimpleNamespace(trained=False)  # type: ignore[assignment]

        candidates = 20

        def left(self, share: float) -> float:
            return left

        @contextmanager
        def opened(self, folder: Path) -> Iterator[Any]:
            yield None

        scorer = stage = export = says = None  # type: ignore[assignment]

    monkeypatch.setattr(lists, "Candidates", lambda *_: Asked())
    monkeypatch.setattr(lists.time, "monotonic", lambda: clock[0])
    judged = SimpleNamespace(judged=dict.fromkeys(map(str, range(200))))
    assert Late()._affordable(None, judged, {1: Path(), 2: Path()}) == count  # type: ignore[arg-type]
