"""The YAML block at the top of a Markdown file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel.documents.document import Document
from bookwheel.documents.failures import Note
from bookwheel.documents.paths import walk
from bookwheel.documents.read import read
from bookwheel.documents.readers.front_matter import MAX_CHARACTERS, front_matter
from bookwheel.documents.source import Source

BLOCK = """\
---
title: "Owls: a study"   # a comment
year: 2020
code: 007
weight: -1.5
draft: false
quoted: "2020"
date: 2020-05-01
tags: [night, "2", wing feathers]
authors:
  - Ann
  - Bob
nested: {a: 1, b: [2, 3]}
mixed: [1, {a: 2}]
nothing:
summary: >
  folded
  lines
---
# Text
"""


def test_nested_mappings_are_fields_with_dots() -> None:
    block = "author:\n  name: Ada\n  born: 1815\nlinks:\n- {url: a, tags: [x, y]}\n- {url: b}\n- [c, [d]]\n? {odd: key}\n: gone\nlast: *no"
    found = front_matter(f"---\n{block}\n---\nText")
    links = {"links.url": ("a", "b"), "links.tags": ("x", "y"), "links": ("c", "d")}
    assert found.entries == {"author.name": "Ada", "author.born": 1815, **links}
    assert front_matter("---\na: {b: {c: {d: 1}}}\ne: .inf\nf: .nan\n---\n").entries == {"a.b.c.d": 1, "e": float("inf")}


def test_scalars_and_lists_of_scalars() -> None:
    found = front_matter(BLOCK)
    assert found.entries == {
        "title": "Owls: a study",
        "year": 2020,
        "code": "007",
        "weight": -1.5,
        "draft": False,
        "quoted": "2020",
        "date": "2020-05-01",
        "tags": ("night", "2", "wing feathers"),
        "authors": ("Ann", "Bob"),
        "nested.a": 1,
        "nested.b": (2, 3),
        "mixed": (1,),
        "mixed.a": (2,),
        "summary": "folded lines",
    }
    assert BLOCK[found.start :] == "# Text\n"
    assert found.problem == ""


@pytest.mark.parametrize(
    "text",
    [
        "no block",
        "---\nnever closed: 1\n",
        "---\nsome prose between two rules\n---\nand more",
        "---\n- a list\n---\ntext",
        "---\nlong: 1\n" + "#" * MAX_CHARACTERS + "\n---\ntext",
        "text\n---\na: 1\n---\n",
    ],
)
def test_what_is_not_a_mapping_is_text(text: str) -> None:
    found = front_matter(text)
    assert (found.entries, found.start) == ({}, 0)


@pytest.mark.parametrize("ends", [("\n", "---\n"), ("\r\n", "---\r\n"), ("\n", "...\n")])
def test_ends_of_lines_and_of_the_block(ends: tuple[str, str]) -> None:
    line, closing = ends
    text = f"---{line}a: 1{line}{closing}text"
    found = front_matter(text)
    assert found.entries == {"a": 1}
    assert text[found.start :] == "text"
    assert front_matter("---\n---\ntext").start == 8


def hostile() -> dict[str, str]:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 12):
        bomb += f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n"
    return {
        "aliases": bomb,
        "brackets": "a: 1\nb: " + "[" * 50_000,
        "dashes": "a: 1\nb:\n " + "- " * 25_000 + "x",
        "keys": "a: 1\n? " + "? " * 20_000,
        "tag": "a: !!python/object/apply:os.system ['true']\n",
        "anchor": "a: &loop [*loop]\n",
    }


@pytest.mark.parametrize("name", hostile())
def test_hostile_blocks_take_no_time_and_make_no_objects(name: str) -> None:
    started = time.monotonic()
    found = front_matter(f"---\n{hostile()[name]}\n---\ntext")
    assert time.monotonic() - started < 5
    assert all(value is None or isinstance(value, str | int | float | tuple) for value in found.entries.values())
    assert sum(len(str(value)) for value in found.entries.values()) < 1000


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_anything_is_read_without_an_exception_and_no_text_is_lost(block: str) -> None:
    text = f"---\n{block}\n---\nthe text"
    found = front_matter(text)
    assert text[found.start :].endswith("the text")
    assert (
        found.start == 0
        or found.entries
        or found.problem
        or not text[: found.start].strip("- .\r\n\t")
        or set(":?") & set(block)
    )


def source_of(path: Path) -> Source:
    (source,) = walk([path])
    assert isinstance(source, Source)
    return source


@pytest.mark.parametrize(
    ("block", "entries"),
    [
        ("title: ColBERT: efficient retrieval\nyear: 2020", {"title": "ColBERT: efficient retrieval", "year": 2020}),
        ("author: @ann\ntags: [a, b]\nlang: C#: a study", {"author": "@ann", "tags": ("a", "b"), "lang": "C#: a study"}),
        (
            "a: 1\nurl: http://x: y\nnested:\n  deep: 1\nlist:\n- a\n- b",
            {"a": 1, "url": "http://x: y", "nested.deep": 1, "list": ("a", "b")},
        ),
        ('hash: 18446744073709551615\nquote: "x" is: y', {"hash": 18446744073709551615, "quote": '"x" is: y'}),
    ],
)
def test_a_value_that_is_not_yaml_is_text_and_the_other_entries_are_kept(block: str, entries: dict[str, object]) -> None:
    assert front_matter(f"---\n{block}\n---\ntext").entries == entries


def test_an_unquoted_colon_is_told_to_nobody(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("---\nyear: 2020\ntitle: Owls: a study\nlater: 1\n---\nThe text.\n")
    (document,) = read(source_of(path))
    assert isinstance(document, Document)
    assert (document.title, dict(document.metadata)) == ("Owls: a study", {"year": 2020, "later": 1})


def test_a_mistake_is_noted_with_its_line_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("---\nyear: 2020\nowl: [a, b\nlater: 1\n---\nThe text.\n")
    note, document = read(source_of(path))
    assert isinstance(note, Note)
    assert str(note).startswith(f"{path}: an entry of the front matter is not valid YAML (line 4: ")
    assert isinstance(document, Document)
    assert document.text == "The text.\n"
    assert document.metadata == {"year": 2020, "owl": "[a, b", "later": 1}
    assert document.line == 6
