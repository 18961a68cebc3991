"""What the documentation has figures for: the sections in which a number stands beside a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Figures", "Section", "sections"]

_FIGURE = re.compile(
    r"(?<![\w.])[-+]?\d+\.\d+(?![\w.])|\d,\d{3}\b|(?<![\w.])[-+]?\d+(?:\.\d+)?\s(?:%|ms|µs|s|seconds?|minutes|MB|KB|GB|bytes|points)(?!\w)"
)
_TABLE_NUMBER = re.compile(r"\|\s*[-+]?\d[\d.,]*[-*]?\s*(?=\|)")
_CODE = re.compile(r"`+([^`]+)`+")
_MEAN = re.compile(r"\bnDCG@10\b.*\bmean ([-+]\d+\.\d+)")
_NOT_YET = re.compile(r"\bnot (?:yet )?(?:been )?measured\b|\bno collection\b")


@dataclass(frozen=True)
class Section:
    """A heading of a page with what stands under it, up to the next one."""

    page: str
    anchor: str
    title: str
    level: int
    blocks: tuple[str, ...]
    """Rows of tables, items of lists and sentences, each in one line."""

    @property
    def link(self) -> str:
        """As a page beside it refers to it."""
        return f"{self.page}#{self.anchor}"


def _slug(text: str) -> str:
    """The anchor of a heading, as Python-Markdown makes it."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


def sections(page: str, text: str) -> Iterator[Section]:
    """The sections of one page."""
    seen: set[str] = set()
    title, level, lines = "", 0, list[str]()
    fenced = False
    for line in [*text.splitlines(), "# "]:
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        heading = None if fenced else re.match(r"(#{1,6}) (.*)", line)
        if heading is None:
            lines += [] if fenced or line.startswith("    ") else [line]
            continue
        if title:
            anchor, count = _slug(title), 0
            while (name := f"{anchor}_{count}" if count else anchor) in seen:
                count += 1
            seen.add(name)
            yield Section(page, name, title, level, tuple(_blocks(lines)))
        title, level, lines = heading[2].replace("`", "").strip(), len(heading[1]), []


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    """Rows, items and sentences."""
    block = ""
    for line in [*lines, ""]:
        begins = re.match(r"\s*(?:[-*]|\d+\.)\s", line) is not None
        if line.startswith("|") or begins or not line.strip():
            yield from _sentences(block)
            block = ""
        if line.startswith("|"):
            yield line
        else:
            block = f"{block} {line.strip()}".strip()


def _sentences(block: str) -> list[str]:
    if block.startswith(("- ", "* ")):
        return [block]
    return [one for one in re.split(r"(?<=[.:])\s+(?=[A-Z`(])", block) if one]


def _has_figure(block: str) -> bool:
    if _NOT_YET.search(block):
        return False
    plain = _CODE.sub("", block)
    return bool(
        _FIGURE.search(plain)
        or (plain.startswith("|") and _TABLE_NUMBER.search(plain) and len(_TABLE_NUMBER.findall(plain)) > 1)
    )


class Figures:
    """The pages of a folder, and what is measured on them."""

    def __init__(self, folder: Path, pages: Iterable[str]) -> None:
        self._sections = {page: list(sections(page, (folder / page).read_text(encoding="utf-8"))) for page in pages}
        self._told = {
            one.link: [(block, _has_figure(block)) for block in one.blocks] for some in self._sections.values() for one in some
        }

    def section(self, link: str) -> Section:
        """The one of that address. Raises `KeyError`."""
        for one in self._sections[link.partition("#")[0]]:
            if one.link == link:
                return one
        raise KeyError(f"docs/{link} is not there")

    def measured(self, page: str, name: str, *, code: bool) -> list[tuple[Section, str]]:
        """Sections of a page with a figure in one row, item or sentence with ``name``, and the mean difference if it is told.

        With ``code`` the name stands in backticks, by itself or called, or is one of the names in a cell; otherwise it is a word
        of the text.
        """
        found = []
        for one in self._sections.get(page, ()):
            hits = [block for block, figure in self._told[one.link] if figure and _names(block, name, code)]
            if hits:
                means = sorted({float(mean[1]) for block in hits if (mean := _MEAN.search(block))})
                told = " to ".join(dict.fromkeys(f"{mean:+.4f}" for mean in (means[:1] + means[-1:])))
                found.append((one, f"nDCG@10 {told}" if means and one.title == name else ""))
        own = [one for one in found if one[0].title == name]
        below = [one for one in found if one[0].level > 1]
        return own or below or found


def _names(block: str, name: str, code: bool) -> bool:
    if not code:
        return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", block) is not None
    if block.startswith("|") and any(_in_cell(cell.strip(" `"), name) for cell in block.split("|")):
        return True
    return any(span == name or re.search(rf"(?<![\w.]){re.escape(name)}\(", span) for span in _CODE.findall(block))


def _in_cell(cell: str, name: str) -> bool:
    return name in cell.split(", ") or cell.startswith(f"{name} (")
