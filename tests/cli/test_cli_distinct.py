"""What --distinct leaves out is told by index, listed by info, and told again where its original is removed."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_helpers import Bookwheel

TEXT = "The heron stands in the shallow water and waits for a fish, which the cold of the morning keeps near the reeds, while "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "files"
    root.mkdir()
    (root / "a.txt").write_text(f"{TEXT}the wind turns.\n")
    (root / "b.txt").write_text(f"{TEXT.upper()}the wind turns\n")
    (root / "c.txt").write_text("An owl sits in the barn.\n")
    return root


def test_left_out_listed_and_told(tmp_path: Path, folder: Path, bookwheel: Bookwheel) -> None:
    library = ("--library", str(tmp_path / "library"))
    done = bookwheel("index", folder, *library, "--encoder", "none", "--distinct", "--skipped")
    assert done.code == 0, done.err
    assert "documents: 2 added, 1 near-duplicate left out" in done.out
    assert "skipped: 1 near-duplicates of other documents" in done.out
    assert f"{folder}/b.txt: nearly repeats {folder}/a.txt (1.00)" in done.out
    again = bookwheel("index", folder, *library, "--distinct", "--json").json
    assert (again["unchanged"], again["copies"]) == (2, 1)
    assert again["copied"] == [
        {
            "id": f"{folder}/b.txt",
            "source": f"{folder}/b.txt",
            "original": f"{folder}/a.txt",
            "original_source": f"{folder}/a.txt",
            "resemblance": 1.0,
        }
    ]
    info = bookwheel("info", *library, "--copies").out
    assert "left out  1 near-duplicate; --copies lists them" in info
    assert f"{folder}/b.txt: nearly repeats {folder}/a.txt (1.00)" in info
    assert bookwheel("info", *library, "--copies", "--json").json["copied"] == again["copied"]
    removed = bookwheel("remove", folder / "a.txt", *library)
    assert f"have no original any more: 1 ({folder}/b.txt); index {folder}/b.txt again" in removed.err
    assert "1 of them of documents that are gone" in bookwheel("info", *library).out
    back = bookwheel("index", folder, *library, "--json").json
    assert (back["added"], back["copies"]) == (2, 0)
