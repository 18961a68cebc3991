"""HTML: the visible text, a line for each block element, a blank line between paragraphs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..._errors import InputError
from ..document import Document, Scalar
from ..encoding import clean, decode, decode_declared
from ..source import Fields, Source
from .base import Format, Items
from .values import one_line, year_of

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

__all__ = ["HTML", "html_title", "visible_text"]

_DROPPED = frozenset(
    """head script style template noscript iframe object embed svg math canvas select datalist""".split()  # noqa: SIM905
)
_PARAGRAPH = frozenset(
    """address article aside blockquote body dd details dialog dl dt fieldset figcaption figure footer form h1 h2 h3
    h4 h5 h6 header hgroup hr main nav ol p pre section summary table ul""".split()  # noqa: SIM905
)
_LINE = frozenset(
    """div li tr caption legend option thead tbody tfoot""".split()  # noqa: SIM905
)
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
}
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_TAG = re.compile(rb"<(/?)([A-Za-z][A-Za-z0-9]*)")
# Elements without an end, or whose end may be left out: they do not nest for want of one.
_UNNESTED = frozenset(
    b"""area base br col embed hr img input link meta param source track wbr p li dt dd tr td th thead tbody tfoot option
    optgroup colgroup rp rt html head body""".split()
)
MAX_NESTING = 20_000
MAX_ATTRIBUTES = 1000
_ATTRIBUTE = re.compile(rb"""[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"?|'[^']*+'?|[^\s>]*+))?+""")
# As the standard reads a tag; and up to the first ">", lest quotes that open elsewhere hide one.
_QUOTED_TAG = re.compile(rb"<[A-Za-z][^\s/>]*+(?:" + _ATTRIBUTE.pattern + rb")*+")
_LONG_TAG = re.compile(rb"<[A-Za-z][^>]{%d,}+" % (2 * MAX_ATTRIBUTES))
_SPACE = re.compile(r"\s+")
_SPACES = re.compile(r" {2,}")
# White space in <pre> takes another form while all others are collapsed.
_KEEP = {ord(" "): "\x1e", ord("\t"): "\x1f", ord("\n"): "\x1b"}
_RESTORE = {0x1E: " ", 0x1F: "\t", 0x1B: "\n"}
_LINE_BREAK, _PARAGRAPH_BREAK = "\x1c", "\x1d"
_BREAKS = re.compile(r"[ \t\xa0]*[\x1c\x1d\n][\x1c\x1d\n \t\xa0]*")


def visible_text(root: LexborNode | None) -> str:
    """The visible text: without scripts, styles and comments, one line
    per block, ``<pre>`` unchanged.
    """
    parts: list[str] = []
    node = root
    depth_pre = 0
    while node is not None:
        tag = node.tag
        descend = None
        if tag == "-text":
            content = node.text_content or ""
            parts.append(content.translate(_KEEP) if depth_pre else _SPACE.sub(" ", content))
        elif tag not in _DROPPED and tag != "-comment":
            parts.append("\n" if tag == "br" else "\t" if tag in ("td", "th") else _break(tag))
            descend = node.first_child
            depth_pre += tag == "pre" and descend is not None
        if descend is not None:
            node = descend
            continue
        while node is not None:
            if node.mem_id == root.mem_id:  # type: ignore[union-attr]  # root is a node here
                node = None
                break
            following = node.next
            if following is not None:
                node = following
                break
            node = node.parent
            if node is not None:
                tag = node.tag
                parts.append(_break(tag))
                depth_pre -= tag == "pre"
    text = "".join(parts)
    if not text.isascii():
        text = text.replace("\xad", "")
    return _BREAKS.sub(_joined, _SPACES.sub(" ", text)).strip().translate(_RESTORE).rstrip()


def _break(tag: str | None) -> str:
    return _PARAGRAPH_BREAK if tag in _PARAGRAPH else _LINE_BREAK if tag in _LINE else ""


def _joined(match: re.Match[str]) -> str:
    found = match.group()
    return "\n\n" if _PARAGRAPH_BREAK in found or found.count("\n") > 1 else "\n"


def html_title(tree: LexborHTMLParser) -> str:
    """The ``<title>``, else the first ``<h1>``; ``""`` if there is neither."""
    for selector in ("title", "h1"):
        node = tree.css_first(selector)
        if node is not None and (title := one_line(node.text())):
            return title
    return ""


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
    """Raise `InputError` for an element with so many attributes that parsing it would take the square of their number."""
    for tags in (_QUOTED_TAG, _LONG_TAG):
        for tag in tags.finditer(data):
            if tag.end() - tag.start() > 2 * MAX_ATTRIBUTES and len(_ATTRIBUTE.findall(tag.group())) > MAX_ATTRIBUTES:
                raise InputError(f"{label} has an element with more than {MAX_ATTRIBUTES:,} attributes; it was skipped")


def parse_html(data: bytes, label: str = "a page") -> LexborHTMLParser:
    """Parses a page, in the encoding that its bytes or its ``<meta charset>`` say.

    Raises `InputError` for one whose parsing would take the square of its length.
    """
    from selectolax.lexbor import LexborHTMLParser

    _check_nesting(data, label)
    _check_attributes(data, label)
    declared = _CHARSET.search(data[:4096])
    return LexborHTMLParser(decode_declared(data, declared.group(1).decode("ascii")) if declared else decode(data))


def _read(source: Source, fields: Fields) -> Items:
    data = source.read_bytes()
    tree = parse_html(data, source.label)
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
    text = clean(visible_text(tree.body))
    if text:
        yield Document(source.path, text, clean(html_title(tree)) or source.stem, metadata, line=0)


HTML = Format("html", (".html", ".htm", ".xhtml", ".shtml"), _read)
