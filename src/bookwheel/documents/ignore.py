"""Which files git would ignore."""

from __future__ import annotations

import os
from pathlib import Path

from pathspec import GitIgnoreSpec

__all__ = ["IgnoreRules"]

_MAX_BYTES = 1 << 20

_Chain = tuple[tuple[GitIgnoreSpec, int], ...]


class IgnoreRules:
    """The ``.gitignore`` files from the top of a repository (or of the walk) down;
    deeper files and later lines win.
    """

    def __init__(self, root: Path) -> None:
        """``root``: the folder that is walked. If it lies in a git repository,
        the files above it count, too.
        """
        self._chains: dict[str, _Chain] = {}
        top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
        self._top = str(top)
        # A folder that git ignores as a whole, but that the user named, is
        # walked by its own rules alone.
        if top != root and any(self.ignored(str(part), True) for part in (root, *root.parents) if part.is_relative_to(top)):
            self._top = str(root)
            self._chains.clear()

    def ignored(self, path: str, folder: bool) -> bool:
        """Whether the file (or folder) ``path`` is ignored, provided that its parents are not."""
        for spec, length in self._chain(os.path.dirname(path)):  # noqa: PTH120  # asked for every file: Path is too slow
            relative = path[length:].replace(os.sep, "/") + ("/" if folder else "")
            include = spec.check_file(relative).include
            if include is not None:
                return include
        return False

    def _chain(self, folder: str) -> _Chain:
        """The rules for ``folder``, its own first, each with the length of the
        path that they are relative to.
        """
        chain = self._chains.get(folder)
        if chain is None:
            spec = _read(folder)
            own: _Chain = () if spec is None else ((spec, len(folder.rstrip(os.sep)) + 1),)
            above = os.path.dirname(folder)  # noqa: PTH120
            inside = folder != self._top and above != folder and folder.startswith(self._top)
            chain = self._chains[folder] = own + (self._chain(above) if inside else ())
        return chain


def _read(folder: str) -> GitIgnoreSpec | None:
    try:
        with Path(folder, ".gitignore").open("rb") as file:
            lines = file.read(_MAX_BYTES).decode("utf-8", "replace").splitlines()
        return GitIgnoreSpec.from_lines(lines)
    except (OSError, ValueError):
        return None  # there is none, or git itself could not read it
