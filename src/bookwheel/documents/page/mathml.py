"""Formulas of MathML as one line of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

__all__ = ["math_text"]

_DEPTH = 50
"""Formulas nested deeper are read without their structure."""
_DISPLAY = re.compile(r"^\{\\(?:display|text)style\s*(.*)\}$", re.DOTALL)
_INFIX = {"mfrac": "/", "msup": "^", "msub": "_", "munder": "_", "mover": "^"}
_SPACE = re.compile(r"\s+")
_SIGNED = re.compile(r"[-+−]\d+")


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
    child = node.first_child
    while child is not None:
        text = _linear(child, depth + 1)
        if tag not in _INFIX or text.strip():
            children.append(text)
        child = child.next
    if tag in _INFIX and len(children) == 2:
        second = children[1].strip()
        raised = tag == "msup" and _SIGNED.fullmatch(second)
        return f"{_group(children[0])}{_INFIX[tag]}{second if raised else _group(second)}"
    if tag in ("msubsup", "munderover"):
        children = [child for child in children if child.strip()]
        if len(children) == 3:
            return f"{_group(children[0])}_{_group(children[1])}^{_group(children[2])}"
    if tag == "msqrt":
        return f"sqrt({''.join(children).strip()})"
    if tag == "mroot":
        children = [child for child in children if child.strip()]
        if len(children) == 2:
            return f"root({children[0].strip()}, {children[1].strip()})"
    if tag == "mtr":
        return " ".join(child.strip() for child in children if child.strip()) + "; "
    if tag == "mtext":
        return f" {''.join(children).strip()} "
    return "".join(children)


def _group(text: str) -> str:
    text = text.strip()
    return text if len(text) < 2 or text.isalnum() else f"({text})"
