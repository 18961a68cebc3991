"""What a printed page adds to its text, taken back: rows of dots, hyphens at line ends, heads and feet on every page."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from .chars import HYPHEN
from .layout import Line

__all__ = ["Hyphens", "Margin", "margins_of", "running_heads", "without_leaders"]

_LEADER = re.compile(r"[.·․…‥‧∙⋅・](?:[ \t\xa0]*[.·․…‥‧∙⋅・]){3,}[ \t\xa0]*")
_RULE = re.compile(r"([_\-‐–—=*])(?:[ \t]?\1){7,}")
_LEFT = re.compile(r"(?:[^\W_]+[-'’])*[^\W_]*\Z")
_RIGHT = re.compile(r"[ \t\r\n]*([^\W_]*)")
_NUMBER = re.compile(r"(?<!\d)(?<!\d[.,:])\d{1,6}(?!\d|[.,:]\d)|(?<![^\W_])[ivxlc]{1,9}(?![^\W_])")
"""What may be the number of a page: no part of an amount, a time, or a date with points."""
_DATE = re.compile(r"\d+([-/])\d+\1\d+")
_MONTHS = "jan feb fév mar mär apr avr may mai jun jui jul aug aoû sep oct okt nov dec dez déc".replace(" ", "|")
_MONTH = re.compile(rf"(?:st|nd|rd|th|\.)? (?:{_MONTHS})")
_COUNTED = re.compile(
    rf"(?:\b(?:no|nr|num|number|nummer|numéro|id|day|tag|jour|week|woche|semaine|month|chapter|kapitel|chapitre|lesson|lektion|unit"
    rf"|step|schritt|part|teil|section|abschnitt|article|artikel|exercise|aufgabe|question|frage|problem|example|case|exhibit|figure"
    rf"|table|invoice|rechnung|order|receipt|customer|client|patient|sample|item|lot|form|appendix|session|lecture|day"
    rf"|(?:{_MONTHS})\w*)[.:]?|[#№º°$€£¥]) ?\Z"
)
"""Before a number of something else, of which there may be one on each page."""
_ROMAN = re.compile(r"c{0,3}(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})")
_LONGEST = 60
"""Characters of a word's part that are looked at."""
_AROUND = ".,;:!?()[]{}<>\"'“”‘’«»„*"

# Where a document does not show how a compound is written elsewhere: words that make compounds, English ones, since
# English has most of them with hyphens.
_FIRST = frozenset(
    """self well ill half quasi cross all best better low high higher lower long longer short large small full near single double
    two three four five six seven eight nine ten twenty thirty forty fifty sixty seventy eighty ninety first second third
    fourth fifth one zero real so right left hard easy fast slow open closed user machine computer
    state ex vice""".split()  # noqa: SIM905
)
_SECOND = frozenset(
    """based known minded specific dependent independent oriented defined driven aware related free of the to and art by in
    time end term level scale quality case right minded called made built wide sized shaped looking lasting
    dimensional friendly purpose compatible style threaded encoded supplied provided sensitive insensitive""".split()  # noqa: SIM905
)
_NEVER_FIRST = frozenset(
    """a ab ad an be co com con de dis en ex for im in inter ir mis mid non out over per post pre pro re semi sub super sur
    trans un under up with fore there here where data soft hard some any every no all al""".split()  # noqa: SIM905
)
_ALWAYS_JOINING = frozenset("and und oder och".split())  # noqa: SIM905
"""What joins two words of which the first is cut short, and hardly ever ends a word …"""
_JOINING = _ALWAYS_JOINING | frozenset("or to et ou bis og eller en of y o e i".split())  # noqa: SIM905
"""… and what does either."""
_HYPHENATED = re.compile(r"(?:\s\w+)?\s[^\W\d_]+[-‐\ufffe]")
"""A word with a hyphen, next but one at most."""
_SHORT_WORDS = frozenset(("of", "the", "to", "and", "by", "in", "art", "on", "up"))


def without_leaders(text: str) -> str:
    """``text`` with the dots that lead to a page's number as ``...``, and long rules of one sign as three."""
    if ".." in text or ". ." in text or "·" in text or "…" in text or "‧" in text or "⋅" in text:
        text = _LEADER.sub("... ", text)
    if "___" in text or "---" in text or "***" in text or "===" in text or "———" in text or "_ _ _" in text or "- - -" in text:
        text = _RULE.sub(r"\1\1\1", text)
    return text


class Hyphens:
    """Joins words that are broken at line ends, as the document writes them elsewhere.

    A hyphen at a line's end may stand for the break alone (``re-trieval``) or belong to the word (``disk-based``). Where the
    document has one of the two forms in mid-line, that one is taken; else the words that make compounds decide.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        wanted: set[str] = set()
        texts = list(texts)
        for text in texts:
            if HYPHEN in text:
                pieces = text.split(HYPHEN)
                for before, after in pairwise(pieces):
                    left, right, _ = _broken(before, after)
                    wanted.add(f"{left}{right}".lower())
                    wanted.add(f"{left}-{right}".lower())
        words: set[str] = set()
        if wanted:
            for text in texts:
                words.update(text.lower().replace("‐", "-").split())
        self._seen = wanted.intersection(word.strip(_AROUND) for word in words)

    def join(self, text: str) -> str:
        """``text`` without marks of hyphens."""
        if HYPHEN not in text:
            return text
        pieces = text.split(HYPHEN)
        found = [pieces[0]]
        for before, after in pairwise(pieces):
            left, right, skipped = _broken(before, after)
            if not left or not right:
                found.append("-\n" if left or right else "")
            elif self._is_left_open(left, right, after[skipped:]):
                found.append("- ")
            elif left[-1].isalpha() and right[0].isdigit() and not self._takes_number(left, right):
                found.append("-\n")  # the number of the page, or of a note below the text
            elif self._is_compound(left, right):
                found.append("-")
            found.append(after[skipped:])
        return "".join(found)

    def _is_left_open(self, left: str, right: str, after: str) -> bool:
        """Whether the hyphen stands for a part that is said later: ``pre- and post-war``, ``Haupt- und Nebensatz``."""
        word = right.lower()
        if word not in _JOINING or not after[len(right) : len(right) + 1].isspace():
            return False
        if f"{left}{right}".lower() in self._seen or f"{left}-{right}".lower() in self._seen:
            return False
        return word in _ALWAYS_JOINING or _HYPHENATED.match(after, len(right)) is not None

    def _takes_number(self, left: str, right: str) -> bool:
        """Whether a word goes on with a number, as names do (``UTF-8``)."""
        return f"{left}-{right}".lower() in self._seen or left != left.lower() or "-" in left

    def _is_compound(self, left: str, right: str) -> bool:
        low, end = left.lower(), right.lower()
        joined, hyphenated = low + end in self._seen, f"{low}-{end}" in self._seen
        if joined != hyphenated:
            return hyphenated
        if "-" in left or left[-1].isdigit() or right[0].isdigit():
            return True
        if right[0].isupper():  # Jean-Paul, but INTER-NATIONAL
            return not left.isupper()
        if low in _NEVER_FIRST:
            return False
        if end in _SECOND:
            return len(low) > 2 or end in _SHORT_WORDS
        return low in _FIRST and len(end) > 3


def _broken(before: str, after: str) -> tuple[str, str, int]:
    """The two parts of the word that ends ``before`` and goes on in ``after``, and the white space before the second."""
    left = _LEFT.search(before[-_LONGEST:])
    right = _RIGHT.match(after[:_LONGEST])
    return left.group() if left else "", right.group(1) if right else "", right.start(1) if right else 0


class Margin(NamedTuple):
    """A line at the head or foot of a page."""

    at: int
    """Its number among the page's lines."""
    text: str
    """Its words in small letters, one space between them."""
    height: int
    """Where it stands, in steps of 4 points."""


def running_heads(pages: Sequence[Sequence[Margin]]) -> dict[int, set[int]]:
    """Of each page, the lines that are heads or feet that an earlier page has had: the same words in the same place, but for
    the number of the page, which grows by one from page to page. Lines that differ in other numbers (sums, dates) are text.

    Source: heads and feet stand in the same place with the same words but for numbers, as in Lin, "Header and footer
    extraction by page association" (2003).
    """
    places: dict[tuple[str, int | None, int], list[tuple[int, int]]] = defaultdict(list)
    for number, margins in enumerate(pages):
        for margin in margins:
            for shape, ahead in _shapes(margin.text, number):
                places[shape, ahead, margin.height].append((number, margin.at))
    repeated: dict[tuple[str, int | None, int], tuple[int, int]] = {}
    for (shape, ahead, height), found in places.items():
        # Where a height lies between two steps, lines of both count.
        near = found + places.get((shape, ahead, height + 1), []) + places.get((shape, ahead, height - 1), [])
        if _repeats(sorted({number for number, _ in near}), len(pages)):
            repeated[shape, ahead, height] = min(near)
    ends = [{ahead for shape, ahead, _ in repeated if _is_outside(shape, side)} for side in (0, -1)]
    dropped: dict[int, set[int]] = defaultdict(set)
    for key, keeper in repeated.items():
        shape, ahead, _ = key
        # Invoices are numbered one after the other too. Numbers beyond the count of pages are pages' where they stand alone,
        # or at the outer edge of facing pages.
        if ahead is None or ahead <= 0 or not shape.strip("#-–—[]() ") or all(ahead in end for end in ends):
            for number, at in places[key]:
                if (number, at) != keeper:
                    dropped[number].add(at)
    return dropped


def _shapes(text: str, number: int) -> Iterator[tuple[str, int | None]]:
    """A line as it may be on other pages: as it is, and with ``#`` for what may be its page's number, and by how much that is
    ahead of the number of pages before it.
    """
    yield text, None
    plain = _DATE.sub(lambda date: " " * len(date.group()), text)
    numbers = [
        (found.span(), value - number - 1)
        for found in _NUMBER.finditer(plain)
        if (value := _value(found.group()))
        and not _COUNTED.search(text, max(0, found.start() - 16), found.start())
        and not _MONTH.match(text, found.end())
    ]
    numbers = [*numbers[:-3][:3], *numbers[-3:]]
    for ahead in sorted({ahead for _, ahead in numbers}):
        same = [span for span, other in numbers if other == ahead]
        for chosen in [same] if len(same) == 1 else [same, *([span] for span in same)]:  # page 12 of 12
            shape = text
            for start, end in reversed(chosen):
                shape = f"{shape[:start]}#{shape[end:]}"
            yield shape, ahead


def _value(digits: str) -> int:
    """The number that is written in these digits or small Roman letters; 0 if it is none."""
    if digits.isdecimal():
        return int(digits)
    if not _ROMAN.fullmatch(digits):
        return 0
    values = ["ivxlc".index(letter) for letter in digits]
    worth = [(1, 5, 10, 50, 100)[value] for value in values]
    return sum(-one if one < after else one for one, after in zip(worth, [*worth[1:], 0], strict=True))


def _is_outside(shape: str, side: int) -> bool:
    """Whether only the first or last word of a line, and no other, is the page's number."""
    words = shape.split()
    return len(words) > 1 and words[side] == "#" and shape.count("#") == 1


def _repeats(numbers: list[int], pages: int) -> bool:
    """Whether lines on these pages are a running head: on half of all, or on several not far from each other."""
    if len(numbers) < 3:
        return False
    if len(numbers) * 2 >= pages:
        return True
    return any(last - first <= 4 for first, last in zip(numbers, numbers[2:], strict=False))


def margins_of(lines: list[Line]) -> list[Margin]:
    """The lines at the head and foot of a page that stand apart from the others."""
    placed = [at for at, line in enumerate(lines) if line.box[3] > line.box[1]]
    by_height = sorted(placed, key=lambda at: -lines[at].box[3])
    chosen = {*_apart(lines, by_height), *_apart(lines, by_height[::-1])}
    return [Margin(at, " ".join(lines[at].text.lower().split()), round(lines[at].box[1] / 4)) for at in sorted(chosen)]


def _apart(lines: list[Line], ordered: list[int]) -> list[int]:
    """The outermost lines (at most four) up to the first wide gap; none if there is no such gap."""
    found: list[int] = []
    for at, following in pairwise(ordered):
        found.append(at)
        here, there = lines[at].box, lines[following].box
        gap = max(here[1] - there[3], there[1] - here[3])
        if gap > 0.35 * (here[3] - here[1]):
            return found
    return found[:1]
