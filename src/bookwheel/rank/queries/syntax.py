"""The syntax of queries that say more than words, for those who ask for it with the stage ``syntax()``.

    "block max index"     the phrase must occur, word for word
    +wand   +"a phrase"   must occur
    -lucene -"a phrase"   must not occur
    title:wand            the field must have this in it (text, whatever the case), or be equal to it (a number)
    -year:2019            a field that must not
    like:ID   unlike:ID   passages of these documents as examples of what is sought, or is not (``like:#12``: passage 12)

All other words rank. What does not read as one of these is plain text: a sign that no word follows or that is inside a word
(``x-ray``, ``C++``, ``a - b``), a quote without its partner, a name before a colon that is no field of the library.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["Parsed", "parse_query"]

_TOKEN = re.compile(
    r"""(?<!\S)(?P<sign>[+-]?)
    (?:(?P<field>[^\W\d][\w.]*):(?:"(?P<quoted>[^"]+)"|(?P<value>[^\s"]+))|"(?P<phrase>[^"]*\w[^"]*)"|(?P<word>[^\s"+:-][^\s":]*))
    (?!\S)""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A query taken apart."""

    text: str
    """What ranks: everything but what is excluded and what only filters."""
    required: tuple[str, ...]
    excluded: tuple[str, ...]
    where: str | None
    like: tuple[str, ...]
    unlike: tuple[str, ...]


def parse_query(text: str, fields: Collection[str]) -> Parsed:
    """Take ``text`` apart; ``fields``: the names that may stand before a colon. Any text is a query."""
    required: list[str] = []
    excluded: list[str] = []
    filters: list[str] = []
    like: list[str] = []
    unlike: list[str] = []
    left: list[str] = []
    at = 0
    for token in _TOKEN.finditer(text):
        sign, field, phrase, word = token["sign"], token["field"], token["phrase"], token["word"]
        keep = ""
        if field is not None:
            value = token["quoted"] or token["value"]
            if field in ("like", "unlike") and not sign:
                (like if field == "like" else unlike).append(value)
            elif field in fields:
                test = _test(field, value)
                filters.append(f"not ({test})" if sign == "-" else test)
            else:
                continue
        elif phrase is not None:
            if sign == "-":
                excluded.append(phrase)
            else:
                required.append(phrase)
                keep = phrase
        elif sign and any(character.isalnum() for character in word):
            if sign == "-":
                excluded.append(word)
            else:
                required.append(word)
                keep = word
        else:
            continue
        left += [text[at : token.start()], keep]
        at = token.end()
    left.append(text[at:])
    plain = " ".join("".join(left).split())
    return Parsed(plain, tuple(required), tuple(excluded), " and ".join(filters) or None, tuple(like), tuple(unlike))


def _test(field: str, value: str) -> str:
    name = f"[{field}]"
    if _NUMBER.fullmatch(value):
        return f"{name} = {value}"
    quote = "'" if '"' in value else '"'
    return f"{name} like {quote}{value.replace(quote, '')}{quote}"
