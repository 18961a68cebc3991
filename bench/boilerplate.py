"""Real boilerplate for `bench/pruning.py`, from the documentation that a Debian system has.

- *licence*: paragraphs of the files ``copyright``;
- *running head*: heads and feet of manual pages, as their ``.TH`` lines say them;
- *contents*: menus and indexes of info manuals, and tables of contents of HTML manuals;
- *navigation*: the lines above each node of an info manual, and side bars and bars of HTML manuals.

Packages and manuals are dealt to two halves by a checksum of their names: what a fit has seen is in one, what is reported in the other.
"""

from __future__ import annotations

import gzip
import html
import random
import re
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

__all__ = ["KINDS", "boilerplate", "prose"]

KINDS = ("licence", "running head", "contents", "navigation")
DOCS, MANUALS, INFO = Path("/usr/share/doc"), Path("/usr/share/man"), Path("/usr/share/info")
_NODE = re.compile(r"^File: .*$", re.M)
_ITEM = re.compile(r"^\* .+$", re.M)
_LICENCE = re.compile(r"Node: [^,]*(?:Licen[sc]e|Copying|GPL|FDL)")
_NEITHER = re.compile(
    r"^(?:Next|Previous|Up): |(?:General Public|Documentation)\s+Licen[sc]e|WARRANT(?:Y|IES)|(?:hereby|is)\s+granted|[Cc]opyright\s+[(\xa9]"
)
"""In what stands among prose, and is none."""
_BARS = re.compile(
    r'<table class="nav".*?</table>|<div id="column2".*?</ul>|<div class="nav[^"]*".*?</div>|<nav.*?</nav>'
    r'|<table[^>]*class="navigation".*?</table>|<div class="related".*?</div>|<div class="header">.*?</div>',
    re.S,
)
_TOC = re.compile(
    r'<div class="toc">.*?</div>\s*<div|<details role="navigation" id="toc".*?</details>'
    r'|<div id="toc">.*?</ul>|<ul class="toc.*?</ul>',
    re.S,
)
_PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.S)


def half_of(name: str) -> int:
    """0: for fitting; 1: for reporting."""
    return crc32(name.encode()) % 2


def _text(markup: str) -> str:
    lines = re.sub(r"<(?:br|/li|/tr|/td|/th|/p|/div|/dt|/dd|/a)[^>]*>", "\n", markup)
    plain = html.unescape(re.sub(r"<[^>]*>", " ", lines))
    return "\n".join(" ".join(line.split()) for line in plain.splitlines() if line.strip())


def _pages() -> Iterator[tuple[str, str]]:
    """Name of the package and markup of each page of an HTML manual."""
    for path in sorted(DOCS.glob("*/**/*.html")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(DOCS).parts[0], path.read_text("utf-8", "replace")


def _nodes() -> Iterator[tuple[str, str]]:
    """Name of the manual and text of each node of the info manuals, without their tables of tags."""
    for path in sorted(INFO.glob("*.info*.gz")):
        for node in gzip.decompress(path.read_bytes()).decode("utf-8", "replace").split("\x1f\n"):
            if node.startswith("File: "):
                yield path.name.split(".")[0], node


def _paragraphs(text: str) -> list[str]:
    return ["\n".join(line.strip() for line in one.strip().splitlines()) for one in re.split(r"\n[\s.]*\n", text)]


def boilerplate(half: int) -> dict[str, list[str]]:
    """The texts of each kind in one half, in random order; as often as they are there."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for path in sorted(DOCS.glob("*/copyright")):
        if half_of(path.parent.name) == half and path.is_file():
            some = _paragraphs(path.read_text("utf-8", "replace"))
            found["licence"] += [one for one in some if len(one.split()) >= 15]
    for path in sorted(MANUALS.glob("man[578]/*.gz")):
        ours = half_of(path.name.partition("-")[0].partition(".")[0]) == half and not path.is_symlink()
        if ours and path.stat().st_size < 50_000:
            head = re.search(r"^\.TH (.*)$", gzip.decompress(path.read_bytes()).decode("utf-8", "replace"), re.M)
            if head:
                fields = [a or b for a, b in re.findall(r'"([^"]*)"|(\S+)', head[1])]
                if len(fields) >= 4:
                    name, section, date, source = fields[:4]
                    title = fields[4] if len(fields) > 4 else ""
                    page = f"{name}({section})"
                    found["running head"].append(f"{page}    {title}    {page}\n\n{source}    {date}    {page}")
    for name, text in _nodes():
        if half_of(name) != half:
            continue
        found["navigation"] += [one.strip() for one in _NODE.findall(text)]
        if _LICENCE.search(text):
            found["licence"] += [one for one in _paragraphs(text) if len(one.split()) >= 15]
            continue
        run: list[str] = []
        for line in [*text.splitlines(), ""]:
            if _ITEM.match(line) or (run and line.startswith("   ")):
                run.append(line.strip())
            elif run:
                found["contents"] += ["\n".join(run[at : at + 20]) for at in range(0, len(run), 20) if len(run) - at >= 4]
                run = []
    for name, markup in _pages():
        if half_of(name) == half:
            for kind, pattern in (("navigation", _BARS), ("contents", _TOC)):
                for block in pattern.findall(markup):
                    lines = _text(block).splitlines()
                    found[kind] += ["\n".join(lines[at : at + 25]) for at in range(0, len(lines), 25) if len(lines) - at >= 3]
    for kind, texts in found.items():
        random.Random(kind).shuffle(texts)
    return found


def prose(half: int) -> list[str]:
    """What people do look for in the same manuals: paragraphs of info and HTML manuals, in random order."""
    found: list[str] = []
    for name, text in _nodes():
        if half_of(name) == half and not _LICENCE.search(text):
            found += [
                one for one in _paragraphs(text) if len(one.split()) >= 10 and not _ITEM.search(one) and not _NODE.search(one)
            ]
    for name, markup in _pages():
        if half_of(name) == half:
            texts = (" ".join(_text(block).split()) for block in _PARAGRAPH.findall(markup))
            found += [text for text in texts if len(text.split()) >= 10]
    found = [text for text in found if not _NEITHER.search(text)]
    random.Random(0).shuffle(found)
    return found
