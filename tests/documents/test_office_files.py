"""Presentations, workbooks and OpenDocument: all text in its order, each piece with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents_files import paragraph, write_docx
from office_files import W, opendocument, paragraphs, pptx, rels, shape, xlsx, zipped
from one_file import items, one
from told_places import places

import bookwheel
from bookwheel import Document, InputError
from bookwheel.documents.passages import split_document
from bookwheel.documents.paths import Skipped, Source, walk
from bookwheel.documents.readers.xlsx import cell_date, cell_elapsed, cell_percent, number_kind, shown_number


def placed(document: Document) -> list[tuple[str, object]]:
    """Each part's text with its place."""
    starts = [part.start for part in document.parts]
    return [
        (document.text[start:end].strip(), part.name)
        for part, start, end in zip(document.parts, starts, [*starts[1:], len(document.text)], strict=True)
    ]


SLIDES = [
    shape("Second")
    + shape("12", kind="sldNum")
    + f"<a:tbl><a:tr><a:tc>{paragraphs('a')}</a:tc><a:tc>{paragraphs('b')}</a:tc></a:tr></a:tbl>",
    shape("body one", "body two") + f"<p:grpSp>{shape('in a group')}</p:grpSp>" + shape("First", kind="ctrTitle"),
]
NOTES = f"<p:notes xmlns:p='p' xmlns:a='a'>{shape('say this', kind='body')}{shape('1', kind='sldNum')}</p:notes>"


def test_slides_in_the_order_of_the_show(tmp_path: Path) -> None:
    more = {
        "ppt/slides/_rels/slide1.xml.rels": rels(
            a="notesSlide:../notesSlides/n.xml", b="chart:/ppt/charts/c.xml", c="comments:../x.xml"
        ),
        "ppt/notesSlides/n.xml": NOTES,
        "ppt/charts/c.xml": f"<c:chart xmlns:c='c' xmlns:a='a'>{paragraphs('Sales')}<c:strCache><c:v>North</c:v></c:strCache>"
        "<c:multiLvlStrCache><c:lvl><c:pt><c:v>Oslo</c:v></c:pt></c:lvl></c:multiLvlStrCache></c:chart>",
        "ppt/x.xml": "<p:cmLst xmlns:p='p'><p:cm><p:text>a remark</p:text></p:cm></p:cmLst>",
    }
    document = one(tmp_path / "a.pptx", pptx(SLIDES, more))
    assert placed(document) == [
        ("First\n\nbody one\nbody two\n\nin a group", "slide 1"),
        ("Second\n\na\tb\n\nNotes: say this\n\nSales\nNorth\nOslo\n\na remark", "slide 2"),
    ]
    assert (document.title, document.metadata) == ("First", {"slides": 2})
    assert placed(one(tmp_path / "b.ppsx", pptx(SLIDES, main="deck/main.xml")))[0][1] == "slide 1"
    broken = items(tmp_path / "c.pptx", pptx([*SLIDES, "<not closed>"]))
    assert [str(item).startswith(f"{tmp_path}/c.pptx: slide 1 was skipped") for item in broken] == [True, False]
    assert [part.name for part in broken[1].parts] == ["slide 2", "slide 3"]  # type: ignore[union-attr]


def cell(place: str, value: object, kind: str = "", style: int = 0) -> str:
    return f'<c r="{place}" s="{style}"{f" t={kind!r}" if kind else ""}><v>{value}</v></c>'


SHEET = (
    "<sheetData><row r='1'>" + cell("A1", 0, "s") + "</row>"
    "<row r='3'>" + cell("A3", 1, "s") + cell("B3", 2, "s") + cell("C3", 3, "s") + "</row>"
    "<row r='4'>" + cell("A4", 4, "s") + cell("B4", "0.30000000000000004") + cell("C4", 45322, style=1) + "</row>"
    "<row r='5'><c r='B5'><f>B4*2</f><v>12</v></c>" + cell("C5", "45322.75", style=2) + "<c r='D5' t='b'><v>1</v></c></row>"
    "<row r='7'><c r='B7' t='inlineStr'><is><t>in</t><rPh><t>x</t></rPh><r><t>line</t></r></is></c>"
    + cell("C7", 3, style=3)
    + "</row></sheetData><mergeCells><mergeCell ref='A4:A5'/></mergeCells>"
)
STRINGS = ["Report of the year", "Region", "Amount", "Day", "North"]


def test_cells_say_what_a_spreadsheet_shows(tmp_path: Path) -> None:
    more = {
        "xl/worksheets/_rels/sheet1.xml.rels": rels(a="comments:../c.xml", b="drawing:../d.xml"),
        "xl/c.xml": "<comments><commentList><comment ref='B4'><text><t>check this</t></text></comment></commentList></comments>",
        "xl/d.xml": f"<x xmlns:a='a'>{paragraphs('a text box')}</x>",
    }
    data = xlsx(
        {"Sales 2024": SHEET, "Empty": "<sheetData/>", "Secret": "<sheetData><row><c><v>7</v></c></row></sheetData>"},
        STRINGS,
        more,
        " state='hidden'",
    )
    document = one(tmp_path / "a.xlsx", data)
    assert document.text.split("\n") == [
        "Sales 2024", "",
        "Report of the year", "",
        "Region\tAmount\tDay",
        "Region: North; Amount: 0.3; Day: 2024-01-31",
        "Region: North; Amount: 12; Day: 2024-01-31 18:00:00; TRUE", "",
        "Amount: inline; Day: 3 days", "",
        "check this", "",
        "a text box", "",
        "Secret (hidden sheet)", "",
        "7",
    ]  # fmt: skip
    spans = split_document(document, "sentence")
    assert [name for name, _ in places(document, spans)] == [
        "sheet Sales 2024", "Sales 2024!A1:A1", "Sales 2024!A3:D3", "Sales 2024!A4:D4", "Sales 2024!A5:D5", "Sales 2024!B7:C7",
        "Sales 2024!B4:B4", "sheet Sales 2024", "sheet Secret", "Secret!A1:A1",
    ]  # fmt: skip
    whole = places(document, split_document(document, "document"))
    assert whole == [("sheet Sales 2024", None)]


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("0.0%", "0.256", "25.6%"), ("0%", "1", "100%"), ("0.00%;[Red]-0.00%", "-0.035", "-3.5%"), (r'0 "%"', "3", "3"),
        ("[h]:mm:ss", "1.25", "30:00:00"), ("[mm]:ss", "0.0625", "1:30:00"), ('[Red]0.0;"h"0', "1.5", "1.5"),
        ("[$-409]d-mmm-yy", "45322", "2024-01-31"), ("h:mm", "0.5", "12:00:00"), ("0.00E+00", "1500", "1500"),
    ],
)  # fmt: skip
def test_number_formats(code: str, value: str, shown: str) -> None:
    kind = number_kind(code)
    shows = {"date": cell_date, "elapsed": cell_elapsed, "percent": cell_percent, "": shown_number}
    assert shows[kind](value) == shown


def test_what_is_wrong_with_a_workbook_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    found = items(tmp_path / "a.xlsx", xlsx({"One": "<sheetData><row><c><v>1</v></c></row><row", "Two": SHEET}, STRINGS))
    assert isinstance(found[0], InputError)
    assert "sheet 'One' was read in part" in str(found[0])
    assert isinstance(found[1], Document)
    assert "One" in found[1].text
    assert "Region: North" in found[1].text


def test_places_in_search_and_python(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.xlsx").write_bytes(xlsx({"Sales": SHEET}, STRINGS))
    (folder / "b.pptx").write_bytes(pptx(SLIDES))
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        assert library.index([folder]).failures == []
        assert library.search("inline", recipe="bm25")[0].place == f"{folder}/a.xlsx sheet Sales"  # all of it is one passage
        assert (
            library.search("group", recipe="bm25")[0].to_dict()["place"] == f"{folder}/b.pptx slide 1-2"
        )  # both are one passage
        assert library.index([folder]).unchanged == 2
        # A row that moves changes the place, though no text changes.
        (folder / "a.xlsx").write_bytes(xlsx({"Sales": SHEET.replace("r='7'", "r='8'").replace("7'", "8'")}, STRINGS))
        assert library.index([folder]).updated == 1


ODT = (
    "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes><text:h text:outline-level='1'>The Heading</text:h>"
    "<text:p>one<text:s text:c='2'/>two<text:tab/>three<text:line-break/>four\n  five<text:note><text:note-citation>1</text:note-citation>"
    "<text:note-body><text:p>a note</text:p></text:note-body></text:note></text:p><text:list><text:list-item><text:p>an item</text:p>"
    "</text:list-item></text:list><table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Name</text:p>"
    "</table:table-cell><table:table-cell><text:p>Year</text:p></table:table-cell>"
    "</table:table-row></table:table-header-rows>"
    "<table:table-row><table:table-cell><text:p>Ada</text:p></table:table-cell><table:table-cell><text:p>1843</text:p></table:table-cell>"
    "</table:table-row></table:table><text:p>end<office:annotation><dc:creator>me</dc:creator>"
    "<text:p>a remark</text:p></office:annotation></text:p>"
)
META = (
    "<office:meta><dc:title>The Title</dc:title><meta:initial-creator>Ada</meta:initial-creator>"
    "<meta:creation-date>1843-09-01</meta:creation-date></office:meta>"
)


@pytest.mark.parametrize("flat", [False, True])
def test_opendocument_text(tmp_path: Path, flat: bool) -> None:
    name = "a.fodt" if flat else "a.odt"
    document = one(tmp_path / name, opendocument("text", ODT, {"meta.xml": META}, flat=flat))
    assert document.text.split("\n\n") == [
        "The Heading", "one  two\tthree\nfour five", "a note", "an item", "Name\tYear", "Name: Ada; Year: 1843", "end", "a remark",
    ]  # fmt: skip
    assert (document.title, document.metadata) == ("The Title", {"author": "Ada", "date": "1843-09-01", "year": 1843})


def test_opendocument_sheets_and_slides(tmp_path: Path) -> None:
    row = "<table:table-row{}>{}</table:table-row>"
    date = (
        "<table:table-cell office:value-type='date' office:date-value='2024-01-31'><text:p>31.01.24</text:p></table:table-cell>"
    )
    number = "<table:table-cell office:value-type='float' office:value='1234.5'><text:p>1.234,50</text:p></table:table-cell>"
    words = "<table:table-cell office:value-type='string'><text:p>{}</text:p></table:table-cell>"
    body = "<table:table table:name='One'>" + row.format("", words.format("Day") + words.format("Sum"))
    body += row.format("", date + number) + row.format(
        " table:number-rows-repeated='1000000'", "<table:table-cell table:number-columns-repeated='900'/>"
    )
    body += row.format("", date + number) + "</table:table>"
    document = one(tmp_path / "a.ods", opendocument("spreadsheet", body))
    assert document.text.split("\n") == [
        "One",
        "",
        "Day\tSum",
        "Day: 2024-01-31; Sum: 1234.5",
        "",
        "Day: 2024-01-31; Sum: 1234.5",
    ]
    assert [part[1:4] for part in document.parts] == [("sheet One", "", 0), ("One", "A:B", 1), ("One", "A:B", 1_000_003)]
    pages = "".join(
        f"<draw:page><draw:frame><draw:text-box><text:p>{text}</text:p></draw:text-box></draw:frame>{{}}</draw:page>"
        for text in ("one", "two")
    )
    notes = (
        "<presentation:notes><draw:frame><draw:text-box><text:p>say</text:p></draw:text-box></draw:frame></presentation:notes>"
    )
    slides = one(tmp_path / "a.odp", opendocument("presentation", pages.format("", notes)))
    assert placed(slides) == [("one", "slide 1"), ("two\n\nNotes: say", "slide 2")]


def test_an_encrypted_opendocument_is_told(tmp_path: Path) -> None:
    data = zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": "<m><encryption-data/></m>",
            "content.xml": "\x9c",
        }
    )
    with pytest.raises(InputError, match="protected by a password"):
        items(tmp_path / "a.odt", data)


NUMBERING = (
    f"<w:numbering xmlns:w='{W}'><w:abstractNum w:abstractNumId='0'><w:lvl w:ilvl='0'>"
    "<w:start w:val='1'/><w:numFmt w:val='decimal'/><w:lvlText w:val='%1.'/></w:lvl>"
    "<w:lvl w:ilvl='1'><w:start w:val='1'/><w:numFmt w:val='lowerLetter'/><w:lvlText w:val='%1.%2)'/></w:lvl></w:abstractNum>"
    "<w:abstractNum w:abstractNumId='1'><w:lvl w:ilvl='0'><w:numFmt w:val='bullet'/><w:lvlText w:val='\uf0b7'/></w:lvl></w:abstractNum>"
    "<w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num><w:num w:numId='2'><w:abstractNumId w:val='1'/></w:num></w:numbering>"
)


def numbered(text: str, number: int, level: int = 0) -> str:
    properties = f"<w:pPr><w:numPr><w:ilvl w:val='{level}'/><w:numId w:val='{number}'/></w:numPr></w:pPr>"
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def test_word_documents_as_printed(tmp_path: Path) -> None:
    drop = "<w:p><w:pPr><w:framePr w:dropCap='drop'/></w:pPr><w:r><w:t>O</w:t></w:r></w:p>" + paragraph("nce upon a time")
    control = f"<w:sdt><w:sdtPr/><w:sdtContent>{paragraph('in a control')}</w:sdtContent></w:sdt>"
    prompt = f"<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>{paragraph('Click here')}</w:sdtContent></w:sdt>"
    hidden = "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:t>shown</w:t></w:r></w:p>"
    rows = [("Name", "Year"), ("Ada", "1843"), ("Grace", "1952")]
    wrapped = "".join(
        "<w:sdt><w:sdtContent><w:tr>"
        + "".join(f"<w:sdt><w:sdtContent><w:tc>{paragraph(text)}</w:tc></w:sdtContent></w:sdt>" for text in row)
        + "</w:tr></w:sdtContent></w:sdt>"
        for row in rows
    )
    body = drop + control + prompt + hidden + f"<w:tbl>{wrapped}</w:tbl>"
    body += (
        numbered("first", 1)
        + numbered("inner", 1, 1)
        + numbered("inner too", 1, 1)
        + numbered("second", 1)
        + numbered("dot", 2)
    )
    body += "<w:altChunk r:id='html' xmlns:r='r'/>"
    part = "<w:{0} xmlns:w='" + W + "'>{1}</w:{0}>"
    data = zipped(
        {
            "_rels/.rels": rels(a="officeDocument:/odd/main document.xml"),
            "odd/main document.xml": part.format("document", f"<w:body>{body}</w:body>"),
            "odd/_rels/main document.xml.rels": rels(
                a="numbering:n.xml", b="comments:c.xml", c="header:h1.xml", d="header:h2.xml", e="footer:f.xml", f="footnotes:fn.xml",
                html="aFChunk:chunk.html",
            ),
            "odd/n.xml": NUMBERING,
            "odd/c.xml": part.format("comments", f"<w:comment>{paragraph('a remark')}</w:comment>"),
            "odd/h1.xml": part.format("hdr", paragraph("Annual report")),
            "odd/h2.xml": part.format("hdr", paragraph("Annual report")),
            "odd/f.xml": part.format("ftr", paragraph("confidential")),
            "odd/fn.xml": part.format("footnotes", f"<w:footnote>{paragraph('a note')}</w:footnote>"),
            "odd/chunk.html": "<p>from a page</p>",
        }
    )  # fmt: skip
    document = one(tmp_path / "a.docx", data)
    assert document.text.split("\n\n") == [
        "Once upon a time", "in a control", "shown", "Name\tYear", "Name: Ada; Year: 1843", "Name: Grace; Year: 1952",
        "1. first", "1.a) inner", "1.b) inner too", "2. second", "• dot", "from a page",
        "a note", "a remark", "Annual report", "confidential", "hidden",
    ]  # fmt: skip
    assert [document.text[span.start : span.end] for span in document.hidden] == ["hidden"]


def test_merged_cells_of_word(tmp_path: Path) -> None:
    def row(*cells: tuple[str, str]) -> str:
        return (
            "<w:tr>"
            + "".join(f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>" for properties, text in cells)
            + "</w:tr>"
        )

    body = row(("", "Place"), ("<w:gridSpan w:val='2'/>", "Both"), ("", "Sum"))
    body += row(("<w:vMerge w:val='restart'/>", "North"), ("", "a"), ("", "b"), ("", "1"))
    body += row(("<w:vMerge/>", ""), ("", "c"), ("", "d"), ("", "2"))
    document = one(write_docx(tmp_path / "a.docx", f"<w:tbl>{body}</w:tbl>"), (tmp_path / "a.docx").read_bytes())
    assert document.text.split("\n\n") == [
        "Place\tBoth\tSum",
        "Place: North; Both: a; b; Sum: 1",
        "Place: North; Both: c; d; Sum: 2",
    ]


def test_office_files_under_other_names(tmp_path: Path) -> None:
    for name, data in {
        "a": pptx(SLIDES),
        "b.zip": xlsx({"One": SHEET}, STRINGS),
        "c.docx": opendocument("text", ODT),
        "d.bin": b"x",
    }.items():
        (tmp_path / name).write_bytes(data)
    found = list(walk([tmp_path]))
    assert [(Path(item.path).name, item.format) for item in found if isinstance(item, Source)] == [
        ("a", "pptx"),
        ("b.zip", "xlsx"),
        ("c.docx", "odf"),
    ]
    assert [item.reason for item in found if isinstance(item, Skipped)] == ["binary"]
