"""What a kind of needle test is: how sentences to hide, a question and the right answer are made by chance."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Hidden", "Kind", "NeedleTask", "keys", "stands", "values"]

_ADJECTIVES = (  # noqa: SIM905
    "amber ancient bitter brave bright broken calm careful clever crimson curious distant dusty eager early empty faint famous "
    "fancy fierce foggy frozen gentle golden grand green hasty hidden hollow honest humble icy jolly kind lazy little lonely loud "
    "lucky marble mellow merry modest narrow nervous noble odd patient plain polite proud purple quiet rapid rough royal rusty "
    "shallow sharp silent silver simple sleepy slow smooth solid spicy steep stern sturdy sudden tidy timid tiny velvet warm wild"
).split()
_NOUNS = (  # noqa: SIM905
    "acorn anchor apron badger barrel basket beacon bishop blanket bottle bridge bucket button cabin candle canyon carpet castle "
    "cellar cherry chimney clover comet copper cottage cradle daisy dolphin donkey falcon feather fiddle forest fountain garden "
    "glacier goblet hammer harbor hazel hermit igloo island jacket kettle ladder lantern lemon lizard locket magnet mantle marsh "
    "meadow mirror mitten mussel napkin needle nutmeg oyster paddle parrot pebble pepper pigeon pillow pocket puppet quarry "
    "ribbon saddle sailor shovel shutter spindle stable sparrow teapot thimble throne tulip tunnel turnip velvet village violin "
    "walnut whistle willow window"
).split()
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:[,. '\u00a0\u202f]\d{3})+(?!\d)")
"""A number in groups of three digits: 4,821,907."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """One sentence to hide."""

    text: str
    needed: bool = True
    """Whether the answer rests on it; otherwise it is there to mislead."""


@dataclass(frozen=True, slots=True)
class NeedleTask:
    """Sentences to hide, a question about them, and what its answer must say."""

    hidden: tuple[Hidden, ...]
    question: str
    wanted: tuple[str, ...]
    """Each must stand in the answer; drawn by chance from millions, so that guessing is hopeless."""
    unwanted: tuple[str, ...] = ()
    """None of them may stand in the answer of `right`."""
    main: int = -1
    """Which of ``hidden`` stands at the depth that is asked for; the others are elsewhere by chance."""
    ordered: bool = False
    """Whether the sentences must stand in this order, the main one last."""

    def found(self, answer: str) -> float:
        """The share of what is wanted that stands in ``answer``."""
        return sum(stands(one, answer) for one in self.wanted) / len(self.wanted)

    def right(self, answer: str) -> bool:
        """Whether all that is wanted stands in ``answer``, and nothing that is not."""
        return self.found(answer) == 1 and not any(stands(one, answer) for one in self.unwanted)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of test."""

    name: str
    description: str
    source: str
    """The paper that it follows."""
    make: Callable[[random.Random], NeedleTask]
    """Makes a task; the same for the same state of the generator."""


def stands(value: str, answer: str) -> bool:
    """Whether ``value`` stands in ``answer`` as a whole number or word; digits may be grouped by threes."""
    edge = r"(?<![\w.,]){}(?![\w]|[.,]\d)" if value.isdecimal() else r"(?<!\w){}(?!\w)"
    pattern = edge.format(re.escape(value).replace(r"\ ", r"\s+"))
    texts = (answer, _GROUPED.sub(_ungrouped, answer)) if value.isdecimal() else (answer,)
    return any(re.search(pattern, text, re.IGNORECASE) for text in texts)


def _ungrouped(found: re.Match[str]) -> str:
    return re.sub(r"\D", "", found[0])


def values(random_: random.Random, count: int, digits: int = 7) -> list[str]:
    """``count`` different numbers of ``digits`` digits."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[str(random_.randrange(10 ** (digits - 1), 10**digits))] = None
    return list(found)


def keys(random_: random.Random, count: int, besides: Sequence[str] = ()) -> list[str]:
    """``count`` different names of an adjective and a noun, no two of which have a word in common."""
    taken = {word for key in besides for word in key.split()}
    adjectives = random_.sample([word for word in _ADJECTIVES if word not in taken], count)
    nouns = random_.sample([word for word in _NOUNS if word not in taken and word not in adjectives], count)
    return [f"{adjective} {noun}" for adjective, noun in zip(adjectives, nouns, strict=True)]
