"""Where planted words are said to be, in each format that has places; and what of a file its readers do not see."""

from __future__ import annotations

import io
import random
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from documents_files import paragraph
from office_files import W, opendocument, pptx, rels, shape, xlsx, zipped
from one_file import one
from pdf_files import lines, write

import bookwheel
from bookwheel import Document
from bookwheel.documents.parts import Heading
from bookwheel.documents.places import Place, PlaceMap
from bookwheel.documents.readers.pdf import PDF
from bookwheel.documents.source import DEFAULT_FIELDS, Source

WORDS = "wind bread clock water stone paper light river field engine letter answer window garden copper winter".split()  # noqa: SIM905


def where(document: Document, words: str, last: str = "") -> Place:
    """Where ``words`` are, or all from them to ``last``."""
    start = document.text.index(words)
    end = document.text.index(last, start) + len(last) if last else start + len(words)
    return PlaceMap.load(PlaceMap.of(document).cell()).place(start, end, document.text)


def hidden(document: Document) -> dict[str, str]:
    """The hidden text by reason."""
    found: dict[str, str] = {}
    for span in document.hidden:
        found[span.reason] = found.get(span.reason, "") + document.text[span.start : span.end]
    return found


def read_pdf(path: Path) -> Document:
    (document,) = PDF.read(Source(str(path), path.stat().st_size, 0, "pdf"), DEFAULT_FIELDS)
    assert isinstance(document, Document)
    return document


# -- places --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [14, 200])
def test_planted_words_of_pages_have_their_page_and_label(tmp_path: Path, size: int) -> None:
    """Slides of a few words and full pages, whose sentences run over page ends: roman labels, then numbers, then a prefix."""
    chance = random.Random(size)
    flow = [chance.choice(WORDS) for _ in range(30 * size)]
    planted: dict[str, int] = {}
    for page in range(30):
        for at in {page * size, page * size + size // 2, page * size + size - 1}:
            flow[at] = (
                f"q{'abcdefghij'[at // 1000]}{'abcdefghij'[at // 100 % 10]}{'abcdefghij'[at // 10 % 10]}{'abcdefghij'[at % 10]}"
            )
            planted[flow[at]] = page + 1
    pages = [flow[at : at + size] for at in range(0, len(flow), size)]
    path = write(
        tmp_path / "a.pdf",
        [lines(*(" ".join(page[at : at + 9]) for at in range(0, size, 9))) for page in pages],
        labels="0<</S/r>>4<</S/D>>27<</S/D/P(A-)>>",
    )
    shown = ["i", "ii", "iii", "iv", *map(str, range(1, 24)), "A-1", "A-2", "A-3"]
    document = read_pdf(path)
    for word, page in planted.items():
        place = where(document, word)
        assert (place.page, place.last_page) == (page, page)
        assert str(place) == f"p. {shown[page - 1]} ({page})"
    first, last = pages[3][-1], pages[4][0]
    assert str(where(document, first, last)) == "p. iv-1 (4-5)"
    with bookwheel.open(tmp_path / "library", create=True, encoder=None, language="english") as library:
        library.index(path)
        found = library.search(last, 1, recipe="bm25")[0]
        assert found.where.page is not None
        assert found.where.last_page is not None
        assert found.where.page <= 5 <= found.where.last_page
        start = found.start + found.text.index(last)
        assert library.places(found.id, [(start, start + len(last))])[0].text("a.pdf") == "a.pdf p. 1 (5)"


def test_an_outline_gives_the_headings_of_pages(tmp_path: Path) -> None:
    first = lines(
        "A report", "Methods", *(f"How it was done {n}" for n in range(3)), "Data", *(f"What was seen {n}" for n in range(3))
    )
    second = lines(*(f"More that was seen {n}" for n in range(3)), "Results", "It works.")
    outline = [("Methods", 0, 695.0, 1), ("Data", 0, 640.0, 2), ("Of no line", 1, 690.0, 3), ("Results", 1, 660.0, 1)]
    document = read_pdf(write(tmp_path / "a.pdf", [first, second], outline=outline))
    assert where(document, "A report").heading == ()
    assert where(document, "done 1").heading == ("Methods",)
    assert where(document, "seen 2").text("a.pdf") == "a.pdf p. 1 > Methods > Data"
    assert where(document, "More that was seen 1").heading == ("Methods", "Data", "Of no line")
    assert where(document, "It works").heading == ("Results",)


MARKDOWN = """---
title: Notes
---
Before.

# One #

Text of one.

```
# no heading
```

### Deep

Below deep.

Two
===

Of two.

Three
-----

Of three.
"""


def test_headings_of_markup(tmp_path: Path) -> None:
    document = one(tmp_path / "a.md", MARKDOWN.encode())
    assert where(document, "Before").text("a.md") == "a.md:4"
    assert where(document, "Text of one").text("a.md") == "a.md:8 > One"
    assert where(document, "no heading").heading == ("One",)
    assert where(document, "Below deep").text("a.md") == "a.md:16 > One > Deep"
    assert where(document, "Of three").text("a.md") == "a.md:26 > Two > Three"
    rst = "=====\nTitle\n=====\n\nIntro.\n\nOne\n---\n\nAlpha.\n\nInner\n~~~~~\n\nBeta.\n\nTwo\n---\n\nGamma.\n"
    document = one(tmp_path / "a.rst", rst.encode())
    assert where(document, "Intro").heading == ("Title",)
    assert where(document, "Beta").text("a.rst") == "a.rst:15 > Title > One > Inner"
    assert where(document, "Gamma").heading == ("Title", "Two")  # a rule of ~ is no fence of code


def test_headings_of_web_pages(tmp_path: Path) -> None:
    body = "<p>Before.<h1> The <b>guide</b> </h1><p>Intro.<h2>Setup</h2><p>Install it.<h3><img></h3><p>Still setup.<h2>2. Use</h2>Do."
    document = one(tmp_path / "a.html", f"<!doctype html><title>t</title><body>{body}".encode())
    assert document.text == "Before.\n\nThe guide\n\nIntro.\n\nSetup\n\nInstall it.\n\nStill setup.\n\n2. Use\n\nDo."
    assert where(document, "Before").heading == ()
    assert where(document, "Install").text("a.html") == "a.html > The guide > Setup"
    assert where(document, "Still").heading == ("The guide", "Setup")
    assert where(document, "Do.").heading == ("The guide", "2. Use")


def test_control_characters_of_a_page_are_no_marks(tmp_path: Path) -> None:
    body = "<p>a\x1a2b &#26;3 c&#x1A;4d &#0026;x &#260; &#x1a1;<h1>Title</h1><p>end"
    document = one(tmp_path / "a.html", f"<!doctype html><title>t</title><body>{body}".encode())
    assert document.text == "a2b 3 c4d x \u0104 \u01a1\n\nTitle\n\nend"
    assert document.headings == (Heading(document.text.index("Title"), 1, "Title"),)


def test_headings_of_word_and_opendocument(tmp_path: Path) -> None:
    def styled(style: str, text: str) -> str:
        return f"<w:p><w:pPr><w:pStyle w:val='{style}'/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"

    styles = (
        f"<w:styles xmlns:w='{W}'><w:style w:type='paragraph' w:styleId='berschrift1'><w:name w:val='heading 1'/></w:style>"
        "<w:style w:type='paragraph' w:styleId='Own'><w:name w:val='Mine'/><w:pPr><w:outlineLvl w:val='1'/></w:pPr></w:style>"
        "<w:style w:type='paragraph' w:styleId='Derived'><w:name w:val='Other'/><w:basedOn w:val='Own'/></w:style></w:styles>"
    )
    body = styled("berschrift1", "Methods") + paragraph("as such") + styled("Own", "Data") + paragraph("rows")
    body += styled("Derived", "Tools") + paragraph("hammers") + styled("berschrift1", "Results") + paragraph("good")
    data = zipped(
        {
            "_rels/.rels": rels(a="officeDocument:word/document.xml"),
            "word/document.xml": f"<w:document xmlns:w='{W}'><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": rels(a="styles:styles.xml"),
            "word/styles.xml": styles,
        }
    )
    document = one(tmp_path / "a.docx", data)
    assert where(document, "as such").text("a.docx") == "a.docx > Methods"
    assert where(document, "rows").heading == ("Methods", "Data")
    assert where(document, "hammers").heading == ("Methods", "Tools")
    assert where(document, "good").heading == ("Results",)
    text = "<text:h text:outline-level='1'>Methods</text:h><text:p>as such</text:p>"
    text += "<text:h text:outline-level='2'>Data</text:h><text:p>rows</text:p>"
    document = one(tmp_path / "a.odt", opendocument("text", text))
    assert where(document, "rows").text("a.odt") == "a.odt > Methods > Data"


def test_headings_of_manuals_and_books(tmp_path: Path) -> None:
    document = one(tmp_path / "owl.man", b".TH OWL 1\n.SH NAME\nowl \\- a bird\n.SH OPTIONS\nfew\n.SS Loud\n.TP\n-l\nhoots\n")
    assert where(document, "a bird").heading == ("NAME",)
    assert where(document, "hoots").heading == ("OPTIONS", "Loud")
    latex = "\\documentclass{article}\n\\begin{document}\n"
    latex += "\\section{One \\emph{big}}\nAlpha.\n% \\section{No}\n\\subsection*{In}\nBeta.\n\\end{document}"
    document = one(tmp_path / "a.tex", latex.encode())
    assert where(document, "Alpha").text("a.tex") == "a.tex:4 > One big"
    assert where(document, "Beta").text("a.tex") == "a.tex:7 > One big > In"
    book = "<section><title><p>First</p></title><p>alpha</p><section><title><p>Inner</p></title><p>beta</p></section></section>"
    fb2 = f"<FictionBook><description/><body>{book}<section><p>gamma</p></section></body></FictionBook>"
    document = one(tmp_path / "a.fb2", fb2.encode())
    assert where(document, "beta").text("a.fb2") == "a.fb2 chapter 1 > First > Inner"
    chapters = {
        f"c{n}.xhtml": f"<html><body><h1>Chapter {n}</h1><p>text{n}</p><h2>In</h2><p>deep{n}</p></body></html>" for n in (1, 2)
    }
    manifest = "".join(f"<item id='i{n}' href='c{n}.xhtml' media-type='application/xhtml+xml'/>" for n in (1, 2))
    package = f"<package><manifest>{manifest}</manifest><spine><itemref idref='i1'/><itemref idref='i2'/></spine></package>"
    container = "<container><rootfiles><rootfile full-path='p.opf'/></rootfiles></container>"
    data = zipped({"mimetype": "application/epub+zip", "META-INF/container.xml": container, "p.opf": package, **chapters})
    document = one(tmp_path / "a.epub", data)
    assert where(document, "text2").text("a.epub") == "a.epub chapter 2 > Chapter 2"
    assert where(document, "deep2").heading == ("Chapter 2", "In")
    assert where(document, "text1", "text2").part == "chapter 1-2"


def test_attachments_keep_their_own_places(tmp_path: Path) -> None:
    pdf = write(tmp_path / "plan.pdf", [lines("The plan begins"), lines("The plan ends")], labels="0<</S/R>>").read_bytes()
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "Plans", "ada@example.org"
    mail.set_content("See the plan.")
    mail.add_attachment(pdf, maintype="application", subtype="pdf", filename="plan.pdf")
    mail.add_attachment(b"# Head\n\nnotes <!-- unsaid --> here\n", maintype="text", subtype="markdown", filename="notes.md")
    mail.add_attachment(b"plain words", maintype="text", subtype="plain", filename="last.txt")
    document = one(tmp_path / "a.eml", bytes(mail))
    assert where(document, "plan ends").text("a.eml") == "a.eml attachment plan.pdf p. II (2)"
    assert where(document, "notes <").text("a.eml") == "a.eml attachment notes.md > Head"
    assert where(document, "plain words").text("a.eml") == "a.eml attachment last.txt"
    assert hidden(document) == {"comment": "<!-- unsaid -->"}


# -- hidden text ---------------------------------------------------------------------------------------------------------


def content(*pieces: str) -> str:
    return "\n".join(pieces)


def text(words: str, y: int, *, size: float = 11, x: int = 72, more: str = "") -> str:
    return f"BT /F1 {size} Tf {more} 1 0 0 1 {x} {y} Tm ({words}) Tj ET"


PICTURE = (
    "<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/Length 1>>stream\nx\nendstream"
)


def test_words_of_a_pdf_that_nobody_sees(tmp_path: Path) -> None:
    page = content(
        text("These words are seen", 700),
        "1 1 1 rg",
        text("white on white", 680),
        "0 0 0.5 rg 60 655 400 20 re f 1 1 1 rg",
        text("white on blue", 660),
        "0 g",
        text("of one point", 640, size=1),
        text("painted with nothing", 620, more="3 Tr"),
        text("outlines only", 600, more="1 Tr"),
        text("filled again", 580, more="0 Tr"),
        text("beside the page", 700, x=900),
    )
    document = read_pdf(write(tmp_path / "a.pdf", [lines("First page"), page]))
    assert hidden(document) == {
        "white text": "white on white",
        "text of a point's height": "of one point",
        "invisible text": "painted with nothing",
        "text outside the page": "beside the page",
    }
    for words in ("These words are seen", "white on blue", "outlines only", "filled again"):
        assert where(document, words).hidden == ()
    assert where(document, "white on white").text("a.pdf") == "a.pdf p. 2, hidden text"
    assert document.text.index("filled again") < min(span.start for span in document.hidden)


def test_words_that_are_painted_over(tmp_path: Path) -> None:
    page = content(
        text("These words are seen", 700),
        text("redacted in black", 680),
        "0 0 0 rg 60 675 400 16 re f",
        "0 g",
        text("redacted in white", 640),
        "1 1 1 rg 60 635 400 16 re f 0 g",
        text("on a ground of grey", 600, more="0 g"),
        "0.8 g 60 560 400 16 re f 0 g",
        text("drawn after the ground", 564),
        text("in a frame", 520),
        "60 515 400 16 re S",
        text("beside a box", 480),
        "0 g 300 475 100 16 re f",
        text("in a ring", 440),
        "0 g 50 420 400 40 re 60 425 380 30 re f*",
        text("cut away from the box", 400),
        "q 0 0 10 10 re W n 0 g 60 395 400 16 re f Q",
    )
    document = read_pdf(write(tmp_path / "a.pdf", [page]))
    assert hidden(document) == {"text that is painted over": "redacted in black\nredacted in white"}
    for words in (
        "These words are seen",
        "on a ground of grey",
        "drawn after",
        "in a frame",
        "beside a box",
        "in a ring",
        "cut away",
    ):
        assert where(document, words).hidden == ()


def test_words_under_a_picture_are_text(tmp_path: Path) -> None:
    scan = content(text("recognised words under the scan", 600), "q 600 0 0 700 0 0 cm /I Do Q")
    document = read_pdf(write(tmp_path / "a.pdf", [scan], more=[PICTURE]))
    assert (document.text.strip(), document.hidden) == ("recognised words under the scan", ())


def test_recognised_words_over_a_scan_are_its_text(tmp_path: Path) -> None:
    scan = content("q 600 0 0 700 0 0 cm /I Do Q", text("recognised words of the scan", 600, more="3 Tr"))
    document = read_pdf(write(tmp_path / "a.pdf", [scan], more=[PICTURE]))
    assert (document.text.strip(), document.hidden) == ("recognised words of the scan", ())


def test_hidden_parts_of_office_files(tmp_path: Path) -> None:
    slides = [shape("second slide"), shape("a slide left out"), shape("first slide")]
    data = pptx(slides)
    path = tmp_path / "a.pptx"
    document = one(path, data)
    assert document.hidden == ()
    members = {"ppt/slides/slide2.xml": "<p:sld show='0' "}
    document = one(path, _with(data, members))
    assert hidden(document)["hidden slide"].strip() == "a slide left out"
    assert where(document, "left out").text("a.pptx") == "a.pptx slide 2"

    def row(number: int, *cells: str, more: str = "") -> str:
        made = "".join(f"<c r='{'ABC'[at]}{number}' t='inlineStr'><is><t>{cell}</t></is></c>" for at, cell in enumerate(cells))
        return f"<row r='{number}'{more}>{made}</row>"

    sheet = (
        "<cols><col min='2' max='2' hidden='1'/></cols><sheetData>"
        + row(1, "Name", "Pin", "Town")
        + row(2, "Ada", "4711", "Bonn")
    )
    sheet += row(3, "Eve", "4712", "Rome", more=" hidden='1'") + row(4, "Bob", "4713", "Oslo") + "</sheetData>"
    document = one(
        tmp_path / "a.xlsx",
        xlsx({"Open": sheet, "Shut": "<sheetData>" + row(1, "under wraps") + "</sheetData>"}, [], states=" state='hidden'"),
    )
    unseen = hidden(document)
    assert "under wraps" in unseen["hidden sheet"]
    for words in ("4711", "4712", "4713", "Eve", "Rome"):
        assert words in unseen["hidden cells"]
    for words in ("Ada", "Bonn", "Oslo"):
        assert words not in "".join(unseen.values())
        assert where(document, words).hidden == ()
    assert where(document, "Oslo").text("a.xlsx") == "a.xlsx Open!A4:C4"
    assert where(document, "Bonn", "Oslo").part == "Open!A2:C4"


def _with(data: bytes, starts: dict[str, str]) -> bytes:
    """A package with other starts of its slides."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        members = {name: file.read(name).decode() for name in file.namelist()}
    return zipped(
        {name: starts[name] + one.removeprefix("<p:sld ") if name in starts else one for name, one in members.items()}
    )


def test_hidden_runs_of_word_and_rtf(tmp_path: Path) -> None:
    def run(words: str, properties: str = "") -> str:
        return f"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{words}</w:t></w:r>"

    runs = [run("Seen "), run("vanished", "<w:vanish/>"), run("too", "<w:vanish w:val='0'/>"), run("dust", "<w:sz w:val='2'/>")]
    styled = run("styled away", "<w:rStyle w:val='Secret'/>")
    body = f"<w:p>{''.join(runs)}</w:p><w:p>{styled}</w:p>"
    styles = f"<w:styles xmlns:w='{W}'><w:style w:type='character' w:styleId='Secret'><w:rPr><w:vanish/></w:rPr></w:style></w:styles>"
    data = zipped(
        {
            "_rels/.rels": rels(a="officeDocument:word/document.xml"),
            "word/document.xml": f"<w:document xmlns:w='{W}'><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": rels(a="styles:styles.xml"),
            "word/styles.xml": styles,
        }
    )
    document = one(tmp_path / "a.docx", data)
    assert document.text.startswith("Seen too\n\n")
    assert hidden(document) == {"hidden text": "vanished\nstyled away", "text of a point's height": "dust"}
    document = one(tmp_path / "a.rtf", rb"{\rtf1 Seen {\v not seen} words\par {\v\plain again}}")
    assert (document.text, hidden(document)) == ("Seen  words\n\nagain\n\nnot seen", {"hidden text": "not seen"})


def test_hidden_parts_of_opendocument(tmp_path: Path) -> None:
    def style(name: str, properties: str) -> str:
        return f"<style:style style:name='{name}'>{properties}</style:style>"

    def written(kind: str, body: str, styles: str) -> bytes:
        whole = opendocument(kind, body)
        with zipfile.ZipFile(io.BytesIO(whole)) as file:
            content = file.read("content.xml").decode()
        styled = content.replace("<office:body>", f"<office:automatic-styles>{styles}</office:automatic-styles><office:body>")
        return zipped({"content.xml": styled})

    secret = style("T1", "<style:text-properties text:display='none'/>")
    body = "<text:p>Seen <text:span text:style-name='T1'>not seen</text:span> words</text:p>"
    body += "<text:section text:display='none'><text:p>a hidden section</text:p></text:section><text:p>end</text:p>"
    document = one(tmp_path / "a.odt", written("text", body, secret))
    assert document.text.startswith("Seen  words\n\nend\n\n")
    assert hidden(document) == {"hidden text": "not seen\na hidden section"}

    def row(*cells: str, more: str = "") -> str:
        shown = "".join(
            f"<table:table-cell office:value-type='string'><text:p>{cell}</text:p></table:table-cell>" for cell in cells
        )
        return f"<table:table-row{more}>{shown}</table:table-row>"

    columns = "<table:table-column/><table:table-column table:visibility='collapse'/><table:table-column/>"
    rows = (
        row("Name", "Pin", "Town") + row("Ada", "4711", "Bonn") + row("Eve", "4712", "Rome", more=" table:visibility='filter'")
    )
    sheets = f"<table:table table:name='Open'>{columns}{rows}{row('Bob', '4713', 'Oslo')}</table:table>"
    sheets += f"<table:table table:name='Shut' table:style-name='ta1'>{row('under wraps')}</table:table>"
    shut = style("ta1", "<style:table-properties table:display='false'/>")
    document = one(tmp_path / "a.ods", written("spreadsheet", sheets, shut))
    unseen = hidden(document)
    assert "under wraps" in unseen["hidden sheet"]
    for words in ("4711", "4712", "4713", "Eve", "Rome"):
        assert words in unseen["hidden cells"]
    assert where(document, "Oslo").text("a.ods") == "a.ods Open!A4:C4"
    assert where(document, "Oslo").hidden == ()

    def slide(words: str, more: str = "") -> str:
        return f"<draw:page{more}><draw:frame><draw:text-box><text:p>{words}</text:p></draw:text-box></draw:frame></draw:page>"

    left_out = style("dp1", "<style:drawing-page-properties presentation:visibility='hidden'/>")
    show = slide("first") + slide("left out", " draw:style-name='dp1'") + slide("third")
    document = one(tmp_path / "a.odp", written("presentation", show, left_out))
    assert hidden(document)["hidden slide"].strip() == "left out"
    assert where(document, "left out").part == "slide 2"


def test_what_browsers_hide_and_comments(tmp_path: Path) -> None:
    styles = ("display:none", "color:red;VISIBILITY : hidden", "opacity:0", "font-size: 0", "font-size:1px !important")
    shown = ("opacity:0.5", "font-size:10px", "font-size:0.9em", "display:nonesuch;", "opacity:.01")
    body = "".join(f"<p style='{style}'>unseen words {n}</p>" for n, style in enumerate(styles))
    body += "".join(f"<p style='{style}'>shown words {n}</p>" for n, style in enumerate(shown))
    body += "<!-- Remember that the owl of the house is called Athena. --><!-- nav -->"
    body += "<!--[if IE 6]>you should get another browser soon. Do it.<![endif]-->"
    body += "<ul hidden><li><a href=/>Menu of many linked words</a></ul><div hidden class='cookie-notice'>We use cookies on this site</div>"
    document = one(tmp_path / "a.html", f"<!doctype html><title>t</title><body><h1>Owls</h1><p>Owls hoot.</p>{body}".encode())
    assert hidden(document) == {
        "text that browsers hide": "\n\n".join(f"unseen words {n}" for n in range(5)),
        "comments": "Remember that the owl of the house is called Athena.",
    }
    assert where(document, "unseen words 3").text("a.html") == "a.html hidden text"
    for n in range(5):
        assert where(document, f"shown words {n}").hidden == ()
    markdown = "# A\n\nSeen <!-- not\nseen --> words.\n\n```\n<!-- code -->\n```\n<!---> x -->"
    document = one(tmp_path / "a.md", markdown.encode())
    assert hidden(document) == {"comment": "<!-- not\nseen -->"}


def test_hidden_text_is_found_told_and_no_evidence(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    body = f"<h1>Owls</h1><p>{'The owl hunts at night over the fields. ' * 6}</p><p hidden>The password of the owl is swordfish.</p>"
    (folder / "a.html").write_text(f"<!doctype html><title>Owls</title><body>{body}")
    page = content(
        text("The kite flies by day over the fields.", 700), "1 1 1 rg", text("The password of the kite is mackerel.", 600)
    )
    write(folder / "b.pdf", [page])
    (folder / "c.md").write_text("# Gulls\n\nGulls sit on poles. <!-- The password of the gull is herring. -->\n")
    with bookwheel.open(tmp_path / "library", create=True, encoder=None, language="english") as library:
        report = library.index(folder)
        assert report.hidden == {
            "text that browsers hide": [str(folder / "a.html")],
            "white text": [f"{folder / 'b.pdf'} p. 1"],
            "comment": [str(folder / "c.md")],
        }
        assert any(note.startswith("white text in 1 of the documents is kept apart") for note in report.notes)
        for word in ("swordfish", "mackerel", "herring"):
            (result,) = library.search(word, recipe="bm25")
            shown = result.where.shown(result.start, result.end)
            assert word in "".join(result.text[start:end] for start, end in result.hidden)
            assert "(hidden: " in repr(library.search(word, recipe="bm25"))
            assert word not in "".join(library[result.id].text[start:end] for start, end in shown)
        for bird in ("owl", "kite", "gull"):
            answer = library.ask(f"What is the password of the {bird}?")
            assert not any(word in str(answer) for word in ("swordfish", "mackerel", "herring"))
