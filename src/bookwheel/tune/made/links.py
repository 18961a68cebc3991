"""Links between documents: what one calls another is a query that the other answers, and so is the title of a document that
cites others.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote

from ...library.results import StoredDocument
from .drawn import Drawn
from .query import Draft, Taken
from .wording import is_name, one_line

__all__ = ["Links"]

PER_DOCUMENT = 20
"""Links of one document that are looked at."""
MOST_CITED = 50
"""Documents that one cites; a document that cites more is a list."""
FIELDS = ("references", "cites", "citations", "related", "see_also", "see-also", "links")
"""Metadata with the ids of other documents."""
_SUFFIXES = ("", ".md", ".rst", ".txt", ".html", "/index.md", "/README.md")
_MARKDOWN = re.compile(r"(?<!!)\[([^\[\]\n]{3,200})\]\(<?([^()\s<>]{1,300})>?(?:\s+\"[^\"\n]{0,200}\")?\)")
_WIKI = re.compile(r"\[\[([^\[\]|\n]{2,200})(?:\|([^\[\]\n]{3,200}))?\]\]")
_REST = re.compile(r"(?::(?:doc|ref):)?`([^`<>\n]{3,200}?)\s*<([^`<>\s]{1,300})>`_{0,2}")


class Links:
    """The link's words are taken out of the document that links, and the title out of the one that it links to where they are it.

    A document whose citations are queries is left out itself, as in SciDocs.
    """

    name = "links"
    summary = "the words of a link, or the title of a citing document; the document linked to or cited"
    source = (
        "Craswell, Hawking and Robertson, Effective Site Finding Using Link Anchor Information (SIGIR 2001); Cohan, Feldman, "
        "Beltagy, Downey and Weld, SPECTER (ACL 2020) for citations"
    )
    needs = ""

    def drafts(self, drawn: Drawn) -> Iterator[Draft]:
        """See `Way.drafts`. At most one query that leads to a document."""
        reached: set[int] = set()
        for document in drawn.documents():
            if (draft := self._cited(document, drawn)) is not None:
                yield draft
            for words, target, span in _links(document):
                words = one_line(words)
                if is_name(words, target) or not drawn.wording.usable(words):
                    continue
                number = _resolved(drawn, document, target)
                if number is None or number == document.number or number in reached:
                    continue
                reached.add(number)
                taken = {document.number: Taken(spans=(span,)), number: Taken(phrases=(words,))}
                yield Draft(words, {number: 1}, taken, f"link of {document.id} {span[0]}-{span[1]}")

    @staticmethod
    def _cited(document: StoredDocument, drawn: Drawn) -> Draft | None:
        """The title of ``document`` as a query for the documents that its metadata names."""
        title = one_line(document.title)
        if is_name(title, document.id, document.source) or not drawn.wording.usable(title):
            return None
        cited: dict[int, int] = {}
        for field in FIELDS:
            value: object = document.metadata.get(field)
            names = value if isinstance(value, list | tuple) else re.split(r"[,;\s]+", value) if isinstance(value, str) else ()
            for name in names[: MOST_CITED + 1]:
                if isinstance(name, str) and name and (number := _number(drawn, name)) is not None:
                    cited[number] = 1
        cited.pop(document.number, None)
        if not cited or len(cited) > MOST_CITED:
            return None
        return Draft(title, cited, {document.number: Taken(whole=True)}, f"citations of {document.id}")


def _links(document: StoredDocument) -> list[tuple[str, str, tuple[int, int]]]:
    """Words, target and span of the first links of a text."""
    found = [(m[1], m[2], m.span(1)) for m in _MARKDOWN.finditer(document.text)]
    found += [(m[2] or m[1], m[1], m.span()) for m in _WIKI.finditer(document.text)]
    found += [(m[1], m[2], m.span(1)) for m in _REST.finditer(document.text)]
    return sorted(found, key=lambda one: one[2])[:PER_DOCUMENT]


def _resolved(drawn: Drawn, document: StoredDocument, target: str) -> int | None:
    """The number of the document that ``target`` leads to: a path beside the document, a path, or an id."""
    target = unquote(target).partition("#")[0].rstrip("/")
    if not target or "\0" in target:
        return None
    if "://" in target or target.startswith("mailto:"):
        return _number(drawn, target)
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(document.source), target))
    by_id = posixpath.normpath(posixpath.join(posixpath.dirname(document.id), target))
    for name in dict.fromkeys((beside, by_id, target)):
        for suffix in _SUFFIXES:
            if (number := _number(drawn, name + suffix)) is not None:
                return number
    return None


def _number(drawn: Drawn, name: str) -> int | None:
    """The one document of this id or path; None where there is none, or several."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return None
    snapshot = drawn.library._snapshot
    found = snapshot.store.find(snapshot.generation, name)
    return found[0] if len(found) == 1 else None
