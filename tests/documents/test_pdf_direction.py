"""Lines of a PDF page in the order in which they are read: turned pages, text from right to left, vertical text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pdf_files import COLUMNS, lines, only, write

from bookwheel.documents.pdf.chars import Words
from bookwheel.documents.pdf.layout import lines_of


def turned(number: int, x: float, text: str) -> str:
    """A line of a page that is shown a quarter turned: its ``number``, and how far to the right it begins."""
    return f"BT /F1 10 Tf 0 1 -1 0 {100 + number * 14} {x} Tm ({text}) Tj ET"


def test_columns_of_turned_pages(tmp_path: Path) -> None:
    rows = [turned(row, 60 + 165 * at, COLUMNS[at][row]) for row in range(6) for at in range(2)]
    text = only(write(tmp_path / "a.pdf", ["\n".join(rows)])).text
    assert text.strip().split("\n") == [*COLUMNS[0], *COLUMNS[1]]


def test_pages_drawn_from_the_foot(tmp_path: Path) -> None:
    said = [*COLUMNS[0], *COLUMNS[1]]
    assert only(write(tmp_path / "a.pdf", [lines(*said)[::-1]])).text.strip().split("\n") == said
    few = lines(*said[:3])[::-1]
    assert only(write(tmp_path / "b.pdf", [few])).text.strip().split("\n") == said[2::-1]


def laid(*texts: tuple[str, float, float], step: tuple[float, float] = (12, 0), falls: bool = False) -> list[str]:
    """The lines of words at these places, each word a line of its own unless its height is that of the one before."""
    words = [(word, x, y) for text, x, y in texts for word, x, y in _spread(text, x, y, step)]
    text = " ".join(word for word, _, _ in words)
    starts = np.cumsum([0, *(len(word) + 1 for word, _, _ in words[:-1])])
    heights = [number for number, (text, _, _) in enumerate(texts) for _ in text.split()]
    return [
        line.text
        for line in lines_of(
            Words(
                text,
                starts,
                starts + [len(word) for word, _, _ in words],
                np.array(heights),
                np.array([[x, y, x + 10, y + (40 if falls else 10)] for _, x, y in words], np.float32),
                -1,
                0,
                0,
                starts,
                np.full(len(words), falls),
            )
        )
    ]


def _spread(text: str, x: float, y: float, step: tuple[float, float]) -> list[tuple[str, float, float]]:
    return [(word, x + number * step[0], y + number * step[1]) for number, word in enumerate(text.split())]


def test_columns_that_are_read_from_the_right() -> None:
    right = ["אבג דהו זחט יכל", "עפצ קרש תאב גדה", "טיכ למנ סעפ צקר", "בגד הוז חטי כלמ", "פצק רשת אבג דהו"]
    left = ["גגג דדד ההה ווו", "חחח טטט ייי ככל", "ממם נננ ססס עעע", "צצץ קקק ררר ששש", "אאא בבב גגג דדד"]
    rows = [place for row in range(5) for place in ((right[row], 400, 700 - 16 * row), (left[row], 200, 700 - 16 * row))]
    assert laid(*rows, step=(-12, 0)) == [*right, *left]


def test_vertical_lines_are_read_from_the_right() -> None:
    columns = [(word, 100 + 20 * number, 600) for number, word in enumerate(("壱", "弐", "参"))]
    assert laid(*columns, falls=True) == ["参", "弐", "壱"]
    assert laid(*columns[::-1], falls=True) == ["参", "弐", "壱"]
    assert laid(*columns[:1], ("肆", 400, 600), falls=False) == ["壱 肆"]
