"""Untrusted XML: expat with all entity declarations refused, against
entity bombs and external files.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ..._errors import InputError
from ..raised import ASIDE, lowered, note, raised

__all__ = ["attribute", "line_of", "local", "parse_xml", "stream_xml"]

_SMALL = 16
"""Elements in what is raised at most, and its characters."""


def parse_xml(data: bytes, label: str) -> Element:
    """The root element, names as ``namespace}local``. Raises :class:`InputError`, naming
    ``label``, if it is not safe XML.
    """
    builder = TreeBuilder()
    stream_xml(data, label, builder.start, builder.end, builder.data)
    try:
        root: Element = builder.close()
    except AssertionError as error:
        raise InputError(f"{label} is damaged: its XML cannot be read ({str(error).rstrip('.')})") from error
    return root


def stream_xml(
    data: bytes,
    label: str,
    start: Callable[[str, dict[str, str]], object],
    end: Callable[[str], object],
    text: Callable[[str], object],
) -> None:
    """Call ``start``, ``end`` and ``text`` for what an XML document holds; raises as `parse_xml` does."""
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True

    def refuse(*args: object) -> None:
        raise InputError(f"{label} declares XML entities, which are not allowed; it was skipped")

    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        parser.Parse(data, True)
    except InputError:
        raise
    except (expat.ExpatError, AssertionError, LookupError, ValueError) as error:
        raise InputError(f"{label} is damaged: its XML cannot be read ({str(error).rstrip('.')})") from error


def attribute(element: Element, name: str) -> str:
    """The attribute ``name`` of an element, whatever its namespace; ``""`` if it has none."""
    found = element.get(name)
    if found is None:
        found = next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")
    return found


def local(tag: str) -> str:
    """``"http://…/main}p"`` -> ``"p"``."""
    return tag.rpartition("}")[2]


def line_of(element: Element) -> str:
    """All text in an element in one line; of what is raised or lowered (``sup``, ``sub``) no digit joins those before it."""
    parts: list[str] = []
    stack: list[tuple[Element | None, str]] = [(element, "")]
    """Elements and what follows each."""
    while stack:
        one, after = stack.pop()
        if one is None:
            parts.append(after)
            continue
        written = _shifted(one, after, "".join(parts[-8:])[-ASIDE:]) if one is not element else None
        if written is not None:
            parts.append(written)
            continue
        parts.append(one.text or "")
        for inner in reversed(one):
            stack += [(None, inner.tail or ""), (inner, inner.tail or "")]
    return " ".join("".join(parts).split())


def _shifted(element: Element, after: str, before: str) -> str | None:
    """How a raised or lowered element, or a link to a note, is written; None for all others."""
    name = local(element.tag)
    link = name == "a" and "#" in attribute(element, "href")
    if not link and name not in ("sup", "sub"):
        return None
    small = len(list(islice(element.iter(), _SMALL + 1))) <= _SMALL
    text = "".join(element.itertext()).strip() if small else ""
    if not 0 < len(text) <= _SMALL or not before or before[-1].isspace():
        return None
    if link or any(local(inner.tag) == "a" for inner in element):
        return f"[{text}]" if note(text) else None
    return raised(before, text, after[:ASIDE]) if name == "sup" else lowered(before, text)
