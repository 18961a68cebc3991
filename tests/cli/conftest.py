from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_helpers import SOURCE, Bookwheel, Done

from bookwheel.cli.main import main
from bookwheel.kernels import warm


@pytest.fixture(autouse=True)
def home(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Named libraries of a test live in a folder of its own."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    return own_home


@pytest.fixture
def bookwheel(capfd: pytest.CaptureFixture[str]) -> Bookwheel:
    """Runs a command line in this process."""

    def run(*arguments: str | Path) -> Done:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Done(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def compiled() -> None:
    """The kernels are in their cache, so that no process of a test has to compile them."""
    warm()


@pytest.fixture
def process(compiled: None) -> Bookwheel:
    """Runs a command line as a person does: in a process of its own."""

    def run(*arguments: str | Path, stdin: str = "", cwd: Path | None = None, **environment: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "bookwheel", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


OWLS = """\
Owls hunt at night. Their feathers are soft, so that they fly without a sound.

The barn owl hears a mouse under snow.
"""
BEES = """\
# Bees

A honey bee dances to tell the hive where flowers are.

## Wax

Wax comes from glands of young bees.
"""
SORT = """\
def bubble(items):
    '''Sort a list slowly.'''
    for item in items:
        pass
    return items
"""
TEXTS = {"owls.txt": OWLS, "bees.md": BEES, "sort.py": SORT}
RECORDS = [
    ("a", "Lighthouses", "A lighthouse warns ships of rocks.", 1900, "Ann"),
    ("b", "Ships", "Ships carry grain and oil.", 2000, "Bob"),
    ("c", "Rocks", "Granite and basalt are rocks.", 2020, "Ann"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three small files."""
    files = tmp_path / "files"
    files.mkdir()
    for name, text in TEXTS.items():
        (files / name).write_text(text)
    return files


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Documents with metadata, as JSON lines."""
    rows = [
        {"_id": name, "title": title, "text": text, "metadata": {"year": year, "author": author}}
        for name, title, text, year, author in RECORDS
    ]
    file = tmp_path / "records.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file
