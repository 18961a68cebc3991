"""LaTeX: the text of a document, line by line as in the file, without its markup; files that it includes are not read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from ..document import Document, Heading, Scalar
from ..parts import bounded
from ..raised import ASIDE
from ..source import Fields, Source
from .base import Format, Items
from .latex_formulas import BINOMIALS, FRACTIONS, grouped, is_atom, shifted, with_braces
from .latex_verbatim import BEGIN, END, put_back, set_aside
from .text import read_text
from .values import one_line, year_of

__all__ = ["LATEX", "latex_text"]

_BODY = re.compile(r"\\begin\s*\{document\}")
_END = re.compile(r"\\end\s*\{document\}")
_TOKEN = re.compile(r"\\([A-Za-z@]+)\*?[ \t]?|\\(.)|([{}])|(\$\$?)|([~&^_])|([^\\{}$~&^_]+)", re.DOTALL)
_ACCENTS = {
    "'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307", "c": "\u0327",
    "v": "\u030c", "u": "\u0306", "H": "\u030b", "r": "\u030a", "k": "\u0328", "d": "\u0323", "b": "\u0331", "t": "",
}  # fmt: skip
_LETTERS = {
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "aa": "å", "AA": "Å", "l": "ł", "L": "Ł", "i": "i",
    "j": "j", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "S": "§", "P": "¶", "copyright": "©", "pounds": "£", "dots": "…",
    "ldots": "…", "cdots": "…", "textendash": "–", "textemdash": "—", "textquoteright": "’", "textquoteleft": "‘", "quad": " ",
    "qquad": " ", "LaTeX": "LaTeX", "TeX": "TeX", "BibTeX": "BibTeX", "textbackslash": "\\", "textasciitilde": "~", "euro": "€",
    "texteuro": "€", "textdegree": "°", "degree": "°", "times": "×", "cdot": "·", "leq": "≤", "geq": "≥", "le": "≤", "ge": "≥",
    "neq": "≠", "ne": "≠", "approx": "≈", "pm": "±", "infty": "∞", "in": "∈", "to": "→", "rightarrow": "→", "sum": "∑", "int": "∫",
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ",
    "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "par": "\n", "newline": "\n", "item": "• ", "over": "/",
}  # fmt: skip
_ARGUMENTS = dict.fromkeys(
    """label ref eqref pageref autoref cref Cref nameref vref cite citep citet citeauthor citeyear citealp parencite textcite
    footcite autocite nocite includegraphics input include subfile usepackage documentclass bibliography bibliographystyle
    vspace hspace pagestyle thispagestyle index glsadd hypersetup graphicspath color textcolor colorbox pagecolor bibitem
    enlargethispage geometry theoremstyle raisebox selectlanguage foreignlanguage linespread parbox rotatebox scalebox
    RequirePackage ProvidesPackage hyphenation tikzset usetikzlibrary end""".split(),  # noqa: SIM905
    1,
)
_ARGUMENTS |= dict.fromkeys(("setlength", "addtolength", "setcounter", "addtocounter", "newtheorem", "DeclareMathOperator"), 2)
_ARGUMENTS |= dict.fromkeys(("rule", "fontsize", "resizebox", "fcolorbox", "newcommand", "renewcommand", "providecommand"), 2)
_ARGUMENTS |= dict.fromkeys(("newenvironment", "renewenvironment", "definecolor", "addcontentsline"), 3)
"""Commands whose first arguments are no text, and how many of them; all in square brackets before these are none either."""
_ENVIRONMENTS = dict.fromkeys(("tabular", "array", "minipage", "multicols", "thebibliography", "adjustbox", "longtable"), 1)
_ENVIRONMENTS |= dict.fromkeys(("tabular*", "tabularx", "tabulary", "wrapfigure"), 2) | {"subfigure": 1, "tabbing": 0}
"""The same of environments."""
_NAMED = frozenset(
    ("theorem", "lemma", "proof", "definition", "corollary", "proposition", "remark", "example", "claim", "conjecture")
)
"""Environments of which what stands in square brackets is text."""
_ASIDE = frozenset(("footnote", "footnotetext", "thanks", "marginpar", "sidenote", "endnote"))
_DEFINED = re.compile(
    r"\\(?:(?:re)?new|provide)command\*?[ \t]*(?:\{[ \t]*\\([A-Za-z]+)[ \t]*\}|\\([A-Za-z]+))|\\[gex]?def[ \t]*\\([A-Za-z]+)"
)
_PARAMETERS = re.compile(r"((?:\s*\[[^\]\n]{0,200}\]){0,3}(?:#\d){0,9})\s*(?=\{)")
_COMMAND = re.compile(r"\\([A-Za-z]+)(?![A-Za-z@])")
_SHORTHANDS = {
    "a": "ä", "o": "ö", "u": "ü", "A": "Ä", "O": "Ö", "U": "Ü", "e": "ë", "i": "ï", "s": "ß", "z": "ß", "S": "SS", "Z": "SZ",
    "`": "„", "'": "“", "<": "«", ">": "»", "-": "", "=": "-", "~": "-", "|": "",
}  # fmt: skip
"""What follows a quotation mark with babel's German, and what it writes."""
_SHORTHAND = re.compile(r"(?<!\\)\"([aouAOUeiszSZ`'<>=~|-])")
_LANGUAGES = re.compile(r"\\(?:usepackage|documentclass|RequirePackage)\s*(\[[^\]]{0,500}\])?\s*\{([^}]{0,200})\}")
_GERMAN = re.compile(r"\b(?:swiss|n)?(?:german|austrian)b?\b")
_LONGEST_MACRO = 500
_MOST_EXPANDED = 4
"""A text may grow so many times by its macros."""
_SECTIONS = re.compile(r"\\(part|chapter|(?:sub){0,2}section|(?:sub)?paragraph)\*?\s*(?:\[[^\]]*\])?\s*\{")
_LEVELS = {
    name: level
    for level, name in enumerate(("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph"), 1)
}
_QUOTES = (("```", "“‘"), ("'''", "’”"), ("``", "“"), ("''", "”"), ("---", "—"), ("--", "–"), ("`", "‘"), (",,", "„"))
_MAX_ARGUMENT = 20_000
_SHIFTED = ("textsuperscript", "textsubscript")
_BRACKET = re.compile(r"\\.|[][{}]", re.DOTALL)
_SIZES = re.compile(r"\\\\\*?(?:\[[^\]\n]{0,20}\])?")


def latex_text(text: str, macros: Mapping[str, str] | None = None, *, german: bool = False) -> str:
    """The text without markup, with ``macros`` and those that it defines put in for their names; as many lines as there were.

    ``german``: quotation marks write umlauts (``"a``), as with babel's German.
    """
    text, kept = set_aside(text.replace(BEGIN, " ").replace(END, " "))
    text, own = _without_definitions(text)
    text = _expanded(text, {**(macros or {}), **own})
    if german:
        text = _SHORTHAND.sub(lambda match: _SHORTHANDS[match.group(1)], text)
    text = _SIZES.sub(r"\\newline ", text)
    plain = _plain(with_braces(text))
    for old, new in _QUOTES:
        plain = plain.replace(old, new)
    plain = put_back(plain, kept)
    return unicodedata.normalize("NFC", "\n".join(line.strip(" \t") for line in plain.split("\n")))


def _without_definitions(text: str) -> tuple[str, dict[str, str]]:
    """``text`` without the commands that it defines, whose lines stay, and what those without arguments stand for."""
    macros: dict[str, str] = {}
    parts: list[str] = []
    pairs = None
    at = 0
    for match in _DEFINED.finditer(text):
        if match.start() < at or (behind := _PARAMETERS.match(text, match.end())) is None:
            continue
        pairs = _pairs(text) if pairs is None else pairs
        end = _closing(pairs, behind.end())
        if end < 0:
            continue
        body = text[behind.end() + 1 : end - 1]
        if not behind.group(1).strip() and len(body) <= _LONGEST_MACRO and "#" not in body:
            macros[match.group(1) or match.group(2) or match.group(3)] = " ".join(body.split())
        parts += [text[at : match.start()], "\n" * text.count("\n", match.start(), end)]
        at = end
    return "".join((*parts, text[at:])), macros


def _expanded(text: str, macros: Mapping[str, str]) -> str:
    """``text`` with the macros put in, and those in them."""
    if not macros:
        return text
    limit = _MOST_EXPANDED * len(text) + 1000
    for _ in range(3):
        grown = _COMMAND.sub(lambda match: macros.get(match.group(1), match.group()), text)
        if grown == text or len(grown) > limit:
            break
        text = grown
    return text


def _plain(text: str) -> str:
    parts: list[str] = []
    accent = ""
    pairs = _pairs(text)
    behind: dict[int, str] = {}
    at = 0
    while (match := _TOKEN.match(text, at)) is not None:
        at = match.end()
        word, sign, _, _, special, plain = match.groups()
        if word is not None:
            if word in _ACCENTS and len(word) == 1 and (_ACCENTS[word] or word == "t"):
                accent = _ACCENTS[word]
                parts.append("")
                continue
            if word == "begin":
                newlines, at = _environment(text, at, pairs)
                parts.append("\n" * newlines)
            elif word in _ARGUMENTS:
                newlines, at = _arguments(text, at, pairs, _ARGUMENTS[word])
                parts.append("\n" * newlines)
            elif word in _LETTERS:
                shown = _LETTERS[word]
                # A new line where the file has none would move all later lines.
                if match.group()[-1] in " \t" and not shown[-1].isalpha():
                    shown = f"{shown.rstrip()} "
                parts.append(" " if shown == "\n" else shown + (accent if accent and len(shown) == 1 else ""))
                accent = ""
            else:
                start = at
                newlines, at = _options(text, at, pairs)
                parts.append("\n" * newlines)
                end = _closing(pairs, at) if text[at : at + 1] == "{" else -1
                if end < 0:
                    pass
                elif word in _ASIDE:
                    parts.append(" (")
                    behind[end] = ")"
                elif word in FRACTIONS or word in BINOMIALS:
                    _pair(text, at, end, pairs, word in FRACTIONS, parts, behind)
                elif word == "sqrt":
                    index = text[start + 1 : at - 1]
                    parts.append("root(" if index.isalnum() else "sqrt(")
                    behind[end] = f", {index})" if index.isalnum() else ")"
                elif word in _SHIFTED and not _BRACKET.search(text, at + 1, end - 1):
                    parts.append(
                        shifted(
                            word,
                            text[at + 1 : end - 1].replace("$", "").replace("~", " ").strip(),
                            _last(parts),
                            text[end : end + 2 * ASIDE],
                        )
                    )
                    at = end
                elif word == "href" and text[end : end + 1] == "{" and (close := _closing(pairs, end)) > 0:
                    behind[close] = f" ({text[at + 1 : end - 1].replace(chr(92), '')})"
                    at = end
        elif sign is not None:
            if sign in _ACCENTS:
                accent = _ACCENTS[sign]
            elif sign in "([":
                parts.append(" ")
            elif sign in "%&#_${}":
                parts.append(sign)
            elif sign in " ,;:\n/)]":
                parts.append("\n" if sign == "\n" else " " if sign in " ,;:)]" else "")
        elif special is not None:
            if special in "^_" and text[at : at + 1] == "{" and (end := _closing(pairs, at)) > 0:
                begin, behind[end] = grouped(text[at + 1 : end - 1], _last(parts))
                parts.append(begin.replace("^", special))
            else:
                parts.append({"~": " ", "&": "\t", "^": "^", "_": "_"}[special])
        elif plain is not None:
            if accent:
                stripped = plain.lstrip(" ")
                parts.append(stripped[:1] + accent + stripped[1:])
                accent = ""
            else:
                parts.append(plain)
        elif at in behind:
            parts.append(behind.pop(at))
    return "".join(parts)


def _last(parts: list[str]) -> str:
    """The end of what was written."""
    return "".join(parts[-8:])[-ASIDE:]


def _pair(
    text: str, at: int, end: int, pairs: dict[int, int], fraction: bool, parts: list[str], behind: dict[int, str]
) -> None:
    """Begins a fraction or a binomial coefficient, whose first argument goes from ``at`` to ``end``; ``behind`` gets the rest."""
    close = _closing(pairs, end) if text[end : end + 1] == "{" else -1
    first = fraction and not is_atom(text[at + 1 : end - 1])
    second = fraction and close > 0 and not is_atom(text[end + 1 : close - 1])
    parts.append(" " if _last(parts)[-1:].isdigit() else "")  # 3 1/2
    parts.append("binom(" if not fraction else "(" if first else "")
    behind[end] = (")" if first else "") + ("/" if fraction else ", ") + ("(" if second else "")
    if close > 0:
        behind[close] = ")" if second or not fraction else ""


def _arguments(text: str, at: int, pairs: dict[int, int], count: int, *, options: bool = True) -> tuple[int, int]:
    """The line ends in the ``count`` arguments that begin at ``at``, and in the options before them, and where they end."""
    start = at
    for _ in range(count + 4):
        ahead = at
        while text[ahead : ahead + 1] in (" ", "\t", "*"):
            ahead += 1
        sign = text[ahead : ahead + 1]
        if not (sign == "{" and count) and not (sign == "[" and options):
            break
        end = _closing(pairs, ahead)
        if end < 0:
            break
        at, count = end, count - (sign == "{")
        if not count and sign == "{":
            break
    return text.count("\n", start, at), at


def _environment(text: str, at: int, pairs: dict[int, int]) -> tuple[int, int]:
    """The same of what follows ``\\begin``: the name of an environment, and its arguments that are no text."""
    newlines, end = _arguments(text, at, pairs, 1)
    name = text[at:end].strip(" \t{}")
    more, end = _arguments(text, end, pairs, _ENVIRONMENTS.get(name, 0), options=name.rstrip("*") not in _NAMED)
    return newlines + more, end


def _options(text: str, at: int, pairs: dict[int, int]) -> tuple[int, int]:
    """The same of an argument in square brackets, if there is one."""
    if text[at : at + 1] == "[":
        end = _closing(pairs, at)
        if 0 < end <= at + 200:
            return text.count("\n", at, end), end
    return 0, at


def _pairs(text: str) -> dict[int, int]:
    """Where each brace and square bracket is closed: the place after it."""
    found: dict[int, int] = {}
    opened: dict[str, list[int]] = {"}": [], "]": []}
    for match in _BRACKET.finditer(text):
        sign = match.group()
        if sign in "{[":
            opened["}" if sign == "{" else "]"].append(match.start())
        elif len(sign) == 1 and opened[sign]:
            found[opened[sign].pop()] = match.end()
    return found


def _closing(pairs: dict[int, int], at: int) -> int:
    end = pairs.get(at, -1)
    return end if end - at <= _MAX_ARGUMENT else -1


def _command(text: str, name: str, german: bool) -> str:
    """The argument of the first command ``name``."""
    match = re.search(rf"\\{name}\s*(?:\[[^\]]{{0,200}}\])?\s*(?=\{{)", text)
    if match is None:
        return ""
    text = text[match.end() : match.end() + _MAX_ARGUMENT]
    end = _closing(_pairs(text), 0)
    inner = re.sub(r"\\(?:thanks|footnote)\s*\{[^{}]*\}", "", text[1 : end - 1]) if end > 0 else ""
    return one_line(latex_text(re.sub(r"\s*(?:\\\\|\\and\b)\s*", ", ", inner), german=german))


def _headings(body: str, text: str, macros: Mapping[str, str], german: bool) -> tuple[Heading, ...]:
    """The headings in ``body``, by where their lines are in ``text``, which has as many."""
    bare = set_aside(body, keep=False)[0]
    pairs = _pairs(bare)
    found: list[Heading] = []
    at = start = 0
    for match in _SECTIONS.finditer(bare):
        close = _closing(pairs, match.end() - 1)
        if close < 0:
            continue
        steps = bare.count("\n", at, match.start())
        at = match.start()
        for _ in range(steps):
            start = text.find("\n", start) + 1
        if title := one_line(latex_text(bare[match.end() : close - 1], macros, german=german)):
            found.append(Heading(start, _LEVELS[match.group(1)], title))
    return bounded(found)


def _read(source: Source, fields: Fields) -> Items:
    whole = read_text(source)
    bare = set_aside(whole[: 1 << 20], keep=False)[0]
    german = any(_GERMAN.search("".join(filter(None, match.groups()))) for match in _LANGUAGES.finditer(bare))
    title = _command(bare, "title", german)
    metadata: dict[str, Scalar] = {}
    if author := _command(bare, "author", german):
        metadata["author"] = author
    if date := _command(bare, "date", german):
        metadata["date"] = date
        if (year := year_of(date)) is not None:
            metadata["year"] = year
    begin = _BODY.search(whole)
    end = _END.search(whole, begin.end()) if begin else None
    start = begin.end() if begin else 0
    body = whole[start : end.start() if end else len(whole)]
    macros = _without_definitions(bare[: begin.start()] if begin else "")[1]
    text = latex_text(body, macros, german=german)
    headings = _headings(body, text, macros, german)
    if begin is None and not text.strip() and whole.strip():  # a preamble or package: settings, as code
        text, start, headings = whole, 0, ()
    stripped = text.lstrip()
    if not stripped:
        return
    line = 1 + whole.count("\n", 0, start) + text.count("\n", 0, len(text) - len(stripped))
    if not title and (heading := _SECTIONS.search(body)) is not None:
        body = body[heading.end() - 1 : heading.end() + _MAX_ARGUMENT]
        close = _closing(_pairs(body), 0)
        title = one_line(latex_text(body[1 : close - 1], macros, german=german)) if close > 0 else ""
    gone = len(text) - len(stripped)
    headings = tuple(heading._replace(start=max(0, heading.start - gone)) for heading in headings)
    sections = tuple(heading.start for heading in headings)
    yield Document(
        source.path, stripped, title or source.stem, metadata, line=line, lines=True, headings=headings, sections=sections
    )


LATEX = Format("latex", (".tex", ".ltx", ".latex"), _read)
