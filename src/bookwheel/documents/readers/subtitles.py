"""Subtitles (SubRip ``.srt``, WebVTT ``.vtt``): what is said, without numbers, times and tags; times are places."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from ..document import Document
from ..parts import Part
from ..source import Fields, Source
from .base import Format, Items
from .text import read_text

__all__ = ["SUBTITLES"]

_TIMES = re.compile(r"\s*(?:(\d{1,4}):)?([0-5]?\d):([0-5]\d)[.,]\d{1,3}\s*-->\s*(?:\d{1,4}:)?[0-5]?\d:[0-5]\d[.,]\d{1,3}")
_NUMBER = re.compile(r"\s*\d{1,9}\s*$")
_VOICE = re.compile(r"<v(?:\.[\w.-]*)?[ \t]+([^<>\n]{1,100})>")
_TAG = re.compile(
    r"</?(?:[biucv]|ruby|rt|lang|font|span)(?:[ .\t][^<>\n]{0,200})?/?>|<\d[\d:.]{3,20}>|\{\\[^{}\n]{1,200}\}", re.IGNORECASE
)
_EACH = 60
"""Seconds from one place to the next."""


def _read(source: Source, fields: Fields) -> Items:
    text = read_text(source)
    lines: list[str] = []
    parts: list[Part] = []
    length = 0
    last = -_EACH
    for seconds, said in _cues(text):
        if seconds >= last + _EACH or seconds < last:
            parts.append(Part(length, _clock(seconds)))
            last = seconds
        for line in said:
            if lines and line == lines[-1]:  # captions that roll up say each line twice
                continue
            lines.append(line)
            length += len(line) + 1
    if lines:
        shown = "\n".join(lines)
        yield Document(source.path, shown, source.stem, parts=tuple(part for part in parts if part.start < len(shown)), line=0)
    elif text.strip() and not any(_TIMES.match(line) for line in text.splitlines()):
        yield Document(source.path, text, source.stem, lines=True)  # another format under this name


def _cues(text: str) -> Iterator[tuple[int, list[str]]]:
    """Second and lines of each cue."""
    when: int | None = None
    said: list[str] = []
    for line in text.splitlines():
        if match := _TIMES.match(line):
            if when is not None:
                if said and _NUMBER.match(said[-1]):  # the next cue's number, where no blank line stands between
                    said.pop()
                yield when, said
            hours, minutes, seconds = (int(part or 0) for part in match.groups())
            when, said = 3600 * hours + 60 * minutes + seconds, []
        elif when is not None:
            if not line.strip():
                yield when, said
                when, said = None, []
            elif shown := _plain(line):
                said.append(shown)
    if when is not None:
        yield when, said


def _plain(line: str) -> str:
    line = _VOICE.sub(lambda match: f"{match.group(1).strip()}: ", line)
    return " ".join(html.unescape(_TAG.sub("", line)).split())


def _clock(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


SUBTITLES = Format("subtitles", (".srt", ".vtt"), _read)
