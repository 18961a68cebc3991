from __future__ import annotations

import gzip
import json
import mailbox
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from documents_files import paragraph, write_docx, write_epub, write_pdf, zstd_compress
from told_places import place

from bookwheel._errors import InputError
from bookwheel.documents.document import Document
from bookwheel.documents.paths import walk
from bookwheel.documents.read import read
from bookwheel.documents.source import Source


def items(path: Path, **options: int) -> list[Document | InputError]:
    (source,) = walk([path], **options)
    assert isinstance(source, Source), source
    return list(read(source))


def one(path: Path, content: bytes | str | None = None) -> Document:
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    (document,) = items(path)
    assert isinstance(document, Document), document
    document.text.encode()
    return document


def test_plain_text_is_exact(tmp_path: Path) -> None:
    text = "  First line\r\n\n\tsecond  line\n"
    document = one(tmp_path / "my notes.txt", text)
    assert (document.id, document.text, document.title) == (str(tmp_path / "my notes.txt"), text, "my notes")
    assert place(document, text.index("second")) == (None, 3)


def test_blank_files_have_no_document(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("\n \n")
    assert items(tmp_path / "a.py") == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "cp1251", "shift_jis"])
def test_encodings_are_detected(tmp_path: Path, encoding: str) -> None:
    text = {
        "cp1251": "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний. " * 3,
        "shift_jis": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所で。" * 3,
    }.get(
        encoding, "Zwölf große Boxkämpfer jagen Viktor quer über den Sylter Deich, so übel wie möglich, für zwei Häuser. " * 3
    )
    assert one(tmp_path / "x.txt", text.encode(encoding)).text == text


def test_a_few_damaged_bytes_do_not_change_the_encoding(tmp_path: Path) -> None:
    data = ("naïve café " * 50).encode() + b"\xff" + " déjà vu".encode()
    assert one(tmp_path / "x.txt", data).text == "naïve café " * 50 + "\N{REPLACEMENT CHARACTER} déjà vu"


def test_old_macintosh_line_ends(tmp_path: Path) -> None:
    assert one(tmp_path / "x.txt", b"one\rtwo\rthree").text == "one\ntwo\nthree"


def test_nul_bytes_late_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"word " * 4000 + b"\0tail")
    (source,) = walk([tmp_path])
    assert isinstance(source, Source)
    with pytest.raises(InputError, match="NUL byte at offset 20,000"):
        list(read(source))
    assert one(tmp_path / "x.txt").text.endswith("word  tail")


def test_a_named_binary_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(bytes(range(256)) * 10)
    with pytest.raises(InputError, match="is not text"):
        items(tmp_path / "x.bin")


def test_markdown(tmp_path: Path) -> None:
    text = "```sh\n# not a heading\n```\n\nThe *Title*\n=========\n\nBody.\n"
    document = one(tmp_path / "a.md", f"---\nauthor: 'Ada L.'\nyear: 1843\ndraft: true\ntags: [x, y]\nzip: 007\n---\n{text}")
    assert (document.text, document.title, document.kind) == (text, "The Title", "markup")
    assert document.metadata == {"author": "Ada L.", "year": 1843, "draft": True, "zip": "007", "tags": ("x", "y")}
    assert place(document, text.index("Body")) == (None, 15)
    assert one(tmp_path / "b.md", "---\ntitle: Front\n---\n# Heading\nx").title == "Front"
    assert one(tmp_path / "c.md", "# Heading ##\nx").title == "Heading"
    assert one(tmp_path / "d.md", "a rule\n\n---\nmore").title == "d"


def test_restructured_text(tmp_path: Path) -> None:
    document = one(tmp_path / "a.rst", ".. note:: x\n\n=======\nA Title\n=======\n\nBody text.\n")
    assert (document.title, document.kind) == ("A Title", "markup")


def test_html(tmp_path: Path) -> None:
    document = one(
        tmp_path / "a.html",
        "<!doctype html><html lang=en><head><title>Bread &amp; butter</title><meta name=author content='A. Baker'>"
        "<meta property='article:published_time' content='2021-03-04'><style>p{}</style></head><body><h1>Bread</h1><p>Mix flour"
        "\n and <b>wat</b>er.<br>Wait.</p><script>var x='no'</script><!-- no --><ul><li>one<li>two</ul>"
        "<table><tr><td>a<td>b</tr></table><pre>  kept\n   as is</pre>&lt;tag&gt; caf&eacute;</body></html>",
    )
    assert document.text == "Bread\n\nMix flour and water.\nWait.\n\none\ntwo\n\na\tb\n\n  kept\n   as is\n\n<tag> café"
    assert document.title == "Bread & butter"
    assert document.metadata == {"author": "A. Baker", "date": "2021-03-04", "year": 2021, "language": "en"}
    assert place(document, 10) == (None, None)


def test_html_in_a_declared_encoding_and_very_deep(tmp_path: Path) -> None:
    assert one(tmp_path / "a.html", "<meta charset='iso-8859-5'><p>Привет".encode("iso-8859-5")).text == "Привет"
    assert one(tmp_path / "b.html", "<div>" * 20_000 + "deep").text == "deep"


def test_pdf(tmp_path: Path) -> None:
    document = one(
        write_pdf(tmp_path / "a.pdf", ["First page\nwith two lines", "Second page"], title="On Pages", author="P. Writer")
    )
    assert (document.title, document.metadata["author"], document.metadata["year"]) == ("On Pages", "P. Writer", 2019)
    assert document.text == "First page\nwith two lines\n\nSecond page\n\n"
    assert [place(document, document.text.index(word))[0] for word in ("First", "two", "Second")] == [1, 1, 2]


def test_pdf_with_a_damaged_page(tmp_path: Path) -> None:
    note, document = items(write_pdf(tmp_path / "a.pdf", ["one", None, "three"]))
    assert isinstance(note, InputError)
    assert "p. 2" in str(note)
    assert isinstance(document, Document)
    assert [place(document, document.text.index(word))[0] for word in ("one", "three")] == [1, 3]


def test_pdf_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="protected by a password"):
        items(write_pdf(tmp_path / "locked.pdf", ["secret"], encrypted=True))
    with pytest.raises(InputError, match="no text in its 2 pages"):
        items(write_pdf(tmp_path / "scan.pdf", ["", ""]))
    (tmp_path / "cut.pdf").write_bytes(b"%PDF-1.4\n1 0 obj\n<<")
    with pytest.raises(InputError, match="damaged or not a PDF"):
        items(tmp_path / "cut.pdf")


def test_docx(tmp_path: Path) -> None:
    body = (
        paragraph("The Engine", "Heading1")
        + paragraph("It weaves algebraic patterns.")
        + "<w:p><w:r><w:t>tab</w:t><w:tab/><w:t>stop</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>"
        + f"<w:tbl><w:tr><w:tc>{paragraph('cell a')}</w:tc><w:tc>{paragraph('cell b')}</w:tc></w:tr></w:tbl>"
    )
    notes = (
        "<w:footnotes xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'>"
        + paragraph("a note")
        + "</w:footnotes>"
    )
    document = one(write_docx(tmp_path / "a.docx", body, more={"word/footnotes.xml": notes}))
    assert document.text == "The Engine\n\nIt weaves algebraic patterns.\n\ntab\tstop\n\ncell a\tcell b\n\na note"
    assert document.title == "The Engine"
    assert document.metadata == {"author": "Ada Lovelace", "date": "1843-09-01T00:00:00Z", "year": 1843}
    assert one(write_docx(tmp_path / "b.docx", paragraph("x"), title="Given")).title == "Given"


def test_epub_in_reading_order(tmp_path: Path) -> None:
    chapters = {"two": "<h1>Two</h1><p>Then.</p>", "one": "<h1>One</h1><p>Call me Ishmael.</p>"}
    document = one(write_epub(tmp_path / "a.epub", chapters, ["one", "two"]))
    assert document.text == "One\n\nCall me Ishmael.\n\nTwo\n\nThen."
    assert (document.title, document.metadata) == ("Moby Dick", {"author": "Herman Melville", "date": "1851", "year": 1851})
    note, document2 = items(write_epub(tmp_path / "b.epub", chapters, ["one", "lost"]))
    assert "lost.xhtml is missing" in str(note)
    assert isinstance(document2, Document)


def test_protected_epub(tmp_path: Path) -> None:
    scheme = (
        "<encryption xmlns:e='http://www.w3.org/2001/04/xmlenc#'><e:EncryptedData><e:CipherData>"
        "<e:CipherReference URI='OEBPS/{}'/></e:CipherData></e:EncryptedData></encryption>"
    )
    with pytest.raises(InputError, match="DRM"):
        items(write_epub(tmp_path / "a.epub", {"one": "x"}, ["one"], encryption=scheme.format("text/one.xhtml")))
    assert one(write_epub(tmp_path / "b.epub", {"one": "x"}, ["one"], encryption=scheme.format("font.otf"))).text == "x"


def test_zip_bombs_do_nothing(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.epub"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("META-INF/container.xml", b"\0" * 50_000_000)
    with pytest.raises(InputError, match="looks like a zip bomb") as error:
        items(bomb)
    assert "\n" not in str(error.value)
    plain = write_epub(tmp_path / "long.epub", {"one": "word " * 1000}, ["one"])
    with pytest.raises(InputError, match=r"unpacks to 5\.0 KiB, which exceeds the limit of 2\.9 KiB .*memory budget"):
        items(plain, max_bytes=3000)
    (tmp_path / "no.docx").write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(InputError, match="damaged or not a docx file"):
        items(tmp_path / "no.docx")


def test_xml_entity_bombs_do_nothing(tmp_path: Path) -> None:
    levels = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 10))
    data = f"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e0 'ha'>{levels}]><x>&e9;</x>".encode()
    with pytest.raises(InputError, match="XML entities"):
        items(write_docx(tmp_path / "a.docx", "", document=data))
    outside = b"<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/hostname'>]><x>&f;</x>"
    with pytest.raises(InputError, match="XML entities"):
        items(write_docx(tmp_path / "b.docx", "", document=outside))
    nested = "<w:tbl><w:tr><w:tc>" * 3000 + "<w:p/>" + "</w:tc></w:tr></w:tbl>" * 3000
    with pytest.raises(InputError, match="nested too deeply"):
        items(write_docx(tmp_path / "c.docx", nested))


def test_notebook(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Fit\n", "a line"]},
        {"cell_type": "code", "source": "# comment\nx = 1", "outputs": [{"text": "SECRET OUTPUT"}]},
    ]
    notebook = {"cells": cells, "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4}
    document = one(tmp_path / "n.ipynb", json.dumps(notebook))
    assert document.text == "# Fit\na line\n\n```\n# comment\nx = 1\n```"
    assert (document.title, document.metadata) == ("Fit", {"language": "python"})
    (tmp_path / "bad.ipynb").write_text("{")
    with pytest.raises(InputError, match="not a notebook"):
        items(tmp_path / "bad.ipynb")


def test_source_code(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/mod.py").write_text("def f():\n    pass\n")
    (source,) = walk([tmp_path])
    assert isinstance(source, Source)
    (document,) = read(source)
    assert isinstance(document, Document)
    assert (document.title, document.kind, document.lines) == ("pkg/mod.py", "code", True)


def message(subject: str, body: str, *, html: str | None = None) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Ada <ada@example.org>", "bob@example.org", subject
    mail["Date"] = "Sat, 01 Jan 2022 12:00:00 +0000"
    if body:
        mail.set_content(body)
    if html is not None:
        (mail.add_alternative if body else mail.set_content)(html, subtype="html")
    return mail


def test_mail(tmp_path: Path) -> None:
    mail = message("Grüße aus Köln", "Plain wörds.\n", html="<p>Rich words.")
    mail.add_attachment(b"attached words", maintype="text", subtype="plain", filename="a.txt")
    document = one(tmp_path / "a.eml", mail.as_bytes())
    assert (document.title, document.text) == ("Grüße aus Köln", "Plain wörds.\n\na.txt\n\nattached words")
    assert document.metadata["from"] == "Ada <ada@example.org>"
    assert document.metadata["date"] == "2022-01-01T12:00:00+00:00"
    assert document.metadata["year"] == 2022
    assert one(tmp_path / "b.eml", message("x", "", html="<p>Only <b>this</b>").as_bytes()).text == "Only this"


def test_malformed_mail_is_survived(tmp_path: Path) -> None:
    data = (
        b"Subject: =?utf-8?b?!!!?=\nFrom: <<>>;;@\nDate: nonsense\nContent-Type: text/plain; charset=unheard\n\ncaf\xe9 ol\xe9"
    )
    document = one(tmp_path / "a.eml", data)
    assert "caf" in document.text
    assert document.metadata["date"] == "nonsense"


@pytest.mark.parametrize("pack", ["", ".gz", ".zst"])
def test_mbox(tmp_path: Path, pack: str) -> None:
    path = tmp_path / "box.mbox"
    box = mailbox.mbox(str(path))
    for number in range(3):
        mail = message(f"Subject {number}", f"From here on, body {number}.\n\nFrom the second paragraph.\n")
        mail["Message-ID"] = f"<{min(number, 1)}@example.org>"
        box.add(mail)
    box.close()
    data = path.read_bytes()
    packed = tmp_path / f"box.mbox{pack}"
    packed.write_bytes({"": bytes, ".gz": gzip.compress, ".zst": zstd_compress}[pack](data))
    first, second, third = items(packed)
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert first.text == "From here on, body 0.\n\nFrom the second paragraph."
    assert (first.id, first.line, second.title) == ("<0@example.org>", 1, "Subject 1")
    assert data.split(b"\n")[second.line - 1].startswith(b"From ")
    assert "'<1@example.org>' occurs earlier in this file" in str(third)


def test_zstandard_streams(tmp_path: Path) -> None:
    """Frames one after another, read in pieces of any size, and small frames that unpack to much."""
    parts = [b"first " * 1000, b"", bytes(range(256)) * 500, b"x" * 5_000_000]
    path = tmp_path / "a.txt.zst"
    path.write_bytes(b"".join(map(zstd_compress, parts)))
    (source,) = walk([path])
    assert isinstance(source, Source)
    for step in (1 << 10, 1 << 16, 1 << 24):
        with source.open() as stream:
            assert b"".join(iter(lambda stream=stream, step=step: stream.read(step), b"")) == b"".join(parts)
    with source.open() as stream:
        raw = stream.raw  # type: ignore[attr-defined]
        assert len(raw.read(100)) == 100
        assert len(raw.read(1 << 22)) <= 1 << 22, "no more is unpacked than was asked for"
    path.write_bytes(zstd_compress(b"whole") + zstd_compress(b"cut" * 100)[:-4])
    with source.open() as stream, pytest.raises(EOFError, match="not complete"):
        stream.read()
    path.write_bytes(zstd_compress(b"whole") + b"nonsense")
    with pytest.raises(InputError, match="damaged"):
        items(path)


def test_mbox_with_a_huge_message(tmp_path: Path) -> None:
    path = tmp_path / "box.mbox"
    path.write_bytes(
        b"From a Sat Jan  1 00:00:00 2022\nSubject: one\n\n" + b"x" * 70 + b"\n" * 3 + b"y" * 50 + b"\n\n"
        b"From a Sat Jan  1 00:00:00 2022\nSubject: two\n\nsmall\n"
    )
    error, document = items(path, max_bytes=100)
    assert isinstance(error, InputError)
    assert isinstance(document, Document)
    assert document.text == "small"


@pytest.mark.parametrize("suffix", [".txt.gz", ".jsonl.zst"])
def test_damaged_compression(tmp_path: Path, suffix: str) -> None:
    text = "".join(f'{{"text": "record {n * n}"}}\n' for n in range(3000)).encode()
    packed = gzip.compress(text) if "gz" in suffix else zstd_compress(text)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(packed[: len(packed) // 2] + b"damage" + packed[len(packed) // 2 + 6 :])
    with pytest.raises(InputError, match="damaged"):
        items(path)
    path.write_bytes(packed[:-10])
    with pytest.raises(InputError, match="damaged"):
        items(path)


def test_decompressed_size_is_limited(tmp_path: Path) -> None:
    (tmp_path / "a.md.gz").write_bytes(gzip.compress(b"word " * 100_000))
    with pytest.raises(InputError, match=r"exceeds the limit of 97\.7 KiB"):
        items(tmp_path / "a.md.gz", max_bytes=100_000)
