"""``bookwheel prune`` says what it would leave out and why, does it, lists it and takes it back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_helpers import Bookwheel

from bookwheel.library.lock import WriterLock

LICENCE = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software, to use, copy, modify, merge, "
    "publish, distribute and sublicense copies, subject to the conditions of this licence. The software is provided as is, without "
    "warranty of any kind, express or implied, and the copyright holders are not liable for damages."
)
BIRDS = [
    "The heron stands in the shallow water and waits for a fish, which the cold of the morning keeps near the reeds.",
    "An owl sits in the barn all day, and flies out over the fields when it is dark enough for mice to come out.",
    "In the autumn the cranes gather on the wet meadows, and one morning they are gone to the south of the continent.",
]


@pytest.fixture
def library(tmp_path: Path, bookwheel: Bookwheel) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for number, text in enumerate(BIRDS):
        (folder / f"{number}.txt").write_text(f"{text}\n")
    (folder / "LICENCE.txt").write_text(f"{LICENCE}\n")
    (folder / "again.txt").write_text(f"{BIRDS[0].upper()}\n")
    assert bookwheel("index", folder, "--library", tmp_path / "lib", "--encoder", "none").code == 0
    return tmp_path / "lib"


@pytest.mark.parametrize(
    "command", [["prune", "LIBRARY"], ["prune", "LIBRARY", "--undo"], ["compact"], ["configure", "--k1", "1"], ["remove", "x"]]
)
def test_commands_wait_for_another_writer(library: Path, bookwheel: Bookwheel, command: list[str]) -> None:
    given = [str(library) if one == "LIBRARY" else one for one in command]
    at = [] if command[0] == "prune" else ["--library", library]
    with WriterLock(library):
        done = bookwheel(*given, *at, "--wait", "0.1s")
        assert done.code == 2
        assert "also after" in done.err


def test_left_out_listed_and_brought_back(library: Path, bookwheel: Bookwheel, tmp_path: Path) -> None:
    tried = bookwheel("prune", library, "--dry-run")
    assert tried.code == 0, tried.err
    assert "2 of 5 passages would be left out (40.0 %)" in tried.out
    assert "2 documents with no passage left in searches" in tried.out
    assert bookwheel("prune", library, "--list").code == 1
    done = bookwheel("prune", library)
    assert "2 of 5 passages are left out" in done.out
    assert f"bookwheel prune {library} --undo" in done.out
    listed = bookwheel("prune", library, "--list").out
    assert "LICENCE.txt:1: licence or legal notice: Permission is hereby granted" in listed
    assert "again.txt:1: repeats earlier passages: THE HERON" in listed
    lines = bookwheel("prune", library, "--list", "--json").out.splitlines()
    assert {Path(json.loads(line)["id"]).name for line in lines} == {"LICENCE.txt", "again.txt"}
    assert "pruned    2 passages left out of searches" in bookwheel("info", "--library", library).out
    assert bookwheel("search", "warranty", "--library", library).code == 1
    file = tmp_path / "out.jsonl"
    assert bookwheel("export", file, "--passages", "--library", library).code == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert sorted(row.get("left_out", "") for row in rows) == [
        "",
        "",
        "",
        "licence or legal notice",
        "repeats earlier passages",
    ]
    assert bookwheel("check", "--library", library).code == 0
    assert bookwheel("prune", library, "--undo").out == "2 passages brought back\n"
    assert bookwheel("prune", library, "--undo").out == "no passage was left out\n"
    assert bookwheel("search", "warranty", "--library", library).code == 0


def test_a_share_that_boilerplate_does_not_make_up_is_told(library: Path, bookwheel: Bookwheel) -> None:
    done = bookwheel("prune", library, "--share", "60%", "--dry-run", "--json").json
    assert (done["pruned"], done["signs"], done["done"]) == (3, 2, False)
    assert "1 ordinary" in done["warning"]
    assert done["warning"] in bookwheel("prune", library, "--share", "0.6", "--dry-run").err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--share", "0"), "as in 25%"),
        (("--share", "150%"), "as in 25%"),
        (("--share", "much"), "as in 25%"),
        (("--undo", "--list"), "give one of them alone"),
        (("--undo", "--share", "10%"), "give one of them alone"),
        (("--judged", "nowhere"), "nowhere"),
    ],
)
def test_mistakes_are_a_sentence(library: Path, bookwheel: Bookwheel, words: tuple[str, ...], said: str) -> None:
    done = bookwheel("prune", library, *words)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
