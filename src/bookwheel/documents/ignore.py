"""Which files git would ignore."""

from __future__ import annotations

import os
import re
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of Python, about "[[" in a pattern
            try:
                spec = GitIgnoreSpec.from_lines(lines)
            except (ValueError, re.error):
                spec = _by_line(lines)
            for pattern in spec.patterns:
                if pattern.regex is not None:
                    pattern.regex = _bounded(pattern.regex)
        return spec
    except OSError:
        return None  # there is none


def _by_line(lines: list[str]) -> GitIgnoreSpec:
    """The rules of ``lines`` without those that are none, such as ``[z-a]``: to git they match nothing."""
    patterns: list[Any] = []
    for line in lines:
        with suppress(ValueError, re.error):
            patterns += GitIgnoreSpec.from_lines([line]).patterns
    return GitIgnoreSpec(patterns)


_STAR, _ANY = "[^/]*", re.compile(r"\(\?:/\.\+\)\?|\(\?:\.\+/\)\?")
_PLAIN = re.compile(r"\\.|\[\^/\]|\[\^?\]?[^\]]*\]", re.DOTALL)
MOST_FOLDERS = 3
"""``**`` in one pattern: each tries all depths for each place of those before it."""
_NOTHING = re.compile(r"(?!)")


def _bounded(regex: re.Pattern[str]) -> re.Pattern[str]:
    """``regex``, made by pathspec, with the same matches in time that does not multiply with every ``*``.

    What stands between two ``*`` of one name may be taken where it first occurs, since the second ``*`` takes anything:
    there is no need to go back. A pattern with more than `MOST_FOLDERS` times ``**`` matches nothing.
    """
    text = regex.pattern
    if len(_ANY.findall(text)) > MOST_FOLDERS:
        return _NOTHING
    head, *pieces = text.split(_STAR)
    if len(pieces) < 2:
        return regex
    made = [head]
    for piece in pieces[:-1]:
        bare = _PLAIN.sub("", piece)
        made.append(f"{_STAR}{piece}" if set(bare) & set("/()|") else f"(?>[^/]*?{piece})")
    try:
        return re.compile("".join([*made, _STAR, pieces[-1]]))
    except re.error:
        return _NOTHING
