"""Figures above and below the line, formulas and signs of symbol fonts, in each format that has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from documents_files import paragraph, write_docx
from office_files import W, opendocument, pptx, rels, xlsx, zipped
from one_file import one

from bookwheel.documents.readers.runs import Place, Runs
from bookwheel.documents.readers.symbol_fonts import in_font, sign

M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
SAID = "10^6 cells, 10^-3, 1st, CO2, m2, 3 1/4, 45[1,2], 2^3 4."
"""What each of the files below says."""
PIECES: list[tuple[str, Place]] = [
    ("10", "line"), ("6", "raised"), (" cells, 10", "line"), ("-", "raised"), ("3", "raised"), (", 1", "line"), ("st", "raised"),
    (", CO", "line"), ("2", "lowered"), (", m", "line"), ("2", "raised"), (", 3", "line"), ("1", "raised"), ("/", "line"),
    ("4", "lowered"), (", 45", "line"), ("1,2", "raised"), (", 2", "line"), ("3", "raised"), ("4.", "line"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (PIECES, SAID),
        ([("45", "line"), ("1", "mark"), (" percent", "line")], "45[1] percent"),
        ([("otters", "line"), ("1", "mark"), (".", "line")], "otters[1]."),
        ([("45", "line"), ("*", "mark")], "45*"),
        ([("1", "mark"), (" See", "line")], "1 See"),
        ([("log", "line"), ("10", "lowered"), ("2", "line")], "log10 2"),
        ([("101", "line"), ("2", "lowered")], "101_2"),
        ([("3", "line"), ("1/2", "formula"), (" cups", "line")], "3 1/2 cups"),
        ([("1", "raised"), ("2", "line")], "1 2"),
        ([("SO", "line"), ("4", "lowered"), ("2−", "raised")], "SO4^(2−)"),
        ([("3", "line"), ("1", "raised"), ("⁄4", "lowered")], "3 1⁄4"),
        ([("only ", "raised"), ("6", "raised")], "only 6"),
        ([], ""),
    ],
)
def test_figures_do_not_run_into_each_other(pieces: list[tuple[str, Place]], text: str) -> None:
    runs = Runs()
    for piece, place in pieces:
        runs.add(piece, place)
    assert runs.text() == text


def test_word(tmp_path: Path) -> None:
    value = {"raised": "superscript", "lowered": "subscript"}
    body = "".join(
        f"<w:r><w:rPr>{f'<w:vertAlign w:val={value[place]!r}/>' if place in value else ''}</w:rPr><w:t>{text}</w:t></w:r>"
        for text, place in PIECES
    )
    data = write_docx(tmp_path / "a.docx", f"<w:p>{body}</w:p>").read_bytes()
    assert one(tmp_path / "a.docx", data).text == SAID


def test_word_by_styles_and_the_marks_of_notes(tmp_path: Path) -> None:
    def run(text: str, properties: str = "", more: str = "") -> str:
        return f"<w:r><w:rPr>{properties}</w:rPr>{more}<w:t>{text}</w:t></w:r>"

    style = "<w:style w:type='character' w:styleId='{}'><w:name w:val='{}'/>{}</w:style>"
    raised = "<w:rPr><w:vertAlign w:val='superscript'/></w:rPr>"
    styles = (
        f"<w:styles xmlns:w='{W}'>"
        + style.format("Up", "Up", raised)
        + style.format("Child", "Child", "<w:basedOn w:val='Up'/>")
        + style.format("Funotenzeichen", "footnote reference", raised)
        + "</w:styles>"
    )
    body = run("10") + run("6", "<w:rStyle w:val='Child'/>") + run(", 10") + run("2", "<w:position w:val='6'/>")
    body += (
        run(", 45")
        + run("1", "<w:rStyle w:val='Funotenzeichen'/>")
        + run(", 45")
        + "<w:r><w:footnoteReference w:id='2'/></w:r>"
    )
    body += run(", 46") + run("7", raised[7:-8], "<w:footnoteReference w:id='3' w:customMarkFollows='1'/>")
    body += run(", 1") + run("0", "<w:rStyle w:val='Up'/><w:vertAlign w:val='baseline'/>")
    data = zipped(
        {
            "word/document.xml": f"<w:document xmlns:w='{W}'><w:body><w:p>{body}</w:p></w:body></w:document>",
            "word/_rels/document.xml.rels": rels(a="styles:styles.xml"),
            "word/styles.xml": styles,
        }
    )
    assert one(tmp_path / "a.docx", data).text == "10^6, 10^2, 45[1], 45, 46[7], 10"


def r(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


HALF = f"<m:f><m:num>{r('1')}</m:num><m:den>{r('2')}</m:den></m:f>"
SQUARE = f"<m:sSup><m:e>{r('x')}</m:e><m:sup>{r('2')}</m:sup></m:sSup>"
FORMULAS = {
    HALF: "1/2",
    r("3") + HALF: "3 1/2",
    HALF + r("x"): "1/2 x",
    f"<m:f><m:num>{r('a+b')}</m:num><m:den>{r('2')}</m:den></m:f>" + r("=") + SQUARE: "(a+b)/2=x^2",
    r("2") + SQUARE + r("y"): "2x^2 y",
    f"<m:sSup><m:e><m:d><m:e>{r('a+b')}</m:e></m:d></m:e><m:sup>{r('-3')}</m:sup></m:sSup>": "(a+b)^-3",
    f"<m:sSubSup><m:e>{r('x')}</m:e><m:sub>{r('i')}</m:sub><m:sup>{r('2')}</m:sup></m:sSubSup>": "x_i^2",
    f"<m:rad><m:radPr><m:degHide m:val='1'/></m:radPr><m:deg/><m:e>{r('x+1')}</m:e></m:rad>": "sqrt(x+1)",
    f"<m:rad><m:deg>{r('3')}</m:deg><m:e>{r('8')}</m:e></m:rad>": "root(8, 3)",
    "<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr>"
    f"<m:sub>{r('i=1')}</m:sub><m:sup>{r('n')}</m:sup><m:e>{r('i')}</m:e></m:nary>": "∑_(i=1)^n i",
    f"<m:d><m:dPr><m:begChr m:val='['/><m:endChr m:val=''/></m:dPr><m:e>{r('a')}</m:e><m:e>{r('b')}</m:e></m:d>": "[a|b",
    f"<m:f><m:fPr><m:type m:val='noBar'/></m:fPr><m:num>{r('n')}</m:num><m:den>{r('k')}</m:den></m:f>": "binom(n, k)",
    f"<m:func><m:fName>{r('sin')}</m:fName><m:e>{r('x')}</m:e></m:func>": "sin x",
    f"<m:m><m:mr><m:e>{r('1')}</m:e><m:e>{r('0')}</m:e></m:mr><m:mr><m:e>{r('0')}</m:e><m:e>{r('1')}</m:e></m:mr></m:m>": "1 0; 0 1;",
    f"<m:limLow><m:e>{r('lim')}</m:e><m:lim>{r('x→0')}</m:lim></m:limLow>": "lim_(x→0)",
    "<m:sSup><m:e>" * 60 + r("x") + f"</m:e><m:sup>{r('2')}</m:sup></m:sSup>" * 60: None,
}  # fmt: skip


@pytest.mark.parametrize(("formula", "text"), FORMULAS.items())
def test_formulas_of_word_and_powerpoint(tmp_path: Path, formula: str, text: str | None) -> None:
    math = f"<m:oMath xmlns:m='{M}'>{formula}</m:oMath>"
    body = f"<w:p><w:r><w:t xml:space='preserve'>Add </w:t></w:r>{math}<w:r><w:t> to it</w:t></w:r></w:p>"
    word = one(tmp_path / "a.docx", write_docx(tmp_path / "a.docx", body).read_bytes()).text
    slide = f"<p:sp><p:txBody><a:p><a:r><a:t>Add </a:t></a:r>{math}<a:r><a:t> to it</a:t></a:r></a:p></p:txBody></p:sp>"
    assert one(tmp_path / "a.pptx", pptx([slide])).text == word
    assert word == f"Add {text} to it" if text is not None else "x" in word


def test_powerpoint(tmp_path: Path) -> None:
    rise = {"raised": "30000", "lowered": "-25000", "line": "0"}
    body = "".join(f"<a:r><a:rPr baseline='{rise[place]}'/><a:t>{text}</a:t></a:r>" for text, place in PIECES)
    escapes = "<a:r><a:t>_x000B_next</a:t></a:r>"
    data = pptx([f"<p:sp><p:txBody><a:p>{body}{escapes}</a:p></p:txBody></p:sp>"])
    assert one(tmp_path / "a.pptx", data).text == f"{SAID}\nnext"


@pytest.mark.parametrize("flat", [False, True])
def test_opendocument(tmp_path: Path, flat: bool) -> None:
    properties = "<style:style style:name='{}' style:family='text'{}><style:text-properties {}/></style:style>"
    styles = (
        properties.format("T1", "", "style:text-position='super 58%'")
        + properties.format("T2", "", "style:text-position='-33% 58%'")
        + properties.format("T3", " style:parent-style-name='T1'", "style:font-name='Symbol'")
        + properties.format("Line", " style:parent-style-name='T3'", "style:text-position='0% 100%'")
        + properties.format("Footnote_20_anchor", "", "style:text-position='super 58%'")
    )

    def span(style: str, text: str) -> str:
        return f"<text:span text:style-name='{style}'>{text}</text:span>"

    names = {"raised": "T3", "lowered": "T2"}
    body = "".join(span(names[place], text) if place in names else text for text, place in PIECES)
    note = "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>a note</text:p></text:note-body></text:note>"
    body = (
        f"<text:p>{body}</text:p><text:p>45{note} and 45{span('Footnote_20_anchor', '2')} {span('Line', '&#xf061;')}</text:p>"
    )
    more = {"meta.xml" if flat else "styles.xml": styles}
    document = one(tmp_path / ("a.fodt" if flat else "a.odt"), opendocument("text", body, more, flat=flat))
    assert document.text == f"{SAID}\n\n45 and 45[2] α\n\na note"


def test_rtf(tmp_path: Path) -> None:
    words = {"raised": r"{\super %s}", "lowered": r"{\sub %s}", "line": "%s"}
    body = "".join(words[place] % text for text, place in PIECES)
    body += r"\par 10\super 6\nosupersub  and 10{\up6 6}{\up1 7}, 45{\super\chftn{\footnote \chftn 12 notes}} otters\par 1\super 2\plain 3"
    document = one(tmp_path / "a.rtf", rf"{{\rtf1 {body}}}".encode())
    assert document.text == f"{SAID}\n\n10^6 and 10^6 7, 45 otters\n\n1^2 3\n\n12 notes"


def test_excel(tmp_path: Path) -> None:
    value = {"raised": "superscript", "lowered": "subscript"}
    body = "".join(
        f"<r><rPr>{f'<vertAlign val={value[place]!r}/>' if place in value else ''}</rPr><t>{text}</t></r>"
        for text, place in PIECES
    )
    cells = f"<c t='s'><v>0</v></c><c t='inlineStr'><is>{body}</is></c>"
    data = xlsx({"One": f"<sheetData><row>{cells}</row></sheetData>"}, [f"</t>{body}<t>"])
    assert one(tmp_path / "a.xlsx", data).text == f"One\n\n{SAID}\t{SAID}"


def test_signs_of_symbol_fonts() -> None:
    assert "".join(sign(code, "Symbol") for code in (0xF0A3, 0x61, 0xF06D, 0xF0B0)) == "≤αμ°"
    assert "".join(sign(0xF000 + code, "Wingdings") for code in (0xFC, 0xFB, 0xFE, 0xA8, 0xE0, 0x81)) == "✓✗☑☐→➀"
    assert [sign(0xF050, "Wingdings 2"), sign(0xF021, "Wingdings"), sign(0x2264, "Arial"), sign(0xF061, "Arial")] == [
        "✓",
        "\ufffd",
        "≤",
        "\ufffd",
    ]
    assert [sign(0xD800, ""), sign(0x110000, ""), sign(-1, "")] == ["\ufffd"] * 3
    assert in_font("5 \uf06dg", "symbol") == "5 μg"
    assert in_font("\uf06d", "Arial") == "\uf06d"


def test_symbols_in_word(tmp_path: Path) -> None:
    def symbol(char: str, font: str = "Symbol") -> str:
        return f"<w:r><w:sym w:font='{font}' w:char='{char}'/></w:r>"

    fonts = "<w:rPr><w:rFonts w:ascii='Symbol' w:hAnsi='Symbol'/>{}</w:rPr>"
    body = f"<w:p><w:r><w:t>dose </w:t></w:r>{symbol('F0A3')}<w:r><w:t>5 </w:t></w:r>{symbol('F06D')}<w:r><w:t>g</w:t></w:r>"
    body += f"{symbol('F0FC', 'Wingdings')}{symbol('2713', 'Arial')}{symbol('x')}<w:r>{fonts.format('')}<w:t>\uf061</w:t></w:r>"
    body += f"<w:r>{fonts.format('<w:vanish/>')}<w:t>5</w:t><w:sym w:font='Symbol' w:char='F0B3'/></w:r></w:p>"
    document = one(tmp_path / "a.docx", write_docx(tmp_path / "a.docx", body).read_bytes())
    assert document.text == "dose ≤5 μg✓✓\ufffdα\n\n5≥"


def test_symbols_in_rtf(tmp_path: Path) -> None:
    fonts = r"{\fonttbl{\f0\fcharset0 Arial;}{\f3\fcharset2{\*\panose 0505}Symbol;}{\f10\fcharset2 Wingdings{\*\falt Xy};}}"
    field = r"{\field{\*\fldinst %s}{\fldrslt\f3 %s}}"
    body = r"dose {\f3\'a3 5 m}g {\f3\u-3999 ?} {\f10\'fc} " + field % (r'{SYMBOL 98 \\f "Symbol" \\s 10}', "b")
    body += field % (r"SYMBOL 252 \\f Wingdings", "") + field % ("SYMBOL 233", "") + field % ('HYPERLINK "x"', r"\f0 link")
    document = one(tmp_path / "a.rtf", rf"{{\rtf1\ansi{fonts}{body}}}".encode())
    assert document.text == "dose ≤ 5 μg α ✓ β✓élink"


def test_text_boxes_of_word_stand_apart(tmp_path: Path) -> None:
    table = f"<w:tbl><w:tr><w:tc>{paragraph('x')}</w:tc><w:tc>{paragraph('y')}</w:tc></w:tr></w:tbl>"
    box = f"<w:r><w:pict><w:txbxContent>{paragraph('Key point')}{paragraph('Read carefully')}{table}</w:txbxContent></w:pict></w:r>"
    body = f"<w:p>{box}<w:r><w:t>Otters </w:t></w:r>{box.replace('Key', 'Second')}<w:r><w:t>eat fish.</w:t></w:r></w:p>{paragraph('End')}"
    document = one(tmp_path / "a.docx", write_docx(tmp_path / "a.docx", body).read_bytes())
    assert document.text.split("\n\n") == [
        "Otters eat fish.", "Key point", "Read carefully", "x\ty", "Second point", "Read carefully", "x\ty", "End",
    ]  # fmt: skip


def test_charts_of_word_stand_apart(tmp_path: Path) -> None:
    body = "<w:p><w:r><w:drawing><c:chart xmlns:c='c' xmlns:r='r' r:id='c'/></w:drawing></w:r><w:r><w:t>Otters eat fish.</w:t></w:r></w:p>"
    data = zipped(
        {
            "word/document.xml": f"<w:document xmlns:w='{W}'><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": rels(c="chart:chart.xml"),
            "word/chart.xml": "<c:chart xmlns:c='c' xmlns:a='a'><a:p><a:r><a:t>Catch</a:t></a:r></a:p>"
            "<c:strCache><c:v>2020</c:v></c:strCache></c:chart>",
        }
    )
    assert one(tmp_path / "a.docx", data).text == "Otters eat fish.\n\nCatch\n2020"
