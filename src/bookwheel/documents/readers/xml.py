"""Untrusted XML: expat with all entity declarations refused, against
entity bombs and external files.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ..._errors import InputError

__all__ = ["local", "parse_xml"]


def parse_xml(data: bytes, label: str) -> Element:
    """The root element, names as ``namespace}local``. Raises :class:`InputError`, naming
    ``label``, if it is not safe XML.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True

    def refuse(*args: object) -> None:
        raise InputError(f"{label} declares XML entities, which are not allowed; it was skipped")

    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
        root: Element = builder.close()
    except (expat.ExpatError, AssertionError, LookupError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{label} is damaged: its XML cannot be read ({str(error).rstrip('.')})") from error
    return root


def local(tag: str) -> str:
    """``"http://…/main}p"`` -> ``"p"``."""
    return tag.rpartition("}")[2]
