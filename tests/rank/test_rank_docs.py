"""The examples in the documents on recipes, filters and evaluation do what they show."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["recipes", "filters", "evaluation"])
def test_examples(name: str) -> None:
    result = doctest.testfile(str(Path(__file__).parents[2] / "docs" / f"{name}.md"), module_relative=False)
    assert result.attempted > 2
    assert result.failed == 0
