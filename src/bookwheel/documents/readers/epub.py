"""EPUB: the chapters in reading order (the spine), as the text that a page shows."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from ..._errors import InputError
from ..document import Document, Heading, Value
from ..encoding import clean, decode
from ..page.xhtml import has_words
from ..parts import joined, moved_headings
from ..source import Fields, Source
from .archive import Archive, open_archive
from .base import Format, Items
from .html import chapter_text, parse_html
from .values import one_line, one_or_several, year_of
from .xml import local, parse_xml

__all__ = ["EPUB"]

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")


def _read(source: Source, fields: Fields) -> Items:
    with open_archive(source) as archive:
        package_path = _package_path(archive, source)
        package = parse_xml(archive.read(package_path), source.label)
        chapters = _spine(package, posixpath.dirname(package_path))
        _refuse_protected(archive, source, chapters)
        pieces: list[tuple[str, str]] = []
        found: list[tuple[Heading, ...]] = []
        for chapter in chapters:
            if chapter not in archive.names:
                yield InputError(f"{source.label}: chapter {chapter} is missing and was skipped")
                continue
            data = archive.read(chapter)
            page = parse_html(data, f"{source.label}: chapter {chapter}", xml=True).body
            text, headings = chapter_text(page)
            if text and not text.isspace():
                pieces.append((f"chapter {len(pieces) + 1}", clean(text)))
                found.append(headings)
            elif (page is None or not page.text().strip()) and has_words(decode(data)):  # what is hidden isn't lost
                yield InputError(
                    f"{source.label}: chapter {chapter} has text that no browser shows, since an element before it is never closed; "
                    "it was skipped"
                )
    metadata, title = _metadata(package)
    text, parts = joined(pieces)
    if text:
        headings = moved_headings(found, parts)
        sections = tuple(heading.start for heading in headings)
        yield Document(
            source.path, text, title or source.stem, metadata, parts=parts, headings=headings, sections=sections, line=0
        )


def _package_path(archive: Archive, source: Source) -> str:
    for element in parse_xml(archive.read(_CONTAINER), source.label).iter():
        if local(element.tag) == "rootfile" and element.get("full-path"):
            return str(element.get("full-path"))
    raise InputError(f"{source.label} is damaged: {_CONTAINER} names no package file")


def _spine(package: Element, folder: str) -> list[str]:
    items = {
        element.get("id"): posixpath.normpath(posixpath.join(folder, unquote(element.get("href") or "")))
        for element in package.iter()
        if local(element.tag) == "item" and element.get("media-type") in _PAGES
    }
    order = [element.get("idref") for element in package.iter() if local(element.tag) == "itemref"]
    return [items[name] for name in dict.fromkeys(order) if name in items]


def _refuse_protected(archive: Archive, source: Source, chapters: list[str]) -> None:
    """Fonts may be scrambled in any book; chapters are only under digital rights management."""
    if _ENCRYPTION in archive.names:
        for element in parse_xml(archive.read(_ENCRYPTION), source.label).iter():
            if local(element.tag) == "CipherReference" and unquote(element.get("URI") or "") in chapters:
                raise InputError(f"{source.label} is protected by DRM and cannot be read")


def _metadata(package: Element) -> tuple[dict[str, Value], str]:
    found: dict[str, list[str]] = {}
    for element in package.iter():
        if "purl.org/dc/elements" in element.tag and (value := one_line(clean("".join(element.itertext())), 1000)):
            found.setdefault(local(element.tag), []).append(value)
    metadata: dict[str, Value] = {}
    if "creator" in found:
        metadata["author"] = one_or_several(found["creator"])
    for name in ("publisher", "language", "description", "date"):
        if name in found:
            metadata[name] = found[name][0]
    if "date" in found and (year := year_of(found["date"][0])) is not None:
        metadata["year"] = year
    return metadata, one_line(found["title"][0]) if "title" in found else ""


EPUB = Format("epub", (".epub",), _read, container=True)
