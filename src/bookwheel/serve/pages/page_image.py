"""`/page.png`: a page of an indexed PDF drawn, with the quote, or the hits of a query, marked."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from ..parameters import parameter
from ..respond import gone
from ..service import Service
from ..work import Call
from .read import document_of

__all__ = ["PageImageParameters", "page_image"]


@dataclass(frozen=True, slots=True)
class PageImageParameters:
    """What `/page.png` takes."""

    id: str = parameter("", "the document", longest=8192)
    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    page: int = parameter(1, "the page, from 1", least=1)
    q: str = parameter("", "words whose hits are marked, where no quote is named")
    start: int | None = parameter(None, "where the quote begins in the document's text, in code points", least=0)
    end: int | None = parameter(None, "where it ends", least=0)
    width: int = parameter(1000, "pixels", least=100, most=2000)


async def page_image(request: Request, service: Service, asked: PageImageParameters) -> Response:
    """Draw it in a process of its own; only files that the library indexed, as they were."""
    served = service.served(asked.library)

    def work(call: Call) -> bytes:
        library = served.library()
        document = document_of(library, asked.id)
        spans: list[tuple[int, int]] = []
        if asked.start is not None and asked.end is not None:
            spans = [(asked.start, asked.end)]
        elif asked.q.strip():
            spans = library.highlights(document.number, asked.q)
        call.check()
        return library.draw_page(document.number, asked.page, spans=spans, width=asked.width).png

    png = await service.run(work, gone(request))
    return Response(png, headers={"Cache-Control": "private, max-age=300"}, media_type="image/png")
