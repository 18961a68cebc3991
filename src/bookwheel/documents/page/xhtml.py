"""XHTML written as the HTML that means the same: HTML's parser doesn't know that ``<title/>`` is closed, nor what CDATA is.

No parser of XML reads the page, since many a chapter isn't quite well-formed, and names entities that only HTML knows.
"""

from __future__ import annotations

import re

__all__ = ["as_html", "has_words"]

_VOID = frozenset(
    """area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr""".split()  # noqa: SIM905
)
# What has no end goes on to the end of the page, so that no other match begins inside it.
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<!\[CDATA\[(?P<data>.*?)(?P<closed>\]\]>|\Z)"
    r"|(?P<doctype><!DOCTYPE\s[^\[<>]*)\[.*?(?:\]\s*>|\Z)"
    r"""|<(?P<raw>script|style)(?=[\s>])(?>(?:[^<>"']|"[^"]*"|'[^']*')*)(?<!/)>(?P<body>.*?)(?:(?=</(?P=raw)[\s>])|\Z)"""
    r"""|<(?P<name>[A-Za-z_][^\s<>"'/]*)(?P<attributes>(?>(?:\s+[^\s=<>"'/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'))?)*))\s*/>"""
    r"|</br\s*>",
    re.DOTALL | re.IGNORECASE,
)
_BODY = re.compile(r"<body[\s>]", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_WORD = re.compile(r"\w")


def as_html(text: str) -> str:
    """``text``, a page of XHTML, in the syntax of HTML."""
    return _TOKEN.sub(_rewritten, text)


def _rewritten(match: re.Match[str]) -> str:
    found = match.group()
    data, closed, doctype, raw, body, name, attributes = match.groups()
    if name is not None:
        return found if name.lower() in _VOID else f"<{name}{attributes}></{name}>"
    if data is not None:
        return data.replace("&", "&amp;").replace("<", "&lt;") if closed else found
    if raw is not None:  # which HTML reads as it stands
        return found.replace("<![CDATA[", "").replace("]]>", "") if "<![CDATA[" in body else found
    if doctype is not None:
        return f"{doctype}>" if found.endswith(">") else found
    return found if found.startswith("<!--") else ""


def has_words(text: str) -> bool:
    """Whether the body of a page has letters or digits outside its tags, scripts and comments, even if no browser shows them."""
    body = _BODY.search(text)
    text = text[body.start() :] if body else text
    for begin, end in (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>")):
        whole = text.rfind(end) + len(end)  # what is never closed is what may have swallowed words
        if whole >= len(end):
            text = re.sub(f"{begin}.*?{end}", " ", text[:whole], flags=re.DOTALL) + text[whole:]
    return _WORD.search(_TAG.sub(" ", text)) is not None
