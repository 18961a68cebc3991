"""Documents as TREC distributes them: ``<DOC><DOCNO>…</DOCNO>…</DOC>`` in files of any size, and MS MARCO's tables.

They are read line by line; of one document at most `LONGEST` characters are held. Old disks are in Latin-1: a line that is no UTF-8
is taken for that.
"""

from __future__ import annotations

import gzip
import html
import re
import zlib
from collections.abc import Collection as Container
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, cast

from ..._errors import InputError
from ...documents.document import Document
from ..lines import bounded_lines
from .base import Place

__all__ = ["LONGEST", "document_files", "tagged_documents"]

LONGEST = 32 << 20
_FOLDERS = ("documents", "docs", "corpus", "collection")
_TAGGED = (".sgml", ".sgm", ".trec", ".trectext")
_TITLES = ("title", "headline", "hl", "head", "ti", "h3")
_BODIES = ("text", "leadpara", "lp", "graphic", "body", "abstract")
_TAG = re.compile(r"<[^<>]{0,1000}>")


def document_files(place: Place, others: Container[Path]) -> list[Path]:
    """The files of documents in a folder: in one that is named for them, named for them, or with a first line that has ``<DOC>``."""
    for name in _FOLDERS:
        folder = place.path / name
        if folder.is_dir():
            return sorted(one for one in folder.rglob("*") if one.is_file() and not one.name.startswith("."))
    left = [
        one
        for one in place.files
        if one not in others and not one.name.lower().startswith(("qrels", "topics", "queries", "readme"))
    ]
    tables = [
        one for one in left if _plain(one) in ("collection.tsv", "docs.tsv", "documents.tsv", "corpus.tsv", "msmarco-docs.tsv")
    ]
    tagged = [one for one in left if _plain(one).endswith(_TAGGED) or (_plain(one).startswith(_FOLDERS) and one not in tables)]
    return tables or tagged or [one for one in left if _begins_with_document(one)]


def _plain(path: Path) -> str:
    return path.name.lower().removesuffix(".gz")


def _begins_with_document(path: Path) -> bool:
    try:
        with _open(path) as file:
            return b"<doc>" in file.read(4096).lower()
    except (OSError, EOFError, zlib.error):
        return False


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def tagged_documents(files: Iterable[Path]) -> Iterator[Document]:
    """The documents of ``files``, one after the other. Raises `InputError` naming the file and line."""
    for path in files:
        if path.suffix.lower() == ".z":
            raise InputError(f"{path} is compressed by compress(1); unpack it with: gzip -d, or uncompress")
        try:
            with _open(path) as file:
                table = _plain(path).endswith(".tsv")
                found = 0
                for document in _table(path, file) if table else _tagged(path, file):
                    found += 1
                    yield document
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
        if not found:
            raise InputError(f"{path} holds no document; expected <DOC><DOCNO>…</DOCNO>…</DOC>, or 'id<TAB>text' in a .tsv")


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _table(path: Path, file: IO[bytes]) -> Iterator[Document]:
    """``id<TAB>text``, or MS MARCO's documents: id, address, title, text."""
    for number, line in bounded_lines(path, file, LONGEST):
        if not line.strip():
            continue
        parts = _text(line).rstrip("\r\n").split("\t")
        if len(parts) == 4:
            yield Document(id=parts[0].strip(), text=parts[3], title=parts[2], metadata={"url": parts[1]})
        elif len(parts) in (2, 3):
            yield Document(id=parts[0].strip(), text=parts[-1], title=parts[1] if len(parts) == 3 else "")
        else:
            raise InputError(f"{path}:{number}: expected an id, a tab and a text, not {len(parts)} columns")


def _tagged(path: Path, file: IO[bytes]) -> Iterator[Document]:
    lines: list[str] | None = None
    size = began = 0
    for number, raw in enumerate(iter(lambda: file.readline(LONGEST), b""), 1):
        rest = _text(raw)
        while rest:
            if lines is None:
                start = re.search(r"<doc>", rest, re.IGNORECASE)
                if start is None:
                    break
                lines, size, began, rest = [], 0, number, rest[start.end() :]
            end = re.search(r"</doc>", rest, re.IGNORECASE)
            lines.append(rest if end is None else rest[: end.start()])
            size += len(lines[-1])
            if size > LONGEST:
                raise InputError(f"{path}:{began}: a document has more than {LONGEST:,} characters, or no </DOC>")
            if end is None:
                break
            yield _document(path, began, "".join(lines))
            lines, rest = None, rest[end.end() :]
    if lines is not None:
        raise InputError(f"{path}:{began}: a document has no </DOC>")


def _document(path: Path, began: int, text: str) -> Document:
    number = next(_elements(text, "docno"), None)
    if number is None or not (name := text[number[0] : number[1]].strip()):
        raise InputError(f"{path}:{began}: a document has no <DOCNO>")
    title = next((text[start:end] for tag in _TITLES for start, end in _elements(text, tag)), "")
    bodies = sorted(span for tag in _BODIES for span in _elements(text, tag))
    body = "\n".join(text[start:end] for start, end in bodies) if bodies else text[: number[0]] + text[number[1] :]
    return Document(id=name, text=_words(body), title=" ".join(_words(title).split())[:1000])


def _elements(text: str, tag: str) -> Iterator[tuple[int, int]]:
    """Where the contents of each ``tag`` are, in time linear in the text whatever is left open."""
    ends = re.compile(f"</{tag}>", re.IGNORECASE)
    at = 0
    for opening in re.finditer(f"<{tag}(?: [^<>]{{0,200}})?>", text, re.IGNORECASE):
        if opening.start() < at:
            continue
        closing = ends.search(text, opening.end())
        if closing is None:
            return
        yield opening.end(), closing.start()
        at = closing.end()


def _words(text: str) -> str:
    return html.unescape(_TAG.sub(" ", text)).strip()
