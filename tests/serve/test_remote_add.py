"""What a program adds by way of a server is what it would have added itself."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from serve_processes import started

import bookwheel
from bookwheel import Document, InputError, Library, RemoteLibrary
from bookwheel.documents.document import Heading, Hidden, Part
from bookwheel.serve.adding import BYTES, add
from bookwheel.serve.whole_documents import document_of, fields_of

TEXT = "First the visible text. HIDDEN SECRET. Then the end of it."
WHOLE = Document(
    "whole",
    TEXT,
    "A title",
    {"year": 1999, "tags": ("a", "b"), "of": 2.5},
    kind="markup",
    pages=(0, 24),
    line=3,
    sections=(0, 39),
    parts=(Part(0, "slide 1"), Part(39, "slide 2", "A:F", 2, 1, 3)),
    labels=("i", "ii"),
    headings=(Heading(0, 1, "First"), Heading(39, 2, "Then")),
    hidden=(Hidden(24, 38, "white text"),),
)
VALUES = {
    "count": np.int64(5),
    "share": np.float32(0.5),
    "price": decimal.Decimal("1.5"),
    "path": Path("/a/b"),
    "tags": {"x", "y"},
    "at": datetime.date(2024, 1, 31),
    "missing": math.nan,
    "most": math.inf,
    "inner": {"least": [-math.inf, 1]},
    "list": np.array([1, 2]),
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[tuple[Library, RemoteLibrary]]:
    folder = tmp_path_factory.mktemp("adding")
    with (
        bookwheel.open(folder / "own", create=True) as own,
        bookwheel.open(folder / "there", create=True),
        started(str(folder / "there"), environment=environment) as running,
        bookwheel.connect(running.url) as remote,
    ):
        yield own, remote


GIVEN = {
    "text": lambda: "A text alone, which is named after what it says.",
    "texts": lambda: ["One text of several.", "Another text of several."],
    "document": lambda: WHOLE,
    "documents": lambda: iter([WHOLE, Document("plain", "Plain text.\nA second line.")]),
    "values": lambda: {"id": "values", "text": "Text with values.", **VALUES},
    "values of a document": lambda: Document("of a document", "Text with values.", "", VALUES),
    "names": lambda: {
        "id": "names",
        "text": "Its own metadata.",
        "metadata": {"name": "x", "title": "y", "metadata": "z", "id": 5},
    },
    "no text": lambda: Document("none", "", "Only a title"),
    "odd characters": lambda: {"id": "odd \ud800\0 id", "text": "half \ud800 a character \U0001f600"},
    "table": lambda: pytest.importorskip("pandas").DataFrame(
        [{"id": "p1", "text": "A row.", "n": 1}, {"id": "p2", "text": "Two."}]
    ),
    "arrow": lambda: pytest.importorskip("pyarrow").table({"id": ["q1"], "text": ["A row of Arrow's."], "n": [3]}),
}


@pytest.mark.parametrize("name", GIVEN)
def test_it_is_stored_alike(both: tuple[Library, RemoteLibrary], name: str) -> None:
    own, remote = both
    known = {one.id for one in own}
    done, told = own.add(GIVEN[name]()), remote.add(GIVEN[name]())
    assert (told.added, told.updated, told.unchanged) == (done.added, done.updated, done.unchanged)
    assert told.notes == done.notes
    for one in own:
        if one.id not in known:
            other = remote[one.id]
            assert (other.text, other.title, dict(other.metadata)) == (one.text, one.title, _as_json(one.metadata)), one.id
            assert other.passages == one.passages
            assert remote.piece(one.id).where == own.piece(one.id).where


def _as_json(metadata) -> dict[str, object]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in metadata.items()}


def test_what_is_hidden_stays_hidden(both: tuple[Library, RemoteLibrary]) -> None:
    for library in both:
        library.add(WHOLE)
    (mine,), (served,) = (library.search("visible secret", where="id = 'whole'") for library in both)
    assert served.where.hidden == mine.where.hidden == (Hidden(24, 38, "white text"),)
    assert served.place == mine.place


@pytest.mark.parametrize("wrong", [5, None, b"ab", [5], [{"id": "a"}], {"id": "x", "text": "y", "z": object()}])
def test_what_is_no_document_is_told_as_at_home(both: tuple[Library, RemoteLibrary], wrong: object) -> None:
    sentences = []
    for library in both:
        with pytest.raises(InputError) as told:
            library.add(wrong)
        sentences.append(str(told.value))
    assert sentences[0] == sentences[1]


def test_more_than_one_request_holds_is_sent_in_several(both: tuple[Library, RemoteLibrary]) -> None:
    _, remote = both
    assert remote.add({"id": f"large {n}", "text": f"{n} word " * 1250} for n in range(1000)).added == 1000
    with pytest.raises(
        bookwheel.UsageError, match=r"document 'too large': a request's body can have at most .* the 1 documents before"
    ):
        remote.add([{"id": "before", "text": "small"}, {"id": "too large", "text": "a" * (9 << 20)}])
    assert "before" in remote


def test_requests_are_cut_by_bytes_and_by_number() -> None:
    sent: list[int] = []

    def send(body):
        sent.append(len(body["whole"]))
        names = ("added", "updated", "unchanged", "removed", "moved", "passages", "files")
        return dict.fromkeys(names, 0) | {"failures": [], "notes": [], "skipped": {}}

    add([{"id": str(n), "text": "é" * (BYTES // 5)} for n in range(5)], send)
    assert sent == [2, 2, 1]
    sent.clear()
    add([{"id": str(n), "text": "a"} for n in range(2500)], send)
    assert sent == [1000, 1000, 500]


def test_every_field_comes_back() -> None:
    assert document_of(fields_of(WHOLE)) == Document(**{**_fields(WHOLE), "metadata": _as_json(WHOLE.metadata)})
    assert fields_of(Document("a", "b")) == {"id": "a", "text": "b"}


def _fields(document: Document) -> dict[str, object]:
    return {name: getattr(document, name) for name in Document.__slots__}


@pytest.mark.parametrize(
    "wrong",
    [
        {"odd": 1},
        {"id": 5},
        {"kind": "image"},
        {"line": "1"},
        {"lines": 1},
        {"metadata": []},
        {"pages": [5, 1]},
        {"pages": [0, 100]},
        {"hidden": [[0, 9, "white"], [5, 10, "white"]]},
        {"hidden": [[0, 9]]},
        {"headings": [["0", 1, "a"]]},
        {"sections": [3, 1]},
        {"sections": "ab"},
    ],
)
def test_what_no_document_has_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        document_of({"id": "a", "text": "A text of a line.", **wrong})
