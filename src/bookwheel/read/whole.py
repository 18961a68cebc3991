"""Questions about the whole collection: "all reports that mention X", "how many documents ...", "list every ...".

A ranking cannot answer them: its ten best are not all. They are recognised by a noun for documents with a verb for what
documents do with a subject, so that "how many reports did they publish?" stays a question like any other. English, and the
plainest forms of German, Spanish and French.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["WholeQuestion", "whole_question"]

LONGEST = 1000
"""Characters of a question that may be one; a longer one is no such question."""


@dataclass(frozen=True, slots=True)
class WholeQuestion:
    """What is to be looked for everywhere."""

    phrases: tuple[str, ...]
    """None: all documents are meant."""
    together: Literal["all", "any"] = "all"
    counting: bool = False
    """Whether only the number was asked for."""
    quoted: bool = False
    """Whether the phrases stood in quotation marks: then they are meant word for word."""


_ENGLISH = (
    r"(?:documents?|docs?|files?|reports?|papers?|articles?|pages?|passages?|texts?|notes?|letters?|books?|mails?|e-?mails?|"
    r"messages?|records?|entries|entry|memos?|minutes|contracts?|invoices?|chapters?|sections?|places?|sources?)"
)
_GERMAN = (
    r"(?:dokumente?n?|dateie?n?|berichte?n?|artikeln?|seiten?|texten?|texte|notizen|briefen?|briefe|bücher[n]?|mails?|e-?mails?|"
    r"nachrichten|verträgen?|verträge|rechnungen|stellen|quellen|akten)"
)
_SPANISH = (
    r"(?:documentos?|archivos?|ficheros?|informes?|artículos?|páginas?|textos?|notas?|cartas?|libros?|correos?|mensajes?|"
    r"contratos?|facturas?|lugares|fuentes)"
)
_FRENCH = (
    r"(?:documents?|fichiers?|rapports?|articles?|pages?|textes?|notes?|lettres?|livres?|courriels?|mails?|messages?|contrats?|"
    r"factures?|endroits?|sources?)"
)
_MENTION = (
    r"(?:mention(?:s|ed|ing)?|contain(?:s|ed|ing)?|includ(?:e|es|ing)|talk(?:s|ing)? about|discuss(?:es|ing)?|refer(?:s|red|ring)? to|"
    r"speak(?:s|ing)? (?:of|about)|writ(?:e|es|ing) about|cit(?:e|es|ing)|nam(?:e|es|ing)|ha(?:ve|s) (?:the (?:words?|phrase|term|name))|"
    r"use(?:s)? (?:the (?:words?|phrase|term|name))|say(?:s)? (?=[\"'“‘«])|with (?=the (?:words?|phrase|term|name)\b|[\"“«]))"
)
_ABOUT = r"(?:about|on the (?:subject|topic) of|concerning|regarding)"
_ALL = r"(?:(?:please )?(?:list|show|give|find|get|name|enumerate|print|display)(?: me)?(?: (?:all|every|each)(?: of)?(?: the)?| the))"
_COUNT = r"(?:(?:how many|what number of|(?:the )?(?:total )?number of|count (?:all |every )?(?:of )?(?:the )?))"
_X = r"(?P<x>\S.*?)"
_END = r"\s*[?.!]*\s*$"

_Make = Callable[[re.Match[str]], WholeQuestion | None]
_PATTERNS: list[tuple[re.Pattern[str], bool]] = [
    (re.compile(rf"^{pattern}{_END}", re.IGNORECASE | re.DOTALL), counting)
    for pattern, counting in (
        # English
        (rf"(?:{_ALL}|all(?: of)?(?: the)?|every|each|which|what|in which|find|list) {_ENGLISH}(?: here| there)? (?:that |which |who )?(?:do )?{_MENTION}\s+{_X}", False),
        (rf"{_ALL} {_ENGLISH} (?:that are |which are )?{_ABOUT}\s+{_X}", False),
        (rf"{_ALL} {_ENGLISH} (?:where|in which)\s+{_X}\s+(?:is|are|was|were) (?:mentioned|named|discussed|cited|used)", False),
        (rf"(?:in )?{_COUNT}\s*{_ENGLISH}(?: are there)? (?:that |which |who )?(?:do )?{_MENTION}\s+{_X}", True),
        (rf"in {_COUNT}\s*{_ENGLISH} (?:is|are|was|were|does|do)\s+{_X}\s+(?:mentioned|named|discussed|cited|used|occur|appear)", True),
        (rf"how (?:often|many times) (?:is|are|was|were|does|do)\s+{_X}\s+(?:mentioned|named|discussed|cited|used|occur|appear)", True),
        (rf"(?:{_ALL}|all|every|each) (?:mentions?|occurrences?|instances?|uses?) of\s+{_X}", False),
        (rf"{_COUNT}\s*(?:mentions?|occurrences?|instances?) of\s+{_X}", True),
        (rf"(?:where|in which {_ENGLISH}) (?:is|are|was|were|does|do)\s+{_X}\s+(?:mentioned|occur|appear)", False),
        # German
        (rf"(?:zeige?|nenne?|liste?|finde?|gib)?(?: mir)?\s*(?:alle|sämtliche)\s+{_GERMAN}(?: auf)?,? (?:die|welche|in denen)\s+{_X}\s+(?:erwähnen|enthalten|nennen|vorkommt|vorkommen|erwähnt (?:wird|werden))", False),
        (rf"welche {_GERMAN} (?:erwähnen|enthalten|nennen)\s+{_X}", False),
        (rf"wie ?viele {_GERMAN} (?:erwähnen|enthalten|nennen)\s+{_X}", True),
        (rf"in wie ?vielen {_GERMAN} (?:kommt|kommen|steht|stehen|wird|werden)\s+{_X}\s+(?:vor|erwähnt|genannt)", True),
        # Spanish
        (rf"(?:lista(?:r)?|muestra|dame|encuentra|busca)?\s*(?:todos|todas) (?:los|las)\s+{_SPANISH} que (?:mencion(?:an|en)|contienen|contengan|citan|nombran|hablan de)\s+{_X}", False),
        (rf"¿?\s*(?:qué|cuáles) {_SPANISH} (?:mencionan|contienen|citan|nombran|hablan de)\s+{_X}", False),
        (rf"¿?\s*cu[áa]nt[oa]s {_SPANISH} (?:mencionan|contienen|citan|nombran|hablan de)\s+{_X}", True),
        (rf"¿?\s*en cu[áa]nt[oa]s {_SPANISH} (?:aparece|aparecen|se menciona|se mencionan)\s+{_X}", True),
        # French
        (rf"(?:liste(?:r|z)?|montre(?:r|z)?(?:-moi)?|donne(?:r|z)?(?:-moi)?|trouve(?:r|z)?)?\s*(?:tous les|toutes les)\s+{_FRENCH} qui (?:mentionnent|contiennent|citent|parlent (?:de|du|des))\s+{_X}", False),
        (rf"quel(?:le)?s {_FRENCH} (?:mentionnent|contiennent|citent|parlent (?:de|du|des))\s+{_X}", False),
        (rf"combien de {_FRENCH} (?:mentionnent|contiennent|citent|parlent (?:de|du|des))\s+{_X}", True),
        (rf"dans combien de {_FRENCH} (?:appara[iî]t|apparaissent|est mentionnée?|sont mentionnée?s)\s+{_X}", True),
    )
]  # fmt: skip
_EVERYTHING = [
    (re.compile(rf"^{pattern}{_END}", re.IGNORECASE), counting)
    for pattern, counting in (
        (rf"{_COUNT}\s*{_ENGLISH}(?: are(?: there| here)?(?: in (?:total|all|here|this library|the library))?)?(?: (?:do|does) (?:the|this) library (?:have|hold|contain))?", True),
        (rf"{_ALL} {_ENGLISH}(?: in (?:here|this library|the library))?", False),
        (rf"wie ?viele {_GERMAN}(?: gibt es| sind es)?(?: hier| insgesamt)?", True),
        (rf"¿?\s*cu[áa]nt[oa]s {_SPANISH}(?: hay)?(?: aquí| en total)?", True),
        (rf"combien de {_FRENCH}(?: y a-t-il| il y a)?(?: ici| en tout)?", True),
    )
]  # fmt: skip
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«\s*([^»]+?)\s*»|(?<!\w)'([^']+)'(?!\w)|‘([^’]+)’")
_BETWEEN = re.compile(r"\s*(?:,|\band\b|\bor\b|\bund\b|\boder\b|\by\b|\bo\b|\bet\b|\bou\b|&|both|either)\s*", re.IGNORECASE)
_OR = re.compile(r"\b(?:or|oder|o|ou)\b", re.IGNORECASE)
_NAMING = re.compile(
    r"^(?:l'|(?:the|a|an|any|some|der|die|das|den|dem|ein|eine|einen|el|la|los|las|un|una|le|les|une|du|des)\s+)?"
    r"(?:(?:words?|terms?|phrases?|names?|expressions?|strings?|wort|wörter|begriff|ausdruck|palabras?|términos?|frase|mots?|"
    r"termes?|expression)\s+(?:(?:of|de|called)\s+)?)?",
    re.IGNORECASE,
)
_TAIL = re.compile(r"\s+(?:anywhere|at all|at least once|somewhere|in (?:it|them|the text|their text)|please)$", re.IGNORECASE)


def whole_question(question: str) -> WholeQuestion | None:
    """What ``question`` asks of the whole collection; None for a question like any other."""
    text = " ".join(question.split())
    if not text or len(text) > LONGEST:
        return None
    for pattern, counting in _PATTERNS:
        if (match := pattern.match(text)) is not None and (made := _made(match["x"], counting)) is not None:
            return made
    for pattern, counting in _EVERYTHING:
        if pattern.match(text) is not None:
            return WholeQuestion((), counting=counting)
    return None


def _made(sought: str, counting: bool) -> WholeQuestion | None:
    """The question about ``sought``: phrases in quotation marks, or all of it as one."""
    sought = _TAIL.sub("", sought.strip())
    quoted = [next(group for group in match.groups() if group) for match in _QUOTED.finditer(sought)]
    if quoted:
        rest = _QUOTED.sub(" ", sought)
        if not any(character.isalnum() for character in _BETWEEN.sub("", _NAMING.sub("", f"{rest.strip()} "))):
            return WholeQuestion(tuple(quoted), "any" if _OR.search(rest) else "all", counting, quoted=True)
    plain = _NAMING.sub("", sought, count=1).strip(" \t,;:")
    return WholeQuestion((plain,), counting=counting) if any(c.isalnum() for c in plain) else None
