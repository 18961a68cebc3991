"""The OpenAI protocol, so that existing clients can use a library as a model: `/v1/models`, `/v1/embeddings`, `/v1/chat/completions`.

A model is a library by its name, which answers with citations, or ``LIBRARY/NAME`` (``papers/dense``), an encoder of it. A
chat's last message is the question, the ones before it are its history; what the system or the assistant says is not
evidence, and is not read. Streams send what was verified, not the draft of a model, of which parts may not stand.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from ..._printable import as_json
from ...library.library import Library
from ...read.answer import Answer
from ..asking import AskParameters, answer_of
from ..errors import Refusal, told
from ..parameters import parameter
from ..respond import JSON, error_body, gone, json_response
from ..service import Served, Service
from ..streams import event_stream, message
from ..work import Call

__all__ = ["ChatParameters", "EmbeddingParameters", "chat", "embeddings", "models"]

IGNORED = "accepted, and without effect here"
DONE = message("[DONE]")


@dataclass(frozen=True, slots=True)
class EmbeddingParameters:
    """What `POST /v1/embeddings` takes."""

    input: tuple[str, ...] = parameter(doc="a text, or several", longest=1 << 17, many=2048)
    model: str = parameter(
        "", "LIBRARY/ENCODER, or one of the two; the first library's own vectors where it is left out", longest=300
    )
    encoding_format: str = parameter("float", "how vectors are written", choices=("float", "base64"))
    input_type: str = parameter("passage", "whether the texts are passages or queries", choices=("passage", "query"))
    dimensions: int | None = parameter(None, "must be the encoder's own, where it is given", least=1)
    user: str = parameter("", IGNORED)


@dataclass(frozen=True, slots=True)
class ChatParameters:
    """What `POST /v1/chat/completions` takes."""

    messages: tuple[dict, ...] = parameter(doc="the conversation; the last message of the user is the question", many=200)  # type: ignore[type-arg]
    model: str = parameter("", "the library; the first one where it is left out", longest=100)
    stream: bool = parameter(False, "whether the answer is sent as server-sent events")
    stream_options: object = parameter(None, "include_usage: whether the last message has the tokens")
    n: int = parameter(1, "there is one answer", least=1, most=1)
    temperature: object = parameter(None, IGNORED)
    top_p: object = parameter(None, IGNORED)
    max_tokens: object = parameter(None, IGNORED)
    max_completion_tokens: object = parameter(None, IGNORED)
    stop: object = parameter(None, IGNORED)
    presence_penalty: object = parameter(None, IGNORED)
    frequency_penalty: object = parameter(None, IGNORED)
    logit_bias: object = parameter(None, IGNORED)
    logprobs: object = parameter(None, IGNORED)
    top_logprobs: object = parameter(None, IGNORED)
    response_format: object = parameter(None, IGNORED)
    reasoning_effort: object = parameter(None, IGNORED)
    seed: object = parameter(None, IGNORED)
    tools: object = parameter(None, IGNORED)
    tool_choice: object = parameter(None, IGNORED)
    parallel_tool_calls: object = parameter(None, IGNORED)
    metadata: object = parameter(None, IGNORED)
    store: object = parameter(None, IGNORED)
    user: object = parameter(None, IGNORED)


async def models(request: Request, service: Service, asked: Any) -> Response:
    """The libraries, and their encoders."""

    def work(_: Call) -> list[str]:
        names: list[str] = []
        for one in service.libraries.values():
            names.append(one.name)
            if one.exists:
                names += [f"{one.name}/{name}" for name in _encoders(one.library())]
        return names

    names = await service.run(work, gone(request))
    created = int(service.started)
    data = [{"id": name, "object": "model", "created": created, "owned_by": "bookwheel"} for name in names]
    return json_response({"object": "list", "data": data})


def _encoders(library: Library) -> list[str]:
    """The dense encoders of a library that can encode texts."""
    own = ["dense"] if library.settings.encoder is not None else []
    return list(dict.fromkeys([*own, *(one.name for one in library.encoders() if one.kind == "dense")]))


async def embeddings(request: Request, service: Service, asked: EmbeddingParameters) -> Response:
    """Unit vectors of texts by an encoder of a library."""
    limits = service.config.limits
    if not asked.input or not all(text.strip() for text in asked.input):
        raise Refusal(400, "input must be a text, or a list of texts, none of them empty")
    if len(asked.input) > limits.batch:
        raise Refusal(
            400, f"a request can have at most {limits.batch} texts, not {len(asked.input):,}; send the others in another"
        )
    served, name = _model(service, asked.model)

    def work(call: Call) -> bytes:
        library = served.library()
        vectors = library.encode(asked.input, name, queries=asked.input_type == "query")
        if asked.dimensions not in (None, vectors.shape[1]):
            raise Refusal(400, f"the encoder {name} gives vectors of {vectors.shape[1]} dimensions, not {asked.dimensions}")
        rows: Sequence[Any] = vectors.tolist()
        if asked.encoding_format == "base64":
            rows = [base64.b64encode(np.ascontiguousarray(row, "<f4").tobytes()).decode() for row in vectors]
        data = [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)]
        tokens = sum(len(text.split()) for text in asked.input)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return as_json({"object": "list", "data": data, "model": f"{served.name}/{name}", "usage": usage}).encode()

    return Response(await service.run(work, gone(request)), media_type=JSON)


def _model(service: Service, text: str) -> tuple[Served, str]:
    """Library and encoder that an embedding model's name means."""
    library, slash, name = text.partition("/")
    if slash:
        return service.served(library), name
    if text in service.libraries or not text:
        return service.served(text), "dense"
    return service.served(), text


async def chat(request: Request, service: Service, asked: ChatParameters) -> Response:
    """An answer with the numbers of its citations, and their places under it; ``citations`` has them for programs."""
    served = service.served(asked.model)
    question, history = _conversation(asked.messages)
    parameters = AskParameters(question, served.name, history=history)
    began = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": served.name}

    if not asked.stream:

        def work(call: Call) -> bytes:
            answer = answer_of(parameters, served.library(), service.config, call)
            said = {"role": "assistant", "content": _text(answer)}
            choice = {"index": 0, "message": said, "finish_reason": "stop", "logprobs": None}
            return as_json(
                {**began, "object": "chat.completion", "choices": [choice], "usage": _usage(answer), **_extra(answer)}
            ).encode()

        return Response(await service.answer(work, gone(request)), media_type=JSON)

    usage = isinstance(asked.stream_options, dict) and bool(asked.stream_options.get("include_usage"))

    def items(call: Call) -> Iterator[bytes]:
        def chunk(delta: dict[str, Any], why: str | None = None, **more: Any) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": why}
            return message({**began, "object": "chat.completion.chunk", "choices": [choice], **more})

        library = served.library()
        library.passage_count  # noqa: B018 - what is wrong with the library is told before anything is sent
        yield chunk({"role": "assistant", "content": ""})
        answer = answer_of(parameters, library, service.config, call)
        for piece in _pieces(answer):
            yield chunk({"content": piece})
        yield chunk({}, "stop", **_extra(answer))
        if usage:
            yield message({**began, "object": "chat.completion.chunk", "choices": [], "usage": _usage(answer)})
        yield DONE

    return await event_stream(
        request, service, items, problem=lambda error: message(error_body(*told(error)[:2], error)) + DONE
    )


def _conversation(messages: Sequence[dict[str, Any]]) -> tuple[str, tuple[str, ...]]:
    """The last question of the user and those before it."""
    asked = []
    for one in messages:
        if one.get("role") != "user":
            continue
        content = one.get("content")
        if isinstance(content, list):
            parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
            content = "\n".join(part for part in parts if isinstance(part, str))
        if not isinstance(content, str):
            raise Refusal(400, "the content of a message must be a text, or a list of parts of the type text")
        if "\0" in content or len(content) > 1 << 15:
            raise Refusal(400, f"a message of the user can have at most {1 << 15:,} characters, none of them NUL")
        asked.append(content.encode("utf-8", "replace").decode())
    if not asked:
        raise Refusal(400, "there is no message of the user; the last one is the question")
    return asked[-1], tuple(one for one in asked[-21:-1] if one.strip())


def _text(answer: Answer) -> str:
    return "".join(_pieces(answer))


def _pieces(answer: Answer) -> Iterator[str]:
    """The answer as `str(answer)` has it, sentence by sentence."""
    whole = str(answer)
    at = 0
    for claim in answer.claims[1:]:
        found = whole.find(claim.text, at + 1)
        if found > at:
            yield whole[at:found]
            at = found
    yield whole[at:]


def _usage(answer: Answer) -> dict[str, int]:
    spent = answer.spent
    return {
        "prompt_tokens": spent.prompt_tokens,
        "completion_tokens": spent.completion_tokens,
        "total_tokens": spent.prompt_tokens + spent.completion_tokens,
    }


def _extra(answer: Answer) -> dict[str, Any]:
    """Beyond the protocol: what the answer rests on."""
    citations: dict[int, str] = {}
    for claim in answer.claims:
        for quote in claim.quotes:
            citations.setdefault(quote.evidence, quote.place or quote.source)
    quotes = [{**quote.to_dict(), "claim": number} for number, claim in enumerate(answer.claims) for quote in claim.quotes]
    return {
        "citations": [{"number": number, "place": place} for number, place in sorted(citations.items())],
        "quotes": quotes,
        "refused": answer.refused,
        "notes": list(answer.notes),
    }
