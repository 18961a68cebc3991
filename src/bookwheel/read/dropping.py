"""Whether what a claim leaves out of a stored sentence may be left out without a word about it.

"The plant is safe" has only words of "The plant is safe, joked the director", of "... is safe in theory" and of "... is safe when
it is switched off", and says something else than each of them. Which words turn a statement round is no closed class, so it is told
by what is left out rather than by its words: the short form of a name between brackets, an aside that begins with "who" or
"which", another statement after "and" where the first has no clause of its own, and, of something that happened once, a clause
after a noun that has "a" before it and its date. Everything else may say when, where, for whom or in whose eyes the sentence is
true, or which of two that have one name is meant; the stored sentence is then shown whole in the claim's place (`binding`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .comparison import verb
from .tokens import Token
from .wording import (
    ADVERBS,
    AUXILIARIES,
    BE,
    CONDITIONS,
    CUES,
    DETERMINERS,
    LIGHT,
    NEGATIONS,
    PREPOSITIONS,
    PRONOUNS,
    RELATIVES,
)

__all__ = ["MONTHS", "dated", "happened", "harmless_beginning", "harmless_bracket", "harmless_end", "harmless_gap"]

Tokens = Sequence[Token]
_TEMPORAL = frozenset(("in", "on", "since", "during", "by", "from", "until", "after", "before"))
MONTHS = frozenset(
    ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
)
_OF_SOMEBODY = frozenset(("who", "whose", "whom", "which"))
_OPENERS = frozenset(("however", "thus", "therefore", "also", "then", "later", "finally", "meanwhile", "moreover", "furthermore",
                      "additionally", "eventually", "afterwards", "instead"))  # fmt: skip
_GRANTED = frozenset(("although", "though", "despite", "whereas"))
"""What stands after them is said all the same."""
_CONDITIONAL = frozenset(("assuming", "supposing", "providing", "barring", "pending", "depending", "excluding", "excepting",
                          "considering", "including", "presuming", "imagining", "hoping", "allowing"))  # fmt: skip
_PAST = frozenset(
    "became began begun broke broken brought built bought came caught chose chosen cut dealt drew drawn drank drove driven ate eaten "  # noqa: SIM905
    "fell fallen felt fought found flew flown forgot gave given went gone grew grown held heard hid hit kept knew known laid led left "
    "lent lost made met paid put ran rode rose risen saw seen sought sold sent set shook shot shown sang sank sat slept spoke spoken "
    "spent stood stole stolen struck swam swore sworn took taken taught tore torn threw thrown understood woke won wore worn wrote "
    "written".split()
)


_SPANNING = frozenset(("after", "before", "since", "until", "till", "as"))
"""A clause may follow them, of which "and" joins two; or a date."""
_CLAUSES = (
    RELATIVES | CONDITIONS | frozenset(("while", "whereas", "although", "though", "so", "once", "between", "both", "among"))
)
"""Who meets only one of two things that "and" joins behind them is not meant."""


def happened(claim: Tokens) -> bool:
    """Whether ``claim`` tells of something that happened, rather than of what is or was so, which a date limits."""
    words = [token for token in claim if token.kind == "word" and token.norm not in LIGHT and token.norm not in ADVERBS]
    told = False
    for at, token in enumerate(words):
        if token.norm in ("was", "were"):
            if at + 1 == len(words) or not _past(words[at + 1]):
                return False
        elif token.norm in AUXILIARIES and token.norm not in ("had", "been"):
            return False
        told = told or _past(token)
    return told


def _past(token: Token) -> bool:
    return not token.name and (token.norm in _PAST or (len(token.norm) > 4 and token.norm.endswith("ed")))


def dated(tokens: Tokens) -> bool:
    """``in 1588``, ``on 7 February 2016``, ``in February 2016``."""
    if not tokens or tokens[0].norm not in _TEMPORAL:
        return False
    rest = [token for token in tokens[1:] if token.norm not in LIGHT]
    return 0 < len(rest) <= 2 and all(_date(token) for token in rest)


def _date(token: Token) -> bool:
    if token.kind == "date" or (token.kind == "number" and token.value is not None and 100 <= token.value < 3000):
        return True
    return token.name and token.norm in MONTHS


def _idle(token: Token) -> bool:
    """Whether a sentence says the same without it."""
    return token.norm in LIGHT or token.norm in ADVERBS or token.norm in "\"'"


def _cued(tokens: Tokens) -> bool:
    return any(token.norm in CUES for token in tokens)


def harmless_bracket(inner: Tokens, before: Token | None) -> bool:
    """Whether what stands between brackets behind ``before`` is only the short form of a name, or the years of one."""
    if len(inner) == 1 and inner[0].kind == "word" and len(inner[0].text) > 1 and inner[0].text.isupper():
        return True
    return before is not None and before.name and all(token.kind in ("number", "date") or token.norm == "-" for token in inner)


def harmless_gap(before: Token, run: Tokens, claim: Tokens) -> bool:
    """Whether the ``run`` between two words of a claim may be left out, if `derivation` finds that it can be."""
    bare = [token for token in run if not _idle(token)]
    if before.norm in NEGATIONS and any(token.norm in ADVERBS for token in run):  # what is not very safe may be safe
        return False
    if all(token.kind == "mark" or token.norm in ("have", "has", "had") for token in bare):
        return True
    if bare[0].norm in "([" and bare[-1].norm in ")]":
        return harmless_bracket(bare[1:-1], before)
    if bare[0].norm == bare[-1].norm and bare[0].norm in ",-" and len(bare) > 2:
        inner = bare[1:-1]
        return inner[0].norm in _OF_SOMEBODY and not _cued(inner)
    return dated(bare) and happened(claim)


def harmless_beginning(claim: Tokens, stored: Tokens, first: int) -> bool:
    """Whether what stands before ``stored[first]`` may be left out, if `derivation` finds that it can be."""
    prefix = list(stored[:first])
    if all(map(_idle, prefix)):
        return True
    comma = next(
        (at for at in range(len(prefix) - 1, -1, -1) if prefix[at].kind == "mark" and prefix[at].norm not in "-'\""), -1
    )
    lead, run = prefix[: comma + 1], prefix[comma + 1 :]
    if not all(map(_idle, run)):
        return False
    if all(token.norm == "," for token in lead):  # a passage may begin in the middle of a sentence
        return True
    if lead[-1].norm != "," or sum(token.kind == "mark" for token in lead) > 1:
        return False
    head = lead[:-1]
    if dated(head):
        return happened(claim)
    return head[0].norm in _GRANTED or (len(head) == 1 and head[0].norm in _OPENERS)


def harmless_end(claim: Tokens, stored: Tokens, at: int) -> bool:
    """Whether what stands from ``stored[at]`` on may be left out, if `derivation` finds that it can be."""
    rest = [token for token in stored[at:] if token.norm != '"']
    while rest and rest[-1].kind == "mark" and rest[-1].norm not in ")]":
        rest.pop()
    if not rest:
        return True
    if rest[0].norm in "([" and rest[-1].norm in ")]":
        return harmless_bracket(rest[1:-1], stored[at - 1])
    if _cued(rest):
        return False
    head = rest[1:] if rest[0].norm == "," else rest
    if not head or any(token.kind == "mark" and token.norm not in "-'" for token in head):
        return False
    lead, comma = head[0].norm, head is not rest
    if dated(head):
        return happened(claim)
    if lead in ("and", "whereas"):
        return len(head) > 1 and _another_statement(lead, stored[:at], head[1:], comma)
    if comma:
        return lead.endswith("ing") and lead not in _CONDITIONAL and happened(claim)
    if lead == "that" or lead in _OF_SOMEBODY:
        article = next((one for one in range(at - 1, max(-1, at - 4), -1) if stored[one].norm in ("a", "an")), 0)
        # A driver who drinks is fined, not any driver; but a writer who lives in Rome is a writer.
        some = article > 0 and (stored[article - 1].norm in BE or happened(claim))
        return some and not any(token.norm in NEGATIONS for token in claim)
    return False


def _another_statement(lead: str, before: Tokens, rest: Tokens, comma: bool) -> bool:
    """Whether ``rest``, behind "and" or "whereas", says something beside what stands `before`, which is as true without it.

    It is not where "and" may join two conditions, the halves of a clause ("drivers who drink and drive"), or two things that are
    meant together ("between Emm and Orr").
    """
    if any(token.norm in PRONOUNS for token in rest[:3]) or rest[0].kind == "number" or before[-1].kind == "number":
        return False
    if lead == "whereas":
        return True
    for at, token in enumerate(before):
        dated_there = at + 1 < len(before) and (_date(before[at + 1]) or before[at + 1].norm in MONTHS)
        if token.norm in _CLAUSES or (token.norm in _SPANNING and not dated_there):
            return False
    verbs = _verbs(before)
    if len(verbs) != 1 or any(token.norm == "," for token in before[verbs[0] :]):
        return False
    told = [at for at, token in enumerate(rest) if verb(token) and not (at and rest[at - 1].norm in DETERMINERS | PREPOSITIONS)]
    if not told or rest[told[0]].norm.endswith("ing") or any(two - one > 1 for one, two in pairwise(told)):
        return False  # of "cells exposed to heat and treated with acid died", the sentence ends with its verb
    # Of "men and women aged 60", the age may be that of both; where a verb has a subject of its own, that has to be certain.
    alone = all(token.norm in ADVERBS or token.norm.endswith("ly") for token in rest[: told[0]])
    if alone and _past(rest[told[0]]):  # "lamps of glass and painted wood" are sold
        return any(_past(token) or token.norm in ("was", "were", "had", "did") for token in before)
    return alone or comma or rest[0].name or rest[told[0]].norm in AUXILIARIES


def _verbs(tokens: Tokens) -> list[int]:
    """Where the verbs of ``tokens`` begin, those of one clause counted once; a word in ``-s`` before an object may be one, too."""
    found: list[int] = []
    last = -2
    for at, token in enumerate(tokens):
        if verb(token) or _third_person(token, tokens[at + 1] if at + 1 < len(tokens) else None):
            if last != at - 1:
                found.append(at)
            last = at
        elif last == at - 1 and (token.norm in ADVERBS or token.norm in NEGATIONS or token.norm.endswith("ly")):
            last = at
    return found


def _third_person(token: Token, following: Token | None) -> bool:
    word = token.norm
    if token.kind != "word" or token.name or len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return False
    if following is None or following.kind not in ("word", "number") or verb(following) or following.norm == "of":
        return False
    return word not in PREPOSITIONS and word not in ADVERBS and word not in DETERMINERS and word not in PRONOUNS
