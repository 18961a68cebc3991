"""Formulas of Word and PowerPoint as one line of text, in the form that those of web pages have: ``x^2``, ``(a+b)/2``.

Source: ECMA-376, part 1, 22.1 (Office Math).
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from ..linear import Kind, above, grouped, joined
from .xml import attribute, local

__all__ = ["math_line"]

_DEPTH = 50
"""Formulas nested deeper are read without their structure."""
_SPACE = re.compile(r"\s+")
_LEFT_OUT = frozenset(("del", "moveFrom", "Fallback"))
_KINDS: dict[str, Kind] = {
    "f": "fraction", "sSup": "power", "sSub": "power", "sSubSup": "power", "limLow": "power", "limUpp": "power", "nary": "power",
}  # fmt: skip


def math_line(formula: Element) -> str:
    """A formula (``m:oMath``) as one line; those of an ``m:oMathPara`` as a line each."""
    if local(formula.tag) == "oMathPara":
        return "\n".join(filter(None, map(math_line, formula)))
    return _SPACE.sub(" ", _linear(formula, 0)).strip()


def _linear(element: Element, depth: int) -> str:
    name = local(element.tag)
    if name == "t":
        return element.text or ""
    if name in _LEFT_OUT or name.endswith("Pr"):
        return ""
    if depth > _DEPTH:
        return "".join(item.text or "" for item in element.iter() if local(item.tag) == "t")
    if name in ("f", "sSup", "sSub", "sSubSup", "sPre", "limLow", "limUpp", "rad", "nary", "d", "func", "acc", "eqArr", "mr"):
        return _structure(name, element, depth + 1)
    return joined((_linear(child, depth + 1), _KINDS.get(local(child.tag), "")) for child in element)


def _structure(name: str, element: Element, depth: int) -> str:
    """A fraction, power, root and the like, by its parts."""
    parts = [(local(child.tag), _linear(child, depth)) for child in element]
    # The first of each name; those of which there may be several are "e".
    given = {kind: text for kind, text in reversed(parts) if text.strip()}
    base, low, high = grouped(given.get("e", "")), grouped(given.get("sub", "")), above(given.get("sup", ""))
    below = f"_{low}" if low else ""
    raised = f"^{high}" if high else ""
    if name == "f":
        top, bottom = given.get("num", ""), given.get("den", "")
        if _setting(element, "type") == "noBar":
            return f"binom({top}, {bottom})"
        return f"{grouped(top)}/{grouped(bottom)}" if top and bottom else top or bottom
    if name in ("sSup", "sSub", "sSubSup"):
        return f"{base}{below}{raised}"
    if name == "sPre":
        return f"{below}{raised} {base}"
    if name in ("limLow", "limUpp"):
        limit = grouped(given.get("lim", ""))
        return f"{base}{'_' if name == 'limLow' else '^'}{limit}" if limit else base
    if name == "rad":
        inner, degree = given.get("e", "").strip(), given.get("deg", "").strip()
        return f"root({inner}, {degree})" if degree else f"sqrt({inner})"
    if name == "nary":
        return f"{_setting(element, 'chr') or '∫'}{below}{raised} {given.get('e', '')}"
    if name == "func":
        return f"{given.get('fName', '')} {given.get('e', '')}"
    if name == "acc":
        return given.get("e", "") + (_setting(element, "chr") or "\u0302")
    inside = [text.strip() for kind, text in parts if kind == "e"]
    if name == "eqArr":  # where its lines are aligned
        inside = [text.replace("&", "") for text in inside]
    if name == "d":
        between = _setting(element, "sepChr", "|")
        return f"{_setting(element, 'begChr', '(')}{between.join(inside)}{_setting(element, 'endChr', ')')}"
    return " ".join(text for text in inside if text) + "; " if name == "mr" else "; ".join(text for text in inside if text)


def _setting(element: Element, name: str, usual: str = "") -> str:
    """A value of the properties of a structure, which may be empty; ``usual`` if it is not given."""
    for properties in element:
        if local(properties.tag).endswith("Pr"):
            for item in properties:
                if local(item.tag) == name:
                    return attribute(item, "val")
    return usual
