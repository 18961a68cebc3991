"""An archive as a folder: a source for each of its members that can be read, whose path goes on from the archive's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .._errors import InputError
from .members import MAX_DEPTH, Member, list_members
from .passed_over import collection_reason
from .readers import FORMATS
from .source import Skipped, Source

__all__ = ["in_archive"]

Look = Callable[[Source], Source | Skipped]
"""Finds out the format of a source; raises ``OSError``."""


def in_archive(archive: Source, hidden: bool, look: Look, depth: int = 1) -> Iterator[Source | Skipped]:
    """What an archive holds: members, those of archives in it, and what is skipped, in the archive's order.

    One that cannot be listed to its end is told as damaged after what was found before; each of its members that turns out to
    be damaged is told when it is read.
    """
    found: list[Source | Skipped] = []
    names: dict[str, set[str]] = {}
    places: dict[str, int] = {}
    """Of each path that can be read, the last place in ``found``."""
    try:
        for member in list_members(archive):
            folder, _, name = member.path.rpartition("/")
            names.setdefault(folder, set()).add(name)
            names.setdefault(folder.rpartition("/")[0], set()).add(folder.rpartition("/")[2])
            if not member.problem:
                if member.path in places:
                    # As of `tar -r`: what is unpacked last stays.
                    found[places[member.path]] = Skipped(f"{archive.path}/{member.path}", "name used twice in an archive")
                places[member.path] = len(found)
            found.append(_one(archive, member, hidden, look))
    except InputError as error:
        found.append(Skipped(archive.path, _reason(str(error)), failed=True))
    below = len(archive.path) + 1
    for item in found:
        folder, _, name = item.path[below:].rpartition("/")
        reason = collection_reason(name, False, names.get(folder, frozenset()))
        if not reason and "/" in folder + "/":
            above, _, inner = folder.rpartition("/")
            reason = collection_reason(inner, True, names.get(above, frozenset())) if inner else ""
        if reason and isinstance(item, Source):
            yield Skipped(item.path, reason)
        elif isinstance(item, Source) and FORMATS[item.format].folder:
            if depth < MAX_DEPTH:
                yield from in_archive(item, hidden, look, depth + 1)
            else:
                yield Skipped(item.path, "archives too deep inside each other", failed=True)
        else:
            yield item


def _one(archive: Source, member: Member, hidden: bool, look: Look) -> Source | Skipped:
    path = f"{archive.path}/{member.path}"
    parts = member.path.split("/")
    if member.problem:
        return Skipped(path, member.problem, failed=member.problem != "link in an archive")
    if not hidden and (parts[0] == "__MACOSX" or any(part.startswith(".") for part in parts)):
        return Skipped(path, "hidden")
    if not member.size:
        return Skipped(path, "empty")
    try:
        path.encode()
    except UnicodeEncodeError:
        return Skipped(path, "name is not UTF-8", failed=True)
    name = f"{archive.name}/{member.path}"
    source = Source(
        path,
        member.size,
        archive.mtime_ns,
        "text",
        "",
        name,
        max_bytes=archive.max_bytes,
        inside=archive,
        member=member.name,
        number=member.number,
    )
    try:
        return look(source)
    except (OSError, InputError) as error:
        if "bomb" in str(error):
            raise InputError(str(error)) from error
        return Skipped(path, "damaged", failed=True)


def _reason(said: str) -> str:
    """An archive's fault in a few fixed words, so that it can be counted."""
    for word in ("password", "bomb", "split it"):
        if word in said:
            return {"password": "protected by a password", "bomb": "looks like a zip bomb", "split it": "too large"}[word]
    # As the decompressors of zstd and xz say it; nothing else in these messages is about memory.
    return "needs too much memory to unpack" if re.search(r"\bmemory\b", said, re.I) else "damaged archive"
