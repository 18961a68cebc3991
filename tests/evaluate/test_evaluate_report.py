"""Reports: one page that needs nothing, Markdown and JSON; what queries and documents say in them is words and nothing else."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel import Document, UsageError
from bookwheel.evaluate import Collection, Evaluation, evaluate, evaluation_report, failures, made, write_report
from bookwheel.evaluate.excerpts import excerpt, texts_of
from bookwheel.evaluate.report import Code, Details, Heading, Paragraph, Quote, Report, Table
from bookwheel.evaluate.report.markdown import _words as in_markdown

ALIVE = (
    "</title></style></svg><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>"
    "<a href='javascript:alert(1)'>x</a><iframe src=//evil.example></iframe>&lt;b&gt; ![](http://evil.example/p.png) "
    "[click](http://evil.example) <http://evil.example> http://evil.example www.evil.example me@evil.example `code` **bold** "
    "| cell | $x$\n\n# heading\n- item\x00\x07\x1b[31m\u202etxt.exe\u2066 \ud800"
)
TAGS = {
    *(
        "html",
        "head",
        "meta",
        "link",
        "title",
        "style",
        "body",
        "main",
        "h1",
        "h2",
        "p",
        "div",
        "table",
        "thead",
        "tbody",
        "tr",
    ),
    *("th", "td", "figure", "figcaption", "svg", "path", "circle", "rect", "text", "details", "summary", "blockquote", "mark"),
    "pre",
}
ATTRIBUTES = {
    *(
        "lang",
        "charset",
        "data-name",
        "http-equiv",
        "content",
        "name",
        "rel",
        "href",
        "class",
        "id",
        "tabindex",
        "dir",
        "open",
        "xmlns",
        "role",
    ),
    *("viewbox", "aria-label", "d", "cx", "cy", "r", "x", "y", "width", "height", "text-anchor", "fill-opacity"),
}


class Page(HTMLParser):
    """Parses a page and refuses whatever a report does not write."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.policy = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert name in ATTRIBUTES, (tag, name)
            assert name != "href" or value == "data:,", "the only address is that of no icon"
        if ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = dict(attrs)["content"] or ""
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def evaluated(words: str = "apple pie", documents: str = "Apple pie with cinnamon.", name: str = "first") -> Evaluation:
    """Two rankings of 12 queries; the second is better."""
    queries = {f"q{n}{words if n == 1 else ''}": f"{words} {n}" for n in range(12)}
    qrels = {query: {f"r{n}": 1, f"x{n}": 0} for n, query in enumerate(queries)}
    kept = [
        Document(id=f"{kind}{n}", title=f"{words} title", text=f"{documents} {n}. " * 40) for n in range(12) for kind in "rx"
    ]
    collection = Collection(words, queries, qrels, read=lambda: iter(kept))

    def search(order: str) -> Any:
        def ranked(text: str) -> list[tuple[str, float]]:
            number = text.rsplit(" ", 1)[1]
            return [(f"{kind}{number}", -float(at)) for at, kind in enumerate(order if int(number) < 9 else "yx")]

        return lambda texts, k: [ranked(text) for text in texts]

    return evaluate(collection, {name: search("xyr"), "second": search("yr")}, ["RR", "nDCG@10"])


@pytest.fixture(scope="module")
def hostile() -> Report:
    found = evaluated(ALIVE, ALIVE, ALIVE)
    return evaluation_report(
        found, texts=texts_of(found.collection), made={**made(["bookwheel", ALIVE]), "versions": {ALIVE: ALIVE}}
    )


def test_a_page_is_words_tables_and_shapes_whatever_they_say(hostile: Report) -> None:
    text = hostile.html()
    page = Page(text)
    assert "default-src 'none'" in page.policy
    assert "script" not in page.policy
    assert "unsafe" not in page.policy
    shown = "".join(page.text)
    assert "<script>alert(1)</script>" in shown, "it is shown as it is written"
    for odd in "\x00\x07\x1b\u202e\u2066":
        assert odd not in text
    assert text.encode("utf-8").decode() == text, "half a pair of surrogates is not written"


def test_the_policy_allows_the_pages_own_style(hostile: Report) -> None:
    import base64
    import hashlib

    text = hostile.html()
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in text
    assert "url(" not in style
    assert "@import" not in style


def test_a_report_has_all_its_parts() -> None:
    found = evaluated()
    report = evaluation_report(
        found, texts=texts_of(found.collection), made=made(["bookwheel", "evaluate", "x y"]), margin=0.05
    )
    text = html.unescape(report.html())
    for part in (
        "second reaches RR 0.3750 over 12 queries, +0.1250 against first: a significant difference",
        "Differences from first",
        "the differences of all queries, sorted",
        "As good as the baseline?",
        "Missing judgments",
        "Of the first 100 documents of each query 50 % (second)",
        "Where second fails",
        "Wanted: r9, grade 1, not found (ranks elsewhere: first –)",
        "Instead: x9, grade 0, at rank 2",
        "bookwheel evaluate 'x y'",
        "seed",
    ):
        assert part in text, part
    assert text.count("<svg") == 5, "boxes, time, intervals, differences, labels"
    assert "<mark>apple</mark> <mark>pie</mark>" in text.lower()
    data = json.loads(report.json())
    assert data["recipes"][1]["queries"]["q0"]["RR"] == 0.5
    assert data["equivalence"][0]["margin"] == 0.05
    assert data["failures"][0]["wanted"][0]["document"] == "r10"
    assert data["made"]["command"] == "bookwheel evaluate 'x y'"
    for key in ("comparisons", "missing_judgments", "fewer_labels", "seed", "title", "summary"):
        assert key in data


def test_one_ranking_of_one_query_makes_a_report_too() -> None:
    collection = Collection("one", {"1": ""}, {"1": {"a": 1}})
    found = evaluate(collection, {"only": lambda texts, k: [[] for _ in texts]}, ["nDCG@10"])
    report = evaluation_report(found)
    Page(report.html())
    assert report.summary == "only reaches nDCG@10 0.0000 over 1 query."
    assert "(the text of the query is not known)" in report.html()
    assert "Nothing came instead." in report.markdown()
    json.loads(report.json())


def test_failures_are_the_worst_and_of_these_what_others_find() -> None:
    found = evaluated()
    worst = failures(found, "first", n=4)
    assert [round(one.value, 2) for one in worst] == [0.0, 0.0, 0.0, 0.33]
    assert worst[3].others == {"second": 0.5}
    assert (worst[3].wanted[0].ranks, worst[3].wanted[0].grade) == ({"first": 3, "second": 2}, 1)
    assert [(one.document, one.grade) for one in worst[3].instead] == [("x0", 0), ("y0", None)]
    assert worst[3].wanted[0].excerpt is None
    (told,) = failures(found, "first", n=1, texts=texts_of(found.collection))
    assert told.wanted[0].excerpt is not None
    with pytest.raises(UsageError, match="'third' was not evaluated"):
        failures(found, "third")


def test_the_excerpt_is_where_the_words_are() -> None:
    text = "nothing of it. " * 200 + "The lighthouse keeper died in winter. " + "more of nothing. " * 200
    found = excerpt(text, "Which keeper of the lighthouse died?")
    assert "lighthouse keeper died" in found.text
    assert [found.text[low:high] for low, high in found.marks] == ["lighthouse", "keeper", "died"]
    assert (found.before, found.after) == (True, True)
    assert len(found.text) < 500
    assert excerpt("short", "none").text == "short"
    assert excerpt("", "").text == ""
    chinese = excerpt("字" * 900 + "灯塔的看守人死于冬天。" + "字" * 900, "看守人")
    assert "看守人" in chinese.text


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=2000), st.text(max_size=60))
def test_an_excerpt_is_a_part_of_any_text(text: str, query: str) -> None:
    found = excerpt(text, query, 100)
    assert found.text in text
    assert all(0 <= low < high <= len(found.text) for low, high in found.marks)


# -- Markdown


def test_markdown_has_nothing_alive(hostile: Report) -> None:
    text = hostile.markdown()
    parsed = pytest.importorskip("markdown_it", reason="markdown-it is what parses it").MarkdownIt("commonmark").enable("table")
    shown = parsed.render(text)
    assert set(re.findall(r"<([a-z]\w*)", shown)) <= {
        *("h1", "h2", "h3", "p", "em", "table", "thead", "tbody", "tr", "th", "td", "blockquote", "pre", "code")
    }
    assert not re.search(r"<(a|img|script|strong)\b", shown)
    # what GitHub makes links of, though nothing marks them as such
    outside = re.sub(r"(?m)^    .*$", "", text)
    assert not re.search(r"(?<!\\):(?=//)|(?<=www)\.|(?<=\w)@(?=[a-z])", outside)
    assert "\x1b" not in text


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=80) | st.text("-+=>#*_`[]()<>!|~&:1.) w\\$@/\t\n", max_size=40))
def test_any_text_in_markdown_is_that_text(text: str) -> None:
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it is what parses it").MarkdownIt("commonmark")
    from bookwheel._printable import clean

    words = " ".join(clean(text).encode("utf-8", "replace").decode().split())
    tokens = markdown_it.parse(in_markdown(text))
    assert [token.type for token in tokens] == (["paragraph_open", "inline", "paragraph_close"] if words else [])
    if words:
        assert "".join(child.content for child in tokens[1].children) == words
        assert {child.type for child in tokens[1].children} <= {"text", "text_special"}


# -- writing


def test_the_suffix_says_how_a_report_is_written(tmp_path: Path) -> None:
    report = Report(
        "t",
        "s",
        [
            Heading("h"),
            Paragraph("p"),
            Table(["a", "b"], [["x|y", "1"]]),
            Quote("l", "text", [(0, 2)]),
            Code("c\nd"),
            Details("more", [Paragraph("inner")]),
        ],
        {"n": float("nan")},
    )
    for name in ("a.html", "new/b.md", "c.JSON"):
        assert write_report(report, tmp_path / name) == tmp_path / name
    Page((tmp_path / "a.html").read_text())
    assert "<mark>te</mark>xt" in (tmp_path / "a.html").read_text()
    assert "| x\\|y | 1 |" in (tmp_path / "new" / "b.md").read_text()
    assert json.loads((tmp_path / "c.JSON").read_text()) == {"title": "t", "summary": "s", "n": None}
    with pytest.raises(UsageError, match=r"written as .html, .md or .json, and '.*x.pdf' ends with none"):
        write_report(report, tmp_path / "x.pdf")
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(UsageError, match=r"folder.md is a folder"):
        write_report(report, tmp_path / "folder.md")


def test_what_made_it_names_no_person_and_no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import getpass
    import platform

    told = json.dumps(made(seed=3))
    assert platform.python_version() in told
    node = platform.node()
    assert len(node) < 6 or node not in told
    assert len(getpass.getuser()) < 6 or getpass.getuser() not in told


# -- on the command line

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, child_environment: dict[str, str]) -> Path:
    """The folder in which the command wrote reports of two runs, whose texts are hostile."""
    folder = tmp_path_factory.mktemp("written")
    judged = folder / "judged"
    (judged / "qrels").mkdir(parents=True)
    words = ALIVE.replace("\ud800", "")
    documents = [json.dumps({"_id": f"d{n}", "title": words, "text": f"{words} {n}"}) for n in range(6)]
    (judged / "corpus.jsonl").write_text("\n".join(documents))
    (judged / "queries.jsonl").write_text("\n".join(json.dumps({"_id": str(n), "text": f"{words} {n}"}) for n in range(6)))
    (judged / "qrels" / "test.tsv").write_text("\n".join(f"{n}\td{n}\t1" for n in range(6)))
    for name, rank in (("one", 1), ("two", 2)):
        lines = [f"{n} Q0 d{n if at == rank else (n + 1 + at) % 6} {at} {-at} t" for n in range(6) for at in range(4)]
        (folder / f"{name}.run").write_text("\n".join(lines))
    command = [sys.executable, "-m", "bookwheel", "evaluate", "judged", "--run", "one.run", "--run", "two.run", "--judged"]
    reports = ["--equivalent", "0.1", "--report", "out.html", "--report", "out.md", "--report", "sub/out.json"]
    done = subprocess.run([*command, *reports], cwd=folder, capture_output=True, text=True, env=child_environment, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout)
    assert "report written to out.html" in done.stderr
    return folder


def test_the_command_writes_reports_and_prints_what_is_asked_for(written: Path) -> None:
    Page((written / "out.html").read_text())
    data = json.loads((written / "sub" / "out.json").read_text())
    assert data["made"]["command"].startswith("bookwheel evaluate judged --run one.run")
    assert data["equivalence"][0]["margin"] == 0.1
    assert data["failures"][0]["wanted"][0]["text"]
    told = (written / "stdout").read_text()
    for part in ("lowest", "p (within 0.1)", "labels a query", "are judged, and the others count as irrelevant"):
        assert part in told
    assert "\x1b" not in told


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (apt-get install chromium)")
def test_a_browser_runs_nothing_and_asks_nobody(written: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        for width, scheme in ((1280, "light"), (390, "dark")):
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
            asked: list[str] = []
            wrong: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("dialog", lambda dialog, wrong=wrong: (wrong.append("dialog"), dialog.dismiss()))
            page.on("console", lambda message, wrong=wrong: wrong.append(message.text))
            page.on("pageerror", lambda error, wrong=wrong: wrong.append(str(error)))
            address = (written / "out.html").as_uri()
            page.goto(address, wait_until="networkidle")
            assert [url for url in asked if url not in (address, "data:,")] == []
            assert wrong == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing is wider than the window"
            assert page.evaluate("document.querySelectorAll('script, iframe, img, a, object, embed').length") == 0
            paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(23, 25, 28)"), "its own style is allowed"
            assert page.evaluate("getComputedStyle(document.querySelector('.plot text')).fill") != "rgb(0, 0, 0)"
            page.close()
        browser.close()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["x", "--report", "out.pdf"], "a report is written as .html, .md or .json, and 'out.pdf' ends with none of them"),
        (["x", "--keep"], "--keep keeps the result in a library; name it with --library"),
        (["x", "--run", "r", "--keep"], "so --keep would do nothing"),
        (["x", "--equivalent", "0"], "--equivalent must be a number between 1e-09"),
    ],
)
def test_wrong_options_are_told_before_anything_is_done(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from bookwheel.cli.main import main

    assert main(["evaluate", *arguments]) == 2
    assert sentence in capsys.readouterr().err
