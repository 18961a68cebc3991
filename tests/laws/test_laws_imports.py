"""The import law: a module imports from its own floor and from floors below, and no imports go round in a circle.

`tools/import_map.py` has the floors, reads the arrows and says what counts as one. See what it prints when this fails.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("import_map", ROOT / "tools" / "import_map.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def package(tool: ModuleType):
    return tool.import_map(tool.read_tree(ROOT / "src" / "bookwheel"), "bookwheel")


def test_every_file_and_folder_has_a_floor(package) -> None:
    assert package.unplaced == [], "give them a place in FLOORS of tools/import_map.py"


def test_no_module_imports_from_a_floor_above_its_own(package) -> None:
    assert [str(arrow) for arrow in package.upward] == [], "arrows upward: move what both need to a lower floor"


def test_no_imports_go_round_in_a_circle(package) -> None:
    assert package.circles() == [], "circles: move what both need below both"


def test_every_way_to_import_is_an_arrow(tool: ModuleType) -> None:
    sources = {
        "__init__": "",
        "low": "def late():\n    from .high import thing\n",
        "high.__init__": "from package.high import one\n",
        "high.one": "from . import two\nimport package.low\nimport json\nfrom json import high\n",
        "high.two": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..top.leaf import Leaf\nfrom .one import x\n",
        "top.__init__": "",
        "top.leaf": "from .. import low\nfrom ..high.two import x\n",
    }
    found = tool.import_map(sources, "package", "low < high < top < __init__")
    assert {(arrow.source, arrow.target, arrow.typing_only) for arrow in found.arrows} == {
        ("low", "high.__init__", False),
        ("high.__init__", "high.one", False),
        ("high.one", "high.two", False),
        ("high.one", "low", False),
        ("high.two", "top.leaf", True),
        ("high.two", "high.one", False),
        ("top.leaf", "low", False),
        ("top.leaf", "high.two", False),
    }
    assert [(arrow.source, arrow.target) for arrow in found.upward] == [("high.two", "top.leaf"), ("low", "high.__init__")]
    assert found.circles() == [["high.__init__", "high.one", "high.two", "low"]]
    assert found.circles(folders=True) == [["high", "low"]]
    assert found.unplaced == []
    assert tool.import_map({"stray": ""}, "package", "low").unplaced == ["stray"]
