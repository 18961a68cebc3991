from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2] / "src"


@dataclass
class Done:
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Bookwheel = Callable[..., Done]


def run_lines_of(text: str) -> list[list[str]]:
    """The columns of a TREC run."""
    rows = [line.split() for line in text.splitlines()]
    assert rows
    assert all(len(row) == 6 for row in rows)
    return rows
