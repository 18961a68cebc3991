"""docs/extending.md is true: its files and names exist, and nothing takes more than three files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n?)*)", PAGE, flags=re.MULTILINE))
ITEM = re.compile(r"^- (?P<new>\*\*new\*\* )?`(?P<path>[^`]+)`(?P<said>:(?:.|\n(?!\n|- ))*)", re.MULTILINE)
REQUIRED = (
    "fusion",
    "reranker",
    "first-stage retriever",
    "encoder",
    "file format",
    "metadata",
    "measure",
    "command",
    "option",
    "error",
)


def test_what_is_added_most_is_told() -> None:
    assert [what for what in REQUIRED if not any(what in title for title in SECTIONS)] == []


@pytest.mark.parametrize("title", SECTIONS)
def test_files_and_names_exist(title: str) -> None:
    items = list(ITEM.finditer(SECTIONS[title]))
    assert 1 <= len(items) <= 3, f"{title}: {len(items)} files"
    for item in items:
        path = ROOT / item["path"]
        if item["new"]:
            assert path.stem == "NAME", f"{title}: a new file is called NAME"
            assert path.parent.is_dir(), f"{title}: there is no folder {item['path']}"
            text = "\n".join(
                file.read_text(encoding="utf-8") for file in [*path.parent.rglob("*.py"), *path.parent.parent.glob("*.py")]
            )
        else:
            assert path.is_file(), f"{title}: there is no file {item['path']}"
            text = path.read_text(encoding="utf-8")
        for name in re.findall(r"`@?([A-Za-z_]+)(?:\([^`]*\))?`", item["said"]):
            assert re.search(rf"\b{name}\b", text), f"{title}: {item['path']} has no {name}"
    for path in re.findall(r"`((?:src|docs|tools)/[^`]+)`", SECTIONS[title]):
        assert "NAME" in path or (ROOT / path).exists(), f"{title}: there is no {path}"


def test_a_stage_needs_no_line_in_a_registry() -> None:
    # What the page says of stages: the file's name is enough for recipes.
    from bookwheel.rank.stages.registry import stage_names

    files = {path.stem for path in (ROOT / "src" / "bookwheel" / "rank" / "stages").glob("[a-z]*/[a-z]*.py")}
    assert set(stage_names()) == files
