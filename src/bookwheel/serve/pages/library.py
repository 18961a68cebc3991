"""`/library`: what a library holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ...library.results import Info
from ..parameters import parameter
from ..route import Asked

__all__ = ["LibraryParameters", "LibraryView", "library_page"]


@dataclass(frozen=True, slots=True)
class LibraryParameters:
    """What `/library` takes."""

    library: str = parameter("", "the library; the first one where it is left out", longest=100)


@dataclass(frozen=True, slots=True)
class LibraryView:
    """A library's state."""

    name: str
    info: Info | None
    """None where there is no library yet."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "info": None if self.info is None else asdict(self.info)}


def library_page(asked: LibraryParameters, request: Asked) -> LibraryView:
    """Look at the library."""
    info = request.library.info() if request.served.exists else None
    return LibraryView(request.served.name, info)
