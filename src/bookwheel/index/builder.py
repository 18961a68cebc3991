"""What the builders of segments have in common: a folder that is finished, or abandoned."""

from __future__ import annotations

from typing import Self

from .storage import FolderWriter

__all__ = ["FolderBuilder"]


class FolderBuilder:
    """Writes one folder. As a context manager, it closes the folder when the block ends normally, and abandons it otherwise."""

    _writer: FolderWriter

    def close(self) -> None:
        """Finish the folder."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Close the files of an unfinished folder; the caller removes it."""
        self._writer.__exit__(BaseException, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()
