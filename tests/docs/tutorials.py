"""Runs a tutorial: its fenced blocks, in order, in a folder of its own.

- ``python``: with ``>>>`` an example whose output is compared, as doctest does; without, a program that must not fail. All
  blocks of a page share their names.
- ``console``: lines that begin with ``$ `` are commands, the lines below what they print. Of commands only `bookwheel` can be
  run. Three dots stand for any text, as in doctest.

Blocks of any other language are not run, nor is one right after ``<!-- not run: why -->``.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bookwheel

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.REPORT_NDIFF
FENCE = re.compile(r"^(?P<space> *)```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^(?P=space)```$", re.DOTALL | re.MULTILINE)
NOT_RUN = re.compile(r"<!-- not run: .+ -->\s*\Z")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its lines, and the number of the first of these."""

    language: str
    body: str
    line: int


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a page that are run."""
    for match in FENCE.finditer(text):
        if match["language"] in ("python", "console") and not NOT_RUN.search(text[: match.start()]):
            body = re.sub(rf"^{match['space']}", "", match["body"], flags=re.MULTILINE)
            yield Block(match["language"], body, text[: match.start()].count("\n") + 2)


def run(page: Path, folder: Path) -> int:
    """Run all blocks of ``page`` in ``folder``, which is the current one; returns how many there were."""
    names: dict[str, Any] = {"__name__": "__main__"}
    count = 0
    for block in blocks(page.read_text(encoding="utf-8")):
        where = f"{page.name}:{block.line}"
        if block.language == "console":
            _commands(block, where, folder)
        elif ">>>" in block.body:
            _examples(block, where, names)
        else:
            exec(compile("\n" * (block.line - 1) + block.body, str(page), "exec"), names)
        count += 1
    return count


def _examples(block: Block, where: str, names: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(block.body, names, where, where, block.line)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    runner.run(test, out=report.append, clear_globs=False)
    names.update(test.globs)
    assert not runner.failures, f"{where}\n{''.join(report)}"


def _commands(block: Block, where: str, folder: Path) -> None:
    checker = doctest.OutputChecker()
    source = str(Path(bookwheel.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])}
    for part in re.split(r"^\$ ", block.body, flags=re.MULTILINE):
        if not part.strip():
            continue
        command, _, wanted = part.partition("\n")
        words = shlex.split(command, comments=True)
        assert words[0] == "bookwheel", f"{where}: only bookwheel can be run here: {command}"
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False, timeout=1200, encoding="utf-8", env=environment,
        )  # fmt: skip
        assert done.returncode in (0, 1), f"{where}: {command} ended with {done.returncode}\n{done.stdout}"
        if wanted.strip():
            # Kernels are compiled once on a machine, in whatever command comes first, and it says so.
            printed = re.sub(r"^bookwheel: compiling .*\n", "", done.stdout, flags=re.MULTILINE)
            same = checker.check_output(wanted, printed, FLAGS)
            assert same, f"{where}: $ {command}\nexpected:\n{wanted}\ngot:\n{printed}"


if __name__ == "__main__":
    import shutil
    import tempfile

    tutorials = Path(__file__).parents[2] / "docs" / "tutorials"
    for given in map(Path, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as temporary:
            os.environ["BOOKWHEEL_HOME"] = str(Path(temporary) / "home")
            os.environ["COLUMNS"] = "80"
            shutil.copytree(tutorials / "papers", Path(temporary) / "papers")
            page = given.resolve()
            os.chdir(temporary)
            print(given, run(page, Path(temporary)), "blocks")
