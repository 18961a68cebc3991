"""Where code of Markdown ends: what is behind it has headings again, and what is in it has none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from one_file import one

from bookwheel.documents.headings import fences, markup_headings
from bookwheel.documents.readers.markdown import first_heading


def titles(text: str) -> list[str]:
    return [heading.title for heading in markup_headings(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("````md\n```\n# In code\n```\n# Too\n````\n# After\n", ["After"]),  # a fence within a longer one
        ("```sh\n# a\n```sh\n# b\n```\n# After\n", ["After"]),  # an opening fence closes none
        ("```one``` and two\n\n# After\n", ["After"]),  # code within a line is no fence
        ("```\n# a\n`````  \n# After\n", ["After"]),  # a longer one closes
        ("~~~ a`b\n# a\n~~~~\n# After\n", ["After"]),
        ("```\n~~~\n# a\n```\n# After\n", ["After"]),
        ("# Before\n```\n# never closed\n", ["Before"]),
    ],
)
def test_headings_are_those_outside_code(text: str, found: list[str]) -> None:
    assert titles(text) == found
    assert first_heading(text) == (found or [""])[0]


def test_code_that_goes_on_in_the_next_piece_of_a_text_ends_where_the_whole_has_it() -> None:
    text = "````\n```\n# a\n```\n# b\n````\n# After\n"
    for cut in (text.index("# a"), text.index("```\n# b"), text.index("# b")):
        mark = fences(text[:cut])[1]
        assert mark == "````"
        marks, left = fences(text[cut:], mark)
        assert not left
        assert text[cut:][marks[-1] :].startswith("````\n# After")


def test_a_rule_behind_code_makes_no_title_of_its_fence() -> None:
    assert first_heading("```\nx = 1\n```\n---\n\n# Title\n") == "Title"


def test_code_of_a_notebook_that_has_fences_itself_stays_code(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "code", "source": ['page = """\n', "```\n", "# no heading\n", "```\n", '"""\n', "# nor this"]},
        {"cell_type": "markdown", "source": ["# Results\n", "Owls."]},
    ]
    document = one(tmp_path / "n.ipynb", json.dumps({"cells": cells, "metadata": {}}).encode())
    assert titles(document.text) == ["Results"]
    assert "# no heading" in document.text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Install it:\n```\npip install x\n```\n\n# A\n", ["A"]),  # what stands above code is no title
        ("Install it:\n~~~\npip install x\n~~~\n\nMore.\n", []),
        ("# Title\n---\n\nText.\n", ["Title"]),  # once, though a line follows it
        ("# Title\n\nHello world\n***\nnext\n", ["Title"]),  # a rule between paragraphs
        ("- a\n- long item\n---\n\nText.\n", []),
        ("Title\n---\n\nLong title\n===\n", ["Title", "Long title"]),  # Markdown's rules are of any length
        ("Title\n*****\n\n1. Part\n-------\n\nText\n\n", ["Title", "1. Part"]),  # reStructuredText's are as wide as the title
        ("Some words\n...\n\nText.\n", []),
    ],
)
def test_titles_are_underlined_by_rules_only(text: str, found: list[str]) -> None:
    assert titles(text) == found
