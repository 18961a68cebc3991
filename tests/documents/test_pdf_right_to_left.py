"""Arabic and Hebrew words of a PDF page are read from their first letter, however they are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from bookwheel.documents.pdf.right_to_left import reading_order


def read(drawn: list[tuple[str, float]], upright: bool = True) -> str:
    """Characters with their left sides, 10 points wide, in the order in which they are read."""
    codes = np.array([ord(character) for character, _ in drawn], np.uint32)
    boxes = np.array([[left, 0, left + 10, 12] for _, left in drawn], np.float32)
    order = reading_order(codes, lambda indices: boxes[indices], lambda index: upright)
    return "".join(map(chr, codes if order is None else codes[order]))


def at(text: str, left: float, step: float = 10) -> list[tuple[str, float]]:
    return [(character, left + number * step) for number, character in enumerate(text)]


@pytest.mark.parametrize(
    ("drawn", "text"),
    [
        (at("בלכ", 50), "כלב"),
        (at("כלב", 50, -10), "כלב"),
        ([*at("בלכ", 150), (" ", 140), *at("ןבל", 110), (" ", 100), *at("רץ", 90, -10)], "כלב לבן רץ"),
        (at("ןבל בלכ", 50), "כלב לבן"),
        (at("سلجملا", 50), "المجلس"),
        ([("ن", 50), ("ل", 60), ("ا", 60), ("ب", 70)], "بلان"),  # one sign for two letters
        ([("ֵ", 52), ("ב", 50), ("א", 60)], "אב\N{HEBREW POINT TSERE}"),
        ([*at("את", 90, -10), (")", 68), (" ", 70), *at("של", 58, -10)], "את (של"),
        ([*at("של", 90, -10), ("(", 70), (" ", 60), *at("את", 50, -10)], "של) את"),
        ([*at("של", 90, -10), (" ", 68), ("(", 70), *at("את", 50, -10)], "של) את"),
        (at("abc (def) ghi", 50), "abc (def) ghi"),
        ([*at("ab ", 50), *at("כלב", 150, -10), *at(" cd", 200)], "ab כלב cd"),
        (at("αβγ", 50), "αβγ"),
    ],
)
def test_reading_order(drawn: list[tuple[str, float]], text: str) -> None:
    assert read(drawn) == text


def test_text_upside_down_is_as_it_should_be() -> None:
    assert read(at("כלב", 50), upright=False) == "כלב"
