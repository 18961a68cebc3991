"""The macros of mdoc(7), in which BSD's manual pages are written: what each prints, by the words on its line."""

from __future__ import annotations

from typing import Protocol

from .roff import arguments, unescaped

__all__ = ["Mdoc"]

_ENCLOSED = {
    "Op": "[]", "Oo": "[", "Oc": "]", "Dq": "“”", "Do": "“", "Dc": "”", "Sq": "‘’", "So": "‘", "Sc": "’", "Qq": '""', "Qo": '"',
    "Qc": '"', "Ql": "‘’", "Pq": "()", "Po": "(", "Pc": ")", "Bq": "[]", "Bo": "[", "Bc": "]", "Brq": "{}", "Bro": "{", "Brc": "}",
    "Aq": "⟨⟩", "Ao": "⟨", "Ac": "⟩",
}  # fmt: skip
_PLAIN = frozenset(
    """Ar Cm Em Sy Li Va Vt Ft Fa Ev Er Pa Ic Tn Ad An Dv Ms No Cd Fd Lb Mt Lk Sx Tg Xo Xc Ap Bx Ux Nx Fx Ox Dx At Bsx St Ex
    Rv Fr Hf Qf Db""".split()  # noqa: SIM905
)
_REFERENCE = frozenset(["%A", "%B", "%C", "%D", "%I", "%J", "%N", "%O", "%P", "%Q", "%R", "%T", "%U", "%V"])
_NAMES = {"Bx": "BSD", "Ux": "UNIX", "Nx": "NetBSD", "Fx": "FreeBSD", "Ox": "OpenBSD", "Dx": "DragonFly", "At": "AT&T UNIX"}
_CALLABLE = _PLAIN | _ENCLOSED.keys() | {"Fl", "Nm", "Xr", "Ns", "Fn", "In"}
_AFTER = frozenset(".,:;)]?!")
_BEFORE = frozenset("([")


class _Page(Protocol):
    strings: dict[str, str]

    def put(self, text: str) -> None: ...
    def end(self) -> None: ...
    def heading(self, text: str, level: int = 1) -> None: ...
    def tag(self, text: str | None) -> None: ...
    def literal(self, on: bool) -> None: ...


class Mdoc:
    """Remembers what the page is about, and the function being declared."""

    def __init__(self) -> None:
        self._name = ""

    def macro(self, name: str, rest: str, page: _Page) -> None:
        """Print what macro ``name`` does with ``rest``; other names print nothing."""
        words = arguments(rest.split('\\"')[0])
        if name in ("Sh", "Ss"):
            page.heading(unescaped(" ".join(words), page.strings), 1 if name == "Sh" else 2)
        elif name == "It":
            page.tag(self._line(words, page))
        elif name in ("Bl", "El", "Pp", "Ed", "Rs", "Re", "Lp"):
            if name == "Ed":
                page.literal(False)
            page.end()
        elif name == "Bd":
            page.literal("-literal" in words or "-unfilled" in words)
        elif name in ("Dl", "D1"):
            page.end()
            page.put(self._line(words, page))
            page.end()
        elif name == "Nd":
            page.put(f"– {self._line(words, page)}")
        elif name == "Fo":
            page.put(f"{unescaped(' '.join(words), page.strings)}(")
        elif name == "Fc":
            page.put(")")
        elif name in _REFERENCE:
            page.put(self._line(words, page) + ("" if name == "%P" else ","))
        elif name in _CALLABLE:
            page.put(self._line([name, *words], page))

    def _line(self, words: list[str], page: _Page) -> str:
        """The words of a line, in which names of macros are macros."""
        text = ""
        closing: list[str] = []
        glue = True
        at = 0
        while at < len(words):
            word = words[at]
            at += 1
            piece = ""
            if word == "Ns":
                glue = True
                continue
            if word == "Ta":  # the next column of a list
                text, glue = f"{text}\t", True
                continue
            if word in _ENCLOSED:
                signs = _ENCLOSED[word]
                if len(signs) == 2:
                    piece, following = signs[0], True
                    closing.append(signs[1])
                else:
                    piece, following = signs, word.endswith("o")
                    glue = glue or not following
                text += ("" if glue or not text else " ") + piece
                glue = following
                continue
            if word == "Fl":
                dashes = "-" + (words[at] if at < len(words) and words[at] not in _CALLABLE | _AFTER else "")
                at += len(dashes) > 1
                piece = unescaped(dashes, page.strings)
            elif word == "Nm":
                if at < len(words) and words[at] not in _CALLABLE | _AFTER:
                    self._name = self._name or unescaped(words[at], page.strings)
                    piece = unescaped(words[at], page.strings)
                    at += 1
                else:
                    piece = self._name
            elif word == "Xr" and at < len(words):
                piece = unescaped(words[at], page.strings)
                at += 1
                if at < len(words) and words[at][:1].isdigit():
                    piece += f"({words[at]})"
                    at += 1
            elif word == "Fn" and at < len(words):
                piece = (
                    f"{unescaped(words[at], page.strings)}({', '.join(unescaped(w, page.strings) for w in words[at + 1 :])})"
                )
                at = len(words)
            elif word == "In":
                piece = f"#include <{' '.join(words[at:])}>"
                at = len(words)
            elif word in _PLAIN:
                if word == "Ar" and (at >= len(words) or words[at] in _CALLABLE | _AFTER):
                    piece = "file ..."
                elif word in _NAMES:
                    piece = _NAMES[word]
                else:
                    continue
            else:
                piece = unescaped(word, page.strings)
            if word in _AFTER and closing and at >= len(words):
                text += "".join(reversed(closing))
                closing = []
            text += ("" if glue or not text or word in _AFTER else " ") + piece
            glue = word in _BEFORE
        return text + "".join(reversed(closing))
