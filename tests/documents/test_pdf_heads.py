"""Heads and feet of pages are there once; lines that only resemble each other stay."""

from __future__ import annotations

from pathlib import Path

import pytest
from pdf_files import body, lines, only, write


def test_running_heads_and_feet_are_there_once(tmp_path: Path) -> None:
    pages = [
        [
            (72, 760, 9, "The Wind Book" if page % 2 else "Chapter on the Mill"),
            *lines(*body(page)),
            (300, 40, 9, f"Page {page + 1} of 12"),
            (72, 28, 9, "Printed by the Society"),
        ]
        for page in range(12)
    ]
    document = only(write(tmp_path / "a.pdf", pages))
    for once in ("The Wind Book", "Chapter on the Mill", "Page ", "Printed by the Society"):
        assert document.text.count(once) == 1
    for page in range(12):
        start = document.pages[page]
        end = (*document.pages, len(document.text))[page + 1]
        assert all(line in document.text[start:end] for line in body(page))


def test_lines_that_only_resemble_each_other_stay(tmp_path: Path) -> None:
    """First lines of pages that begin with the same word, and tables that go on, are no heads."""
    pages = [lines(f"Exercise number {'abcdef'[page]} begins here", *body(page)) for page in range(6)]
    text = only(write(tmp_path / "a.pdf", pages)).text
    assert text.count("Exercise number") == 6


def paged(tmp_path: Path, *heads: str) -> str:
    """The text of a document with these lines at the heads of its pages."""
    pages = [[(72, 760, 9, head), *lines(*body(page))] for page, head in enumerate(heads)]
    return only(write(tmp_path / "a.pdf", pages)).text


@pytest.mark.parametrize(
    "heads",
    [
        [f"Total due: {page * 431 + 99}.50 EUR" for page in range(5)],
        [f"Invoice No. {1001 + page}" for page in range(5)],
        [f"Kites sold {1001 + page}" for page in range(5)],
        [f"{page + 1} March 2024" for page in range(5)],
        [f"2024-03-0{page + 1}" for page in range(5)],
        [f"Day {page + 1}" for page in range(5)],
        [f"{page + 1}.50" for page in range(5)],
    ],
    ids=["sums", "invoices", "far", "month", "dates", "days", "amounts"],
)
def test_lines_that_differ_in_numbers_of_their_own_are_no_heads(tmp_path: Path, heads: list[str]) -> None:
    text = paged(tmp_path, *heads)
    assert [line for line in text.split("\n") if line in heads] == heads


@pytest.mark.parametrize(
    ("heads", "kept"),
    [
        ([f"The Wind Book {page + 1}" for page in range(6)], ["The Wind Book 1"]),
        ([f"{page + 1}/6" for page in range(6)], ["1/6"]),
        ([str(1001 + page) for page in range(6)], ["1001"]),
        (["i", "ii", "iii", "iv", *(str(page) for page in range(1, 7))], ["i", "1"]),
        ([f"Winds {31 + page}" if page % 2 else f"{31 + page} Kestrel" for page in range(8)], ["31 Kestrel", "Winds 32"]),
        ([f"3-{1 + page}" for page in range(6)], ["3-1"]),
    ],
    ids=["title", "of", "later", "roman", "facing", "chapter"],
)
def test_heads_differ_in_the_number_of_the_page(tmp_path: Path, heads: list[str], kept: list[str]) -> None:
    assert [line for line in paged(tmp_path, *heads).split("\n") if line in heads] == kept


def test_a_ledger_keeps_its_rows(tmp_path: Path) -> None:
    rows = [f"{at * 37 % 1000}.{at % 100:02d}" for at in range(160)]
    text = only(write(tmp_path / "a.pdf", [lines(*rows[at : at + 40]) for at in range(0, 160, 40)])).text
    assert text.split() == rows
