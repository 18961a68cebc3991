"""What the style sheets inside a page hide: selectors of rules with ``display: none`` or ``visibility: hidden``.

No cascade is computed. Only selectors of tags, classes and ids are read, and whatever another rule of the page may show again
(on a hover, with a class more, on a small screen) counts as shown: text that readers can come to see is not hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["hiding_selectors"]

_MOST = 400_000
"""Characters of style sheets that are read."""
_LONGEST = 200
"""Characters of a selector."""
_SELECTORS = 100
"""The most selectors, since each is looked for in the whole page."""
_COMMENT = re.compile(r"/\*.*?(?:\*/|$)|<!--|-->", re.DOTALL)
_PIECE = re.compile(r"[^{};]*([{};]|$)")
_HIDES = re.compile(r"(?:^|[;\s{])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse))(?=\s*(?:[;!}]|$))", re.IGNORECASE)
_SHOWS = re.compile(
    r"(?:^|[;\s{])(?:display\s*:\s*(?!none\b)|visibility\s*:\s*(?:visible|inherit|initial|unset|revert))", re.IGNORECASE
)
_NAME = r"-?[A-Za-z_][\w-]*"
_COMPOUND = rf"(?:{_NAME})?(?:[.#]{_NAME})+"
_SIMPLE = re.compile(rf"(?:{_NAME}\s*[>\s]\s*|{_COMPOUND}\s*[>\s]\s*){{0,3}}{_COMPOUND}")
_KEY = re.compile(rf"[.#]{_NAME}")
_SCREEN = re.compile(r"@media\s+(?:only\s+)?(?:screen|all)\s*$", re.IGNORECASE)
_LAYER = re.compile(r"@(?:layer|supports)\b", re.IGNORECASE)
_SCRIPTED = re.compile(r"[.#](?:no-?js|js)\b", re.IGNORECASE)
"""Classes of a page that scripts take away, or put there."""


def hiding_selectors(styles: Iterable[str]) -> list[str]:
    """The selectors of elements that the sheets hide and never show."""
    hidden: dict[str, None] = {}
    shown: set[str] = set()
    text = _COMMENT.sub(" ", "\n".join(styles)[:_MOST])
    for selectors, declarations, always in _rules(text):
        for one in selectors.split(","):
            selector = " ".join(one.split())
            if (
                always
                and len(selector) <= _LONGEST
                and _SIMPLE.fullmatch(selector)
                and not _SCRIPTED.search(selector)
                and _last_of(_HIDES, declarations)
            ):
                hidden[selector] = None
            elif _SHOWS.search(declarations):
                shown.update(_KEY.findall(re.split(r"[>+~\s]", selector)[-1]))
    return [one for one in hidden if not shown & set(_KEY.findall(re.split(r"[>\s]", one)[-1]))][:_SELECTORS]


def _last_of(hides: re.Pattern[str], declarations: str) -> bool:
    """Whether the declarations hide, and do not show again after that."""
    found = [match.start() for match in hides.finditer(declarations)]
    return bool(found) and not any(match.start() > found[-1] for match in _SHOWS.finditer(declarations))


def _rules(text: str) -> Iterator[tuple[str, str, bool]]:
    """Selectors and declarations of each rule, and whether it holds on every screen."""
    inside: list[bool] = []
    """For each open block of rules, whether what is in it holds on every screen."""
    head, declared = "", ""
    for match in _PIECE.finditer(text):
        piece, mark = match.group()[: -1 if match[1] else None], match[1]
        if mark == "{":
            if head:  # the declarations of a rule do not nest; what nests is passed over
                inside.append(False)
                head = ""
            name = piece.strip()
            if name.startswith("@"):
                inside.append(all(inside) and bool(_SCREEN.match(name) or _LAYER.match(name)))
            else:
                head, declared = name, ""
        elif head:
            declared += piece + ";"
            if mark in ("}", ""):
                yield head, declared, all(inside)
                head = ""
        elif mark == "}" and inside:
            inside.pop()
