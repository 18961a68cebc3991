"""Draws the two pictures of docs/architecture.md from data, as SVG:

    python tools/architecture_pictures.py            docs/assets/imports.svg and docs/assets/query.svg
    python tools/architecture_pictures.py --check    exit code 1 if one of them is not what the code gives today

*imports*: which folder imports which, read from the source by `import_map.py`. *query*: the files that one query enters, in the
order in which it does, recorded while it runs: a search by words and vectors, with a filter, on the papers of the tutorial.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from html import escape
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "docs" / "assets"
sys.path[:0] = [str(ROOT / "src"), str(Path(__file__).parent)]

QUERY, FILTER = "how can an index skip documents", "year >= 1990"
LEFT_OUT = ("hits", "progress")
"""Files that everything uses: a query's way would enter them at every step."""
INK, MUTED, LINE, GROUND, ACCENT, UPWARD = "#1d2733", "#66727f", "#d5dbe1", "#ffffff", "#00796b", "#c4501b"
CSS = f"""
    text {{ font: 14px -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Helvetica, Arial, sans-serif; fill: {INK} }}
    .muted {{ fill: {MUTED} }} .small {{ font-size: 12px }} .head {{ font-weight: 600 }} .end {{ text-anchor: end }}
    .middle {{ text-anchor: middle }}
"""


def main() -> int:
    """Draw or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the pictures that are there; write nothing")
    options = parser.parse_args()
    stale = 0
    for name, drawn in (("imports", imports(*folders())), ("query", way(steps()))):
        path = ASSETS / f"{name}.svg"
        if options.check:
            if not path.is_file() or path.read_text(encoding="utf-8") != drawn:
                print(f"{path.relative_to(ROOT)} is stale")
                stale = 1
        else:
            path.write_text(drawn, encoding="utf-8")
    return stale


def svg(width: int, height: int, title: str, parts: list[str]) -> str:
    """A picture on white, so that it can be read on any page."""
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{escape(title)}</title><style>{CSS}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}"/>',
        *parts,
        "</svg>",
        "",
    ])  # fmt: skip


def words(x: float, y: float, text: str, kind: str = "") -> str:
    """A text."""
    return f'<text x="{x:g}" y="{y:g}"{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>{escape(text, quote=False)}</text>'


# Which folder imports which.


def folders() -> tuple[list[str], set[tuple[str, str]]]:
    """The folders from the highest floor to the lowest, and the pairs of them of which the first imports the second."""
    from import_map import import_map, read_tree

    found = import_map(read_tree(ROOT / "src" / "bookwheel"), "bookwheel")
    inside = {name.split(".")[0] for name in found.sources if "." in name}
    order = [part for floor in reversed(found.floors) for part in floor if part in inside]

    def folder(module: str) -> str | None:
        part = module.split(".")[0]
        return part if part in inside else None

    pairs = {(folder(arrow.source), folder(arrow.target)) for arrow in found.arrows}
    return order, {(source, target) for source, target in pairs if source and target and source != target}


def imports(order: list[str], pairs: set[tuple[str, str]]) -> str:
    """A table: a row for each folder that imports, a column for each that is imported."""
    cell, left, top = 46, 148, 104
    size = cell * len(order)
    parts = [words(left - 12, top - 14, "row imports column", "muted small end")]
    for row, source in enumerate(order):
        y = top + cell * row
        parts.append(words(left - 12, y + cell / 2 + 5, source, "head end"))
        x = left + cell * row
        turned = f'transform="rotate(-50 {x + cell / 2 - 4} {top - 10})"'
        parts.append(f'<text x="{x + cell / 2 - 4:g}" y="{top - 10}" class="head" {turned}>{source}</text>')
        for column, target in enumerate(order):
            x = left + cell * column
            fill = "#eef1f4" if column < row else "#c9d1d9" if column == row else GROUND
            parts.append(f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" fill="{fill}" stroke="{LINE}"/>')
            if (source, target) in pairs:
                colour = ACCENT if column > row else UPWARD
                parts.append(f'<circle cx="{x + cell / 2:g}" cy="{y + cell / 2:g}" r="8" fill="{colour}"/>')
    said = "No import leads to a floor above: below the diagonal there is no dot."
    if any(order.index(source) > order.index(target) for source, target in pairs):
        said = "Dots below the diagonal are imports of a floor above, which the law forbids."
    parts.append(words(left, top + size + 28, said, "muted"))
    return svg(left + size + 70, top + size + 46, "Which folder of bookwheel imports which", parts)


# A query's way.


def steps() -> list[tuple[str, str]]:
    """The files that a query enters for the first time, each with the file that called it, in order."""
    import bookwheel

    package = Path(bookwheel.__file__).parent
    with (
        tempfile.TemporaryDirectory() as folder,
        bookwheel.open(Path(folder) / "library", create=True, language="english") as library,
    ):
        library.index(ROOT / "docs" / "tutorials" / "papers")

        def search() -> None:
            library.search(QUERY, k=5, where=FILTER)

        search()
        search()  # what is loaded once is loaded now
        recorder = Recorder(str(package))
        sys.setprofile(recorder)
        try:
            search()
        finally:
            sys.setprofile(None)
    return recorder.entered


class Recorder:
    """What `sys.setprofile` calls: notes each file of the package when it is first entered, and from which one.

    numba reports its compiled functions too, without a frame that called them: so the files at work are kept on a stack.
    """

    def __init__(self, package: str) -> None:
        self.package = package
        self.entered: list[tuple[str, str]] = []
        self._seen: set[str] = set()
        self._stack: list[str] = []

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """A call or a return."""
        path = frame.f_code.co_filename
        if not path.startswith(self.package) or event not in ("call", "return"):
            return
        if event == "return":
            if self._stack:
                self._stack.pop()
            return
        name = Path(path).relative_to(self.package).with_suffix("").as_posix()
        if name not in self._seen and not name.startswith(LEFT_OUT):
            self._seen.add(name)
            self.entered.append((self._stack[-1] if self._stack else "", name))
        self._stack.append(name)


def way(entered: list[tuple[str, str]]) -> str:
    """A column for each folder, high floors to the left; a row for each file that is entered, with an arrow from its caller."""
    order, _ = folders()
    used = {name.split("/")[0] for _, name in entered if "/" in name}
    lanes = [folder for folder in order if folder in used]
    wide, row, left, top = 160, 30, 20, 74
    width, height = 2 * left + wide * len(lanes), top + row * len(entered) + 34
    at = {folder: left + wide * place + 14 for place, folder in enumerate(lanes)}
    parts = [
        f'<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{ACCENT}"/></marker><marker id="up" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8"'
        f' markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="{UPWARD}"/></marker></defs>',
        words(left, 26, "Library.search(…): files in the order in which the query enters them", "head"),
    ]
    for folder in lanes:
        parts.append(words(at[folder] - 8, top - 16, f"{folder}/", "head"))
        parts.append(f'<path d="M{at[folder]} {top - 8}V{height - 30}" stroke="{LINE}" stroke-width="2"/>')
    for place, (caller, name) in enumerate(entered):
        folder, _, file = name.partition("/")
        if folder not in at:
            continue
        y, x = top + row * place + 12, at[folder]
        source = at.get(caller.split("/")[0])
        if source is not None and source != x:
            up = source > x
            colour, head = (UPWARD, "up") if up else (ACCENT, "head")
            kind, dash = (' class="up"', ' stroke-dasharray="5 4"') if up else ("", "")
            parts.append(
                f'<path{kind} d="M{source} {y}H{x + 7 if up else x - 7}" stroke="{colour}" stroke-width="1.6"{dash}'
                f' marker-end="url(#{head})"/>'
            )
            parts.append(f'<circle cx="{source}" cy="{y}" r="2.5" fill="{colour}"/>')
        parts.append(f'<circle cx="{x}" cy="{y}" r="5" fill="{ACCENT}"/>')
        wraps = f'<tspan class="muted">{escape(file.rpartition("/")[0])}/</tspan>' if "/" in file else ""
        label = f"{wraps}{escape(file.rpartition('/')[2])}"
        parts.append(f'<text x="{x + 11}" y="{y + 5}" stroke="{GROUND}" stroke-width="5" paint-order="stroke">{label}</text>')
    said = "An arrow is a call into another folder; a dot without one was called from its own."
    if any('class="up"' in part for part in parts):
        said = "Dashed arrows go to a floor above, through a protocol: it is not imported."
    parts.append(words(left, height - 10, said, "muted small"))
    return svg(width, height, "The files that a query enters", parts)


if __name__ == "__main__":
    sys.exit(main())
