"""Where libraries are: a name or a path; and the user's folders."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from ._errors import LibraryNotFound, UsageError
from ._printable import clean

__all__ = ["HOME", "MANIFEST", "as_typed", "cache", "config", "home", "libraries", "locate", "no_library"]

HOME = "BOOKWHEEL_HOME"
"""The environment variable that overrides the user's folders."""
_APP = "bookwheel"

MANIFEST = "manifest.json"
"""The file that makes a folder a library."""
_NAME = re.compile(r"(?!\.)[\w. -]{1,100}")


def home() -> Path:
    """The folder of named libraries: ``$BOOKWHEEL_HOME``, or the user's data folder.

    Without the variable, platformdirs decides: ``~/.local/share/bookwheel`` (or
    ``$XDG_DATA_HOME/bookwheel``) on Linux, ``~/Library/Application Support/bookwheel`` on macOS,
    ``%LOCALAPPDATA%\\bookwheel`` on Windows.
    """
    if folder := os.environ.get(HOME):
        return Path(folder)
    from platformdirs import user_data_path

    return Path(user_data_path(_APP, appauthor=False))


def cache() -> Path:
    """The folder of caches: ``$BOOKWHEEL_HOME/.cache``, or the user's cache folder.

    Without the variable, platformdirs decides: ``~/.cache/bookwheel`` (or
    ``$XDG_CACHE_HOME/bookwheel``) on Linux, ``~/Library/Caches/bookwheel`` on macOS,
    ``%LOCALAPPDATA%\\bookwheel\\Cache`` on Windows. Everything in it can be deleted.
    """
    if folder := os.environ.get(HOME):
        return Path(folder) / ".cache"
    from platformdirs import user_cache_path

    return Path(user_cache_path(_APP, appauthor=False))


def config() -> Path:
    """The folder of the user's own settings: ``$BOOKWHEEL_HOME/.config``, or the user's configuration folder.

    Without the variable, platformdirs decides: ``~/.config/bookwheel`` (or ``$XDG_CONFIG_HOME/bookwheel``)
    on Linux, ``~/Library/Application Support/bookwheel`` on macOS, ``%LOCALAPPDATA%\\bookwheel`` on Windows.
    """
    if folder := os.environ.get(HOME):
        return Path(folder) / ".config"
    from platformdirs import user_config_path

    return Path(user_config_path(_APP, appauthor=False))


def locate(name: str | Path = "default") -> Path:
    """The folder of library ``name``: a `Path` or what has a separator is a path, anything else a name under `home`.

    What lies in the current folder does not matter: a folder that somebody else made must not take the place of a library
    of the user's own because it has the same name. Raises `UsageError` for what can be no name.
    """
    if isinstance(name, Path):
        return name
    if not isinstance(name, str):
        raise UsageError(f"a library is given by its name or its path, not by {name!r:.80}")
    if not name or "\0" in name:
        raise UsageError(
            "the name of a library must not be empty or contain NUL; give a name or a path, as in --library papers"
        )
    if "/" in name or os.sep in name or name in (".", "..") or name.startswith("~"):
        return Path(os.path.expanduser(name))  # noqa: PTH111 - Path.expanduser raises for a user there is not
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"the name of a library must be up to 100 letters, digits, '-' and '_', not {name!r:.120}; or give a path, with a '/'"
        )
    return home() / name


def as_typed(path: Path) -> str:
    """What a command line calls the library at ``path``, ready for a shell: its name, or its whole path.

    >>> as_typed(home() / "papers")
    'papers'
    """
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - not where links lead, which is not what was asked for
    named = whole.parent == Path(os.path.abspath(home())) and _NAME.fullmatch(whole.name)  # noqa: PTH100
    return shlex.quote(clean(whole.name if named else str(whole)))


def no_library(path: Path) -> LibraryNotFound:
    """The error where ``path`` is no library, with what to do about it."""
    typed = as_typed(path)
    advice = f"create one with: bookwheel index PATH --library {typed}"
    if typed == path.name and (Path(typed) / MANIFEST).is_file():
        advice = f"for the one in this folder give ./{typed}; or {advice}"
    return LibraryNotFound(f"there is no library at {clean(str(path))}; {advice}")


def libraries() -> list[str]:
    """The names of the libraries under `home`."""
    folder = home()
    return sorted(path.parent.name for path in folder.glob(f"*/{MANIFEST}")) if folder.is_dir() else []
