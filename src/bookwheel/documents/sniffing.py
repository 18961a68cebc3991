"""What a file is, by its name and first bytes."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from .._errors import InputError
from .encoding import control_share, is_binary
from .magic import by_magic
from .readers import BINARY_SUFFIXES, FORMATS, Format, by_name
from .source import Compression, Source
from .unwanted import unwanted

__all__ = ["FAILURES", "HEAD", "compression_of", "sniff"]

FAILURES = frozenset(("protected by a password",))
"""Reasons that tell of a file with text which cannot be read."""

HEAD = 1 << 13
"""So many bytes are looked at."""

_SUFFIXES: dict[str, Compression] = {
    ".gz": "gz",
    ".zst": "zst",
    ".zstd": "zst",
    ".bz2": "bz2",
    ".xz": "xz",
}
_TARS: dict[str, Compression] = {".tgz": "gz", ".tbz2": "bz2", ".tbz": "bz2", ".txz": "xz", ".tzst": "zst"}
_MAGIC: tuple[tuple[re.Pattern[bytes], Compression], ...] = (
    (re.compile(rb"\x1f\x8b\x08"), "gz"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "zst"),
    (re.compile(rb"BZh[1-9]1AY&SY"), "bz2"),
    (re.compile(rb"\xfd7zXZ\0"), "xz"),
)
_HTML = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL)
_MBOX = re.compile(rb"From \S+.*\d{4}.*\r?\n[A-Za-z-]+:")
_HEADERS = re.compile(rb"(?:[!-9;-~]{1,100}:[^\n]*\n(?:[ \t][^\n]*\n)*)+")
_HEADER_NAME = re.compile(rb"^([!-9;-~]{1,100}):", re.MULTILINE)
_OF_MAIL = frozenset(
    b"from to date subject received return-path message-id mime-version delivered-to content-type reply-to sender cc".split()
)
_MAN = re.compile(rb"^[.'][ \t]*(?:TH|Dd|Dt)[ \t]", re.MULTILINE)
_MAN_NAME = re.compile(r"\.[1-9nlpx][a-zA-Z]*\Z")
_LATEX = re.compile(rb"(?:\s*%[^\n]*\n)*\s*\\document(?:class|style)\b")
_BEGUN = re.compile(rb"(?:\xef\xbb\xbf)?BEGIN:(VCALENDAR|VCARD)\r?\n", re.IGNORECASE)
_MAX_CONTROLS = 0.01
_MAX_CONTROLS_OF_TEXT = 0.05


def compression_of(name: str, head: bytes = b"") -> tuple[str, Compression]:
    """``"a.txt.gz"`` -> ``("a.txt", "gz")``; where ``head`` is given, its magic bytes decide."""
    lower = name.lower()
    packed: Compression = next((kind for magic, kind in _MAGIC if magic.match(head)), "")
    for suffix, kind in _TARS.items():
        if lower.endswith(suffix) and len(name) > len(suffix):
            return f"{name[: -len(suffix)]}.tar", kind if not head or packed else ""
    for suffix, kind in _SUFFIXES.items():
        if lower.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)], packed if head else kind
    return name, packed


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


def sniff(source: Source, name: str) -> Source | str:
    """``source`` with its format and compression, or the reason (a few fixed words) why it is not read.

    What its first bytes prove outranks ``name``. Raises ``OSError`` if they cannot be read. A file that was named by the user
    has a format always, ``text`` if there is no better one, unless it is certain that it holds no text.
    """
    head = _head(source)
    plain, compression = compression_of(name, head or b"")
    source = replace(source, compression=compression)
    if compression:
        head = _head(source)
    known = by_name(plain)
    if head is None:  # damaged compressed data: reading it will tell
        return replace(source, format=known.name if known else "text")
    suffix = plain[plain.rfind(".") :].lower() if plain.rfind(".") > 0 else ""
    form, reason = by_magic(head, source)
    if suffix in BINARY_SUFFIXES and (not source.explicit or form == "zip") and form not in ("pdf", "rtf"):
        return reason or "binary"
    if reason or (form and form not in FORMATS):
        return reason or "binary"
    if form == "zip" and known is not None and known.container and known.name != "pdf":
        form = known.name
    if not form:
        form = _by_text(head, plain, known)
    if form and not FORMATS[form].container and (reason := unwanted(head, plain)):
        return reason
    if form and (source.explicit or FORMATS[form].container or not (is_binary(head) or _is_noise(head))):
        return replace(source, format=form)
    if not form and not is_binary(head) and b"\0" in head:  # UTF-16
        return replace(source, format="text")
    if source.explicit or not (is_binary(head) or control_share(head) > _MAX_CONTROLS):
        return unwanted(head, plain) or replace(source, format="text")
    return "binary"


def _by_text(head: bytes, name: str, known: Format | None) -> str:
    """The format of what has no magic bytes; ``""`` if it is plain text, or none."""
    if known is None or known.container:  # a container's bytes would have proved what it is
        return _by_content(head, name) or (known.name if known is not None and not _is_text(head) else "")
    return "jsonl" if known.name == "json" and _one_line_objects(head) else known.name


def _is_text(head: bytes) -> bool:
    return not is_binary(head) and (b"\0" in head or control_share(head) <= _MAX_CONTROLS)


def _is_noise(head: bytes) -> bool:
    """True of bytes that are no text whatever their name says, as of ``notes.txt.bz2`` whose first bytes are gone.

    Backspaces (formatted manual pages) and shifts (ISO-2022) may be many in text; a few controls in a short note are no proof.
    """
    rest = head.translate(None, b"\b\x0e\x0f")
    share = control_share(rest)
    return b"\0" not in head and share > _MAX_CONTROLS_OF_TEXT and share * len(rest) > 3


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


def _mail_headers(head: bytes) -> bytes | None:
    """The headers, in lower case, of what begins as a message does (of a Maildir or MH folder): who wrote it, and more."""
    found = _HEADERS.match(head)
    if found is None:
        return None
    names = {name.lower() for name in _HEADER_NAME.findall(found.group())}
    if names & {b"from", b"received", b"return-path"} and len(names & _OF_MAIL) >= 3:
        return found.group().lower()
    return None


def _by_content(head: bytes, name: str) -> str:
    if is_binary(head):
        return ""
    if _HTML.match(head):
        return "html"
    if _MBOX.match(head):
        return "mbox"
    if _looks_like_jsonl(head):
        return "jsonl"
    if (headers := _mail_headers(head)) is not None:
        return "mhtml" if b"multipart/related" in headers and b"saved by" in headers else "eml"
    if head.startswith(b"#!"):
        return "code"
    if _MAN.search(head) and (_MAN_NAME.search(name) or head.startswith((b".", b"'"))):
        return "man"
    if head.startswith(b"This is ") and b"produced by makeinfo" in head[:500]:
        return "info"
    if _LATEX.match(head):
        return "latex"
    if begun := _BEGUN.match(head):
        return "ics" if begun.group(1).upper() == b"VCALENDAR" else "vcard"
    return ""
