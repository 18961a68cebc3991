r"""RTF: the text with its notes, comments, headers and tables; written for `\ansicpg`, fonts' charsets and Unicode alike.

Source: Rich Text Format Specification 1.9.1. Our own, since the small readers there are (striprtf) leave out footnotes and
titles, and take the square of the time for some inputs.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace

from ..document import Document, Scalar
from ..encoding import clean
from ..parts import with_hidden
from ..source import Fields, Source
from .base import Format, Items
from .grid import table_lines
from .runs import Place, Runs
from .symbol_fonts import in_font, is_symbol_font
from .values import one_line

__all__ = ["RTF", "rtf_text"]

_TOKEN = re.compile(
    r"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)", re.DOTALL
)
_SKIPPED = frozenset(
    """colortbl stylesheet pict objdata objclass objname listtable listoverridetable rsidtbl generator themedata latentstyles
    colorschememapping datastore xmlnstbl wgrffmtfilter mmathPr sp shprslt nonshppict filetbl revtbl pgptbl
    bkmkstart bkmkend atnid atndate atnref atnicn atrfstart atrfend tc xe rxe txe private template operator passwordhash
    ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn pnseclvl background defchp defpap htmltag mhtmltag datafield docvar
    ffname ffdeftext ffformat ffhelptext ffstattext ffentrymcr ffexitmcr hlloc hlsrc hlfr company manager category doccomm
    hlinkbase userprops comment buptim printim revtim nextfile falt panose fontemb fontfile levelnumbers leveltext
    listname blipuid picprop""".split()  # noqa: SIM905
)
_READABLE = frozenset(("annotation", "shpinst", "shptxt", "footnote", "atnauthor", "background", "ud"))
"""Destinations that are marked as ones to ignore, but hold text."""
_MARGINS = frozenset(["header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf"])
_INFO = {"title": "title", "author": "author", "subject": "subject", "keywords": "keywords"}
_SIGNS = {
    "tab": "\t", "emdash": "—", "endash": "–", "emspace": " ", "enspace": " ", "qmspace": " ", "bullet": "•", "lquote": "‘",
    "rquote": "’", "ldblquote": "“", "rdblquote": "”", "line": "\n", "softline": "\n", "~": "\xa0", "_": "-", "{": "{", "}": "}",
    "\\": "\\", "zwj": "\u200d", "zwnj": "\u200c", "ltrmark": "\u200e", "rtlmark": "\u200f",
}  # fmt: skip
_BREAKS = frozenset(("par", "sect", "page", "column", "pagebb"))
_CHARSETS = {
    77: "mac_roman", 78: "shift_jis", 79: "big5", 80: "euc_kr", 81: "mac_arabic", 83: "mac_greek", 85: "mac_turkish",
    86: "mac_romanian", 89: "mac_cyrillic", 128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030", 136: "cp950", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
    254: "cp437", 255: "cp850",
}  # fmt: skip
_PLACES: dict[str, Place] = {"super": "raised", "up": "raised", "sub": "lowered", "dn": "lowered", "nosupersub": "line"}
_RISE = 4
"""Half points from which text is above or below its line."""
_SYMBOL = re.compile(r"\s*SYMBOL\s+(0x[0-9a-f]{1,4}|\d{1,5})\b(.*)", re.IGNORECASE | re.DOTALL)
_SYMBOL_FONT = re.compile(r"""\\f\s*(?:"([^"]*)"|(\w+))""")
_MAX_DEPTH = 10_000


@dataclass(slots=True)
class _State:
    """What a group inherits from the one around it."""

    skipped: bool = False
    hidden: bool = False
    """What stands for something else, or was deleted while changes were kept, and is not the text."""
    unseen: bool = False
    encoding: str = ""
    symbols: str = ""
    """The font, if it is one that shows other signs than its codes say."""
    place: Place = "line"
    instruction: bool = False
    """Whether this is what a field is to show."""
    unicode_skip: int = 1
    sink: str = "body"
    fonts: bool = False


@dataclass(slots=True)
class _Sink:
    """One stream of text: the body, the notes, the margins, an entry of the information."""

    blocks: list[str] = field(default_factory=list)
    line: Runs = field(default_factory=Runs)
    cells: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def end_line(self, in_table: bool) -> None:
        if in_table:
            self.line.add(" ")
            return
        self.end_table()
        text = self.line.text().strip()
        self.line.clear()
        if text:
            self.blocks.append(text)

    def end_table(self) -> None:
        if self.rows:
            self.blocks.append("\n".join(table_lines(self.rows)))
            self.rows = []

    def text(self) -> list[str]:
        self.end_line(False)
        return self.blocks


class _Reader:
    def __init__(self) -> None:
        self.sinks: dict[str, _Sink] = {}
        self.unseen: list[str] = []
        """Hidden text."""
        self.date: list[int] = []
        self._state = _State()
        self._stack: list[_State] = []
        self._encoding = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font_names: dict[int, str] = {}
        self._instruction: list[str] = []
        self._shown = False
        """Whether what a field is to show has been put, in the place of what it showed."""
        self._font = 0
        """The font being defined."""
        self._default_font = 0
        self._bytes = bytearray()
        self._skip = 0
        """Characters that stand for a Unicode one, for programs that know none."""
        self._starred = False
        self._in_table = False

    def read(self, text: str) -> None:
        at = 0
        while (match := _TOKEN.match(text, at)) or at < len(text):
            if match is None:  # a lone backslash at the end
                break
            at = match.end()
            word, number, code, sign, brace, plain = match.groups()
            if code is not None:
                if self._skip:
                    self._skip -= 1
                elif not self._state.skipped and not self._state.hidden:
                    self._bytes.append(int(code, 16))
                continue
            self._end_bytes()
            if plain is not None:
                if self._skip:
                    cut = min(self._skip, len(plain))
                    self._skip -= cut
                    plain = plain[cut:]
                if not plain.isascii():  # raw bytes above 127, which are common
                    self._bytes += plain.encode("latin-1")
                    self._end_bytes()
                else:
                    self._put(plain, coded=True)
            elif word is not None:
                if word == "bin" and number is not None:
                    at += max(0, int(number))
                else:
                    self._word(word, int(number) if number is not None else None)
            elif brace == "{":
                if len(self._stack) < _MAX_DEPTH:
                    self._stack.append(self._state)
                    self._state = replace(self._state)
                self._skip, self._starred = 0, False
            elif brace == "}":
                if self._stack:
                    if self._state.sink != self._stack[-1].sink:
                        self._sink().end_line(False)
                    told = self._state.instruction
                    self._state = self._stack.pop()
                    if told and not self._state.instruction:
                        self._end_instruction()
                if not self._stack:  # what follows the document's own group is none of it
                    break
                self._skip = 0
            elif sign == "*":
                self._starred = True
            elif sign in ("\n", "\r"):
                self._word("par", None)
            elif sign in _SIGNS:
                self._put(_SIGNS[sign])
        self._end_bytes()

    def _word(self, word: str, number: int | None) -> None:
        state = self._state
        starred, self._starred = self._starred, False
        if word == "u" and number is not None:
            self._put(chr(number % 0x10000))
            self._skip = state.unicode_skip
        elif word == "uc" and number is not None:
            state.unicode_skip = min(max(number, 0), 100)
        elif word in _BREAKS:
            if not state.skipped:
                self._sink().end_line(self._in_table)
        elif word in _SIGNS:
            self._put(_SIGNS[word])
        elif word in ("cell", "nestcell"):
            sink = self._sink()
            sink.cells.append(sink.line.text().strip())
            sink.line.clear()
        elif word in ("row", "nestrow"):
            sink = self._sink()
            sink.rows.append(sink.cells)
            sink.cells = []
        elif word in ("trowd", "intbl"):
            self._in_table = True
        elif word == "pard":
            self._in_table = False
        elif word in _PLACES:
            state.place = _PLACES[word] if word not in ("up", "dn") or number is None or number >= _RISE else "line"
        elif word == "v":
            state.unseen = number != 0
        elif word in ("htmlrtf", "deleted"):
            state.hidden = number != 0
        elif word == "plain":
            state.unseen = state.hidden = False
            state.place = "line"
            self._set_font(self._default_font)
        elif word == "f" and number is not None:
            if state.fonts:
                self._font = number
            else:
                self._set_font(number)
        elif word == "fcharset" and state.fonts and number in _CHARSETS:
            self._fonts[self._font] = _CHARSETS[number]
        elif word == "deff" and number is not None:
            self._default_font = number
        elif word == "ansicpg" and number is not None:
            self._encoding = _known(f"cp{number}") or self._encoding
        elif word in ("mac", "pc", "pca"):
            self._encoding = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}[word]
        elif word == "fonttbl":
            state.fonts = state.skipped = True
        elif state.fonts and (starred or word == "falt"):  # not the font's own name
            state.fonts = False
        elif word in ("yr", "mo", "dy") and state.sink == "created" and number is not None:
            self.date.append(number)
        elif not state.skipped:
            self._destination(word, starred)

    def _destination(self, word: str, starred: bool) -> None:
        state = self._state
        if word in ("footnote", "annotation"):
            state.sink, state.place = "notes", "line"
        elif word in _MARGINS:
            state.sink = "margins"
        elif word == "info":
            state.sink = "info"
        elif word in _INFO and state.sink == "info":
            state.sink = _INFO[word]
        elif word == "creatim" and state.sink == "info":
            state.sink = "created"
        elif word == "field":
            self._shown = False
        elif word == "fldinst":
            state.skipped = state.instruction = True
            self._instruction.clear()
        elif word == "fldrslt":
            state.skipped = self._shown
        elif word in _SKIPPED or (starred and word not in _READABLE):
            state.skipped = True
        elif word == "atnauthor":
            state.sink = "notes"

    def _sink(self) -> _Sink:
        return self.sinks.setdefault(self._state.sink, _Sink())

    def _set_font(self, number: int) -> None:
        name = self._font_names.get(number, "").partition(";")[0].strip()
        self._state.encoding = self._fonts.get(number, "")
        self._state.symbols = name if is_symbol_font(name) else ""

    def _end_instruction(self) -> None:
        """Puts the sign that a field inserts by its font and number."""
        found = _SYMBOL.match("".join(self._instruction))
        if found is not None and not self._state.skipped:
            code = int(found[1], 0 if found[1][:2].lower() == "0x" else 10)
            font = _SYMBOL_FONT.search(found[2])
            name = (font[1] or font[2]) if font else ""
            if is_symbol_font(name):
                self._put(in_font(chr(0xF000 + code % 0x100), name))
            else:
                self._put(bytes([code]).decode("cp1252", "replace") if code < 0x100 else chr(code % 0x10000))
            self._shown = True

    def _put(self, text: str, *, coded: bool = False) -> None:
        """Adds text; ``coded``: its characters are the codes of the font, not Unicode."""
        state = self._state
        if state.instruction:
            self._instruction.append(text)
        elif state.fonts:
            self._font_names[self._font] = f"{self._font_names.get(self._font, '')}{text}"[:100]
        elif text and not state.skipped and not state.hidden:
            if state.symbols:
                codes = text if not coded else "".join(chr(0xF000 + ord(one)) if " " < one < "\u0100" else one for one in text)
                text = in_font(codes, state.symbols)
            if state.unseen:
                self.unseen.append(text)
            else:
                self._sink().line.add(text, state.place)

    def _end_bytes(self) -> None:
        if self._bytes:
            encoding = "latin-1" if self._state.symbols else self._state.encoding or self._encoding
            self._put(self._bytes.decode(encoding, "replace"), coded=True)
            self._bytes.clear()


def _known(encoding: str) -> str:
    try:
        return codecs.lookup({"cp65001": "utf-8", "cp10000": "mac_roman"}.get(encoding, encoding)).name
    except LookupError:
        return ""


def rtf_text(data: bytes) -> tuple[str, dict[str, Scalar], str]:
    """Text, metadata and title."""
    return _text(data)[:3]


def _text(data: bytes) -> tuple[str, dict[str, Scalar], str, str]:
    """The same, and the hidden text."""
    reader = _Reader()
    reader.read(data.decode("latin-1"))
    sinks = reader.sinks
    margins = list(dict.fromkeys(sinks["margins"].text())) if "margins" in sinks else []
    blocks = [text for name in ("body", "notes") if name in sinks for text in sinks[name].text()] + margins
    entries = {name: one_line(clean(" ".join(sinks[name].text())), 1000) for name in _INFO.values() if name in sinks}
    metadata: dict[str, Scalar] = {name: value for name, value in entries.items() if value and name != "title"}
    if len(reader.date) == 3 and 1400 < reader.date[0] < 2100:
        metadata["date"] = "{:04}-{:02}-{:02}".format(*reader.date)
        metadata["year"] = reader.date[0]
    unseen = clean("".join(reader.unseen))
    return clean("\n\n".join(blocks)).strip(), metadata, one_line(entries.get("title", "")), unseen


def _read(source: Source, fields: Fields) -> Items:
    text, metadata, title, unseen = _text(source.read_bytes())
    text, parts, hidden = with_hidden(text, [("hidden text", unseen, 0)])
    if text:
        yield Document(source.path, text, title or source.stem, metadata, line=0, parts=parts, hidden=hidden)


RTF = Format("rtf", (".rtf",), _read, container=True)
