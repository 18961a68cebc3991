"""The page as a browser without JavaScript gets it, and its JSON twins."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import page_kit
import pytest
from page_kit import NEWS, QUESTION

pytest.importorskip("starlette", reason="the extra serve is not installed")
httpx = pytest.importorskip("httpx", reason="httpx is not installed")
from selectolax.lexbor import LexborHTMLParser as Html  # noqa: E402

SERVE = Path(page_kit.bookwheel.__file__).parent / "serve"
WEIGHT = 60_000
PAGES = (
    "/", "/search?q=heron", "/search?q=nothingatall&where=year+%3D+1&offset=3", f"/ask?q={quote(QUESTION)}", "/ask",
    "/ask?q=Who+painted+the+opera+ceiling", "/conversations", "/judge", "/library", "/library?library=none", "/search?library=none&q=x",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page_kit.shared(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[httpx.Client]:
    with page_kit.serving(folder) as base, httpx.Client(base_url=base, timeout=60, headers={"Accept": "text/html"}) as client:
        yield client


def page(web: httpx.Client, address: str, status: int = 200) -> Html:
    answer = web.get(address)
    assert answer.status_code == status, answer.text[:500]
    return Html(answer.text)


def read(folder: Path, name: str, **more: object) -> str:
    rest = "".join(f"&{key}={quote(str(value))}" for key, value in more.items())
    return f"/read?id={quote(str(folder / 'files' / name))}{rest}"


def text_of(html: Html, selector: str) -> list[str]:
    return [node.text(deep=True) for node in html.css(selector)]


# -- what every page keeps ------------------------------------------------------------------------------------------------


def test_templates_and_static_files_keep_the_rules() -> None:
    for path in sorted((SERVE / "templates").iterdir()):
        text = path.read_text()
        assert "|safe" not in text.replace(" ", ""), path.name
        assert not re.search(r"\sstyle\s*=|<style|\son\w+\s*=|javascript:|autoescape|Markup", text), path.name
        assert not re.search(r"<script(?! src=\"/static/page\.js\" defer></script>)", text), path.name
    for path in [*(SERVE / "templates").iterdir(), *(SERVE / "static").iterdir()]:
        foreign = re.findall(r"(?:https?:)?//[a-z][\w.-]*\.[a-z]+", path.read_text())
        assert set(foreign) <= {"http://www.w3.org"}, path.name
    assert len((SERVE / "static" / "page.js").read_text().splitlines()) <= 150


@pytest.mark.parametrize("address", PAGES)
def test_every_page_has_a_heading_a_policy_and_a_twin(web: httpx.Client, address: str) -> None:
    answer = web.get(address)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    html = Html(answer.text)
    assert len(html.css("h1")) == 1 or address.startswith("/search?library=none") or html.css("h1, h2")
    parts = urlsplit(address)
    twin = ("/index" if parts.path == "/" else parts.path) + f".json?{parts.query}"
    assert isinstance(web.get(twin).json(), dict)


def test_a_page_weighs_at_most_60_kb(web: httpx.Client, folder: Path) -> None:
    static = sum(len(web.get(f"/static/{name}").content) for name in ("page.css", "page.js", "wheel.svg"))
    for address in (*PAGES, "/search?q=gull", read(folder, "notes.md", q="heron")):
        assert len(web.get(address).content) + static <= WEIGHT, address


def test_text_of_documents_is_never_live(web: httpx.Client, folder: Path) -> None:
    for address in (
        "/search?q=osprey", read(folder, "hostile.txt", q="osprey"), f"/read?id={quote('<b>id</b>' + chr(34))}",
        "/ask?q=What+does+the+osprey+dive+for", "/search?q=%3Cscript%3Ealert(1)%3C/script%3E%22", "/search?q=bittern",
    ):  # fmt: skip
        answer = web.get(address)
        assert answer.status_code == 200
        html = Html(answer.text)
        assert [node.attributes.get("src") for node in html.css("script")] == ["/static/page.js"]
        assert {node.attributes["src"] for node in html.css("img")} <= {"/static/wheel.svg"}
        for node in html.css("*"):
            assert not [name for name in node.attributes if name.startswith("on") or name == "style"], node.html
            for name in ("href", "src", "action"):
                assert node.attributes.get(name, "/").startswith(("/", "#")), node.html
    shown = "".join(text_of(page(web, read(folder, "hostile.txt")), ".body"))
    assert page_kit.ATTACK in shown


# -- searching -----------------------------------------------------------------------------------------------------------


def test_results_say_what_and_where(web: httpx.Client, folder: Path) -> None:
    html = page(web, "/search?q=heron+winter")
    assert text_of(html, ".results h2")[0] == "Birds of the harbour"
    assert {mark.casefold() for mark in text_of(html, ".results li:first-child mark")} == {"heron", "winter"}
    assert str(folder) in text_of(html, ".results li:first-child .place")[0]
    assert "bm25" in text_of(html, "details.why")[0]


def test_copies_stand_under_their_result(web: httpx.Client) -> None:
    html = page(web, "/search?q=harbour+board+lamp")
    assert len([one for one in text_of(html, ".results .text") if "harbour board replaced" in one]) == 1
    (also,) = [node for node in html.css(".also") if "north.txt" in node.text()]
    target = also.css_first("a").attributes["href"]
    assert target is not None
    assert "".join(text_of(page(web, target), "mark.quote")) == NEWS


def test_pages_follow_each_other(web: httpx.Client) -> None:
    address, seen = "/search?q=gull+ledge&fold=false&where=" + quote('folder = "many"'), []
    for _ in range(10):
        html = page(web, address)
        seen += [node.attributes["href"] for node in html.css("a.go")]
        following = html.css_first("[rel=next]")
        if following is None:
            break
        address = following.attributes["href"] or ""
    assert len(seen) == len(set(seen)) == 23


def test_facets_narrow_and_can_be_taken_away(web: httpx.Client) -> None:
    html = page(web, "/search?q=bittern+booms+heron&recipe=bm25")
    links = {node.attributes["title"]: node.attributes["href"] or "" for node in html.css(".facets a")}
    odd = next(value for value in links if value and 'odd "dir"' in value)
    narrowed = page(web, links[odd])
    assert text_of(narrowed, ".results .text") == ["A bittern booms in the reeds of the odd folder."]
    assert 'folder = "' in text_of(narrowed, ".chips code")[0]
    again = page(web, narrowed.css_first(".chips a").attributes["href"] or "")
    assert len(again.css(".results > li")) == len(html.css(".results > li"))


def test_a_wrong_filter_is_told(web: httpx.Client) -> None:
    html = page(web, "/search?q=heron&where=yaer+%3E+2000", 400)
    assert "no document has a field 'yaer'" in text_of(html, "[role=alert]")[0].replace("No ", "no ")


def test_the_query_line_is_read(web: httpx.Client) -> None:
    phrase = web.get("/search.json", params={"q": '"eats 21 fish"'}).json()["results"]
    assert [one["text"] for one in phrase] == ["The gull number 7 nests on ledge 49 and eats 21 fish."]
    only = web.get("/search.json", params={"q": "heron suffix:md"}).json()["results"]
    assert [one["title"] for one in only] == ["Birds of the harbour"]
    without = web.get("/search.json", params={"q": "heron lamp -winter -ninety", "k": 50}).json()["results"]
    assert without
    assert not [one for one in without if {"winter", "ninety"} & set(one["text"].casefold().split())]
    for odd in ('"', '"heron', "C++ - x", "http://x:y", "-heron"):
        assert web.get("/search", params={"q": odd}).status_code in (200, 400)


def test_by_date(web: httpx.Client) -> None:
    html = page(web, "/search?q=lamp")
    newest = next(node.attributes["href"] for node in html.css(".choices a") if node.text() == "newest first")
    dates = [node.attributes["datetime"] for node in page(web, newest or "").css(".results time")]
    assert dates == sorted(dates, reverse=True)


def test_an_empty_library_says_what_to_do(web: httpx.Client) -> None:
    assert "add a folder" in text_of(page(web, "/search?library=none&q=x"), ".empty")[0]
    assert "bookwheel index" in text_of(page(web, "/library?library=none"), ".empty")[0]


# -- reading --------------------------------------------------------------------------------------------------------------


def test_a_passage_is_marked_where_the_link_leads(web: httpx.Client) -> None:
    html = page(web, "/search?q=harbour+board+lamp")
    target = html.css_first("a.go").attributes["href"] or ""
    assert target.endswith("#here")
    shown = page(web, target)
    assert len(shown.css("#here")) == 1
    assert "".join(text_of(shown, "mark.quote")) == NEWS


def test_a_passage_over_many_lines_has_one_anchor(web: httpx.Client, folder: Path) -> None:
    for name in ("code/sort.py", "notes.md", "tides.ipynb", "mail/reply.eml", "guide.pdf"):
        html = page(web, read(folder, name, start=0, end=60))
        assert len(html.css("#here")) == 1, name
        ids = [node.attributes["id"] for node in html.css("[id]")]
        assert len(ids) == len(set(ids)), name


def test_hits_follow_each_other_through_a_long_document(web: httpx.Client, folder: Path) -> None:
    address, lines = read(folder, "cormorants/long.txt", q="cormorants", hit=1), []
    for _ in range(40):
        html = page(web, address)
        here = html.css_first("#here")
        assert here is not None
        assert here.text() == "cormorant"
        lines.append(int(here.parent.parent.css_first(".n").text()))
        following = html.css_first(".hits [rel=next]")
        if following is None:
            break
        address = following.attributes["href"] or ""
    assert lines == list(range(1, 1501, 50))  # the file's own line numbers
    assert web.get(address).text.count("cormorant") < 1500


def test_each_kind_is_shown_as_what_it_is(web: httpx.Client, folder: Path) -> None:
    mail = page(web, read(folder, "mail/reply.eml"))
    assert "Ada <ada@lighthouse.example>" in text_of(mail, ".letterhead")[0]
    assert text_of(mail, "blockquote") == ["> Did the crate arrive?"]
    notebook = page(web, read(folder, "tides.ipynb"))
    assert text_of(notebook, "pre code") == ["level = 2.31\nprint(level)\n"]
    assert text_of(notebook, ".body h2") == ["Tides"]
    code = page(web, read(folder, "code/sort.py", q="heron_7"))
    numbers = text_of(code, ".line .n")
    assert numbers == [str(at) for at in range(int(numbers[0]), int(numbers[0]) + len(numbers))]
    table = page(web, f"/read?id={quote(str(folder / 'files/tables/lamps.csv#3'))}")
    assert text_of(table, "thead th")[1:] == ["lighthouse", "watts", "year"]
    assert [row.css("td")[1].text() for row in table.css("tbody tr")] == ["North light", "South light", "Mole"]
    assert table.css_first("tr.chosen").css("td")[1].text() == "South light"
    prose = page(web, read(folder, "notes.md"))
    assert text_of(prose, ".body h3") == ["Winter"]


def test_what_only_resembles_is_not_shown_as_if_the_word_stood_there(web: httpx.Client) -> None:
    note = "no word of the query stands in any of these"
    assert note in page(web, "/search?q=zzzqqq").css_first(".note").text()
    assert note not in web.get("/search?q=heron").text
    wrong = web.get("/search", params={"q": "heron", "where": "year >>"}, headers={"Accept": "text/html"})
    assert "column" in wrong.text
    assert "^" not in wrong.text.split("<main")[1]


def test_a_page_of_a_pdf_is_drawn_with_its_printed_number(web: httpx.Client, folder: Path) -> None:
    html = page(web, read(folder, "guide.pdf", q="avocet"))
    assert "p. 7, sheet 2 of 2" in text_of(html, ".pager")[0]
    picture = web.get(html.css_first("figure img").attributes["src"] or "")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert web.get(f"/page.png?id={quote(str(folder / 'files/notes.md'))}").status_code == 400


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "library/manifest.json", "", "x\u202ey"]
)
def test_only_documents_are_read(web: httpx.Client, folder: Path, name: str) -> None:
    for address in (
        f"/read?id={name}",
        f"/read?id={quote(str(folder))}/{name}",
        f"/page.png?id={name}",
        f"/read.json?id={name}",
    ):
        answer = web.get(address)
        assert answer.status_code in (400, 404), address
        assert "root:" not in answer.text
    link = folder / "files" / "link.txt"
    if not link.is_symlink():
        link.symlink_to("/etc/passwd")
    assert web.get(read(folder, "link.txt")).status_code == 404


# -- asking ---------------------------------------------------------------------------------------------------------------


def test_each_sentence_leads_to_its_quote(web: httpx.Client) -> None:
    html = page(web, f"/ask?q={quote(QUESTION)}")
    sentences = html.css(".said > span")
    assert sentences
    for sentence in sentences:
        said = sentence.text(deep=False).strip()
        for cite in sentence.css("a.cite"):
            shown = page(web, cite.attributes["href"] or "")
            assert " ".join("".join(text_of(shown, "mark.quote")).split()) == " ".join(said.split())


def test_a_refusal_says_why_and_what_is_nearest(web: httpx.Client) -> None:
    html = page(web, "/ask?q=Who+painted+the+opera+ceiling")
    assert text_of(html, ".answer h2") == ["No answer"]
    assert "'opera'" in text_of(html, ".answer")[0]


def test_follow_ups_remember_and_are_kept_only_when_posted(web: httpx.Client) -> None:
    html = page(web, f"/ask?q={quote(QUESTION)}")
    follow = {node.attributes["name"]: node.attributes.get("value") for node in html.css("form.follow input")}
    assert follow["after"] == QUESTION
    second = page(web, f"/ask?q=And+the+old+one%3F&after={quote(QUESTION)}")
    assert "asked as" in second.text().casefold()
    assert page(web, "/conversation?name=trip&q=x", 405).css_first("[role=alert]") is not None
    assert web.get("/conversations.json").json() == {"conversations": []}
    kept = web.post("/conversation", data={"name": "trip", "q": QUESTION})
    assert QUESTION in "".join(text_of(Html(kept.text), ".turn h2"))
    web.post("/conversation", data={"name": "trip", "q": "And the old one?"})
    assert [one["questions"] for one in web.get("/conversations.json").json()["conversations"]] == [2]
    assert "trip" in text_of(page(web, "/conversations"), ".list")[0]
    assert len(page(web, "/conversation?name=trip").css(".turn")) == 2
    forgotten = web.post("/conversation", data={"name": "trip", "forget": "true"})
    assert "2 questions" in forgotten.text
    assert web.get("/conversation?name=trip").status_code == 404


def test_an_answer_comes_as_events(web: httpx.Client) -> None:
    import json

    events = web.get(f"/ask/stream?q={quote(QUESTION)}").text.strip().split("\n\n")
    parsed = [(one.split("\n")[0], json.loads(one.split("data: ", 1)[1])) for one in events]
    assert [name for name, _ in parsed] == ["event: found", "event: answer"]
    whole = page(web, f"/ask?q={quote(QUESTION)}").css_first(".said").text()
    assert Html(parsed[-1][1]).css_first(".said").text() == whole


# -- the library ------------------------------------------------------------------------------------------------------------


def test_what_a_library_holds_and_takes(web: httpx.Client) -> None:
    html = page(web, "/library")
    told = html.css_first("main").text()
    for word in ("documents", "passages", "texts and metadata", "planned", "measured", "numbering"):
        assert word in told
    widths = [float(node.attributes["width"] or 0) for node in html.css("svg.shares rect")]
    assert sum(widths) == pytest.approx(100, abs=0.1)


def test_a_folder_is_added_behind_the_page(web: httpx.Client, folder: Path) -> None:
    (folder / "files" / "later.txt").write_text("A spoonbill came later.")
    assert web.get("/library?action=add&path=/").status_code == 405
    refused = web.post("/library", data={"action": "add", "path": "/etc"})
    assert (refused.status_code, "not in a folder" in refused.text) == (400, True)
    assert "later.txt" in web.post("/library", data={"action": "add", "path": str(folder / "files" / "later.txt")}).text
    until = time.monotonic() + 30
    while (job := web.get("/library.json").json()["job"])["running"] and time.monotonic() < until:
        time.sleep(0.1)
    assert (job["failed"], "1 added" in job["told"]) == (False, True)
    assert "spoonbill" in text_of(page(web, "/search?q=spoonbill"), "mark")


def test_watched_folders_are_shown(folder: Path, tmp_path: Path) -> None:
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "a.txt").write_text("A curlew calls.")
    more = tmp_path / "own"
    with page_kit.serving(more, watch=(watched,)) as base, httpx.Client(base_url=base, timeout=60) as web:
        until = time.monotonic() + 30
        while not (found := page(web, "/search?q=curlew").css(".results")) and time.monotonic() < until:
            time.sleep(0.1)
        assert found
        assert str(watched) in text_of(page(web, "/library"), "section .list")[0]


def test_files_are_opened_by_a_button_only(web: httpx.Client, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bookwheel.library import files

    opened: list[str] = []
    monkeypatch.setattr(files.shutil, "which", lambda name: "/bin/true")
    monkeypatch.setattr(files.subprocess, "Popen", lambda command, **_: opened.append(command[1]))
    path = str(folder / "files" / "notes.md")
    assert web.get("/open", params={"id": path}).status_code == 405
    assert web.post("/open", data={"id": "/etc/passwd"}).status_code == 404
    assert web.post("/open", data={"id": path}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert opened == []
    assert web.post("/open", data={"id": path}).status_code == 200
    assert web.post("/open", data={"id": str(folder / "files" / "code/sort.py")}).status_code == 400
    assert opened == [path]


def test_a_read_only_server_keeps_and_adds_nothing(folder: Path) -> None:
    with page_kit.serving(folder, read_only=True) as base, httpx.Client(base_url=base, timeout=60) as web:
        for address, data in (
            ("/conversation", {"name": "x", "q": QUESTION}),
            ("/library", {"action": "add", "path": str(folder / "files")}),
            ("/judge", {"action": "pool", "queries": "heron"}),
        ):
            assert web.post(address, data=data).status_code == 403


def test_words_that_the_documents_do_not_have_are_marked() -> None:
    from bookwheel.serve.pages.answers import answer_view

    evidence = {
        "number": 1,
        "id": "a",
        "source": "-",
        "title": "",
        "place": "",
        "start": 0,
        "end": 40,
        "text": "The heron ate 3 fish.",
    }
    claim = {"text": "The heron ate 40 <b>sharks</b>.", "status": "altered", "note": "40 is not 3", "quotes": []}
    view = answer_view({"question": "q", "claims": [claim], "evidence": [evidence]}, "")
    assert [piece.text for piece in view.sentences[0].pieces if piece.kinds == "bad"] == ["40", "sharks"]
    assert view.shown[0].number == 1
