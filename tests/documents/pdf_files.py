"""Writes small PDFs for the tests, object by object."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bookwheel.documents.document import Document
from bookwheel.documents.readers.pdf import PDF
from bookwheel.documents.source import DEFAULT_FIELDS, Source

Text = tuple[float, float, float, str]
"""Left, height, size, words (WinAnsi)."""


COLUMNS = [
    [
        "Kites fly because",
        "the wind lifts the",
        "sail upward when",
        "the line is held.",
        "They fall as soon",
        "as the wind stops.",
    ],
    ["Bread rises when", "yeast makes gas", "inside the dough", "kept in a warm room.", "It must be baked", "before it sinks."],
    [
        "Clocks tick since",
        "a spring drives the",
        "wheel and the anchor",
        "stops it each beat.",
        "One winds them up",
        "once in eight days.",
    ],
]
"""Lines of running text."""


def escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def drawn(texts: Sequence[Text]) -> str:
    """A page's content: each text at its place, in this order."""
    return "BT " + " ".join(f"/F1 {size} Tf 1 0 0 1 {x} {y} Tm ({escaped(text)}) Tj" for x, y, size, text in texts) + " ET"


def lines(*texts: str, x: float = 72, y: float = 700, size: float = 11, step: float = 14) -> list[Text]:
    """Lines below each other."""
    return [(x, y - number * step, size, text) for number, text in enumerate(texts)]


def write(
    path: Path,
    pages: Sequence[Sequence[Text] | str],
    *,
    annotations: dict[int, Sequence[str]] | None = None,
    fields: str = "",
    outline: Sequence[tuple[str, int, float] | tuple[str, int, float, int]] = (),
    labels: str = "",
    info: str = "",
    font: str = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    more: Sequence[str] = (),
    catalog: str = "",
) -> Path:
    """A PDF of these pages (texts, or content streams); object 1 is its font, ``more`` the objects from 2 on.

    ``outline``: title, page (from 0), height and perhaps level (from 1); ``labels``: the array of a tree of page labels;
    ``catalog``: more of the catalog's entries.
    """
    objects = [font, *more]

    def add(body: str) -> int:
        objects.append(body)
        return len(objects)

    tree = len(objects) + 1
    objects.append("")
    kids: list[int] = []
    for number, page in enumerate(pages):
        content = page if isinstance(page, str) else drawn(page)
        stream = add(f"<</Length {len(content)}>>stream\n{content}\nendstream")
        notes = [add(body) for body in (annotations or {}).get(number, ())]
        listed = f"/Annots[{' '.join(f'{note} 0 R' for note in notes)}]" if notes else ""
        images = "/XObject<</I 2 0 R>>" if more else ""
        kids.append(
            add(
                f"<</Type/Page/Parent {tree} 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 1 0 R>>{images}>>"
                f"/Contents {stream} 0 R{listed}>>"
            )
        )
        fields = fields or " ".join(f"{note} 0 R" for note in notes if "/Widget" in objects[note - 1])
    objects[tree - 1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(f'{kid} 0 R' for kid in kids)}]>>"
    extra = f"/AcroForm<</Fields[{fields}]>>" if fields else ""
    if outline:
        first = len(objects) + 2
        levels = [(entry[3] if len(entry) > 3 else 1) for entry in outline]
        above = [max((a for a in range(n) if levels[a] < levels[n]), default=-1) for n in range(len(levels))]

        def inside(parent: int) -> str:
            kids_of = [n for n, a in enumerate(above) if a == parent]
            return f"/First {first + kids_of[0]} 0 R/Last {first + kids_of[-1]} 0 R/Count {len(kids_of)}" if kids_of else ""

        root = add(f"<</Type/Outlines{inside(-1)}>>")
        for number, (title, page_number, top, *_) in enumerate(outline):
            after = next((n for n in range(number + 1, len(above)) if above[n] == above[number]), None)
            following = f"/Next {first + after} 0 R" if after is not None else ""
            parent = root if above[number] < 0 else first + above[number]
            place = f"/Dest[{kids[page_number]} 0 R/XYZ 0 {top} 0]{following}{inside(number)}"
            add(f"<</Title({escaped(title)})/Parent {parent} 0 R{place}>>")
        extra += f"/Outlines {root} 0 R"
    if labels:
        extra += f"/PageLabels<</Nums[{labels}]>>"
    catalog = add(f"<</Type/Catalog/Pages {tree} 0 R{extra}{catalog}>>")
    told = add(f"<<{info}>>")
    data = b"%PDF-1.7\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252")
    start = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += f"trailer<</Size {len(objects) + 1}/Root {catalog} 0 R/Info {told} 0 R>>\nstartxref\n{start}\n%%EOF\n".encode()
    path.write_bytes(data)
    return path


def only(path: Path) -> Document:
    """The one document of a PDF."""
    (document,) = PDF.read(Source(str(path), path.stat().st_size, 0, "pdf"), DEFAULT_FIELDS)
    assert isinstance(document, Document)
    return document


def body(page: int) -> list[str]:
    """Lines of text, others on each page."""
    things = ["kites", "bread", "clocks", "rain", "paper", "salt", "glass", "wool", "ink", "stone"]
    return [f"On {things[(page * 3 + row) % 10]} and {things[(page * 7 + row) % 10]}: remark {page} {row}." for row in range(8)]
