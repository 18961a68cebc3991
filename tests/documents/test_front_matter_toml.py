"""TOML front matter."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel.documents.document import Document
from bookwheel.documents.paths import walk
from bookwheel.documents.read import read
from bookwheel.documents.readers.front_matter import front_matter
from bookwheel.documents.source import Source

BLOCK = """+++
title = "Owls"
date = 2024-01-31T10:00:00Z
day = 2024-02-01
draft = false
tags = ["birds", "night"]
[params]
author = "Ada"
+++
The owl sleeps.
"""


def test_entries_become_metadata(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(BLOCK)
    (source,) = walk([tmp_path / "a.md"])
    assert isinstance(source, Source)
    (document,) = read(source)
    assert isinstance(document, Document)
    assert (document.title, document.text, document.line) == ("Owls", "The owl sleeps.\n", 10)
    assert document.metadata == {
        "date": "2024-01-31T10:00:00+00:00",
        "day": "2024-02-01",
        "draft": False,
        "tags": ("birds", "night"),
        "params.author": "Ada",
    }


def test_ends_of_lines() -> None:
    found = front_matter(BLOCK.replace("\n", "\r\n"))
    assert (found.entries["title"], found.start) == ("Owls", len(BLOCK.replace("\n", "\r\n")) - len("The owl sleeps.\r\n"))


@pytest.mark.parametrize(
    "text",
    ["+++", "+++\n", "+++\na = \n+++\nx", "+++\nno\n+++\n", "+++\na = " + "[" * 9_000 + "\n+++\nx", "++++\na = 1\n+++\n"],
)
def test_what_is_not_toml_is_text(text: str) -> None:
    found = front_matter(text)
    assert (found.entries, found.start) == ({}, 0)


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("ab=[]{}.\"'\n+1-: "), max_size=60))
def test_anything_is_read_without_an_exception(block: str) -> None:
    found = front_matter(f"+++\n{block}\n+++\nafter")
    assert f"+++\n{block}\n+++\nafter"[found.start :].endswith("after")
