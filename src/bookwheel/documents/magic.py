"""What the first bytes of a file prove about its format, whatever its name says."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .source import Source

__all__ = ["FOREIGN", "by_magic"]

FOREIGN = "binary"
"""The format of what is certainly not read."""

_CONTENT_TYPES = (
    (b"wordprocessingml.document.main", "docx"),
    (b"wordprocessingml.template.main", "docx"),
    (b"word.document.macroEnabled.main", "docx"),
    (b"word.template.macroEnabledTemplate.main", "docx"),
    (b"presentationml.", "pptx"),
    (b"ms-powerpoint.", "pptx"),
    (b"ms-excel.sheet.binary", FOREIGN),
    (b"spreadsheetml.", "xlsx"),
    (b"ms-excel.", "xlsx"),
)
_PARTS = (("word/document.xml", "docx"), ("ppt/presentation.xml", "pptx"), ("xl/workbook.xml", "xlsx"))
_ODF = re.compile(rb"application/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation|graphics)")
_PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"7z\xbc\xaf", b"Rar!\x1a\x07", b"\x7fELF", b"OggS", b"fLaC", b"ID3")
_FLAT = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<office:document\s", re.DOTALL)
_FICTION = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<FictionBook\b", re.DOTALL)
_FEED = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:(?:<\?[^>]*>|<!--(?:(?!-->).)*-->|<!DOCTYPE[^>\[]*>)\s*)*"
    rb"<(?:rss[\s>]|(?:atom:)?feed\s[^>]*http://(?:www\.w3\.org/2005/Atom|purl\.org/atom/ns)"
    rb"|rdf:RDF\s[^>]*http://(?:purl\.org/rss/1\.0/|channel\.netscape\.com/rdf|my\.netscape\.com/rdf)|(opml)[\s>])",
    re.DOTALL,
)
_SMALL = 1 << 20
_ROOT_PROGRAMS = re.compile(r"(?:WordDocument|Workbook|Book|PowerPoint Document|EncryptedPackage|__properties_version1\.0)\Z")


def by_magic(head: bytes, source: Source) -> tuple[str, str]:
    """``(format, "")``, ``("", reason)`` for what is told by its kind, or ``("", "")`` where the bytes prove nothing.

    Opens ``source`` again for the formats that are kept in zip and OLE containers.
    """
    if head.startswith(b"%PDF-") or b"\n%PDF-" in head[:1024]:
        return "pdf", ""
    if head.lstrip().startswith(b"{\\rtf"):
        return "rtf", ""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _of_zip(source)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _of_ole(source)
    if head.startswith(b"\x78\x9f\x3e\x22"):
        return "tnef", ""
    if _FICTION.match(head):
        return "fb2", ""
    if feed := _FEED.match(head):
        return "opml" if feed.group(1) else "feed", ""
    if head.startswith((b"%!PS", b"\x04%!PS", b"\xc5\xd0\xd3\xc6")):
        return "", "PostScript"
    if head.startswith(b"SQLite format 3\0"):
        return "", "SQLite database"
    if head[257:262] == b"ustar":
        return "tar", ""
    if _FLAT.match(head):
        return "odf", ""
    if head.startswith(_PICTURES):
        return "", FOREIGN
    return "", ""


def _of_zip(source: Source) -> tuple[str, str]:
    """Which of the formats in zip containers this is; an archive if none of them, or if it is damaged."""
    from .members import seekable
    from .zip_directory import check_directory

    try:
        with seekable(source) as stream:
            check_directory(stream, source)
            with zipfile.ZipFile(stream) as file:
                names = file.namelist()
                if "mimetype" in names:
                    said = _small(file, "mimetype")
                    if said.strip().startswith(b"application/epub"):
                        return "epub", ""
                    if _ODF.match(said.strip()):
                        return "odf", ""
                if "[Content_Types].xml" in names:
                    types = _small(file, "[Content_Types].xml")
                    for mark, form in _CONTENT_TYPES:
                        if mark in types:
                            return ("", FOREIGN) if form == FOREIGN else (form, "")
                if "META-INF/container.xml" in names and any(name.endswith(".opf") for name in names):
                    return "epub", ""
                if "content.xml" in names and "META-INF/manifest.xml" in names:
                    return "odf", ""
                for part, form in _PARTS:
                    if part in names:
                        return form, ""
    except Exception:  # damage, or a bomb: whoever reads it tells
        return "zip", ""
    return "zip", ""


def _small(file: zipfile.ZipFile, name: str) -> bytes:
    with file.open(name) as stream:
        return stream.read(_SMALL)


def _of_ole(source: Source) -> tuple[str, str]:
    """Which of the formats in Microsoft's older containers this is, by the streams in it."""
    from .members import seekable

    try:
        import olefile

        with seekable(source) as stream, olefile.OleFileIO(stream) as file:
            names = {path[0] for path in file.listdir() if len(path) == 1 and _ROOT_PROGRAMS.match(path[0])}
    except Exception:
        return "", FOREIGN
    if "EncryptedPackage" in names:
        return "", "protected by a password"
    for name, form in (
        ("WordDocument", "doc"),
        ("PowerPoint Document", "ppt"),
        ("Workbook", "xls"),
        ("Book", "xls"),
        ("__properties_version1.0", "msg"),
    ):
        if name in names:
            return form, ""
    return "", FOREIGN
