"""Write docs/papers.md: the papers that the code names, how to reach what each describes, and what was measured of it.

    python tools/papers.py            write the page
    python tools/papers.py --check    fail where the page is not what the code gives

`paper_citations` reads the references, `paper_merging` puts those to one paper together, `paper_places` knows commands, and
`paper_figures` finds what the documentation measures.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tools")]

from import_map import import_map, read_tree  # noqa: E402
from paper_citations import citations  # noqa: E402
from paper_figures import Figures  # noqa: E402
from paper_merging import Paper, merged  # noqa: E402
from paper_places import FOLDERS, GROUPS, Folder, Use, folder_of, registered  # noqa: E402

PACKAGE = ROOT / "src" / "bookwheel"
PAGE = ROOT / "docs" / "papers.md"
MOST_NAMES = 5
"""Code that more names rest on is reached by the command of its folder."""
MOST_LINKS = 3
WHOLE = "within"
"""What is put before a section that measures the part of bookwheel that the code belongs to."""
INTRODUCTION = """\
# Papers

What bookwheel does is mostly taken from papers. This page lists those that its code names: {papers}
papers in {files} files. A script makes it, `python tools/papers.py`, and a test compares it with the
code:

- **Paper**: read out of docstrings, comments and the sources that stages, methods and measures
  tell. Where the code gives only authors and year, so does the table.
- **Reached by**: the name in a recipe, an option, or the command that runs the code.
- **Code**: the file that names the paper.
- **Measured**: sections of this documentation with a figure beside that name, which papers behind
  one name share; *within* comes before sections that measure the part of bookwheel that the code
  belongs to, as a whole. For stages of recipes the mean difference in nDCG@10 is told, from the
  recipe that [stages](stages.md) compares with; where several settings were tried, the worst and
  the best. "Not measured" is what has no figure here. Measures and statistical tests are formulas:
  the tests hold them against other implementations, or against cases worked out by hand.

Whether the code follows a paper whole or in part is told where the file names it.

What a paper gained in its own experiments need not be gained here: much was tried, and part of it
loses. What loses is documented and off by default. So is every stage and every reading method that
nobody measured: it is used only where you name it.
"""


@dataclass(frozen=True)
class Row:
    """One paper in the table."""

    group: str
    paper: Paper
    reached: tuple[str, ...]
    files: tuple[str, ...]
    measured: tuple[str, ...]


def _command(how: str) -> str:
    """``bookwheel search`` of ``bookwheel search --recipe RECIPE``, and the module of a Python name."""
    return " ".join(how.split()[:2]) if " " in how else how.rpartition(".")[0]


def _reached(uses: Iterable[Use]) -> list[str]:
    """Each kind with what a user types; with the names, where these are no part of it."""
    lines: dict[tuple[str, str], list[str]] = {}
    for use in uses:
        lines.setdefault((use.kind, use.how), []).append(f"`{use.name}`")
    kinds: dict[str, list[str]] = {}
    for (kind, how), names in lines.items():
        shown = "" if names[0].strip("`") in how else f": {', '.join(dict.fromkeys(names))}"
        kinds.setdefault(kind, []).append(f"`{how}`{shown}")
    return [f"{kind} {', '.join(some)}" for kind, some in kinds.items()]


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())


class Table:
    """The rows, from the modules' texts."""

    def __init__(self, sources: Mapping[str, str], figures: Figures, uses: Mapping[str, list[Use]]) -> None:
        self._figures = figures
        self._uses = uses
        found = [one for file, text in sources.items() for one in citations(text, file)]
        self._above: dict[str, set[str]] = {}
        named = {_module(file): text if file in uses else "" for file, text in sources.items()}
        for arrow in import_map(named, "bookwheel").arrows:
            if not arrow.typing_only:
                self._above.setdefault(_path(arrow.target), set()).add(_path(arrow.source))
        self.rows = sorted((self._row(paper) for paper in merged(found)), key=_order)

    def _row(self, paper: Paper) -> Row:
        files = tuple(sorted({one.file for one in paper.citations}))
        uses = {file: self._names(paper, file) for file in files}
        folders = {file: folder_of(file) for file in files}
        first = next((use.group for some in uses.values() for use in some), folders[files[0]].group)
        named = [use for some in uses.values() for use in some]
        reached = _reached(named)
        told = {_command("bookwheel search" if use.kind == "stage" else use.how) for use in named}
        reached += [f"`{folders[file].how}`" for file in files if not uses[file] and not told & {_command(folders[file].how)}]
        return Row(first, paper, tuple(dict.fromkeys(reached)), files, tuple(self._measured(paper, uses, folders)))

    def _names(self, paper: Paper, file: str) -> list[Use]:
        """The names in registries by which the paper's code in a file is reached."""
        uses = self._uses.get(file)
        if uses is None:
            if file in FOLDERS:
                return []
            uses = [use for above in sorted(self._above.get(file, ())) for use in self._uses.get(above, ())
                    if folder_of(above).group == folder_of(file).group]  # fmt: skip
        uses = list(dict.fromkeys(uses))
        scopes = {one.scope for one in paper.citations if one.file == file}
        if scoped := [use for use in uses if use.name in scopes]:
            return scoped
        labels = {_letters(paper.title.partition(":")[0]), *map(_letters, _labels(paper, file))}
        if named := [use for use in uses if _letters(use.name) in labels]:
            return named
        return uses if len(uses) <= MOST_NAMES else []

    def _measured(self, paper: Paper, uses: Mapping[str, list[Use]], folders: Mapping[str, Folder]) -> Iterator[str]:
        """Sections that have figures: of the names first, then of the folders."""
        links: dict[str, str] = {}
        for use in dict.fromkeys(use for some in uses.values() for use in some):
            for page in use.pages:
                for section, told in self._figures.measured(page, use.name, code=True):
                    links.setdefault(section.link, told)
        for file, folder in folders.items():
            if not uses[file]:
                links |= {folder.measured: WHOLE} if folder.measured and folder.measured not in links else {}
                names = {label for label in _labels(paper, file) if len(label) > 3}
                for page in folder.pages:
                    for name in sorted(names):
                        for section, _ in self._figures.measured(page, name, code=False):
                            links.setdefault(section.link, "")
        for link, told in list(links.items())[:MOST_LINKS]:
            section = self._figures.section(link)
            link = f"[{section.page.removesuffix('.md')}: {section.title}]({link})"
            yield f"{WHOLE} {link}" if told == WHOLE else f"{link} {told}".strip()


def _labels(paper: Paper, file: str) -> set[str]:
    here = {label for one in paper.citations if one.file == file for label in one.labels}
    lead = paper.title.partition(":")[0]
    return here | ({lead} if lead != paper.title and len(lead.split()) == 1 else set())


def _order(row: Row) -> tuple[int, str, str, str]:
    return GROUPS.index(row.group), row.files[0].rpartition("/")[0], row.files[0], row.paper.title or row.paper.authors


def _module(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def _path(module: str) -> str:
    return module.replace(".", "/") + ".py"


def _escaped(text: str) -> str:
    return re.sub(r"([\\|*_<\[\]`])", r"\\\1", text)


def _paper(paper: Paper) -> str:
    parts = [_escaped(paper.authors), f"“{_escaped(paper.title)}”" if paper.title else "", _escaped(paper.venue)]
    text = ", ".join(part for part in parts if part)
    labels = [_escaped(label) for label in paper.labels]
    text += f" ({', '.join(labels)})" if labels else ""
    return text + (f", [arXiv:{paper.arxiv}](https://arxiv.org/abs/{paper.arxiv})" if paper.arxiv else "")


def page(rows: Iterable[Row]) -> str:
    """The text of docs/papers.md."""
    rows = list(rows)
    files = {file for row in rows for file in row.files}
    parts = [INTRODUCTION.format(papers=len(rows), files=len(files))]
    for group in GROUPS:
        if some := [row for row in rows if row.group == group]:
            parts.append(
                f"## {group}\n\n| paper | reached by | code | measured |\n|---|---|---|---|\n" + "".join(map(_line, some))
            )
    return "\n".join(parts)


def _line(row: Row) -> str:
    code = "<br>".join(f"[`{file}`](../src/bookwheel/{file})" for file in row.files)
    reached = "<br>".join(text.replace("|", "\\|") for text in row.reached)
    return f"| {_paper(row.paper)} | {reached} | {code} | {'<br>'.join(row.measured) or 'not measured'} |\n"


def table() -> Table:
    """The table of this tree."""
    sources = {_path(name): text for name, text in read_tree(PACKAGE).items()}
    uses = registered()
    pages = {page for some in uses.values() for use in some for page in use.pages}
    pages |= {page for folder in FOLDERS.values() for page in folder.pages}
    pages |= {folder.measured.partition("#")[0] for folder in FOLDERS.values() if folder.measured}
    return Table(sources, Figures(ROOT / "docs", sorted(pages)), uses)


def main() -> None:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is not what the code gives")
    options = parser.parse_args()
    try:
        text = page(table().rows)
    except LookupError as error:
        sys.exit(f"{error.args[0]}; mend FOLDERS in tools/paper_places.py")
    if options.check:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
            sys.exit("docs/papers.md is not what the code gives; run: python tools/papers.py")
    else:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
