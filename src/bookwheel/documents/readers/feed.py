"""News feeds (RSS 0.9 to 2.0, Atom): a document for each entry. OPML: an outline, or a list of feeds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element

from ..document import Document, Scalar
from ..encoding import clean
from ..parts import Headed, blocks_text
from ..seen_ids import without_duplicates
from ..source import Fields, Source
from .base import Format, Items
from .html import visible_text
from .mail_parts import page_of
from .values import one_line, year_of
from .xml import line_of, local, parse_xml

__all__ = ["FEED", "OPML"]

_ENTRIES = frozenset(("item", "entry"))
_TEXTS = frozenset(("encoded", "content", "description", "summary", "subtitle"))
_DATES = ("published", "pubDate", "date", "issued", "updated", "modified")
_MAX_NOTE = 1000
_DEEPEST = 12


def _read_feed(source: Source, fields: Fields) -> Items:
    root = parse_xml(source.read_bytes(), source.label)
    return without_duplicates(_entries(root, source), source.label)


def _entries(root: Element, source: Source) -> Iterator[Document]:
    """RSS 1.0 has its items beside the channel, all others inside it."""
    channel = next((item for item in root if local(item.tag) == "channel"), root)
    site = _line(next((item for item in channel if local(item.tag) == "title"), None))
    inside = [*channel, *root] if channel is not root else list(root)
    number = 0
    for item in inside:
        if local(item.tag) in _ENTRIES:
            number += 1
            if (found := _entry(item, source, number, site)) is not None:
                yield found


def _entry(entry: Element, source: Source, number: int, site: str) -> Document | None:
    values: dict[str, str] = {}
    texts: list[str] = []
    authors: list[str] = []
    topics: list[str] = []
    for item in entry:
        name = local(item.tag)
        if name in _TEXTS:
            texts.append(_text(item))
        elif name == "title":
            values.setdefault("title", _line(item))
        elif name in ("author", "creator", "contributor"):
            named = next((inner for inner in item if local(inner.tag) == "name"), item)
            authors.append(_line(named))
        elif name == "category" or name == "subject":
            topics.append(_line(item) or one_line(clean(item.get("label") or item.get("term") or ""), 200))
        elif name == "link":
            if item.get("rel", "alternate") == "alternate":
                values.setdefault("link", one_line(clean(item.get("href") or item.text or ""), 2000))
        else:
            values.setdefault(name, _line(item, 2000))
    title = values.get("title", "")
    # The whole text, and a summary of it, are often one the beginning of the other.
    text = max(texts, key=len, default="").strip() or title
    if not text:
        return None
    metadata: dict[str, Scalar | tuple[Scalar, ...]] = {}
    if named_authors := ", ".join(dict.fromkeys(filter(None, authors))):
        metadata["author"] = one_line(named_authors, 1000)
    if when := next((values[name] for name in _DATES if values.get(name)), ""):
        metadata["date"] = _date(when)
        if (year := year_of(when)) is not None:
            metadata["year"] = year
    if topics := list(dict.fromkeys(filter(None, topics))):
        metadata["categories"] = tuple(topics[:100])
    if values.get("link"):
        metadata["url"] = values["link"]
    if site:
        metadata["site"] = site
    name = values.get("id") or values.get("guid") or values.get("link") or f"{source.path}#{number}"
    return Document(name, text, title, metadata, line=0)


def _text(element: Element) -> str:
    """The text of an element: HTML in it, escaped or not, as a page shows it."""
    if len(element):  # XHTML
        return clean("\n\n".join(_blocks(element)))
    text = clean(element.text or "")
    if "<" in text or "&" in text:
        return visible_text(page_of(text).body)
    return text.strip()


def _blocks(element: Element) -> list[str]:
    """The paragraphs of XHTML: each lowest element that holds text of its own, with what is inside it."""
    found: list[str] = []
    stack = [element]
    while stack:
        one = stack.pop()
        if (one.text and one.text.strip()) or not len(one):
            found.append(line_of(one))
        else:
            stack.extend(reversed(one))
        if one.tail and one.tail.strip() and one is not element:
            found.append(" ".join(one.tail.split()))
    return [block for block in found if block]


def _line(element: Element | None, limit: int = 300) -> str:
    if element is None:
        return ""
    text = clean("".join(element.itertext()))
    if "<" in text or "&" in text:
        text = visible_text(page_of(text).body)
    return one_line(text, limit)


def _date(value: str) -> str:
    """In ISO 8601, where it is written as in mails."""
    if value[:4].isdigit():
        return one_line(value, 40)
    try:
        return parsedate_to_datetime(value).astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, TypeError, IndexError, OverflowError):
        return one_line(value, 40)


def _read_outline(source: Source, fields: Fields) -> Items:
    root = parse_xml(source.read_bytes(), source.label)
    metadata: dict[str, Scalar] = {}
    title = ""
    blocks: list[str] = []
    for part in root:
        if local(part.tag) == "head":
            for item in part:
                name, value = local(item.tag), _line(item)
                if name == "title":
                    title = value
                elif name == "ownerName" and value:
                    metadata["author"] = value
                elif name == "dateModified" and value:
                    metadata["date"] = _date(value)
                    if (year := year_of(value)) is not None:
                        metadata["year"] = year
        elif local(part.tag) == "body":
            blocks += _outline(part)
    text, headings = blocks_text(blocks, "\n", strip=False)
    if text.strip():
        sections = tuple(heading.start for heading in headings)
        yield Document(source.path, text, title or source.stem, metadata, headings=headings, sections=sections, line=0)


def _outline(body: Element) -> Iterator[str]:
    """A line for each item, indented by its depth; the highest that have others below them are headings."""
    stack = [(item, 0) for item in reversed(body)]
    while stack:
        item, depth = stack.pop()
        if local(item.tag) != "outline":
            continue
        shown = _shown(item)
        if shown:
            indent = "  " * min(depth, _DEEPEST)
            yield Headed(shown, 1) if depth == 0 and len(item) else indent + shown
            yield from (
                f"{indent}  {line.strip()}" for line in clean(item.get("_note") or "").splitlines()[:_MAX_NOTE] if line.strip()
            )
        stack.extend((inner, depth + 1) for inner in reversed(item))


def _shown(item: Element) -> str:
    """What an item says: its text, and for a feed what it is about and where."""
    said = [item.get(name) or "" for name in ("text", "title", "description", "htmlUrl", "xmlUrl", "url")]
    said = [" ".join((visible_text(page_of(one).body) if "<" in one else one).split()) for one in map(clean, said)]
    return " – ".join(dict.fromkeys(filter(None, said)))


FEED = Format("feed", (".rss", ".atom"), _read_feed)
OPML = Format("opml", (".opml",), _read_outline)
