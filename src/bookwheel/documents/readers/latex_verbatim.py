"""What of LaTeX stands as it is written (verbatim text, addresses), and what is no part of the text (comments)."""

from __future__ import annotations

import re

__all__ = ["BEGIN", "END", "put_back", "set_aside"]

BEGIN, END = "\x02", "\x03"
"""Around the number of a text that was set aside."""
_NEXT = re.compile(
    r"\\begin\{(verbatim\*?|lstlisting|minted|Verbatim|comment)\}"
    r"|\\(verb\*?|lstinline|url|burl|nolinkurl|href|detokenize|iffalse|if0)(?![A-Za-z@])"
    r"|\\.|%[^\n]*",
    re.DOTALL,
)
_SETTINGS = re.compile(r"(?:\[[^\]\n]{0,500}\])?(?:\{[^}\n]{0,500}\})?")
_OPTIONS = re.compile(r"[ \t]*(?:\[[^\]\n]{0,500}\])?[ \t]*")
_CONDITION = re.compile(
    r"\\(?:newif\s*\\if[A-Za-z@]*|(?:ifthenelse|iff)(?![A-Za-z@])|(if[A-Za-z@]*|fi|else)(?![A-Za-z@])|.)|%[^\n]*", re.DOTALL
)
_ADDRESS = re.compile(r"\{((?>(?:[^{}\\]+|\\.|\{[^{}]*\})*))\}", re.DOTALL)
_GIVEN = re.compile(r"\\let\s{0,9}\\[A-Za-z@]{1,40}\s{0,9}=?\s{0,9}\Z")
"""Before a condition that is given a name, and begins nothing."""
_BROKEN = re.compile(r"%\s*\n\s*|\s*\n\s*")
_ESCAPED = re.compile(r"\\([%#_&{}~$\\])")
_MARKS = ("|", "!", "+")
_LONGEST = 5000
"""Characters of an address, and of what a pair of marks encloses in one line."""
_PLACE = re.compile(f"{BEGIN}(\\d+){END}")


def set_aside(text: str, *, keep: bool = True) -> tuple[str, list[str]]:
    """``text`` without comments, and with what stands as written replaced by its number, in as many lines; and these texts.

    ``keep``: else verbatim text is left out, and addresses stay: `set_aside` does the same with each part of such a text.
    """
    parts: list[str] = []
    kept: list[str] = []
    missing: set[str] = set()
    """What was found to have no end in the rest of the text."""
    done = at = 0

    def instead(start: int, end: int, raw: str | None, before: str = "", after: str = "") -> None:
        nonlocal done, at
        lines = text.count("\n", start, end)
        parts.append(text[done:start])
        if raw is None or not keep:
            parts.append("\n" * lines if raw is None or not before else text[start:end])
        else:
            kept.append(raw)
            parts.append("\n" * (lines - raw.count("\n")) + f"{before}{BEGIN}{len(kept) - 1}{END}{after}")
        done = at = end

    while (match := _NEXT.search(text, at)) is not None:
        start, at = match.span()
        environment, command = match.groups()
        if environment is not None and environment not in missing:
            end = text.find(f"\\end{{{environment}}}", at)
            if end < 0:
                missing.add(environment)
                continue
            settings = _SETTINGS.match(text, at)
            begin = min(settings.end() if settings else at, end)
            instead(start, end + len(environment) + 6, None if environment == "comment" else text[begin:end])
        elif match.group()[0] == "%":
            instead(start, at, None)
        elif command in ("iffalse", "if0"):
            if command in missing or text[at : at + 1] == "}" or _GIVEN.search(text[max(0, start - 80) : start]):
                continue
            end = _end_of_condition(text, at)
            if end < 0:
                missing |= {"iffalse", "if0"}
            else:
                instead(start, end, None)
        elif command is not None:
            verbatim = command.startswith("verb")
            options = None if verbatim else _OPTIONS.match(text, at)
            begin = options.end() if options else at
            mark = text[begin : begin + 1]
            if not verbatim and (address := _ADDRESS.match(text, begin)) is not None:
                raw = address.group(1)
                if len(raw) <= _LONGEST:
                    raw = _ESCAPED.sub(r"\1", _BROKEN.sub("", raw))
                    # With its name: what the command does to what follows it stays the same.
                    instead(start, address.end(), raw, text[start : begin + 1], "}")
            elif (mark and not mark.isalnum() and not mark.isspace()) if verbatim else (mark in _MARKS and command != "href"):
                end = text.find(mark, begin + 1, begin + _LONGEST)
                if end > 0 and "\n" not in text[begin:end]:
                    instead(start, end + 1, text[begin + 1 : end])
    parts.append(text[done:])
    return "".join(parts), kept


def put_back(text: str, kept: list[str]) -> str:
    """``text`` with what was set aside."""
    return _PLACE.sub(lambda match: kept[int(match.group(1))], text)


def _end_of_condition(text: str, at: int) -> int:
    """Where what a condition that never holds leaves out ends: behind its ``\\else`` or ``\\fi``; -1 if nowhere."""
    depth = 0
    for match in _CONDITION.finditer(text, at):
        word = match.group(1)
        if word is None:
            continue
        if depth == 0 and word in ("else", "fi"):
            return match.end()
        depth += word != "else" and (1 if word != "fi" else -1)
    return -1
