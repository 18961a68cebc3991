"""Copies, dates and pages on the command line, and what `show` does with a document's own file."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_helpers import Bookwheel

TEXT = "The heron stands in shallow water with hunched shoulders and waits for fish that come near its long legs."


@pytest.fixture
def copied(bookwheel: Bookwheel, tmp_path: Path) -> Path:
    folder = tmp_path / "copied"
    for name, text in (("a/heron.txt", TEXT), ("b/heron.txt", TEXT), ("c.txt", "A heron builds its nest in a tall tree.")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    assert bookwheel("index", folder).code == 0
    return folder


def test_copies_are_told_under_a_result(bookwheel: Bookwheel, copied: Path) -> None:
    done = bookwheel("search", "heron", "--fold")
    assert done.out.count("also in ") == 1
    assert len(bookwheel("search", "heron", "--fold", "--json").json["results"]) == 2
    assert len(bookwheel("search", "heron", "--json").json["results"]) == 3
    second = bookwheel("search", "heron", "--offset", "1", "-k", "1", "--sort", "newest", "--json").json["results"]
    assert [one["rank"] for one in second] == [2]
    refused = bookwheel("search", "heron", "--run", "--fold")
    assert refused.code == 2
    assert "--fold" in refused.err


def test_where_words_of_a_document_match(bookwheel: Bookwheel, copied: Path) -> None:
    path = str(copied / "a" / "heron.txt")
    found = bookwheel("show", path, "--find", "hunched herons", "--json").json
    assert [TEXT[one["start"] : one["end"]] for one in found] == ["heron", "hunched"]
    assert "hunched shoulders" in bookwheel("show", path, "--find", "shoulder").out
    nothing = bookwheel("show", path, "--find", "avocet")
    assert (nothing.code, "avocet" in nothing.err) == (1, True)


def test_only_pages_are_pictures(bookwheel: Bookwheel, copied: Path, tmp_path: Path) -> None:
    path = str(copied / "c.txt")
    for arguments in (("--page", "1"), ("--picture", str(tmp_path / "x.png"))):
        assert "belong together" in bookwheel("show", path, *arguments).err
    refused = bookwheel("show", path, "--page", "1", "--picture", str(tmp_path / "x.png"))
    assert (refused.code, "no pages" in refused.err) == (2, True)
