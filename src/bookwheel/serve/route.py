"""What a page and an endpoint are; `routes` lists them all.

A page is one function, `(parameters, request) -> view`, that runs in a thread. Its view, a frozen dataclass with `to_dict`, is
rendered as HTML by its template, and as JSON at the same path with ``.json``: the two cannot say different things. A page that
depends on the library alone has an ETag of the library's identity and generation, and is not even computed where a client has
it already.

    class FindView:                       # a frozen dataclass
        def to_dict(self) -> dict: ...    # what the .json twin says

    def find(asked: FindParameters, request: Asked) -> FindView: ...

    PAGES = (Page("/find", find, FindParameters, "find.html", "Find every mention"), ...)      # in routes.py

In the template the view is `view`, the parameters are `asked`, and `site` is the `Site` of respond.py. Every class of
parameters of a page has a field ``library`` where the page is about one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from ..library.library import Library
    from .config import ServeConfig
    from .service import Served, Service
    from .work import Call

__all__ = ["Asked", "Endpoint", "Page", "Part", "View"]


class View(Protocol):
    """What a page shows."""

    def to_dict(self) -> dict[str, Any]:
        """For the page's ``.json`` twin."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as the functions of pages see it."""

    service: Service
    served: Served
    """The library that it is about."""
    call: Call
    """Time left, and whether the answer is still wanted."""
    path: str = "/"
    query: str = ""
    """As it was given, for links back."""
    method: str = "GET"
    """``POST`` where the page's form was posted."""

    @property
    def library(self) -> Library:
        """The library at its newest generation. Raises `LibraryNotFound`."""
        return self.served.library()

    @property
    def config(self) -> ServeConfig:
        """What the server was started with."""
        return self.service.config

    @property
    def empty(self) -> str:
        """What to say of a library that has nothing, and how to fill it from here."""
        if self.config.folders and not self.config.read_only:
            return f"the library {self.served.name} is empty; add a folder on the page Library"
        return f"the library {self.served.name} is empty; add documents with: bookwheel index PATH --library {self.served.path}"


@dataclass(frozen=True, slots=True)
class Page:
    """A page for people, and its ``.json`` twin for programs."""

    path: str
    """``/search``; ``/`` has the twin ``/index.json``."""
    function: Callable[[Any, Asked], View]
    parameters: type
    template: str
    summary: str
    """One sentence, for the OpenAPI document."""
    of_generation: bool = True
    """Whether it shows nothing but what the library holds, so that it has an ETag."""
    post: bool = False
    """Whether the page's form may also be posted (as a form; the twin takes JSON): for what changes something."""
    asks: bool = False
    """Whether it answers questions, which takes longer: it is given the time and the threads of answers."""
    answer: Mapping[str, Any] | None = None
    """The JSON schema of the twin's answer, where there is one; else any object."""

    @property
    def twin(self) -> str:
        """The path of its JSON."""
        return "/index.json" if self.path == "/" else f"{self.path}.json"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Something for programs only."""

    method: str
    path: str
    handler: Callable[[Request, Service, Any], Awaitable[Response]]
    """Gets the request, the service, and the parameters as they were read."""
    parameters: type | None
    """Of the query string for GET and DELETE, of the JSON body for POST; None: the handler reads what it wants itself."""
    summary: str
    answers: str = "application/json"
    """The media type of its answer."""
    streams: bool = False
    """Whether it also answers with server-sent events, where the request asks for that."""
    writes: bool = False
    """Refused by a read-only server, 403."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that runs beside the routes as long as the server does: watching, embedding, MCP over HTTP.

    A maker of one, ``(service) -> Part | None``, is a line of `routes.PARTS`; None where the configuration does not want it.
    """

    name: str
    running: Callable[[], AbstractAsyncContextManager[Any]]
    """Entered when the server starts, left when it stops; what blocks belongs in a thread that ends within two seconds."""
    mounts: Mapping[str, ASGIApp] = field(default_factory=dict)
    """Path to ASGI application, behind the same guards as all else."""
    state: Callable[[], dict[str, Any]] = dict
    """How it is doing, for the library page and the metrics; quick, from any thread."""
