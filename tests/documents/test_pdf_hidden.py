"""Words of PDFs that are painted over in forms and annotations, and words that only seem hidden."""

from __future__ import annotations

from pathlib import Path

import pytest
from pdf_files import drawn, lines, write
from test_pdf import only

SECRET = drawn([(72, 695, 12, "SECRET words")]) + " "
SEEN = drawn(lines("Visible words.", y=600)) + " "
COVER = "0 g 60 690 300 20 re f "


def form(content: str, matrix: str = "1 0 0 1 0 0") -> str:
    resources = "/Resources<</Font<</F1 1 0 R>>>>"
    return (
        f"<</Type/XObject/Subtype/Form/BBox[0 0 700 800]/Matrix[{matrix}]{resources}/Length {len(content)}>>stream\n"
        f"{content}\nendstream"
    )


@pytest.mark.parametrize(
    ("page", "inner", "hidden"),
    [
        ("/I Do " + COVER, form(SECRET), True),
        (SECRET + "/I Do ", form(COVER), True),
        (SECRET + "/I Do ", form("0 g 30 345 150 10 re f", "2 0 0 2 0 0"), True),
        ("/I Do ", form(SECRET + COVER), True),
        ("/I Do ", form(COVER + "1 g " + SECRET), False),
        (COVER + "1 g /I Do 0 g ", form("1 g " + SECRET), False),
        (SECRET + "/I Do ", form("0 g 60 490 300 20 re f"), False),
    ],
)
def test_what_forms_hold_and_cover(tmp_path: Path, page: str, inner: str, hidden: bool) -> None:
    document = only(write(tmp_path / "a.pdf", [page + "0 g " + SEEN], more=[inner]))
    assert [document.text[span.start : span.end] for span in document.hidden] == ["SECRET words"] * hidden
    assert "SECRET words" in document.text


@pytest.mark.parametrize(
    ("kind", "flags", "content", "hidden"),
    [
        ("Square", 4, "0 g 60 690 300 22 re f", True),
        ("Redact", 4, "0 g 60 690 300 22 re f", True),
        ("FreeText", 4, "1 g 60 690 300 22 re f", True),
        ("Square", 4, "0 G 60 690 300 22 re S", False),
        ("Square", 2, "0 g 60 690 300 22 re f", False),
        ("Highlight", 4, "0 g 60 690 300 22 re f", False),
    ],
)
def test_annotations_that_cover_words(tmp_path: Path, kind: str, flags: int, content: str, hidden: bool) -> None:
    look = f"<</Type/XObject/Subtype/Form/BBox[60 690 360 712]/Length {len(content)}>>stream\n{content}\nendstream"
    note = f"<</Type/Annot/Subtype/{kind}/Rect[60 690 360 712]/F {flags}/AP<</N 2 0 R>>>>"
    document = only(write(tmp_path / "a.pdf", [SECRET + SEEN], more=[look], annotations={0: [note]}))
    assert [document.text[span.start : span.end] for span in document.hidden] == ["SECRET words"] * hidden


@pytest.mark.parametrize(
    ("behind", "hidden"),
    [
        ("0 0 0.5 RG 30 w 60 700 m 400 700 l S ", False),
        ("0 0 0.5 RG 1 w 60 700 m 400 700 l S ", True),
        ("0 0 0.5 RG 1 w 60 685 340 30 re S ", True),
        ("0.99 G 30 w 60 700 m 400 700 l S ", True),
        ("", True),
    ],
)
def test_white_words_on_a_thick_line(tmp_path: Path, behind: str, hidden: bool) -> None:
    document = only(write(tmp_path / "a.pdf", [behind + "1 g " + SECRET + "0 g " + SEEN]))
    assert [document.text[span.start : span.end] for span in document.hidden] == ["SECRET words"] * hidden


@pytest.mark.parametrize(("box", "hidden"), [("0 0 60 80", False), ("0 0 600 800", True)])
def test_pages_in_large_units_have_no_small_type(tmp_path: Path, box: str, hidden: bool) -> None:
    path = write(tmp_path / "a.pdf", [[(5, 70, 1.2, "Words in large units")]])
    old = b"/MediaBox[0 0 612 792]/R"
    path.write_bytes(path.read_bytes().replace(old, f"/MediaBox[{box}]/R".encode()))
    assert bool(only(path).hidden) == hidden
