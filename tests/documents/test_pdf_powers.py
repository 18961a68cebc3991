"""Raised digits of a PDF page do not run into the digits before them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from one_file import one

from bookwheel.documents.pdf.powers import power_marks


def page(content: bytes) -> bytes:
    """A PDF of one page in Helvetica."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    return (
        b"%PDF-1.4\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % one for one in enumerate(objects, 1)) + b"trailer<</Root 1 0 R>>"
    )


def drawn(*pieces: str) -> bytes:
    """Text with pieces above the line (``^6``) and below it (``_2``), in small type."""
    parts = [b"BT 50 700 Td"]
    for piece in pieces:
        rise, size = {"^": (5, 7), "_": (-3, 7)}.get(piece[0], (0, 12))
        parts.append(b"%d Ts /F %d Tf (%s) Tj" % (rise, size, piece.lstrip("^_").encode()))
    return page(b" ".join(parts) + b" ET")


def test_raised_digits(tmp_path: Path) -> None:
    data = drawn(
        "The lake holds 10", "^6", " cells, 45", "^12", " in 1", "^st", ", CO", "_2", ", 2026, 10", "_2", " and m", "^2"
    )
    text = one(tmp_path / "a.pdf", data).text
    assert " ".join(text.split()).replace(" ,", ",") == "The lake holds 10^6 cells, 45^12 in 1st, CO2, 2026, 102 and m2"


def test_raised_marks_of_notes_are_set_off_from_words(tmp_path: Path) -> None:
    text = one(
        tmp_path / "a.pdf",
        drawn(
            "The mill of Kestrel", "^1", " and Marsh,", "^2,3", " in the valley.", "^12", " In 2019", "^4", " it was 50 metres", "^2",
            " of sin", "^2", " x, 25 cm", "^2", ", ABC", "^0", " at $19", "^99", " or 10", "^-6",
        ),
    ).text  # fmt: skip
    assert " ".join(text.split()).replace(" ,", ",") == (
        "The mill of Kestrel[1] and Marsh,[2,3] in the valley.[12] In 2019[4] it was 50 metres^2 of sin^2 x, 25 cm2, ABC0"
        " at $19.99 or 10^-6"
    )


def test_a_mark_at_the_end_of_a_page(tmp_path: Path) -> None:
    assert one(tmp_path / "a.pdf", drawn("It was built by Kestrel", "^1")).text.strip() == "It was built by Kestrel[1]"


def test_a_fraction(tmp_path: Path) -> None:
    assert " ".join(one(tmp_path / "a.pdf", drawn("Add 3", "^1", "/", "_4", " cups")).text.split()).startswith("Add 3 1")


def test_digits_of_one_size_or_on_one_line_are_a_number() -> None:
    def marks(heights: list[float], bottoms: list[float]) -> list[int]:
        boxes = np.array(
            [[at, low, at + 1, low + high] for at, (high, low) in enumerate(zip(heights, bottoms, strict=True))], np.float32
        )
        codes = np.full(len(heights), ord("2"), np.uint32)
        return power_marks(codes, lambda indices: boxes[indices])[0].tolist()

    assert marks([10, 10, 6], [0, 0, 5]) == [2]
    assert marks([10, 6, 6], [0, 5, 5]) == [1]
    assert marks([10, 10, 10], [0, 0, 5]) == []  # raised, but not smaller
    assert marks([10, 10, 6], [0, 0, 1]) == []  # smaller, but on the line
    assert marks([10, 10, 6], [0, 0, -3]) == []
    assert marks([6, 6, 10], [5, 5, 0]) == []
    assert marks([10, 10, 6], [0, 0, 20]) == []  # of another line
    assert marks([0, 0, 0], [0, 0, 0]) == []
    assert marks([10, 6, 10, 6], [0, 5, 0, 5]) == []  # not raised to its end
    assert marks([10], [0]) == []
