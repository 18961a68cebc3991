"""The law of the commands that train: whatever option is given reaches the function that trains, or says what is done afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest

import bookwheel
import bookwheel.train
from bookwheel import Document
from bookwheel._errors import UsageError
from bookwheel.cli.main import main
from bookwheel.cli.options import Number, Size, Value, Whole, Widths
from bookwheel.cli.train import train

OWN = {"memory", "as_json", "plot", "use"}
"""Parameters of the command itself, for what it does when training is over."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("options") / "library"
    with bookwheel.open(path, create=True, language="english") as opened:
        opened.add([Document("1", "A text about wings.")], workers=1)
    return path


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What training was called with: the function, its arguments, and the library's memory; nothing is trained."""
    found: list[Any] = []

    def stub(name: str) -> Any:
        def stopped(library: bookwheel.Library, *given: Any, progress: Any, **named: Any) -> NoReturn:
            found[:] = [name, given, named, library.ram]
            raise UsageError("reached")

        return stopped

    for name in [one for one in bookwheel.train.__all__ if one.startswith("train_")]:
        monkeypatch.setattr(bookwheel.train, name, stub(name))
    return found


def other(option: click.Option) -> list[str]:
    """The option with a value that is not its default."""
    kind, name = option.type, max(option.opts, key=len)
    if option.is_flag:
        return [name]
    if isinstance(kind, Widths):
        return [name, "16,32"]
    if isinstance(kind, Whole):
        return [name, str(max(kind.least, 3) + 4)]
    if isinstance(kind, Size):
        return [name, "777MB"]
    if isinstance(kind, Number):
        return [name, f"{(kind.least + kind.most) / 2:g}"]
    assert not isinstance(kind, Value), f"say what {kind} takes"
    return [name, "cloze" if option.name == "sources" else "some"]


def options() -> Iterator[tuple[click.Command, click.Option]]:
    for command in train.commands.values():
        for one in command.params:
            if isinstance(one, click.Option) and one.name not in {"library", "help", *OWN}:
                yield command, one


@pytest.mark.parametrize(("command", "option"), list(options()), ids=lambda one: str(one.name))
def test_an_option_that_is_given_reaches_the_training(
    library: Path, called: list[Any], command: click.Command, option: click.Option, capsys: pytest.CaptureFixture[str]
) -> None:
    first = ["some" for one in command.params if isinstance(one, click.Argument)]
    line = ["train", str(command.name), *first, "--library", str(library)]
    assert main(line) == 2
    assert "reached" in capsys.readouterr().err
    without = list(called)
    assert main([*line, *other(option)]) == 2
    assert "reached" in capsys.readouterr().err
    assert called != without


def test_a_tower_gets_its_teacher(library: Path, called: list[Any]) -> None:
    assert main(["train", "tower", "minilm", "--teacher", "0.5*bm25 + 0.5*larger", "--library", str(library)]) == 2
    assert (called[0], called[2]["teacher"]) == ("train_tower", "0.5*bm25 + 0.5*larger")
