"""Streams of bytes in any encoding, read as UTF-8."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, BinaryIO, cast

from .charsets import SAMPLE, by_mark, detect
from .encoding import clean, hidden_encoding
from .mixed import almost_utf8, in_encodings, name_of, seems_mixed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["utf8_stream"]

_HEAD = 1 << 16
_LOOKED_AT = 16
"""Blocks whose characters are remembered."""
_LONG_LINE = 1 << 18
"""Bytes of a line from which on it is looked at in pieces."""


def utf8_stream(stream: BinaryIO) -> BinaryIO:
    """``stream`` in UTF-8, without a byte order mark.

    The first 64 KiB, or else the first bytes that are not UTF-8, tell the encoding of all that follows; where lines in UTF-8 came
    before, of those lines only that are not.
    """
    if not isinstance(stream, io.BufferedReader):
        stream = cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, stream), _HEAD))
    head = cast(io.BufferedReader, stream).peek(_HEAD)[:_HEAD]
    name = by_mark(head)
    if name == "utf-8-sig":
        stream.read(len(codecs.BOM_UTF8))
        name = None
    elif name is None and (head.isascii() or b"\0" in head):
        name = hidden_encoding(head)
    recoder = _Lines(stream) if name is None else _Recoder(stream, name)
    return cast(BinaryIO, io.BufferedReader(recoder, _HEAD))


class _Recoder(io.RawIOBase):
    """A stream in any encoding, read as UTF-8."""

    def __init__(self, inner: BinaryIO, encoding: str) -> None:
        self._inner = inner
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder(encoding)("replace")
        self._pending = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        while not self._pending and not self._ended:
            self._pending = self._recoded(self._more())
        count = min(len(view), len(self._pending))
        view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def _more(self) -> bytes:
        # Not read(), which drops what it has where the rest is damaged.
        data = cast(io.BufferedReader, self._inner).read1(_HEAD)
        self._ended = not data
        return data

    def _recoded(self, data: bytes) -> bytes:
        if self._decoder is None:
            return data
        return clean(self._decoder.decode(data, final=self._ended)).encode()

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
        super().close()


class _Lines(_Recoder):
    """A stream that is UTF-8, or ASCII, until it shows otherwise."""

    def __init__(self, inner: BinaryIO) -> None:
        super().__init__(inner, "utf-8")
        self._decoder = None
        self._rest = b""
        """What was read of a line."""
        self._letters: set[str] = set()
        """Characters beyond ASCII that were found in UTF-8, in some of its blocks."""
        self._looked = 0
        self._name = ""
        """The encoding of lines that are not UTF-8."""
        self._damage: Exception | None = None

    def _more(self) -> bytes:
        if self._damage is not None:
            raise self._damage
        try:
            return super()._more()
        except Exception as error:  # what comes before it is passed on first
            if not self._rest:
                raise
            self._damage = error
            return b""

    def _recoded(self, data: bytes) -> bytes:
        if self._decoder is not None:
            return super()._recoded(data)
        at_end = self._ended or self._damage is not None
        if not self._rest and data.isascii():
            return data
        block = self._rest + data
        end = len(block) if at_end else block.rfind(b"\n") + 1
        if not end and len(block) > _LONG_LINE:
            end = _whole_characters(block)
        block, self._rest = block[:end], block[end:]
        try:
            text = block.decode()
        except UnicodeDecodeError:
            return self._decoded(block)
        if self._looked < _LOOKED_AT:
            self._letters.update(character for character in set(text) if character > "\x7f")
            self._looked += bool(self._letters)
        return block

    def _decoded(self, block: bytes) -> bytes:
        """``block``, not all of which is UTF-8, as UTF-8."""
        if not self._name:
            size, self._rest = len(block), block + self._rest
            while len(self._rest) < SAMPLE and not self._ended and self._damage is None:
                self._rest += self._more()
            ahead = self._rest
            mixed, foreign, letters = seems_mixed(ahead.splitlines(keepends=True))
            if foreign and not mixed and not self._letters and almost_utf8(ahead) is None:
                # Lines of ASCII, as most may be, say nothing.
                name = detect(ahead if b"\0" in ahead else b"".join(foreign))
                self._decoder = codecs.getincrementaldecoder(name)("replace")
                self._rest = b""
                return super()._recoded(ahead)
            if foreign:
                self._name = name_of(foreign, letters | self._letters)
            size = len(ahead) if self._ended or self._damage is not None else size
            block, self._rest = ahead[:size], ahead[size:]
        return clean(in_encodings(block.splitlines(keepends=True), self._name or "utf-8")).encode()


def _whole_characters(block: bytes) -> int:
    """How many bytes of ``block`` end with a whole character, if it is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    decoder.decode(block[-8:])
    return len(block) - len(decoder.getstate()[0])
