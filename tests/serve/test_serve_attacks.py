"""Attacks on a real server: each is refused, whatever the route, and none learns anything."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from serve_processes import Running

from bookwheel.serve.config import Limits, ServeConfig
from bookwheel.serve.routes import ENDPOINTS, PAGES

ROUTES = sorted(
    {("GET", page.path) for page in PAGES}
    | {("GET", page.twin) for page in PAGES}
    | {(one.method, one.path) for one in ENDPOINTS}
    | {("GET", "/static/page.css"), ("GET", "/login"), ("GET", "/nothing"), ("POST", "/mcp"), ("GET", "/mcp")}
)
LEAKS = ("Traceback", 'File "', "site-packages", "bookwheel/serve", "root:x:", "starlette", "uvicorn")


def safe(response: httpx.Response) -> None:
    """No answer says anything of the server's inside, and each says what browsers must not do with it."""
    assert response.status_code < 500, response.text
    for leak in LEAKS:
        assert leak not in response.text, leak
    assert response.headers["x-content-type-options"] == "nosniff"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["referrer-policy"] == "same-origin"
    assert "access-control-allow-origin" not in response.headers
    assert "server" not in response.headers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:1588", "127.0.0.1.evil.example", "localhost.evil", "0x7f.1", "[::2]"]
)
def test_a_name_that_points_here_is_no_name_of_the_server_on_any_route(server: Running, host: str) -> None:
    for method, path in ROUTES:
        told = server.client.request(method, path, headers={"Host": host})
        assert told.status_code == 421, (method, path)
        safe(told)
        assert "<html" not in told.text


def test_pages_of_other_sites_may_ask_nothing_on_any_route(server: Running) -> None:
    own = server.url
    for method, path in ROUTES:
        for origin in ("http://evil.example", "null", "http://localhost:9", own.replace("http:", "https:") + "0", "file://"):
            told = server.client.request(method, path, headers={"Origin": origin})
            assert told.status_code == 403, (method, path, origin)
            safe(told)
        fetched = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
        assert server.client.request(method, path, headers=fetched).status_code == 403, (method, path)
        framed = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
        assert server.client.request(method, path, headers=framed).status_code == 403, (method, path)
    form = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert server.post("/documents", {"documents": [{"text": "x"}]}, headers=form).status_code == 403
    # A link to a page is no attack, and neither is the server's own page.
    assert server.get("/", headers=form).status_code == 200
    assert (
        server.post("/search", {"query": "file"}, headers={"Origin": own, "Sec-Fetch-Site": "same-origin"}).status_code == 200
    )
    assert server.client.options("/search", headers={"Origin": "http://evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/static/../config.py",
        "/static/..%2fconfig.py",
        "/static/%2e%2e/config.py",
        "/static/%2e%2e%2fconfig.py",
        "/static/..%252fconfig.py",
        "/static/..%5cconfig.py",
        "/static/%c0%ae%c0%ae/config.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/page.css%00.py",
        "/static/page.css/..",
        "//etc/passwd",
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/search.json/../../etc/passwd",
        "//evil.example/%2e%2e",
    ],
)
def test_no_path_leads_out(server: Running, path: str) -> None:
    answer = server.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400")), head
    assert b"location" not in head.lower()
    assert b"dataclass" not in body
    assert b"root:" not in body


def test_only_documents_of_the_library_can_be_read(server: Running) -> None:
    for name in ("/etc/passwd", "../../../etc/passwd", "file:///etc/passwd", "manifest.json", "\\\\host\\share"):
        told = server.get("/documents", params={"id": name})
        assert told.status_code == 404, name
        safe(told)
    for paths in (["/etc"], ["/etc/passwd"], ["."], ["-"], ["http://evil.example/"], ["/work/../etc"]):
        told = server.post("/documents", {"paths": paths})
        assert told.status_code == 400, paths
        assert "may index" in told.text


def test_a_link_out_of_a_folder_that_may_be_indexed_is_not_followed(tmp_path, environment) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "text.txt").write_text(f"A zebra is {folder.name}.")
    (inside / "link.txt").symlink_to(outside / "text.txt")
    (inside / "folder").symlink_to(outside)
    from starlette.testclient import TestClient

    from bookwheel.serve.app import create_app

    config = ServeConfig({"docs": tmp_path / "docs"}, folders=(inside,), limits=Limits(body=10_000, batch=3, k=5))
    with TestClient(create_app(config), base_url="http://localhost") as client:
        for path in (
            outside,
            inside / "folder",
            inside / "link.txt",
            inside / ".." / "outside",
            f"{inside}/../outside/text.txt",
        ):
            assert client.post("/documents", json={"paths": [str(path)]}).status_code == 400, path
        done = client.post("/documents", json={"paths": [str(inside)]})
        assert done.json()["added"] == 1, done.text
        found = client.get("/search.json", params={"q": "zebra"}).json()["results"]
        assert [one["text"] for one in found] == ["A zebra is inside."]
        # What one request may ask for is bounded.
        assert client.post("/search", json={"queries": ["a"] * 4}).status_code == 400
        assert client.post("/search", json={"query": "a", "k": 6}).status_code == 400
        assert client.post("/v1/embeddings", json={"input": ["a"] * 4}).status_code == 400
        assert client.post("/search", content=b'{"query": "' + b"a" * 10_000 + b'"}').status_code == 413


def test_a_body_that_is_too_large_is_refused_before_it_is_read_and_in_chunks_too(server: Running) -> None:
    head = "POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    declared = server.raw(f"{head}Content-Length: 99999999999\r\n\r\n{{".encode())
    assert declared.startswith(b"HTTP/1.1 413"), declared
    chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    chunked = server.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * (Limits().body // 0x10000 + 1))
    assert chunked.startswith(b"HTTP/1.1 413"), chunked[:100]
    assert server.get("/health").status_code == 200
    nested = server.client.post("/search", content=b"[" * 100_000)
    assert nested.status_code == 400
    deep = server.client.post(
        "/documents", content=b'{"documents": [{"text": "a", "deep": ' + b'{"a":' * 900 + b"1" + b"}" * 902 + b"}"
    )
    safe(deep)
    assert server.client.post("/search", content=b'{"query": "a", "k": ' + b"9" * 5000 + b"}").status_code == 400


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}   ",
        b"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        b"POST /search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\n{}",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\nHost: localhost\r\nX: \x0d\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\x00" * 100 + b"\r\n\r\n",
    ],
)
def test_requests_that_two_readers_would_read_differently_are_refused(server: Running, request_: bytes) -> None:
    answer = server.raw(request_, seconds=5)
    assert answer.startswith(b"HTTP/1.1 4") or answer == b"", answer[:200]
    assert b"Traceback" not in answer
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert server.get("/health").status_code == 200


def test_no_parameter_makes_the_server_ask_an_address_or_read_a_file(server: Running, tmp_path) -> None:
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    target = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=target.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{target.server_address[1]}/v1#m"
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("{query}")
    try:
        recipes = [
            f'bm25 >> cross(model="{address}")',
            f'bm25 >> listwise(model="{address}")',
            f'rewrite(model="{address}") >> bm25',
            f'rewrite(prompt="{prompt}") >> bm25',
            f'expand(model="{address}") >> bm25',
            f'bm25 >> likelihood(model="{address}")',
            f'rrf(bm25, bm25 >> listwise(model="{address}"))',
            'bm25 >> cross(model="/etc")',
            "rewrite() >> bm25",
        ]
        for recipe in recipes:
            for told in (
                server.get("/search.json", params={"q": "file", "recipe": recipe}),
                server.post("/search", {"query": "file", "recipe": recipe}),
                server.post("/ask", {"question": "file", "recipe": recipe}),
            ):
                assert told.status_code == 400, recipe
                safe(told)
        assert "model" in server.post("/ask", {"question": "file", "model": address}).text
        for body in ({"question": "file", "model": address}, {"question": "file", "method": address}):
            assert server.post("/ask", body).status_code == 400
        message = {"messages": [{"role": "user", "content": f"Read {address} and {address}"}]}
        assert server.post("/v1/chat/completions", message).status_code == 200
        assert server.post("/v1/chat/completions", {**message, "model": address}).status_code in (400, 404)
        assert server.post("/v1/embeddings", {"input": "a", "model": address}).status_code in (400, 404)
        assert server.post("/search", {"query": "file", "library": address}).status_code in (400, 404)
        assert server.post("/embed", {"names": [address]}).status_code == 400
        assert asked == []
    finally:
        target.shutdown()
        target.server_close()


def test_what_goes_wrong_inside_is_not_told(tmp_path, monkeypatch) -> None:
    from starlette.testclient import TestClient

    from bookwheel.serve.app import create_app
    from bookwheel.serve.service import Served

    def broken(self: object, **_: object) -> None:
        raise RuntimeError("the secret is at /home/ada/secret.txt")

    monkeypatch.setattr(Served, "library", broken)
    monkeypatch.setattr(Served, "exists", True)
    with TestClient(create_app(ServeConfig({"docs": tmp_path})), base_url="http://localhost") as client:
        for told in (
            client.get("/search", params={"q": "a"}),
            client.get("/search.json", params={"q": "a"}),
            client.post("/search", json={"query": "a"}),
            client.post("/ask", json={"question": "a"}, headers={"Accept": "text/event-stream"}),
        ):
            assert told.status_code == 500
            assert "secret" not in told.text
            assert "Runtime" not in told.text
            assert "report it" in told.text


def test_what_is_slow_or_too_much_is_ended(served_library, environment, serve_home, monkeypatch) -> None:
    """Slow heads, slow bodies, too many requests and too many connections, with small limits."""
    import asyncio

    import uvicorn

    from bookwheel.serve.app import create_app
    from bookwheel.serve.protocol import protocol

    limits = Limits(head_seconds=1.0, body_seconds=1.0, threads=1, waiting=1, connections=20, seconds=2.0)
    app = create_app(ServeConfig({"docs": served_library}, limits=limits))
    app.service.served().library().search("file", 1)
    config = uvicorn.Config(
        app, http=protocol(limits), ws="none", lifespan="on", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        port = listening.getsockname()[1]
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
        thread.start()
        try:
            while not server.started:
                time.sleep(0.02)

            def raw(request: bytes, each: float) -> tuple[bytes, float]:
                began = time.monotonic()
                with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
                    connection.settimeout(each)
                    found = b""
                    for at in range(len(request)):
                        try:
                            connection.sendall(request[at : at + 1])
                            piece = connection.recv(4096)
                            found += piece
                            if not piece:
                                break
                        except TimeoutError:
                            continue
                        except OSError:
                            break
                    return found, time.monotonic() - began

            _, seconds = raw(b"GET /search.json?q=" + b"a" * 10_000, 0.05)
            assert seconds < 10, "a head may take for ever"
            head = b"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n"
            with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
                connection.sendall(head + b"{")
                answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 408"), answer

            # One thread, one that waits: the third is told to come again, and so is what takes too long.
            hold = threading.Event()
            app.service.pool.start(lambda call: hold.wait(20), 20)
            app.service.pool.start(lambda call: None, 20)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as client:
                busy = client.get("/search.json?q=file")
                assert busy.status_code == 503
                assert int(busy.headers["retry-after"]) >= 1
                hold.set()
                while app.service.pool.active:
                    time.sleep(0.01)
                again = threading.Event()
                app.service.pool.start(lambda call: again.wait(20), 20)
                slow = client.get("/search.json?q=file")
                assert slow.status_code == 503
                assert "longer than 2 s" in slow.json()["error"]["message"]
                again.set()
                while app.service.pool.active:
                    time.sleep(0.01)
                assert client.get("/search.json?q=file").status_code == 200
                # A writer that is at work keeps those that write, not those that search; nor does a model that takes its time.
                model, asking = threading.Event(), app.service.answering
                for _ in range(asking.threads):
                    asking.start(lambda call: model.wait(20), 20)
                document = {"documents": [{"id": "later", "text": "A later zebra."}]}

                def add() -> None:
                    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as writer:
                        added.append(writer.post("/documents", json=document).status_code)

                added: list[int] = []
                writers = [threading.Thread(target=add) for _ in range(app.service.writing.threads)]
                with app.service.served()._writing:
                    for writer in writers:
                        writer.start()
                    until = time.monotonic() + 10
                    while app.service.writing.active < len(writers) and time.monotonic() < until:
                        time.sleep(0.01)
                    assert client.get("/search.json?q=file").status_code == 200
                model.set()
                for writer in writers:
                    writer.join()
                assert added == [200] * len(writers)
                assert client.delete("/documents", params={"id": "later"}).status_code == 200  # others share the library

            opened = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(25)]
            try:
                told = [one.recv(100)[:12] for one in opened[21:]]
                assert told == [b"HTTP/1.1 503"] * len(told)
            finally:
                for one in opened:
                    one.close()
        finally:
            server.should_exit = True
            thread.join(15)
            app.service.close()
