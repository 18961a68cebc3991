"""What PDFs hold beside plain lines: leaders, columns, forms, hyphens, heads, titles, sections, scans."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pdf_files import COLUMNS, body, drawn, lines, only, write

from bookwheel import _errors
from bookwheel.documents.document import Document
from bookwheel.documents.failures import Note
from bookwheel.documents.passages import split_document
from bookwheel.documents.readers import pdf as reader
from bookwheel.documents.readers.pdf import PDF
from bookwheel.documents.source import DEFAULT_FIELDS, Source

PICTURE = (
    "<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/Length 1>>stream\nx\nendstream"
)
SCAN = "q 600 0 0 700 0 0 cm /I Do Q"


def items(path: Path) -> list[Document | _errors.InputError]:
    return list(PDF.read(Source(str(path), path.stat().st_size, 0, "pdf"), DEFAULT_FIELDS))


def passages(document: Document) -> list[str]:
    return [document.text[span.start : span.end] for span in split_document(document)]


@pytest.mark.parametrize("leader", [" ." * 60, "." * 70, " . " * 30, "  .  .  .  .  .  .", " …" * 20, " ·" * 30])
def test_leaders_of_a_contents_page_are_collapsed(tmp_path: Path, leader: str) -> None:
    headings = [f"{number} Chapter of things {number}" for number in range(1, 20)]
    document = only(
        write(tmp_path / "a.pdf", [lines(*(f"{heading}{leader} {number}" for number, heading in enumerate(headings)))])
    )
    for number, heading in enumerate(headings):
        assert re.search(rf"{heading} ?\.\.\. ?{number}\n", document.text)
    assert len(passages(document)) == 1


def test_dots_that_lead_nowhere_stay(tmp_path: Path) -> None:
    document = only(write(tmp_path / "a.pdf", [lines("Wait... and see. The range 1..3 of a.b.c is ..., no more.")]))
    assert document.text.strip() == "Wait... and see. The range 1..3 of a.b.c is ..., no more."


@pytest.mark.parametrize("columns", [2, 3])
def test_columns_drawn_row_by_row_are_read_one_after_the_other(tmp_path: Path, columns: int) -> None:
    rows = [(72 + 165 * at, 640 - 12 * row, 10, COLUMNS[at][row]) for row in range(6) for at in range(columns)]
    head = (72, 700, 18, "Three short lessons on wind, bread and time")
    foot = (72, 500, 10, "This line at the end of the page runs over all of its columns.")
    document = only(write(tmp_path / "a.pdf", [[head, *rows, foot]]))
    wanted = [head[3], *(text for column in COLUMNS[:columns] for text in column), foot[3]]
    assert document.text.split("\n")[: len(wanted)] == wanted


def test_rows_of_a_table_stay_rows(tmp_path: Path) -> None:
    cells = [
        ("City", "People", "Founded by"),
        ("Oslo", "709 000", "King Harald"),
        ("Lima", "10 100 000", "Pizarro"),
        ("Cairo", "10 200 000", "the Fatimids"),
        ("Perth", "2 100 000", "James Stirling"),
    ]
    drawing = [(72 + 150 * at, 640 - 12 * row, 10, cell) for row, texts in enumerate(cells) for at, cell in enumerate(texts)]
    text = only(write(tmp_path / "a.pdf", [drawing])).text
    for city, people, founder in cells[1:]:
        (line,) = (line for line in text.split("\n") if city in line)
        assert people in line
        assert founder in line


def test_commands_and_their_meaning_stay_side_by_side(tmp_path: Path) -> None:
    pairs = [
        ("ls", "lists the files of a folder by name"),
        ("cp", "copies one file to another place"),
        ("rm -r", "removes a folder with all that it holds"),
        ("mv", "moves a file, or gives it another name"),
        ("cat", "shows what a file holds, as it stands"),
        ("less", "shows it page by page, and searches it"),
    ]
    drawing = [(x, 640 - 12 * row, 10, text) for row, pair in enumerate(pairs) for x, text in zip((72, 200), pair, strict=True)]
    text = only(write(tmp_path / "a.pdf", [drawing])).text
    assert text.strip().split("\n") == [f"{name} {meaning}" for name, meaning in pairs]


def test_a_space_where_characters_stand_apart(tmp_path: Path) -> None:
    # In a font whose space is wide, PDFium sees none in a gap of 0.3 em.
    widths = " ".join(["1200"] + ["500"] * 94)
    font = f"<</Type/Font/Subtype/TrueType/BaseFont/Wide/FirstChar 32/LastChar 126/Encoding/WinAnsiEncoding/Widths[{widths}]>>"
    content = "BT /F1 10 Tf 72 700 Td [(they)-300(are)-300(any)-300(redirections)] TJ ET"
    text = only(write(tmp_path / "a.pdf", [content], font=font)).text
    assert text.strip() == "they are any redirections"


def test_letters_that_are_all_spaced_stay_one_word(tmp_path: Path) -> None:
    content = "BT /F1 10 Tf 3 Tc 72 700 Td (CONTENTS) Tj ET"
    font = (
        "<</Type/Font/Subtype/TrueType/BaseFont/Wide/FirstChar 32/LastChar 126/Encoding/WinAnsiEncoding"
        f"/Widths[{' '.join(['1200'] + ['500'] * 94)}]>>"
    )
    assert only(write(tmp_path / "a.pdf", [content], font=font)).text.strip() == "CONTENTS"


def test_a_form_with_notes(tmp_path: Path) -> None:
    notes = [
        "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Marguerite Kestrel)/Rect[170 696 400 712]/F 4/DA(/F1 11 Tf)>>",
        "<</Type/Annot/Subtype/Widget/FT/Ch/T(land)/Ff 131072/Opt[[(no)(Norway)][(pe)(Peru)]]/V(pe)/Rect[170 682 400 698]/F 4>>",
        "<</Type/Annot/Subtype/FreeText/Contents(Reviewer note: rewrite the windmill paragraph)/Rect[72 600 400 640]>>",
        "<</Type/Annot/Subtype/Text/Contents(Sticky comment about turbines)/Rect[72 560 92 580]>>",
        "<</Type/Annot/Subtype/Highlight/Contents(Is this so?)/Rect[72 500 92 520]/QuadPoints[72 520 92 520 72 500 92 500]>>",
        "<</Type/Annot/Subtype/Text/F 2/Contents(hidden)/Rect[72 560 92 580]>>",
        "<</Type/Annot/Subtype/Link/Contents(a link)/Rect[72 560 92 580]>>",
    ]
    texts = lines("Applicant name:", "Country:", "Signed in the presence of two witnesses.")
    text = only(write(tmp_path / "a.pdf", [texts], annotations={0: notes})).text
    assert "Applicant name: Marguerite Kestrel\nCountry: Peru\nSigned" in text
    for said in ("Reviewer note: rewrite the windmill paragraph", "Sticky comment about turbines", "Is this so?"):
        assert said in text
    assert "hidden" not in text
    assert "a link" not in text


def test_a_page_of_nothing_but_a_form_is_no_scan(tmp_path: Path) -> None:
    note = "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Marguerite Kestrel)/Rect[170 696 400 712]/F 4>>"
    assert only(write(tmp_path / "a.pdf", [""], annotations={0: [note]})).text.strip() == "Marguerite Kestrel"


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ("/Subtype/Widget/FT/Tx/T(a)/V(hunter2)/Ff 8192/F 4", ""),
        ("/Subtype/Widget/FT/Tx/T(a)/V(hunter2)/Ff 4096/F 4", "hunter2"),
        ("/Subtype/Widget/FT/Tx/T(a)/V(hunter2)/F 32", ""),
        ("/Subtype/Widget/FT/Tx/T(a)/V(hunter2)/F 36", "hunter2"),
        ("/Subtype/Text/Contents(hunter2)/F 32", ""),
        ("/Subtype/FreeText/RC(<body><p>rich <b>n</b>ote &amp; more</p><p>end</p></body>)/F 4", "rich note & more\nend"),
        ("/Subtype/FreeText/Contents(plain)/RC(<body><p>rich</p></body>)/F 4", "plain"),
    ],
)
def test_marks_are_read_as_they_are_seen(tmp_path: Path, annotation: str, said: str) -> None:
    notes = [f"<</Type/Annot{annotation}/Rect[170 500 400 520]>>"]
    text = only(write(tmp_path / "a.pdf", [lines("Words.")], annotations={0: notes})).text
    assert text.strip() == f"Words.\n{said}".strip()


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("", "The Mill on the Ridge and its Keeper"),
        ("untitled", "The Mill on the Ridge and its Keeper"),
        ("Microsoft Word - mill_v3.docx", "The Mill on the Ridge and its Keeper"),
        ("mill.dvi", "The Mill on the Ridge and its Keeper"),
        ("Binder1.pdf", "The Mill on the Ridge and its Keeper"),
        ("\\(anonymous\\)", "The Mill on the Ridge and its Keeper"),
        ("Paper Title \\(use style: paper title\\)", "The Mill on the Ridge and its Keeper"),
        ("Mills of the North", "Mills of the North"),
        ("Title IX in Practice", "Title IX in Practice"),
        ("Emma", "Emma"),
        ("1984", "The Mill on the Ridge and its Keeper"),
    ],
)
def test_title(tmp_path: Path, told: str, wanted: str) -> None:
    page = [
        (72, 760, 9, "Annals of the Society, volume 9"),
        (72, 720, 20, "The Mill on the Ridge"),
        (72, 697, 20, "and its Keeper"),
        *lines(*body(1), y=640),
    ]
    info = f"/Title({told})" if told else ""
    assert only(write(tmp_path / "scan0012.pdf", [page, lines(*body(2), size=24)], info=info)).title == wanted


@pytest.mark.parametrize(
    ("large", "wanted"),
    [
        (["The at package*"], "The at package"),
        (["Version 2.1.5"], "notes"),
        (["Contents"], "notes"),
        (["12"], "notes"),
        (
            [f"Line {word} of a whole page in large type for those who see badly" for word in ("one", "two", "three", "four")],
            "notes",
        ),
    ],
)
def test_what_is_large_and_no_title(tmp_path: Path, large: list[str], wanted: str) -> None:
    page = [*lines(*large, size=14, step=18), *lines(*body(1), y=500)]
    assert only(write(tmp_path / "notes.pdf", [page])).title == wanted


def test_a_raised_sign_makes_no_title(tmp_path: Path) -> None:
    raised = (
        "BT /F1 10 Tf 72 700 Td (The area of the lake is 40 km) Tj /F1 7 Tf 5 Ts (2) Tj 0 Ts /F1 10 Tf ( in the summer.) Tj ET "
    )
    text = drawn(lines(*body(1), y=660, size=10))
    assert only(write(tmp_path / "notes.pdf", [raised + text])).title == "notes"
    title = "BT /F1 16 Tf 72 740 Td (On the lake) Tj /F1 9 Tf 8 Ts (2) Tj 0 Ts /F1 16 Tf ( and its mills) Tj ET "
    assert only(write(tmp_path / "notes.pdf", [title + raised + text])).title.startswith("On the lake")


def test_no_larger_type_no_title(tmp_path: Path) -> None:
    assert only(write(tmp_path / "notes.pdf", [lines(*body(1))])).title == "notes"


@pytest.mark.parametrize(
    ("told", "date", "year"),
    [
        ("D:20190704120000Z", "2019-07-04", 2019),
        ("D:00000101000000", None, None),
        ("D:19991399", "1999", 1999),
        ("D:20190799", "2019-07", 2019),
        ("D:9999", None, None),
    ],
)
def test_impossible_dates_are_dropped(tmp_path: Path, told: str, date: str | None, year: int | None) -> None:
    info = f"/CreationDate({told})/Author(ARRAY\\(0x2c7cf020\\))"
    metadata = only(write(tmp_path / "a.pdf", [lines("words")], info=info)).metadata
    assert (metadata.get("date"), metadata.get("year")) == (date, year)
    assert "author" not in metadata


def test_the_outline_divides_passages(tmp_path: Path) -> None:
    sections = [f"{number} About {thing}" for number, thing in enumerate(("kites", "bread", "clocks"), 1)]
    page = [line for number, section in enumerate(sections) for line in (section, *(f"{row} {number}" for row in body(number)))]
    outline = [(section.partition(" ")[2], 0, 712 - 14 * 9 * at) for at, section in enumerate(sections)]
    document = only(write(tmp_path / "a.pdf", [lines(*page)], outline=outline))
    assert [document.text[at:].split("\n")[0] for at in document.sections] == sections[1:]
    assert [passage.split("\n")[0] for passage in passages(document)] == sections


def test_an_outline_that_goes_round_in_circles(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", [lines("a first line", "About kites", "and more")], outline=[("About kites", 0, 700)] * 3)
    data = path.read_bytes()
    assert data.count(b"/Next") == 2
    number = re.findall(rb"/Next (\d+) 0 R", data)[0]
    path.write_bytes(re.sub(rb"/Next \d+ 0 R", b"/Next " + number + b" 0 R", data))
    assert only(path).sections == (13,)


def test_scanned_pages_are_told_by_page(tmp_path: Path) -> None:
    pages: list[str | list[tuple[float, float, float, str]]] = [lines("words"), SCAN, SCAN, "", lines("more"), SCAN]
    note, document = items(write(tmp_path / "a.pdf", pages, more=[PICTURE]))
    assert isinstance(note, Note)
    assert "a.pdf p. 2-3, 6 have no text (scanned images?)" in str(note)
    assert isinstance(document, Document)
    assert document.text.split() == ["words", "more"]


@pytest.mark.parametrize(("says", "pages"), [(3, 3), (5_000, 1)])
def test_pages_that_are_not_there_are_told_in_one_error(tmp_path: Path, says: int, pages: int) -> None:
    path = write(tmp_path / "a.pdf", [lines("words")])
    path.write_bytes(path.read_bytes().replace(b"/Count 1/Kids", f"/Count {says}/Kids".encode()))
    error, document = items(path)
    assert str(error).endswith(f"a.pdf p. 2-{says} are damaged and were skipped")
    assert isinstance(document, Document)
    assert (len(document.pages), document.metadata["pages"]) == (pages, pages)


def test_fonts_that_cannot_be_decoded_are_told_by_page(tmp_path: Path) -> None:
    noise = (
        "BT /F1 11 Tf 72 700 Td ("
        + "".join(f"\\{code:03o}" for code in range(1, 32) if code not in (10, 13, 9)) * 3
        + ") Tj ET"
    )
    note, document = items(write(tmp_path / "a.pdf", [drawn(lines("words")), noise]))
    assert isinstance(note, Note)
    assert "a.pdf p. 2 has text in fonts that cannot be decoded" in str(note)
    assert isinstance(document, Document)
    assert document.text.strip() == "words"
    with pytest.raises(_errors.InputError, match="no text that can be decoded in its 1 page"):
        items(write(tmp_path / "b.pdf", [noise]))


def test_the_file_is_opened_anew_where_memory_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.pdf", [lines(*body(page)) for page in range(130)])
    whole = only(path)
    opened: list[int] = []
    open_ = reader._Reader._open

    def counted(self: reader._Reader):  # type: ignore[no-untyped-def]
        opened.append(len(self._pages))
        return open_(self)

    monkeypatch.setattr(reader._Reader, "_open", counted)
    monkeypatch.setattr(reader, "anonymous_bytes", lambda: None)
    assert only(path) == whole
    assert opened == [0, 50, 100]
    opened.clear()
    held = iter(range(0, 10**12, reader._MUCH + 1))
    monkeypatch.setattr(reader, "anonymous_bytes", lambda: next(held))
    assert only(path) == whole
    assert opened == list(range(0, 130, 10))


@pytest.mark.parametrize("name", ["form-and-notes", "hyphen-compounds", "three-columns", "toc-dots"])
def test_cases(name: str) -> None:
    path = Path(__file__).parents[3] / "shared" / "cases" / f"{name}.pdf"
    if not path.is_file():
        pytest.skip("../shared/cases is not there")
    text = only(path).text
    wanted = {
        "form-and-notes": [
            "Marguerite Kestrel",
            "Reviewer note: rewrite the windmill paragraph",
            "Sticky comment about turbines",
        ],
        "hyphen-compounds": ["disk-based", "state-of-the-art", "well-known", "retrieval"],
        "three-columns": ["Kites fly because\nthe wind lifts the\nsail upward", "Bread rises when\nyeast makes gas"],
        "toc-dots": ["1.2 Knotting the bridle ... 4\n"],
    }
    for part in wanted[name]:
        assert part in text


def mapped(table: dict[int, str]) -> list[str]:
    """The table of characters of a font, as an object of a PDF."""
    rows = "\n".join(f"<{code:02X}> <{text.encode('utf-16-be').hex()}>" for code, text in table.items())
    head = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap 1 begincodespacerange <00> <FF> endcodespacerange"
    body = f"{head}\n{len(table)} beginbfchar\n{rows}\nendbfchar endcmap end end"
    return [f"<</Length {len(body)}>>stream\n{body}\nendstream"]


@pytest.mark.parametrize(
    ("wrong", "table"),
    [
        (False, {code: chr(code) for code in range(32, 127)}),
        (True, {code: chr(code - 29) if code > 64 else chr(code) for code in range(32, 127)}),
        (True, {code: "x" if code > 64 else chr(code) for code in range(32, 127)}),
        (
            True,
            {
                code: chr(0x3B1 + code % 24 if code % 3 else 0x430 + code % 32) if code > 64 else chr(code)
                for code in range(32, 127)
            },
        ),
        # the vowels become consonants, and rare letters take their place
        (
            True,
            {code: chr(code) for code in range(32, 97)}
            | dict(zip(b"etaoinshrdlcumwfgypbvkjxqz", "tnrslhdcmfpgybvkxjqzeaiouw", strict=True)),
        ),
    ],
)
def test_fonts_whose_tables_are_wrong_are_told(tmp_path: Path, wrong: bool, table: dict[int, str]) -> None:
    said = [
        "The heron stands in the shallow water of the quiet bay and waits for",
        "the small fish that the tide has brought there, and when it has had",
        "its fill it rises slowly over the reeds to look for a place to sleep.",
    ] * 3
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding/ToUnicode 2 0 R>>"
    path = write(tmp_path / "a.pdf", [lines(*said)], font=font, more=mapped(table))
    if wrong:
        with pytest.raises(_errors.InputError, match="no text that can be decoded"):
            items(path)
    else:
        assert "The heron stands" in only(path).text


@pytest.mark.parametrize(
    "said",
    [
        "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPD",
        "mov eax ebx push ecx cmp edx jnz ret xor shl shr sub mul lea nop",
        "dA + dB + dC + dD + dE + dF + dG + dH + dI + dJ + dK + dL + dM",
        "ACGTACGGTTCAACGTACGGTTCAACGTACGGTTCA ACGTACGGTTCAACGTACGG",
        "TP53 BRCA1 KRAS MYC PTEN CDKN2A RB1 SMAD4 NRAS BRAF FLT3 NPM1 DNMT3B TGFBR2 CTNNB1",
        "HTTP TCP DNS SSL TLS XML RFC 2616 PCM GSM LTE MHZ KHZ DB PWR CTRL HTTPS SMTP",
        "SKU BRKT XL 45 PCS QTY 3 STL GLV M8 HWK BLK WHT GRN ZN PLTD SCRW WSHR NTS BLTS",
        "mov rdx, rcx push rbx sub rsp, 32 xor rcx, rcx cmp rdx, r8 jmp short vpxor xmm vpshufb xmm",
        "48 65 6c 6c 6f 2c 20 77 6f 72 6c 64 ff d8 48 65 6c 6c 6f 2c 20 77 6f 72 6c 64 ff d8",
        "mwyn gwyn trwm byr llwyd drwg cwm rhwng hwn hyn gwyrdd bwrdd crwn pwll",
    ],
)
def test_odd_letters_are_text(tmp_path: Path, said: str) -> None:
    document = only(write(tmp_path / "a.pdf", [lines(*[said] * 12)]))
    assert said.split()[0] in document.text
