"""Decoding bytes of unknown encoding to text that can always be encoded as UTF-8."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["clean", "control_share", "decode", "detect", "is_binary", "utf8_stream"]

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 1 << 15
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
    encoding that :func:`detect` finds.

    A byte order mark is dropped; a file whose only line ends are carriage returns gets line feeds.
    """
    name = _by_mark(data)
    if name is not None:
        text = data.decode(name, "replace")
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = _almost_utf8(data) or data.decode(detect(data), "replace")
        else:
            if "\0" in text and (wide := _wide(data)):
                text = data.decode(wide, "replace")
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
    return clean(text)


def detect(data: bytes) -> str:
    """The name of the encoding of ``data`` (not UTF-8), judged from at most 32 KiB
    around its first non-ASCII byte.

    Tool: charset-normalizer. Falls back to Windows-1252.
    """
    if wide := _wide(data):
        return wide
    start = _first_non_ascii(data)
    begin = max(0, start - 2048)
    sample = data[begin : begin + _SAMPLE]
    if len(sample) == _SAMPLE:  # end at a space or line end, so that no multi-byte character is cut
        cut = max(sample.rfind(b"\n"), sample.rfind(b" "))
        sample = sample[: cut + 1] if cut > _SAMPLE // 2 else sample
    from charset_normalizer import from_bytes

    best = from_bytes(sample, steps=8, chunk_size=1024).best()
    if best is None:
        return "cp1252"
    # Plain Latin letters fit many code pages equally; Windows-1252 is by
    # far the most frequent of them.
    if any(name in ("cp1252", "latin_1") for name in best.could_be_from_charset):
        return "cp1252"
    return best.encoding


def is_binary(head: bytes) -> bool:
    """True if the first bytes of a file hold NULs and are not UTF-16 or UTF-32."""
    return b"\0" in head and _by_mark(head) is None and _wide(head) is None


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
    name = _by_mark(head)
    if name == "utf-8-sig":
        stream.read(len(codecs.BOM_UTF8))
        return stream
    if name is None and not head.isascii():
        try:
            codecs.getincrementaldecoder("utf-8")().decode(head)
        except UnicodeDecodeError:
            name = None if _almost_utf8(head) else detect(head)
    elif name is None and b"\0" in head:
        name = _wide(head)
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
            data = self._inner.read(_HEAD)
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


def _by_mark(data: bytes) -> str | None:
    return next((name for mark, name in _BOMS if data.startswith(mark)), None)


def _wide(data: bytes) -> str | None:
    """The kind of UTF-16 without a mark: Western text has a NUL in nearly every other byte."""
    sample = data[:4096]
    half = len(sample) // 2
    if half < 2:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _almost_utf8(data: bytes) -> str | None:
    """The text of UTF-8 with a few damaged characters, recognised by its
    many undamaged ones; else None.
    """
    text = data.decode("utf-8", "replace")
    bad = text.count("\N{REPLACEMENT CHARACTER}")
    good = (len(data) - len(text)) // 2  # at least: each well-formed character has 1 to 3 bytes more than code points
    return text if good > 8 * bad else None


def _first_non_ascii(data: bytes) -> int:
    step = 1 << 16
    for begin in range(0, len(data), step):
        chunk = data[begin : begin + step]
        if not chunk.isascii():
            return begin + len(chunk) - len(chunk.lstrip(bytes(range(128))))
    return len(data)
