"""The places of passages in the shape that tests compare: page or part, and line."""

from __future__ import annotations

from collections.abc import Sequence

from bookwheel import Document
from bookwheel.documents.document import Span
from bookwheel.documents.places import PlaceMap


def place(document: Document, start: int) -> tuple[int | str | None, int | None]:
    return places(document, [Span(start, start)])[0]


def places(document: Document, spans: Sequence[Span]) -> list[tuple[int | str | None, int | None]]:
    found = PlaceMap.of(document, spans).places(((span.start, span.end) for span in spans), document.text)
    return [(one.part or one.page, one.line) for one in found]
