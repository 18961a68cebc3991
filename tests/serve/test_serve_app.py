"""The application in this process: who is let in, by which cookie and from where, and numbers that nothing has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn")

from serve_processes import library_of
from starlette.testclient import TestClient

from bookwheel.serve.app import create_app
from bookwheel.serve.config import ServeConfig
from bookwheel.serve.parameters import parser
from bookwheel.serve.routes import ENDPOINTS, PAGES
from bookwheel.serve.security import cookie_of

QUESTION = "When was the wheel of Ramelli drawn?"
TOKEN = "a-token-of-thirty-two-characters"
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("app") / "wheels"
    texts = [(f"mill-{at}", f"The mill number {at} ground barley in the valley.") for at in range(8)]
    library_of(path, [("wheel", "The wheel of Ramelli was drawn in 1588. It holds twelve books."), *texts])
    return path


def served(wheels: Path, **more: Any) -> Iterator[TestClient]:
    app = create_app(ServeConfig({"wheels": wheels}, **more))
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False, follow_redirects=False) as client:
        yield client
    app.service.close()


@pytest.fixture(scope="module")
def client(wheels: Path) -> Iterator[TestClient]:
    yield from served(wheels)


@pytest.fixture(scope="module")
def guarded(wheels: Path) -> Iterator[TestClient]:
    yield from served(wheels, token=TOKEN, origins=("https://Notes.Example", "https://other.example:443"))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_keeps_no_question(client: TestClient, method: str) -> None:
    asked = {"question": QUESTION, "conversation": "evil"}
    for headers in (LINK, {}):
        answer = client.request(method, "/ask/events", params=asked, headers=headers)
        assert answer.status_code == 400
        assert method == "HEAD" or "posted, not linked to; post it to /ask" in answer.json()["error"]["message"]
    assert client.get("/conversations.json").json() == {"conversations": []}
    assert "event: answer" in client.get("/ask/events", params={"question": QUESTION}).text


def test_a_posted_question_is_kept(client: TestClient) -> None:
    asked = {"question": QUESTION, "conversation": "mine"}
    assert "event: answer" in client.post("/ask", json=asked, headers={"Accept": "text/event-stream"}).text
    assert [one["name"] for one in client.get("/conversations.json").json()["conversations"]] == ["mine"]
    assert client.post("/conversation.json", json={"name": "mine", "forget": True}).status_code == 200


OTHERS = [
    'prefs={"a":1}',
    "a=b c",
    "flag",
    "n=Zoë",
    "path=/x",
    "a=1,2",
    "",
    "=",
    'q="open',
    "bookwheel=old",
    "bookwheel",
    "xbookwheel=1",
]


@pytest.mark.parametrize("other", OTHERS)
def test_cookies_of_other_programs_on_the_host_lock_nobody_out(guarded: TestClient, other: str) -> None:
    own = f"bookwheel={cookie_of(TOKEN)}"
    for sent in (f"{other}; {own}", f"{own}; {other}", f"{other};{own};{other}"):
        assert guarded.get("/libraries", headers={"Cookie": sent.encode()}).status_code == 200, sent


@pytest.mark.parametrize("sent", ["", "bookwheel=", "bookwheel", "bookwheel=x", f"bookwheel={TOKEN}", "bookwheel=é"])
def test_a_wrong_cookie_lets_nobody_in(guarded: TestClient, sent: str) -> None:
    assert guarded.get("/libraries", headers={"Cookie": sent.encode()}).status_code == 401
    shown = f"xbookwheel={cookie_of(TOKEN)}; bookwheel ={cookie_of(TOKEN)[:-1]}"
    assert guarded.get("/libraries", headers={"Cookie": shown}).status_code == 401


def test_a_login_with_many_fields_is_no_login(guarded: TestClient) -> None:
    many = "&".join(f"a={at}" for at in range(20))
    for answer in (
        guarded.post("/login", content=many),
        guarded.get(f"/login?{many}"),
        guarded.get(f"/login?{many}&token={TOKEN}"),
    ):
        assert answer.status_code == 401
        assert "<form" in answer.text
    assert guarded.post("/login", content=f"token={TOKEN}&a=1").status_code == 303


@pytest.mark.parametrize("origin", ["https://notes.example", "https://other.example"])
def test_an_origin_is_let_in_however_it_was_written(guarded: TestClient, origin: str) -> None:
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Authorization": f"Bearer {TOKEN}"}
    answer = guarded.get("/libraries", headers=headers)
    assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (200, origin)
    asking = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    assert guarded.options("/search", headers=asking).headers["access-control-allow-origin"] == origin


def test_no_origin_is_advised_that_cannot_be_given(client: TestClient) -> None:
    for origin in ("null", "file://", "chrome-extension://abc"):
        told = client.get("/libraries", headers={"Origin": origin}).json()["error"]
        assert (told["code"], "--origin" in told["message"]) == (403, False)
    told = client.get("/libraries", headers={"Origin": "https://a.example"}).json()["error"]
    assert "start it with --origin https://a.example" in told["message"]


@pytest.mark.parametrize("number", ["+-5", "-+5", "--5", "+", "-", "5-", "٣", "5.0", "0x5", "1_0", "9" * 21])
def test_what_is_no_whole_number_is_told_in_plain_words(client: TestClient, number: str) -> None:
    answer = client.get("/search.json", params={"q": "wheel", "k": number})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"k must be a whole number, not {number!r}"
    assert client.get("/search.json", params={"q": "wheel", "k": " +5 "}).status_code == 200


HUGE = 9223372036854775807, 9223372036854775808, 10**19
ROUTES = [
    *((one.path, one.parameters) for one in ENDPOINTS if one.method == "GET"),
    *((one.twin, one.parameters) for one in PAGES),
]
NUMBERS = [
    (path, one.name, kind) for path, kind in ROUTES if kind for one in parser(kind).parameters.values() if one.kind is int
]


@pytest.mark.parametrize(("path", "name", "kind"), NUMBERS, ids=[f"{path} {name}" for path, name, _ in NUMBERS])
def test_a_number_that_is_larger_than_anything_is_answered(client: TestClient, path: str, name: str, kind: type) -> None:
    needed = {"id": "wheel", "question": QUESTION, "field": "year", "q": "wheel", "fields": "year"}
    given = {key: value for key, value in needed.items() if key in parser(kind).parameters}
    for number in HUGE:
        for more in ({}, {"where": "year >= 2000"} if "where" in parser(kind).parameters else {}):
            answer = client.get(path, params={**given, **more, name: str(number)})
            assert answer.status_code < 500, (number, answer.text)


@pytest.mark.parametrize("start", HUGE)
def test_there_are_no_rows_behind_the_last(client: TestClient, start: int) -> None:
    assert client.get("/rows", params={"start": start}).json()["rows"] == []
    assert len(client.get("/rows", params={"start": 7, "count": 1000}).json()["rows"]) == 2
