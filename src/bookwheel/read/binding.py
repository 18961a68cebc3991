"""Binds each sentence of a model's draft to the stored sentences that it rests on, or finds that it rests on none.

The tool chooses the sentences; what a draft itself cites is not looked at. A sentence is

- ``quoted`` where it is a stored sentence, word by word, or left out of one what may limit it (`dropping`), inflects its words, or
  says of a name what the next sentence says of "he" or "it": then the stored sentences are shown in its place;
- ``supported`` where it follows from one stored sentence by leaving out (`derivation`), or where each of its parts joined by "and"
  does;
- ``altered`` where a stored sentence has most of its words, but a number, a name, a negation or the order differs;
- ``unsupported`` otherwise.

A draft of a few words is no statement, and one that restates the question says no more than its new words do. The stored sentence in
which they stand is shown for it, provided that this sentence says something of what was asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from .answer import Claim
from .comparison import asks, content, contiguous, negations, same, verb, whole
from .derivation import follows
from .difference import difference
from .draft import plain_text, sentences_of, unframed
from .evidence import Evidence
from .hostile import speaks_to_models
from .protocols import Collection
from .sentence import Sentence, may, sentences_in
from .tokens import Token, tokens_of
from .wording import FUNCTION_WORDS

__all__ = ["Binder", "placed"]

NEAR = 0.6
"""Share of a claim's content words that a stored sentence must have for the claim to be an altered form of it."""
ASKED = 0.25
"""Share of the question's terms, by weight, that a sentence must have to be shown for a few words of a draft."""
RESTATED = 0.6
"""Share of a claim's content words that may be new in a sentence that restates the question."""
_PHRASE = 10
"""Words of a draft that is no statement."""
_POINTING = frozenset(
    ("he", "she", "it", "they", "this", "these", "that", "those", "his", "her", "its", "their", "such", "both")
)
_SUBJECTS = frozenset(("he", "she", "it", "they"))
_NAMED = re.compile(
    r"(?is)^(?:according\s+to|as\s+stated\s+in|as\s+described\s+in|in)\s+[\"“'«]?(.{1,100}?)[\"”'»]?\s*,\s+(\S.*)$"
)


@dataclass(frozen=True)
class _Bound:
    claim: Claim
    sentences: tuple[Sentence, ...] = ()


class Binder:
    """The stored sentences of one question's evidence, to which drafts are bound."""

    def __init__(self, collection: Collection, question: str, evidence: Sequence[Evidence], *, hidden: bool = False) -> None:
        self._collection = collection
        self._question = question
        self.sentences = [sentence for one in evidence for sentence in sentences_in(one, hidden)]

    # -- a draft -------------------------------------------------------------------------------------------------------

    def bind(self, draft: str) -> list[Claim]:
        """The sentences of ``draft`` with their status, in order; quotes have no places yet."""
        found: list[_Bound] = []
        shown: dict[tuple[int, int], None] = {}
        for text in sentences_of(draft):
            bound = self.bound(text)
            if bound.sentences:
                if _points(bound) and not _continues(bound, found):
                    bound = _Bound(_refused(text, "what its first word refers to stands in another sentence"))
                elif bound.claim.status == "quoted":
                    place = (id(bound.sentences[0].evidence), bound.sentences[0].order)
                    if place in shown:
                        continue
                    shown[place] = None
            found.append(bound)
        return [bound.claim for bound in found]

    def bound(self, text: str) -> _Bound:
        """One sentence of a draft."""
        if asks(tokens_of(text)):
            return _Bound(_refused(text, "it is a question"))
        if speaks_to_models(text):
            return _Bound(_refused(text, "it repeats instructions to a model"))
        direct = self._direct(text)
        if direct is not None:
            return direct
        text, among, named = self._attributed(unframed(text))
        tokens = tokens_of(text)
        if not any(map(content, tokens)):
            return _Bound(_refused(text, "it states nothing"))
        usable = [one for one in self.sentences if one.usable]
        bound = self._supported(text, tokens, [one for one in usable if one.evidence in among] if named else usable)
        if bound is None and named and (elsewhere := self._supported(text, tokens, usable)):
            other = elsewhere.sentences[0].evidence
            note = f"it stands in [{other.number}], not in {named}"
            bound = _Bound(Claim(text, "altered", elsewhere.claim.quotes, note))
        bound = bound or self._phrase(text, tokens, usable) or self._restated(text, tokens, usable)
        return bound or _Bound(self._nearest(text, tokens, usable))

    def _direct(self, text: str) -> _Bound | None:
        """A stored sentence that begins like a phrase about the passages is one all the same."""
        tokens = tokens_of(text)
        for one in self.sentences:
            if one.usable and may(tokens, one) and whole(tokens, one.tokens):
                return _as_stored(text, tokens, one)
        return None

    def _attributed(self, text: str) -> tuple[str, list[Evidence], str]:
        """What is said of a document that the sentence names: the rest, the evidence of that document, and its name."""
        match = _NAMED.match(text)
        if match:
            name = _plain(match[1])
            among = [one.evidence for one in self.sentences if name and name in _names(one.evidence)]
            if among:
                rest = match[2]
                return rest[0].upper() + rest[1:], among, match[1]
        return text, [], ""

    # -- supported -----------------------------------------------------------------------------------------------------

    def _supported(self, text: str, tokens: tuple[Token, ...], usable: Sequence[Sentence]) -> _Bound | None:
        """The claim with what it follows from; where that may limit what it says, the stored sentences in its place."""
        if (found := self._source(tokens, usable)) is not None:
            if whole(tokens, found[0].tokens):
                return _as_stored(text, tokens, found[0])
            return _Bound(Claim(text, "supported", tuple(one.quote() for one in found)), found)
        for loosely in (False, True):
            for both in self._both(tokens, usable, loosely=loosely):
                if not loosely:
                    return _Bound(Claim(text, "supported", tuple(one.quote() for one in both)), both)
                return _whole(both)
            if not loosely and (found := self._source(tokens, usable, loosely=True)) is not None:
                return _whole(found)
        return None

    def _both(self, tokens: Sequence[Token], usable: Sequence[Sentence], *, loosely: bool) -> Iterator[tuple[Sentence, ...]]:
        """Neighbouring sentences from which the two statements of a claim follow."""
        for one, other in _parts(tokens):
            first, second = self._source(one, usable, loosely=loosely), self._source(other, usable, loosely=loosely)
            if first is None or second is None or first[-1].evidence is not second[0].evidence:
                continue
            gap = second[0].order - first[-1].order
            if 0 <= gap <= 1 and (other[0].norm not in _POINTING or gap == 1):
                yield tuple(dict.fromkeys((*first, *second)))

    def _source(
        self, tokens: Sequence[Token], usable: Sequence[Sentence], *, loosely: bool = False
    ) -> tuple[Sentence, ...] | None:
        for one in usable:
            if may(tokens, one) and follows(tokens, one.tokens, english=one.english, loosely=loosely):
                return (one,)
        for one, other in pairwise(usable) if loosely else ():  # "he" may be somebody else
            if one.evidence is other.evidence and other.order == one.order + 1 and other.english:
                resolved = _resolved(one.tokens, other.tokens)
                if resolved and may(tokens, one, other) and follows(tokens, resolved, loosely=True):
                    return (one, other)
        return None

    # -- a few words ---------------------------------------------------------------------------------------------------

    def _phrase(self, text: str, tokens: tuple[Token, ...], usable: Sequence[Sentence]) -> _Bound | None:
        """The stored sentence that says most of what was asked, of those in which the few words of a draft stand."""
        words = [token for token in tokens if token.kind != "mark"]
        if len(words) > _PHRASE or any(map(verb, words)) or not any(map(_telling, words)):
            return None
        inside = [one for one in usable if may(tokens, one) and any(True for _ in contiguous(tokens, one.tokens))]
        if not inside:
            return None
        note = f"the model wrote only “{text.rstrip('.')}”, which stands in this sentence"
        chosen = self._chosen(inside, note)
        return chosen or _Bound(_refused(text, "it stands in the text, but not where the text says what was asked"))

    def _restated(self, text: str, tokens: tuple[Token, ...], usable: Sequence[Sentence]) -> _Bound | None:
        """As `_phrase`, for a sentence in the question's words of which only a few are new."""
        asked = tokens_of(self._question)
        mine = [token for token in tokens if content(token)]
        new = [token for token in mine if not any(same(token, other) for other in asked)]
        if not new or len(new) > _PHRASE or len(new) > RESTATED * len(mine) or not any(map(_telling, new)):
            return None
        runs = _runs(tokens, new)
        inside = [
            one
            for one in usable
            if may(new, one)
            and not asks(one.tokens)
            and negations(tokens) <= negations(one.tokens)
            and all(any(True for _ in contiguous(run, one.tokens)) for run in runs)
        ]
        if not inside:
            return None
        words = ", ".join(" ".join(token.text for token in run) for run in runs)
        return self._chosen(inside, f"the model answered “{words}” in the question's words; this is the stored sentence")

    def _chosen(self, inside: Sequence[Sentence], note: str) -> _Bound | None:
        best = max(inside, key=lambda one: (self.asked(one) >= ASKED and not asks(one.tokens), self.asked(one)))
        if self.asked(best) < ASKED:
            return None
        return _Bound(Claim(_shown(best), "quoted", (best.quote(),), note), (best,))

    def asked(self, sentence: Sentence) -> float:
        """How much of the question's terms the sentence and the one before it have, by their weights: 0 to 1.

        Terms that no sentence of the evidence has do not count.
        """
        weights = self._weights
        total = sum(weights.values())
        at = self._at[id(sentence)]
        met = self._terms[at]
        if at and self.sentences[at - 1].evidence is sentence.evidence:
            met = met | self._terms[at - 1]
        return sum(weights[term] for term in met) / total if total else 0.0

    def said(self, claims: Sequence[Claim]) -> float:
        """How much of the question's terms the sentences have that ``claims`` rest on: 0 to 1."""
        places = {(quote.evidence, quote.start) for claim in claims for quote in claim.quotes}
        met: frozenset[str] = frozenset()
        for one, terms in zip(self.sentences, self._terms, strict=True):
            if (one.evidence.number, one.evidence.start + one.start) in places:
                met |= terms
        total = sum(self._weights.values())
        return sum(self._weights[term] for term in met) / total if total else 0.0

    @cached_property
    def _at(self) -> dict[int, int]:
        return {id(one): at for at, one in enumerate(self.sentences)}

    @cached_property
    def _terms(self) -> list[frozenset[str]]:
        """For each sentence, the terms of the question that it has."""
        asked = {term for _, _, terms in self._collection.terms(self._question) for term in terms}
        return [
            frozenset(term for _, _, terms in self._collection.terms(one.text) for term in terms if term in asked)
            for one in self.sentences
        ]

    @cached_property
    def _weights(self) -> dict[str, float]:
        return dict(self._collection.idf(sorted(frozenset().union(*self._terms))))

    # -- not supported -------------------------------------------------------------------------------------------------

    def _nearest(self, text: str, tokens: Sequence[Token], usable: Sequence[Sentence]) -> Claim:
        """The claim as an altered form of the sentence that has most of its words, or as unsupported."""
        mine = [token for token in tokens if content(token)]
        best, share = None, 0.0
        for one in usable:
            held = sum(any(same(token, other) for other in one.tokens) for token in mine if may((token,), one)) / len(mine)
            if held > share:
                best, share = one, held
        if best is None or share < NEAR:
            missing = [token.text for token in mine if not any(may((token,), one) for one in usable)]
            words = ", ".join(f"“{word}”" for word in missing[:3])
            return _refused(text, f"no passage that was read has {words}" if words else "no stored sentence says it")
        return Claim(text, "altered", (best.quote(),), difference(tokens, best.tokens))


def _shown(one: Sentence) -> str:
    return " ".join(plain_text(one.text).split())


def _as_stored(text: str, tokens: Sequence[Token], one: Sentence) -> _Bound:
    """A claim that is the stored sentence; as it is stored, where letters or quotation marks differ (mg, Mg; 5', 5")."""
    said, stored = (
        [token.text for token in some if token.kind != "mark" or token.norm in "\"'"] for some in (tokens, one.tokens)
    )
    return _Bound(Claim(text if said == stored else _shown(one), "quoted", (one.quote(),)), (one,))


def _whole(found: Sequence[Sentence]) -> _Bound:
    """Stored sentences in the place of a claim that has a part of their words."""
    note = "the model left out or inflected words that may matter; this is the stored text"
    return _Bound(Claim(" ".join(map(_shown, found)), "quoted", tuple(one.quote() for one in found), note), tuple(found))


def _telling(token: Token) -> bool:
    return token.kind in ("number", "date") or (
        token.kind == "word" and len(token.norm) > 1 and token.norm not in FUNCTION_WORDS
    )


def _points(bound: _Bound) -> bool:
    """Whether the claim begins with a word for something said before."""
    first = next((token for token in tokens_of(bound.claim.text) if token.kind != "mark"), None)
    return first is not None and first.norm in _POINTING


def _continues(bound: _Bound, before: Sequence[_Bound]) -> bool:
    """Whether the sentence stands behind that of the last claim; the first claim of an answer stands for itself if it is quoted."""
    kept = [one for one in before if one.sentences]
    if not kept:
        return bound.claim.status == "quoted" and not before
    last, here = kept[-1].sentences[-1], bound.sentences[0]
    return kept[-1] is before[-1] and last.evidence is here.evidence and 0 <= here.order - last.order <= 1


def _parts(tokens: Sequence[Token]) -> Iterator[tuple[Sequence[Token], Sequence[Token]]]:
    """The two statements that "and" or a semicolon joins, at each place where there may be two."""
    for at, token in enumerate(tokens):
        if token.norm not in ("and", ";"):
            continue
        one, other = list(tokens[:at]), list(tokens[at + 1 :])
        while one and one[-1].kind == "mark":
            one.pop()
        if len(one) > 2 and len(other) > 2 and any(map(verb, one)) and any(map(verb, other)):
            yield one, other


def _resolved(one: Sequence[Token], other: Sequence[Token]) -> list[Token] | None:
    """``other`` with the subject of ``one`` in the place of the pronoun that it begins with; None where that is not certain.

    Certain means: ``one`` begins with a name, and has no other.
    """
    if not other or other[0].norm not in _SUBJECTS:
        return None
    subject: list[Token] = []
    for token in one:
        if verb(token) or token.kind == "mark":
            break
        subject.append(token)
    if (
        not subject
        or len(subject) == len(one)
        or not subject[-1].text[0].isupper()
        or any(not token.text[0].isupper() for token in subject if token.norm not in ("the", "of"))
    ):
        return None
    if any(token.name and token.kind == "word" for token in one[len(subject) :]) or any(
        token.norm == "and" for token in subject
    ):
        return None
    return [*subject, *other[1:]]


def _runs(tokens: Sequence[Token], chosen: Sequence[Token]) -> list[list[Token]]:
    """The runs of ``chosen`` tokens, with the small words between two of them."""
    places = [at for at, token in enumerate(tokens) if any(token is one for one in chosen)]
    runs: list[list[Token]] = []
    last = -2
    for at in places:
        if runs and not any(content(token) or token.kind == "mark" for token in tokens[last + 1 : at]):
            runs[-1] += tokens[last + 1 : at + 1]
        else:
            runs.append([tokens[at]])
        last = at
    return runs


def _names(one: Evidence) -> set[str]:
    return {_plain(name) for name in (one.title, one.id, one.source, re.split(r"[\\/]", one.source)[-1]) if name}


def _plain(name: str) -> str:
    return " ".join(token.norm for token in tokens_of(name.replace("_", " ")) if token.kind != "mark" and token.norm != "the")


def _refused(text: str, note: str) -> Claim:
    return Claim(text, "unsupported", (), note)


def placed(collection: Collection, claims: Sequence[Claim]) -> list[Claim]:
    """``claims`` with the places of their quotes."""
    places = iter(collection.places([quote for claim in claims for quote in claim.quotes]))
    return [replace(claim, quotes=tuple(replace(quote, place=next(places)) for quote in claim.quotes)) for claim in claims]
