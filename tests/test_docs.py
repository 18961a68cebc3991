"""The examples in the guides do what they show."""

from __future__ import annotations

import doctest
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_python_guide(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "heron.md").write_text("# heron\n\nThe heron stands in shallow water with hunched shoulders, waiting for fish.\n")
    (notes / "bittern.md").write_text(
        "# bittern\n\nThe bittern is a wading bird that hides in the reeds and booms in spring.\n"
    )
    result = doctest.testfile(str(ROOT / "docs" / "python.md"), module_relative=False, globs={"folder": tmp_path})
    assert result.attempted > 12
    assert result.failed == 0


def test_budget_examples() -> None:
    import bookwheel.memory.sizes

    result = doctest.testmod(bookwheel.memory.sizes)
    assert result.attempted >= 2
    assert result.failed == 0
