"""What a file is, by its name and first bytes."""

from __future__ import annotations

import json
import re

from .._errors import InputError
from .encoding import control_share, is_binary
from .readers import BINARY_SUFFIXES, FORMATS, by_name
from .source import Compression, Source

__all__ = ["HEAD", "compression_of", "sniff"]

HEAD = 1 << 13
"""So many bytes are looked at."""

_SUFFIXES: dict[str, Compression] = {".gz": "gz", ".zst": "zst", ".zstd": "zst"}
_MAGIC: tuple[tuple[bytes, Compression], ...] = ((b"\x1f\x8b\x08", "gz"), (b"\x28\xb5\x2f\xfd", "zst"))
_HTML = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL)
_MBOX = re.compile(rb"From \S+.*\d{4}.*\r?\n[A-Za-z-]+:")
_DOCX = b"word/"
_MAX_CONTROLS = 0.01


def compression_of(name: str, head: bytes = b"") -> tuple[str, Compression]:
    """``"a.txt.gz"`` -> ``("a.txt", "gz")``; where the name says nothing, the magic bytes decide."""
    lower = name.lower()
    for suffix, kind in _SUFFIXES.items():
        if lower.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)], kind
    return name, next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")


def _looks_like_jsonl(head: bytes) -> bool:
    """True if the first line that is not blank is a whole JSON object and no other line
    but such follow within ``head``.
    """
    lines = [line for line in head.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True) if line.strip()]
    if not lines or not lines[0].lstrip().startswith(b"{"):
        return False
    if not lines[0].endswith(b"\n") and len(lines) == 1:
        return len(head) >= HEAD and re.match(rb'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:', lines[0]) is not None
    try:
        return isinstance(json.loads(lines[0]), dict) and all(line.lstrip().startswith(b"{") for line in lines[1:])
    except (ValueError, RecursionError):
        return False


def sniff(source: Source, name: str) -> tuple[str, str]:
    """``(format, "")``, or ``("", reason)`` if the file cannot be read; ``name`` is
    without a compression's suffix.

    Opens the file only if its name does not decide. Raises ``OSError`` if that fails. A file that
    was named by the user always has a format: ``text`` if there is no better one.
    """
    known = by_name(name)
    dot = name.rfind(".")
    if known is None and name[dot:].lower() in BINARY_SUFFIXES and dot > 0 and not source.explicit:
        return "", "binary"
    if known is not None and known.container:
        return known.name, ""
    head = _head(source)
    if head is None:  # damaged compressed data: reading it will tell
        return (known.name if known else "text"), ""
    if known is not None and known.name == "json" and _one_line_objects(head):
        return "jsonl", ""
    guess = _by_content(head) if known is None else known.name
    if guess:
        if not source.explicit and FORMATS[guess].container is False and is_binary(head):
            return "", "binary"
        return guess, ""
    if source.explicit or not (is_binary(head) or (b"\0" not in head and control_share(head) > _MAX_CONTROLS)):
        return "text", ""
    return "", "binary"


def _one_line_objects(head: bytes) -> bool:
    """A ``.json`` file is taken for JSON lines only if it shows two objects, each on its own line."""
    return head.count(b"\n{") > 0 and _looks_like_jsonl(head)


def _head(source: Source) -> bytes | None:
    try:
        with source.open() as stream:
            return stream.read(HEAD)
    except InputError as error:
        raise error.__cause__ if isinstance(error.__cause__, OSError) else error from None
    except OSError as error:
        if error.errno is not None:
            raise
        return None
    except Exception:  # what decompressors raise: reading the file will tell
        return None


def _by_content(head: bytes) -> str:
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return "epub" if b"application/epub+zip" in head[:100] else "docx" if _DOCX in head else ""
    if is_binary(head):
        return ""
    if _HTML.match(head):
        return "html"
    if _MBOX.match(head):
        return "mbox"
    if _looks_like_jsonl(head):
        return "jsonl"
    if head.startswith(b"#!"):
        return "code"
    return ""
