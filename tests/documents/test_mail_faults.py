"""Mail as programs really write it: attachments, stubs, raw headers, lying charsets, names in all codings, folders of messages."""

from __future__ import annotations

import base64
from email.message import EmailMessage
from pathlib import Path

import pytest
from documents_files import paragraph, write_docx, write_pdf
from office_files import pptx, shape, xlsx, zipped
from one_file import items, one
from told_places import places

import bookwheel
from bookwheel import Document
from bookwheel.documents.failures import Note
from bookwheel.documents.passages import split_document
from bookwheel.documents.paths import Source, walk
from bookwheel.documents.read import read

HEAD = b"From: a@b.c\nTo: d@e.f\nDate: Mon, 01 Jan 2024 10:00:00 +0000\n"


def message(text: str = "See the files.", subject: str = "Plans") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["Subject"], made["Date"] = "a@b.c", subject, "Mon, 01 Jan 2024 10:00:00 +0000"
    made.set_content(text)
    return made


def attach(mail: EmailMessage, data: bytes, name: str, kind: str = "application/octet-stream") -> None:
    mail.add_attachment(data, *kind.split("/")[:0], maintype=kind.split("/")[0], subtype=kind.split("/")[1], filename=name)


def test_attachments_are_parts_with_their_names(tmp_path: Path) -> None:
    mail = message()
    attach(mail, write_pdf(tmp_path / "x.pdf", ["page one", "page two"]).read_bytes(), "plan.pdf")
    attach(
        mail, write_docx(tmp_path / "x.docx", paragraph("a paragraph"), title="The Contract").read_bytes(), "Vertrag über.docx"
    )
    attach(mail, pptx([shape("a slide")]), "deck.pptx")
    attach(mail, xlsx({"Sales": "<sheetData><row r='4'><c><v>7</v></c></row></sheetData>"}, []), "book.xlsx")
    attach(mail, zipped({"in/a.txt": "in an archive", "b.png": b"\x89PNG\r\n"}), "files.zip")
    attach(mail, b"\x89PNG\r\n\x1a\n" + bytes(100), "logo.png", "image/png")
    inner = message("inner text", "The inner one")
    attach(inner, b"deep text", "deep.txt", "text/plain")
    mail.add_attachment(inner)
    document = one(tmp_path / "a.eml", mail.as_bytes())
    spans = split_document(document, "sentence")
    found = [
        (document.text[span.start : span.end], name) for span, (name, _) in zip(spans, places(document, spans), strict=True)
    ]
    assert found == [
        ("See the files.", None),
        ("plan.pdf", "attachment plan.pdf"),
        ("page one", "attachment plan.pdf p. 1"),
        ("page two", "attachment plan.pdf p. 2"),
        ("Vertrag über.docx: The Contract", "attachment Vertrag über.docx"),
        ("a paragraph", "attachment Vertrag über.docx"),
        ("deck.pptx", "attachment deck.pptx"),
        ("a slide", "attachment deck.pptx slide 1"),
        ("book.xlsx", "attachment book.xlsx"),
        ("Sales", "attachment book.xlsx sheet Sales"),
        ("7", "attachment book.xlsx Sales!A4:A4"),
        ("files.zip/in/a.txt", "attachment files.zip/in/a.txt"),
        ("in an archive", "attachment files.zip/in/a.txt"),
        ("The inner one.eml", "attachment The inner one.eml"),
        ("inner text", "attachment The inner one.eml"),
        ("deep.txt", "attachment The inner one.eml attachment deep.txt"),
        ("deep text", "attachment The inner one.eml attachment deep.txt"),
    ]
    assert (
        document.metadata["attachments"]
        == "plan.pdf, Vertrag über.docx, deck.pptx, book.xlsx, files.zip, logo.png, The inner one.eml"
    )
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index([tmp_path / "a.eml"])
        assert library.search("contract", recipe="bm25")[0].place.startswith(f"{tmp_path}/a.eml")
        assert library.index([tmp_path / "a.eml"]).unchanged == 1


def test_an_attachment_that_cannot_be_read_is_noted(tmp_path: Path) -> None:
    mail = message()
    attach(mail, b"%PDF-1.4\nnothing", "broken.pdf")
    attach(mail, b"good words", "good.txt", "text/plain")
    note, document = items(tmp_path / "a.eml", mail.as_bytes())
    assert isinstance(note, Note)
    assert "attachment 'broken.pdf'" in str(note)
    assert isinstance(document, Document)
    assert document.text.endswith("good words")


def test_attachments_in_an_mbox(tmp_path: Path) -> None:
    mail = message()
    attach(mail, b"attached words", "a.txt", "text/plain")
    whole = b"From a@b.c Mon Jan  1 10:00:00 2024\n" + mail.as_bytes() + b"\n"
    documents = items(tmp_path / "a.mbox", whole * 2)
    assert [document.text for document in documents if isinstance(document, Document)] == [
        "See the files.\n\na.txt\n\nattached words"
    ] * 2
    assert [document.line for document in documents if isinstance(document, Document)] == [1, 1 + whole.count(b"\n")]


STUB = "To view this message, please use an HTML viewer."
RICH = "<p>" + "The kites fly over the hill when the wind is good. " * 5


@pytest.mark.parametrize(
    ("plain", "rich", "shown"),
    [
        (STUB, RICH, "kites"),
        ("", RICH, "kites"),
        ("The kites fly. " * 9, RICH, "The kites fly. The"),
        (STUB, "<p>hi", STUB),
        (STUB, "<p>" + "A short note on kites. " * 3, "A short note"),
    ],
)
def test_the_html_is_read_where_the_plain_text_is_a_stub(tmp_path: Path, plain: str, rich: str, shown: str) -> None:
    mail = message(plain)
    mail.add_alternative(rich, subtype="html")
    assert shown in one(tmp_path / "a.eml", mail.as_bytes()).text


def test_html_beside_plain_text_that_is_no_alternative_is_kept(tmp_path: Path) -> None:
    data = (
        HEAD + b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\n"
        b"plain words\n--x\nContent-Type: text/html\n\n<p>rich words\n"
        b"--x--\n"
    )
    assert one(tmp_path / "a.eml", data).text == "plain words\n\nrich words"


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        ("us-ascii", "utf-8", "Grüße aus Köln"),
        ("iso-8859-1", "cp1252", "“Grüße” – 5 €"),
        ("iso-8859-1", "utf-8", "Žluťoučký kůň úpěl"),
        ("utf-8", "cp1252", "Grüße aus Köln, schöne Tage im Süden für alle"),
        ("gb2312", "gb18030", "朱镕基总理"),
        ("x-unknown", "utf-8", "naïve café"),
    ],
)
def test_charsets_that_lie(tmp_path: Path, declared: str, encoding: str, text: str) -> None:
    data = HEAD + f"Subject: x\nContent-Type: text/plain; charset={declared}\nContent-Transfer-Encoding: 8bit\n\n".encode()
    assert one(tmp_path / "a.eml", data + text.encode(encoding)).text == text
    page = f"<html><head><meta charset=iso-8859-1></head><body><p>{text}</p></body></html>".encode(encoding)
    data = data.replace(b"text/plain", b"text/html")
    assert one(tmp_path / "b.eml", data + page).text == text


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_raw_headers(tmp_path: Path, encoding: str) -> None:
    data = "From: Jürgen Müller <a@b.c>\nSubject: Grüße und schöne Tage\nContent-Type: text/plain; charset={}\n\nx\n"
    document = one(tmp_path / "a.eml", data.format(encoding).encode(encoding))
    assert document.title == "Grüße und schöne Tage"
    assert "Jürgen Müller" in str(document.metadata["from"])


@pytest.mark.parametrize(
    "name",
    [
        b"filename*=utf-8''%C3%9Cbersicht%20neu.txt",
        b"filename*0*=utf-8''%C3%9Cber; filename*1=sicht; filename*2*=%20neu.txt",
        b'filename="=?utf-8?b?' + base64.b64encode("Übersicht neu.txt".encode()) + b'?="',
        b'filename="=?iso-8859-1?q?=DCbersicht_neu.txt?="',
        'filename="Übersicht neu.txt"'.encode(),
        'filename="C:\\\\x\\\\Übersicht neu.txt"'.encode(),
    ],
)
def test_names_of_attachments(tmp_path: Path, name: bytes) -> None:
    body = (
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\nContent-Disposition: attachment; "
        + name
        + b"\n\nwords\n--x--\n"
    )
    assert one(tmp_path / "a.eml", HEAD + body).metadata["attachments"] == "Übersicht neu.txt"


def test_lines_that_begin_with_from_in_an_mbox(tmp_path: Path) -> None:
    first = (
        b"From a@b.c Mon Jan  1 10:00:00 2024\n"
        + HEAD
        + b"Subject: one\n\nwords\n\nFrom here on we walked, in 2024 at 10:30\nand: more\n\n>From the top\n\n"
    )
    second = b"From MAILER-DAEMON\n" + HEAD + b"Subject: two\n\nmore words\n"
    third = b"\nFrom a at b.c  Mon Jan  1 10:00:00 2024\n" + HEAD + b"Subject: three\n\nFrom Berlin\nwith love\n"
    documents = items(tmp_path / "a.mbox", first + second + third)
    assert [(item.title, item.text) for item in documents if isinstance(item, Document)] == [
        ("one", "words\n\nFrom here on we walked, in 2024 at 10:30\nand: more\n\nFrom the top"),
        ("two", "more words"),
        ("three", "From Berlin\nwith love"),
    ]


def test_folders_of_messages_without_suffix(tmp_path: Path) -> None:
    for name in ("cur/1700000001.M1P1.host:2,S", "inbox/12", "x.emlx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        data = (
            b"Return-Path: <a@b.c>\n"
            + HEAD
            + b"Subject: =?utf-8?q?Drachen_=C3=BCber_dem_See?=\nContent-Transfer-Encoding: base64\n\n"
            + base64.b64encode(b"the text")
        )
        (tmp_path / name).write_bytes(b"%d\n" % len(data) + data + b"<plist/>" if name.endswith("x") else data)
    (tmp_path / "notes").write_text("From: the beginning\nTo: the end\n\nThis is no mail.\n")
    found = [
        list(read(source)) for source in walk([tmp_path]) if isinstance(source, Source) and not source.path.endswith("notes")
    ]
    assert [(item.title, item.text) for (item,) in found if isinstance(item, Document)] == [
        ("Drachen über dem See", "the text")
    ] * 3
    assert one(tmp_path / "notes", (tmp_path / "notes").read_bytes()).text.startswith("From: the")


def test_web_pages_in_one_file(tmp_path: Path) -> None:
    data = (
        b"From: <Saved by Blink>\nSnapshot-Content-Location: https://example.com/kites\nSubject: =?utf-8?Q?K=C3=BCtes?=\n"
        b'Date: Mon, 1 Jan 2024 10:00:00 -0000\nMIME-Version: 1.0\nContent-Type: multipart/related; type="text/html"; boundary="x"\n\n'
        b"--x\nContent-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<html><body><p>The k=C3=BCtes fly=\n</p>\n"
        b"--x\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--x--\n"
    )
    for name in ("a.mhtml", "b"):
        document = one(tmp_path / name, data)
        assert (document.title, document.text) == ("Kütes", "The kütes fly")
        assert document.metadata["url"] == "https://example.com/kites"


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ("format=flowed", "A line that is broken.\n> quoted \n> more\n\n-- \nAnn"),
        ("format=Flowed; DelSp=yes", "A line that isbroken.\n> quoted \n> more\n\n-- \nAnn"),
        ("charset=utf-8", "A line that is \nbroken.\n> quoted \n> more\n\n-- \nAnn"),
    ],
)
def test_flowed_lines(tmp_path: Path, parameters: str, shown: str) -> None:
    body = "A line that is \nbroken.\n> quoted \n> more\n\n-- \nAnn\n"
    data = f"From: a@b.c\nSubject: x\nContent-Type: text/plain; {parameters}\n\n{body}"
    assert one(tmp_path / "a.eml", data.encode()).text == shown
