"""Documents with files attached to them, mails and PDFs: these are read by the readers of their formats, as parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from .._errors import InputError
from .before_damage import undamaged
from .document import Document, Heading, Hidden, Part
from .failures import Note, failures_of
from .paths import recognised, skipped_or_members
from .places import PlaceMap
from .readers import FORMATS
from .readers.base import Letter
from .source import Fields, Skipped, Source

__all__ = ["with_attachments"]

MAX_DEPTH = 4
"""Attachments of attachments."""
MAX_ATTACHMENTS = 200


def with_attachments(letter: Letter, source: Source, fields: Fields, depth: int = 0) -> Iterator[Document | InputError]:
    """The document of ``letter`` with the text of its attachments after its own, and a note for each that cannot be read."""
    whole = _Whole(letter.text, [*letter.parts], [*letter.sections], [*letter.headings], [*letter.hidden], source.max_bytes)
    if len(letter.attachments) > MAX_ATTACHMENTS:
        yield Note(
            f"{_where(letter, source)}: of {len(letter.attachments):,} attachments the first {MAX_ATTACHMENTS} were looked at"
        )
    for name, data, taken_for in letter.attachments[:MAX_ATTACHMENTS]:
        inner = Source(
            f"{source.path}/{name}", len(data), source.mtime_ns, "text", name=name, max_bytes=source.max_bytes, data=data
        )
        try:
            with closing(skipped_or_members(recognised(inner, taken_for))) as items:
                for item in items:
                    yield from _added(item, whole, fields, depth, len(source.path) + 1, _where(letter, source))
        except (InputError, OSError) as error:
            yield Note(f"{_where(letter, source)}: attachment {name!r} was not read: {error}")
    text, title = whole.text, letter.title
    if not text or text.isspace():
        text, title = title if letter.is_mail else "", ""
    if text:
        yield Document(
            letter.id,
            text,
            title,
            letter.metadata,
            letter.kind,
            pages=letter.pages,
            line=letter.line,
            sections=tuple(whole.sections),
            parts=tuple(whole.parts),
            labels=letter.labels,
            headings=tuple(whole.headings) if any(heading.level for heading in whole.headings) else (),
            hidden=tuple(whole.hidden),
        )
    elif not letter.is_mail:
        yield InputError(f"{_where(letter, source)} has no text that can be read, nor have its attachments")


def _added(item: Source | Skipped, whole: _Whole, fields: Fields, depth: int, below: int, where: str) -> Iterator[Note]:
    """Add an attachment, or a member of one, to ``whole``, and tell what is not added; its name is its path from ``below`` on."""
    name = item.path[below:]
    if isinstance(item, Skipped):
        if item.failed:
            yield Note(f"{where}: attachment {name!r} was not read: {item.reason}")
        return
    begins = True
    try:
        for document in _read(item, fields, depth):
            if isinstance(document, InputError):
                yield Note(f"{where}: attachment {name!r}: {document}")
            elif whole.add(name, document, begins):
                begins = False
            else:
                yield Note(f"{where}: attachment {name!r} exceeds the limit of text and was left out")
    except InputError as error:  # this one's fault: those after it in the same archive are read
        yield Note(f"{where}: attachment {name!r} was not read{'' if begins else ' to its end'}: {error}")


def _read(source: Source, fields: Fields, depth: int) -> Iterator[Document | InputError]:
    with failures_of(source):
        for item in undamaged(FORMATS[source.format], source, fields):
            if not isinstance(item, Letter):
                yield item
                continue
            if depth >= MAX_DEPTH and item.attachments:
                yield Note(f"its attachments were left out: attachments of attachments are read {MAX_DEPTH} deep")
                item = replace(item, attachments=())
            yield from with_attachments(item, source, fields, depth + 1)


def _where(letter: Letter, source: Source) -> str:
    return f"{source.label}:{letter.line}" if letter.line else source.label


@dataclass(slots=True)
class _Whole:
    """A text that grows."""

    text: str
    parts: list[Part]
    sections: list[int]
    headings: list[Heading]
    hidden: list[Hidden]
    limit: int

    def add(self, name: str, document: Document, begins: bool) -> bool:
        """Append a document of an attachment, the first where it ``begins``, under its name; False where it does not fit."""
        if len(self.text) + len(document.text) > self.limit:
            return False
        named = f"attachment {name}"
        start = len(self.text.rstrip("\n")) + 2 if self.text else 0
        head = "" if document.title in (name, PurePosixPath(name).stem) else document.title
        if begins or self.parts[-1].name != named:  # the document before may have ended in a part of its own
            self.parts.append(Part(start, named))
        if begins:
            head = f"{name}: {head}" if head else name
        self.text = "\n\n".join(part for part in (self.text.rstrip("\n"), head) if part) + "\n\n"
        at = len(self.text)
        layout = PlaceMap.of(document)
        self.parts += [Part(at + page, f"{named} {layout.said(number)}") for number, page in enumerate(document.pages, 1)]
        self.parts += [part._replace(start=at + part.start, name=f"{named} {part.name}") for part in document.parts]
        self.sections += [at + start for start in document.sections]
        self.headings.append(Heading(start, 0, ""))
        self.headings += [heading._replace(start=at + heading.start) for heading in layout.headings]
        self.hidden += [Hidden(at + span.start, at + span.end, span.reason) for span in document.hidden]
        self.text += document.text
        return True
