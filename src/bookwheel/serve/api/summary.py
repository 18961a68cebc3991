"""`POST /summary`: the sentences that say most of what documents say, or a summary that the server's model writes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from ..._deadline import done_by
from ..._http import cancelled_by
from ..parameters import parameter
from ..respond import gone, json_response
from ..service import Service
from ..work import Call

__all__ = ["SummaryParameters", "summary"]


@dataclass(frozen=True, slots=True)
class SummaryParameters:
    """What `POST /summary` takes: the options of `Library.summarise` but for the model, which is the server's own."""

    names: tuple[str, ...] = parameter((), "ids of documents, files or folders")
    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    where: str | None = parameter(None, "a filter by metadata; with names what meets both", longest=4096)
    sentences: int = parameter(5, "the most sentences", least=1, most=100)
    words: int | None = parameter(None, "the most words", least=1)
    query: str = parameter("", "what the summary is to be about")
    hidden: bool = parameter(False, "whether text that readers of a document do not see may be quoted")
    write: bool = parameter(False, "whether the server's language model, if it has one, writes it")
    calls: int = parameter(16, "with write: the most prompts", least=1, most=100)
    seconds: float | None = parameter(None, "with write: time for the model", least=0)
    unsupported: str = parameter("omit", "what becomes of unsupported sentences of a model", choices=("omit", "mark"))


async def summary(request: Request, service: Service, asked: SummaryParameters) -> Response:
    """The summary, in the form of an answer."""
    served = service.served(asked.library)

    def work(call: Call) -> dict[str, Any]:
        with cancelled_by(call.on_cancel), done_by(time.monotonic() + call.for_models):
            done = served.library().summarise(
                list(asked.names),
                where=asked.where,
                sentences=asked.sentences,
                words=asked.words,
                query=asked.query,
                hidden=asked.hidden,
                model=service.config.model if asked.write else None,
                calls=asked.calls,
                seconds=call.for_models if asked.seconds is None else min(asked.seconds, call.for_models),
                unsupported=cast(Any, asked.unsupported),
            )
        return {"library": served.name, **done.to_dict()}

    return json_response(await service.answer(work, gone(request)))
