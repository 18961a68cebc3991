"""The folders of a user, on each system as platformdirs has them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix
from platformdirs.windows import Windows

import bookwheel
from bookwheel import LibraryNotFound, UsageError, _paths


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user without `$BOOKWHEEL_HOME`, whose home is a folder of the test."""
    for name in ("BOOKWHEEL_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "AppData" / "Local"))
    return tmp_path


@pytest.mark.parametrize(
    ("system", "data", "cache"),
    [
        (Unix, ".local/share/bookwheel", ".cache/bookwheel"),
        (MacOS, "Library/Application Support/bookwheel", "Library/Caches/bookwheel"),
        (Windows, "AppData/Local/bookwheel", "AppData/Local/bookwheel/Cache"),
    ],
)
def test_folders_of_each_system(system: type[Any], data: str, cache: str, user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if system is Windows:
        # Windows asks its registry, of which a test on another system has only the environment.
        from platformdirs import windows

        monkeypatch.setattr(windows, "get_win_folder", windows.get_win_folder_from_env_vars)
    monkeypatch.setattr(platformdirs, "PlatformDirs", system)
    assert _paths.home() == user / data
    assert _paths.cache() == user / cache


def test_the_standard_variables_of_unix_are_followed(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "PlatformDirs", Unix)
    monkeypatch.setenv("XDG_DATA_HOME", str(user / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(user / "scratch"))
    assert _paths.home() == user / "data" / "bookwheel"
    assert _paths.cache() == user / "scratch" / "bookwheel"


def test_one_variable_moves_both(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKWHEEL_HOME", str(user / "mine"))
    assert _paths.home() == user / "mine"
    assert _paths.cache() == user / "mine" / ".cache"
    assert _paths.locate("papers") == user / "mine" / "papers"
    assert _paths.libraries() == []
    (user / "mine" / "papers").mkdir(parents=True)
    (user / "mine" / "papers" / _paths.MANIFEST).touch()
    _paths.cache().mkdir()
    assert _paths.libraries() == ["papers"]


def test_a_name_and_a_path(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(user)
    assert _paths.locate("./papers") == Path("papers")
    assert _paths.locate("~/papers") == user / "papers"
    assert _paths.locate(Path("papers")) == Path("papers")
    (user / "papers").mkdir()
    (user / "papers" / _paths.MANIFEST).touch()
    assert _paths.locate("papers") == _paths.home() / "papers", "what lies in the current folder takes no name"


def test_a_folder_of_somebody_else_never_takes_the_place_of_a_named_library(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOOKWHEEL_HOME", str(user / "mine"))
    (user / "clone" / "default").mkdir(parents=True)
    (user / "clone" / "default" / _paths.MANIFEST).write_text("{}")
    monkeypatch.chdir(user / "clone")
    with pytest.raises(
        LibraryNotFound, match=r"there is no library at .*/mine/default; for the one in this folder give ./default; or "
    ):
        bookwheel.open()
    with bookwheel.open(create=True) as library:
        assert library.path == user / "mine" / "default"
    assert [path.name for path in Path("default").iterdir()] == [_paths.MANIFEST]


def test_what_advice_names_a_library_is_what_finds_it(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKWHEEL_HOME", str(user / "mine"))
    monkeypatch.chdir(user)
    for path in (
        user / "mine" / "my papers",
        Path("lost"),
        Path("two words"),
        user / "mine" / "what?",
        user / "mine" / ".hidden",
    ):
        (typed,) = shlex.split(_paths.as_typed(path))
        assert _paths.locate(typed) == path.absolute()
        assert f"--library {_paths.as_typed(path)}" in str(_paths.no_library(path))


@pytest.mark.parametrize("name", [5, None, b"papers"])
def test_a_name_is_a_text_or_a_path(name: object) -> None:
    with pytest.raises(UsageError, match="by its name or its path"):
        bookwheel.open(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "a\0b", ".hidden", "n" * 101, "what?"])
def test_names_that_are_refused(name: str, user: Path) -> None:
    with pytest.raises(UsageError, match="the name of a library must"):
        _paths.locate(name)
