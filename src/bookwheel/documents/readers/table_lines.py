"""The lines of a table for the csv module, of which the first can be looked at before they are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from ..encoding import decode

__all__ = ["Lines", "TooLongError"]

_LOOKED_AT, _LOOKED_AT_BYTES = 100, 1 << 18
"""Lines, comments above the table not counted, and bytes of all of them, that decide how a table is laid out."""
_LONG_LINE = 1 << 16
"""Bytes of a line at which looking ahead ends."""


class TooLongError(Exception):
    """A line or row beyond the limit, and its length."""


class Lines:
    """Feeds a csv reader, counting lines (a quoted field may hold several)."""

    def __init__(self, lines: Iterator[bytes | int], limit: int) -> None:
        self._lines = lines
        self._limit = limit
        self._ahead: deque[tuple[int, str | None]] = deque()
        self._damage: Exception | None = None
        self.number = 0
        self.row = 0
        """Bytes of the row being read, which may have several lines."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._ahead:
            size, text = self._ahead.popleft()
        elif self._damage is not None:
            raise self._damage
        else:
            size, text = self._read()
        self.number += 1
        self.row += size
        if text is None or self.row > self._limit:
            raise TooLongError(self.row)
        return text

    def _read(self) -> tuple[int, str | None]:
        line = next(self._lines)
        if isinstance(line, int):
            return line, None
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = decode(line)
        return len(line), text.replace("\0", " ")

    def first(self) -> tuple[list[str], bool]:
        """The first lines, which are read again later, and whether more follow; blank ones before them are passed over."""
        total = rows = 0
        more = True
        try:
            while rows < _LOOKED_AT and total < _LOOKED_AT_BYTES:
                size, text = self._read()
                if not self._ahead and text is not None and not text.strip():
                    self.number += 1
                    continue
                self._ahead.append((size, text))
                total += size
                rows += text is None or not text.startswith("#")
                if text is None or size > _LONG_LINE:
                    break
        except StopIteration:
            more = False
        except Exception as error:  # the file is damaged from here on: what comes before is good
            self._damage = error
        texts = [text for _, text in self._ahead if text is not None]
        if len(texts) > 1 and self._ahead[len(texts) - 1][0] > _LONG_LINE:
            texts.pop()
        return texts, more
