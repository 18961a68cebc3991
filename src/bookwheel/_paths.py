"""Where libraries are: a name or a path; and the user's folders."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ._errors import UsageError

__all__ = ["HOME", "MANIFEST", "cache", "config", "home", "libraries", "locate"]

HOME = "BOOKWHEEL_HOME"
"""The environment variable that overrides the user's folders."""
_APP = "bookwheel"

MANIFEST = "manifest.json"
"""The file that makes a folder a library."""


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
    """The folder of library ``name``: a path where it is one or has a
    separator, else a name under `home`.
    """
    if isinstance(name, Path):
        return name
    if not name or "\0" in name:
        raise UsageError(
            "the name of a library must not be empty or contain NUL; give a name or a path, as in --library papers"
        )
    if "/" in name or os.sep in name or name in (".", "..") or name.startswith("~"):
        return Path(os.path.expanduser(name))  # noqa: PTH111 - Path.expanduser raises for a user there is not
    if os.path.isfile(Path(name) / MANIFEST):  # noqa: PTH113 - false, not an error, for a name too long
        return Path(name)
    if not re.fullmatch(r"[\w. -]{1,100}", name) or name.startswith("."):
        raise UsageError(
            f"the name of a library must be up to 100 letters, digits, '-' and '_', not {name!r:.120}; or give a path, with a '/'"
        )
    return home() / name


def libraries() -> list[str]:
    """The names of the libraries under `home`."""
    folder = home()
    return sorted(path.parent.name for path in folder.glob(f"*/{MANIFEST}")) if folder.is_dir() else []
