"""The command `bookwheel serve`: how it starts, whom it lets in, and how it ends. A start takes two seconds: tests share them."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from serve_processes import Running, slow_model, started

import bookwheel


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bookwheel", "serve", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


def test_a_port_in_use_is_one_sentence(server: Running, served_library: Path, environment) -> None:
    done = run(environment, str(served_library), "--port", str(server.port))
    assert done.returncode == 2
    assert f"port {server.port} of 127.0.0.1 is in use" in done.stderr
    assert "--port 0" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_of_files_is_no_library_and_it_is_said_what_to_type(environment, tmp_path) -> None:
    folder = tmp_path / "my papers"
    folder.mkdir()
    (folder / "one.txt").write_text("A zebra has stripes.")
    done = run(environment, str(folder))
    assert done.returncode == 2
    assert f"bookwheel serve my-papers --watch '{folder}'" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["one.txt"]


def test_without_the_extra_one_sentence_says_what_to_install(served_library, environment, tmp_path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nfor name in ('starlette', 'uvicorn', 'jinja2'):\n    sys.modules[name] = None\n"
    )
    paths = f"{tmp_path}:{environment['PYTHONPATH']}"
    done = run({**environment, "PYTHONPATH": paths}, str(served_library))
    assert done.returncode == 2
    assert "pip install 'bookwheel[serve]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2


def test_other_machines_need_the_token_and_several_libraries_are_told_apart(served_library, tmp_path, environment) -> None:
    with bookwheel.open(tmp_path / "docs", create=True) as library:
        library.add([{"id": "z", "text": "A zebra has stripes."}])
    with started(str(served_library), str(tmp_path / "docs"), "--host", "0.0.0.0", environment=environment) as running:
        assert list(running.told["libraries"]) == ["docs", "docs-2"]
        token = str(running.told["token"])
        assert len(token) >= 32
        base = f"http://127.0.0.1:{running.port}"
        with httpx.Client(base_url=base, trust_env=False, timeout=60) as client:
            for path in ("/search.json?q=zebra", "/metrics", "/openapi.json", "/libraries", "/mcp", "/"):
                refused = client.get(path)
                assert refused.status_code == 401, path
                assert "docs" not in refused.text, path
            assert client.get("/health").json() == {"status": "ok"}
            assert client.get("/search.json?q=zebra", headers={"Authorization": f"Bearer {token}x"}).status_code == 401
            shown = {"Authorization": f"Bearer {token}"}
            assert client.get("/search.json?q=zebra", headers=shown).status_code == 200
            # A browser shows it once, and gets a cookie that is not the token.
            assert client.get("/", headers={"Accept": "text/html"}).status_code == 401
            assert client.post("/login", data={"token": "wrong"}).status_code == 401
            assert client.post("/login", data={"token": "x" * 9000}).status_code == 413
            entered = client.post("/login", data={"token": token})
            assert entered.status_code == 303
            cookie = entered.headers["set-cookie"]
            assert "httponly" in cookie.lower()
            assert "samesite=strict" in cookie.lower()
            assert token not in cookie
            assert client.get("/search.json?q=zebra").status_code == 200
            found = client.get("/search.json?q=zebra&library=docs-2").json()
            assert [one["id"] for one in found["results"]] == ["z"]
            unknown = client.get("/search.json?q=zebra&library=nowhere")
            assert unknown.status_code == 404
            assert "docs, docs-2" in unknown.json()["error"]["message"]
        with bookwheel.connect(base, "docs-2", token=token) as second:
            assert len(second) == 1
            assert "z" in second
        # A name that was made to point here is refused even with the token; an address is no such name.
        foreign = f"GET / HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer {token}\r\n\r\n"
        assert b" 421 " in running.raw(foreign.encode())
        code, _, errors = running.stop()
        assert code == 0
        assert "not encrypted" in errors


def test_a_library_that_is_missing_is_said_and_served_and_found_once_it_is_there(tmp_path: Path, environment) -> None:
    path = tmp_path / "later"
    with started(str(path), "--read-only", environment=environment) as running:
        assert "there is no library" in str(running.told["libraries"])
        empty = running.get("/search.json?q=zebra").json()
        assert empty["results"] == []
        assert "empty" in empty["problem"]
        assert running.post("/search", {"query": "zebra"}).status_code == 404
        assert running.post("/documents", {"documents": [{"id": "a", "text": "b"}]}).status_code == 403
        assert running.client.delete("/documents?id=a").status_code == 403
        assert running.post("/embed", {}).status_code == 403
        assert not path.exists()
        with bookwheel.open(path, create=True) as library:
            library.add([{"id": "z", "text": "A zebra has stripes."}])
        assert [one["id"] for one in running.get("/search.json?q=zebra").json()["results"]] == ["z"]
        with bookwheel.open(path) as library:  # another commit, of another process than the server
            library.add([{"id": "y", "text": "Another zebra."}])
        assert len(running.get("/search.json?q=zebra").json()["results"]) == 2
        code, seconds, errors = running.stop(signal.SIGINT)
        assert (code, errors) == (0, "")
        assert seconds < 8


def test_a_model_is_no_longer_asked_once_nobody_waits(served_library, environment, serve_home, monkeypatch) -> None:
    """The client goes, and the model's server sees it at once, whether it writes or is silent; so it is when the server ends."""
    with slow_model() as (name, model):
        monkeypatch.setenv("BOOKWHEEL_HOME", str(serve_home))
        bookwheel.allow(name)
        question = {"question": "What does the function return?", "threshold": 0}
        with started(str(served_library), "--model", name, environment=environment) as running:
            model.silent = False
            names = []
            streamed = {"Accept": "text/event-stream"}
            with running.client.stream("POST", "/ask", json=question, headers=streamed) as response:
                for line in response.iter_lines():
                    names += [line] if line.startswith("event:") else []
                    if names.count("event: token") > 1:
                        break
            assert names[:2] == ["event: evidence", "event: token"]
            assert model.left.wait(10), "the model goes on writing for nobody"

            model.silent = True
            model.asked.clear()
            model.left.clear()

            def ask(seconds: float) -> None:
                with contextlib.suppress(httpx.HTTPError), httpx.Client(trust_env=False, timeout=seconds) as client:
                    client.post(f"{running.url}/ask", json=question)

            ask(1.0)
            assert model.asked.wait(20)
            assert model.left.wait(10), "the model is still asked though nobody waits"

            model.asked.clear()
            model.left.clear()
            call = {"name": "ask", "arguments": {"question": "What does an abstract base class do?"}}
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
            head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)) as agent:
                agent.request("POST", "/mcp", json.dumps(body), head)
                assert model.asked.wait(40)
            assert model.left.wait(10), "the model is still asked for an agent that left"

            model.asked.clear()
            thread = threading.Thread(target=ask, args=(30,))
            thread.start()
            assert model.asked.wait(20)
            code, seconds, errors = running.stop()
            thread.join(10)
            assert code == 0, errors
            assert "Traceback" not in errors
            assert seconds < 10


@pytest.mark.parametrize(
    "wrong",
    [
        ["--port", "99999"],
        ["--origin", "*"],
        ["--token-file", "nowhere"],
        ["--read-only", "--watch", "."],
        ["--read-only", "--embed"],
    ],
)
def test_what_is_wrong_is_told_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], wrong: list[str]
) -> None:
    from bookwheel import kernels
    from bookwheel.cli.main import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kernels, "prepare", lambda: pytest.fail("it compiled first"))
    assert main(["serve", "./library", *wrong]) == 2
    assert capfd.readouterr().err.startswith("bookwheel: ")
