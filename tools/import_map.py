"""The import map of a package: floors, circles, arrows upward, and sizes by folder, read from the source without running it.

    python tools/import_map.py                          what the working tree has
    python tools/import_map.py --commit HEAD~10         what a commit had
    python tools/import_map.py --mermaid                the folders and the arrows between them, as a Mermaid diagram

An arrow is an import of one module of the package by another, at the top of a file or inside a function. Imports under
``if TYPE_CHECKING`` are arrows too: who names a type knows about it. Only circles leave them out, since nothing is imported.
Importing a module also runs the ``__init__`` of its folders; those are no arrows, unless the ``__init__`` is imported by name.

``--source`` and ``--floors`` make the map of another package, or of a tree with other floors.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOORS = (
    "_errors _printable _width _caret _paths _numbers _allowed _sse _deadline _http _http_address _http_told _http_usage _numba"
    " _system _version _interruption hits progress"
    " < memory < kernels < analysis < documents < index < encode < language"
    " < rank < read < library < evaluate < tune < train < serve < cli < stages __init__ __main__"
)
"""Names of the package's files and folders, low to high. What is not named is an error, so that a new folder gets its place."""


@dataclass(frozen=True, order=True)
class Arrow:
    """One module imports another. Names are relative to the package: ``index.dense.flat``, ``__init__`` for the package itself."""

    source: str
    target: str
    line: int
    typing_only: bool = False

    def __str__(self) -> str:
        return f"{self.source}:{self.line} -> {self.target}{' (types only)' if self.typing_only else ''}"


@dataclass(frozen=True)
class ImportMap:
    """A package's modules and the arrows between them."""

    sources: Mapping[str, str]
    """The text of each module, by its name."""
    arrows: tuple[Arrow, ...]
    floors: tuple[tuple[str, ...], ...]

    @cached_property
    def _level(self) -> dict[str, int]:
        return {name: level for level, names in enumerate(self.floors) for name in names}

    @property
    def unplaced(self) -> list[str]:
        """Files and folders of the package that no floor names."""
        return sorted({_part(name) for name in self.sources} - set(self._level))

    @property
    def upward(self) -> list[Arrow]:
        """Arrows to a floor above the importing module's own."""
        level = self._level
        return [arrow for arrow in self.arrows if level.get(_part(arrow.source), 0) < level.get(_part(arrow.target), 0)]

    def circles(self, *, folders: bool = False) -> list[list[str]]:
        """The strongly connected groups of modules (or of folders), largest first. Type-only arrows are left out.

        Of folders, the package's own files are each by itself: they belong to floors of their own.
        """
        place = _place if folders else str
        graph: dict[str, set[str]] = {place(name): set() for name in self.sources}
        for arrow in self.arrows:
            source, target = place(arrow.source), place(arrow.target)
            if source != target and not arrow.typing_only:
                graph[source].add(target)
        return sorted((sorted(group) for group in _components(graph) if len(group) > 1), key=lambda group: (-len(group), group))

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """Files and lines by folder."""
        files = Counter(_folder(name) for name in self.sources)
        lines: Counter[str] = Counter()
        for name, text in self.sources.items():
            lines[_folder(name)] += text.count("\n")
        return {folder: (files[folder], lines[folder]) for folder in sorted(files)}

    def between(self) -> Counter[tuple[str, str]]:
        """How many arrows lead from one top-level part to another. The package's single files count as one part, by floor."""
        names = {arrow: (self._box(arrow.source), self._box(arrow.target)) for arrow in self.arrows}
        return Counter(pair for pair in names.values() if pair[0] != pair[1])

    def _box(self, module: str) -> str:
        part = _part(module)
        if any(name.startswith(f"{part}.") for name in self.sources):
            return part
        level = self._level.get(part, -1)
        return "package" if level == len(self.floors) - 1 else "base"

    def mermaid(self) -> str:
        """Folders and the arrows between them: a Mermaid flowchart, low floors at the bottom; arrows upward are dotted."""
        level = self._level
        upward = {(self._box(arrow.source), self._box(arrow.target)) for arrow in self.upward}
        boxes = sorted({self._box(name) for name in self.sources}, key=lambda box: -level.get(box, -1))
        lines = ["flowchart TD"]
        lines += [f"    {_id(box)}[{box}]" for box in boxes]
        for (source, target), count in sorted(self.between().items()):
            lines.append(
                f"    {_id(source)} {'-. ' + str(count) + ' .->' if (source, target) in upward else '-->'} {_id(target)}"
            )
        return "\n".join(lines)


def _id(box: str) -> str:
    return f"box_{box}"


def _part(module: str) -> str:
    return module.split(".", 1)[0]


def _folder(module: str) -> str:
    """The folder that a module's file is in; ``.`` for the package's own."""
    return module.rpartition(".")[0] or "."


def _place(module: str) -> str:
    return module.rpartition(".")[0] or module


def parse_floors(text: str) -> tuple[tuple[str, ...], ...]:
    """Floors written as ``a b < c < d``."""
    return tuple(tuple(floor.split()) for floor in text.split("<"))


def read_tree(folder: Path) -> dict[str, str]:
    """The text of every module under the package folder ``folder``, by its dotted name without the package's."""
    return {_module(str(path.relative_to(folder).as_posix())): path.read_text("utf-8") for path in sorted(folder.rglob("*.py"))}


def read_commit(commit: str, folder: str) -> dict[str, str]:
    """The same of the package folder ``folder``, relative to the repository, in a commit."""
    packed = subprocess.run(["git", "archive", commit, folder], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = {}
        for member in archive:
            stream = archive.extractfile(member)
            if stream is not None and member.name.endswith(".py"):
                found[_module(member.name.removeprefix(f"{folder}/"))] = stream.read().decode("utf-8")
    return found


def _module(path: str) -> str:
    """``index/dense/flat.py`` is ``index.dense.flat``; a folder's ``__init__.py`` is ``index.dense.__init__``."""
    return path.removesuffix(".py").replace("/", ".")


def import_map(sources: Mapping[str, str], package: str, floors: str = FLOORS) -> ImportMap:
    """Read the arrows out of modules' texts."""
    arrows = sorted({arrow for name, text in sources.items() for arrow in _arrows(name, text, sources, package)})
    return ImportMap(sources, tuple(arrows), parse_floors(floors))


def _arrows(module: str, text: str, sources: Mapping[str, str], package: str) -> Iterator[Arrow]:
    tree = ast.parse(text)
    typed = {id(node) for block in ast.walk(tree) if isinstance(block, ast.If) and _typing(block) for part in block.body
             for node in ast.walk(part)}  # fmt: skip
    folder = module.split(".")[:-1]
    for node in ast.walk(tree):
        targets: list[list[str]] = []
        if isinstance(node, ast.Import):
            targets = [alias.name.split(".")[1:] for alias in node.names if alias.name.split(".")[0] == package]
        elif isinstance(node, ast.ImportFrom):
            base = node.module.split(".") if node.module else []
            if node.level:
                base = folder[: len(folder) - node.level + 1] + base
            elif base[0] == package:
                base = base[1:]
            else:
                continue
            targets = [[*base, alias.name] for alias in node.names]
        for target in {_resolve(target, sources) for target in targets}:
            if target is not None and target != module:
                yield Arrow(module, target, node.lineno, id(node) in typed)  # type: ignore[attr-defined]


def _typing(block: ast.If) -> bool:
    return ast.unparse(block.test).removeprefix("typing.") == "TYPE_CHECKING"


def _resolve(parts: list[str], sources: Mapping[str, str]) -> str | None:
    """The module that an imported name is, or is in."""
    for end in range(len(parts), -1, -1):
        dotted = ".".join(parts[:end])
        if dotted in sources:
            return dotted
        if (inside := ".".join([*parts[:end], "__init__"])) in sources:
            return inside
    return None


def _components(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The strongly connected components of a graph (Tarjan 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for after in sorted(graph[node]):
            if after not in order:
                visit(after)
                low[node] = min(low[node], low[after])
            elif after in stack:
                low[node] = min(low[node], order[after])
        if low[node] == order[node]:
            at = stack.index(node)
            found.append(stack[at:])
            del stack[at:]

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return found


def report(found: ImportMap) -> str:
    """The map as text."""
    sizes, largest = found.sizes, sorted(found.sources, key=lambda name: -found.sources[name].count("\n"))
    lines = [f"{'folder':<32}{'files':>6}{'lines':>8}"]
    lines += [f"{folder:<32}{files:>6}{count:>8}" for folder, (files, count) in sizes.items()]
    lines += [f"{'all':<32}{sum(s[0] for s in sizes.values()):>6}{sum(s[1] for s in sizes.values()):>8}", ""]
    lines += ["largest files: " + ", ".join(f"{name} {found.sources[name].count(chr(10))}" for name in largest[:5]), ""]
    lines += ["floors, low to high:", *(f"  {level:>2}  {' '.join(names)}" for level, names in enumerate(found.floors))]
    if found.unplaced:
        lines.append(f"  on no floor: {' '.join(found.unplaced)}")
    for title, groups in (("circles of modules", found.circles()), ("circles of folders", found.circles(folders=True))):
        lines += ["", f"{title}: {len(groups)}", *(f"  {', '.join(group)}" for group in groups)]
    lines += ["", f"arrows: {len(found.arrows)}, upward: {len(found.upward)}", *(f"  {arrow}" for arrow in found.upward)]
    return "\n".join(lines)


def figures(found: ImportMap) -> dict[str, object]:
    """The map's figures, for a comparison of two."""
    return {
        "files": len(found.sources),
        "lines": sum(lines for _, lines in found.sizes.values()),
        "folders": len(found.sizes),
        "files_over_400_lines": sum(text.count("\n") > 400 for text in found.sources.values()),
        "circles": len(found.circles()),
        "circles_of_folders": len(found.circles(folders=True)),
        "arrows": len(found.arrows),
        "arrows_upward": len(found.upward),
        "rules_broken": sorted({f"{_part(arrow.source)} -> {_part(arrow.target)}" for arrow in found.upward}),
    }


def main() -> None:
    """Print the map that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], allow_abbrev=False)
    parser.add_argument("--source", default="src/bookwheel", help="the package's folder, relative to the repository")
    parser.add_argument("--commit", help="read it from this commit rather than from the working tree")
    parser.add_argument("--floors", default=FLOORS, help="files and folders low to high, as 'a b < c < d'")
    parser.add_argument("--mermaid", action="store_true", help="print folders and arrows as a Mermaid diagram")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    sources = read_commit(options.commit, options.source) if options.commit else read_tree(ROOT / options.source)
    if not sources:
        sys.exit(f"there are no modules under {options.source}; give the package's folder as --source")
    found = import_map(sources, Path(options.source).name, options.floors)
    if options.mermaid:
        print(found.mermaid())
    elif options.json:
        print(json.dumps(figures(found), indent=2))
    else:
        print(report(found))


if __name__ == "__main__":
    main()
