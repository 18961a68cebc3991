"""HTML: the text of the page without its menus, a line for each block element, a blank line between paragraphs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..._errors import InputError
from ..document import Document, Heading, Scalar
from ..encoding import clean, decode, decode_declared
from ..page.article import article_of
from ..page.blocks import blocks_of
from ..page.encoding import declared_encoding
from ..page.main import left_out
from ..page.shown import not_shown
from ..page.site import is_of_site
from ..page.text import text_of
from ..page.unseen import unseen
from ..page.xhtml import as_html
from ..parts import with_hidden
from ..source import Fields, Source
from .base import Format, Items
from .values import one_line, year_of

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

__all__ = ["HTML", "Shown", "chapter_text", "html_title", "page_text", "parse_html", "visible_text"]

_META = {
    "author": "author",
    "dc.creator": "author",
    "citation_author": "author",
    "article:author": "author",
    "description": "description",
    "og:description": "description",
    "date": "date",
    "dc.date": "date",
    "citation_date": "date",
    "citation_publication_date": "date",
    "article:published_time": "date",
    "keywords": "keywords",
    "og:site_name": "site",
}
_TAG = re.compile(rb"<(/?)([A-Za-z][A-Za-z0-9]*)")
# Elements without an end, or whose end may be left out: they do not nest for want of one.
_UNNESTED = frozenset(
    b"""area base br col embed hr img input link meta param source track wbr p li dt dd tr td th thead tbody tfoot option
    optgroup colgroup rp rt html head body""".split()
)
MAX_NESTING = 20_000
MAX_ATTRIBUTES = 1000
FEW_ATTRIBUTES = 100
"""So many in every element of a page cost no more than the rest of parsing."""
MAX_STEPS = 50_000_000
"""The sum of the squares of larger numbers: about a third of a second."""
_SEPARATORS = b" \t\n\r\f/\"'"
# What is repeated stands in an atomic group: before 3.11.5, Python's possessive repetition goes on behind what a part that failed had read
# (CPython issue 106052).
_ATTRIBUTE = re.compile(rb"""[\s/]*+[^\s/>][^\s/>=]*+(?:(?>\s*+=\s*+(?:"[^"]*+"?|'[^']*+'?|[^\s>]*+)))?+""")
# As the standard reads a tag; and up to the first ">", lest quotes that open elsewhere hide one.
_QUOTED_TAG = re.compile(rb"<[A-Za-z][^\s/>]*+(?:(?>" + _ATTRIBUTE.pattern + rb"))*+")
_LONG_TAG = re.compile(rb"<[A-Za-z][^>]{%d,}+" % (2 * FEW_ATTRIBUTES))
_SEPARATOR = re.compile(r"\s+[-|–—:·•»«/]+\s+")
_CONTROLS = re.compile(r"[\x0e-\x1f]|&#(?:0*(?:1[4-9]|2\d|3[01])(?!\d)|[xX]0*(?:[eEfF]|1[0-9a-fA-F])(?![0-9a-fA-F]));?")
_DECLARED_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml\s")
_XHTML = (".xhtml", ".xht")
_SHORT = 400
"""Characters of text below which a page is taken for one that a script fills."""


def visible_text(root: LexborNode | None) -> str:
    """The text that a browser shows: one line per block, a row of a table in one line, ``<pre>`` unchanged.

    For mails and books, where nothing shown is beside the text.
    """
    if root is None:
        return ""
    page = blocks_of(root)
    return text_of(page, not_shown(page))[0]


def chapter_text(root: LexborNode | None) -> tuple[str, tuple[Heading, ...]]:
    """The same with its headings."""
    if root is None:
        return "", ()
    page = blocks_of(root)
    return text_of(page, not_shown(page))


class Shown(NamedTuple):
    """What a page says."""

    text: str
    headings: tuple[Heading, ...] = ()
    """Of level 0 those without words, which only part what is around them."""
    unseen: tuple[tuple[str, str], ...] = ()
    """Reason and text of what browsers do not show."""


def page_text(tree: LexborHTMLParser) -> Shown:
    """The text of a page without menus and the like, as `page.main` chooses it."""
    root = tree.body
    if root is None:
        root = _without_frames(tree)
    if root is None:
        return Shown("")
    page = blocks_of(root)
    text, headings = text_of(page, left_out(page, is_of_site(tree, page)))
    hidden = tuple(unseen(page, not_shown(page))) if page.comments or any(page.hidden) else ()
    if len(text) < _SHORT and len(article := article_of(tree)) > 2 * len(text):
        return Shown(article, (), hidden)
    return Shown(text, headings, hidden)


def _without_frames(tree: LexborHTMLParser) -> LexborNode | None:
    """What a page of frames shows where there are no frames."""
    from selectolax.lexbor import LexborHTMLParser

    frames = tree.css_first("noframes")
    return LexborHTMLParser(frames.text()).body if frames is not None else None


def html_title(tree: LexborHTMLParser) -> str:
    """The ``<title>``, else the title given to social networks, else the first ``<h1>``; ``""`` if there is none of them.

    On a page of a site the site's name is taken off where what remains is one of the others.
    """
    given = tree.css_first('meta[property="og:title"]')
    social = one_line((given.attributes.get("content") or "") if given is not None else "")
    headings = [one_line(visible_text(node) if node.css_first("sup, sub") else node.text()) for node in tree.css("h1")[:5]]
    node = tree.css_first("head > title") or tree.css_first("title")
    title = one_line(node.text()) if node is not None else ""
    if not title:
        return social or next((heading for heading in headings if heading), "")
    return _without_site(title, {social, *headings}, tree) if is_of_site(tree) else title


def _without_site(title: str, others: set[str], tree: LexborHTMLParser) -> str:
    given = tree.css_first('meta[property="og:site_name"]')
    site = one_line((given.attributes.get("content") or "") if given is not None else "").casefold()
    known = {other.casefold() for other in others if other}
    for match in _SEPARATOR.finditer(title):
        before, after = title[: match.start()], title[match.end() :]
        for kept, gone in ((before, after), (after, before)):
            if kept.casefold() in known or (site and gone.casefold() == site):
                return kept
    return title


def _check_nesting(data: bytes, label: str) -> None:
    """Raise `InputError` for a page nested so deeply that parsing it
    would take the square of its depth.
    """
    if len(data) < 3 * MAX_NESTING:
        return
    depth = 0
    for close, name in _TAG.findall(data):
        if name.lower() not in _UNNESTED:
            depth = max(0, depth - 1) if close else depth + 1
            if depth > MAX_NESTING:
                raise InputError(f"{label} nests elements more than {MAX_NESTING:,} deep; it was skipped")


def _check_attributes(data: bytes, label: str) -> None:
    """Raise `InputError` for elements with so many attributes that parsing them would take the square of their number."""
    for tags in (_QUOTED_TAG, _LONG_TAG):
        steps = 0
        for tag in tags.finditer(data):
            if tag.end() - tag.start() <= 2 * FEW_ATTRIBUTES:
                continue
            text = tag.group()
            if len(text) - len(text.translate(None, _SEPARATORS)) < FEW_ATTRIBUTES:
                continue
            number = len(_ATTRIBUTE.findall(text))
            if number > MAX_ATTRIBUTES:
                raise InputError(f"{label} has an element with more than {MAX_ATTRIBUTES:,} attributes; it was skipped")
            steps += number * number if number > FEW_ATTRIBUTES else 0
            if steps > MAX_STEPS:
                raise InputError(
                    f"{label} has many elements with more than {FEW_ATTRIBUTES} attributes (up to {number}); it was skipped"
                )


def parse_html(data: bytes, label: str = "a page", *, xml: bool = False) -> LexborHTMLParser:
    """Parses a page, in the encoding that its bytes or its ``<meta charset>`` say.

    ``xml``: it is XHTML, as it is too where it begins with an XML declaration. Raises `InputError` for one whose parsing would
    take the square of its length.
    """
    from selectolax.lexbor import LexborHTMLParser

    text = None
    if xml or _DECLARED_XML.match(data):
        text = as_html(_decoded(data))
        data = text.encode()
    _check_nesting(data, label)
    _check_attributes(data, label)
    # Control characters, which no page shows, mark what is what in the text of its blocks.
    return LexborHTMLParser(_CONTROLS.sub("", _decoded(data) if text is None else text))


def _decoded(data: bytes) -> str:
    declared = declared_encoding(data)
    return decode_declared(data, declared) if declared else decode(data)


def _is_xhtml(source: Source) -> bool:
    name = source.path.lower()
    return (name.rpartition(".")[0] if source.compression else name).endswith(_XHTML)


def _read(source: Source, fields: Fields) -> Items:
    data = source.read_bytes()
    tree = parse_html(data, source.label, xml=_is_xhtml(source))
    metadata: dict[str, Scalar] = {}
    for node in tree.css("meta[content]"):
        attributes = node.attributes
        name = _META.get((attributes.get("name") or attributes.get("property") or "").lower())
        value = (attributes.get("content") or "").strip()
        if name and value:
            metadata.setdefault(name, one_line(value, 1000))
    if "date" in metadata and (year := year_of(str(metadata["date"]))) is not None:
        metadata["year"] = year
    language = (tree.root.attributes.get("lang") or "") if tree.root is not None else ""
    if language:
        metadata["language"] = language
    shown = page_text(tree)
    text, parts, hidden = with_hidden(clean(shown.text), ((reason, clean(said), 0) for reason, said in shown.unseen))
    if text:
        title = clean(html_title(tree)) or source.stem
        headings = tuple(heading for heading in shown.headings if heading.level)
        if parts and headings:
            headings = (*headings, Heading(parts[0].start, 0, ""))
        yield Document(
            source.path,
            text,
            title,
            metadata,
            sections=tuple(heading.start for heading in shown.headings),
            parts=parts,
            headings=headings,
            hidden=hidden,
            line=0,
        )


HTML = Format("html", (".html", ".htm", *_XHTML, ".shtml"), _read)
