"""What the forms and links of the page carry on: filters, earlier questions, how to rank."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import page_kit
import pytest
from page_kit import QUESTION

pytest.importorskip("starlette", reason="the extra serve is not installed")
httpx = pytest.importorskip("httpx", reason="httpx is not installed")
from selectolax.lexbor import LexborHTMLParser as Html  # noqa: E402

from bookwheel.library import conversations  # noqa: E402
from bookwheel.serve.pages.search import SearchParameters  # noqa: E402
from bookwheel.serve.parameters import given, parser  # noqa: E402

FOLLOW_UP = "And the old one?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: what is kept here is kept nowhere else."""
    made, mine = page_kit.shared(tmp_path_factory.getbasetemp()), tmp_path_factory.mktemp("state")
    shutil.copytree(made / "library", mine / "library")
    (mine / "files").mkdir()
    return mine


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[httpx.Client]:
    with page_kit.serving(folder) as base, httpx.Client(base_url=base, timeout=60, headers={"Accept": "text/html"}) as client:
        yield client


def page(web: httpx.Client, path: str, **asked: object) -> Html:
    answer = web.get(f"{path}?{urlencode(asked, doseq=True)}")
    assert answer.status_code == 200, answer.text[:500]
    return Html(answer.text)


def fields(html: Html, form: str) -> dict[str, list[str]]:
    """What a form sends that nothing was typed into."""
    sent: dict[str, list[str]] = {}
    for node in html.css(f"{form} input"):
        sent.setdefault(node.attributes["name"] or "", []).append(node.attributes.get("value") or "")
    return sent


# -- what is carried on ------------------------------------------------------------------------------------------------

SEARCH = {
    "q": ["gull ledge"], "recipe": ["bm25"], "where": ['suffix = "txt"', 'suffix != "pdf"'], "group": ["true"],
    "fold": ["false"], "syntax": ["false"], "sort": ["newest"], "k": ["5"], "facets": ["false"],
}  # fmt: skip


def test_what_is_carried_on_is_read_as_what_it_was() -> None:
    asked = parser(SearchParameters).query(urlencode(SEARCH, doseq=True))
    assert parser(SearchParameters).pairs(given(asked)) == asked
    assert given(SearchParameters()) == []
    assert {name for name, _ in given(asked, ("q", "k"))} == SEARCH.keys() - {"q", "k"}


def test_forms_of_a_search_lose_none_of_it(web: httpx.Client) -> None:
    html = page(web, "/search", **SEARCH, offset=5)
    assert fields(html, "form.find") == SEARCH
    filters = fields(html, "form.where")
    assert filters.pop("where") == [*SEARCH["where"], ""]  # the one that is typed
    assert filters == {name: value for name, value in SEARCH.items() if name != "where"}


def test_forms_of_a_question_keep_its_filter(web: httpx.Client) -> None:
    where = ['suffix = "txt"', 'suffix != "pdf"']
    html = page(web, "/ask", q=QUESTION, where=where, after=["Who waits in shallow water?"])
    assert fields(html, "form.find[role=search]") == {"q": [QUESTION], "where": where}
    assert fields(html, "form.follow") == {"q": [""], "where": where, "after": ["Who waits in shallow water?", QUESTION]}
    refused = page(web, "/ask", q="Who painted the opera ceiling", where=where)
    (words,) = [node.attributes["href"] or "" for node in refused.css(".refused a[href^='/search']")]
    assert fields(Html(web.get(words).text), "form.find") == {"q": ["Who painted the opera ceiling"], "where": where}
    kept = Html(web.post("/conversation", data={"name": "filtered", "q": QUESTION, "where": where}).text)
    assert fields(kept, "form.find") == {"q": [""], "name": ["filtered"], "where": where}


# -- questions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [None, "Who waits in shallow water?"])
def test_a_follow_up_is_kept_as_it_was_answered(web: httpx.Client, before: str | None) -> None:
    """Also in a conversation that there is already."""
    name = f"kept {before}"
    if before is not None:
        web.post("/conversation", data={"name": name, "q": before})
    asked = {"q": FOLLOW_UP, "after": [QUESTION], "where": ['suffix = "txt"']}
    shown = web.get(f"/ask.json?{urlencode(asked, doseq=True)}").json()
    form = fields(page(web, "/ask", **asked), "form.keep")
    kept = web.post("/conversation", data={**form, "name": name})
    assert kept.status_code == 200, kept.text[:500]
    turn = web.get(f"/conversation.json?{urlencode({'name': name})}").json()["turns"][-1]
    assert turn["understood"] == shown["asked"] != FOLLOW_UP
    assert turn["answer"]["answer"] == shown["answer"]
    assert [one["id"] for one in turn["answer"]["evidence"]] == [one["id"] for one in shown["evidence"]]


@pytest.mark.parametrize("more", [{}, {"alone": "true"}])
def test_what_cannot_be_kept_is_shown_and_followed(
    web: httpx.Client, monkeypatch: pytest.MonkeyPatch, more: dict[str, str]
) -> None:
    name = f"full {len(more)}"
    web.post("/conversation", data={"name": name, "q": "Who waits in shallow water?"})
    monkeypatch.setattr(conversations, "MOST_TURNS", 1)
    shown = Html(web.post("/conversation", data={"name": name, "q": QUESTION, **more}).text)
    assert [node.text() for node in shown.css(".turn h2")] == ["Who waits in shallow water?", QUESTION]
    assert "ninety watts" in shown.css(".turn")[1].text()
    (note,) = [node.text() for node in shown.css(".turn .note")]
    assert note.startswith("this question is not kept: ")
    form = fields(shown, "form.find")
    assert form["after"] == [QUESTION]  # the next one follows it all the same
    told = web.post("/conversation.json", json={"name": name, "q": FOLLOW_UP, "after": form["after"]}).json()["turns"]
    assert [one["number"] for one in told] == [1, 0]
    assert "watts" in told[1]["understood"].removeprefix(FOLLOW_UP).split()[:2]  # it is nearer than what is kept


def test_a_long_question_is_followed_up(web: httpx.Client) -> None:
    long = "How many watts does the new lamp need? " * 127
    follow = fields(page(web, "/ask", q=long), "form.follow")
    assert follow["after"] == [long]
    assert "asked as" in page(web, "/ask", **follow | {"q": FOLLOW_UP}).css_first(".answer").text()


def test_a_conversation_has_a_name_of_one_length_everywhere(web: httpx.Client) -> None:
    name = "n" * conversations.LONGEST_NAME
    for path, told in (
        ("/ask", {"question": QUESTION, "conversation": name}),
        ("/conversation.json", {"q": FOLLOW_UP, "name": name}),
    ):
        answer = web.post(path, json=told, headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text[:500]
    assert len(web.get("/conversation.json", params={"name": name}).json()["turns"]) == 2
