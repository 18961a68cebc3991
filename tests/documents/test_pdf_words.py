"""Words of a PDF that are broken at line ends, and letters whose accents are drawn apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from pdf_files import lines, only, write


def test_compounds_keep_their_hyphen_and_broken_words_are_joined(tmp_path: Path) -> None:
    text = only(
        write(
            tmp_path / "a.pdf",
            [
                lines(
                    "The index is disk-",
                    "based and the state-of-the-",
                    "art method is well-",
                    "known; soft breaks such as re-",
                    "trieval are rightly joined. A mail-",
                    "transport-agent is a mail-transport-agent, a wind-",
                    "mill is a windmill, and UTF-",
                    "8 was thought of by Jean-",
                    "Paul, who plays the cow-",
                    "bell.",
                )
            ],
        )
    ).text
    words = set(text.replace(",", " ").replace(";", " ").replace(".", " ").split())
    assert words >= {"disk-based", "state-of-the-art", "well-known", "retrieval", "mail-transport-agent", "windmill"}
    assert words >= {"UTF-8", "Jean-Paul", "cowbell"}


def test_hyphens_of_parts_that_are_said_later_stay(tmp_path: Path) -> None:
    text = only(
        write(
            tmp_path / "a.pdf",
            [
                lines(
                    "The pre-",
                    "and post-war years were hard. Der Haupt-",
                    "und der Nebensatz sind hier. It is a two-",
                    "to three-year span, by short-",
                    "or long-term lending. A hus-",
                    "band of the husband saw the fact-",
                    "or of the town, and a thous-",
                    "and of them. A thousand. On paper-",
                    "and-ink signatures.",
                )
            ],
        )
    ).text
    for part in (
        "pre- and post",
        "Haupt- und der",
        "two- to three-year",
        "short- or long",
        "A husband",
        "the factor",
        "a thousand of",
        "paper-and-ink",
    ):
        assert part in text


def test_words_are_not_joined_to_numbers_below_the_text(tmp_path: Path) -> None:
    foot = (300, 40, 9, "17")
    note = (72, 120, 8, "1 See the wind book")
    pages = [[*lines("It grinds with an extraordi-", y=200), foot], [*lines("A strange and extraordi-", y=200), note]]
    text = only(write(tmp_path / "a.pdf", pages)).text
    assert text.split("\n") == [
        "It grinds with an extraordi-", "17", "", "A strange and extraordi-", "1 See the wind book", "", "",
    ]  # fmt: skip


def named(*glyphs: str) -> str:
    """A font whose characters from 1 on are the glyphs of these names."""
    listed = " ".join(f"{code}/{glyph}" for code, glyph in enumerate(glyphs, 1))
    encoding = f"<</Type/Encoding/BaseEncoding/WinAnsiEncoding/Differences[{listed}]>>"
    return f"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding{encoding}>>"


@pytest.mark.parametrize("hyphen", ["-", "\x02"], ids=["hyphen-minus", "u2010"])
@pytest.mark.parametrize("before", ["Let x", "Let \x01"], ids=["plain", "beyond-16-bits"])
def test_words_are_joined_whatever_else_is_on_their_page(tmp_path: Path, before: str, hyphen: str) -> None:
    texts = lines(f"{before} be the retrie{hyphen}", f"val of disks and the inter{hyphen}", f"national {hyphen} office.")
    text = only(write(tmp_path / "a.pdf", [texts], font=named("u1D465", "uni2010"))).text
    assert text.strip().endswith(f"be the retrieval of disks and the international {hyphen.replace(chr(2), '‐')} office.")


@pytest.mark.parametrize(
    ("pieces", "back", "whole"),
    [
        ("Schr\xa8|odinger", 300, "Schrödinger"),
        ("Ren\xb4|e", 300, "René"),
        ("Fran\xb8|cais", 300, "Français"),
        ("S\x01|ao", 300, "São"),
        ("na\xa8|\x02ve", 305, "naïve"),
        ("Schro|\xa8dinger", 400, "Schrödinger"),
        ("Sa|\x01o", 400, "São"),
    ],
)
def test_accents_over_letters_are_put_into_them(tmp_path: Path, pieces: str, back: int, whole: str) -> None:
    """TeX draws the accent first, other programs the letter; ``back``: thousandths of an em between the two."""
    first, second = pieces.split("|")
    content = f"BT /F1 12 Tf 1 0 0 1 72 700 Tm [(So {first}) {back} ({second} wrote)] TJ ET"
    text = only(write(tmp_path / "a.pdf", [content], font=named("tilde", "dotlessi"))).text
    assert text.strip() == f"So {whole} wrote"


def test_accents_beside_letters_stay(tmp_path: Path) -> None:
    said = "`a` or ^e, n~ and \xa8o are signs of code"
    assert only(write(tmp_path / "a.pdf", [lines(said)])).text.strip() == said
