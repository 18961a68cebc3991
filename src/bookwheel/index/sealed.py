"""JSON files with a checksum of their own: every byte after the first member is covered by it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from .plain_files import parse_json

__all__ = ["SEAL", "seal", "sealed", "unseal", "with_checksum"]

SEAL = "blake2b"
"""The first member of the file."""
_HEAD = re.compile(rb'\{"blake2b": "([0-9a-f]{32})",\n')


def seal(data: Mapping[str, Any]) -> bytes:
    """``data``, of at least one member, as a JSON object that begins with the checksum of all that follows."""
    body = json.dumps({key: value for key, value in data.items() if key != SEAL}, indent=1, ensure_ascii=False)
    return with_checksum(body.encode("utf-8", "surrogatepass")[2:])


def with_checksum(rest: bytes) -> bytes:
    """The file whose members, after its first, are written in ``rest``."""
    return b'{"%s": "%s",\n' % (SEAL.encode(), _digest(rest).encode()) + rest


def sealed(data: bytes) -> bool:
    """Whether ``data`` begins with the checksum of the rest."""
    head = _HEAD.match(data)
    return head is not None and head[1].decode() == _digest(data[head.end() :])


def unseal(data: bytes) -> tuple[dict[str, Any], str]:
    """The object in ``data`` and its checksum. Raises `ValueError` where they do not belong together."""
    if not sealed(data):
        raise ValueError("it does not match its checksum")
    found = parse_json(data)
    return found, str(found.pop(SEAL))


def _digest(rest: bytes) -> str:
    return hashlib.blake2b(rest, digest_size=16).hexdigest()
