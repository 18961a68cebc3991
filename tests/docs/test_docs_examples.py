"""The examples with ``>>>`` on the pages do what they show. Those of the tutorials are run by `test_docs_tutorials.py`.

The examples in docstrings are run, too.
"""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [page for page in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]) if ">>> " in page.read_text("utf-8")]
NOTES = {
    "heron.md": "# heron\n\nThe heron stands in shallow water with hunched shoulders, waiting for fish.\n",
    "bittern.md": "# bittern\n\nThe bittern is a wading bird that hides in the reeds and booms in spring.\n",
}
"""Files that the pages may use: in ``folder / "notes"``."""
SOURCE = ROOT / "src"
MODULES = [path for path in sorted(SOURCE.rglob("*.py")) if "\n    >>> " in path.read_text("utf-8")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes").mkdir()
    for name, text in NOTES.items():
        (tmp_path / "notes" / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(page), module_relative=False, globs={"folder": tmp_path})
    assert result.attempted > 0
    assert result.failed == 0


def test_the_pages_with_examples_are_found() -> None:
    assert MODULES
    assert {"python.md", "recipes.md", "filters.md", "evaluation.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_examples_of_docstrings(path: Path) -> None:
    name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
