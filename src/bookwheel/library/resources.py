"""What the searches of one library share: models and tables of the stages, loaded once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

__all__ = ["Resources"]

T = TypeVar("T")


class Resources:
    """What stages keep from search to search. Safe to use from several threads."""

    def __init__(self) -> None:
        self._held: dict[tuple[int | None, Hashable], Any] = {}
        self._newest = -1
        self._lock = threading.RLock()

    def after_fork(self) -> None:
        """In a forked child: a lock that another thread held is never released."""
        self._lock = threading.RLock()

    def get(self, key: Hashable, make: Callable[[], T], generation: int | None = None) -> T:
        """What ``make`` gave when ``key`` was first asked for; of this ``generation``, where one is named.

        What was made for older generations is dropped when a newer one is first asked for.
        """
        place = (generation, key)
        try:
            return cast(T, self._held[place])
        except KeyError:
            pass
        with self._lock:
            if place not in self._held:
                if generation is not None and generation > self._newest:
                    self._newest = generation
                    self._held = {kept: value for kept, value in self._held.items() if kept[0] is None}
                self._held[place] = make()
            return cast(T, self._held[place])
