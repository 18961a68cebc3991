"""docs/dependencies.md names every package that the installation asks for, and every extra."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names(requirements: list[str]) -> set[str]:
    """The packages of requirement lines, in lower case."""
    return {re.split(r"[\s\[<>=;]", line)[0].lower() for line in requirements}


def test_every_package_of_the_base_installation_is_explained() -> None:
    always = PAGE[PAGE.index("## Always installed") : PAGE.index("## Extras")].lower()
    rows = " ".join(line.split("|")[1] for line in always.splitlines() if line.startswith("|"))
    assert [name for name in sorted(names(PROJECT["dependencies"])) if name not in rows] == []


def test_every_extra_is_explained() -> None:
    assert [extra for extra in PROJECT["optional-dependencies"] if f"`bookwheel[{extra}]`" not in PAGE] == []


def test_scipy_is_no_part_of_the_base_installation() -> None:
    assert not names(PROJECT["dependencies"]) & {"scipy", "ir-measures", "pandas", "torch"}
