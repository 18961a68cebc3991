"""Where spans of stored documents are: every span, in every format, after reading, storing, compacting and exporting."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel import Document, LibraryDamaged, Place, UsageError
from bookwheel.cli.main import main
from bookwheel.documents.document import Heading, Hidden, Part
from bookwheel.documents.passages import spans_of_document
from bookwheel.documents.places import PlaceMap
from bookwheel.documents.written_places import placed

WORDS = st.sampled_from(["owl", "a", "\n", "\n\n", " ", "héron.", "鷺。", "It flies", "# Nest\n", "🦉"])


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A document with everything that tells places."""
    text = "".join(draw(st.lists(WORDS, max_size=60)))
    offsets = st.integers(0, len(text))
    starts = sorted(draw(st.lists(offsets, max_size=5)))
    pages = (0, *starts) if draw(st.booleans()) else ()
    labels = tuple(draw(st.sampled_from(["", "i", "A-3", str(n)])) for n in range(1, len(pages) + 1))
    headings = tuple(
        Heading(start, draw(st.integers(0, 3)), draw(st.sampled_from(["One", "Two", "Drei"])))
        for start in sorted(draw(st.lists(offsets, max_size=5)))
    )
    parts: list[Part] = []
    if draw(st.booleans()):
        for number, start in enumerate(sorted(draw(st.lists(offsets, max_size=4))), 1):
            cells = draw(st.booleans())
            parts.append(
                Part(start, "Sales", "B:D", 3 * number, 0, 2)
                if cells
                else Part(start, f"slide {number}", page=draw(st.integers(0, 2)))
            )
    bounds = sorted(draw(st.lists(offsets, max_size=6, unique=True)))
    hidden = tuple(Hidden(a, b, "white text") for a, b in zip(bounds[::2], bounds[1::2], strict=False))
    return Document(
        "d",
        text,
        kind=draw(st.sampled_from(["prose", "code"])),
        pages=pages,
        labels=labels if draw(st.booleans()) else (),
        line=draw(st.sampled_from([0, 1, 70])),
        lines=draw(st.booleans()),
        headings=headings,
        parts=tuple(parts),
        hidden=hidden,
    )


def counted(document: Document, start: int, end: int) -> Place:
    """The place of a span by counting, character by character."""
    last = max(start, end - 1)

    def before(items: tuple[object, ...], at: int) -> int:
        return sum(1 for item in items if (item if isinstance(item, int) else item.start) <= at)  # type: ignore[attr-defined]

    def row(part: Part, at: int) -> int:
        return part.row + min(part.rows - 1, document.text[part.start : at].count("\n"))

    here, there = before(document.parts, start) - 1, before(document.parts, last) - 1
    name, page, last_page, line = "", None, None, None
    if here >= 0:
        part = document.parts[here]
        name = part.name
        if part.columns:
            final = [at for at in range(here, there + 1) if document.parts[at].columns][-1]
            end_at = last if final + 1 == len(document.parts) else min(last, document.parts[final + 1].start - 1)
            name = f"Sales!B{row(part, start)}:D{row(document.parts[final], end_at)}"
        elif document.parts[there].name.startswith("slide") and there > here:
            name = f"{name}-{document.parts[there].name[6:]}"
        if part.page:
            page, last_page = part.page, document.parts[there].page or part.page
    elif document.pages:
        page, last_page = before(document.pages, start), before(document.pages, last)
    if not name:
        line = document.line + document.text[:start].count("\n") * document.lines or None
    path: list[Heading] = []
    for heading in document.headings[: before(document.headings, start)]:
        path = [*(one for one in path if one.level < heading.level), heading]
    shown = [document.labels[p - 1] if p and p <= len(document.labels) else "" for p in (page, last_page)]
    labels = ["" if label == str(p) else label for label, p in zip(shown, (page, last_page), strict=True)]
    hidden = [
        Hidden(max(start, h.start), min(end, h.end), h.reason) for h in document.hidden if h.start < end and h.end > start
    ]
    return Place(page, last_page, labels[0], labels[1], name, tuple(h.title for h in path if h.level), line, tuple(hidden))


@given(documents(), st.data())
@settings(max_examples=200, deadline=None)
def test_any_span_has_the_place_that_counting_gives(document: Document, data: st.DataObject) -> None:
    spans = spans_of_document(document, data.draw(st.sampled_from(["sentence", "passage", "document"])))
    made = PlaceMap.of(document, spans)
    found = PlaceMap.load(made.cell())
    assert not found.needs_text([(span.start, span.end) for span in spans])
    for span in spans:
        assert found.place(span.start, span.end) == counted(document, span.start, span.end)
    ends = data.draw(st.lists(st.tuples(st.integers(0, len(document.text)), st.integers(0, len(document.text))), max_size=8))
    for start, end in map(sorted, ends):
        place = found.place(start, end, document.text)
        assert place == made.place(start, end, document.text) == counted(document, start, end)
        hidden = {at for span in document.hidden for at in range(span.start, span.end)}
        assert [at for a, b in place.shown(start, end) for at in range(a, b)] == [
            at for at in range(start, end) if at not in hidden
        ]


@given(st.lists(documents(), min_size=1, max_size=4))
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_places_survive_the_library(tmp_path_factory: pytest.TempPathFactory, given: list[Document]) -> None:
    from dataclasses import replace

    folder = tmp_path_factory.mktemp("places")
    kept = [replace(one, id=f"d{n}", text=one.text + " end") for n, one in enumerate(given)]
    added = kept
    kept = [replace(one, lines=one.lines or one.line == 1) for one in kept]  # of their own text where no other line is named
    with bookwheel.open(folder / "lib", create=True, encoder=None, language="english") as library:
        library.add(added)
        library.add([Document("gone", "a text")])
        assert main(["export", str(folder / "out.jsonl"), "--library", str(folder / "lib")]) == 0
        for step in ("stored", "compacted"):
            if step == "compacted":
                library.remove("gone")
                library.compact()
            assert library.check() == []
            for document in kept:
                size = len(document.text)
                spans = [(at, min(size, at + 3)) for at in range(0, size, 2)]
                wanted = [counted(document, start, end) for start, end in spans]
                assert library.places(document.id, spans) == wanted
                stored = library[document.id]
                assert [stored.place(start, end) for start, end in spans] == wanted
                number = stored.number
                assert library.places_of([(number, start, end) for start, end in spans]) == wanted
            for result in library.search("end", 20):
                assert result.where == library.places(result.id, [(result.start, result.end)])[0]
    with bookwheel.open(folder / "other", create=True, encoder=None, language="english") as other:
        assert other.index(folder / "out.jsonl").failures == []
        for document in kept:
            spans = [(at, at + 1) for at in range(len(document.text))]
            numbered = replace(document, line=0, lines=False)
            found = [replace(place, line=None) for place in other.places(document.id, spans)]
            assert found == [counted(numbered, start, end) for start, end in spans]


def test_places_that_are_none_are_left(tmp_path: Path) -> None:
    wrong: list[object] = [[], {}, {"pages": [5, 1]}, {"pages": [0, 99]}, {"hidden": [[0, 99, "x"]]}, {"odd": []}]
    for some in (*wrong, {"labels": [1]}, {"parts": [[0, "x"]]}):
        document = Document("d", "some text")
        assert placed(document, some) == document
    assert placed(Document("d", "some text"), {"pages": [0, 5]}).pages == (0, 5)


def test_what_people_read() -> None:
    assert str(Place(page=4, last_page=4, label="iv", last_label="iv")) == "p. iv (4)"
    assert Place(page=3, last_page=4).text("a.pdf") == "a.pdf p. 3-4"
    assert Place(page=4, last_page=5, label="iv", last_label="v").text("a.pdf") == "a.pdf p. iv-v (4-5)"
    assert Place(page=9, last_page=10, label="ix").text("a.pdf") == "a.pdf p. ix-10 (9-10)"
    assert Place(part="slide 3").text("a.pptx") == "a.pptx slide 3"
    assert Place(line=12, heading=("Setup", "Linux")).text("notes.md") == "notes.md:12 > Setup > Linux"
    assert Place(line=12, heading=("Setup",)).text("notes.md", heading=False) == "notes.md:12"
    assert Place(page=3, last_page=3, part="hidden text").text("a.pdf") == "a.pdf p. 3, hidden text"
    assert Place().text("a.txt") == "a.txt"


def test_what_is_no_span_or_document_is_said(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "lib", create=True, encoder=None) as library:
        library.add([Document("d", "some text")])
        with pytest.raises(KeyError):
            library.places("e", [(0, 1)])
        with pytest.raises(KeyError):
            library.places(99, [(0, 1)])
        with pytest.raises(UsageError, match="a span begins at 0"):
            library.places("d", [(5, 1)])
        with pytest.raises(bookwheel.InputError, match="headings must be in the order"):
            library.add([Document("e", "some text", headings=(Heading(4, 1, "b"), Heading(0, 1, "a")))])


def test_a_damaged_map_is_told(tmp_path: Path) -> None:
    import sqlite3

    with bookwheel.open(tmp_path / "lib", create=True, encoder=None) as library:
        library.add([Document("d", "some text", pages=(0, 5), labels=("i", "ii"), line=0)])
    with sqlite3.connect(tmp_path / "lib" / "documents.sqlite") as db:
        db.execute("UPDATE texts SET places = replace(places, 'ii', 'ix')")
    with bookwheel.open(tmp_path / "lib") as library:
        assert any("list of the places" in problem for problem in library.check())
        with pytest.raises(LibraryDamaged, match="list of the places"):
            library.places("d", [(0, 4)])


def test_more_headings_than_are_kept_end_none_above() -> None:
    from bookwheel.documents.parts import HEADINGS

    text = "".join(f"# h{n}\n" for n in range(HEADINGS + 5))
    found = PlaceMap.of(Document("d", text, kind="markup"))
    assert found.place(text.index(f"h{HEADINGS - 1}"), len(text), text).heading == (f"h{HEADINGS - 1}",)
    assert found.place(text.index(f"h{HEADINGS + 2}"), len(text), text).heading == ()
