"""What the members of an archive are called: older programs write names in the code page of their machine, and do not say so."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence

from .charsets import detect, detect_names

__all__ = ["tar_name", "zip_names"]


def zip_names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The names; those that the archive does not say are UTF-8 by the encoding that all of them are in."""
    written = {info: info.orig_filename.encode("cp437") for info in infos if _is_undeclared(info)}
    encoding = detect_names(written.values()) if written else ""
    return [written[info].decode(encoding) if info in written else info.filename for info in infos]


def _is_undeclared(info: zipfile.ZipInfo) -> bool:
    return not info.flag_bits & 0x800 and not info.orig_filename.isascii() and "\0" not in info.orig_filename


def tar_name(name: str) -> str:
    """``name`` of a tar file; where it is not UTF-8, by the encoding that it looks to be in."""
    try:
        name.encode()
    except UnicodeEncodeError:
        written = name.encode("utf-8", "surrogateescape")
        return written.decode(detect(written), "replace")
    return name
