"""The ASGI application: `create_app` puts the routes together and the guards around them."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .._printable import as_json
from .._version import __version__
from .api.metrics import Counted
from .bodies import Bodies
from .config import ServeConfig
from .errors import Refusal, told
from .login import login
from .parameters import parser
from .respond import FOLDER, HTML, JSON, error_body, error_page, error_response, gone, html, json_response, site_of
from .route import Asked, Endpoint, Page
from .security import Doors, Token
from .service import Served, Service
from .work import Call

__all__ = ["App", "create_app"]

NAMED = "GET", "HEAD", "POST", "DELETE"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


def create_app(config: ServeConfig) -> App:
    """The application that serves ``config``; its libraries are opened when they are first asked for."""
    return App(config)


class App:
    """An ASGI application with its `Service`."""

    def __init__(self, config: ServeConfig) -> None:
        from .routes import ENDPOINTS, PAGES, PARTS

        self.service = service = Service(config)
        self.parts = service.parts = [made for part in PARTS if (made := part(service)) is not None]
        self._routes = routes = list[BaseRoute]()
        for page in PAGES:
            routes += _page(page, service)
        routes += [_endpoint(endpoint, service) for endpoint in ENDPOINTS]
        routes += [Route(path, app) for part in self.parts for path, app in part.mounts.items()]
        routes.append(Route("/static/{name}", _static()))

        @contextlib.asynccontextmanager
        async def lifespan(_: Any) -> AsyncIterator[None]:
            async with contextlib.AsyncExitStack() as stack:
                for part in self.parts:
                    await stack.enter_async_context(part.running())
                yield

        inner = Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: self._http_error})
        inner.router.redirect_slashes = False
        inner.state.counted = counted = Counted(inner)
        inner.state.parts = self.parts
        inner.state.registry = PAGES, ENDPOINTS
        form = Bodies(login(config.token or "", lambda: site_of(service)), replace(config.limits, body=4096))
        app: ASGIApp = Token(Bodies(counted, config.limits), config.token, form)
        if config.origins:
            app = CORSMiddleware(
                app, allow_origins=config.origins, allow_methods=NAMED, allow_headers=["authorization", "content-type"]
            )
        self._app = Doors(app, config)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        await self._app(scope, receive, send)

    async def _http_error(self, request: Request, error: Exception) -> Response:
        """What starlette refuses: a path or a method that is none."""
        assert isinstance(error, HTTPException)
        sentences = {
            404: f"there is nothing at {request.url.path[:200]!r}; / is the page, /openapi.json the list of all else",
            405: f"{request.method[:20]} is not for {request.url.path[:200]!r}",
        }
        headers = dict(error.headers or {})
        if error.status_code == 405:  # of all routes with this path; starlette names those of the first
            headers["Allow"] = ", ".join(sorted(self._methods(request.scope)))
        refusal = Refusal(error.status_code, sentences.get(error.status_code, str(error.detail)), headers)
        if "text/html" in request.headers.get("accept", ""):
            return error_page(refusal, site_of(self.service))
        return error_response(refusal)

    def _methods(self, scope: Scope) -> set[str]:
        """The methods that there are for the path of a request."""
        routes = (route for route in self._routes if isinstance(route, Route) and route.methods)
        return {method for route in routes if route.matches(scope)[0] != Match.NONE for method in route.methods or ()}


def tag_of(served: Served) -> str:
    """The ETag of what depends on the library alone. Blocks while the library is opened."""
    library = served.library()
    told = (*library.version, sorted(library.recipes.items()), served.name, __version__, served.since)
    return f'W/"{hashlib.sha256(repr(told).encode()).hexdigest()[:20]}"'


def _page(page: Page, service: Service) -> list[BaseRoute]:
    """The routes of a page and of its twin."""
    reader = parser(page.parameters)
    named = "library" in reader.parameters
    tagged = page.of_generation and named

    async def answer(request: Request, *, twin: bool) -> Response:
        request.scope["bookwheel.route"] = page.twin if twin else page.path
        site = site_of(service)
        try:
            if request.method == "POST":
                body = await request.body()
                asked = reader.json(body) if twin else reader.form(body)
            else:
                asked = reader.query(request.scope["query_string"])
            served = service.served(asked.library if named else "")
            query = request.scope["query_string"].decode("latin-1")
            known = request.headers.get("if-none-match")

            def work(call: Call) -> tuple[bytes, str]:
                tag = tag_of(served) if tagged and served.exists else ""
                if tag and known is not None and tag in known:
                    return b"", tag
                one = Asked(service, served, call, page.path, query, request.method)
                view = page.function(asked, one)
                if twin:
                    return as_json(view.to_dict()).encode(), tag
                return html(page.template, site=site, view=view, asked=asked, page=page, library=served.name), tag

            content, tag = await (service.answer if page.asks else service.run)(work, gone(request))
        except Exception as error:
            return error_response(error) if twin else error_page(error, site)
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"} if tag else {}
        if not content:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=JSON if twin else HTML)

    async def page_of(request: Request) -> Response:
        return await answer(request, twin=False)

    async def twin_of(request: Request) -> Response:
        return await answer(request, twin=True)

    methods = ["GET", "POST"] if page.post else ["GET"]
    return [Route(page.path, page_of, methods=methods), Route(page.twin, twin_of, methods=methods)]


def _endpoint(endpoint: Endpoint, service: Service) -> BaseRoute:
    reader = None if endpoint.parameters is None else parser(endpoint.parameters)

    label = f"{endpoint.method} {endpoint.path}"

    async def answer(request: Request) -> Response:
        request.scope["bookwheel.route"] = label
        try:
            if endpoint.writes and service.config.read_only:
                raise Refusal(403, "this server is read-only: nothing can be added, removed or embedded")
            asked = None
            if reader is not None and endpoint.method == "POST":
                asked = reader.json(await request.body())
            elif reader is not None:
                asked = reader.query(request.scope["query_string"])
            return await endpoint.handler(request, service, asked)
        except Exception as error:
            return error_response(error)

    return Route(endpoint.path, answer, methods=[endpoint.method])


def _static() -> Callable[[Request], Awaitable[Response]]:
    """The static files, all read at the start: no path of a request ever reaches the disk."""
    files = {
        path.name: (path.read_bytes(), KINDS[path.suffix])
        for path in sorted(Path(FOLDER / "static").iterdir())
        if path.suffix in KINDS
    }

    async def answer(request: Request) -> Response:
        try:
            content, kind = files[request.path_params["name"]]
        except KeyError:
            status, sentence, _ = told(Refusal(404, "there is no such file"))
            return json_response(error_body(status, sentence), status)
        tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=kind)

    return answer
