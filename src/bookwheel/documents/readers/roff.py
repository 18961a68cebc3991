"""What troff writes for the marks inside a line: signs, accents, fonts and sizes.

Source: groff_char(7), groff(7).
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["arguments", "unescaped"]

_SIGNS = {
    "em": "—", "en": "–", "bu": "•", "co": "©", "rg": "®", "tm": "™", "rs": "\\", "aq": "'", "dq": '"', "lq": "“", "rq": "”",
    "oq": "‘", "cq": "’", "ha": "^", "ti": "~", "ga": "`", "aa": "´", "hy": "-", "mi": "-", "mu": "×", "di": "÷", "+-": "±", "->": "→",
    "<-": "←", "<>": "↔", "<=": "≤", ">=": "≥", "!=": "≠", "==": "≡", "~=": "≈", "de": "°", "sc": "§", "ps": "¶", "ss": "ß", "ae": "æ",
    "AE": "Æ", "oe": "œ", "OE": "Œ", "/o": "ø", "/O": "Ø", "oa": "å", "oA": "Å", "ct": "¢", "Po": "£", "Ye": "¥", "Eu": "€", "eu": "€",
    "Fo": "«", "Fc": "»", "fo": "‹", "fc": "›", "Bq": "„", "bq": "‚", "r!": "¡", "r?": "¿", "12": "½", "14": "¼", "34": "¾", "at": "@",
    "sh": "#", "ul": "_", "ba": "|", "br": "|", "or": "|", "sl": "/", "lB": "[", "rB": "]", "lC": "{", "rC": "}", "la": "⟨", "ra": "⟩",
    "*a": "α", "*b": "β", "*g": "γ", "*d": "δ", "*e": "ε", "*m": "μ", "*p": "π", "*l": "λ", "*W": "Ω", "sq": "□", "dg": "†", "dd": "‡",
    "pl": "+", "eq": "=", "**": "*", "if": "∞", "lh": "☜", "rh": "☞", "Do": "$", ",c": "ç", ",C": "Ç", "-D": "Ð", "TP": "Þ", "fm": "′",
}  # fmt: skip
_ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", ":": "\u0308", "~": "\u0303", ",": "\u0327", "v": "\u030c", "o": "\u030a"
}  # fmt: skip
_ESCAPE = re.compile(
    r"""\\(?:\((..)|\[([^\]\n]*)\]|\*(?:\((..)|\[([^\]\n]*)\]|(.))|[fFmMYg](?:\(..|\[[^\]\n]{0,100}\]|.)|s(?:[-+]?\[[^\]\n]{0,100}\]
    |[-+]?'[^'\n]{0,200}'|[-+]?\([-+]?\d\d|[-+]?[1-3]\d(?=\d?)|[-+]?\d)|[hvwlLbDHSxXRNoAZBC]('[^'\n]{0,200}'|.)|[nk](?:[-+]?\(..|[-+]?\[[^\]\n]{0,100}\]
    |[-+]?.)|(["\#]).*|(.)|$)""",
    re.VERBOSE,
)
_PLAIN = {
    "-": "-",
    "e": "\\",
    "\\": "\\",
    " ": " ",
    "~": " ",
    "0": " ",
    "'": "´",
    "`": "`",
    ".": ".",
    "_": "_",
    "t": "\t",
    "E": "\\",
}


def unescaped(text: str, strings: dict[str, str]) -> str:
    """A line as it is printed; ``strings`` are those that the page has defined."""
    if "\\" not in text:
        return text

    def shown(match: re.Match[str]) -> str:
        two, long, *names, quoted, comment, one = match.groups()
        if two is not None or long is not None:
            return _sign(two if two is not None else long)
        name = next((name for name in names if name is not None), None)
        if name is not None:
            return strings.get(name, _QUOTES.get(name, ""))[:1000]
        if quoted is not None or comment is not None:
            return ""
        return _PLAIN.get(one, "") if one is not None else ""

    return _ESCAPE.sub(shown, text)


_QUOTES = {"lq": "“", "rq": "”", "R": "®", "Tm": "™", "L'": '"', 'L"': "“", 'R"': "”", "Aq": "'", "C`": '"', "C'": '"'}


def _sign(name: str) -> str:
    if name in _SIGNS:
        return _SIGNS[name]
    if len(name) == 2 and name[0] in _ACCENTS:
        return unicodedata.normalize("NFC", name[1] + _ACCENTS[name[0]])
    if re.fullmatch(r"u[0-9A-F]{4,6}(?:_[0-9A-F]{4,6})*", name):
        try:
            return unicodedata.normalize("NFC", "".join(chr(int(code, 16)) for code in name[1:].split("_")))
        except ValueError:
            return ""
    letter, _, mark = name.partition(" ")
    return unicodedata.normalize("NFC", letter + _ACCENTS[mark]) if len(letter) == 1 and mark in _ACCENTS else ""


def arguments(line: str) -> list[str]:
    """The arguments of a macro: words, or what stands between quotation marks, in which two stand for one."""
    found: list[str] = []
    at, end = 0, len(line)
    while at < end:
        if line[at] in " \t":
            at += 1
        elif line[at] == '"':
            parts: list[str] = []
            at += 1
            while at < end:
                stop = line.find('"', at)
                stop = end if stop < 0 else stop
                parts.append(line[at:stop])
                at = stop + 1
                if line[at : at + 1] != '"':
                    break
                parts.append('"')
                at += 1
            found.append("".join(parts))
        else:
            stop = at
            while stop < end and line[stop] not in " \t":
                stop += 2 if line[stop] == "\\" else 1
            found.append(line[at:stop])
            at = stop
    return found
