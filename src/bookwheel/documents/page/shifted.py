"""What of a page is raised or lowered, and how that is written in a line; and what styles of elements make a line of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..raised import ASIDE, lowered, note, power_of, raised

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selectolax.lexbor import LexborNode

__all__ = ["SHIFTED", "Shifts", "styled"]

SHIFTED = frozenset(("sup", "sub"))
_STYLED = '[style*="display" i], [style*="vertical-align" i]'
_STYLE = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*(block|flex|grid|flow-root|list-item|table|table-row|table-caption|(table-cell))"
    r"|vertical-align\s*:\s*(sup|sub)(?:er)?)(?=\s*(?:[;!]|$))",
    re.IGNORECASE,
)
_BEGINS = frozenset("\x1b\x1c\x1d\x1f\t\n")
"""Marks and white space of `blocks` after which a line begins."""
_HEADING = re.compile("\x1a[0-6]\\Z")
_WORD = re.compile(r"(?:[a-z]{4}|[\d)%\"”’.,;:!?])\Z")
"""Before what may be the mark of a note; shorter words are units, and symbols."""
_SPACE = re.compile(r"\s+")
_SOLIDI = ("/", "\N{FRACTION SLASH}", "\N{DIVISION SLASH}")
_SMALL = 16
"""Nodes of a raised element at most, and its characters."""


def styled(root: LexborNode) -> dict[int, str]:
    """For elements by their `mem_id` what their own styles make of them: ``"line"``, ``"cell"``, ``"sup"`` or ``"sub"``."""
    found: dict[int, str] = {}
    for node in root.css(_STYLED):
        if match := _STYLE.search(node.attributes.get("style") or ""):
            found[node.mem_id] = (match.group(3) or ("cell" if match.group(2) else "line")).lower()
    return found


class Shifts:
    """Writes what is raised and lowered. Whether it is the mark of a note is known when the whole page has been seen."""

    def __init__(self, hidden: dict[int, str]) -> None:
        self._hidden = hidden
        self._notes: set[str] = set()
        """Marks that begin a line."""
        self._marks: list[tuple[int, str, str]] = []
        """Where what may be a mark was written, how, and the mark."""

    def written(self, node: LexborNode, kind: str, parts: list[str], above: Iterable[LexborNode]) -> tuple[str, bool]:
        """What to put behind ``parts`` for a raised or lowered element, and whether that is the whole of it, or comes before it.

        ``above``: the elements around it, from the innermost.
        """
        small = self._small(node)
        if small is None:
            return " " if parts and parts[-1][-1:].isdigit() else "", False
        content, nested, linked = small
        text = content.strip()
        before = "".join(parts[-8:])[-ASIDE:]
        line = before.rstrip(" ")
        if kind == "sub":
            return lowered(before, text)[: -len(text)], False
        if not line or line[-1] in _BEGINS or _HEADING.search(line):
            if _behind(node).lstrip()[:1] not in _SOLIDI:
                self._notes.update(note(text))
            return "", False
        if before[-1].isspace() or content[0] == " " or nested:
            return "^" if nested and raised(before, text) == f"^{text}" else "", False
        marks = note(text)
        if marks and (linked or any(_is_to_note(one) for one in above)):
            return f"[{text}]", True
        written = raised(before, text, _behind(node))
        if marks and not power_of(before) and written in (text, f"^{text}") and _WORD.search(before):
            self._marks.append((len(parts), written, text))
            return written, True
        return (written, True) if written != text else ("", False)

    def finish(self, parts: list[str]) -> None:
        """Puts in brackets what turned out to be the mark of a note, since a line begins with it."""
        for at, written, text in self._marks:
            if self._notes.issuperset(note(text)) and at < len(parts) and parts[at] == written:
                parts[at] = f"[{text}]"

    def _small(self, root: LexborNode) -> tuple[str, bool, bool] | None:
        """The text of a small element, whether something in it is raised too, and whether it has a link to a note."""
        texts: list[str] = []
        nested, linked = False, _is_to_note(root)
        seen = 0
        stack = [root.first_child]
        while stack:
            node = stack.pop()
            if node is None:
                continue
            seen += 1
            tag = node.tag or ""
            if seen > _SMALL or tag == "br" or tag == "math" or node.mem_id in self._hidden:
                return None
            stack.append(node.next)
            if tag == "-text":
                texts.append(node.text_content or "")
            elif tag[:1] != "-":
                nested = nested or tag in SHIFTED
                linked = linked or _is_to_note(node)
                stack.append(node.first_child)
        text = _SPACE.sub(" ", "".join(texts))
        return (text, nested, linked) if not text.isspace() and 0 < len(text) <= _SMALL else None


def _is_to_note(node: LexborNode) -> bool:
    return node.tag == "a" and "#" in (node.attributes.get("href") or "")


def _behind(node: LexborNode) -> str:
    """What follows an element, as far as it may be the rest of a fraction or of a price."""
    after = node.next
    if after is None or after.tag != "-text":
        return ""
    text = (after.text_content or "")[:ASIDE]
    below = after.next
    if len(text.strip()) == 1 and below is not None and below.tag == "sub" and below.first_child is not None:
        text += (below.first_child.text_content or "")[:ASIDE]
    return text
