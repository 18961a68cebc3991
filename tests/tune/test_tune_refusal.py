"""Without judgments, on a collection where made questions order recipes wrongly: it must say so, and change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import bookwheel
from bookwheel.evaluate import load_collection
from bookwheel.tune import tune


@pytest.mark.slow
def test_made_questions_decide_nothing_on_a_collection_on_one_narrow_subject(judged: Path, tmp_path: Path) -> None:
    """Cranfield: 1,400 abstracts on aerodynamics, most questions with many answers (docs/made-judgments.md has the figures)."""
    with bookwheel.open(tmp_path / "cranfield", create=True, unit="document") as library:
        library.add(load_collection(judged / "cranfield").documents(), workers=1)
        told = tune(library, minutes=2)
        assert library.recipes == {}
    assert told.kept
    assert told.chosen == told.baseline
    assert str(told).startswith("Not decided: kept 0.5*bm25 + 0.5*dense; the made queries")
    assert "bookwheel judge" in told.refusal
