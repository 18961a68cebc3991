"""Whether the page of a word is known: words planted in files made here, looked for in a library of them.

    python bench/pages.py               (needs fpdf2, python-docx, python-pptx, openpyxl, odfpy and EbookLib)
    python bench/pages.py --keep        (writes docs/results/pages.json)

300 words in 20 PDFs: papers in two columns, slides of 12 to 30 words, books whose sentences run over the ends of pages; with roman
labels, and labels with a prefix. 20 more in each other format that has places. Of each word the place of its span is compared with
where it was put, and beside it the page on which its passage begins, which is what a passage alone knows. The files are made with
a seed, so that any two runs compare the same.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common import ROOT, keep, table

sys.path.insert(0, str(ROOT / "src"))

PDFS, WORDS, OTHERS = 20, 300, 20
COMMON = """the a of in and to wind bread clock water stone paper light river field engine letter answer window garden copper
winter market signal bottle canvas harbour valley method sample measure theory record number figure table rises falls turns
holds keeps shows moves grows burns cools slowly often never again before after under between""".split()  # noqa: SIM905


@dataclass
class Planted:
    """A word, and where it was put."""

    word: str
    file: Path
    place: str
    """As `Place` says it."""
    kind: str
    page: int = 0
    over: str = ""
    """Of a word that begins a page in mid-sentence, the one before it: the span of both is on two pages."""


@dataclass
class Maker:
    """Makes text with words planted in it."""

    chance: random.Random
    folder: Path
    planted: list[Planted] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def word(self) -> str:
        """A word that there is but once."""
        while True:
            made = "".join(self.chance.choice("bdfgklmnprtvz") + self.chance.choice("aeiou") for _ in range(4)) + "x"
            if made not in self.used:
                self.used.add(made)
                return made

    def prose(self, count: int) -> list[str]:
        """So many words of sentences."""
        words: list[str] = []
        while len(words) < count:
            length = self.chance.randint(9, 24)
            sentence = [self.chance.choice(COMMON) for _ in range(length)]
            sentence[0] = sentence[0].capitalize()
            sentence[-1] += "."
            words += sentence
        return words[:count]


def label(number: int, front: int, appendix: int) -> str:
    """What is printed on page ``number``: roman in the ``front`` matter, with a prefix from page ``appendix`` on."""
    if number <= front:
        return ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii")[number - 1]
    return f"A-{number - appendix + 1}" if number >= appendix else str(number - front)


def said(number: int, shown: str) -> str:
    """A page and its label as people say them."""
    return f"p. {number}" if shown == str(number) else f"p. {shown} ({number})"


def pdf(maker: Maker, number: int, words: int) -> None:
    """A file of one of the three kinds with ``words`` planted."""
    from fpdf import FPDF

    chance = maker.chance
    kind = ("paper in columns", "slides", "book")[number % 3]
    path = maker.folder / f"{number:02}-{kind.split()[0]}.pdf"
    count, size = {"paper in columns": (8, 480), "slides": (24, 0), "book": (14, 330)}[kind]
    front, appendix = (3, count - 1) if number % 2 else (0, count + 1)
    sizes = [size or chance.randint(12, 30) for _ in range(count)]
    flow = maker.prose(sum(sizes))
    starts = [sum(sizes[:at]) for at in range(count)]
    places = sorted(chance.sample(range(count * 100), words))
    for at in sorted({place % count for place in places}):
        for turn, _ in enumerate(place for place in places if place % count == at):
            made = maker.word()
            # On each page the first is the page's first word: the sentence before goes on there.
            where = starts[at] + (0 if not turn else chance.randrange(1, sizes[at]))
            while flow[where].endswith("x"):
                where = starts[at] + chance.randrange(1, sizes[at])
            flow[where] = made
            over = ""
            if kind == "book" and not turn and at:
                flow[where - 1] = flow[where - 1].rstrip(".")
                over = flow[where - 1]
            shown = label(at + 1, front, appendix)
            maker.planted.append(Planted(made, path, said(at + 1, shown), f"PDF: {kind}", at + 1, over))
    file = FPDF(format="A4", unit="pt")
    file.set_font("Helvetica", size=18 if kind == "slides" else 10)
    for at in range(count):
        given: dict[str, Any] = {}
        if front and at == 0:
            given = {"label_style": "r", "label_start": 1}
        elif front and at == front:
            given = {"label_style": "D", "label_start": 1}
        elif front and at + 1 == appendix:
            given = {"label_style": "D", "label_prefix": "A-", "label_start": 1}
        file.add_page(**given)
        words_here = flow[starts[at] : starts[at] + sizes[at]]
        if kind != "slides":
            file.text(60, 40, f"On wind and bread, volume {number}")
        _draw(file, words_here, kind, rows=number % 4 == 0)
    file.output(str(path))


def _draw(file: Any, words: list[str], kind: str, *, rows: bool) -> None:
    width, wide = {"paper in columns": (7, 2), "slides": (6, 1), "book": (13, 1)}[kind]
    lines = [" ".join(words[at : at + width]) for at in range(0, len(words), width)]
    column = -(-len(lines) // wide)
    step = 30 if kind == "slides" else 14
    drawn = [(60 + 260 * (at // column), 90 + step * (at % column), line) for at, line in enumerate(lines)]
    if rows:  # as some programs draw columns
        drawn.sort(key=lambda one: one[1])
    for x, y, line in drawn:
        file.text(x, y, line)


def others(maker: Maker) -> None:
    """A file of each other format that has places."""
    for make in (_pptx, _xlsx, _odp, _epub, _docx, _html, _markdown):
        make(maker)


def _plant(maker: Maker, path: Path, place: str, kind: str, words: int = 25) -> str:
    """A paragraph with a word that is planted at ``place``."""
    flow, made = maker.prose(words), maker.word()
    flow[maker.chance.randrange(1, words)] = made
    maker.planted.append(Planted(made, path, place, kind))
    return " ".join(flow)


def _pptx(maker: Maker) -> None:
    from pptx import Presentation

    show, path = Presentation(), maker.folder / "talk.pptx"
    for number in range(1, OTHERS + 1):
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = f"Point {number}"
        slide.placeholders[1].text = _plant(maker, path, f"slide {number}", "PPTX", 14)
    show.save(str(path))


def _xlsx(maker: Maker) -> None:
    from openpyxl import Workbook

    book, path = Workbook(), maker.folder / "book.xlsx"
    book.remove(book.active)
    for name in ("Sales", "Costs"):
        sheet = book.create_sheet(name)
        sheet.append(["Name", "Sum", "Note"])
        for number in range(2, 2 + 5 * OTHERS):
            sheet.append([f"{maker.chance.choice(COMMON)} {number}", number, " ".join(maker.prose(4))])
        for number in maker.chance.sample(range(2, 2 + 5 * OTHERS), OTHERS // 2):
            sheet.cell(number, 3).value = _plant(maker, path, f"{name}!A{number}:C{number}", "XLSX", 4)
    book.save(path)


def _odp(maker: Maker) -> None:
    from odf.draw import Frame, Page, TextBox
    from odf.opendocument import OpenDocumentPresentation
    from odf.style import MasterPage, PageLayout
    from odf.text import P

    show, path = OpenDocumentPresentation(), maker.folder / "talk.odp"
    layout = PageLayout(name="layout")
    show.automaticstyles.addElement(layout)
    master = MasterPage(name="master", pagelayoutname=layout)
    show.masterstyles.addElement(master)
    for number in range(1, OTHERS + 1):
        page = Page(masterpagename=master)
        frame, box = Frame(width="400pt", height="200pt", x="10pt", y="10pt"), TextBox()
        box.addElement(P(text=_plant(maker, path, f"slide {number}", "ODP", 14)))
        frame.addElement(box)
        page.addElement(frame)
        show.presentation.addElement(page)
    show.save(str(path))


def _epub(maker: Maker) -> None:
    from ebooklib import epub

    book, path = epub.EpubBook(), maker.folder / "book.epub"
    book.set_identifier("places")
    book.set_title("A book")
    chapters = []
    for number in range(1, OTHERS + 1):
        chapter = epub.EpubHtml(title=f"Part {number}", file_name=f"c{number}.xhtml")
        text = _plant(maker, path, f"chapter {number} > Part {number} > Inside {number}", "EPUB", 60)
        chapter.content = f"<h1>Part {number}</h1><p>{' '.join(maker.prose(40))}</p><h2>Inside {number}</h2><p>{text}</p>"
        book.add_item(chapter)
        chapters.append(chapter)
    book.spine = chapters
    book.add_item(epub.EpubNcx())
    epub.write_epub(str(path), book)


def _sections(maker: Maker, path: Path, kind: str, line: int = 0) -> Iterator[tuple[int, str, str]]:
    """Level, heading and paragraph of sections that are not in the order of their levels; from ``line`` on, four lines each."""
    above: list[tuple[int, str]] = []
    for number in range(1, OTHERS + 1):
        level = 1 if number == 1 else maker.chance.randint(1, min(3, above[-1][0] + 1))
        above = [*(one for one in above if one[0] < level), (level, f"Part {number}")]
        place = " > ".join(title for _, title in above)
        if line:
            place = f"line {line + 4 * (number - 1) + 2} > {place}"
        yield level, f"Part {number}", _plant(maker, path, place, kind, 40)


def _docx(maker: Maker) -> None:
    from docx import Document

    file, path = Document(), maker.folder / "report.docx"
    for level, heading, text in _sections(maker, path, "DOCX headings"):
        file.add_heading(heading, level)
        file.add_paragraph(text)
    file.save(str(path))


def _html(maker: Maker) -> None:
    path = maker.folder / "manual.html"
    body = "".join(f"<h{n}>{heading}</h{n}><p>{text}</p>" for n, heading, text in _sections(maker, path, "HTML headings"))
    path.write_text(f"<!doctype html><title>A manual</title><body>{body}")


def _markdown(maker: Maker) -> None:
    path = maker.folder / "notes.md"
    path.write_text("".join(f"{'#' * n} {h}\n\n{text}\n\n" for n, h, text in _sections(maker, path, "Markdown", 1)))


def measure() -> list[list[Any]]:
    """A row for each kind: how many words were planted, found, placed right, and right by their passages alone."""
    import bookwheel

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "files").mkdir()
        maker = Maker(random.Random(13), folder / "files")
        for number in range(PDFS):
            pdf(maker, number, WORDS // PDFS)
        others(maker)
        rows: dict[str, list[Any]] = {}
        wrong: list[str] = []
        with bookwheel.open(folder / "library", create=True, encoder=None, language="english") as library:
            report = library.index(folder / "files")
            assert not report.failures, report.failures
            for one in maker.planted:
                row = rows.setdefault(one.kind, [one.kind, 0, 0, 0, 0, 0, 0])
                row[1] += 1
                result = next((found for found in library.search(one.word, 1) if one.word in found.text), None)
                if result is None:
                    wrong.append(f"{one} was not found")
                    continue
                row[2] += 1
                start = result.start + result.text.index(one.word)
                place = library.places(result.id, [(start, start + len(one.word))])[0]
                row[3] += str(place) == one.place
                if str(place) != one.place:
                    wrong.append(f"{one} is said to be at {place}")
                row[4] += str(result.where) == one.place or (one.page > 0 and result.where.page == one.page)
                if one.over:
                    row[5] += 1
                    before = library[result.id].text.rindex(one.over, 0, start)
                    both = library.places(result.id, [(before, start + len(one.word))])[0]
                    row[6] += (both.page, both.last_page) == (one.page - 1, one.page)
    for line in wrong[:10]:
        print(line, file=sys.stderr)
    return [
        ["planted in", "words", "found", "place right", "right by passage", "over page ends", "both pages right"],
        *rows.values(),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="write docs/results/pages.json")
    given = parser.parse_args()
    heads, *rows = measure()
    print(table(heads, rows))
    if given.keep:
        keep("pages", {"rows": [dict(zip(heads, row, strict=True)) for row in rows]})
    sys.exit(0 if all(row[1] == row[2] == row[3] and row[5] == row[6] for row in rows) else 1)


if __name__ == "__main__":
    main()
