"""XHTML by its own rules: what is closed in its tag is closed, and CDATA is text. Chapters of books and pages alike."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import pytest
from one_file import items, one

from bookwheel import Document, InputError
from bookwheel.documents.page.xhtml import as_html
from bookwheel.documents.readers.html import parse_html, visible_text

CONTAINER = "<container><rootfiles><rootfile full-path='c.opf'/></rootfiles></container>"
PACKAGE = (
    "<package><manifest><item id='a' href='a.xhtml' media-type='application/xhtml+xml'/>"
    "<item id='b' href='b.xhtml' media-type='application/xhtml+xml'/></manifest>"
    "<spine><itemref idref='a'/><itemref idref='b'/></spine></package>"
)
PAGES = {
    "an empty title": ("<title/>", "<p>The otters</p>", "The otters"),
    "a script elsewhere": ("<script src='x.js'/>", "<p>The otters</p>", "The otters"),
    "an attribute with signs": ('<script title="a>b" src="x/y"/>', "<p>The otters</p>", "The otters"),
    "an empty field": ("", "<p>The</p><textarea/><p>otters</p>", "The\n\notters"),
    "an anchor": ("", "<p>The <a id='x'/>otters <i/>swim<br/>far</p><div/><p>home</p>", "The otters swim\nfar\n\nhome"),
    "a frame": ("", "<iframe src='x'/><p>The otters</p>", "The otters"),
    "breaks that are closed": ("", "<p>The<br></br>otters</p>", "The\notters"),
    "CDATA": ("", "<p>The <![CDATA[<otters> & co]]></p>", "The <otters> & co"),
    "a script in CDATA": (
        "<script>//<![CDATA[\nif (a < b) write('<title/>')\n//]]></script>",
        "<p>The <b>otters</b></p>",
        "The otters",
    ),
    "a style in CDATA": ("<style><![CDATA[div > .x{display:none}]]></style>", "<div><p class='x'>n</p></div><p>The</p>", "The"),
    "a script that writes tags": ("<script>write('<b/><script/>')</script>", "<p>The otters</p>", "The otters"),
    "a comment": ("<!-- <title> --><title>x</title>", "<p>The <!-- <b> -->otters</p>", "The otters"),
    "formulas": ("", "<p><math><mspace/><mi>x</mi><mo>=</mo><mn>1</mn></math></p>", "x=1"),
}


def xhtml(head: str, body: str, prolog: str = "<?xml version='1.0' encoding='UTF-8'?>\n") -> bytes:
    return f"{prolog}<html xmlns='http://www.w3.org/1999/xhtml'><head>{head}</head><body>{body}</body></html>".encode()


def book(path: Path, *chapters: bytes) -> bytes:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mimetype", "application/epub+zip")
        file.writestr("META-INF/container.xml", CONTAINER)
        file.writestr("c.opf", PACKAGE)
        for name, chapter in zip("ab", chapters, strict=True):
            file.writestr(f"{name}.xhtml", chapter)
    return path.read_bytes()


@pytest.mark.parametrize(("head", "body", "text"), PAGES.values(), ids=PAGES)
def test_what_xhtml_says(tmp_path: Path, head: str, body: str, text: str) -> None:
    assert one(tmp_path / "a.xhtml", xhtml(head, body, "")).text == text
    assert one(tmp_path / "b.html", xhtml(head, body)).text == text  # told by its declaration
    chapters = xhtml(head, body, "<!DOCTYPE html>"), xhtml("", "<p>second chapter</p>")
    assert one(tmp_path / "c.epub", book(tmp_path / "x.zip", *chapters)).text == f"{text}\n\nsecond chapter"


def test_pages_that_declare_nothing_are_html(tmp_path: Path) -> None:
    assert one(tmp_path / "a.html", b"<html><body><p>The <b/>otters").text == "The otters"
    link = visible_text(parse_html(b"<body><a href=/x/>The</a> otters").body)
    assert (link, visible_text(parse_html(b"<body><a href=/x/>The</a> otters", xml=True).body)) == ("The otters", "The otters")


def test_chapters_in_other_encodings_and_with_declarations(tmp_path: Path) -> None:
    prolog = "<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE html [\n<!ENTITY x '>'>\n]>"
    page = xhtml("<title/>", "<p>Größe</p>", prolog).decode().encode("utf-16")
    assert one(tmp_path / "a.epub", book(tmp_path / "x.zip", page, xhtml("", "<p>b</p>"))).text == "Größe\n\nb"


def test_many_empty_elements_do_not_nest(tmp_path: Path) -> None:
    document = one(tmp_path / "a.xhtml", xhtml("", "<p>The <a id='x'/>otters</p>" * 25_000))
    assert document.text.count("The otters") == 25_000


@pytest.mark.parametrize("begin", ["<title>x", "<!-- x", "<script>"])
def test_a_chapter_that_loses_its_text_is_told(tmp_path: Path, begin: str) -> None:
    lost = f"<html><head>{begin}</head><body><p>The otters</p></body></html>".encode()
    found = items(tmp_path / "a.epub", book(tmp_path / "x.zip", lost, xhtml("", "<p>second chapter</p>")))
    told = [str(item) for item in found if isinstance(item, InputError)]
    assert [item.text for item in found if isinstance(item, Document)] == ["second chapter"]
    assert len(told) == 1
    assert "a.epub: chapter a.xhtml has text" in told[0]


@pytest.mark.parametrize(
    "body", ["<img src='x.jpg'/>", "<p hidden='hidden'>The otters</p>", "<script>var x</script><!-- x -->"]
)
def test_a_chapter_without_shown_text_is_no_failure(tmp_path: Path, body: str) -> None:
    assert one(tmp_path / "a.epub", book(tmp_path / "x.zip", xhtml("", body), xhtml("", "<p>b</p>"))).text == "b"


@pytest.mark.parametrize(
    "piece",
    ["<!--", "<![CDATA[", "<!DOCTYPE a [", "<script>", "<script a='", "<a b='", '<a b="<a c=', "<a b", "<a ", "<a b=", "</br"],
)
def test_hostile_xhtml_takes_linear_time(piece: str) -> None:
    began = time.process_time()
    as_html(piece * 100_000)
    as_html("<a" + piece[-1] * 500_000)
    assert time.process_time() - began < 5
