from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from cli_helpers import SOURCE, Carrel

from carrel._errors import BudgetError, LibraryLocked
from carrel.cli import main as module
from carrel.cli.command import Command
from carrel.cli.document import reference

ROOT = Path(__file__).resolve().parents[2]


def commands() -> dict[str, Any]:
    context = click.Context(module.carrel)
    return {name: module.carrel.get_command(context, name) for name in module.COMMANDS}


def test_help_lists_every_command(carrel: Carrel) -> None:
    done = carrel("--help")
    assert done.code == 0
    assert done.out.splitlines()[:2] == ["carrel index FOLDER", 'carrel search "words"']
    for name, text in module.COMMANDS.items():
        assert name in done.out
        assert text in done.out


@pytest.mark.parametrize("name", module.COMMANDS)
def test_every_command_has_json_and_two_examples_first(name: str) -> None:
    command = commands()[name]
    assert isinstance(command, Command)
    assert len(command.examples) == 2
    assert any("--json" in parameter.opts for parameter in command.params)
    text = command.get_help(click.Context(command, info_name=f"carrel {name}"))
    assert all(line.startswith("carrel ") for line in text.splitlines()[:2])


def test_the_documented_help_is_the_real_one() -> None:
    found = (ROOT / "docs" / "cli.md").read_text()
    assert found == reference(), "docs/cli.md is stale; run: python -m carrel.cli.document > docs/cli.md"


def test_version_is_the_packages(carrel: Carrel) -> None:
    assert carrel("--version").out == f"carrel {importlib.import_module('carrel').__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["search", "--help"], ["index", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from carrel.cli.main import main; main(sys.argv[1:]); "
        "print([m for m in ('numpy', 'numba', 'sqlite3', 'ir_measures', 'carrel.api') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        check=True,
    )
    assert done.stderr.strip() == "[]"


def test_an_unknown_command_names_the_nearest(carrel: Carrel) -> None:
    done = carrel("serach", "x")
    assert done.code == 2
    assert "did you mean `carrel search`?" in done.err


def test_all_mistakes_are_told_at_once(carrel: Carrel) -> None:
    wrong = {"-k": "0", "--recipe": "bm25 +", "--where": "year >", "--ram": "lots", "--library": "nowhere"}
    done = carrel("search", "owl", "--bogus", *(part for pair in wrong.items() for part in pair))
    assert done.code == 2
    assert done.out == ""
    for part in ("-k: '0' is not a whole number", "no such option: --bogus", "recipe, column", "filter", "--ram", "nowhere"):
        assert part in done.err, part
    assert "Traceback" not in done.err
    assert done.err.splitlines()[-1] == "carrel: `carrel search --help` shows how"


def test_a_missing_argument_is_named(carrel: Carrel) -> None:
    done = carrel("show")
    assert done.code == 2
    assert "ID is missing" in done.err


def test_an_option_without_its_value(carrel: Carrel) -> None:
    done = carrel("index", "x", "--words")
    assert done.code == 2
    assert "--words" in done.err


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail() -> list[str]:
        raise error

    monkeypatch.setattr("carrel.library.places.libraries", fail)


def test_a_carrel_error_is_one_sentence_with_its_exit_code(carrel: Carrel, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, BudgetError("does not fit"))
    done = carrel("libraries")
    assert (done.code, done.out, done.err) == (3, "", "carrel: does not fit\n")


def test_control_characters_of_an_error_do_not_reach_the_terminal(carrel: Carrel, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, LibraryLocked("\x1b[2Jlocked\nby me"))
    assert carrel("libraries").err == "carrel:  [2Jlocked by me\n"


def test_a_bug_asks_for_a_report_and_shows_its_place_on_demand(carrel: Carrel, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, KeyError("oops"))
    done = carrel("libraries", "--json")
    assert done.code == 70
    assert done.err.count("\n") == 1
    assert "unexpected KeyError: 'oops'" in done.err
    assert "`carrel --traceback libraries --json`" in done.err
    again = carrel("--traceback", "libraries")
    assert again.code == 70
    assert "Traceback (most recent call last)" in again.err


def test_what_the_system_refuses_is_no_bug(carrel: Carrel, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, PermissionError(13, "Permission denied", "/secret"))
    done = carrel("libraries")
    assert (done.code, done.err) == (2, "carrel: /secret: permission denied\n")
    fail_with(monkeypatch, MemoryError())
    done = carrel("libraries")
    assert done.code == 3
    assert "memory" in done.err


def test_ctrl_c_says_that_it_stopped(carrel: Carrel, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, KeyboardInterrupt())
    done = carrel("libraries")
    assert (done.code, done.err) == (130, "carrel: stopped\n")


@pytest.mark.skipif(os.name != "posix", reason="pipes close otherwise elsewhere")
def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "carrel", "--help"],
        stdout=writer,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
