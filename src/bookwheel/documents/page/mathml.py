"""Formulas of MathML as one line of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..linear import Kind, above, grouped, joined

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

__all__ = ["math_text"]

_DEPTH = 50
"""Formulas nested deeper are read without their structure."""
_DISPLAY = re.compile(r"^\{\\(?:display|text)style\s*(.*)\}$", re.DOTALL)
_INFIX = {"mfrac": "/", "msup": "^", "msub": "_", "munder": "_", "mover": "^"}
_KINDS: dict[str, Kind] = {
    "mfrac": "fraction", "msup": "power", "msub": "power", "msubsup": "power", "munder": "power", "mover": "power", "munderover": "power",
}  # fmt: skip
_SPACE = re.compile(r"\s+")


def math_text(node: LexborNode) -> str:
    """A formula as its author wrote it (``alttext``, or the annotation in TeX), else in a linear
    form: ``x^2``, ``(a+b)/2``, ``sqrt(x)``.
    """
    text = node.attributes.get("alttext") or ""
    if not text:
        for annotation in node.css("annotation"):
            if "tex" in (annotation.attributes.get("encoding") or "").lower():
                text = annotation.text()
                break
    text = text.strip()
    if text:
        inner = _DISPLAY.match(text)
        return _SPACE.sub(" ", inner.group(1) if inner else text).strip()
    return _SPACE.sub(" ", _linear(node, 0)).strip()


def _linear(node: LexborNode, depth: int) -> str:
    tag = node.tag or ""
    if tag == "-text":
        return _SPACE.sub(" ", node.text_content or "")
    if tag in ("annotation", "annotation-xml") or tag.startswith("-"):
        return ""
    if depth > _DEPTH:
        return node.text()
    children: list[str] = []
    kinds: list[Kind] = []
    child = node.first_child
    while child is not None:
        text = _linear(child, depth + 1)
        if tag not in _INFIX or text.strip():
            children.append(text)
            kinds.append(_KINDS.get(child.tag or "", ""))
        child = child.next
    if tag in _INFIX and len(children) == 2:
        second = above(children[1]) if tag == "msup" else grouped(children[1])
        return f"{grouped(children[0])}{_INFIX[tag]}{second}"
    if tag in ("msubsup", "munderover"):
        children = [child for child in children if child.strip()]
        if len(children) == 3:
            return f"{grouped(children[0])}_{grouped(children[1])}^{above(children[2])}"
    if tag == "msqrt":
        return f"sqrt({joined(zip(children, kinds, strict=True)).strip()})"
    if tag == "mroot":
        children = [child for child in children if child.strip()]
        if len(children) == 2:
            return f"root({children[0].strip()}, {children[1].strip()})"
    if tag == "mtr":
        return " ".join(child.strip() for child in children if child.strip()) + "; "
    if tag == "mtext":
        return f" {''.join(children).strip()} "
    return joined(zip(children, kinds, strict=True))
