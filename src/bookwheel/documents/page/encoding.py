"""The encoding that a page declares."""

from __future__ import annotations

import re

__all__ = ["declared_encoding"]

_LOOKED_AT = 1024
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META = re.compile(rb"<meta[\s/]([^>]*)", re.IGNORECASE)
_ATTRIBUTE = re.compile(rb"""([^\s"'>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([^\s\"';]+)", re.IGNORECASE)
_XML = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9_.:-]{1,40})[\"']")


def declared_encoding(data: bytes) -> str | None:
    """The label that the first 1024 bytes of a page declare in ``<meta>``, else in the XML declaration; None if they do not.

    Source: the prescan of the HTML Standard, https://html.spec.whatwg.org/#prescan-a-byte-stream-to-determine-its-encoding.
    """
    head = _COMMENT.sub(b"", data[:_LOOKED_AT])
    for meta in _META.finditer(head):
        values = {name.lower(): one or other or bare for name, one, other, bare in _ATTRIBUTE.findall(meta.group(1))}
        label = values.get(b"charset")
        if label is None and values.get(b"http-equiv", b"").strip().lower() == b"content-type":
            found = _CHARSET.search(values.get(b"content", b""))
            label = found.group(1) if found else None
        if label and (name := label.strip().decode("ascii", "replace").lower()):
            # What is read here is ASCII, and so the page is not in UTF-16, whatever it says.
            return "utf-8" if name.startswith("utf-16") else name
    xml = _XML.match(head)
    return xml.group(1).decode("ascii") if xml else None
