"""The page in a real Chromium: with JavaScript and without, by keyboard alone, narrow, dark, and read by a checker of accessibility.

The browser is the system's own (`chromium`); without one these tests are skipped.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import page_kit
import pytest
from page_kit import NEWS, QUESTION

pytest.importorskip("starlette", reason="the extra serve is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (apt-get install chromium)")
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page_kit.shared(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def base(folder: Path) -> Iterator[str]:
    with page_kit.serving(folder) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        yield started
        started.close()


class Watched:
    """A page that notes every request elsewhere, every dialog, and what its console complains of."""

    def __init__(self, browser: Any, base: str, **options: Any) -> None:
        self.context = browser.new_context(base_url=base, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.wrong: list[str] = []
        self.page.on("request", lambda r: None if r.url.startswith(base) else self.wrong.append(f"request {r.url}"))
        self.page.on("dialog", lambda d: (self.wrong.append("dialog"), d.dismiss()))
        self.page.on("console", lambda m: self.wrong.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda e: self.wrong.append(str(e)))


@pytest.fixture
def open_page(browser: Any, base: str) -> Iterator[Any]:
    opened: list[Watched] = []

    def make(**options: Any) -> Any:
        opened.append(Watched(browser, base, **options))
        return opened[-1].page

    yield make
    for one in opened:
        one.context.close()
        assert one.wrong == []


def _read(folder: Path, name: str, **more: object) -> str:
    return f"/read?id={quote(str(folder / 'files' / name))}" + "".join(f"&{k}={quote(str(v))}" for k, v in more.items())


def _in_view(page: Any, selector: str) -> bool:
    return page.locator(selector).first.evaluate(
        "node => { const box = node.getBoundingClientRect(); return box.bottom > 0 && box.top < innerHeight }"
    )


def test_all_of_it_works_without_javascript(open_page: Any, folder: Path) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/")
    page.get_by_role("searchbox").fill("harbour board lamp")
    page.get_by_role("button", name="Search").click()
    page.locator(".results a.go").first.click()
    assert (
        NEWS in page.locator("mark.quote").all_inner_texts()[0] or "".join(page.locator("mark.quote").all_inner_texts()) == NEWS
    )
    page.goto(_read(folder, "cormorants/long.txt", q="cormorant", hit=1))
    page.get_by_role("link", name="Next hit").click()
    assert page.locator(".hits [role=status]").inner_text() == "Hit 2 of 30"
    assert _in_view(page, "#here")
    page.goto(f"/ask?q={quote(QUESTION)}")
    page.locator("a.cite").first.click()
    assert "ninety watts" in "".join(page.locator("mark.quote").all_inner_texts())


def test_results_come_as_one_types(open_page: Any) -> None:
    page = open_page()
    page.goto("/")
    page.get_by_role("searchbox").press_sequentially("heron winter")
    page.locator(".results h2", has_text="Birds of the harbour").wait_for()
    page.wait_for_url("**/search?q=heron+winter")
    assert page.title() == "heron winter – bookwheel"


def test_an_answer_streams_over_its_evidence(open_page: Any) -> None:
    page = open_page()
    page.goto("/ask")
    streamed: list[str] = []
    page.on("request", lambda request: streamed.append(request.url) if "/ask/stream" in request.url else None)
    page.get_by_role("searchbox").fill(QUESTION)
    page.keyboard.press("Enter")
    page.locator(".said").wait_for()
    assert len(streamed) == 1
    assert page.locator(".sources li").count() >= 1
    page.get_by_role("searchbox", name="A follow-up question").fill("And the old lamp?")
    page.keyboard.press("Enter")
    page.locator("text=asked as").wait_for()
    assert "after=" in streamed[1]
    follows = page.locator(".note", has_text="Follows: ")
    assert follows.inner_text() == f"Follows: {QUESTION} · begin anew"
    page.get_by_role("searchbox").first.fill("Who waits in shallow water?")  # which follows nothing
    page.keyboard.press("Enter")
    page.locator(".said", has_text="heron").wait_for()
    assert follows.count() == 0


def test_only_another_question_is_asked_anew(open_page: Any) -> None:
    page = open_page()
    page.goto(f"/ask?q={quote(QUESTION)}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/ask" in request.url else None)
    page.locator("a.skip").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**#main")
    page.go_back()
    page.wait_for_timeout(300)
    assert asked == []
    page.get_by_role("searchbox", name="A follow-up question").fill("And the old lamp?")
    page.keyboard.press("Enter")
    page.locator("text=asked as").wait_for()
    assert len(asked) == 1
    with page.expect_navigation(wait_until="load"):
        page.go_back()
    page.locator("text=asked as").wait_for(state="detached")
    assert page.get_by_role("searchbox").first.input_value() == QUESTION


def test_what_goes_wrong_while_asking_is_told(open_page: Any, browser: Any, base: str) -> None:
    watched = Watched(browser, base)
    watched.page.goto("/ask?library=none")
    watched.page.get_by_role("searchbox").fill(QUESTION)
    watched.page.keyboard.press("Enter")
    watched.page.locator("text=add a folder").wait_for()
    watched.context.close()


def test_by_keyboard_alone(open_page: Any, folder: Path) -> None:
    page = open_page()
    page.goto("/search?q=gull+ledge")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator(".results a.go").nth(1)
    assert second.evaluate("node => node === document.activeElement")
    assert second.evaluate("node => getComputedStyle(node).outlineStyle") != "none"
    page.keyboard.press("n")
    page.wait_for_url("**offset=10**")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Escape")
    page.goto(_read(folder, "cormorants/long.txt", q="cormorant", hit=3))
    page.keyboard.press("n")
    page.wait_for_url("**hit=4**")
    page.goto("/search?q=heron+winter")  # and without our keys, by Tab
    page.evaluate("document.activeElement.blur()")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "go":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/read?**")


def test_hostile_documents_do_nothing(open_page: Any, folder: Path) -> None:
    page = open_page()
    for address in (_read(folder, "hostile.txt", q="osprey"), "/search?q=osprey", "/ask?q=What+does+the+osprey+dive+for"):
        page.goto(address, wait_until="networkidle")
        assert "owned" not in page.title()
        assert page.locator("main script").count() == page.locator("main iframe").count() == 0
    page.goto("/")
    page.get_by_role("searchbox").press_sequentially("osprey")
    page.locator(".results").first.wait_for()
    assert page.locator("#found img, #found script").count() == 0
    assert page.title() == "osprey – bookwheel"


PAGES = ("/search?q=heron", "/library", f"/ask?q={quote(QUESTION)}", "/search?library=none&q=x")


def test_nothing_serious_for_accessibility(open_page: Any, folder: Path) -> None:
    _check(open_page(), [PAGES[0], _read(folder, "guide.pdf", q="avocet")])


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_on_any_page(open_page: Any, folder: Path, scheme: str) -> None:
    records = f"/read?id={quote(str(folder / 'files/tables/lamps.csv#3'))}"
    reads = [_read(folder, name) for name in ("code/sort.py", "mail/reply.eml", "notes.md", "tides.ipynb", "hostile.txt")]
    more = [
        "/",
        "/ask",
        "/conversations",
        "/judge",
        "/ask?q=Who+painted+it",
        "/search?q=heron&where=year+%3D+1",
        "/library?library=none",
    ]
    _check(open_page(color_scheme=scheme), [*PAGES, *more, *reads, records])


def _check(page: Any, addresses: list[str]) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()
    for address in addresses:
        page.goto(address)
        found = [one for one in axe.run(page).response["violations"] if one["impact"] in SERIOUS]
        assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found] == [], address
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p class=bad>Nobody can read this.</p>')")
    page.evaluate("const x = document.querySelector('p.bad'); x.style.color = '#888'; x.style.background = '#999'")
    assert axe.run(page).response["violations"]  # it does look


def test_it_fits_a_phone(open_page: Any, folder: Path) -> None:
    page = open_page(viewport={"width": 360, "height": 700})
    for address in (PAGES[0], "/library", _read(folder, "guide.pdf", q="avocet"), _read(folder, "hostile.txt")):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


def test_judging_by_keys_on_a_phone(open_page: Any) -> None:
    page = open_page(viewport={"width": 360, "height": 700})
    page.goto("/judge?judge=browser")
    page.fill("#queries", "the gull nests on a ledge")
    for at, recipe in enumerate(("bm25", "dense")):
        page.locator("input[name=recipe]").nth(at).fill(recipe)
    page.click("form.pool button")
    first = page.input_value("form.grades input[name=document]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    with page.expect_navigation():
        page.keyboard.press("2")
    assert page.input_value("form.grades input[name=document]") != first
    with page.expect_navigation():
        page.keyboard.press("u")
    assert page.input_value("form.grades input[name=document]") == first
    with page.expect_navigation():
        page.keyboard.down("2")
    second = page.input_value("form.grades input[name=document]")
    for _ in range(3):  # it is held
        page.keyboard.down("2")
    page.wait_for_timeout(300)
    assert page.input_value("form.grades input[name=document]") == second != first
    page.keyboard.up("2")
    with page.expect_navigation():
        page.keyboard.press("2")
    _check(page, ["/judge?judge=browser"])


def test_dark_and_light(open_page: Any) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme)
        page.goto("/")
        shades[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert shades["light"] != shades["dark"]


def test_the_picture_of_a_page_is_shown(open_page: Any, folder: Path) -> None:
    page = open_page()
    page.goto(_read(folder, "guide.pdf", q="avocet"), wait_until="networkidle")
    assert page.locator("figure img").evaluate("image => image.naturalWidth") == 1000
