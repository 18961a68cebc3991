from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from cli_helpers import SOURCE, Bookwheel

from bookwheel._errors import BudgetError, LibraryLocked
from bookwheel.cli import main as module
from bookwheel.cli.command import Command, Group
from bookwheel.cli.document import reference

ROOT = Path(__file__).resolve().parents[2]


def commands() -> dict[str, Any]:
    """Every command by its words, with those of a group (``encoders add``)."""
    context = click.Context(module.bookwheel)
    found: dict[str, Any] = {}
    for name in module.COMMANDS:
        command = module.bookwheel.get_command(context, name)
        below = command.commands if isinstance(command, Group) else {}
        found |= {f"{name} {word}": one for word, one in below.items()} if below else {name: command}
    return found


def test_help_lists_every_command(bookwheel: Bookwheel) -> None:
    done = bookwheel("--help")
    assert done.code == 0
    assert done.out.splitlines()[:2] == ["bookwheel index FOLDER", 'bookwheel search "words"']
    for name, text in module.COMMANDS.items():
        assert name in done.out
        assert text in done.out


@pytest.mark.parametrize("name", commands())
def test_every_command_has_json_and_two_examples_first(name: str) -> None:
    command = commands()[name]
    assert isinstance(command, Command)
    assert len(command.examples) == 2
    assert any("--json" in parameter.opts for parameter in command.params)
    text = command.get_help(click.Context(command, info_name=f"bookwheel {name}"))
    assert all(line.startswith("bookwheel ") for line in text.splitlines()[:2])


def test_the_documented_help_is_the_real_one() -> None:
    found = (ROOT / "docs" / "cli.md").read_text()
    assert found == reference(), "docs/cli.md is stale; run: python -m bookwheel.cli.document > docs/cli.md"


def test_version_is_the_packages(bookwheel: Bookwheel) -> None:
    assert bookwheel("--version").out == f"bookwheel {importlib.import_module('bookwheel').__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["search", "--help"], ["index", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from bookwheel.cli.main import main; main(sys.argv[1:]); "
        "print([m for m in ('numpy', 'numba', 'sqlite3', 'ir_measures', 'bookwheel.library.library') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        check=True,
    )
    assert done.stderr.strip() == "[]"


def test_an_unknown_command_names_the_nearest(bookwheel: Bookwheel) -> None:
    done = bookwheel("serach", "x")
    assert done.code == 2
    assert "did you mean `bookwheel search`?" in done.err


def test_all_mistakes_are_told_at_once(bookwheel: Bookwheel) -> None:
    wrong = {"-k": "0", "--recipe": "bm25 +", "--where": "year >", "--ram": "lots", "--library": "nowhere"}
    done = bookwheel("search", "owl", "--bogus", *(part for pair in wrong.items() for part in pair))
    assert done.code == 2
    assert done.out == ""
    for part in (
        "-k must be a whole number of 1 or more, not '0'",
        "no such option: --bogus",
        "recipe, column",
        "filter",
        "--ram",
        "nowhere",
    ):
        assert part in done.err, part
    assert "Traceback" not in done.err
    assert done.err.splitlines()[-1] == "bookwheel: for usage, type: bookwheel search --help"


def test_a_missing_argument_is_named(bookwheel: Bookwheel) -> None:
    done = bookwheel("show")
    assert done.code == 2
    assert "ID is missing" in done.err


def test_an_option_without_its_value(bookwheel: Bookwheel) -> None:
    done = bookwheel("index", "x", "--words")
    assert done.code == 2
    assert "--words" in done.err


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail() -> list[str]:
        raise error

    monkeypatch.setattr("bookwheel._paths.libraries", fail)


def test_a_bookwheel_error_is_one_sentence_with_its_exit_code(bookwheel: Bookwheel, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, BudgetError("does not fit"))
    done = bookwheel("libraries")
    assert (done.code, done.out, done.err) == (3, "", "bookwheel: does not fit\n")


def test_control_characters_of_an_error_do_not_reach_the_terminal(
    bookwheel: Bookwheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, LibraryLocked("\x1b[2Jlocked\nby me"))
    assert bookwheel("libraries").err == "bookwheel:  [2Jlocked by me\n"


def test_a_bug_asks_for_a_report_and_shows_its_place_on_demand(bookwheel: Bookwheel, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, KeyError("oops"))
    done = bookwheel("libraries", "--json")
    assert done.code == 70
    assert done.err.count("\n") == 1
    assert "unexpected KeyError: 'oops'" in done.err
    assert "the output of: bookwheel --traceback libraries --json" in done.err
    again = bookwheel("--traceback", "libraries")
    assert again.code == 70
    assert "Traceback (most recent call last)" in again.err


def test_what_the_system_refuses_is_no_bug(bookwheel: Bookwheel, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, PermissionError(13, "Permission denied", "/secret"))
    done = bookwheel("libraries")
    assert (done.code, done.err) == (2, "bookwheel: /secret: permission denied\n")
    fail_with(monkeypatch, MemoryError())
    done = bookwheel("libraries")
    assert done.code == 3
    assert "memory" in done.err


def test_ctrl_c_says_that_it_stopped(bookwheel: Bookwheel, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, KeyboardInterrupt())
    done = bookwheel("libraries")
    assert (done.code, done.err) == (130, "bookwheel: stopped\n")


@pytest.mark.skipif(os.name != "posix", reason="pipes close otherwise elsewhere")
def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "bookwheel", "--help"],
        stdout=writer,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "encoding", ["ascii", "latin-1", *(pytest.param(one, marks=pytest.mark.slow) for one in ("cp1252", "utf-16"))]
)
def test_what_goes_to_a_pipe_is_utf_8(process: Bookwheel, bookwheel: Bookwheel, tmp_path: Path, encoding: str) -> None:
    text = "alpha na\u00efve \u6587\u5b57 \U0001f600"
    file = tmp_path / "own.jsonl"
    file.write_text(json.dumps({"_id": "\u6587", "text": text}), encoding="utf-8")
    assert bookwheel("index", file, "--encoder", "none", "--language", "english").code == 0
    exported = process("export", PYTHONIOENCODING=encoding)
    assert (exported.code, exported.json["_id"], exported.json["text"]) == (0, "\u6587", text)
    for line in (["search", "alpha", "--json"], ["search", "alpha"], ["search", "alpha", "--run"], ["show", "\u6587"]):
        told = process(*line, PYTHONIOENCODING=encoding)
        assert told.code == 0
        assert "\u6587" in told.out
    assert "\u6587" in process("show", "\u6587\u6587", PYTHONIOENCODING=encoding).err
