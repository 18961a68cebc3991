"""Keys and texts go to no address that the user has not allowed on this machine, whoever names it."""

from __future__ import annotations

import json
import shutil
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import bookwheel
from bookwheel import ModelError, UsageError, _allowed
from bookwheel._http import Client
from bookwheel._paths import config
from bookwheel.cli.main import main
from bookwheel.encode import load_encoder
from bookwheel.encode.remote import RemoteEncoder
from bookwheel.index.sealed import seal
from bookwheel.language import close_models

pytest.importorskip("httpx", reason="the extra `remote` is not installed")

SECRET = "sk-of-the-victim"
QUESTION = "my private question"


class Thief:
    """A server that keeps all that it is sent."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        thief = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                thief.seen.append(f"{self.headers} {body}")
                asked = json.loads(body)
                texts = asked.get("input", [])
                reply: dict[str, Any] = {
                    "data": [{"index": n, "embedding": [1.0, 0, 0, 0, 0, 0, 0, 0]} for n in range(len(texts))]
                }
                reply["choices"] = [{"message": {"content": "another question"}}]
                data = json.dumps(reply).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture(scope="module")
def server() -> Iterator[Thief]:
    made = Thief()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def thief(server: Thief, monkeypatch: pytest.MonkeyPatch) -> Iterator[Thief]:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("BOOKWHEEL_API_KEY", f"127.0.0.1={SECRET}")
    server.seen.clear()
    yield server
    close_models()


@pytest.fixture(scope="module")
def made_elsewhere(server: Thief, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library from a stranger: its manifest, and a recipe in it, name the thief's address."""
    path = tmp_path_factory.mktemp("stranger") / "strange"
    with pytest.MonkeyPatch.context() as patch:  # the stranger's own permission is on the stranger's machine
        patch.setenv("BOOKWHEEL_HOME", str(path.parent))
        with bookwheel.open(path, create=True) as library:
            library.add([{"id": f"d{n}", "text": f"a private passage about wheel {n}"} for n in range(8)])
            library.add_encoder("better", f"{server.url}#m")
            library.embed()
    assert server.seen
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["settings"]["recipe"] = "bm25 + better"
    (path / "manifest.json").write_bytes(seal(manifest))
    asking = f'rewrite(model="{server.url}#m") >> bm25'
    (path / "recipes.json").write_bytes(seal({"recipes": {"asks": asking}}))
    return path


@pytest.fixture
def strange(tmp_path: Path, made_elsewhere: Path, thief: Thief) -> Path:
    return Path(shutil.copytree(made_elsewhere, tmp_path / "strange"))


@pytest.mark.parametrize(
    "command",
    [
        ["search", QUESTION],
        ["search", QUESTION, "--recipe", "better"],
        ["search", QUESTION, "--recipe", "asks"],
        ["search", QUESTION, "--recipe", "bm25 >> listwise(model='URL#m')"],
        ["explain", "better"],
        ["explain", "bm25 + better"],
        ["embed"],
        ["encoders"],
        ["info"],
        ["check"],
        ["compact"],
        ["export"],
        ["index", "FILE"],
        ["plan"],
        ["configure", "--k1", "0.9"],
    ],
    ids=lambda command: " ".join(command)[:40],
)
def test_nothing_is_sent_to_what_a_library_names(
    strange: Path, thief: Thief, tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "new.txt").write_text("a private text")
    made = [part.replace("URL", thief.url).replace("FILE", str(tmp_path / "new.txt")) for part in command]
    code = main([*made, *([] if command[0] == "plan" else ["--library", str(strange)])])
    printed = capsys.readouterr()
    assert thief.seen == []
    assert SECRET not in printed.out + printed.err
    assert code in (0, 1, 2), printed.err
    if command[0] == "search":
        assert f"type: bookwheel allow {thief.url}" in printed.err


def test_nothing_is_sent_in_python_either(strange: Path, thief: Thief) -> None:
    with bookwheel.open(strange) as library:
        with pytest.raises(ModelError, match="which you have not allowed on this machine"):
            library.search(QUESTION, recipe="better")
        library.add(["one more passage"])
        with pytest.raises(ModelError, match="which you have not allowed on this machine"):
            library.embed()
        library.search(QUESTION, recipe="asks")
        assert thief.seen == []
        bookwheel.allow(thief.url)
        assert library.search(QUESTION, recipe="better")
        assert any(QUESTION in request for request in thief.seen)


def test_the_built_in_encoder_may_be_no_unknown_address(tmp_path: Path, thief: Thief) -> None:
    path = tmp_path / "x"
    with bookwheel.open(path, create=True) as library:
        library.add(["one text"])
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["settings"]["encoder"] = f"{thief.url}#m"
    (path / "manifest.json").write_bytes(seal(manifest))
    assert main(["search", QUESTION, "--library", str(path)]) in (0, 2)
    assert main(["index", __file__, "--library", str(path)]) in (0, 2)
    assert thief.seen == []


def test_a_terminal_is_asked_once(strange: Path, thief: Thief) -> None:
    asked: list[str] = []

    def answer(address: str) -> bool:
        asked.append(address)
        return len(asked) > 1

    with _allowed.asking(answer), bookwheel.open(strange) as library:
        with pytest.raises(ModelError):
            library.search(QUESTION, recipe="better")
        assert thief.seen == []
        assert library.search(QUESTION, recipe="better")
        assert library.search("another", recipe="better")
    assert asked == [thief.url, thief.url]
    assert _allowed.addresses() == [thief.url]
    assert stat.S_IMODE((config() / "addresses.txt").stat().st_mode) == 0o600


def test_embed_with_yes_allows(strange: Path, thief: Thief, capsys: pytest.CaptureFixture[str]) -> None:
    (strange.parent / "more.txt").write_text("one more passage")
    assert main(["index", str(strange.parent / "more.txt"), "--library", str(strange)]) == 0
    assert main(["embed", "--yes", "--library", str(strange)]) == 0
    assert any("one more passage" in request for request in thief.seen)
    assert _allowed.addresses() == [thief.url]


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["allow"]) == 0
    assert main(["allow", "https://API.example.com:443/v1/#model", "https://api.example.com/v1"]) == 0
    assert capsys.readouterr().out.splitlines() == ["https://api.example.com/v1"]
    assert main(["allow", "--remove", "https://api.example.com/v1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"allowed": []}
    assert main(["allow", "--remove", "https://api.example.com/v1"]) == 1
    assert main(["allow", "no address"]) == 2


@pytest.mark.parametrize(
    "near",
    [
        "https://api.example.com/v1/other",
        "https://api.example.com",
        "https://api.example.com:444/v1",
        "https://api.example.com.evil.org/v1",
        "https://evil.org/https://api.example.com/v1",
        "https://api.example.com/v1/../evil",
    ],
)
def test_only_the_very_address_is_allowed(near: str) -> None:
    bookwheel.allow("https://api.example.com/v1")
    _allowed.check("https://api.example.com/v1/")
    with pytest.raises(ModelError, match="nothing was sent to"):
        _allowed.check(near)


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://x/v1", "https://", "https://a@b/v1", "https://a\\b/v1", "https://a/v1?x", "https://[::1", "https://a:b"],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError, match="is not an address"):
        bookwheel.allow(url)


def test_an_address_that_a_program_gives_is_its_own_affair(thief: Thief) -> None:
    assert RemoteEncoder(thief.url, "m").encode(["x"]).shape == (1, 8)
    with pytest.raises(ModelError, match="nothing was sent"):
        load_encoder(f"{thief.url}#m").encode(["x"])


def test_a_host_that_is_read_in_two_ways_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client("https://api.example.com/v1", who="x", key="secret")
    client.host = "api.openai.com"
    with pytest.raises(ModelError, match="is not an address"):
        client.post("x", {})
