"""`/login`: a browser shows the token once, and gets a cookie."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from .respond import HTML, Site, html
from .security import COOKIE, cookie_of, token_in

__all__ = ["login"]

AGE = 30 * 86400
"""Seconds that the cookie is kept."""


def login(token: str, site: Callable[[], Site]) -> ASGIApp:
    """The page that asks for the token. ``/login?token=…``, which `bookwheel serve` prints, shows it at once."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        asked = request.url.path == "/login"
        given = ""
        if asked and request.method == "POST":
            given = token_in((await request.body()).decode("utf-8", "replace"))
        elif asked and request.method in ("GET", "HEAD"):
            given = token_in(request.url.query)
        response: Response
        if given and _same(given, token):
            response = RedirectResponse("/", 303)
            response.set_cookie(COOKIE, cookie_of(token), max_age=AGE, httponly=True, samesite="strict", path="/")
        else:
            wrong = "this is not the token; it was printed when the server was started" if given else ""
            response = Response(html("login.html", site=site(), wrong=wrong), 401, media_type=HTML)
        await response(scope, receive, send)

    return answer


def _same(given: str, token: str) -> bool:
    import hmac

    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())
