"""Pages of a PDF as pictures: drawn by a process of their own, quotes marked where they stand, hostile files told."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from pdf_files import lines, write

import bookwheel
from bookwheel import InputError, UsageError
from bookwheel.documents.isolated.drawing import draw
from bookwheel.documents.pdf.picture import Picture, draw_page
from bookwheel.documents.source import Source

FIRST = lines("The heron stands in the water.", "Two owls live in the barn and", "hunt at night, as owls do.")
SECOND = lines("The heron flies over the sea.", "The heron stands in the water.")


def _source(path: Path) -> Source:
    status = path.stat()
    return Source(str(path), status.st_size, status.st_mtime_ns, "pdf")


def _drawn(path: Path, *quotes: tuple[str, str]) -> Picture:
    """In this process, which is quicker."""
    with path.open("rb") as stream:
        return draw_page(stream, str(path), 1, 612, quotes)


def pixels(png: bytes) -> np.ndarray:
    """The picture read back by the PNG specification."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, width, height, colour = 8, b"", 0, 0, 0
    palette = np.empty((0, 3), np.uint8)
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", body)
            assert [depth, *rest] == [8, 0, 0, 0]
        elif kind == b"PLTE":
            palette = np.frombuffer(body, np.uint8).reshape(-1, 3)
        elif kind == b"IDAT":
            data += body
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, width * (3 if colour == 2 else 1) + 1)
    assert set(rows[:, 0].tolist()) == {2}
    values = np.cumsum(rows[:, 1:].astype(np.uint32), axis=0).astype(np.uint8)
    return values.reshape(height, width, 3) if colour == 2 else palette[values]


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return write(tmp_path / "files" / "birds.pdf", [FIRST, SECOND])


def test_a_quote_is_marked_where_it_stands(pdf: Path) -> None:
    made = draw(
        _source(pdf), 1, 612, [("Two owls live in the barn and hunt at night, as owls do.", "The heron stands in the water. ")]
    )
    assert (made.width, made.height, made.pages) == (612, 792, 2)
    assert len(made.boxes) == 2  # a line each
    for left, top, right, bottom in made.boxes:
        assert left < 76
        assert 74 < top < bottom < 130  # below the first line, which begins 92 points from the top
        assert right > 150
    picture = pixels(made.png)
    left, top, right, bottom = made.boxes[0]
    assert (picture[top + 1, left + 1] == (255, 230, 110)).all()  # marked
    assert (picture[40, 300] == 255).all()  # the rest is as white as it was
    plain = pixels(_drawn(pdf).png)
    outside = np.ones(plain.shape[:2], bool)
    for left, top, right, bottom in made.boxes:
        outside[top:bottom, left:right] = False
    assert (plain[outside] == picture[outside]).all()


def test_a_page_in_colours_keeps_them(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pdf", ["1 0 0 rg 100 100 50 50 re f BT /F1 20 Tf 1 0 0 1 72 700 Tm (heron) Tj ET"])
    made = _drawn(path, ("heron", ""))
    picture = pixels(made.png)
    assert (picture[792 - 125, 125] == (255, 0, 0)).all()
    left, top, *_ = made.boxes[0]
    assert (picture[top + 1, left + 1] == (255, 230, 110)).all()


def test_of_several_occurrences_the_one_that_is_meant(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pdf", [lines("owl here", "heron", "owl there", "heron", "owl again")])
    tops = [_drawn(path, ("owl", before)).boxes[0][1] for before in ("", "owl here\nheron\n", "owl here heron owl there heron")]
    assert tops == sorted(set(tops))


def test_words_broken_by_hyphens_and_what_is_not_there(tmp_path: Path) -> None:
    path = write(tmp_path / "x.pdf", [lines("The light-", "house keeper sleeps.", "He dreams.")])
    assert len(_drawn(path, ("The lighthouse keeper sleeps.", "")).boxes) == 2
    assert _drawn(path, ("Nothing of this is written anywhere", "")).boxes == ()
    # A quote that the page has only in part, as where a footnote stands between.
    assert len(_drawn(path, ("house keeper sleeps. A footnote stands between them. He dreams.", "")).boxes) == 2


def test_a_library_draws_only_what_it_indexed_as_it_was(pdf: Path, tmp_path: Path) -> None:
    (pdf.parent / "note.txt").write_text("The heron is a bird.")
    with bookwheel.open(tmp_path / "lib", create=True, language="english") as library:
        library.index(pdf.parent)
        document = library[str(pdf)]
        start = document.text.rindex("The heron stands")
        made = library.draw_page(document.id, 2, spans=[(start, start + 30)], width=612)
        assert len(made.boxes) == 1
        assert made.boxes[0][1] > 90  # the second line
        assert library.draw_page(document.number, 1, spans=[(start, start + 30)]).boxes == ()  # of the other page
        for page in (0, 3, -1):
            with pytest.raises(UsageError, match="pages 1 to 2"):
                library.draw_page(document.id, page)
        with pytest.raises(InputError, match="no pages"):
            library.draw_page(str(pdf.parent / "note.txt"), 1)
        with pytest.raises(KeyError):
            library.draw_page(str(tmp_path / "other.pdf"), 1)
        status = pdf.stat()
        os.utime(pdf, ns=(status.st_atime_ns, status.st_mtime_ns + 10**10))
        with pytest.raises(InputError, match="changed since it was indexed"):
            library.draw_page(document.id, 1)
        pdf.unlink()
        with pytest.raises(InputError, match="is gone"):
            library.draw_page(document.id, 1)


def test_documents_of_a_program_have_no_file(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "lib", create=True) as library:
        library.add([bookwheel.Document("a", "A heron.")])
        with pytest.raises(InputError, match="added by a program"):
            library.draw_page("a", 1)
        with pytest.raises(InputError, match="added by a program"):
            library.open_file("a")


def test_hostile_files_are_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing of a PDF")
    with pytest.raises(InputError, match="damaged or not a PDF"):
        draw(_source(broken), 1, 600)
    long = write(tmp_path / "long.pdf", [FIRST])
    long.write_bytes(long.read_bytes().replace(b"/MediaBox[0 0 612 792]", b"/MediaBox[0 0 9 90000]"))
    made = draw(_source(long), 1, 2000)
    assert 1 <= made.width <= 10
    assert made.height <= 10_001
    slow = write(tmp_path / "slow.pdf", ["0 0 m " + "600 700 l 0 0 l " * 400_000 + "S"])
    with pytest.raises(InputError, match=r"more than 1 seconds|more than .* of memory"):
        draw(_source(slow), 1, 2000, seconds=1, memory=128 << 20)


def test_scripts_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bookwheel.library import files

    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("a.txt", "run.sh", "page.html"):
        (folder / name).write_text("A heron stands in the water.")
    started: list[list[str]] = []
    with bookwheel.open(tmp_path / "lib", create=True, language="english") as library:
        library.index(folder)
        monkeypatch.setattr(files.shutil, "which", lambda name: f"/usr/bin/{name}")
        monkeypatch.setattr(files.subprocess, "Popen", lambda command, **_: started.append(command))
        for name in ("run.sh", "page.html"):
            with pytest.raises(UsageError, match="a program might run it"):
                library.open_file(str(folder / name))
        assert library.open_file(str(folder / "a.txt")) == str(folder / "a.txt")
    assert [command[1:] for command in started] == [[str(folder / "a.txt")]]
