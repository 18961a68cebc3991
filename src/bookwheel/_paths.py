"""Where libraries live: a name, or a path."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from ._errors import UsageError

__all__ = ["MANIFEST", "home", "libraries", "locate"]

MANIFEST = "manifest.json"
"""The file that makes a folder a library."""


def home() -> Path:
    """The folder of named libraries: ``$BOOKWHEEL_HOME``, else the user's data folder on this system."""
    if folder := os.environ.get("BOOKWHEEL_HOME"):
        return Path(folder)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "bookwheel"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/bookwheel"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "bookwheel"


def locate(name: str | Path = "default") -> Path:
    """The folder of library ``name``: a path where it is one or has a separator, else a name under `home`."""
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
