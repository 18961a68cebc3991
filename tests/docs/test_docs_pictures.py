"""The pictures of the documentation show what is: each script draws its own again, and compares."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("script", ["architecture_pictures", "terminal_picture"])
def test_a_picture_is_current(script: str) -> None:
    if script == "terminal_picture":
        pytest.importorskip("pty")
    done = subprocess.run(
        [sys.executable, f"tools/{script}.py", "--check"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"stale; run: python tools/{script}.py\n{done.stdout}{done.stderr}"


def test_pictures_name_what_they_show() -> None:
    # A reader who does not see a picture hears its title; nothing is fetched to draw it.
    for picture in (ROOT / "docs" / "assets").glob("*.svg"):
        text = picture.read_text(encoding="utf-8")
        assert "<title>" in text, picture.name
        assert text.count("http") == 1, f"{picture.name} refers to something outside"
