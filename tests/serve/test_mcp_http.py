"""MCP over HTTP: a real server on a real port, asked by the official SDK's client in both eras, and by who may not."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import bookwheel

pytest.importorskip("mcp", reason="the extra mcp is not installed")
uvicorn = pytest.importorskip("uvicorn", reason="the extra serve is not installed")
from mcp import Client  # noqa: E402

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    from bookwheel.serve.app import create_app
    from bookwheel.serve.config import ServeConfig

    folder = tmp_path_factory.mktemp("http")
    for name in ("birds", "ships"):
        with bookwheel.open(folder / name, create=True, encoder=None) as library:
            library.add([{"id": f"{name} {n}", "text": f"The document number {n} of the {name}."} for n in range(9)])
    app = create_app(ServeConfig({"birds": folder / "birds", "ships": folder / "ships"}))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.02)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(20)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_the_sdk_s_client_is_served_in_both_eras(port: int, mode: str) -> None:
    async def session(path: str) -> tuple[str, dict[str, Any]]:
        async with Client(f"http://127.0.0.1:{port}{path}", mode=mode, read_timeout_seconds=60) as client:
            assert len((await client.list_tools()).tools) == 6
            found = await client.call_tool("search", {"query": "document number 3"})
            wrong = await client.call_tool("search", {"text": "x"})
            assert wrong.is_error
            assert "no parameter 'text'" in wrong.content[0].text
            return client.protocol_version, found.structured_content

    version, found = asyncio.run(session("/mcp"))
    assert version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
    assert found["results"][0]["id"] == "birds 3@0"
    assert found["results"][0]["url"].startswith(f"http://127.0.0.1:{port}/")
    page = found["results"][0]["url"].removeprefix(f"http://127.0.0.1:{port}")
    status, told = ask(port, "GET", page, Accept="text/html")
    assert status == 200
    assert b"document number 3" in told.lower()
    _, found = asyncio.run(session("/mcp/ships"))
    assert found["results"][0]["id"] == "ships 3@0"


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    given = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(connection):
        connection.request(method, path, body, given)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_the_guards_of_the_server_stand_before_it(port: int) -> None:
    body = json.dumps(INITIALIZE).encode()
    assert ask(port, "POST", "/mcp", body)[0] == 200
    assert ask(port, "POST", "/mcp", body, Host="evil.example")[0] == 421
    assert ask(port, "POST", "/mcp", body, Origin="https://evil.example")[0] == 403
    assert ask(port, "POST", "/mcp", body, Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(port, "GET", "/mcp")[0] == 405
    assert ask(port, "DELETE", "/mcp")[0] == 405
    assert ask(port, "POST", "/mcp/..%2f..%2fetc", body)[0] == 404
    assert ask(port, "POST", "/mcp/nothing", body)[0] == 404
    assert ask(port, "POST", "/mcp", b"x" * (5 << 20))[0] == 413


def test_odd_bodies_are_refused_without_a_trace(port: int) -> None:
    deep = (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":'
        + b'{"a":' * 5000
        + b"1"
        + b"}" * 5002
    )
    for body in (b"", b"nonsense", b"[]", b"\xff\xfe", deep, b'{"jsonrpc":"2.0","id":{},"method":[]}'):
        status, told = ask(port, "POST", "/mcp", body)
        assert 400 <= status < 500, (status, told)
        assert b"Traceback" not in told
        assert b'File "' not in told


def test_without_the_sdk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from bookwheel.serve.config import ServeConfig
    from bookwheel.serve.mcp.http import mcp_part
    from bookwheel.serve.service import Service

    monkeypatch.setitem(sys.modules, "mcp.server.runner", None)
    part = mcp_part(Service(ServeConfig({"a": tmp_path})))
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(part.mounts["/mcp"]({"method": "POST"}, None, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 501
    assert b"bookwheel[mcp]" in sent[1]["body"]
    assert "bookwheel[mcp]" in part.state()["problem"]


def test_the_sdk_is_imported_by_the_first_request_and_not_before(tmp_path: Path) -> None:
    code = f"""
import sys
from starlette.testclient import TestClient
from bookwheel.serve.app import create_app
from bookwheel.serve.config import ServeConfig
app = create_app(ServeConfig({{"a": __import__("pathlib").Path({str(tmp_path / "a")!r})}}))
with TestClient(app, base_url="http://localhost") as client:
    assert client.get("/openapi.json").status_code == 200
    assert client.get("/mcp").status_code == 405
    assert not [name for name in sys.modules if name.partition(".")[0] in ("mcp", "mcp_types", "pydantic")]
    told = client.post("/mcp", json={INITIALIZE!r}, headers={{"Accept": "application/json, text/event-stream"}})
    assert told.json()["result"]["serverInfo"]["name"] == "bookwheel-a"
    assert "mcp" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
