"""Which blocks of a page are its text, and which are menus, cookie notes, lists of other articles and the like.

Three degrees. A mail, or a chapter of a book, loses only what browsers do not show. A manual, and any page that nothing
marks as part of a site, loses its navigation too. A page of a site (a newspaper, a shop, a blog) is cut down to the block that holds
its text, and to the lead above it. The choice rests on counts (how much of a block is prose, how much is links) and on
names (:mod:`.hints`), names never deciding over the bulk of a page. Where too little would remain, the milder degree is taken:
to keep a menu is better than to lose a text.

After Kohlschütter, Fankhauser and Nejdl, "Boilerplate Detection using Shallow Text Features" (WSDM 2010), who count words and
links, and Pomikálek, "Removing Boilerplate and Duplicate Content from Web Corpora" (2011).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from .blocks import HEADINGS, Blocks
from .hints import BODY, COMMENTS, CONTENTS, DROP, KEEP, NAVIGATION, NOTICE, WEAK
from .shown import block_parts, not_shown, topmost

__all__ = ["left_out"]

# Chosen on every second of trafilatura's judged pages (``bench/reading.py html``); none of them matters much.
_BULK = 0.5
"""A block with more of the page's prose is never boilerplate for its name."""
_NAMED_BODY = 0.2
"""The share of the prose that a block needs to be taken for the text because of its name."""
_NAMED_MAIN = 0.4
"""The same for ``<article>`` and ``<main>``."""
_DEEPER = 0.8
"""A child with this share of its parent's prose is looked into."""
_FLOOR = 0.6
"""The share of the kept text outside links that the text's block must have."""
_LINKED = 0.5
"""A block inside the text with a larger share of links is a list of them."""
_LINKED_PARAGRAPH = 0.8
_SHORT_HEADING = 80

_ROLES = frozenset(
    """navigation contentinfo search banner complementary dialog alertdialog menu menubar toolbar""".split()  # noqa: SIM905
)
_TAGS = frozenset(("nav", "footer", "aside", "menu", "dialog"))
_TABLE = frozenset(("table", "tbody", "thead", "tr", "td", "th", "pre"))
_LISTS = frozenset(("ul", "ol", "div", "section", "p"))
_INNER = frozenset(("p", "li", "tr", "td", "th", "blockquote", "pre", "ul", "ol", "dl", "dd", "table", "tbody", "figure"))
_CREDIT = re.compile(
    r"©|\(c\)|\b(?:fotos?|photos?|bild(?:er|quelle)?|images?|imagen|imágenes|quelle|source|credits?|getty|reuters|afp|dpa|"
    r"shutterstock|istock|pictures?|kuva|fot|zdjęcie|grafik|screenshot|copyright|courtesy|pixabay|unsplash|adobe|archiv)\b",
    re.IGNORECASE,
)
_FEW = 400
"""Bytes of prose below which readers' comments are the text: a forum."""
_ENOUGH = 250
"""Bytes of text outside links below which the choice is doubted."""


def left_out(page: Blocks, site: bool) -> list[bool]:
    """For each block whether it is left out of the text.

    Where ``site`` is false, only what is hidden and navigation are.
    """
    if not page.tag:
        return []
    shown = not_shown(page)
    if site:
        choice = _Choice(page, shown)
        choice.main_text()
        if choice.is_enough():
            return choice.out
    manual = _Choice(page, shown)
    manual.navigation()
    if site and not choice.is_too_little(manual):
        return choice.out
    return shown if manual.is_too_little(_Choice(page, shown)) else manual.out


class _Choice:
    """The blocks left out so far, and what is counted of the others."""

    def __init__(self, page: Blocks, out: list[bool]) -> None:
        self.page = page
        self.out = list(out)
        self.comments_stay = False
        self.bulk = 0.0
        """Blocks with more prose are never boilerplate."""
        self.core: set[int] = set()
        self._count()

    def is_enough(self) -> bool:
        """Whether so much is kept that no milder choice would be preferred."""
        self._count()
        return self.chars[0] - self.linked[0] >= _ENOUGH

    def is_too_little(self, other: _Choice) -> bool:
        """Whether so little is kept that ``other``, which keeps more, is to be preferred."""
        self._count()
        other._count()
        mine, others = (choice.chars[0] - choice.linked[0] for choice in (self, other))
        return (mine < _ENOUGH and others > 2 * mine) or self.chars[0] <= min(_ENOUGH // 4, other.chars[0] // 10)

    def _count(self) -> None:
        page = self.page
        self.chars, self.linked, self.prose = list(page.chars), list(page.linked), list(page.prose)
        gone = [(0, 0, 0)] * len(self.out)
        for block in range(len(self.out) - 1, 0, -1):
            if self.out[block]:
                chars, linked, prose = page.chars[block], page.linked[block], page.prose[block]
            else:
                chars, linked, prose = gone[block]
            if chars:
                if not self.out[block]:
                    self.chars[block] -= chars
                    self.linked[block] -= linked
                    self.prose[block] -= prose
                above = gone[page.parent[block]]
                gone[page.parent[block]] = (above[0] + chars, above[1] + linked, above[2] + prose)
        chars, linked, prose = gone[0]
        self.chars[0] -= chars
        self.linked[0] -= linked
        self.prose[0] -= prose

    def _drop(self, block: int) -> None:
        last = self.page.last[block]
        self.out[block:last] = [True] * (last - block)

    def _each(self, first: int, stop: int) -> Iterator[int]:
        """The kept blocks from ``first`` on; those inside one that is dropped meanwhile are passed over."""
        block = first
        while block < stop:
            if not self.out[block]:
                yield block
            block = self.page.last[block] if self.out[block] else block + 1

    def navigation(self) -> None:
        """Leaves out navigation, as manuals have it."""
        for block in self._each(1, len(self.out)):
            if self._is_navigation(block):
                self._drop(block)

    def _is_navigation(self, block: int) -> bool:
        page = self.page
        tag, hint, chars = page.tag[block], page.hint[block], page.chars[block]
        if tag == "nav" or page.role[block] in ("navigation", "search"):
            return 2 * chars < page.chars[0] or 2 * page.linked[block] >= chars
        if tag in HEADINGS or page.tag[page.parent[block]] == "blockquote":
            return False
        if tag == "footer" or "footer" in page.names[block].split():
            return 4 * chars < page.chars[0]
        if tag == "button":
            return self._is_control(block)
        if hint & NOTICE:
            return 4 * chars < page.chars[0] and chars < 1500
        if hint & CONTENTS:
            return 2 * page.linked[block] >= chars and 2 * chars < page.chars[0]
        if hint & NAVIGATION or tag in ("aside", "menu", "header", "form"):
            return 2 * page.linked[block] >= chars and not page.prose[block]
        return False

    def _is_control(self, button: int) -> bool:
        above = self.page.tag[self.page.parent[button]]
        return above not in HEADINGS and above not in ("summary", "dt")

    def main_text(self) -> None:
        """Leaves out all but the text of a page of a site."""
        self._names()
        self._count()
        best = self._container()
        whole = self.chars[0] - self.linked[0]
        while best and self.chars[best] - self.linked[best] < _FLOOR * whole:
            best = max(0, self.page.parent[best])
        if best:
            best = self._siblings(best)
            self._outside(best)
        self._links(best)
        self._headings(best)

    def _names(self) -> None:
        page = self.page
        comments = sum(
            page.prose[block] for block in topmost(page, [bool(hint & COMMENTS) and not hint & BODY for hint in page.hint])
        )
        rest = page.prose[0] - comments
        self.comments_stay = rest < max(_FEW, 0.2 * comments)
        self.bulk = _BULK * (page.prose[0] if self.comments_stay else rest)
        self.core = self._cores(0.5 * self.bulk)
        for block in self._each(1, len(self.out)):
            if self._is_boilerplate(block):
                self._drop(block)

    def _is_boilerplate(self, block: int) -> bool:
        page = self.page
        tag, hint, role = page.tag[block], page.hint[block], page.role[block]
        prose, chars = page.prose[block], page.chars[block]
        if tag == "main" or role == "main" or hint & KEEP or tag in HEADINGS:
            return False
        if hint & COMMENTS and not hint & BODY:
            return not self.comments_stay
        if prose > self.bulk or block in self.core:
            return False
        if tag in _TAGS or role in _ROLES:
            return True
        if tag == "form":
            return prose < 0.2 * self.prose[0]
        if tag == "figcaption" or "caption" in page.names[block]:
            return chars < 300 and _CREDIT.search(block_parts(page, block)) is not None
        if tag == "header":
            return not prose and page.linked[block] > 0.4 * chars
        if tag == "button":
            return self._is_control(block)
        if hint & DROP:
            return not hint & BODY and not (tag in _TABLE and chars > 200)
        return bool(hint & WEAK) and (page.linked[block] > 0.25 * chars or self._is_one_of_many(block))

    def _cores(self, enough: float) -> set[int]:
        """The blocks that hold ``<main>``, or a container of an article's text, with enough prose."""
        page = self.page
        found: set[int] = set()
        for block in range(1, len(self.out)):
            core = page.tag[block] == "main" or (page.hint[block] & BODY and not page.hint[block] & COMMENTS)
            if core and page.prose[block] > enough:
                while block > 0 and block not in found:
                    found.add(block)
                    block = page.parent[block]
        return found

    def _is_one_of_many(self, block: int) -> bool:
        page = self.page
        for _ in range(4):
            up, beside = page.parent[block], page.last[block]
            if beside < page.last[up] and page.names[beside] == page.names[block]:
                return True
            if up <= 0 or not page.hint[up] & WEAK:
                return False
            block = up
        return False

    def _container(self) -> int:
        """The block that holds the text: one named so, else the deepest that holds most of the prose."""
        page, prose = self.page, self.prose
        total = prose[0]
        if not total:
            return 0
        kept = [block for block in range(1, len(prose)) if prose[block] and not self.out[block]]
        named = [block for block in kept if page.hint[block] & BODY and not page.hint[block] & COMMENTS]
        if named:
            most = max(prose[block] for block in named)
            alike = next(page.names[block].split()[:1] for block in named if prose[block] == most)
            best = self._around(
                [block for block in named if prose[block] >= 0.2 * most or page.names[block].split()[:1] == alike]
            )
            if prose[best] > _NAMED_BODY * total:
                return best
        block = 0
        named = [block for block in kept if page.tag[block] in ("article", "main") or page.role[block] == "main"]
        if named:
            most = max(prose[block] for block in named)
            if most > _NAMED_MAIN * total:
                block = [block for block in named if prose[block] >= 0.8 * most][-1]
        while True:
            inside = (child for child in self._children(block) if prose[child] > _DEEPER * prose[block])
            child = next(inside, 0)
            if not child or page.tag[child] in _INNER:
                return block
            block = child

    def _children(self, block: int) -> Iterator[int]:
        child = block + 1
        while child < self.page.last[block]:
            if not self.out[child]:
                yield child
            child = self.page.last[child]

    def _around(self, blocks: list[int]) -> int:
        """The innermost block around all of them."""
        around = blocks[0]
        while self.page.last[around] <= blocks[-1]:
            around = self.page.parent[around]
        return around

    def _siblings(self, best: int) -> int:
        """The parent, if blocks of the same kind and much text stand beside ``best``."""
        page = self.page
        up = page.parent[best]
        if up > 0 and page.tag[best] in ("article", "section") and not page.hint[best] & BODY:
            alike = [
                block
                for block in self._children(up)
                if page.tag[block] == page.tag[best]
                and self.chars[block] >= 100 > 0
                and self.linked[block] < 0.3 * self.chars[block]
            ]
            if len(alike) > 1:
                return up
        return best

    def _outside(self, best: int) -> None:
        """Leaves out what stands outside ``best``, but for the prose between the title and it: the lead."""
        page = self.page
        around = set()
        up = page.parent[best]
        while up >= 0:
            around.add(up)
            up = page.parent[up]
        title = self._title(best)
        block, count = 1, len(self.out)
        while block < count:
            if block == best:
                block = page.last[best]
            elif block in around or (title and block < title < page.last[block]):
                block += 1
            elif self.out[block]:
                block = page.last[block]
            elif title and title <= block < best and self._is_lead(block):
                block += 1
            else:
                self._drop(block)
                block = page.last[block]

    def _title(self, best: int) -> int:
        """The heading under which ``best`` stands; 0 if there is none."""
        page = self.page
        headings = [block for block in range(best) if page.tag[block] in HEADINGS and not self.out[block]]
        titles = [block for block in headings if page.tag[block] == "h1"]
        if titles:
            return titles[-1]
        if not headings:
            return 0
        around = self._around([headings[-1], best])
        return headings[bisect_left(headings, around)]

    def _is_lead(self, block: int) -> bool:
        tag = self.page.tag[block]
        if tag in HEADINGS:
            return True
        return tag not in ("figure", "figcaption") and self.prose[block] > 0 and 2 * self.linked[block] <= self.chars[block]

    def _links(self, best: int) -> None:
        """Leaves out blocks that are mostly links."""
        page = self.page
        for block in self._each(best + 1, page.last[best]):
            tag = page.tag[block]
            if tag in _LISTS and self.linked[block] > (_LINKED_PARAGRAPH if tag == "p" else _LINKED) * self.chars[block]:
                self._drop(block)

    def _headings(self, best: int) -> None:
        """Leaves out headings whose section was left out."""
        page, parts = self.page, self.page.parts
        gone = bytearray(len(parts))
        for block in topmost(page, self.out):
            gone[page.begin[block] : page.end[block]] = b"\1" * (page.end[block] - page.begin[block])
        following, cut = page.end[best], True
        for block in range(page.last[best] - 1, best, -1):
            if self.out[block] or page.tag[block] not in HEADINGS:
                continue
            empty = True
            for at in range(page.end[block], following):
                if gone[at]:
                    cut = True
                elif parts[at] > " " and parts[at].strip():
                    empty = False
                    break
            following = page.begin[block]
            if empty and cut and page.tag[block] != "h1" and page.chars[block] <= _SHORT_HEADING:
                self._drop(block)
            else:
                cut = False
