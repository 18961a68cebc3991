"""Text and JSON that any parser reads and any terminal may show: what files and queries say is untrusted."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["as_json", "clean", "escaped", "finite", "plain"]

_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)), " ")
_CONTROLS |= dict.fromkeys((*range(0x200E, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0x061C, 0xFEFF), " ")
_CONTROLS |= dict.fromkeys((*range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)), " ")
_CLEAN = str.maketrans(_CONTROLS)
_CLEAN_LINES = str.maketrans({code: text for code, text in _CONTROLS.items() if chr(code) not in "\n\t"})
_SURROGATES = range(0xD800, 0xE000)
_ESCAPED = {code: json.dumps(chr(code))[1:-1] for code in _CONTROLS if code > 126} | dict.fromkeys(_SURROGATES, "\ufffd")
_ESCAPED[0x7F] = "\\u007f"


def _ranges(codes: Iterable[int]) -> str:
    """A character class of a regular expression, by ranges: one of single characters is searched a hundred times as slowly."""
    found: list[list[int]] = []
    for code in sorted(codes):
        if found and code == found[-1][1] + 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return "[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in found) + "]"


_ODD = re.compile(_ranges(_ESCAPED))


def clean(text: str, *, lines: bool = False) -> str:
    """``text`` with a space for each character that controls a terminal or the text
    direction; offsets do not change.

    With ``lines``, line ends and tabs are kept.
    """
    return text.translate(_CLEAN_LINES if lines else _CLEAN)


def as_json(value: Any, *, indent: int | None = None) -> str:
    """``value`` as JSON that any parser reads and any terminal may show.

    Characters that control a terminal or the direction of text are escaped, half a surrogate pair
    is U+FFFD, and NaN and infinity, which JSON does not have, are null.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, indent=indent, default=plain, allow_nan=False)
    except ValueError:
        text = json.dumps(finite(value), ensure_ascii=False, indent=indent, default=plain, allow_nan=False)
    return escaped(text)


def escaped(text: str) -> str:
    """What `json` wrote with ``ensure_ascii=False``, or a piece of it, without characters that a terminal must not get."""
    # Outside strings, it has no such character but line ends.
    if text.isascii() and "\x7f" not in text:
        return text
    return text if _ODD.search(text) is None else text.translate(_ESCAPED)


def finite(value: Any) -> Any:
    """``value`` with None for each number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if value is None or isinstance(value, str | int):
        return value
    simple = plain(value) if not isinstance(value, list | tuple) else value
    return [finite(inner) for inner in simple] if isinstance(simple, list | tuple) else simple


def plain(value: Any) -> Any:
    """Types that `json` does not know: other mappings and sequences, numpy numbers, paths."""
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (set, frozenset, tuple, Iterable)) and not isinstance(value, (str, bytes)):
        return list(value)
    return str(value)
