from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from bookwheel._allowed import allow
from bookwheel._errors import ModelError
from bookwheel.language import Generator, Scorer, close_models, language_model
from bookwheel.language import remote as module
from bookwheel.language.remote import RemoteModel

pytest.importorskip("httpx", reason="httpx is not installed")

Reply = tuple[int, Any, dict[str, str]]


class Server:
    """A real HTTP server on the loopback that speaks as much of the protocol as a test says."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, Any], str | None]] = []
        self.reply: Callable[[str, dict[str, Any]], Reply] = lambda path, body: answer(body["messages"][-1]["content"].upper())
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.seen.append((self.path, body, self.headers.get("authorization")))
                status, content, headers = outer.reply(self.path, body)
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"http://127.0.0.1:{self.server.server_address[1]}/v1#tiny"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


def answer(text: object) -> Reply:
    return 200, {"choices": [{"message": {"role": "assistant", "content": text}}]}, {}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(module, "PAUSE", 0.01)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("BOOKWHEEL_API_KEY", raising=False)
    made = Server()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_answers_come_in_the_order_of_the_prompts(server: Server) -> None:
    model = RemoteModel(server.name)
    assert isinstance(model, Generator)
    assert isinstance(model, Scorer)
    prompts = [f"prompt {i}" for i in range(9)]
    assert model.generate(prompts, system="Be brief.", max_tokens=7, stop=["9"]) == [f"PROMPT {i}" for i in range(9)]
    path, body, key = server.seen[0]
    assert path == "/v1/chat/completions"
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (body["model"], body["max_tokens"], body["temperature"], body["stop"]) == ("tiny", 7, 0, ["9"])
    assert key is None
    assert model.count_tokens(["", "abcd"]) == [0, 2]
    model.close()
    with pytest.raises(ModelError, match="is closed"):
        model.generate(["x"])


def test_a_stop_is_applied_even_where_the_server_does_not(server: Server) -> None:
    assert RemoteModel(server.name).generate(["one\ntwo"], stop=["\n"]) == ["ONE"]


def test_failures_that_pass_are_tried_again(server: Server) -> None:
    replies = iter(
        [(503, {"error": "busy"}, {}), (429, {"error": {"message": "slow down"}}, {"retry-after": "0"}), answer("done")]
    )
    server.reply = lambda path, body: next(replies)
    assert RemoteModel(server.name).generate(["x"]) == ["done"]
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("reply", "says", "times"),
    [
        ((500, {"error": {"message": "no\nluck"}}, {}), r"answered 500 \(no luck\), 4 times", 4),
        ((401, {"error": "bad key"}, {}), r"refuses the key \(401\) \(bad key\)", 1),
        ((302, b"", {"location": "http://example.invalid/"}), "answered 302, a redirect, which is not followed", 1),
        ((200, b"<html>", {}), "something else than JSON", 1),
        ((200, {"choices": []}, {}), "no choices", 1),
        ((200, {"choices": [{"message": {"content": None}}]}, {}), "not a text", 1),
        ((200, [1], {}), "no choices", 1),
    ],
)
def test_failures_that_stay_are_told_in_one_sentence(server: Server, reply: Reply, says: str, times: int) -> None:
    server.reply = lambda path, body: reply
    with pytest.raises(ModelError, match=says) as caught:
        RemoteModel(server.name, key="s3cret").generate(["x"])
    assert len(server.seen) == times
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
def test_an_error_within_a_stream_has_no_key_in_it(server: Server, kind: str) -> None:
    error = json.dumps({"error": {"message": f"Incorrect API key provided: {'x' * 165} Bearer s3cret-s3cret"}})
    content = f"data: {error}\n\n" if "event" in kind else error
    server.reply = lambda path, body: (200, content.encode(), {"content-type": kind})
    with pytest.raises(ModelError, match=r"answered with an error \(Incorrect API key provided") as caught:
        list(RemoteModel(server.name, key="s3cret-s3cret").stream("x"))
    assert "s3c" not in str(caught.value)


def test_no_server_is_told() -> None:
    with pytest.raises(ModelError, match="cannot be reached"):
        RemoteModel("http://127.0.0.1:9/v1#x", tries=1).generate(["x"])


def test_the_deadline_ends_waiting(server: Server) -> None:
    def slow(path: str, body: dict[str, Any]) -> Reply:
        time.sleep(0.6)
        return answer("late")

    server.reply = slow
    began = time.monotonic()
    with pytest.raises(ModelError, match="did not answer within"):
        RemoteModel(server.name).generate(["x"], deadline=time.monotonic() + 0.1)
    assert time.monotonic() - began < 0.5
    with pytest.raises(ModelError, match="no time was left"):
        RemoteModel(server.name).generate(["x"], deadline=time.monotonic() - 1)


def test_a_reply_too_large_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REPLY", 1000)
    server.reply = lambda path, body: answer("x" * 5000)
    with pytest.raises(ModelError, match="larger than"):
        RemoteModel(server.name).generate(["x"])


def test_keys_go_to_their_own_host_only(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "for-openai")
    RemoteModel(server.name).generate(["x"])
    monkeypatch.setenv("BOOKWHEEL_API_KEY", "127.0.0.1=for-here api.example.com=for-there")
    RemoteModel(server.name).generate(["x"])
    RemoteModel(server.name, key="given").generate(["x"])
    assert [key for _, _, key in server.seen] == [None, "Bearer for-here", "Bearer given"]


@pytest.mark.parametrize("name", ["http://host/v1", "ftp://host#x", "http://#x", "https://me:pw@host/v1#x", "http://host/v1#x"])
def test_addresses_that_are_none(name: str) -> None:
    with pytest.raises(ModelError, match=r"names no remote|is not an address|must not have a password|not sent unencrypted"):
        RemoteModel(name)


def test_probabilities_are_those_of_the_echoed_continuation(server: Server) -> None:
    def echo(path: str, body: dict[str, Any]) -> Reply:
        assert path == "/v1/completions"
        assert body["echo"]
        tokens = [*body["prompt"].partition("|")[0].split("~"), "!"]
        offsets = [sum(map(len, tokens[:i])) + i for i in range(len(tokens))]
        table = {
            "tokens": tokens,
            "text_offset": offsets,
            "token_logprobs": [None, *(-float(i) for i in range(1, len(tokens)))],
        }
        return 200, {"choices": [{"logprobs": table}]}, {}

    server.reply = echo
    model = RemoteModel(server.name)
    first, second = model.log_likelihoods(["a~b~", "a~"], ["c~d", "b"])
    np.testing.assert_array_equal(first, np.array([-2, -3], np.float32))
    np.testing.assert_array_equal(second, np.array([-1], np.float32))
    assert model.log_likelihoods(["a"], ["b"], deadline=time.monotonic() - 1) == [None]
    server.reply = lambda path, body: (200, {"choices": [{"text": "x"}]}, {})
    with pytest.raises(ModelError, match="echoes no log-probabilities"):
        model.log_likelihoods(["a"], ["b"])


def test_it_is_opened_by_name(server: Server) -> None:
    allow(server.name)
    model = language_model(server.name)
    assert language_model(server.name) is model
    assert model.generate(["hi"]) == ["HI"]
    close_models()


def test_a_local_model_served_gives_what_it_gives_in_process(server: Server) -> None:
    """The protocol end to end, with a model behind it."""
    pytest.importorskip("torch", reason="torch is not installed")
    from language_tiny import tiny_language_model

    local = tiny_language_model()

    def reply(path: str, body: dict[str, Any]) -> Reply:
        if path.endswith("chat/completions"):
            return answer(local.generate([body["messages"][-1]["content"]], max_tokens=body["max_tokens"])[0])
        text = body["prompt"]
        values = [None, *local.log_likelihoods([text[:1]], [text[1:]])[0].astype(float).tolist()]
        table = {"tokens": list(text), "text_offset": list(range(len(text))), "token_logprobs": values}
        return 200, {"choices": [{"logprobs": table}]}, {}

    server.reply = reply
    remote = RemoteModel(server.name)
    assert remote.generate(["Say"], max_tokens=5) == local.generate(["Say"], max_tokens=5)
    pairs = (["Passage: a lens.\nQuestion:", "Passage: x\nQuestion:"], [" what", " why not"])
    for one, other in zip(remote.log_likelihoods(*pairs), local.log_likelihoods(*pairs), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
