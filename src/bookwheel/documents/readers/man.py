"""Manual pages as ``man`` shows them, in both macro packages: man(7) and mdoc(7), with the tables of tbl(1)."""

from __future__ import annotations

import re

from ..document import Document, Heading, Scalar
from ..parts import Headed, blocks_text
from ..source import Fields, Source
from .base import Format, Items
from .grid import table_lines
from .mdoc import Mdoc
from .roff import arguments, unescaped
from .text import read_text
from .values import one_line

__all__ = ["INFO", "MAN"]

_ALTERNATING = frozenset(("BR", "BI", "IR", "IB", "RB", "RI"))
_FONTS = frozenset(("B", "I", "SB", "SM", "R", "CW", "CB", "CI"))
_PARAGRAPHS = frozenset(("PP", "P", "LP", "sp", "HP", "bp", "Pp"))
_CONDITION = re.compile(r"(!?)\s*(?:([nteoFdrcm])(?!\w)\s*|(\(?[^\s\\]*\\n[^\s]*)\s*|('[^']*'[^']*')\s*|(\(?[-0-9][^\s]*)\s*)")
_REQUEST = re.compile(r"[.'][ \t]*(\\\"|[^\s\\\"]{1,30}|\\\}|\\\{|)[ \t]*(.*)", re.DOTALL)


class _Page:
    """Text gathered line by line."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.name = self.section = ""
        self.date = ""
        self._line: list[str] = []
        self._literal = False
        self._join = False
        self._tag = ""
        """Of a list's entry, until its text comes."""
        self._want_tag = False
        self.strings: dict[str, str] = {}
        self.mdoc = Mdoc()
        self.left = 0
        """Lines that may yet be looked through for the end of a definition or condition."""

    def put(self, text: str) -> None:
        """A line of text, or what a macro printed."""
        joined, self._join = self._join, text.endswith("\x01")
        text = text.rstrip("\x01")
        if self._want_tag:
            self._tag = f"{self._tag} {text.strip()}".strip()
            self._want_tag = joined or self._join
            return
        if not text.strip() and not self._literal:
            self.end()
            return
        if self._line and joined:
            self._line[-1] += text
        else:
            self._line.append(text if self._literal else text.lstrip() if self._join else text.strip())

    def end(self) -> None:
        """The paragraph ends."""
        text = ("\n" if self._literal else " ").join(self._line).strip("\n" if self._literal else None)
        self._line = []
        self._join = False
        if self._tag:
            text = f"{self._tag}\n{text}" if text else self._tag
            self._tag = ""
        self._want_tag = False
        if text.strip():
            self.blocks.append(text.rstrip())

    def heading(self, text: str, level: int = 1) -> None:
        self.end()
        if text.strip():
            self.blocks.append(Headed(text.strip(), level))

    def tag(self, text: str | None) -> None:
        """An entry of a list begins; its tag is the next line where None."""
        self.end()
        self._tag, self._want_tag = (text or "").strip(), text is None

    def literal(self, on: bool) -> None:
        self.end()
        self._literal = on


def _text(lines: list[str]) -> _Page:
    page = _Page()
    page.left = 10 * len(lines) + 10_000
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line[:1] in (".", "'"):
            match = _REQUEST.match(line)
            if match is not None:
                at = _request(page, match.group(1), match.group(2), lines, at)
            continue
        shown = unescaped(line, page.strings)
        if line.rstrip().endswith("\\c"):
            shown += "\x01"
        page.put(shown)
    page.end()
    return page


def _request(page: _Page, name: str, rest: str, lines: list[str], at: int) -> int:
    """Carry out one request or macro; returns where the next line to read is."""
    if name in ('\\"', "", "\\}", "\\{"):
        return at
    if name in ("if", "ie", "el", "while"):
        return _conditional(page, name, rest, lines, at)
    if name in ("de", "de1", "am", "ig"):
        end = arguments(rest.split('\\"')[0])
        return _skip_to(page, lines, at, f".{end[-1]}" if name == "ig" and end else "..")
    if name == "TS":
        return _table(page, lines, at)
    if name == "EQ":
        return _skip_to(page, lines, at, ".EN")
    if name in ("ds", "as"):
        key, _, value = rest.partition(" ")
        page.strings[key.strip()] = unescaped(value.strip().removeprefix('"'), page.strings)[:1000]
        return at
    given = [unescaped(word, page.strings) for word in arguments(re.sub(r'\\".*', "", rest))]
    if name in _ALTERNATING:
        page.put("".join(given) if given else "")
    elif name in _FONTS:
        if given:
            page.put(" ".join(given))
    elif name in ("SH", "SS"):
        heading = " ".join(given)
        if not heading and at < len(lines):
            heading, at = unescaped(lines[at], page.strings), at + 1
        page.heading(heading, 2 if name == "SS" else 1)
    elif name in _PARAGRAPHS:
        page.end()
    elif name in ("TP", "TQ"):
        page.tag(None)
    elif name in ("IP",):
        page.tag(given[0] if given else "")
    elif name in ("nf", "EX"):
        page.literal(True)
    elif name in ("fi", "EE"):
        page.literal(False)
    elif name == "TH":
        page.name, page.section, page.date = [*given, "", "", ""][:3]
    elif name in ("UR", "MT"):
        page.put(" ".join(given))
    elif name in ("URL", "MTO"):  # of asciidoctor: address, text, what follows
        page.put(f"{' '.join(reversed(given[:2]))}{''.join(given[2:])}")
    elif name == "OP":
        page.put(f"[{' '.join(given)}]")
    elif name in ("SY",):
        page.end()
        page.put(" ".join(given))
    elif name in ("RS", "RE", "br", "YS", "ti", "in"):
        page.end()
    elif name == "Dd":
        page.date = " ".join(given)
    elif name == "Dt":
        page.name, page.section = [*given, "", ""][:2]
    else:
        page.mdoc.macro(name, rest, page)
    return at


def _conditional(page: _Page, name: str, rest: str, lines: list[str], at: int) -> int:
    holds = True
    if name == "el":
        holds = not page.strings.get("\0if")
    else:
        match = _CONDITION.match(rest)
        if match is not None:
            negated, letter, register, *_ = match.groups()
            holds = letter in ("n", "o") if letter else bool(register) and ("n(.g" in register or "n[.g]" in register)
            holds = holds != bool(negated)
            rest = rest[match.end() :]
        else:
            holds = False
        page.strings["\0if"] = "1" if holds else ""
    rest = rest.lstrip()
    if not rest.startswith("\\{"):
        if holds and rest:
            inner = _REQUEST.match(rest) if rest[:1] in (".", "'") else None
            if inner is not None:
                return _request(page, inner.group(1), inner.group(2), lines, at)
            page.put(unescaped(rest, page.strings))
        return at
    depth = 1 + rest.count("\\{", 2) - rest.count("\\}")
    body = [rest[2:].strip()] if rest[2:].strip() not in ("", "\\") else []
    while depth > 0 and at < len(lines) and page.left > 0:
        page.left -= 1
        depth += lines[at].count("\\{") - lines[at].count("\\}")
        if depth > 0 or lines[at].strip() not in (".\\}", "\\}", "'br\\}"):
            body.append(lines[at].replace("\\}", "") if depth <= 0 else lines[at])
        at += 1
    page.left -= len(body) + len(rest) // 80
    if holds and page.left > 0:
        lines[at:at] = body  # read as if they stood here
    return at


def _skip_to(page: _Page, lines: list[str], at: int, end: str) -> int:
    for place in range(at, min(len(lines), at + page.left)):
        page.left -= 1
        if lines[place].rstrip() == end or (end == ".." and re.match(r"[.'][ \t]*\.$", lines[place].rstrip())):
            return place + 1
    return at


def _table(page: _Page, lines: list[str], at: int) -> int:
    """A table of tbl(1): options, formats up to a full stop, then rows; T{ … T} in a cell spans lines."""
    page.end()
    stop = next((place for place in range(at, len(lines)) if lines[place].startswith(".TE")), len(lines))
    rows = lines[at:stop]
    tab = "\t"
    if rows and rows[0].rstrip().endswith(";"):
        if match := re.search(r"tab\s*\((.)\)", rows[0]):
            tab = match.group(1)
        rows = rows[1:]
    data: list[list[str]] = []
    begun = False
    cell: list[str] | None = None
    for line in rows:
        if not begun:
            begun = line.rstrip().endswith(".")
            continue
        if cell is not None:
            if line.startswith("T}"):
                data[-1][-1] = " ".join(cell)
                pieces = line[2:].split(tab)[1:]
                cell = [] if pieces and pieces[-1].strip() == "T{" else None
                data[-1] += [unescaped(piece, page.strings).strip() for piece in pieces]
            elif line[:1] in (".", "'"):
                inner = _REQUEST.match(line)
                words = arguments(inner.group(2)) if inner and inner.group(1) in _ALTERNATING | _FONTS else []
                glue = "" if inner and inner.group(1) in _ALTERNATING else " "
                cell += [glue.join(unescaped(word, page.strings) for word in words)] if words else []
            else:
                cell.append(unescaped(line, page.strings).strip())
            continue
        if line.strip() in ("_", "=", ".T&") or line[:1] in (".", "'"):
            begun = not line.startswith(".T&")
            continue
        pieces = line.split(tab)
        data.append([unescaped(piece, page.strings).strip() for piece in pieces])
        if pieces[-1].strip() == "T{":
            cell = []
    page.blocks += table_lines(data)
    return stop + 1


def _read(source: Source, fields: Fields) -> Items:
    text = read_text(source)
    lines = re.sub(r"\\\n", "", text.replace("\r\n", "\n")).split("\n")
    page = _text(lines)
    whole, headings = blocks_text(page.blocks, strip=False)
    if not whole:
        return
    metadata: dict[str, Scalar] = {"section": page.section} if page.section else {}
    if page.date:
        metadata["date"] = one_line(page.date)
    title = f"{page.name.lower() if page.name.isupper() else page.name}({page.section})" if page.name else source.stem
    sections = tuple(heading.start for heading in headings)
    yield Document(source.path, whole, title, metadata, line=0, sections=sections, headings=headings)


_NODE = re.compile(r"^\x1f\nFile: *([^,\n]*), *Node: *([^,\n]*)[^\n]*\n", re.MULTILINE)


def _read_info(source: Source, fields: Fields) -> Items:
    """An info file: its nodes, without the tables that only programs read."""
    text = read_text(source)
    nodes = [(match.group(2).strip(), match.end()) for match in _NODE.finditer(text)]
    pieces: list[str] = []
    starts: list[int] = []
    length = 0
    headings: list[Heading] = []
    for name, begin in nodes:
        end = text.find("\x1f", begin)
        body = text[begin : end if end >= 0 else len(text)]
        body = re.sub(r"\x00\x08\[[^\]]*\x00\x08\]|\x7f", "", body).strip("\n\x0c ")
        if body.strip():
            starts.append(length)
            headings.append(Heading(length, 1, one_line(name)))
            pieces.append(body)
            length += len(body) + 2
    if pieces:
        title = re.search(r"^(?:START-INFO-DIR-ENTRY\n\* ([^:\n]+):)", text[:20_000], re.MULTILINE)
        name = title.group(1) if title else source.stem
        yield Document(
            source.path, "\n\n".join(pieces), one_line(name), {}, line=0, sections=tuple(starts), headings=tuple(headings)
        )


MAN = Format("man", (".man", ".roff", ".mdoc"), _read)
INFO = Format("info", (".info",), _read_info)
