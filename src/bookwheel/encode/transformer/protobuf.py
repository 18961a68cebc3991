"""Protocol Buffers' wire format, as little of it as ONNX models and CIFF files need.

Source: the public description of the encoding (protobuf.dev, "Encoding"): a message is a row of fields, each a key
``number << 3 | type`` and a value; type 0 is a varint, 1 eight bytes, 2 a length and that many bytes, 5 four bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

__all__ = ["floating", "integer", "integers", "key", "messages", "part", "read_fields", "signed", "varint"]

Value = int | memoryview
"""A field's value: a whole number (types 0, 1 and 5, as it lies in the file) or bytes (type 2)."""


def varint(value: int) -> bytes:
    """``value`` in groups of seven bits, lowest first; negative ones as 64-bit two's complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def key(number: int) -> bytes:
    """What stands before the length and the value of field ``number`` of type bytes, string or message."""
    return varint(number << 3 | 2)


def integer(number: int, value: int) -> bytes:
    """Field ``number`` of a whole-number type."""
    return varint(number << 3) + varint(value)


def integers(number: int, values: Iterable[int]) -> bytes:
    """Field ``number`` of a repeated whole-number type, packed."""
    return part(number, b"".join(map(varint, values)))


def floating(number: int, value: float) -> bytes:
    """Field ``number`` of type float."""
    return varint(number << 3 | 5) + struct.pack("<f", value)


def part(number: int, value: bytes | str) -> bytes:
    """Field ``number`` of type bytes, string or message."""
    data = value.encode() if isinstance(value, str) else value
    return key(number) + varint(len(data)) + data


def signed(value: int) -> int:
    """A varint's value read as int32 or int64."""
    return value - (1 << 64) if value >> 63 else value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def read_fields(data: bytes | memoryview) -> Iterator[tuple[int, Value]]:
    """(field number, value) of each field of a message; raises ValueError where it is cut off or no message."""
    view, at = memoryview(data), 0
    try:
        while at < len(view):
            head, at = _varint(view, at)
            kind = head & 7
            if kind == 0:
                value, at = _varint(view, at)
                yield head >> 3, value
                continue
            if kind == 2:
                length, at = _varint(view, at)
            elif kind in (1, 5):
                length = 8 if kind == 1 else 4
            else:
                raise ValueError(f"a field of unknown type {kind}")
            if at + length > len(view):
                raise ValueError("it is cut off")
            piece = view[at : at + length]
            yield head >> 3, piece if kind == 2 else int.from_bytes(piece, "little")
            at += length
    except IndexError:
        raise ValueError("it is cut off") from None


def messages(file: BinaryIO, largest: int) -> Iterator[bytes]:
    """The messages of a stream in which each follows its length (``writeDelimitedTo``), each at most ``largest`` bytes.

    Raises ValueError where the stream is cut off or a length is not credible.
    """
    while first := file.read(1):
        head = bytearray(first)
        while head[-1] > 127:
            more = file.read(1)
            if not more or len(head) > 9:
                raise ValueError("it is cut off")
            head += more
        length, _ = _varint(memoryview(head), 0)
        if length > largest:
            raise ValueError(f"it says that a record has {length} bytes, more than {largest}")
        data = file.read(length)
        if len(data) < length:
            raise ValueError("it is cut off")
        yield data
