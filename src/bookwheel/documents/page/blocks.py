"""The blocks of a page, their text and what is counted of it, in one walk over the tree."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .hints import hint_of
from .mathml import math_text
from .shifted import SHIFTED, Shifts, styled
from .stylesheet import hiding_selectors

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

__all__ = ["HEADINGS", "HEADING_MARK", "KEPT_SPACE", "LINE_MARK", "PARAGRAPH_MARK", "PROSE", "Blocks", "blocks_of"]

PARAGRAPH_MARK, LINE_MARK, HEADING_MARK = "\x1d", "\x1c", "\x1a"
"""The mark of a heading is followed by its level; 0 where it has no words and only parts what is around it."""
KEPT_SPACE = {ord(" "): "\x1e", ord("\t"): "\x1f", ord("\n"): "\x1b"}
"""White space in ``<pre>`` takes another form while all other is collapsed."""

PROSE = 80
"""A line of this many bytes (UTF-8), mostly not links, counts as prose."""
_NEAR = 4
"""Elements around a raised one of which one may be its link."""
_ROW = 1000
"""A table row with more text than this is taken for a page's layout; its cells keep their lines."""

HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_DROPPED = frozenset(
    """head script style iframe object embed svg canvas select datalist audio video map noembed noframes rp""".split()  # noqa: SIM905
)
_PARAGRAPH = frozenset(
    """address article aside blockquote body center dd details dialog dl dt fieldset figcaption figure footer form h1 h2 h3
    h4 h5 h6 header hgroup hr main menu nav noscript ol p pre section summary table ul""".split()  # noqa: SIM905
)
_LINE = frozenset(
    """div li tr caption legend option thead tbody tfoot""".split()  # noqa: SIM905
)
_OPENS = {
    **dict.fromkeys(_PARAGRAPH, PARAGRAPH_MARK),
    **dict.fromkeys(_LINE, LINE_MARK),
    "td": "\t",
    "th": "\t",
    "button": "",
}
_CLOSES = {**_OPENS, "td": "", "th": ""}
# Elements whose id is the name of a section's heading, and says nothing of its role.
_NAMED = frozenset(("section", "article", "p", "li", "dl", "dt", "dd", "tr", "td", "th", "pre", *HEADINGS))
_SECTION_CLASS = re.compile(r"(?:ref)?sect(?:ion|\d)?\b")
_PERMALINKS = frozenset(("#", "¶", "§", "🔗", "\N{LINK SYMBOL}\ufe0f", "∞", "⚓"))
_STYLED = {"line": (LINE_MARK, LINE_MARK), "cell": ("\t", "")}
"""What opens and closes an inline element whose style makes a block of it."""
_SPACE = re.compile(r"\s+")
_HIDDEN = '[hidden], [aria-hidden="true"], [style*="display" i], [style*="visibility" i], [style*="opacity" i], [style*="font-size" i]'
_HIDING = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*(?:0+(?:\.0*)?|\.0+)%?"
    r"|font-size\s*:\s*(?:0*1(?:\.0*)?|0+(?:\.\d*)?|\.\d+)(?:px|pt)|font-size\s*:\s*0+)(?=\s*(?:[;!]|$))",
    re.IGNORECASE,
)
"""Styles of what is not shown, or in type of a point at most."""


_OWN = re.compile(r"(?:^|[;\s])(?:display|visibility)\s*:", re.IGNORECASE)
"""A style of the element itself outranks style sheets."""


@dataclass(slots=True)
class Blocks:
    """The blocks of a page in document order: parallel lists, one entry for each block.

    The text of block ``b`` is ``parts[begin[b]:end[b]]``; the blocks inside it are ``b + 1 … last[b] - 1``.
    """

    parts: list[str] = field(default_factory=list)
    tag: list[str] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    begin: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    chars: list[int] = field(default_factory=list)
    """Bytes of text (UTF-8), white space collapsed."""
    linked: list[int] = field(default_factory=list)
    """How many of them are links."""
    prose: list[int] = field(default_factory=list)
    """How many of them, outside links, stand in lines of prose."""
    hint: list[int] = field(default_factory=list)
    """Flags of :mod:`.hints`."""
    names: list[str] = field(default_factory=list)
    """The class."""
    role: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    """``"yes"`` if browsers do not show the block, ``"aria"`` if they only do not read it aloud, else ``""``."""
    comments: list[str] = field(default_factory=list)


def blocks_of(root: LexborNode) -> Blocks:
    """The blocks of the tree below ``root``, which is the first of them."""
    page = Blocks()
    parts, tags, parents, begins, ends, lasts = page.parts, page.tag, page.parent, page.begin, page.end, page.last
    chars, linked, prose, hints, names, roles = page.chars, page.linked, page.prose, page.hint, page.names, page.role
    hidden = _hidden(root)
    styles = styled(root)
    shifts = Shifts(hidden)
    shift_end = -1
    """How many parts there were behind the last raised or lowered element."""
    append = parts.append
    stack: list[tuple[LexborNode, str, int]] = []
    """Open elements, with the block that each began, or -1."""
    current = -1
    run = run_linked = links = pre = 0
    readings: list[str] = []
    node = root
    while True:
        tag = node.tag
        child = None
        if tag == "-text":
            content = node.text_content or ""
            if shift_end == len(parts) and content[:1].isdigit() and parts[-1][-1:].isdigit():
                append(KEPT_SPACE[ord(" ")] if pre else " ")
            if pre:
                append(content.translate(KEPT_SPACE))
                count = len(content)
            elif content.isspace():  # most are
                append(" ")
                count = 0
            else:
                content = _SPACE.sub(" ", content)
                append(content)
                count = len(content) - (content[:1] == " ")
            if count:
                if not content.isascii():
                    count = len(content.encode("utf-8", "replace"))
                run += count
                if links:
                    run_linked += count
        elif tag and tag not in _DROPPED and tag[0] != "-":
            mark = _OPENS.get(tag)
            shown = hidden.get(node.mem_id, "") if hidden else ""
            if mark is not None or (shown and (stack or shown == "yes")):
                if run:
                    chars[current] += run
                    linked[current] += run_linked
                    if run >= PROSE and 3 * run_linked < run:
                        prose[current] += run - run_linked
                    run = run_linked = 0
                if readings and mark:
                    append(_reading(readings))
                block = len(tags)
                tags.append(tag)
                parents.append(current)
                begins.append(len(parts))
                ends.append(0)
                lasts.append(0)
                chars.append(0)
                linked.append(0)
                prose.append(0)
                page.hidden.append(shown)
                attributes = node.attributes
                if attributes:
                    name = attributes.get("class") or ""
                    identifier = "" if tag in _NAMED or _SECTION_CLASS.match(name) else attributes.get("id") or ""
                    hints.append(hint_of(f"{name} {identifier}") if name or identifier else 0)
                    names.append(name)
                    roles.append(attributes.get("role") or "")
                else:
                    hints.append(0)
                    names.append("")
                    roles.append("")
                if mark:
                    append(mark)
                    if tag == "pre":
                        pre += 1
                    elif tag in HEADINGS:
                        append(HEADING_MARK + tag[1])
                current = block
                child = node.first_child
                stack.append((node, tag if mark is not None else "", block))
            elif tag == "br":
                append("\n")
            elif tag == "math":
                append(content := math_text(node))
                run += len(content)
            elif tag == "rt" or tag == "rtc":
                if content := _SPACE.sub("", node.text()):
                    readings[-1:] = [(readings[-1] if readings else "") + content]
            else:
                style = styles.get(node.mem_id, "") if styles else ""
                whole = False
                if style in _STYLED:
                    append(_STYLED[style][0])
                elif tag in SHIFTED or style in SHIFTED:
                    above = (one[0] for one in stack[: -1 - _NEAR : -1]) if links else ()
                    content, whole = shifts.written(node, style or tag, parts, above)
                    if content:
                        append(content.translate(KEPT_SPACE) if pre else content)
                        run += len(content)
                        run_linked += len(content) if links else 0
                    shift_end = len(parts) if whole else -1
                if whole:
                    pass
                elif tag == "template":
                    child = _shadow(node)
                else:
                    if tag == "a":
                        links += 1
                    elif tag == "ruby":
                        readings.append("")
                    child = node.first_child
                if not whole:
                    stack.append((node, tag, len(parts) if tag == "a" else -1))
            if child is not None:
                node = child
                continue
        elif tag == "-comment":
            page.comments.append(node.comment_content or "")
        elif tag == "script" and (node.attributes.get("type") or "").startswith("math/"):
            append(_SPACE.sub(" ", node.text()))
        if not stack:
            shifts.finish(parts)
            return page
        if stack[-1][0] is not node:
            following = node.next
            if following is not None:
                node = following
                continue
        while True:
            node, tag, block = stack.pop()
            if tag == "a":
                links -= 1
                if len(parts) - block < 4 and "".join(parts[block:]).strip() in _PERMALINKS:
                    del parts[block:]
            elif tag in SHIFTED:
                shift_end = len(parts)
            elif block >= 0:
                if run:
                    chars[current] += run
                    linked[current] += run_linked
                    if run >= PROSE and 3 * run_linked < run:
                        prose[current] += run - run_linked
                    run = run_linked = 0
                mark = _CLOSES.get(tag)
                if mark:
                    if readings:
                        append(_reading(readings))
                    if tag == "tr":
                        _row(page, block)
                    elif tag == "pre":
                        pre -= 1
                    elif tag in HEADINGS and not chars[block]:
                        parts[begins[block] + 1] = f"{HEADING_MARK}0"
                    append(mark)
                ends[block] = len(parts)
                lasts[block] = len(tags)
                current = parents[block]
                if current >= 0:
                    chars[current] += chars[block]
                    linked[current] += linked[block]
                    prose[current] += prose[block]
            if styles and (block < 0 or tag == "a") and (style := styles.get(node.mem_id, "")) in _STYLED:
                append(_STYLED[style][1])
            if not stack:
                shifts.finish(parts)
                return page
            following = node.next
            if following is not None:
                node = following
                break


def _hidden(root: LexborNode) -> dict[int, str]:
    found: dict[int, str] = {}
    for node in root.css(_HIDDEN):
        attributes = node.attributes
        if "hidden" in attributes or _HIDING.search(attributes.get("style") or ""):
            until_found = (attributes.get("hidden") or "").lower() == "until-found"
            if not until_found and not _is_formula(node):
                found[node.mem_id] = "yes"
        elif attributes.get("aria-hidden") == "true":
            found[node.mem_id] = "aria"
    page = root
    while page.parent is not None:
        page = page.parent
    if selectors := hiding_selectors(style.text() for style in page.css("style") if _on_screen(style)):
        for node in page.css(", ".join(selectors)):
            if not _OWN.search(node.attributes.get("style") or "") and not _is_formula(node):
                found[node.mem_id] = "yes"
    return found


def _on_screen(style: LexborNode) -> bool:
    return (style.attributes.get("media") or "all").strip().lower() in ("all", "screen")


def _is_formula(node: LexborNode) -> bool:
    """Wikipedia shows a picture of each formula and hides the formula."""
    first = node.first_child
    while first is not None and first.tag == "-text":
        first = first.next
    return first is not None and first.tag == "math"


def _shadow(node: LexborNode) -> LexborNode | None:
    """The first node of a declared shadow root, which browsers show; other templates are not shown."""
    if "shadowrootmode" not in node.attributes:
        return None
    fragments = getattr(node, "template_fragments", None)
    found = fragments() if fragments is not None else []
    return found[0].first_child if found else None


def _reading(readings: list[str]) -> str:
    """The readings of the ruby in a block, in brackets at its end, so that they can be found and are no part of its words."""
    text = " ".join(dict.fromkeys(reading for reading in readings if reading))
    readings.clear()
    return f" ({text})" if text else ""


def _row(page: Blocks, row: int) -> None:
    """Puts the cells of a row on one line, unless it lays out a page."""
    inside = range(row + 1, len(page.tag))
    if page.chars[row] > _ROW or any(page.tag[block] in ("table", "pre") or page.tag[block] in HEADINGS for block in inside):
        return
    cells = [block for block in inside if page.tag[block] in ("td", "th") and page.parent[block] == row]
    if len(cells) < 2:
        return
    parts = page.parts
    for cell in cells:
        for at in range(page.begin[cell] + 1, page.end[cell]):
            if parts[at] in (PARAGRAPH_MARK, LINE_MARK, "\n"):
                parts[at] = " "
