"""Pages of PDFs that show text which is no text: scans with stamps, letters as outlines."""

from __future__ import annotations

from pathlib import Path

import pytest
from pdf_files import drawn, lines, write
from test_pdf import PICTURE, SCAN, items, only

from bookwheel.documents.document import Document
from bookwheel.documents.failures import Note

WORDS = lines("A page of ordinary words about kites and bread.", "It has more than one line of them.")
FULL = "q 612 0 0 792 0 0 cm /I Do Q "
STRIPS = "".join(f"q 600 0 0 100 0 {100 * strip} cm /I Do Q " for strip in range(7))
SMALL = "q 100 0 0 100 300 300 cm /I Do Q "
COURT = "Case 1:20-cv-00123 Document 45 Filed 01/02/20 Page 3 of 10"


def outlines(letters: int) -> str:
    one = "{x} {y} m " + "{x} {y} {x} {y} {x} {y} c " * 19 + "f "
    return "".join(one.format(x=50 + at % 40 * 12, y=700 - at // 40 * 20) for at in range(letters))


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (FULL + drawn([(400, 20, 8, "ACME-000100")]), "hardly any text on a picture"),
        (STRIPS + drawn([(400, 20, 8, "Scanned by CamScanner")]), "hardly any text on a picture"),
        (FULL + drawn([(100, 770, 8, COURT)]), "hardly any text on a picture"),
        (SCAN, "no text (scanned images?)"),
        (outlines(100), "hardly any text, but drawings"),
        (outlines(100) + drawn([(300, 30, 9, "17")]), "hardly any text, but drawings"),
        # what has been read is not told: text over pictures, recognised words, small pictures, ornaments
        (FULL + drawn([(200, 400, 30, "Thank you")]), ""),
        (FULL + "3 Tr " + drawn([(300, 30, 9, "17")]).replace("BT", "BT 3 Tr"), ""),
        (SMALL + drawn([(300, 30, 9, "17")]), ""),
        (outlines(10) + drawn([(300, 30, 9, "17")]), ""),
        (FULL + drawn(lines(*["Words of a letter that was read."] * 6, y=785)), ""),
        ("", ""),
    ],
)
def test_pages_whose_text_is_a_picture_are_told(tmp_path: Path, page: str, said: str) -> None:
    *notes, document = items(write(tmp_path / "a.pdf", [WORDS, page], more=[PICTURE]))
    assert isinstance(document, Document)
    assert [isinstance(note, Note) and said in str(note) and "a.pdf p. 2 has" in str(note) for note in notes] == [True] * bool(
        said
    )


def test_the_stamp_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", [FULL + drawn([(400, 20, 8, "ACME-000100")])], more=[PICTURE])
    *_, document = items(path)
    assert isinstance(document, Document)
    assert document.text.strip() == "ACME-000100"


def test_a_scan_whose_words_are_all_hidden_is_told(tmp_path: Path) -> None:
    page = FULL + drawn([(700, 20, 8, "Background")])
    note, document = items(write(tmp_path / "a.pdf", [WORDS, page], more=[PICTURE]))
    assert "a.pdf p. 2 has no text (scanned images?)" in str(note)
    assert isinstance(document, Document)
    assert [document.text[span.start : span.end] for span in document.hidden] == ["Background"]


def test_a_scan_with_a_comment_is_told(tmp_path: Path) -> None:
    note = "<</Type/Annot/Subtype/Text/Contents(Look at this)/Rect[72 560 92 580]>>"
    path = write(tmp_path / "a.pdf", [WORDS, FULL], more=[PICTURE], annotations={1: [note]})
    told, document = items(path)
    assert "a.pdf p. 2 has no text (scanned images?)" in str(told)
    assert isinstance(document, Document)
    assert "Look at this" in document.text


def test_a_page_with_a_small_picture_and_a_comment_is_read(tmp_path: Path) -> None:
    note = "<</Type/Annot/Subtype/Text/Contents(Look at this)/Rect[72 560 92 580]>>"
    path = write(tmp_path / "a.pdf", [SMALL], more=[PICTURE], annotations={0: [note]})
    assert only(path).text.strip() == "Look at this"
