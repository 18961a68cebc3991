"""Limits that are written in a question: "only in /reports/2024", "file:notes.txt", "year >= 2020", "tag:red", "since 2020".

What is recognised is taken out of the question and becomes a filter, which is told; what is not clear stays among the words.
What cannot be meant otherwise (a field of the library with a sign of comparison or a colon, a folder or file that is there) is
firm. A time in plain words ("since 2020") is soft: where nothing within it answers, the question is asked without it.

A structured query beside words and vectors, drawn from what was typed: Ahluwalia et al., "Hybrid Semantic Search: Unveiling User Intent
Beyond Keywords" (2024). In part: it is drawn by rules, not by a language model.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from ..rank.stages.rewrite.syntax import parse_query

__all__ = ["Limit", "Limited", "folder_filter", "read_limits"]

Matches = Callable[[str], bool | None]
"""Whether any document meets a filter; None for a filter that cannot be read."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit."""

    where: str
    """The filter."""
    told: str
    """As people are told of it: the filter, or the words that it was read from."""
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Limited:
    """A question and the limits that were in it."""

    question: str
    limits: tuple[Limit, ...] = ()
    unclear: tuple[str, ...] = field(default=())
    """What looked like a limit and was left as words, one sentence each."""

    def where(self, given: str | None, *, soft: bool = True) -> str | None:
        """The filter ``given`` and the limits, with or without the soft ones."""
        parts = [limit.where for limit in self.limits if soft or not limit.soft]
        every = [*([given] if given else []), *parts]
        return " and ".join(f"({part})" for part in every) if len(every) > 1 else (every[0] if every else None)


_OPERATOR = r"(?P<op>>=|<=|!=|<>|==|=|<|>|≥|≤)"
_VALUE = r"(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<plain>[^\s,;()\"'<>=]+?)(?=[?.!:]*(?:[\s,;()]|$)))"
_NAME = r"(?P<field>[^\W\d][\w.-]*)"
_COMPARED = re.compile(rf"(?<![\w.-]){_NAME}\s*{_OPERATOR}\s*{_VALUE}")
_COLON = re.compile(
    r"(?<!\S)(?P<sign>-?)(?P<field>[^\W\d][\w.-]*):(?:\"(?P<double>[^\"]+)\"|(?P<plain>[^\s\"]+?)(?=[?,.;!)]*(?:\s|$)))"
)
_ALIASES = {
    "file": ("path",),
    "in": ("folder",),
    "dir": ("folder",),
    "type": ("type", "suffix"),
    "tag": ("tag", "tags", "keywords", "keyword"),
    "tags": ("tags", "tag", "keywords"),
    "by": ("author", "authors", "creator"),
    "author": ("author", "authors", "creator"),
}
"""Names before a colon that people use, and the fields that they may mean."""
_ONLY = r"(?:only|just|solely|exclusively|nur|ausschließlich|solo|sólo|solamente|únicamente|seulement|uniquement)"
_IN = r"(?:in|inside|within|from|under|im|aus|unter|en|dentro de|de|dans|sous)"
_KINDS = r"(?:folder|directory|file|document|ordner|datei|carpeta|archivo|dossier|fichier)s?"
_THE = rf"(?:(?:the|der|dem|die|el|la|le)\s+)?(?P<kind>{_KINDS}\s+)?"
_PATH = r"(?:\"(?P<double>[^\"]+)\"|“(?P<curly>[^”]+)”|'(?P<single>[^']+)'|(?P<plain>[^\s,;?!\"“”]+))"
_INSIDE = re.compile(rf"(?<!\w)(?:{_ONLY}\s+{_IN}|{_IN}\s+{_ONLY}|{_IN})\s+{_THE}{_PATH}", re.IGNORECASE)
_ONLY_BEFORE = re.compile(rf"^{_ONLY}\b", re.IGNORECASE)
_ONLY_AFTER = re.compile(rf"^{_IN}\s+{_ONLY}\b", re.IGNORECASE)
_FILE_NAME = re.compile(r"[\w][\w.+-]*\.[A-Za-z][A-Za-z0-9]{0,5}")

_YEARS = ("year", "date", "published", "publication_year", "publication_date", "pub_date", "pubdate", "issued", "created")
"""Fields that say when a document is from, the likeliest first."""
_WHEN = r"(?P<when>(?:1[0-9]|20|21)\d\d(?:-\d\d(?:-\d\d)?)?)"
_THEN = r"(?P<then>(?:1[0-9]|20|21)\d\d(?:-\d\d(?:-\d\d)?)?)"
_NOUNS = r"(?:documents?|reports?|papers?|articles?|files?|notes?|letters?|mails?|publications?)"
_FROM = rf"(?:(?:{_NOUNS}\s+)?(?:published|written|dated|issued|created|made|from)\s+|{_NOUNS}\s+)"
_BETWEEN = rf"(?:between|from)\s+{_WHEN}\s+(?:and|to|until|till|through)\s+{_THEN}"
_EDGE = r"(?=\s*(?:[,;:?.!]|$))"
_TIMES = [
    (re.compile(pattern, re.IGNORECASE), meaning)
    for pattern, meaning in (
        (rf"(?P<lead>{_FROM})?(?<!\w){_BETWEEN}{_EDGE}", "between"),
        (rf"(?P<lead>{_FROM})(?:in|of)?\s*(?<!\d){_WHEN}{_EDGE}", "in"),
        (rf"(?P<lead>{_FROM})?(?<!\w)(?:since|seit|desde|depuis)\s+{_WHEN}{_EDGE}", "since"),
        (rf"^(?P<lead>)(?:since|seit|desde|depuis)\s+{_WHEN}\s*[,:]", "since"),
        (rf"(?P<lead>{_FROM}|{_ONLY}\s+)(?:after|later than|nach|después de|après)\s+{_WHEN}{_EDGE}", "after"),
        (rf"(?P<lead>{_FROM}|{_ONLY}\s+)(?:before|earlier than|vor|antes de|avant)\s+{_WHEN}{_EDGE}", "before"),
        (rf"(?P<lead>{_FROM}|{_ONLY}\s+)(?:until|till|up to|bis|hasta|jusqu'en)\s+{_WHEN}{_EDGE}", "until"),
    )
]  # fmt: skip
_UNMARKED = re.compile(rf"(?<!\w)(?P<words>(?:after|before|until)\s+{_WHEN}){_EDGE}", re.IGNORECASE)
_JOINING = re.compile(r"(?:^|\s+)(?:and|where|with|whose|if|but|und|mit|wo|y|con|et|avec|limited to)\s*$", re.IGNORECASE)
_LEADING = re.compile(r"^(?:and|und|y|et)\s+", re.IGNORECASE)
_OR = re.compile(r"(?:^|\s)(?:or|oder|ou|o|或|أو)\s*$", re.IGNORECASE)
_COUNTING = re.compile(r"\b(?:how many|number of|which|all|every|each|list|show|count)\s+(?:all |the )*$", re.IGNORECASE)
_COUNTED = re.compile(rf"{_NOUNS}\b", re.IGNORECASE)
_SPACED = re.compile(r"\s+([,;:?.!])")
_DANGLING = re.compile(r"^[\s,;:]+|[\s,;:(]+$|[,;:]+\s*(?=[,;:?.!])")


def read_limits(question: str, fields: Collection[str], matches: Matches) -> Limited:
    """The limits in ``question``, and what is left of it.

    ``fields``: names that filters can use in this library.
    """
    reading = _Reading(question, {name.casefold(): name for name in reversed(list(fields))}, matches)
    reading.take(_COLON, reading.colon)
    reading.take(_COMPARED, reading.compared)
    reading.take(_INSIDE, reading.inside)
    for pattern, meaning in _TIMES:
        reading.take(pattern, lambda match, meaning=meaning: reading.time(match, meaning))  # type: ignore[misc]
    if reading.when is not None and (match := _UNMARKED.search(reading.text)) is not None:
        reading.unclear.append(
            f"{match['words']!r} was taken as words; to limit by it, write {reading.when} "
            f"{'<' if match['words'].lower().startswith(('before', 'until')) else '>'} {match['when'][:4]}"
        )
    if reading.either and len(reading.limits) > 1:
        reading.tell("limits joined by 'or' are all applied; write such a filter as an option, with --where")
    return Limited(reading.text if reading.limits else question, tuple(reading.limits), tuple(reading.unclear))


def folder_filter(path: str, matches: Matches) -> str | None:
    """The filter for what is in the folder or file ``path``: seen from here, or the last parts of one; None for nothing."""
    whole = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - as text: no link is followed
    last = path.strip("/\\").removeprefix("./")
    inside = whole.rstrip("/")
    tests = [f"folder = {_text(whole)}", f"path = {_text(whole)}"]
    if last and last not in (".", ".."):
        tests += [f"folder = {_text(last)}", f"path = {_text(last)}"]
    tests += [
        f"source = {_text(whole)}",
        f"source >= {_text(inside + '/')} and source < {_text(inside + '0')}",
    ]  # '0' follows '/'
    return next((where for where in tests if matches(where)), None)


class _Reading:
    """The question while limits are taken out of it."""

    def __init__(self, text: str, fields: dict[str, str], matches: Matches) -> None:
        self.text = text
        self.limits: list[Limit] = []
        self.unclear: list[str] = []
        self.either = False
        """Whether "or" stands before a limit."""
        self._fields = fields
        self._matches = matches
        self.when = next((fields[name] for name in _YEARS if name in fields), None)
        """The field that says when a document is from."""

    def take(self, pattern: re.Pattern[str], limit: Callable[[re.Match[str]], Limit | None]) -> None:
        """Take out of the text whatever matches ``pattern`` and is a limit."""
        at = 0
        while (match := pattern.search(self.text, at)) is not None:
            found = limit(match)
            if found is None:
                at = match.start() + 1
                continue
            before, after = self.text[: match.start()], self.text[match.end() :]
            if (noun := _COUNTED.match(match.group())) is not None and _COUNTING.search(before):
                before += noun.group()  # how many documents
            self.limits.append(found)
            self.either = self.either or _OR.search(before) is not None
            before = _OR.sub("", before)
            before = _JOINING.sub("", before)
            if not before.strip():
                after = _LEADING.sub("", after.lstrip(" ,;:"))
            at = 0
            self.text = _SPACED.sub(r"\1", _DANGLING.sub("", " ".join(f"{before} {after}".split())))

    def tell(self, sentence: str) -> None:
        """What is to be told of what was left as words, once."""
        if sentence not in self.unclear:
            self.unclear.append(sentence)

    def colon(self, match: re.Match[str]) -> Limit | None:
        """``field:value``, by the rules of the stage `syntax`."""
        value = match["double"] or match["plain"]
        if not value or value.startswith("//"):
            return None
        name = match["field"].casefold()
        for wanted in (name, *_ALIASES.get(name, ())):
            if (known := self._fields.get(wanted)) is None:
                continue
            if wanted in ("path", "folder"):
                where = folder_filter(value, self._matches) or f"{known} = {_text(value)}"
                where = f"not ({where})" if match["sign"] else where
                if self._matches(where) is None:
                    self.tell(f"{match.group()!r:.120} was taken as words; write the whole path, or the last part of it alone")
                    return None
            else:
                quote = '"' if any(c.isspace() for c in value) else ""
                parsed = parse_query(f"{match['sign']}{known}:{quote}{value}{quote}", (known,)).where
                if parsed is None:
                    continue
                where = parsed
            return Limit(where, f"{match['sign']}{match['field']}:{value}")
        return None

    def compared(self, match: re.Match[str]) -> Limit | None:
        """``field >= value``."""
        known = self._fields.get(match["field"].casefold())
        if known is None:
            return None
        operator = {"≥": ">=", "≤": "<=", "==": "=", "<>": "!="}.get(match["op"], match["op"])
        value = match["double"] if match["double"] is not None else match["single"]
        if value is None:
            plain = match["plain"]
            number = re.fullmatch(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)|\d{4}-\d\d(?:-\d\d)?|true|false|null", plain, re.IGNORECASE)
            shown = plain if number else _text(plain)
        else:
            shown = _text(value)
        where = f"{_field(known)} {operator} {shown}"
        return None if self._matches(where) is None else Limit(where, f"{known} {operator} {shown}")

    def inside(self, match: re.Match[str]) -> Limit | None:
        """``only in PATH``."""
        text = match.group()
        path = match["double"] or match["curly"] or match["single"] or match["plain"]
        named = match["kind"] is not None
        only = bool(_ONLY_BEFORE.match(text) or _ONLY_AFTER.match(text))
        path = path.rstrip(".:)") if match["plain"] else path
        if not path:
            return None
        looks = "/" in path or "\\" in path or _FILE_NAME.fullmatch(path) is not None
        if not (looks or named or only):
            return None
        where = folder_filter(path, self._matches)
        if where is None:
            if "/" in path or (looks and only):
                self.tell(f"nothing in the library is in {path!r:.100}, so it was taken as words")
            return None
        return Limit(where, f"in {path}")

    def time(self, match: re.Match[str], meaning: str) -> Limit | None:
        """``since 2020`` and the like, where documents have a field that says when they are from."""
        if self.when is None:
            return None
        name, when = _field(self.when), match["when"]
        if meaning == "between":
            then = match["then"]
            low, high = sorted((when, then))
            where, told = (
                f"({_from(name, low)}) and ({_up_to(name, high)})",
                f"{self.when} from {low} to {high}",
            )
        else:
            where, told = {
                "since": (_from(name, when), f"{self.when} >= {when}"),
                "after": (f"({_from(name, when)}) and not ({_within(name, when)})", f"{self.when} > {when}"),
                "before": (f"{name} exists and not ({_from(name, when)})", f"{self.when} < {when}"),
                "until": (_up_to(name, when), f"{self.when} <= {when}"),
                "in": (_within(name, when), f"{self.when} = {when}"),
            }[meaning]
        return Limit(where, told, soft=True) if self._matches(where) else None


def _within(name: str, when: str) -> str:
    """During the year, month or day ``when``: as a number, or as a date that begins with it."""
    if len(when) == 4:
        return f'{name} = {when} or ({name} >= "{when}" and {name} < "{int(when) + 1}")'
    return f"{name} = {when}"


def _from(name: str, when: str) -> str:
    return f'{name} >= {when} or ({name} >= "{when}" and {name} < "3")' if len(when) == 4 else f"{name} >= {when}"


def _up_to(name: str, when: str) -> str:
    return f'{name} <= {when} or ({name} >= "0" and {name} < "{int(when) + 1}")' if len(when) == 4 else f"{name} <= {when}"


def _field(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d]\w*", name) and name.lower() not in _WORDS else f"[{name}]"


_WORDS = frozenset(("and", "or", "not", "in", "like", "exists", "true", "false", "null"))


def _text(value: str) -> str:
    """``value`` as a text of a filter."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
