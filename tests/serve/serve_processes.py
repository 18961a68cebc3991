"""Real servers for tests: `bookwheel serve` in a process of its own, and a language model that a test watches."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

__all__ = ["Running", "slow_model", "started"]

SECONDS = 60


class Running:
    """A server process."""

    def __init__(self, process: subprocess.Popen[str], told: Mapping[str, object]) -> None:
        self.process = process
        self.told = told
        self.url = str(told["url"])
        self.port = int(self.url.rpartition(":")[2])
        self.client = httpx.Client(base_url=self.url, trust_env=False, timeout=SECONDS)

    def get(self, path: str, **options) -> httpx.Response:
        return self.client.get(path, **options)

    def post(self, path: str, body: object = None, **options) -> httpx.Response:
        return self.client.post(path, json=body, **options)

    def raw(self, request: bytes, seconds: float = 20.0, pause: float = 0.0) -> bytes:
        """What comes back for these bytes, sent as they are; ``pause`` seconds between any two of them."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            try:
                if pause:
                    for byte in request:
                        connection.sendall(bytes([byte]))
                        time.sleep(pause)
                else:
                    connection.sendall(request)
            except OSError:  # it has answered, and closed
                pass
            found = b""
            try:
                while piece := connection.recv(65536):
                    found += piece
            except OSError:
                pass
            return found

    def stop(self, number: int = signal.SIGTERM, seconds: float = 15.0) -> tuple[int, float, str]:
        """End it; exit code, seconds that it took, and what it wrote on standard error."""
        self.client.close()
        began = time.monotonic()
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=seconds)
        return self.process.returncode, time.monotonic() - began, errors


@contextmanager
def started(*arguments: str, environment: Mapping[str, str], ready: bool = True) -> Iterator[Running]:
    """`bookwheel serve --port 0 --json ARGUMENTS`."""
    command = [sys.executable, "-m", "bookwheel", "serve", "--port", "0", "--json", *arguments]
    running: Running | None = None
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}, bufsize=1
    )
    try:
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], SECONDS)
        line = process.stdout.readline() if readable else ""
        if not line:
            process.kill()
            raise AssertionError(f"the server did not start: {process.communicate()[1]}")
        running = Running(process, json.loads(line))
        yield running
    finally:
        if running is not None:
            running.client.close()
        if process.poll() is None:
            process.terminate()
            try:
                process.communicate(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


class SlowModel:
    """A language model on a server that speaks the OpenAI protocol, and knows whether its client went away."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.left = threading.Event()
        self.requests: list[dict] = []
        self.silent = True
        """Whether it says nothing at all; else a word every twentieth of a second."""


@contextmanager
def slow_model() -> Iterator[tuple[str, SlowModel]]:
    """Its name for ``--model``, and what it saw."""
    model = SlowModel()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            model.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.connection.settimeout(0.05)
            model.asked.set()
            if not model.silent:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
            until = time.monotonic() + 30
            while time.monotonic() < until:
                try:
                    if self.connection.recv(1) == b"":
                        model.left.set()
                        return
                except TimeoutError:
                    pass
                except OSError:
                    model.left.set()
                    return
                if not model.silent:
                    piece = json.dumps({"choices": [{"delta": {"content": "word "}}]})
                    try:
                        self.wfile.write(f"data: {piece}\n\n".encode())
                    except OSError:
                        model.left.set()
                        return

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1#slow", model
    finally:
        server.shutdown()
        server.server_close()


def library_of(path: Path, texts: list[tuple[str, str]]) -> None:
    import bookwheel

    with bookwheel.open(path, create=True) as library:
        library.add([{"id": name, "title": name, "text": text, "year": 2000 + at % 5} for at, (name, text) in enumerate(texts)])
