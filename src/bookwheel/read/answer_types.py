"""What kind of thing a question asks for, and whether a sentence says something of that kind that the question does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

__all__ = ["kind_asked_for", "names_one"]

_ASKED = (
    (
        "number",
        r"\bhow (?:many|much|often|old|long|far|tall|large|big|high|fast|deep|wide|heavy|few)\b|\bpercentage\b|\bat what age\b"
        r"|\bwhat (?:percent\w*|number|amount|proportion|fraction|share|population|size|age|distance|temperature|score)\b"
        r"|\bwhat (?:is|was|are|were) the (?:number|population|area|size|length|height|average|total|amount|percentage)\b"
        r"|\bcu[áa]nt[oa]s?\b|\bwie ?viele?\b|\bcombien\b|\bquant[ie]\b|多少|几个|幾個",
    ),
    (
        "date",
        r"\bwhen\b|\bhow long ago\b|\b(?:what|which) (?:year|date|day|month|century|decade|time|era|period|season)\b"
        r"|\bcu[áa]ndo\b|\bqu[ée] (?:año|fecha|siglo)\b|\bwann\b|\bwelche[mns]? (?:jahr|tag|datum)\w*\b|\bquand\b|\bquando\b"
        r"|何时|什么时候|哪一年|哪年",
    ),
    (
        "person",
        r"\bwho\b|\bwhose\b|\bwhom\b|\b(?:what|which) (?:person|man|woman|player|king|queen|president|leader|scientist|author|actor"
        r"|singer|ruler|emperor|general|coach|physicist|people|group|company|team|organi[sz]ation|tribe|family)\b",
    ),
    (
        "place",
        r"\bwhere\b|\b(?:what|which) (?:city|country|state|place|town|region|area|location|continent|river|county|island|stadium"
        r"|university|province|sea|lake|street|building)\b",
    ),
    ("reason", r"\bwhy\b|\bhow come\b|\bfor what reason\b|\bwhat (?:cause[ds]?|reason|was the reason)\b"),
    (
        "name",
        r"\bwhat (?:is|was|are|were) (?:the )?(?:name|term|title)|\bcalled\b|\bnamed?\b|\bknown as\b|\breferred to\b|\bterm\b",
    ),
)
_KINDS = [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _ASKED]

_NUMBER_WORDS = frozenset(
    """one two three four five six seven eight nine ten eleven twelve thirteen fifteen twenty thirty forty fifty sixty seventy
    eighty ninety hundred thousand million billion half third quarter dozen once twice several few no none""".split()  # noqa: SIM905
)
_WORD = re.compile(r"\d[\d.,]*|[^\W\d_]+")
_DATE = re.compile(
    r"\b1\d{3}s?\b|\b20\d\ds?\b|\b\d{2,4}\b|\b(?:January|February|March|April|May|June|July|August|September|October|November"
    r"|December|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b|\bcentur|\d{2,4}年"
)
_NAME = re.compile(r"\b[^\W\d_a-z][\w'’.-]+(?: (?:(?:of|de|von|van|al|the|bin) )?[^\W\d_a-z][\w'’.-]*)*")
_PLACE = re.compile(r"\b(?:in|at|near|from|to|of|on|between|around|outside|inside|across) (?:the )?([^\W\d_a-z]\w+)")
_REASON = re.compile(
    r"\b(?:because|due to|since|so that|in order to|therefore|thus|as a result|result(?:ed|ing|s)?|caus(?:e|ed|es|ing)|led to"
    r"|lead(?:s|ing)? to|reason|owing|thanks to|to (?:avoid|prevent|make|allow|ensure|reduce|increase))\b",
    re.IGNORECASE,
)
_NAMED = re.compile(r"[\"“«‘]|\bcalled\b|\bnamed\b|\bknown as\b|\bterm")


def kind_asked_for(question: str) -> str | None:
    """``number``, ``date``, ``person``, ``place``, ``reason`` or ``name``; None for other questions. By its question words."""
    return next((kind for kind, pattern in _KINDS if pattern.search(question)), None)


def names_one(kind: str | None, sentence: str, asked: Collection[str]) -> float:
    """Whether ``sentence`` has one of ``kind`` among words that are not ``asked`` (casefolded): 0 to 1; numbers in words 0.6."""
    return 0.0 if kind is None else _FOUND[kind](sentence, asked)


def _number(sentence: str, asked: Collection[str]) -> float:
    found = 0.0
    for word in _WORD.findall(sentence):
        folded = word.casefold().rstrip(".,")
        if folded not in asked:
            if word[0].isdigit():
                return 1.0
            found = max(found, 0.6 * (folded in _NUMBER_WORDS))
    return found


def _date(sentence: str, asked: Collection[str]) -> float:
    return float(any(match.group().casefold() not in asked for match in _DATE.finditer(sentence)))


def _person(sentence: str, asked: Collection[str]) -> float:
    return float(
        any(
            match.start() > 0
            and any(
                word.casefold().strip(".,'’s") not in asked and word.casefold() not in asked for word in match.group().split()
            )
            for match in _NAME.finditer(sentence)
        )
    )


def _place(sentence: str, asked: Collection[str]) -> float:
    return float(any(match.group(1).casefold() not in asked for match in _PLACE.finditer(sentence)))


def _reason(sentence: str, asked: Collection[str]) -> float:
    return float(_REASON.search(sentence) is not None)


def _name(sentence: str, asked: Collection[str]) -> float:
    return 1.0 if _NAMED.search(sentence) else _person(sentence, asked)


_FOUND: dict[str, Callable[[str, Collection[str]], float]] = {
    "number": _number, "date": _date, "person": _person, "place": _place, "reason": _reason, "name": _name,
}  # fmt: skip
