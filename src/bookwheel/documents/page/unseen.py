"""What a page holds and browsers do not show, as far as it reads like text: hidden blocks and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .blocks import Blocks
from .hints import NAVIGATION, NOTICE
from .text import block_text

__all__ = ["unseen"]

_MOST = 50_000
"""Characters of each kind that are kept."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_TAG = re.compile(r"<[^<>]*>")
_FEWEST = 8
"""Words of a comment that is kept, if it is a sentence; others are notes on how the page was made."""
_SENTENCE = re.compile(r"[^\W\d_]{2}[.!?](?:\s|$)")
_MADE = re.compile(
    r"\s*(?:\[if|<!\[|#|/|begin|end|start|stop|generated|created|google|this comment will put|saved from|\$|copyright|©|licen[sc]e)|[{};]|"
    r"https?://\S+\s*$|newpage|do not (?:edit|modify|remove)",
    re.IGNORECASE,
)
"""Comments of programs, and code."""


def unseen(page: Blocks, out: list[bool]) -> Iterator[tuple[str, str]]:
    """Reason and text of what is not shown: of the blocks that are left out as hidden, and of the comments."""
    found: list[str] = []
    block, size = 1, 0
    while block < len(out):
        if page.hidden[block] != "yes" or not out[block]:
            block += 1
            continue
        if _is_text(page, block) and (text := block_text(page, block)) and size < _MOST:
            found.append(text[: _MOST - size])
            size += len(text)
        block = page.last[block]
    if found:
        yield "text that browsers hide", "\n\n".join(found)
    comments = [text for comment in page.comments if (text := _said(comment))]
    if comments:
        yield "comments", "\n\n".join(dict.fromkeys(comments))[:_MOST]


def _is_text(page: Blocks, block: int) -> bool:
    """Whether a block reads like text, and not like a menu or a note that a script shows."""
    inside = range(block, page.last[block])
    if page.chars[block] < 2 or 2 * page.linked[block] >= page.chars[block]:
        return False
    return page.tag[block] not in ("form", "nav", "dialog", "button") and not any(
        page.hint[at] & (NOTICE | NAVIGATION) or page.role[at] in ("dialog", "alertdialog", "menu", "navigation", "search")
        for at in inside
    )


def _said(comment: str) -> str:
    """What a comment tells people; ``""`` where it is a program's."""
    if len(comment) < 2 * _FEWEST or len(comment) > _MOST or _MADE.search(comment):
        return ""
    text = "\n".join(filter(None, (" ".join(line.split()) for line in _TAG.sub(" ", comment).split("\n"))))
    letters = sum(1 for character in text if character.isalpha() or character.isspace())
    said = len(_WORD.findall(text)) >= _FEWEST and _SENTENCE.search(text)
    return text if said and letters > 0.85 * len(text) else ""
