"""Messages in messages, as programs really forward them: whatever their headers, coding and names; what is left out is told."""

from __future__ import annotations

import base64
import quopri
from pathlib import Path

import pytest
from one_file import items, one

from bookwheel import Document
from bookwheel.documents.failures import Note
from bookwheel.documents.readers import mail_parts

INNER = (
    "From: x@y.z\nSubject: Herons\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße: 1 = 1\n"
)
LONG_ID = (
    "Message-ID: <[4f2c1d6b9c0e4b0c8a7f2c1d6b9c0e4b-8a7f2c1d6b9c0e4b8a7f2c1d6b9c0e4b-Microsoft]@eurprd04.prod.outlook.com>\n"
)


def outer(inner: bytes, headers: str = "", kind: str = "message/rfc822") -> bytes:
    """A message with another one in it, of which ``headers`` are said."""
    return (
        b"From: a@b.c\nSubject: Outer\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=X\n\n--X\nContent-Type: text/plain\n\n"
        b"outer words\n--X\n" + f"Content-Type: {kind}\n{headers}\n".encode() + inner + b"\n--X--\n"
    )


def said(name: str, title: str = ": Herons") -> str:
    return f"outer words\n\n{name}{title}\n\nGrüße: 1 = 1"


@pytest.mark.parametrize("kind", ["message/rfc822", "message/global", "message/news"])
def test_headers_that_break_the_parser(tmp_path: Path, kind: str) -> None:
    document = one(tmp_path / "a.eml", outer((LONG_ID + INNER).encode(), kind=kind))
    assert document.text == said("Herons.eml", "")
    assert document.metadata["attachments"] == "Herons.eml"


@pytest.mark.parametrize("name", ["Forwarded Message.txt", "notes.csv", "page.html", "Re: plan v1.2", "report.pdf", "b.eml"])
def test_names_that_say_another_format(tmp_path: Path, name: str) -> None:
    inner = INNER.replace("8bit\n\nGrüße: 1 = 1\n", "base64\n\n") + base64.encodebytes("Grüße: 1 = 1\n".encode()).decode()
    headers = f'Content-Disposition: attachment; filename="{name}"\n'
    document = one(tmp_path / "a.eml", outer(inner.encode(), headers))
    assert document.text == said(name)
    assert document.parts[0].name == f"attachment {name}"


@pytest.mark.parametrize("name", ["", "in.eml"])
@pytest.mark.parametrize("coding", ["base64", "quoted-printable", "BASE64 "])
def test_messages_that_are_encoded_as_a_whole(tmp_path: Path, coding: str, name: str) -> None:
    encode = quopri.encodestring if coding == "quoted-printable" else base64.encodebytes
    headers = f"Content-Transfer-Encoding: {coding}\n" + (
        f'Content-Disposition: attachment; filename="{name}"\n' if name else ""
    )
    document = one(tmp_path / "a.eml", outer(encode(INNER.encode()), headers))
    assert document.text == said(name or "Herons.eml", ": Herons" if name else "")


@pytest.mark.parametrize("coding", ["base64", "quoted-printable", "7bit", "x-unknown"])
def test_messages_that_only_say_so(tmp_path: Path, coding: str) -> None:
    inner = INNER.replace("8bit\n\nGrüße: 1 = 1", "quoted-printable\n\nGr=C3=BC=C3=9Fe: 1 =3D 1")
    document = one(tmp_path / "a.eml", outer(inner.encode(), f"Content-Transfer-Encoding: {coding}\n"))
    assert document.text == said("Herons.eml", "")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_raw_headers(tmp_path: Path, encoding: str) -> None:
    subject = "Größe und Länge der Straße, eine lange Betreffzeile, die über achtundsiebzig Zeichen hinausgeht"
    inner = INNER.replace("Herons", subject).replace("utf-8", encoding)
    document = one(tmp_path / "a.eml", outer(inner.encode(encoding)))
    assert document.text == said(f"{subject}.eml", "")


def test_lines_that_begin_with_from_stay(tmp_path: Path) -> None:
    document = one(tmp_path / "a.eml", outer(INNER.encode() + b"From here on\n"))
    assert document.text == said("Herons.eml", "") + "\nFrom here on"


def test_all_parts_of_a_digest_are_read(tmp_path: Path) -> None:
    parts = "".join(f"--B\nContent-Type: text/plain\n\nsays bird{number}\n" for number in range(2500))
    data = f"From: a@b.c\nSubject: digest\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=B\n\n{parts}--B--\n"
    assert one(tmp_path / "a.eml", data.encode()).text == "\n\n".join(f"says bird{number}" for number in range(2500))


@pytest.mark.parametrize("kind", ["mixed", "alternative"])
@pytest.mark.parametrize("suffix", ["eml", "mbox"])
def test_parts_that_are_left_out_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, suffix: str) -> None:
    monkeypatch.setattr(mail_parts, "_MAX_PARTS", 4)
    parts = "".join(f"--B\nContent-Type: text/plain\n\nsays bird{number}\n" for number in range(6))
    data = f"From: a@b.c\nSubject: digest\nMIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary=B\n\n{parts}--B--\n"
    lead = "From a@b.c Mon Jan  1 10:00:00 2024\n" if suffix == "mbox" else ""
    note, document = items(tmp_path / f"a.{suffix}", (lead + data).encode())
    assert isinstance(note, Note)
    place = f"{tmp_path}/a.mbox:1" if suffix == "mbox" else f"{tmp_path}/a.eml"
    assert str(note).startswith(f"{place}: 3 parts were left out")
    assert isinstance(document, Document)
    assert document.text == "says bird0\n\nsays bird1\n\nsays bird2"


def test_a_message_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> bytes:
        raise IndexError("no such place")

    monkeypatch.setattr(mail_parts, "_as_written", broken)
    note, document = items(tmp_path / "a.eml", outer(INNER.encode(), 'Content-Disposition: attachment; filename="in.eml"\n'))
    assert isinstance(note, Note)
    assert "the attached message 'in.eml' is damaged and was left out (IndexError: no such place)" in str(note)
    assert isinstance(document, Document)
    assert document.text == "outer words"
