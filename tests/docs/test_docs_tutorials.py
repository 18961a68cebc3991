"""The tutorials do what they show, offline, from the first block to the last."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import tutorials

FOLDER = Path(__file__).parents[2] / "docs" / "tutorials"
RUN = ["papers", "experiment", "encoder"]


@pytest.mark.parametrize("name", RUN)
def test_tutorial(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(FOLDER / "papers", tmp_path / "papers")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for variable in ("NO_COLOR", "OPENAI_API_KEY", "BOOKWHEEL_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    assert tutorials.run(FOLDER / f"{name}.md", tmp_path) >= 4


def test_every_tutorial_is_run() -> None:
    assert {page.stem for page in FOLDER.glob("*.md")} == set(RUN)


def test_a_wrong_output_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\n>>> 1 + 1\n3\n\n```\n")
    with pytest.raises(AssertionError, match=r"1 \+ 1"):
        tutorials.run(page, tmp_path)
    page.write_text("```console\n$ bookwheel --version\nbookwheel, some version\n```\n")
    with pytest.raises(AssertionError, match="expected"):
        tutorials.run(page, tmp_path)


def test_what_is_marked_is_not_run(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- not run: it needs a model -->\n```console\n$ rm everything\n```\n```python\nx = 1\n```\n")
    assert tutorials.run(page, tmp_path) == 1
