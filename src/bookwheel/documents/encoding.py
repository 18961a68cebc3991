"""Decoding bytes of unknown encoding to text that can always be encoded as UTF-8."""

from __future__ import annotations

from .charsets import by_mark, declared, detect, escaped, wide
from .mixed import almost_utf8, mixed_text

__all__ = ["clean", "control_share", "decode", "decode_declared", "hidden_encoding", "is_binary"]

_HEAD = 1 << 16


def clean(text: str) -> str:
    """``text`` with NUL characters as spaces, surrogate pairs joined and lone
    surrogates replaced by U+FFFD.

    NULs and lone surrogates are replaced one for one. Takes one scan
    if there is nothing to replace.
    """
    if "\0" in text:
        text = text.replace("\0", " ")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def decode(data: bytes) -> str:
    """The text of a whole file: byte order mark, else UTF-8, of which some lines may be in another encoding and a few bytes
    damaged, else the encoding that `charsets.detect` finds.

    A byte order mark is dropped; a file whose only line ends are carriage returns gets line feeds.
    """
    name = by_mark(data)
    if name is not None:
        text = data.decode(name, "replace")
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = mixed_text(data) or almost_utf8(data) or data.decode(detect(data), "replace")
        else:
            if name := hidden_encoding(data):
                text = data.decode(name, "replace")
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
    return clean(text)


def decode_declared(data: bytes, label: str) -> str:
    """The text of bytes that are said to be in the encoding ``label``, as browsers read it.

    A byte order mark outranks the label, and so does UTF-8 with characters outside ASCII: nothing else looks like it. An unknown
    label, or one that does not fit the bytes, is as none: see `decode`.
    """
    name = declared(label)
    if name is None or by_mark(data) is not None or (name.startswith("utf-16") and b"\0" not in data):
        return decode(data)
    if not data.isascii() and not name.startswith("utf-"):
        try:
            return clean(data.decode("utf-8"))
        except UnicodeDecodeError:
            pass
    try:
        return clean(data.decode(name))
    except UnicodeDecodeError:
        text = data.decode(name, "replace")
        # One damaged character, or a byte that the code page lacks, is no reason to guess.
        return clean(text) if text.count("\N{REPLACEMENT CHARACTER}") <= len(text) // 100 + 1 else decode(data)


def is_binary(head: bytes) -> bool:
    """True if the first bytes of a file hold NULs and are not UTF-16 or UTF-32."""
    return b"\0" in head and by_mark(head) is None and wide(head) is None


def control_share(data: bytes) -> float:
    """The share, in the first 64 KiB, of control characters that text does not have."""
    head = data[:_HEAD]
    return sum(head.count(code) for code in range(32) if code not in (9, 10, 12, 13, 27)) / max(len(head), 1)


def hidden_encoding(data: bytes) -> str | None:
    """The encoding of bytes that are valid UTF-8, too, but not meant so: UTF-16, or ASCII with escape sequences."""
    if b"\0" in data[:_HEAD]:
        return wide(data)
    return escaped(data) if b"\x1b" in data or b"~{" in data else None
