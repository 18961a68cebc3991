"""Decoding bytes of unknown encoding to text that can always be encoded as UTF-8."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, BinaryIO, cast

from .charsets import by_mark, declared, detect, escaped, wide

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["clean", "control_share", "decode", "decode_declared", "is_binary", "utf8_stream"]

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
    """The text of a whole file: byte order mark, else UTF-8, else the
    encoding that `charsets.detect` finds.

    A byte order mark is dropped; a file whose only line ends are carriage returns gets line feeds.
    """
    name = by_mark(data)
    if name is not None:
        text = data.decode(name, "replace")
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = _almost_utf8(data) or data.decode(detect(data), "replace")
        else:
            if name := _hidden(data):
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


def utf8_stream(stream: BinaryIO) -> BinaryIO:
    """``stream`` recoded to UTF-8 if its first 64 KiB are in another encoding, without a
    byte order mark; else as it is.

    Later lines that are not UTF-8 after all must be passed to :func:`decode` by the caller.
    """
    if not isinstance(stream, io.BufferedReader):
        stream = cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, stream), _HEAD))
    head = cast(io.BufferedReader, stream).peek(_HEAD)[:_HEAD]
    name = by_mark(head)
    if name == "utf-8-sig":
        stream.read(len(codecs.BOM_UTF8))
        return stream
    if name is None and not head.isascii():
        try:
            codecs.getincrementaldecoder("utf-8")().decode(head)
        except UnicodeDecodeError:
            name = None if _almost_utf8(head) else detect(head)
    elif name is None:
        name = _hidden(head)
    if name is None:
        return stream
    return cast(BinaryIO, io.BufferedReader(_Recoder(stream, name), _HEAD))


class _Recoder(io.RawIOBase):
    """A stream in any encoding, read as UTF-8."""

    def __init__(self, inner: BinaryIO, encoding: str) -> None:
        self._inner = inner
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._pending = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        while not self._pending and not self._ended:
            # Not read(), which drops what it has where the rest is damaged.
            data = cast(io.BufferedReader, self._inner).read1(_HEAD)
            self._ended = not data
            self._pending = clean(self._decoder.decode(data, final=self._ended)).encode()
        count = min(len(view), len(self._pending))
        view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
        super().close()


def _hidden(data: bytes) -> str | None:
    """The encoding of bytes that are valid UTF-8, too, but not meant so: UTF-16, or ASCII with escape sequences."""
    if b"\0" in data[:_HEAD]:
        return wide(data)
    return escaped(data) if b"\x1b" in data or b"~{" in data else None


def _almost_utf8(data: bytes) -> str | None:
    """The text of UTF-8 with a few damaged characters, recognised by its
    many undamaged ones; else None.
    """
    text = data.decode("utf-8", "replace")
    bad = text.count("\N{REPLACEMENT CHARACTER}")
    good = (len(data) - len(text)) // 2  # at least: each well-formed character has 1 to 3 bytes more than code points
    return text if good > 8 * bad else None
