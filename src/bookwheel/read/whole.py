"""Questions about the whole collection: "all reports that mention X", "how many documents ...", "list every ...".

A ranking cannot answer them: its ten best are not all. They are recognised by a noun for documents with a verb for what
documents do with a subject, so that "how many reports did they publish?" stays a question like any other. English, and the
plainest forms of German, Spanish, French, Chinese and Arabic.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["WholeQuestion", "apart", "whole_question"]

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
    r"(?:mention(?:s|ed|ing)?|contain(?:s|ed|ing)?|includ(?:e|es|ing)|talk(?:s|ing)? about|discuss(?:es|ing)?|"
    r"refer(?:s|red|ring)? to|speak(?:s|ing)? (?:of|about)|writ(?:e|es|ing) about|cit(?:e|es|ing)|nam(?:e|es|ing)|"
    r"ha(?:ve|s) (?:the (?:words?|phrase|term|name))|"
    r"use(?:s)? (?:the (?:words?|phrase|term|name))|say(?:s)? (?=[\"'“‘«])|with (?=the (?:words?|phrase|term|name)\b|[\"“«]))"
)
_ABOUT = r"(?:about|on the (?:subject|topic) of|concerning|regarding)"
_ALL = r"(?:(?:please )?(?:list|show|give|find|get|name|enumerate|print|display)(?: me)?(?: (?:all|every|each)(?: of)?(?: the)?| the))"
_COUNT = r"(?:(?:how many|what number of|(?:the )?(?:total )?number of|count (?:all |every )?(?:of )?(?:the )?))"
_X = r"(?P<x>\S.*?)"
_END = r"\s*[?.!？。！؟]*\s*$"

_IS = r"(?:is|are|was|were|does|do)"
_FOUND = r"(?:mentioned|named|discussed|cited|used|occur|appear)"
_THAT = r"(?:that |which |who )?(?:do )?"
_LIST_DE = r"(?:zeige?|nenne?|liste?|finde?|gib)?(?: mir)?\s*(?:alle|sämtliche)"
_MENTION_DE = r"(?:erwähnen|enthalten|nennen)"
_ENDS_DE = rf"(?:{_MENTION_DE}|vorkommt|vorkommen|erwähnt (?:wird|werden))"
_LIST_ES = r"(?:lista(?:r)?|muestra|dame|encuentra|busca)?\s*(?:todos|todas) (?:los|las)"
_MENTION_ES = r"(?:mencion(?:an|en)|contienen|contengan|citan|nombran|hablan de)"
_COUNT_ES = r"cu[áa]nt[oa]s"
_LIST_FR = r"(?:liste(?:r|z)?|(?:montre|donne)(?:r|z)?(?:-moi)?|trouve(?:r|z)?)?\s*(?:tous les|toutes les)"
_MENTION_FR = r"(?:mentionnent|contiennent|citent|parlent (?:de|du|des))"
_FOUND_FR = r"(?:appara[iî]t|apparaissent|est mentionnée?|sont mentionnée?s)"
_HERE = r"(?: (?:are )?(?:there|here))?(?:,? (?:in (?:total|all|here|this library|the library)))?"
_HAVE = r"(?: (?:do|does) (?:the|this) library (?:have|hold|contain))?"

_CHINESE = r"(?:文件|文档|文章|报告|论文|资料|邮件|信件|笔记|书|页面|段落|文檔|報告|論文|資料|郵件|筆記)"
_MENTION_ZH = r"(?:提到|提及|包含|包括|含有|讲到|谈到|谈及|涉及|出现|講到|談到|談及)(?:过|了|過)?(?:关于)?"
_EVERY_ZH = r"(?:所有|全部|每一?[个份篇封本個])(?:的)?"
_ALL_ZH = rf"(?:(?:请|請)?(?:列出|列举|找出|显示|给出|查找|顯示|列舉)(?:{_EVERY_ZH})?|{_EVERY_ZH})"
_COUNT_ZH = r"(?:一共|总共|總共)?(?:有)?(?:多少|几|幾)(?:[个份篇封本個])?"
_ARABIC = (
    r"(?:ال)?(?:مستند|مستندات|مستندا|ملف|ملفات|ملفا|وثيقة|وثائق|تقرير|تقارير|تقريرا|مقال|مقالات|مقالا|رسالة|رسائل|نصوص|كتب)"
)
_MENTION_AR = r"(?:[يت]ذكر|[يت]حتوي(?: على)?|[يت]تضمن|[يت]شير إلى|[يت]تحدث عن)"

# What stands first lists, what stands second counts.
_LISTING = (
    rf"(?:{_ALL}|all(?: of)?(?: the)?|every|each|which|what|in which|find|list) {_ENGLISH}(?: t?here)? {_THAT}{_MENTION}\s+{_X}",
    rf"{_ALL} {_ENGLISH} (?:that are |which are )?{_ABOUT}\s+{_X}",
    rf"{_ALL} {_ENGLISH} (?:where|in which)\s+{_X}\s+{_IS} {_FOUND}",
    rf"(?:{_ALL}|all|every|each) (?:mentions?|occurrences?|instances?|uses?) of\s+{_X}",
    rf"(?:where|in which {_ENGLISH}) {_IS}\s+{_X}\s+(?:mentioned|occur|appear)",
    rf"{_LIST_DE}\s+{_GERMAN}(?: auf)?,? (?:die|welche|in denen)\s+{_X}\s+{_ENDS_DE}",
    rf"welche {_GERMAN} {_MENTION_DE}\s+{_X}",
    rf"{_LIST_ES}\s+{_SPANISH} que {_MENTION_ES}\s+{_X}",
    rf"¿?\s*(?:qué|cuáles) {_SPANISH} {_MENTION_ES}\s+{_X}",
    rf"{_LIST_FR}\s+{_FRENCH} qui {_MENTION_FR}\s+{_X}",
    rf"quel(?:le)?s {_FRENCH} {_MENTION_FR}\s+{_X}",
    rf"{_ALL_ZH}{_MENTION_ZH}\s*{_X}\s*的(?:所有|全部)?{_CHINESE}",
    rf"{_ALL_ZH}{_CHINESE}(?:中|里)?{_MENTION_ZH}\s*{_X}",
    rf"(?:哪些|哪几[个份篇封本])(?:的)?{_CHINESE}{_MENTION_ZH}\s*{_X}",
    rf"(?:(?:اعرض|اذكر|ما هي|أعطني|ابحث عن) )?(?:كل|جميع) {_ARABIC} التي {_MENTION_AR}\s+{_X}",
    rf"(?:أي|ما) {_ARABIC} (?:التي )?{_MENTION_AR}\s+{_X}",
)
_COUNTING = (
    rf"(?:in )?{_COUNT}\s*{_ENGLISH}(?: are there)? {_THAT}{_MENTION}\s+{_X}",
    rf"in {_COUNT}\s*{_ENGLISH} {_IS}\s+{_X}\s+{_FOUND}",
    rf"how (?:often|many times) {_IS}\s+{_X}\s+{_FOUND}",
    rf"{_COUNT}\s*(?:mentions?|occurrences?|instances?) of\s+{_X}",
    rf"wie ?viele {_GERMAN} {_MENTION_DE}\s+{_X}",
    rf"in wie ?vielen {_GERMAN} (?:kommt|kommen|steht|stehen|wird|werden)\s+{_X}\s+(?:vor|erwähnt|genannt)",
    rf"¿?\s*{_COUNT_ES} {_SPANISH} {_MENTION_ES}\s+{_X}",
    rf"¿?\s*en {_COUNT_ES} {_SPANISH} (?:aparece|aparecen|se menciona|se mencionan)\s+{_X}",
    rf"combien de {_FRENCH} {_MENTION_FR}\s+{_X}",
    rf"dans combien de {_FRENCH} {_FOUND_FR}\s+{_X}",
    rf"{_COUNT_ZH}{_CHINESE}{_MENTION_ZH}\s*{_X}",
    rf"{_MENTION_ZH}\s*{_X}\s*的{_CHINESE}(?:一共|总共)?有(?:多少|几)[个份篇封本]?",
    rf"كم (?:عدد )?{_ARABIC} (?:التي )?{_MENTION_AR}\s+{_X}",
)
_ALL_LISTED = (rf"{_ALL} {_ENGLISH}(?: in (?:here|this library|the library))?",)
_ALL_COUNTED = (
    rf"{_COUNT}\s*{_ENGLISH}{_HERE}{_HAVE}",
    rf"wie ?viele {_GERMAN}(?: gibt es| sind es)?(?: hier| insgesamt)?",
    rf"¿?\s*{_COUNT_ES} {_SPANISH}(?: hay)?(?: aquí| en total)?",
    rf"combien de {_FRENCH}(?: y a-t-il| il y a)?(?: ici| en tout)?",
    rf"(?:这里|库里|库中|這裡)?{_COUNT_ZH}{_CHINESE}",
    rf"كم (?:عدد )?{_ARABIC}(?: (?:هناك|هنا|يوجد))?",
)


def _compiled(listing: Sequence[str], counting: Sequence[str]) -> list[tuple[re.Pattern[str], bool]]:
    every = [*((pattern, False) for pattern in listing), *((pattern, True) for pattern in counting)]
    return [(re.compile(rf"^{pattern}{_END}", re.IGNORECASE | re.DOTALL), counts) for pattern, counts in every]


_PATTERNS = _compiled(_LISTING, _COUNTING)
_EVERYTHING = _compiled(_ALL_LISTED, _ALL_COUNTED)
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«\s*([^»]+?)\s*»|(?<!\w)'([^']+)'(?!\w)|‘([^’]+)’")
_BETWEEN = re.compile(r"\s*(?:,|\band\b|\bor\b|\bund\b|\boder\b|\by\b|\bo\b|\bet\b|\bou\b|&|both|either)\s*", re.IGNORECASE)
_OR = re.compile(r"\b(?:or|oder|o|ou|أو)\b|或者?", re.IGNORECASE)
_JOINED = re.compile(r"\s*(?:[,、，،]|\b(?:and|or|und|oder|y|o|et|ou|أو)\b|&|或者?|以及|和|与)\s*", re.IGNORECASE)
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


def apart(phrase: str) -> tuple[tuple[str, ...], Literal["all", "any"]] | None:
    """The phrases that "and" or "or" joins in ``phrase``, which stood in no quotation marks; None where nothing does."""
    parts = [_NAMING.sub("", part, count=1).strip() for part in _JOINED.split(phrase)]
    parts = [part for part in parts if any(character.isalnum() for character in part)]
    return (tuple(parts), "any" if _OR.search(phrase) else "all") if len(parts) > 1 else None


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
