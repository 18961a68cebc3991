"""`GET /openapi.json`: the OpenAPI document, made of the registry of routes, so that it cannot say anything else than they do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..._version import __version__
from ..parameters import parser
from ..respond import json_response
from ..route import Endpoint, Page
from ..service import Service

__all__ = ["document", "openapi"]

ERRORS = {
    "400": "parameters that are unknown, wrong, or do not go together",
    "401": "the token is missing or wrong",
    "403": "a page of another site asks, or the server is read-only",
    "404": "there is no such library or document",
    "405": "what changes something is posted, not linked to",
    "408": "the body did not arrive in time",
    "409": "the library is empty",
    "413": "the body is too large",
    "421": "the server does not answer by this host name",
    "422": "the work does not fit the memory of the server",
    "424": "a model is missing or does not answer",
    "500": "the library is damaged, or something unforeseen happened",
    "503": "too much is asked at this moment, or it took too long; Retry-After says when to come again",
    "507": "the disk is full, or cannot be written to",
}


async def openapi(request: Request, service: Service, asked: Any) -> Response:
    """The document."""
    return json_response(document(*request.app.state.registry), headers={"Cache-Control": "private, no-cache"})


@cache
def document(pages: Sequence[Page], endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The OpenAPI document of some pages, whose JSON twins it describes, and endpoints."""
    paths: dict[str, dict[str, Any]] = {}
    for page in pages:
        for method in ("get", "post") if page.post else ("get",):
            paths.setdefault(page.twin, {})[method] = _operation(
                method, page.parameters, page.summary, ["application/json"], page.answer, tagged=page.of_generation
            )
    for one in endpoints:
        method = one.method.lower()
        answers = [one.answers, *(["text/event-stream"] if one.streams else [])]
        paths.setdefault(one.path, {})[method] = _operation(method, one.parameters, one.summary, answers, None)
    error = {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["message", "type", "code"],
                "properties": {"message": {"type": "string"}, "type": {"type": "string"}, "code": {"type": "integer"}},
            }
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "bookwheel",
            "version": __version__,
            "description": "Search, questions and documents of the libraries of one server. An error is one sentence.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": error},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(
    method: str, parameters: type | None, summary: str, answers: Sequence[str], schema: Any, *, tagged: bool = False
) -> dict[str, Any]:
    told: dict[str, Any] = {"summary": summary}
    if parameters is not None and method == "post":
        body = parser(parameters).schema()
        told["requestBody"] = {"required": "required" in body, "content": {"application/json": {"schema": body}}}
    elif parameters is not None:
        told["parameters"] = [
            {
                "name": one.name,
                "in": "query",
                "required": one.needed,
                "description": one.about["doc"],
                "schema": {key: value for key, value in one.schema().items() if key != "description"},
            }
            for one in parser(parameters).parameters.values()
        ]
    object_ = schema or {"type": "object"}
    content = {kind: {"schema": object_ if kind == "application/json" else {"type": "string"}} for kind in answers}
    errors = {
        "description": "One sentence.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    told["responses"] = {
        "200": {"description": summary, "content": content},
        **({"304": {"description": "what the request has, by its If-None-Match, is still so"}} if tagged else {}),
        **{status: {**errors, "description": why} for status, why in ERRORS.items()},
    }
    return told
