"""What style sheets inside a page hide is kept apart, and nothing else is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bookwheel.documents.document import Document
from bookwheel.documents.page.stylesheet import hiding_selectors
from bookwheel.documents.paths import walk
from bookwheel.documents.read import read as read_source
from bookwheel.documents.source import Source

SEEN = "The tethered kite rose over the reservoir, and those who stood on the dam could see how the wind took it up. " * 4
SECRET = "The inspector was bribed with twelve geese and a ham."


def read(path: Path, style: str, body: str, attributes: str = "") -> Document:
    page = f"<!doctype html><html class=top><head><style {attributes}>{style}</style></head><body><p>{SEEN}</p>{body}<p>The end.</p></body>"
    (path / "a.html").write_text(page)
    (source,) = walk([path / "a.html"])
    assert isinstance(source, Source)
    (document,) = read_source(source)
    assert isinstance(document, Document), document
    return document


def is_hidden(document: Document) -> bool:
    """Whether the secret stands in text that readers do not see. It must stand there, or in the text that they do."""
    start = document.text.index(SECRET)
    return any(span.start <= start < span.end for span in document.hidden)


HIDING = {
    "class": (".x{display:none}", f"<p class=x>{SECRET}</p>"),
    "one of two classes": (".x{display:none}", f"<p class='a x'>{SECRET}</p>"),
    "id": ("#y { visibility : hidden }", f"<p id=y>{SECRET}</p>"),
    "tag and class": ("p.x{color:red;display:none!important}", f"<p class=x>{SECRET}</p>"),
    "list of selectors": (".a,\n.x , #z{display:none}", f"<p class=x>{SECRET}</p>"),
    "below another": ("div.box > .x{display:none}", f"<div class=box><p class=x>{SECRET}</p></div>"),
    "below the page": (".top .x{display:none}", f"<p class=x>{SECRET}</p>"),
    "around": (".x{display:none}", f"<div class=x><p>{SECRET}</p></div>"),
    "for screens": ("@media screen{.x{display:none}}", f"<p class=x>{SECRET}</p>"),
    "behind a comment and rules": ("/* .x{} */ @import 'a.css'; p{margin:0} .x{display:none} b{}", f"<p class=x>{SECRET}</p>"),
    "shown first, then hidden": (".x{display:block;display:none}", f"<p class=x>{SECRET}</p>"),
    "a sheet without an end": (".x{display:none", f"<p class=x>{SECRET}</p>"),
}
SHOWN = {
    "another class": (".x{display:none}", f"<p class=xx>{SECRET}</p>"),
    "in print only": ("@media print{.x{display:none}}", f"<p class=x>{SECRET}</p>"),
    "on small screens": ("@media (max-width: 600px){.x{display:none}}", f"<p class=x>{SECRET}</p>"),
    "on a hover": (".x{display:none} a:hover .x{display:inline}", f"<p class=x>{SECRET}</p>"),
    "with a class more": (".x{display:none} .x.open{display:block}", f"<p class=x>{SECRET}</p>"),
    "in print again": (".x{display:none} @media print{.x{display:block}}", f"<p class=x>{SECRET}</p>"),
    "hidden first, then shown": (".x{display:none;display:block}", f"<p class=x>{SECRET}</p>"),
    "by its own style": (".x{display:none}", f"<p class=x style='display:block'>{SECRET}</p>"),
    "without scripts only": (".no-js .x{display:none}", f"<p class=x>{SECRET}</p>"),
    "a negation": ("p:not(.x){display:none}", f"<p class=x>{SECRET}</p>"),
    "a comment": ("/* .x{display:none} */", f"<p class=x>{SECRET}</p>"),
    "another property": (".x{list-style-display:none; content:'display:none'}", f"<p class=x>{SECRET}</p>"),
    "aria": (".x{color:red}", f"<p class=x aria-hidden=true>{SECRET}</p>"),
    "a panel": (".accordion-body{display:none}", f"<div class=accordion-body><p>{SECRET} {SEEN[:110]}</p></div>"),
}


@pytest.mark.parametrize(("style", "body"), HIDING.values(), ids=HIDING)
def test_hidden_by_a_style_sheet(tmp_path: Path, style: str, body: str) -> None:
    assert is_hidden(read(tmp_path, style, body))


@pytest.mark.parametrize(("style", "body"), SHOWN.values(), ids=SHOWN)
def test_shown_for_all_that_style_sheets_say(tmp_path: Path, style: str, body: str) -> None:
    assert not is_hidden(read(tmp_path, style, body))


def test_a_sheet_for_print_hides_nothing(tmp_path: Path) -> None:
    assert not is_hidden(read(tmp_path, *HIDING["class"], attributes="media=print"))
    assert is_hidden(read(tmp_path, *HIDING["class"], attributes="media='screen'"))


def test_hostile_sheets_are_quick() -> None:
    began = time.process_time()
    assert hiding_selectors([".a" * 100_000 + "{display:none}"]) == []
    assert hiding_selectors(["{" * 200_000, "}" * 200_000]) == []
    assert hiding_selectors([", ".join(["." + "a" * 150] * 2_000) + "{display:none}"]) == ["." + "a" * 150]
    assert len(hiding_selectors([f".a{number}{{display:none}}" for number in range(30_000)])) == 100
    assert time.process_time() - began < 2
