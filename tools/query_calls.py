"""What one query costs in Python: calls of functions, and how many of them go to another file than their caller's.

    python tools/query_calls.py                     this tree's bookwheel
    python tools/query_calls.py --files             with each file's calls
    PYTHONPATH=OTHER/src python tools/query_calls.py --package NAME     the same of another tree

Counted on a small library of the standard library's docstrings: a query for ids by BM25 alone, and one by BM25 and vectors
with texts. Each runs once before it is counted, so that caches are filled and lazy imports are done. A call within numpy or
Python's own library counts as a call and not as a change of file; compiled functions count as one call of their caller's.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

QUERY = "parse command line arguments"
RECIPES = {"bm25": "bm25", "hybrid with texts": "0.4*bm25 + 0.6*dense"}


@dataclass
class Calls:
    """Calls of Python functions while something ran."""

    package: Path
    own: int = 0
    """Of the package's functions."""
    others: int = 0
    compiled: int = 0
    """Of functions written in C."""
    changes: int = 0
    """Calls of the package's functions from another file of it, or from outside."""
    files: Counter[str] = field(default_factory=Counter)

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """What `sys.setprofile` calls."""
        if event == "c_call":
            self.compiled += 1
        elif event == "call":
            name = frame.f_code.co_filename
            if not name.startswith(str(self.package)):
                self.others += 1
                return
            self.own += 1
            before = frame.f_back
            while before is not None and not before.f_code.co_filename.startswith(str(self.package)):
                before = before.f_back
            if before is None or before.f_code.co_filename != name:
                self.changes += 1
            self.files[str(Path(name).relative_to(self.package))] += 1


def count(package: Path, work: Callable[[], object]) -> Calls:
    """Run ``work`` once and count its calls, those of its own lambda left out."""
    calls = Calls(package)
    sys.setprofile(calls)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def texts() -> Iterator[tuple[str, str]]:
    """The docstrings of the standard library's modules and of what they define."""
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for number, node in enumerate(ast.walk(tree)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and (text := ast.get_docstring(node)):
                yield f"{path.stem}-{number}", text


def build(package: Any, folder: Path) -> Any:
    """A library of those texts."""
    library = package.open(folder / "library", create=True)
    library.add(package.Document(name, text) for name, text in texts())
    return library


def main() -> None:
    """Build the library, and count."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], allow_abbrev=False)
    parser.add_argument("--package", default="bookwheel", help="the name to import (default: bookwheel)")
    parser.add_argument("--files", action="store_true", help="print how many calls each file of the package had")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    package = importlib.import_module(options.package)
    root = Path(package.__file__ or "").parent
    found: dict[str, Calls] = {}
    times: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        library = build(package, Path(folder))
        for name, recipe in RECIPES.items():

            def work(recipe: str = recipe, with_texts: bool = name != "bm25") -> object:
                results = library.search(QUERY, k=10, recipe=recipe)
                return [(result.id, result.text) if with_texts else result.id for result in results]

            for _ in range(3):
                work()
            found[name] = count(root, work)
            rounds = []
            for _ in range(200):
                start = time.perf_counter()
                work()
                rounds.append(time.perf_counter() - start)
            times[name] = sorted(rounds)[len(rounds) // 2] * 1e6
        library.close()
    if options.json:
        names = ("calls", "changes_of_file", "files", "calls_elsewhere", "calls_of_c", "median_us")
        rows = {name: (c.own, c.changes, len(c.files), c.others, c.compiled, round(times[name])) for name, c in found.items()}
        print(json.dumps({name: dict(zip(names, row, strict=True)) for name, row in rows.items()}, indent=2))
        return
    print(f"{options.package}: {root}")
    print(
        f"{'one query':<20}{'own calls':>11}{'changes of file':>17}{'files':>7}{'other calls':>13}{'C calls':>9}{'median us':>11}"
    )
    for name, c in found.items():
        print(f"{name:<20}{c.own:>11}{c.changes:>17}{len(c.files):>7}{c.others:>13}{c.compiled:>9}{times[name]:>11.0f}")
        if options.files:
            for file, calls in c.files.most_common():
                print(f"    {file:<40}{calls:>6}")


if __name__ == "__main__":
    main()
