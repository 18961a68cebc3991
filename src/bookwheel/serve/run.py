"""The process around the application: a socket, uvicorn, signals, and an end within seconds."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import BookwheelError, UsageError
from .._http_address import is_loopback
from .config import ServeConfig

if TYPE_CHECKING:
    import uvicorn

    from .service import Service

__all__ = ["Ready", "make_token", "require_packages", "serve"]

SECONDS = 2
"""How long requests that run may go on once the server is to end."""
KEPT = 30
"""Seconds that a connection stays open for another request."""
HEAD = 64 << 10
"""The largest head of a request, in bytes."""
PACKAGES = ("starlette", "uvicorn", "jinja2")


class Ready:
    """What is known once the server listens."""

    def __init__(self, config: ServeConfig, address: str) -> None:
        self.config = config
        self.address = address
        """``http://127.0.0.1:1588``."""

    @property
    def link(self) -> str:
        """What a browser opens; with the token, where there is one."""
        return self.address + (f"/login?token={self.config.token}" if self.config.token else "/")


def require_packages() -> None:
    """Raise `UsageError` where the packages of the extra ``serve`` are not installed."""
    from importlib.util import find_spec

    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise UsageError(f"serving needs {', '.join(missing)}, not installed here; type: pip install 'bookwheel[serve]'")


def make_token() -> str:
    """A new token."""
    return secrets.token_urlsafe(32)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises `UsageError` where that cannot be."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError) as error:
        raise UsageError(f"there is no host {host!r:.100} on this machine ({error}); give one of its addresses") from None
    found = socket.socket(family, kind, number)
    try:
        if os.name == "posix":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(256)
        found.setblocking(False)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"port {port} of {host} is in use by another program; choose another with --port, or --port 0 for any free one"
            ) from None
        if error.errno == errno.EACCES:
            raise UsageError(f"this user may not listen at port {port}; choose one from 1024 up with --port") from None
        raise UsageError(
            f"{host}:{port} cannot be listened at ({error.strerror or error}); choose another --host or --port"
        ) from None
    return found


def address_of(config: ServeConfig, listening: socket.socket) -> str:
    """The address that a browser on this machine opens."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    elif config.host == "localhost":
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(config: ServeConfig, ready: Callable[[Ready], None] = lambda _: None) -> bool:
    """Serve until SIGINT or SIGTERM; call ``ready`` once the server listens. Call it from the main thread.

    Returns whether everything ended in time; where it did not, a thread still works on something that nobody waits for, and
    the process should end by ``os._exit``. Raises `UsageError`.
    """
    require_packages()
    if config.token is None and not is_loopback(config.host):
        config = replace(config, token=make_token())
    listening = listen(config.host, config.port)
    try:
        return _serve(config, listening, ready)
    finally:
        listening.close()


def _serve(config: ServeConfig, listening: socket.socket, ready: Callable[[Ready], None]) -> bool:
    import uvicorn

    from .app import create_app
    from .protocol import protocol

    app = create_app(config)
    kind = _server_class(app.service, lambda: ready(Ready(config, address_of(config, listening))))
    _quiet()
    server = kind(
        uvicorn.Config(
            app,
            http=protocol(config.limits),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEPT,
            timeout_graceful_shutdown=SECONDS,
            h11_max_incomplete_event_size=HEAD,
        )
    )
    threading.Thread(target=_warm, args=(app.service,), name="bookwheel-warm", daemon=True).start()
    asyncio.run(server.serve(sockets=[listening]))
    return app.service.close()


def _server_class(service: Service, started: Callable[[], None]) -> type[uvicorn.Server]:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets=sockets)
            started()

        async def shutdown(self, sockets: Any = None) -> None:
            service.cancel()
            await super().shutdown(sockets=sockets)

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """As uvicorn's, but a signal that was asked for is no death: the process ends with code 0."""
            handlers = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
            try:
                yield
            finally:
                for number, handler in handlers.items():
                    signal.signal(number, handler)

    return Server


def _quiet() -> None:
    """What goes wrong is said on standard error, a line each; requests are not."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("bookwheel: %(message)s"))
    for name, level in (("uvicorn.error", logging.ERROR), ("bookwheel.serve", logging.INFO)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


def _warm(service: Service) -> None:
    """Open the libraries and load the kernels, so that the first search need not wait for it."""
    for one in service.libraries.values():
        with contextlib.suppress(BookwheelError):
            if one.exists and one.library().passage_count:
                one.library().search("bookwheel", 1)


def named(libraries: list[tuple[str, Path]]) -> dict[str, Path]:
    """Names to serve libraries under, of what was given and where it is: of a path its last part; no name twice."""
    import re

    found: dict[str, Path] = {}
    for given, path in libraries:
        name = given if re.fullmatch(r"[\w.-]{1,100}", given, re.ASCII) and given not in (".", "..") else ""
        name = name or re.sub(r"[^A-Za-z0-9._-]+", "-", path.absolute().name).strip("-.")[:90] or "library"
        unused, number = name, 1
        while unused in found:
            number += 1
            unused = f"{name}-{number}"
        found[unused] = path
    return found
