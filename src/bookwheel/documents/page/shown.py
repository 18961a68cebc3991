"""Which blocks of a page browsers do not show."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .blocks import Blocks

__all__ = ["block_parts", "not_shown", "topmost"]

_PANEL = re.compile(r"tab|accordion|collaps|panel|toggle|expand|faq|answer|detail|spoiler|reveal|more", re.IGNORECASE)
_WORD = re.compile(r"\w\w")


def not_shown(page: Blocks) -> list[bool]:
    """For each block whether browsers hide it, or show it only without scripts.

    Kept nevertheless: the bulk of a page, which a script will show; panels that open on a click; ``<noscript>`` that holds
    a text and not a request to turn scripts on.
    """
    count = len(page.tag)
    out = [False] * count
    hidden = sum(page.prose[block] for block in topmost(page, [state == "yes" for state in page.hidden]))
    bulk = hidden > 200 and 2 * hidden > page.prose[0]
    block = 1
    while block < count:
        if _is_hidden(page, block, bulk) or (page.tag[block] == "noscript" and not _is_text_without_scripts(page, block)):
            out[block : page.last[block]] = [True] * (page.last[block] - block)
            block = page.last[block]
        else:
            block += 1
    return out


def topmost(page: Blocks, chosen: list[bool]) -> Iterator[int]:
    """The chosen blocks that are in no other chosen one."""
    block = 1
    while block < len(chosen):
        if chosen[block]:
            yield block
            block = page.last[block]
        else:
            block += 1


def _is_hidden(page: Blocks, block: int, bulk: bool) -> bool:
    state = page.hidden[block]
    if state == "yes":
        panel = page.role[block] == "tabpanel" or _PANEL.search(page.names[block]) is not None
        return not (page.prose[block] > 0 and (bulk or panel))
    if state == "aria":  # shown by browsers; icons, and the second form of a formula
        return page.chars[block] < 200 and (page.names[block].startswith("katex") or not _WORD.search(block_parts(page, block)))
    return False


def _is_text_without_scripts(page: Blocks, block: int) -> bool:
    text = block_parts(page, block)
    if len(text) < 1000 and re.search(r"javascript|java script|browser", text, re.IGNORECASE):
        return False
    words = " ".join(text.split())[:80]
    if not words:
        return False
    rest = "".join(page.parts[max(0, page.begin[block] - 400) : page.begin[block]])
    return words not in " ".join(rest.split())


def block_parts(page: Blocks, block: int) -> str:
    """The text of a block as it was found, marks included."""
    return "".join(page.parts[page.begin[block] : page.end[block]])
