"""Clicks that a library keeps, and what they say once their place in the ranking is taken into account."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import bookwheel
from bookwheel import UsageError
from bookwheel.library.clicks import LARGEST, Clicks
from bookwheel.tune.made import made_collection

RANKS = {"top": 1, "right": 6, "other": 3}


@pytest.fixture
def library(tmp_path: Path) -> bookwheel.Library:
    made = bookwheel.open(tmp_path / "kept", create=True, encoder=None)
    made.add([{"id": name, "text": f"What is told of {name} in this short text of its own."} for name in RANKS])
    return made


def test_clicks_are_kept_and_forgotten(library: bookwheel.Library) -> None:
    clicks = Clicks(library.path)
    assert clicks.count == 0
    assert clicks.note("  two\nwords ", "a", 3)
    assert not clicks.note("", "a", 1)
    assert not clicks.note("x" * 2000, "a", 1)
    with pytest.raises(UsageError, match="rank is from 1, not 0"):
        clicks.note("two words", "a", 0)
    (line,) = clicks.path.read_text().splitlines()
    record = json.loads(line)
    assert (record["query"], record["clicked"], record["rank"], set(record)) == (
        "two words",
        "a",
        3,
        {"query", "clicked", "rank", "time"},
    )
    assert clicks.path.stat().st_mode & 0o077 == 0, "nobody else reads what was searched"
    assert clicks.count == 1
    with clicks.path.open("ab") as file:
        file.truncate(LARGEST)
    assert not clicks.note("two words", "a", 3), "there is no room"
    clicks.forget()
    assert clicks.count == 0
    assert library.check() == []


def test_the_first_place_is_not_taken_for_relevance(library: bookwheel.Library) -> None:
    """Simulated as in the paper: a result is looked at 1/rank times as often as the first, and opened if relevant, else seldom."""
    dice = random.Random(3)
    clicks = Clicks(library.path)
    counts = dict.fromkeys(RANKS, 0)
    for _ in range(3000):
        for name, rank in RANKS.items():
            if dice.random() < (0.9 if name == "right" else 0.15) / rank:
                counts[name] += 1
                clicks.note("letters told of", name, rank)
    assert counts["top"] > 0.8 * counts["right"], "by counts alone the two cannot be told apart"
    made = made_collection(library, 10, ways=["clicks"])
    assert list(made.qrels.values()) == [{"right": 1}]
    uncorrected = library.path.parent / "log.jsonl"
    uncorrected.write_text("".join(json.dumps({"query": "letters told of", "clicked": name}) + "\n" for name in counts))
    made = made_collection(library, 10, ways=["clicks"], logs=[uncorrected])
    assert list(made.qrels.values()) == [dict.fromkeys(RANKS, 1)]


def test_without_clicks_it_is_said_how_to_keep_them(library: bookwheel.Library) -> None:
    with pytest.raises(UsageError, match="clicks are read from a log; name its file; the library keeps none"):
        made_collection(library, 10, ways=["clicks"])
