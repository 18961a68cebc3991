"""Views as HTML and JSON, and errors as one sentence in either."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from .._errors import BookwheelError
from .._printable import as_json
from .._version import __version__
from .errors import told
from .parameters import given

if TYPE_CHECKING:
    from jinja2 import Environment

    from .service import Service

__all__ = ["HTML", "JSON", "Site", "error_body", "error_page", "error_response", "gone", "html", "json_response", "site_of"]

FOLDER = Path(__file__).parent
HTML, JSON = "text/html; charset=utf-8", "application/json"


@dataclass(frozen=True, slots=True)
class Site:
    """What every template may use, as ``site``."""

    version: str
    libraries: tuple[str, ...]
    read_only: bool
    model: bool
    """Whether a language model writes answers."""
    local: bool
    """Whether the server is on the person's own machine, and asked without a token."""


def site_of(service: Service) -> Site:
    """What the templates are told of the server."""
    config = service.config
    return Site(__version__, tuple(config.libraries), config.read_only, config.model is not None, config.token is None)


@cache
def environment() -> Environment:
    """The templates. Everything is escaped, and a name that is none is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["given"] = given
    return made


def html(template: str, **values: Any) -> bytes:
    """A page."""
    return environment().get_template(template).render(**values).encode("utf-8", "replace")


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that any parser reads; see `as_json`."""
    return Response(as_json(value).encode(), status, headers, JSON)


def error_body(status: int, sentence: str, error: BaseException | None = None) -> dict[str, Any]:
    """An error for programs, in the form of the OpenAI protocol, which all of this server has.

    ``kind`` is the name of the error in Python, for `bookwheel.connect`.
    """
    kind = "invalid_request_error" if 400 <= status < 500 else "server_error"
    named = {"kind": type(error).__name__} if isinstance(error, BookwheelError) else {}
    return {"error": {"message": sentence, "type": kind, "code": status, **named}}


def error_response(error: BaseException) -> Response:
    """An error for programs."""
    status, sentence, headers = told(error)
    return json_response(error_body(status, sentence, error), status, headers)


def error_page(error: BaseException, site: Site) -> Response:
    """An error for people."""
    status, sentence, headers = told(error)
    return Response(html("error.html", site=site, status=status, sentence=sentence), status, headers, HTML)


def gone(request: Request) -> Callable[[], Awaitable[None]]:
    """What returns when the client of ``request`` is gone; its body must have been read."""

    async def wait() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return wait
