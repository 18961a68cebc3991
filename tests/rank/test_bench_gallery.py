"""docs/stages.md is what ``bench/gallery.py page`` writes."""

from __future__ import annotations

import sys
from pathlib import Path

from bookwheel.rank.stages import stage_names

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import gallery
from gallery_entries import ENTRIES

ROOT = Path(__file__).parents[2]


def test_the_page_of_stages_is_up_to_date() -> None:
    written = (ROOT / "docs" / "stages.md").read_text(encoding="utf-8")
    assert written == gallery.page(), "write it again with: python bench/gallery.py page"


def test_the_page_has_every_stage() -> None:
    assert sorted(ENTRIES) == list(stage_names())
