"""`/judge`: judging in the page, without JavaScript and as JSON, into the file that `bookwheel judge` writes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import page_kit
import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")
httpx = pytest.importorskip("httpx", reason="httpx is not installed")
from selectolax.lexbor import LexborHTMLParser as Html  # noqa: E402

from bookwheel.evaluate.judgments import read_qrels  # noqa: E402
from bookwheel.tune.judging.journal import Journal, journal_path  # noqa: E402

POOL = {
    "action": "pool",
    "queries": "gull nests on a ledge\n\nlamp\tnew lamp watts\n",
    "recipe": ["bm25", "dense"],
    "depth": "5",
}


@pytest.fixture
def folder(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = page_kit.shared(tmp_path_factory.getbasetemp())
    shutil.copytree(made / "library", tmp_path / "library", ignore=shutil.ignore_patterns("judgments"))
    (tmp_path / "files").mkdir()
    return tmp_path


@pytest.fixture
def web(folder: Path) -> Iterator[httpx.Client]:
    with page_kit.serving(folder) as base, httpx.Client(base_url=base, timeout=60, headers={"Accept": "text/html"}) as client:
        yield client


def fields(page: Html, form: str) -> dict[str, str]:
    return {node.attributes["name"]: node.attributes["value"] for node in page.css(f"{form} input[type=hidden]")}


def test_judging_by_forms_alone_until_nothing_matters(web: httpx.Client, folder: Path) -> None:
    page = Html(web.get("/judge").text)
    assert page.css_first("form.pool textarea[name=queries]") is not None
    page = Html(web.post("/judge", data=POOL).text)
    journal = Journal(journal_path(folder / "library", "me"))
    assert (list(journal.pooled.queries), journal.pooled.recipes, journal.pooled.depth) == (["1", "lamp"], ("bm25", "dense"), 5)
    assert page.css("article.judged mark.hit")
    assert len(page.css("form.grades button[name=grade]")) == 4
    judged = 0
    while page.css_first("article.judged") is not None:
        answer = web.post("/judge", data={**fields(page, "form.grades"), "grade": str(judged % 4)})
        assert answer.status_code == 200, answer.text
        page, judged = Html(answer.text), judged + 1
        assert judged < 40
    assert "Done" in page.css_first(".empty").text()
    assert "order of the recipes" in page.body.text() or "all of the pool is judged" in page.body.text()
    journal.refresh()
    assert [one.grade for one in journal.judgments] == [number % 4 for number in range(judged)]
    got = web.get(page.css_first(".bar a").attributes["href"])
    (folder / "out.tsv").write_text(got.text)
    assert sum(map(len, read_qrels(folder / "out.tsv").values())) == judged
    assert "attachment" in got.headers["content-disposition"]


def test_skip_and_take_back(web: httpx.Client, folder: Path) -> None:
    page = Html(web.post("/judge", data=POOL).text)
    first = fields(page, "form.grades")
    page = Html(web.post("/judge", data={**first, "action": "skip"}).text)
    assert fields(page, "form.grades") != first
    page = Html(web.post("/judge", data={"action": "undo"}).text)
    assert fields(page, "form.grades") == first
    assert "Taken back" in page.body.text()
    assert "nothing to take back" in web.post("/judge", data={"action": "undo"}).text
    assert Journal(journal_path(folder / "library", "me")).judgments == []


def test_its_twin_says_the_same(web: httpx.Client, folder: Path) -> None:
    assert web.get("/judge.json").json() == {
        "judge": "me", "next": None, "standing": None,
        "grades": ["not relevant", "on the subject, but no answer", "answers in part", "answers it well"],
    }  # fmt: skip
    told = web.post("/judge.json", json={**POOL, "depth": 5, "judge": "ann"}).json()
    pair = {"query": told["next"]["query"], "document": told["next"]["document"]}
    assert told["standing"]["judged"] == 0
    told = web.post("/judge.json", json={**pair, "grade": 3, "judge": "ann"}).json()
    assert told["standing"]["judged"] == 1
    assert told["next"]["document"] != pair["document"] or told["next"]["query"] != pair["query"]
    (kept,) = Journal(journal_path(folder / "library", "ann")).judgments
    assert (kept.query, kept.document, kept.grade) == (pair["query"], pair["document"], 3)
    assert web.get("/judge.json").json()["standing"] is None  # that is me
    assert "ann" in Html(web.get("/judge").text).body.text()
    paths = web.get("/openapi.json").json()["paths"]
    assert {"get", "post"} <= set(paths["/judge.json"])
    assert "get" in paths["/qrels"]


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        ({"grade": "2", "query": "1", "document": "nowhere"}, 400, "is not pooled"),
        ({"action": "judge"}, 400, "grade is missing"),
        ({"grade": "4", "query": "1", "document": "x"}, 400, "from 0 to 3"),
        ({"action": "pool", "queries": "a\tone\na\ttwo"}, 400, "two queries have the ID"),
        ({"action": "pool", "queries": " "}, 400, "there is no query"),
        (
            {"action": "pool", "queries": "x", "recipe": 'bm25 >> cross(20, model="http://evil.example/v1")'},
            400,
            "runs no recipe",
        ),
        ({"action": "undo", "judge": "../../etc/passwd"}, 400, "a judge has a name"),
        ({"action": "undo", "library": "other"}, 404, "there is no library"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(web: httpx.Client, data: dict[str, str], status: int, said: str) -> None:
    assert web.post("/judge", data=POOL).status_code == 200
    answer = web.post(
        "/judge.json", json=json.loads(json.dumps(data).replace('"grade": "', '"grade": ').replace('", "query"', ', "query"'))
    )
    assert (answer.status_code, said in answer.json()["error"]["message"]) == (status, True), answer.text


def test_it_is_guarded_as_the_other_pages_are(web: httpx.Client, folder: Path) -> None:
    assert web.get("/judge?action=undo").status_code == 405
    assert web.get("/judge?grade=1&query=1&document=x").status_code == 405
    assert web.post("/judge", data=POOL, headers={"Origin": "https://evil.example"}).status_code == 403
    assert web.post("/judge", data={"action": "undo"}).status_code == 400  # nothing is pooled
    assert web.get("/judge?library=none").status_code == 200  # none is there yet
    assert not (folder / "library" / "judgments").exists()


def test_a_read_only_server_shows_and_keeps_nothing(folder: Path) -> None:
    with page_kit.serving(folder, read_only=True) as base, httpx.Client(base_url=base, timeout=60) as web:
        assert "read-only" in web.get("/judge").text
        assert web.post("/judge", data=POOL).status_code == 403
        assert web.get("/qrels").text == ""
    assert not (folder / "library" / "judgments").exists()
