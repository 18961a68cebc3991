"""A model's draft as sentences of plain text: without marks of citations, Markdown, tags, thinking, and phrases about the passages."""

from __future__ import annotations

import json
import re

from ..documents.document import Document
from ..documents.sentences import cuts
from .hostile import bare

__all__ = ["Visible", "nothing_found", "plain_text", "sentences_of", "unframed"]

LONGEST = 40_000
"""Characters of a draft that are read."""
MOST = 60
"""Sentences of a draft that are read."""
_THINKING = re.compile(r"(?is)<\s*(think|thinking|reasoning|thought)\s*>.*?(?:<\s*/\s*\1\s*>|\Z)")
_UNOPENED = re.compile(r"(?is)\A.*?<\s*/\s*(?:think|thinking|reasoning|thought)\s*>")
_IMAGE = re.compile(r"!\[[^\]\n]*\](?:\([^)\n]*\)|\[[^\]\n]*\])")
_LINK = re.compile(r"\[([^\]\n]*)\](?:\([^)\n]*\)|\[[^\]\n]*\]|:\s*\S+://\S+)")
_AUTOLINK = re.compile(r"<\s*(?:[a-z][a-z0-9+.-]*:|www\.)[^>\s]*\s*>", re.IGNORECASE)
_TAG = re.compile(r"<\s*/?\s*[A-Za-z!][^<>\n]{0,500}>")
_MARKS = re.compile(
    r"\s*(?:[\[【(]\s*(?:\^|(?:passages?|documents?|docs?|sources?|refs?\.?|evidence|no\.?|#)\s*:?\s*)?\d{1,3}"
    r"(?:\s*(?:[,;–-]|and|†[^\]】)]*)\s*(?:(?:passage|document|doc|source)\s*)?\[?\d{0,3}\]?)*\s*[\]】)])(?=[\s.,;:!?)\[【(]|$)",
    re.IGNORECASE,
)
_FENCED = re.compile(r"(?m)^\s*(?:(?:```|~~~)|===\s*[0-9a-f]{6,}\b).*$")
"""Fences of code, and those that stand around passages in prompts (`hostile.Fence`), which small models repeat."""
_BULLET = re.compile(r"^\s*(?:[-*+•‣]\s+|\d{1,3}[.)]\s+|#{1,6}\s+|>\s*)+")
_EMPHASIS = re.compile(r"(\*{1,3}|_{2,3}|`+|~~)(?=\S)(.+?)(?<=\S)\1")
_PASSAGES = (
    r"(?:the|this|these|given|provided|above)?\s*(?:(?:given|provided|above|retrieved|first|following)\s+)*"
    r"(?:passages?|documents?|texts?|contexts?|evidence|sources?|excerpts?|sentences?|information|articles?)"
)
_NUMBER = r"(?:\s*(?:no\.?|number|\#)?\s*[\[(]?\d{1,3}[\])]?)?"
_FRAMES = re.compile(
    rf"""(?ix)^(?:
      (?:according\s+to|based\s+on|as\s+(?:stated|mentioned|described|written|noted|per)\s+(?:in|by)|in|from|per|as\s+per)
          \s+{_PASSAGES}{_NUMBER}(?:\s+provided|\s+above)?\s*[,:]\s*
    | {_PASSAGES}{_NUMBER}\s+(?:states?|says?|mentions?|shows?|notes?|reports?|explains?|tells?\s+us|indicates?|reads?)\s*(?:that\b|[:,])\s*
    | (?:the\s+)?(?:short\s+|final\s+|correct\s+)?answer(?:\s+to\s+(?:the|this|your)\s+question)?\s*(?:is\s*(?:that\b|:)?|:)\s*
    | (?:it|this)\s+(?:is\s+)?(?:stated|mentioned|noted)\s+(?:in\s+{_PASSAGES}{_NUMBER}\s+)?that\s+
    | (?:quote|answer|response|(?:one\s+)?sentence|a|supporting\s+quote)\s*:\s*
    )"""
)


def plain_text(draft: str) -> str:
    """What of a draft is meant to be read, as plain text: a link is its words, an image nothing."""
    text = draft[:LONGEST]
    text = _UNOPENED.sub("", _THINKING.sub(" ", text))
    text = _unpacked(text.strip())
    text = _FENCED.sub("", text)
    for pattern, other in ((_IMAGE, ""), (_LINK, r"\1"), (_AUTOLINK, ""), (_TAG, " ")):
        text = pattern.sub(other, text)
    return bare(text).strip()


def _unpacked(text: str) -> str:
    """The answer in an object of JSON, for models that write one though none was asked for."""
    if not text.startswith(("{", "```")):
        return text
    inner = re.sub(r"\A```\w*\s*|\s*```\Z", "", text)
    try:
        told = json.loads(inner)
    except (ValueError, RecursionError):
        return text
    if isinstance(told, dict):
        for name in ("answer", "response", "text", "content", "output"):
            if isinstance(told.get(name), str):
                return str(told[name])
    return text


def sentences_of(draft: str) -> list[str]:
    """The sentences of `plain_text`, without the marks of citations, each once, at most `MOST`."""
    found: dict[str, None] = {}
    for line in plain_text(draft).splitlines():
        line = _BULLET.sub("", line)
        for _ in range(3):
            line = _EMPHASIS.sub(r"\2", line)
        line = _MARKS.sub("", line).strip()
        if not line:
            continue
        starts, _ = cuts(Document("", line))
        for start, end in zip(starts, [*starts[1:], len(line)], strict=True):
            if sentence := " ".join(line[start:end].split()):
                found[sentence] = None
        if len(found) >= MOST:
            break
    return [*found][:MOST]


def unframed(sentence: str) -> str:
    """``sentence`` without a phrase in front of it that only says where it is from."""
    for _ in range(2):
        shorter = _FRAMES.sub("", sentence, count=1)
        if shorter == sentence or not shorter.strip():
            break
        sentence = shorter[0].upper() + shorter[1:]
    return sentence.strip()


_NOTHING = re.compile(
    r"""(?isx)^\W*(?:
      not\s+in\s+the\s+(?:passages|text)
    | (?:the|these)\s+(?:passages?|texts?|documents?|context)\s+(?:do|does)(?:\s+not|n['’]t)\b.{0,200}
    | (?:i\s+)?(?:do\s+not|don['’]t|cannot|can['’]t)\s+(?:know|find|answer)\b.{0,200}
    )\W*$"""
)


def nothing_found(draft: str) -> bool:
    """Whether a draft only says that the passages do not answer."""
    return _NOTHING.match(plain_text(draft)) is not None


class Visible:
    """Takes the pieces of a draft and gives back what is not thinking (``<think>…</think>``)."""

    _OPEN, _CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False

    def feed(self, piece: str) -> str:
        """What of the draft can be shown now."""
        self._held += piece
        out = ""
        while True:
            mark = self._CLOSE if self._thinking else self._OPEN
            before, found, after = self._held.partition(mark)
            if not found:
                break
            out += "" if self._thinking else before
            self._held, self._thinking = after, not self._thinking
        keep = next((n for n in range(min(len(mark) - 1, len(self._held)), 0, -1) if mark.startswith(self._held[-n:])), 0)
        ready = self._held[: len(self._held) - keep]
        self._held = self._held[len(self._held) - keep :]
        return out + ("" if self._thinking else ready)
