"""Writers of small real files, in the formats that bookwheel reads, for the tests."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from html import escape
from pathlib import Path

import pytest

from bookwheel.documents import zstd

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def write_pdf(path: Path, pages: Sequence[str | None], *, encrypted: bool = False, title: str = "", author: str = "") -> Path:
    """A PDF of one line of text a page; ``None`` makes a page that is not there. Encrypted: with a password nobody knows."""
    objects: list[bytes] = []

    def add(body: str) -> int:
        objects.append(body.encode("latin-1"))
        return len(objects)

    font = add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    kids: list[str] = []
    parent = 2 * len(pages) + 2
    for text in pages:
        if text is None:
            kids.append("999 0 R")
            add("null")
            add("null")
            continue
        drawn = " 0 -14 Td ".join(f"({line}) Tj" for line in text.replace("(", r"\(").replace(")", r"\)").split("\n"))
        stream = f"BT /F1 12 Tf 40 700 Td {drawn} ET"
        content = add(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        page = add(
            f"<< /Type /Page /Parent {parent} 0 R /MediaBox [0 0 600 800] /Contents {content} 0 R"
            f" /Resources << /Font << /F1 {font} 0 R >> >> >>"
        )
        kids.append(f"{page} 0 R")
    assert add(f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(pages)} >>") == parent
    root = add(f"<< /Type /Catalog /Pages {parent} 0 R >>")
    info = add(f"<< /Title ({title}) /Author ({author}) /CreationDate (D:20190704120000Z) >>")
    extra = ""
    if encrypted:
        # The standard handler: no password fits these 32 arbitrary bytes, so the empty one does not either.
        odd = "<" + "5a" * 32 + ">"
        extra = f" /Encrypt << /Filter /Standard /V 1 /R 2 /O {odd} /U {odd} /P -4 >> /ID [<00> <00>]"
    data = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    data += (
        f"trailer << /Size {len(objects) + 1} /Root {root} 0 R /Info {info} 0 R{extra} >>\nstartxref\n{start}\n%%EOF\n".encode()
    )
    path.write_bytes(data)
    return path


def write_docx(
    path: Path, body: str, *, title: str = "", document: bytes | None = None, more: dict[str, str] | None = None
) -> Path:
    """A DOCX around the WordprocessingML in ``body`` (elements ``w:p``, ``w:tbl``)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>")
        file.writestr(
            "word/document.xml", document or f"<w:document xmlns:w='{W}'><w:body>{body}</w:body></w:document>".encode()
        )
        file.writestr(
            "docProps/core.xml",
            "<cp:coreProperties xmlns:cp='http://schemas.openxmlformats.org/package/2006/metadata/core-properties'"
            " xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:dcterms='http://purl.org/dc/terms/'>"
            f"<dc:title>{escape(title)}</dc:title><dc:creator>Ada Lovelace</dc:creator>"
            "<dcterms:created>1843-09-01T00:00:00Z</dcterms:created></cp:coreProperties>",
        )
        for name, text in (more or {}).items():
            file.writestr(name, text)
    return path


def paragraph(text: str, style: str = "") -> str:
    """A Word paragraph of two runs."""
    properties = f"<w:pPr><w:pStyle w:val='{style}'/></w:pPr>" if style else ""
    half = len(text) // 2
    runs = "".join(f"<w:r><w:t xml:space='preserve'>{escape(part)}</w:t></w:r>" for part in (text[:half], text[half:]))
    return f"<w:p>{properties}{runs}</w:p>"


def write_epub(path: Path, chapters: dict[str, str], spine: Sequence[str], *, encryption: str = "") -> Path:
    """An EPUB whose manifest is in the order of ``chapters``, and its reading order ``spine``."""
    items = "".join(
        f"<item id='{name}' href='text/{name}.xhtml' media-type='application/xhtml+xml'/>"
        for name in dict.fromkeys([*chapters, *spine])
    )
    order = "".join(f"<itemref idref='{name}'/>" for name in spine)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo("mimetype"), "application/epub+zip")
        file.writestr(
            "META-INF/container.xml",
            "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'><rootfiles>"
            "<rootfile full-path='OEBPS/book.opf' media-type='application/oebps-package+xml'/></rootfiles></container>",
        )
        if encryption:
            file.writestr("META-INF/encryption.xml", encryption)
        file.writestr(
            "OEBPS/book.opf",
            "<package xmlns='http://www.idpf.org/2007/opf' xmlns:dc='http://purl.org/dc/elements/1.1/'><metadata>"
            "<dc:title>Moby Dick</dc:title><dc:creator>Herman Melville</dc:creator><dc:date>1851</dc:date></metadata>"
            f"<manifest>{items}</manifest><spine>{order}</spine></package>",
        )
        for name, body in chapters.items():
            file.writestr(
                f"OEBPS/text/{name}.xhtml",
                f"<html xmlns='http://www.w3.org/1999/xhtml'><head><title>x</title></head><body>{body}</body></html>",
            )
    return path


def zstd_compress(data: bytes) -> bytes:
    """``data`` as a Zstandard frame; skips the test where neither Python nor a package has the format."""
    try:
        return zstd.compress(data)
    except ImportError:
        pytest.skip("Zstandard is not installed: pip install backports.zstd")
