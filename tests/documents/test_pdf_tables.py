"""Rows of tables in PDFs: the names of columns stand before their cells only where something says that a row is a header."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from pdf_files import write
from test_pdf import only, passages

from bookwheel.documents.document import Document

BOLD = "/F1 10 Tf 2 Tr"
PLAIN = "/F1 10 Tf 0 Tr"
TOWNS = [("Town", "People", "Area"), ("Oslo", "709 000", "454.1"), ("Lima", "1 100 000", "672.0"), ("Perth", "2 100", "6418.2")]


def grid(rows: Sequence[Sequence[str]], *, y: float = 640, x: Sequence[float] = (72, 222, 372, 472), first: str = PLAIN) -> str:
    """Rows 16 points apart; ``first``: the operators that set the type of the first."""
    return "".join(
        f"BT {PLAIN if row else first} 1 0 0 1 {left} {y - 16 * row} Tm ({text}) Tj ET\n"
        for row, texts in enumerate(rows)
        for left, text in zip(x, texts, strict=False)
        if text
    )


def text_of(path: Path, *pages: str) -> str:
    return only(write(path / "a.pdf", pages)).text


RULE = "72 637 m 500 637 l S "
PIECES = "72 636.5 100 1 re 222 636.5 100 1 re f 150 636.5 80 1 re f 300 636.5 200 1 re f "
GRID = "".join(f"72 {637 - 16 * row} m 500 {637 - 16 * row} l S " for row in range(4))
GROUND = "0.8 g 70 636 430 14 re f 0 g "
ZEBRA = "0.8 g 70 636 430 14 re f 70 604 430 14 re f 0 g "
ALL = "0.8 g 70 580 430 80 re f 0 g "


@pytest.mark.parametrize(
    ("first", "under", "named"),
    [
        (PLAIN, "", False),
        (BOLD, "", True),
        ("/F1 13 Tf", "", True),
        ("0 0 1 rg", "", True),
        (PLAIN, RULE, True),
        (PLAIN, RULE + "72 651 m 500 651 l S ", True),
        (PLAIN, "72 637 m 200 637 l S ", False),
        (PLAIN, "72 621 m 500 621 l S ", False),
        (PLAIN, GRID, False),
        (PLAIN, GROUND, True),
        (PLAIN, ZEBRA, False),
        (PLAIN, ALL, False),
    ],
)
def test_rows_bear_names_below_what_is_set_apart_as_a_header(tmp_path: Path, first: str, under: str, named: bool) -> None:
    said = text_of(tmp_path, f"q {under}Q " + grid(TOWNS, first=f"{PLAIN} {first}").replace("ET", "0 g ET"))
    rows = said.strip().split("\n")
    assert rows[0] == "Town People Area"
    assert rows[2] == ("Town: Lima; People: 1 100 000; Area: 672.0" if named else "Lima 1 100 000 672.0")


@pytest.mark.parametrize("first", [PLAIN, BOLD])
def test_lists_of_keys_and_values_have_no_header(tmp_path: Path, first: str) -> None:
    rows = [("Customer", "Acme Corporation"), ("Invoice", "10023"), ("Date", "2024-05-06"), ("Amount", "1,200.00")]
    said = text_of(tmp_path, grid(rows, first=first))
    assert said.strip().split("\n") == [" ".join(row) for row in rows]


def test_the_first_rows_of_a_table_are_no_header(tmp_path: Path) -> None:
    years = [("Item", "2019", "2020", "2021"), ("Status", "audited", "audited", "forecast")]
    figures = [("Revenue", "10", "20", "30"), ("Costs", "5", "6", "7"), ("Profit", "5", "14", "23")]
    people = [("Alice", "Paris", "unknown"), ("Bob", "Rome", "41"), ("Carl", "Oslo", "52"), ("Dora", "Bonn", "63")]
    for rows in ([*years, *figures], people):
        assert text_of(tmp_path, grid(rows)).strip().split("\n") == [" ".join(row) for row in rows]
    said = text_of(tmp_path, grid([*years, *figures], first=BOLD))
    assert said.strip().split("\n") == [" ".join(row) for row in [*years, *figures]]


def test_rows_that_are_as_bold_as_the_first_are_not_named_by_it(tmp_path: Path) -> None:
    said = text_of(tmp_path, grid(TOWNS, first=BOLD).replace(PLAIN, BOLD))
    assert "Lima 1 100 000 672.0\n" in said


def test_a_rule_under_the_last_row_and_a_bold_sum_do_no_harm(tmp_path: Path) -> None:
    rows = [*TOWNS, ("All", "1 811 100", "7544.3")]
    said = text_of(tmp_path, RULE + "72 589 m 500 589 l S " + grid(rows))
    assert said.strip().split("\n")[-1] == "Town: All; People: 1 811 100; Area: 7544.3"
    said = text_of(tmp_path, grid(TOWNS, first=BOLD) + grid(rows[-1:], y=576, first=BOLD))
    assert said.strip().split("\n")[-1] == "Town: All; People: 1 811 100; Area: 7544.3"


def many() -> list[tuple[str, str, str]]:
    names = [
        f"{first}{last}" for first in ("Os", "Li", "Ka", "Per", "Mon", "Tru") for last in ("lo", "ma", "ro", "th", "ta", "ris")
    ]
    return [(name, f"{1000 + 37 * at} 000", f"{40 + at}.5") for at, name in enumerate(names)]


def named(rows: Sequence[Sequence[str]], document: Document) -> list[bool]:
    return [f"Town: {town}; People: {people}; Area: {area}\n" in document.text + "\n" for town, people, area in rows]


def test_only_a_repeated_header_goes_on_to_the_next_page(tmp_path: Path) -> None:
    rows = many()
    head = "BT /F1 10 Tf 72 700 Td (Towns of the coast are many.) Tj ET "
    for second, wanted in ((rows[20:], False), ([TOWNS[0], *rows[20:]], True)):
        path = write(tmp_path / "a.pdf", [head + grid([TOWNS[0], *rows[:20]], first=BOLD), grid(second, y=700)])
        document = only(path)
        assert named(rows[:20], document) == [True] * 20
        assert named(rows[20:], document) == [wanted] * 16
        assert len(passages(document)) > 1
    document = only(write(tmp_path / "b.pdf", [grid([TOWNS[0], *part], y=700) for part in (rows[:20], rows[20:])]))
    assert named(rows, document) == [False] * 20 + [True] * 16


def test_an_unrelated_table_on_the_next_page_has_no_names_of_the_one_before(tmp_path: Path) -> None:
    other = [("Year", "2020", "a"), ("Rainfall", "812", "b"), ("Storms", "14", "c"), ("Frost", "66", "d")]
    said = text_of(tmp_path, grid(TOWNS, y=120, first=BOLD), grid(other, y=740))
    assert "Rainfall 812 b\n" in said
    assert said.count("People:") == 3
