"""`GET /metrics`: counts for Prometheus, in its text format."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..._errors import BookwheelError
from ..._system import anonymous_bytes
from ..._version import __version__
from ..respond import gone
from ..service import Service
from ..work import Call

__all__ = ["Counted", "metrics"]

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds: upper bounds of the buckets of durations."""
KIND = "text/plain; version=0.0.4; charset=utf-8"


class Counted:
    """ASGI middleware that counts answers by route and status, and their durations by route.

    The route is what it is called in the registry (``bookwheel.route`` of the scope), never what a client wrote: the number of
    rows is bounded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.answers: Counter[tuple[str, int]] = Counter()
        self.buckets: dict[str, list[int]] = {}
        self.seconds: Counter[str] = Counter()
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 499
        began = time.perf_counter()

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self.running += 1
        try:
            await self.app(scope, receive, seen)
        finally:
            self.running -= 1
            took = time.perf_counter() - began
            route = scope.get("bookwheel.route", "other")
            self.answers[route, status] += 1
            self.seconds[route] += took  # type: ignore[assignment]
            if route not in self.buckets:
                self.buckets[route] = [0] * (len(BOUNDS) + 1)
            self.buckets[route][bisect_left(BOUNDS, took)] += 1


async def metrics(request: Request, service: Service, asked: Any) -> Response:
    """All counts."""
    counted: Counted = request.app.state.counted
    parts: list[Any] = request.app.state.parts

    def work(_: Call) -> str:
        return "\n".join([*_requests(counted), *_state(service), *_parts(parts), ""])

    return Response(await service.run(work, gone(request)), media_type=KIND)


def _requests(counted: Counted) -> Iterator[str]:
    yield from _head("bookwheel_requests_total", "counter", "Answers by route and status.")
    for (route, status), count in sorted(counted.answers.items()):
        yield _line("bookwheel_requests_total", count, route=route, status=str(status))
    name = "bookwheel_request_seconds"
    yield from _head(name, "histogram", "Durations of requests.")
    for route, buckets in sorted(counted.buckets.items()):
        total = 0
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), buckets, strict=True):
            total += count
            yield _line(f"{name}_bucket", total, route=route, le=bound)
        yield _line(f"{name}_sum", counted.seconds[route], route=route)
        yield _line(f"{name}_count", total, route=route)
    yield from _head("bookwheel_requests_running", "gauge", "Requests that are being answered.")
    yield _line("bookwheel_requests_running", counted.running)


def _state(service: Service) -> Iterator[str]:
    yield from _head("bookwheel_info", "gauge", "The version.")
    yield _line("bookwheel_info", 1, version=__version__)
    yield from _head("bookwheel_start_time_seconds", "gauge", "When the server was started, in seconds since 1970.")
    yield _line("bookwheel_start_time_seconds", service.started)
    yield from _head("bookwheel_work", "gauge", "Requests at work or waiting, by pool, and how many each takes.")
    for name, pool in service.pools.items():
        yield _line("bookwheel_work", pool.active, pool=name, state="active")
        yield _line("bookwheel_work", pool.threads, pool=name, state="threads")
        yield _line("bookwheel_work", pool.threads + pool.waiting, pool=name, state="most")
    if (held := anonymous_bytes()) is not None:
        yield from _head("bookwheel_anonymous_bytes", "gauge", "Memory of the process that counts against its budget.")
        yield _line("bookwheel_anonymous_bytes", held)
    if service.config.ram is not None:
        yield from _head("bookwheel_ram_bytes", "gauge", "The budget.")
        yield _line("bookwheel_ram_bytes", service.config.ram)
    rows: dict[str, list[str]] = {name: [] for name in ("documents", "passages", "generation")}
    embedded: list[str] = []
    for one in service.libraries.values():
        try:
            library = one.library()
            values = {"documents": library.document_count, "passages": library.passage_count, "generation": library.generation}
            encoders = library.encoders()
        except BookwheelError:
            continue
        for name, value in values.items():
            rows[name].append(_line(f"bookwheel_library_{name}", value, library=one.name))
        embedded += [
            _line("bookwheel_library_embedded_passages", encoder.embedded, library=one.name, encoder=encoder.name)
            for encoder in encoders
        ]
    for name, lines in rows.items():
        yield from _head(f"bookwheel_library_{name}", "gauge", f"The {name} of each library.")
        yield from lines
    if embedded:
        yield from _head("bookwheel_library_embedded_passages", "gauge", "Passages embedded by each encoder that was added.")
        yield from embedded


def _parts(parts: list[Any]) -> Iterator[str]:
    """The numbers in the state of what runs in the background."""
    found = [(part.name, key, value) for part in parts for key, value in part.state().items()]
    numbers = [(name, key, value) for name, key, value in found if isinstance(value, int | float)]
    if numbers:
        yield from _head("bookwheel_part", "gauge", "The state of what runs beside requests.")
        yield from (_line("bookwheel_part", float(value), part=name, key=key) for name, key, value in numbers)


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"


def _line(metric: str, value: float, **labels: str) -> str:
    return f"{metric}{_labels(labels)} {value:.17g}"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    quoted = {key: value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for key, value in labels.items()}
    return "{" + ",".join(f'{key}="{value}"' for key, value in quoted.items()) + "}"
