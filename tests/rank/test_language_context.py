"""How long a prompt a server takes is asked of the server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bookwheel.language.remote import CONTEXT, RemoteModel

pytest.importorskip("httpx", reason="httpx is not installed")

Pages = dict[str, Any]
LLAMA: Pages = {
    "/v1/models": {"data": [{"id": "model.gguf", "meta": {"n_ctx_train": 131072}}], "models": [{"name": "model.gguf"}]},
    "/props": {"default_generation_settings": {"n_ctx": 6144}, "total_slots": 1},
}
VLLM: Pages = {"/v1/models": {"data": [{"id": "other", "max_model_len": 1024}, {"id": "tiny", "max_model_len": 32768}]}}
STUDIO: Pages = {
    "/v1/models": {"data": [{"id": "tiny"}, {"id": "other"}]},
    "/api/v0/models": {"data": [{"id": "tiny", "max_context_length": 131072, "loaded_context_length": 8192}]},
}
OLLAMA: Pages = {"/v1/models": {"data": [{"id": "tiny:latest"}, {"id": "other"}]}, "/api/ps": {"models": []}}
SHOWN = {"model_info": {"llama.context_length": 131072}, "parameters": 'stop "<|end|>"\nnum_ctx                        16384'}
CASES: dict[str, tuple[Pages, int]] = {
    "llama.cpp": (LLAMA, 6144),
    "vLLM": (VLLM, 32768),
    "LM Studio": (STUDIO, 8192),
    "Ollama, loaded": ({**OLLAMA, "/api/ps": {"models": [{"name": "tiny:latest", "context_length": 12288}]}}, 12288),
    "Ollama, by its Modelfile": ({**OLLAMA, "/api/show": SHOWN}, 16384),
    "Ollama, its own setting": ({**OLLAMA, "/api/show": {"model_info": {"llama.context_length": 131072}}}, CONTEXT),
    "silent": ({}, CONTEXT),
    "nonsense": (
        {"/v1/models": {"data": [{"id": "tiny", "max_model_len": "many"}]}, "/props": [1], "/api/ps": b"<html>"},
        CONTEXT,
    ),
    "of no use": ({"/v1/models": {"data": [{"id": "tiny", "max_model_len": True, "context_length": 3}]}}, CONTEXT),
    "of others": ({"/v1/models": {"data": [{"id": "a", "max_model_len": 999}, {"id": "b", "max_model_len": 999}]}}, CONTEXT),
}


class Server:
    """Serves ``pages``, each by its path; anything else is not found."""

    def __init__(self) -> None:
        self.pages: Pages = {}
        self.seen: list[str] = []
        self.wait = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append(f"{self.command} {self.path}")
                time.sleep(outer.wait)
                page = outer.pages.get(self.path)
                data = page if isinstance(page, bytes) else json.dumps(page).encode()
                self.send_response(404 if page is None else 200)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                with suppress(ConnectionError):  # who asked may wait no longer
                    self.wfile.write(data)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("bookwheel.language.server_context.WAIT", 10.0)  # a busy machine
    made = Server()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize(("pages", "context"), CASES.values(), ids=CASES)
def test_each_kind_of_server_is_asked_in_its_own_way(server: Server, pages: Pages, context: int) -> None:
    server.pages = pages
    model = RemoteModel(f"{server.base}#tiny")
    assert model.context == context
    asked = len(server.seen)
    assert model.context == context
    assert len(server.seen) == asked, "it is asked once"
    assert "POST /api/show" not in server.seen or "/api/ps" in pages, "only Ollama is sent anything"


def test_a_server_that_stalls_costs_a_second_and_is_asked_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bookwheel.language.server_context.WAIT", 0.2)
    server.pages, server.wait = VLLM, 0.6
    model = RemoteModel(f"{server.base}#tiny")
    began = time.monotonic()
    assert model.context == CONTEXT
    assert time.monotonic() - began < 0.6
    server.wait = 0.0
    monkeypatch.setattr("bookwheel.language.server_context.WAIT", 5.0)
    assert model.context == 32768


def test_a_host_that_is_not_allowed_is_not_asked(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("BOOKWHEEL_HOME", str(tmp_path))
    server.pages = VLLM
    assert (
        RemoteModel(
            f"{server.base.replace('127.0.0.1', 'localhost.invalid').replace('http:', 'https:')}#tiny", trusted=False
        ).context
        == CONTEXT
    )
    assert server.seen == []
