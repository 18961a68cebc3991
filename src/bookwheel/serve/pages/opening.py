"""`/open`: opens a document's file in the system's program, on the machine that serves: posted, and only without a token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import Refusal
from ..parameters import parameter
from ..route import Asked
from .links import link, named
from .read import document_of

__all__ = ["OpenParameters", "OpenView", "open_page"]


@dataclass(frozen=True, slots=True)
class OpenParameters:
    """What `/open` takes."""

    id: str = parameter("", "the document", longest=8192)
    library: str = parameter("", "the library; the first one where it is left out", longest=100)


@dataclass(frozen=True, slots=True)
class OpenView:
    """What was opened."""

    path: str
    back: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"opened": self.path}


def open_page(asked: OpenParameters, request: Asked) -> OpenView:
    """Open it; never a script or a program (`library.files`)."""
    if request.method != "POST":
        raise Refusal(405, "a file is opened by the button of its document", {"Allow": "POST"})
    if request.config.token is not None:
        raise Refusal(403, "files are opened only for who sits at the machine itself")
    document = document_of(request.library, asked.id)
    return OpenView(request.library.open_file(document.number), link("/read", id=asked.id, library=named(request)))
