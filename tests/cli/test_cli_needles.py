"""``bookwheel evaluate --needles`` and the measures of ``--answers``."""

from __future__ import annotations

import json
import random
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from cli_helpers import Bookwheel


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text")
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefghijklmnoprstuvw", k=draw.randint(2, 9))) for _ in range(400)]
    text = " ".join(f"{' '.join(draw.choices(words, k=12)).capitalize()}." for _ in range(300))
    (path / "text.txt").write_text(text, encoding="utf-8")
    return path


def test_the_command_prints_draws_and_goes_on(
    bookwheel: Bookwheel, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOOKWHEEL_HOME", str(tmp_path))
    picture = tmp_path / "map.svg"
    given = [
        "evaluate",
        "--needles",
        folder,
        "--recipe",
        "bm25",
        "--kinds",
        "single",
        "several",
        "--depths",
        "1",
        "--repeats",
        "1",
    ]
    done = bookwheel(*given, "--lengths", "1k", "2k", "--heat-map", picture)
    assert done.code == 0, done.err
    assert "bm25 into 1,024 tokens" in done.out
    assert len(re.findall(r"^(?:single|several) +[12]k", done.out, re.MULTILINE)) == 4
    ET.fromstring(picture.read_text())
    told = bookwheel(*given, "--lengths", "1k,2k", "--json").json
    assert [cell["length"] for cell in told["cells"]] == [1024, 2048, 1024, 2048]
    assert any("4 of 4 results were kept" in note for note in told["notes"])
    assert json.loads((tmp_path / ".cache" / "needles.jsonl").read_text().splitlines()[0])["kind"] == "single"
    for wrong, sentence in (
        (["--needles", folder], "name a model"),
        (["--needles", folder, "--recipe", "bm25", "--lengths", "1x"], "--lengths must be numbers of tokens"),
        (["--needles", folder, "--recipe", "bm25", "--fit"], "--fit would do nothing with --needles"),
        ([folder, "--lengths", "1k"], "--lengths would do nothing without --needles"),
        (["--needles", folder, "--smoke"], "--smoke is for a model"),
    ):
        failed = bookwheel("evaluate", *wrong)
        assert (failed.code, failed.out) == (2, "")
        assert sentence in failed.err
