"""Questions in other words, by rule: words are replaced by WordNet's synonyms of their most frequent sense.

    python bench/paraphrases.py FOLDER < questions.txt       FOLDER has WordNet's index.noun, data.noun, noun.exc, cntlist.rev ...

Debian has it as ``apt-get download wordnet-base`` (usr/share/wordnet). Every word that is no name, number or function word, and has
a synonym of another stem among its two most frequent senses, is replaced. The rule knows no context (*figure* for *number* of a
registration), so that these are harder than what people write.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

KINDS = ("noun", "verb", "adj", "adv")
_KIND_OF = {"1": "noun", "2": "verb", "3": "adj", "4": "adv", "5": "adj"}
_ENDINGS = {
    "noun": (("ies", "y", "s"), ("es", "", "s"), ("s", "", "s")),
    "verb": (
        ("ies", "y", "s"), ("es", "e", "s"), ("s", "", "s"), ("ied", "y", "ed"), ("ed", "e", "ed"), ("ed", "", "ed"),
        ("ing", "e", "ing"), ("ing", "", "ing"),
    ),
}  # fmt: skip
_KEPT = frozenset(
    """about after also been before being between called could does during from have into kind less long many more most much name
    other some than that their there these they this those type were what when where which while whom whose will with would""".split()  # noqa: SIM905
)


class Thesaurus:
    """WordNet in ``folder``."""

    def __init__(self, folder: Path) -> None:
        import Stemmer

        self._stem = Stemmer.Stemmer("english").stemWord
        self._senses: dict[tuple[str, str], list[str]] = {}
        self._words: dict[tuple[str, str], list[str]] = {}
        self._odd: dict[tuple[str, str], str] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        for kind in KINDS:
            for fields in _lines(folder / f"index.{kind}"):
                self._senses[fields[0], kind] = fields[-int(fields[2]) :]
            for fields in _lines(folder / f"data.{kind}"):
                count = int(fields[3], 16)
                self._words[kind, fields[0]] = [fields[4 + 2 * at].partition("(")[0] for at in range(count)]
        for kind in ("noun", "verb"):
            self._odd |= {(fields[0], kind): fields[1] for fields in _lines(folder / f"{kind}.exc")}
        for key, _, count, *_ in _lines(folder / "cntlist.rev"):
            word, _, sense = key.partition("%")
            self._counts[word, _KIND_OF[sense[0]]] += int(count)
        self.synonym = cache(self._synonym)

    def reworded(self, text: str) -> str:
        """``text`` with every word replaced that has a synonym."""
        return re.sub(r"\w+", lambda found: self.synonym(found[0]) or found[0], text)

    def _synonym(self, word: str) -> str | None:
        if len(word) < 4 or not word.isalpha() or not word.islower() or word in _KEPT:
            return None
        lemma, kind, ending = max(self._forms(word), key=lambda form: self._counts[form[:2]], default=("", "", ""))
        if not self._counts[lemma, kind]:
            return None
        for sense in self._senses[lemma, kind][:2]:
            others = [
                one
                for one in self._words[kind, sense]
                if one.isalpha() and one.islower() and self._stem(one) != self._stem(lemma)
            ]
            best = max(others, key=lambda one: self._counts[one, kind], default="")
            if self._counts[best, kind]:
                return _inflected(best, ending)
        return None

    def _forms(self, word: str) -> Iterator[tuple[str, str, str]]:
        for kind in KINDS:
            if (self._odd.get((word, kind), ""), kind) in self._senses:
                yield self._odd[word, kind], kind, "s" if kind == "noun" else "ed"
            stems = [
                (word, ""),
                *((word[: -len(end)] + put, told) for end, put, told in _ENDINGS.get(kind, ()) if word.endswith(end)),
            ]
            for lemma, ending in stems:
                if (lemma, kind) in self._senses:
                    yield lemma, kind, ending


def _lines(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="latin-1") as file:
        for line in file:
            if not line.startswith(" ") and line.strip():  # the licence is indented
                yield line.split()


def _inflected(word: str, ending: str) -> str:
    if ending in ("s", "ed") and re.search("[^aeiou]y$", word):
        return word[:-1] + ("ies" if ending == "s" else "ied")
    if ending == "s":
        return word + ("es" if re.search("(?:s|x|ch|sh)$", word) else "s")
    return word.removesuffix("e") + ending if ending else word


if __name__ == "__main__":
    thesaurus = Thesaurus(Path(sys.argv[1]))
    for line in sys.stdin:
        print(thesaurus.reworded(line.rstrip("\n")))
