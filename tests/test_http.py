"""The HTTP client against servers on this machine that misbehave as a test says."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from bookwheel import ModelError, _http
from bookwheel._http import Client
from bookwheel._http_address import KEYS, is_loopback, key_for
from bookwheel._http_told import told
from bookwheel._http_usage import Pace, Usage

pytest.importorskip("httpx", reason="the extra `remote` is not installed")

SECRET = "sk-very-secret"
Script = Callable[[socket.socket], None]


class Server:
    """Reads a request off a socket, then does what its script says."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.scripts: list[Script] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
            )
            while len(body) < length:
                body += connection.recv(65536)
            self.requests.append(head)
            script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
            with suppress(OSError):  # the client has gone, as it should
                script(connection)

    def close(self) -> None:
        self.listener.close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for variable in ("OPENAI_API_KEY", KEYS, "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    made = Server()
    yield made
    made.close()


def reply(status: int, body: object, headers: str = "") -> Script:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    return lambda connection: connection.sendall(head.encode() + data)


def client(server: Server, **settings: object) -> Client:
    settings.setdefault("sleep", lambda seconds: None)
    return Client(server.base, who="the model", **settings)  # type: ignore[arg-type]


def test_a_redirect_is_not_followed_and_takes_no_key_along(server: Server) -> None:
    other = Server()
    other.scripts = [reply(200, {})]
    server.scripts = [reply(status, b"", f"Location: {other.base}/embeddings\r\n") for status in (301, 302, 307, 308)]
    for status in (301, 302, 307, 308):
        with pytest.raises(ModelError, match=f"answered {status}, a redirect, which is not followed"):
            client(server, key=SECRET).post("embeddings", {"input": ["private"]}, tries=3)
    assert len(server.requests) == 4
    assert other.requests == []
    other.close()


def test_an_endless_reply_ends(server: Server) -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            connection.sendall(b"[" * 65536)

    server.scripts = [endless]
    with pytest.raises(ModelError, match="larger than 1,000,000 bytes, which is not read"):
        client(server, largest=1_000_000).post("x", {})


def test_a_trickling_reply_ends_in_time(server: Server) -> None:
    def trickle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            connection.sendall(b" ")
            time.sleep(0.02)

    server.scripts = [trickle]
    began = time.monotonic()
    with pytest.raises(ModelError, match=r"did not answer within 0\.2 s, twice"):
        client(server, timeout=0.2).post("x", {}, tries=2)
    assert time.monotonic() - began < 3
    with pytest.raises(ModelError, match=r"did not answer within"):
        client(server).post("x", {}, tries=9, deadline=time.monotonic() + 0.2)


@pytest.mark.parametrize("piece", [b"X-Padding: 0123456789\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_headers_that_trickle_in_and_interim_answers_end_in_time(server: Server, piece: bytes) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" if piece.startswith(b"X") else b"")
        while True:
            connection.sendall(piece)
            time.sleep(0.05)

    server.scripts = [script]
    began = time.monotonic()
    with pytest.raises(ModelError, match="did not answer within 0.5 s"):
        client(server, timeout=0.5).post("embeddings", {})
    with pytest.raises(ModelError, match="did not come to an end within 0.5 s"):
        list(client(server, timeout=0.5).stream("chat/completions", {}))
    with pytest.raises(ModelError, match="within"):
        client(server).post("embeddings", {}, deadline=time.monotonic() + 0.5)
    assert time.monotonic() - began < 30  # without a bound it would go on for hours


def test_the_words_of_a_server_control_no_terminal(server: Server) -> None:
    told = {"error": {"message": "\x1b]0;owned\x07 \u202egone\x9b2J"}}
    server.scripts = [reply(400, told)]
    for asked in (lambda: client(server).post("embeddings", {}), lambda: list(client(server).stream("chat/completions", {}))):
        with pytest.raises(ModelError, match="gone") as error:
            asked()
        assert str(error.value).isprintable()


def test_numbers_that_no_server_counts_are_nothing(server: Server) -> None:
    server.scripts = [reply(200, {"usage": {"prompt_tokens": 10**300, "completion_tokens": True}})]
    one = client(server)
    one.post("embeddings", {})
    assert (one.usage.prompt_tokens, one.usage.completion_tokens) == (0, 0)


def test_a_silent_server_ends_in_time(server: Server) -> None:
    server.scripts = [lambda connection: time.sleep(1.0)]
    with pytest.raises(ModelError, match=r"did not answer within 0\.1 s; try again later"):
        client(server, timeout=0.1).post("x", {})


def test_a_huge_reply_is_refused_by_its_bytes_and_not_unpacked(server: Server) -> None:
    import gzip

    bomb = gzip.compress(b" " * 5_000_000)
    server.scripts = [reply(200, b"[" + b"1," * 600_000 + b"1]"), reply(200, bomb, "Content-Encoding: gzip\r\n")]
    with pytest.raises(ModelError, match="larger than"):
        client(server, largest=1_000_000).post("x", {})
    with pytest.raises(ModelError, match="something else than JSON"):
        client(server, largest=1_000_000).post("x", {})
    assert b"accept-encoding: identity" in server.requests[0].lower()
    server.scripts = [reply(200, b"[" * 100_000)]  # deep enough to break a parser
    with pytest.raises(ModelError, match="something else than JSON"):
        client(server).post("x", {})


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_an_error_never_has_the_key_in_it(server: Server, status: int) -> None:
    server.scripts = [reply(status, {"error": {"message": f"no\nsuch key: {SECRET} (Bearer {SECRET})"}})]
    with pytest.raises(ModelError) as caught:
        client(server, key=SECRET).post("x", {})
    assert SECRET not in str(caught.value)
    assert "[key]" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert b"authorization: bearer " + SECRET.encode() in server.requests[0].lower()


@pytest.mark.parametrize("status", [401, 503])
def test_nor_has_an_error_instead_of_a_stream(server: Server, status: int) -> None:
    server.scripts = [reply(status, {"error": {"message": f"no such key: {SECRET}"}})]
    with pytest.raises(ModelError, match=r"no such key: \[key\]") as caught:
        list(client(server, key=SECRET).stream("x", {}))
    assert SECRET not in str(caught.value)


def test_no_part_of_the_key_is_left_where_words_are_cut() -> None:
    for before in range(170, 210):
        line = told({"message": "x" * before + SECRET}, SECRET)
        assert len(line) <= 200
        assert "sk-v" not in line
    for before in range(1970, 2010):
        assert "sk-v" not in told(b" " * before + SECRET.encode(), SECRET)
    key = """a'b"c\\d/e"""
    for said in (
        {"detail": key},
        {"error": {"message": [key]}},
        json.dumps({"error": key}).encode(),
        json.dumps(key).encode()[:-1],
    ):
        assert key not in told(said, key)
        assert "d/e" not in told(said, key)
        assert "[key]" in told(said, key)


@pytest.mark.parametrize("key", [f"{SECRET} x", f"{SECRET}\r\nx: y", f"{SECRET}é"])
def test_a_key_that_is_none_is_refused_unnamed(server: Server, key: str) -> None:
    with pytest.raises(ModelError, match="characters that no key has") as caught:
        client(server, key=key)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("base", ["http://example.com/v1", "http://192.168.1.2:8080/v1", "http://localhost.example.com/v1"])
def test_plain_http_is_for_this_machine_only(base: str) -> None:
    with pytest.raises(ModelError, match="texts are not sent unencrypted"):
        Client(base, who="the model")


@pytest.mark.parametrize(
    "base", ["ftp://host", "https://", "nothing", "http://[::1", "https://host:port/v1", "file:///etc/passwd"]
)
def test_addresses_that_are_none(base: str) -> None:
    with pytest.raises(ModelError, match="is not an address"):
        Client(base, who="the model")


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(ModelError, match="must not have a password") as caught:
        Client(f"https://me:{SECRET}@host/v1", who="the model")
    assert SECRET not in str(caught.value)


def test_this_machine() -> None:
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.1.2.3", "::1"]))
    assert not any(map(is_loopback, ["", "example.com", "10.0.0.1", "0.0.0.0", "localhost.example.com"]))


def test_keys_belong_to_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "open")
    monkeypatch.delenv(KEYS, raising=False)
    assert key_for("https://api.openai.com/v1") == "open"
    assert key_for("https://api.openai.com.evil.example/v1") == ""
    monkeypatch.setenv(KEYS, "api.example.com=a== localhost:8080=b, other=c")
    assert key_for("https://api.example.com/v1") == "a=="
    assert key_for("http://localhost:8080/v1") == "b"
    assert key_for("http://localhost:9090/v1") == ""
    assert key_for("https://other/v1") == "c"
    monkeypatch.setenv(KEYS, SECRET)
    with pytest.raises(ModelError, match="of the form HOST=KEY") as caught:
        key_for("https://api.example.com/v1")
    assert SECRET not in str(caught.value)


def test_tries_are_bounded_and_pauses_double_up_to_a_minute(server: Server) -> None:
    pauses: list[float] = []
    server.scripts = [reply(503, {"error": "busy"})]
    with pytest.raises(ModelError, match=r"answered 503 \(busy\), 9 times; later"):
        client(server, sleep=pauses.append).post("x", {}, tries=9, advice="later")
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    server.scripts = [reply(429, {}, "Retry-After: 1e9\r\n"), reply(429, {}, "Retry-After: tomorrow\r\n"), reply(200, {"a": 1})]
    pauses.clear()
    assert client(server, sleep=pauses.append).post("x", {}, tries=5) == {"a": 1}
    assert all(pause <= _http.LONGEST_PAUSE for pause in pauses)
    # A pause that does not fit before the deadline is not begun.
    server.scripts = [reply(503, {})]
    with pytest.raises(ModelError, match="answered 503"):
        client(server, sleep=lambda seconds: pytest.fail("slept")).post("x", {}, tries=3, deadline=time.monotonic() + 0.5)


def test_a_server_that_is_not_there_and_a_client_that_is_closed() -> None:
    one = Client("http://127.0.0.1:9/v1", who="the model", sleep=lambda seconds: None)
    with pytest.raises(ModelError, match=r"the model cannot be reached \(.*\), twice"):
        one.post("x", {}, tries=2)
    with pytest.raises(ModelError, match="no time was left"):
        one.post("x", {}, deadline=time.monotonic() - 1)
    one.close()
    with pytest.raises(ModelError, match="is closed"):
        one.post("x", {})


def test_usage_is_counted_and_priced(server: Server) -> None:
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 500_000}
    server.scripts = [reply(200, {"usage": usage}), reply(200, {"usage": {"prompt_tokens": "many"}}), reply(200, [1])]
    one = client(server)
    for _ in range(3):
        one.post("x", {})
    assert one.usage == Usage(3, 1_000_000, 500_000)
    assert one.usage.cost(0.5, 2.0) == pytest.approx(1.5)


def test_a_pace_spreads_requests() -> None:
    pauses: list[float] = []
    pace = Pace(120, pauses.append)
    for _ in range(3):
        pace.wait(2)
    assert [round(pause) for pause in pauses] == [1, 2]
