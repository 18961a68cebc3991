"""Untrusted XML: expat with all entity declarations refused, against
entity bombs and external files.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ..._errors import InputError

__all__ = ["attribute", "local", "parse_xml", "stream_xml"]


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
