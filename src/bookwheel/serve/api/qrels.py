"""`GET /qrels`: what a judge has judged, as TREC's qrels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...tune.judging.grades import grades_of, qrels_lines
from ...tune.judging.journal import Journal, journal_path
from ..parameters import parameter
from ..respond import gone
from ..service import Service
from ..work import Call

__all__ = ["QrelsParameters", "qrels"]


@dataclass(frozen=True, slots=True)
class QrelsParameters:
    """What `GET /qrels` takes."""

    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    judge: str = parameter("me", "whose judgments", longest=80)


async def qrels(request: Request, service: Service, asked: QrelsParameters) -> Response:
    """Query, 0, document and grade, separated by tabs; what was skipped is left out."""

    def work(_: Call) -> bytes:
        library: Any = service.served(asked.library).library()
        grades = grades_of(Journal(journal_path(library.path, asked.judge)).judgments)
        return "".join(f"{line}\n" for line in qrels_lines(grades)).encode("utf-8", "replace")

    content = await service.run(work, gone(request))
    return Response(
        content, headers={"Content-Disposition": 'attachment; filename="qrels.tsv"'}, media_type="text/plain; charset=utf-8"
    )
