"""Who may ask: every request of every route passes here first, pages, static files, metrics and MCP alike.

- The Host header must be a name of this server: a page of another site that had its name point here (DNS rebinding) is told 421.
- What another site's page sends is refused (403): by its Origin, and by Sec-Fetch-Site where a browser tells no origin. Only
  plain links to pages may come from elsewhere. Origins that the server was started with are let in (CORS).
- Where there is a token, it is compared in constant time: as ``Authorization: Bearer TOKEN``, or in a browser by a cookie that
  `/login` sets. The cookie is made of the token, and does not give it away.
- Every answer says that nothing in it is to be run, framed, sniffed or sent elsewhere; none has a traceback.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import socket
from collections.abc import Iterable, Iterator
from hashlib import sha256
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .._http_address import is_loopback
from .bodies import answer
from .config import ServeConfig, is_origin

__all__ = ["COOKIE", "Doors", "Token", "cookie_of"]

logger = logging.getLogger("bookwheel.serve")
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
WILD = ("0.0.0.0", "::")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # Nothing to other sites. With no-referrer, browsers would also hide the Origin of our own forms.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
RESOURCE = (b"cross-origin-resource-policy", b"same-origin")
SAFE = frozenset({"GET", "HEAD"})
COOKIE = "bookwheel"
OPEN = frozenset({"/health"})
"""What is answered without a token: it says nothing of any library."""


def _single(scope: Scope, name: bytes) -> str | None:
    """A header that may be there once; None without it. Raises `ValueError` where it is there twice."""
    found = [value for key, value in scope["headers"] if key == name]
    if len(found) > 1:
        raise ValueError(name.decode())
    return found[0].decode("latin-1") if found else None


def _name_of(host: str) -> str | None:
    """The host name of a Host header, in lower case and without its port; None for what is none."""
    name, colon, port = host.strip().lower().partition("]") if host.startswith("[") else host.strip().lower().rpartition(":")
    if host.startswith("["):
        name, port = f"{name}]", port.removeprefix(":") if port else ""
        colon = "]"
    elif not colon:
        name, port = port, ""
    if port and not (port.isascii() and port.isdigit()):
        return None
    return name.removesuffix(".") or None


class Doors:
    """ASGI middleware: the checks of host and origin, and the headers of every answer. The outermost one."""

    def __init__(self, app: ASGIApp, config: ServeConfig) -> None:
        self.app = app
        self.origins = frozenset(config.origins)
        names = {*config.hosts, *LOOPBACK}
        if not is_loopback(config.host):
            own = socket.gethostname().lower()
            names |= {own, f"{own}.local"}
        self.any_address = not is_loopback(config.host)
        """An address, unlike a name, cannot be made to point here by anybody else."""
        if config.host not in WILD:
            names.add(f"[{config.host}]" if ":" in config.host else config.host)
        self.names = frozenset(name.lower().removesuffix(".") for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no WebSocket is offered: the server closes it
        started = False

        async def secured(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                given = message["headers"]
                present = {name for name, _ in given}
                headers = [*given, *(pair for pair in HEADERS if pair[0] not in present)]
                if b"access-control-allow-origin" not in present:
                    headers.append(RESOURCE)
                if b"cache-control" not in present:
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
            await send(message)

        if (refused := self.refused(scope)) is not None:
            await answer(secured, *refused)
            return
        try:
            await self.app(scope, receive, secured)
        except Exception as error:
            logger.error("a request failed unexpectedly", exc_info=error)
            if not started:
                await answer(secured, 500, "something went wrong inside the server, which its log tells; please report it")

    def refused(self, scope: Scope) -> tuple[int, str] | None:
        """Status and sentence for a request that is not let in."""
        try:
            host, origin = _single(scope, b"host"), _single(scope, b"origin")
            site = _single(scope, b"sec-fetch-site")
        except ValueError as error:
            return 400, f"the header {error} is there more than once"
        if not host or (name := _name_of(host)) is None:
            return 400, "the request names no host"
        if name not in self.names and not (self.any_address and _is_address(name)):
            return 421, (
                f"this server does not answer as {name!r:.100}; if it is to, start it with: bookwheel serve --host-name {name:.100}"
            )
        if origin is not None:
            if origin.lower() in self.origins:
                return None
            scheme, _, place = origin.lower().partition("://")
            if scheme not in ("http", "https") or place != host.strip().lower():
                advice = f"; if it is to, start it with --origin {origin:.100}" if is_origin(origin) else ""
                return 403, f"a page of {origin!r:.100} may not ask this server{advice}"
        if site in ("cross-site", "same-site"):
            fetched = {key: value for key, value in scope["headers"] if key in (b"sec-fetch-mode", b"sec-fetch-dest")}
            link = fetched.get(b"sec-fetch-mode") == b"navigate" and fetched.get(b"sec-fetch-dest") in (b"document", None)
            if scope["method"] not in SAFE or not link:
                return 403, "a page of another site may not ask this server"
        return None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _cookies(headers: Iterable[bytes], name: bytes) -> Iterator[bytes]:
    """The values of the cookies called ``name``.

    The header is taken apart as browsers put it together (RFC 6265, 5.4): a browser sends what any program on the same host has
    set, at any port, in any form. `http.cookies` reads only up to the first pair that it finds odd.
    """
    for header in headers:
        for pair in header.split(b";"):
            found, _, value = pair.partition(b"=")
            if found.strip() == name:
                yield value.strip()


def cookie_of(token: str) -> str:
    """What a browser that showed ``token`` keeps instead of it."""
    return hmac.new(token.encode(), b"bookwheel cookie", sha256).hexdigest()


class Token:
    """ASGI middleware: lets in who shows the token. Without a token everybody is let in whom `Doors` let in."""

    def __init__(self, app: ASGIApp, token: str | None, login: ASGIApp) -> None:
        self.app, self.login = app, login
        """``login`` answers what is at `/login`, and browsers that show no token."""
        self.token = None if token is None else token.encode()
        self.cookie = b"" if token is None else cookie_of(token).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http" or self.token is None:
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path == "/login":
            await self.login(scope, receive, send)
        elif path in OPEN or path.startswith("/static/") or self.shown(scope):
            await self.app(scope, receive, send)
        elif scope["method"] in SAFE and b"text/html" in b"".join(v for k, v in scope["headers"] if k == b"accept"):
            await self.login(scope, receive, send)
        else:
            challenge = [(b"www-authenticate", b'Bearer realm="bookwheel"')]
            await answer(send, 401, "this server needs its token, as in the header Authorization: Bearer TOKEN", challenge)

    def shown(self, scope: Scope) -> bool:
        """Whether the request shows the token."""
        try:
            given = _single(scope, b"authorization")
        except ValueError:
            return False
        if given is not None:
            kind, _, value = given.partition(" ")
            return kind.lower() == "bearer" and self.right(value.strip())
        cookies = [value for name, value in scope["headers"] if name == b"cookie"]
        return any(hmac.compare_digest(value, self.cookie) for value in _cookies(cookies, COOKIE.encode()))

    def right(self, token: str) -> bool:
        """Whether it is the token, in a time that does not depend on where it differs."""
        return self.token is not None and hmac.compare_digest(token.encode("utf-8", "replace"), self.token)


def token_in(text: str) -> str:
    """The token in a query string or form, for `/login`; none where there are more fields than such a form has."""
    try:
        return (parse_qs(text, max_num_fields=10).get("token") or [""])[0].strip()
    except ValueError:
        return ""
