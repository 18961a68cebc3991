"""The command line uses only what a library offers to everyone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import bookwheel

CLI = Path(bookwheel.__file__).parent / "cli"
PUBLIC = {"conversation", "library", "mentions", "results", "search_options", "static_pruning.report"}
"""Modules of `bookwheel.library` whose names `bookwheel` exports."""
BEFORE_A_LIBRARY = {"filters.parse", "planning"}
"""What is asked before there is a library: whether a filter parses, and what indexing will need."""


def files() -> list[Path]:
    found = sorted(CLI.rglob("*.py"))
    assert len(found) > 10
    return found


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(CLI)))
def test_no_command_reaches_into_a_library(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and (node.module or "").split(".")[0] == "library":
            module = (node.module or "").partition(".")[2]
            assert module in PUBLIC | BEFORE_A_LIBRARY, f"line {node.lineno} imports bookwheel.library.{module}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "library":
            assert not node.attr.startswith("_"), f"line {node.lineno} uses library.{node.attr}"
            assert hasattr(bookwheel.Library, node.attr) or node.attr in ("path", "ram"), f"line {node.lineno}: {node.attr}"
