"""Subtitles: SubRip and WebVTT."""

from __future__ import annotations

from pathlib import Path

from bookwheel.documents.document import Document
from bookwheel.documents.paths import walk
from bookwheel.documents.read import read
from bookwheel.documents.source import Source

SRT = """\ufeff1
00:00:01,000 --> 00:00:04,000
<i>Where were you?</i>

2
00:00:59,500 --> 00:01:02,000 X1:40 X2:600 Y1:20 Y2:50
{\\an8}- In 1984,
<font color="#fff">- at the café.</font>

3
00:01:03,000 --> 00:01:05,000
42
4
01:02:03,000 --> 01:02:05,000
Two < three & four.
"""

VTT = """WEBVTT - Lecture 3
Kind: captions

STYLE
::cue { color: red }

NOTE
Made by a machine.

intro
00:01.000 --> 00:04.000 align:start position:0%
<v Ann Reed>Welcome &amp; hello.

00:04.000 --> 00:06.000
we<00:00:04.500><c> look</c><00:00:05.000><c> at owls</c>

00:06.000 --> 00:08.000
we look at owls
and how they hunt
"""


def only(path: Path) -> Document:
    (source,) = [item for item in walk([path]) if isinstance(item, Source)]
    (document,) = read(source)
    assert isinstance(document, Document)
    return document


def test_srt(tmp_path: Path) -> None:
    (tmp_path / "film.srt").write_bytes(SRT.replace("\n", "\r\n").encode("utf-8"))
    film = only(tmp_path / "film.srt")
    assert film.text == "Where were you?\n- In 1984,\n- at the café.\n42\nTwo < three & four."
    assert [(film.text[part.start :].split("\n")[0], part.name) for part in film.parts] == [
        ("Where were you?", "0:01"),
        ("42", "1:03"),
        ("Two < three & four.", "1:02:03"),
    ]


def test_webvtt(tmp_path: Path) -> None:
    (tmp_path / "talk.vtt").write_text(VTT)
    assert only(tmp_path / "talk.vtt").text == "Ann Reed: Welcome & hello.\nwe look at owls\nand how they hunt"


def test_old_code_pages_and_other_files_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "film.srt").write_bytes(SRT[1:].encode("cp1252"))
    assert "- at the café." in only(tmp_path / "film.srt").text
    (tmp_path / "other.srt").write_text("No times here, only words.")
    assert only(tmp_path / "other.srt").text == "No times here, only words."
