"""The law of the commands that train: whatever option is given reaches the function that trains, or says what is done afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn, get_type_hints

import click
import pytest

import bookwheel
import bookwheel.train
from bookwheel import Document
from bookwheel._errors import UsageError
from bookwheel.cli.main import main
from bookwheel.cli.options import Number, Size, Value, Whole, Widths
from bookwheel.cli.train import train
from bookwheel.train.run import Run

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


def test_what_has_a_loss_by_step_can_be_drawn() -> None:
    """As the page on training says: all but what is found in one piece."""
    for name in [one for one in bookwheel.train.__all__ if one.startswith("train_")]:
        result = get_type_hints(getattr(bookwheel.train, name))["return"]
        command = train.commands[name.removeprefix("train_").removeprefix("taught_").replace("_", "-")]
        if {"losses", "rates"} <= {one.name for one in fields(result)}:
            assert "plot" in {one.name for one in command.params}, name
        else:
            assert name in {"train_sparse", "train_attention", "train_projection"}


def test_a_map_is_drawn_where_it_has_steps(
    library: Path, called: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["train", "projection", "dense", "--library", str(library), "--plot", str(tmp_path / "loss.svg")]
    assert main(line) == 2
    assert "leave out --plot" in capsys.readouterr().err
    assert called == []
    assert main([*line, "--teacher", "larger"]) == 2
    assert called[0] == "train_taught_projection"


@pytest.mark.parametrize(("function", "needed"), [(bookwheel.train.train_static, 40), (bookwheel.train.train_projection, 20)])
def test_so_many_held_out_queries_are_needed(
    library: Path, function: Any, needed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the page on training says."""

    def held_out(_: Run, __: int, least: int) -> NoReturn:
        raise UsageError(f"{least} are needed")

    monkeypatch.setattr(Run, "held_out", held_out)
    with pytest.raises(UsageError, match=f"^{needed} are needed"):
        function(library)


def test_a_tower_gets_its_teacher(library: Path, called: list[Any]) -> None:
    assert main(["train", "tower", "minilm", "--teacher", "0.5*bm25 + 0.5*larger", "--library", str(library)]) == 2
    assert (called[0], called[2]["teacher"]) == ("train_tower", "0.5*bm25 + 0.5*larger")
