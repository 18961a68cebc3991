"""HTML: which text of a page is read, and how: the right values on small pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from bookwheel.documents.document import Document
from bookwheel.documents.passages import split_document
from bookwheel.documents.paths import walk
from bookwheel.documents.read import read as read_source
from bookwheel.documents.readers.html import page_text, parse_html, visible_text
from bookwheel.documents.source import Source

PROSE = (
    "The tethered kite rose slowly over the reservoir, and those who stood on the dam could see how the wind "
    "took it up to where the swallows were."
)
MORE = "By noon the line was out to its last metre, and nobody on the shore dared to wind it in against so strong a wind."
THIRD = "In the evening they brought it down, hand over hand, and found that its tail had caught the first leaves of autumn."
SITE = "<meta property='og:type' content='article'><meta property='og:site_name' content='The Daily Kite'>"
MENU = "<ul><li><a href=/a>Politics</a><li><a href=/b>Weather</a><li><a href=/c>Sports</a></ul>"


def one(path: Path, content: str | bytes) -> Document:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (source,) = walk([path])
    assert isinstance(source, Source)
    (document,) = read_source(source)
    assert isinstance(document, Document), document
    return document


def read(path: Path, body: str, head: str = "") -> Document:
    return one(path / "a.html", f"<!doctype html><html><head><meta charset=utf-8>{head}</head><body>{body}</body></html>")


def shown(body: str) -> str:
    return visible_text(parse_html(f"<!doctype html><meta charset=utf-8><body>{body}".encode()).body)


def test_the_text_of_a_page_of_a_site_and_nothing_else(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        f"""<div class=cookie-banner>We use cookies to give you the best experience. <button>Accept all</button></div>
        <header><a href=/>The Daily Kite</a></header><nav>{MENU}</nav>
        <article><h1>Kites at dawn</h1><p class=byline>By Ann Author</p><p class=lead>{THIRD}</p>
        <div class="share-buttons"><a href=#>Tweet this</a></div>
        <div class=entry-content><p>{PROSE}</p><h2>The line</h2><p>{MORE}</p>
        <figure><img src=x><figcaption>A kite over the water</figcaption></figure>
        <figure><img src=x><figcaption>Two swallows. Photo: AP</figcaption></figure>
        <h3>Related stories</h3><ul><li><a href=/1>How to fly</a><li><a href=/2>How to land</a></ul></div></article>
        <aside class=sidebar><h3>Most read</h3>{MENU}</aside><footer>© 2026 The Daily Kite. All rights reserved.</footer>""",
        f"{SITE}<title>Kites at dawn | The Daily Kite</title><meta property='og:title' content='Kites at dawn'>",
    )
    assert document.text == f"Kites at dawn\n\n{THIRD}\n\n{PROSE}\n\nThe line\n\n{MORE}\n\nA kite over the water"
    assert document.title == "Kites at dawn"
    assert document.metadata["site"] == "The Daily Kite"
    assert [document.text[start:][:8] for start in document.sections] == ["Kites at", "The line"]


def test_a_manual_loses_its_menus_only(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        f"""<div class=navheader><a href=a.html>Prev</a> <a href=b.html>Next</a></div>
        <div class=section id=related-actions><h2>Actions<a class=headerlink href="#related-actions">¶</a></h2>
        <p>Short.</p><pre>  $ kite --share\n  done</pre>
        <p><a href=x.html>All options</a></p>
        <ul><li><a href=1.html>First chapter</a><li><a href=2.html>Second chapter</a></ul>
        <dl><dt><a href=l.html>--login</a><dd>Log in.</dl>
        <div class=sidebar><p class=title>Beside the point</p><p>{PROSE}</p></div></div>
        <div class=sphinxsidebar>{MENU}</div><div class=footer>Last updated in May.</div>{f"<p>{MORE}</p>" * 3}""",
        "<meta name=generator content='Docutils 0.19'><meta property=og:title content=x><title>Actions — Kite 2 manual</title>",
    )
    assert document.text.startswith(
        "Actions\n\nShort.\n\n  $ kite --share\n  done\n\nAll options\n\nFirst chapter\nSecond chapter\n\n--login\n\nLog in.\n\n"
        f"Beside the point\n\n{PROSE}\n\n{MORE}"
    )
    assert "Politics" not in document.text
    assert "Prev" not in document.text
    assert "updated" not in document.text
    assert document.title == "Actions — Kite 2 manual"


@pytest.mark.parametrize(
    "body",
    [
        MENU,  # all links
        "<table><tr><td>Kite<td>3 m<tr><td>Line<td>90 m</table>",
        "<nav><a href=1>Chapter one</a> <a href=2>Chapter two</a></nav>",
        "<p>Short.</p>",
        "<form class=search>Only a form</form>",
        "<div class=footer>Only a footer</div>",
        "<div id=sidebar><div class=menu><span>All in a menu</span></div></div>",
    ],
)
def test_a_page_without_prose_is_kept_whole(tmp_path: Path, body: str) -> None:
    for head in (SITE, ""):
        document = read(tmp_path, body, head)
        assert document.text == shown(body)
        assert document.text


def test_a_front_page_keeps_its_teasers(tmp_path: Path) -> None:
    teasers = "".join(
        f"<article class=teaser><h2><a href=/{n}>Story {n}</a></h2><p>{PROSE.replace('kite', f'kite{n}')}</p></article>"
        for n in range(6)
    )
    document = read(tmp_path, f"<nav>{MENU}</nav><div class=list>{teasers}</div>", SITE)
    assert all(f"kite{n}" in document.text for n in range(6))
    assert "Politics" not in document.text


def test_a_forum_keeps_its_answers_and_a_blog_loses_its_comments(tmp_path: Path) -> None:
    comments = "".join(f"<div class=comment><p>{MORE.replace('noon', f'noon{n}')}</p></div>" for n in range(5))
    forum = read(tmp_path, f"<h1>Why is my kite down?</h1><p>It fell.</p><div class=comments>{comments}</div>", SITE)
    assert all(f"noon{n}" in forum.text for n in range(5))
    blog = read(
        tmp_path, f"<h1>My kite</h1><div class=post-body>{f'<p>{PROSE}</p>' * 6}</div><div id=comments>{comments}</div>", SITE
    )
    assert PROSE in blog.text
    assert "noon0" not in blog.text


def test_noscript_where_it_is_the_page(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        "<h1>Kites at dawn</h1><div class=post><script type='text/template'><p>The tethered kite.</p></script>"
        "<noscript><p>The tethered kite.</p></noscript></div><noscript>Please enable JavaScript to comment.</noscript>",
    )
    assert document.text == "Kites at dawn\n\nThe tethered kite."
    assert shown("<p>Once only.</p><noscript><p>Once only.</p></noscript>") == "Once only."
    assert (
        one(tmp_path / "f.html", "<html><frameset><frame src=x><noframes><p>No frames</p></noframes></frameset></html>").text
        == "No frames"
    )


def test_hidden_text_is_left_out() -> None:
    assert shown("a<span hidden>b</span>c <p style='color:red; display: none'>secret<p>d") == "ac\n\nd"
    assert shown("<div style='DISPLAY:NONE'>secret</div><p>seen <i aria-hidden=true>★</i></p>") == "seen"
    assert shown("<p hidden=until-found>found by searching") == "found by searching"
    assert shown(f"<div class=accordion-panel style='display:none'><p>{PROSE}</div>Open me") == f"{PROSE}\n\nOpen me"
    whole = f"<div id=app style='display:none'><p>{PROSE}</p><p>{MORE}</p></div><p>Loading"
    assert shown(whole) == f"{PROSE}\n\n{MORE}\n\nLoading"


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("display:block", "One Street\nTwo City"),
        ("color:red; DISPLAY : flex !important", "One Street\nTwo City"),
        ("display:table-cell", "One Street\tTwo City"),
        ("display:inline", "One StreetTwo City"),
        ("x-display:block", "One StreetTwo City"),
    ],
)
def test_inline_elements_that_a_style_makes_blocks(style: str, text: str) -> None:
    for tag in ("span", "a href=x", "b"):
        lines = "".join(f'<{tag} style="{style}">{line}</{tag.split()[0]}>' for line in ("One Street", "Two City"))
        assert shown(f"<p>{lines}</p>") == text
    assert shown('Name<span style="display:block">One</span>rest') == "Name\nOne\nrest"


def test_formulas() -> None:
    assert (
        shown("The energy is <math alttext='{\\displaystyle E=mc^{2}}'><mi>E</mi></math> here") == "The energy is E=mc^{2} here"
    )
    linear = (
        "<math><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac><mo>=</mo><msup><mi>x</mi><mn>2</mn></msup>"
        "<mo>+</mo><msqrt><mi>y</mi></msqrt><mo>-</mo><msubsup><mi>z</mi><mn>1</mn><mi>n</mi></msubsup></math>"
    )
    assert shown(linear) == "(a+b)/2=x^2+sqrt(y)-z_1^n"
    tex = "<math><semantics><mi>x</mi><annotation encoding='application/x-tex'>\\alpha x</annotation></semantics></math>"
    assert shown(tex) == "\\alpha x"
    wikipedia = "<span style='display: none;'><math alttext='x+1'><mi>x</mi></math></span><img alt='x+1'>"
    assert shown(f"so {wikipedia} is") == "so x+1 is"
    katex = f"<span class=katex><span class=katex-mathml>{tex}</span><span class=katex-html aria-hidden=true>αx</span></span>"
    assert shown(katex) == "\\alpha x"
    assert shown("<script type='math/tex'>a^2</script> is") == "a^2 is"


def test_ruby_does_not_split_words() -> None:
    text = shown(
        "<p>児童<ruby>虐<rp>(</rp><rt>ぎゃく</rt><rp>)</rp>待<rt>たい</rt></ruby>を<ruby>防<rt>ふせ</rt></ruby>ぐ。</p><p>次</p>"
    )
    assert text == "児童虐待を防ぐ。 (ぎゃくたい ふせ)\n\n次"


def test_rows_stay_rows() -> None:
    table = "<table><caption>Kites</caption><tr><th><p>Kind</p><th>Span<tr><td><div>Delta</div><td><p>3&nbsp;m</p><p>wide</p>"
    table += "<tr><td>Box<td></table>"
    assert shown(table) == "Kites\nKind\tSpan\nDelta\t3 m wide\nBox"
    layout = f"<table><tr><td><h2>Left</h2><td><p>{PROSE}</p><p>{MORE}</p></table>"
    assert shown(layout) == f"Left\n\n{PROSE}\n\n{MORE}"


def test_headings_begin_passages(tmp_path: Path) -> None:
    sections = "".join(f"<h2>Part {n}</h2>" + f"<p>{PROSE} {MORE} {THIRD}</p>" * 2 for n in range(4))
    document = read(tmp_path, f"<h1>Kites</h1>{sections}")
    passages = [document.text[span.start : span.end] for span in split_document(document)]
    for number in range(1, 4):
        assert any(passage.startswith(f"Part {number}\n") for passage in passages)


@pytest.mark.parametrize(
    ("body", "text", "sections"),
    [
        ("<h1></h1><p>x", "x", (0,)),
        ("<p>x</p><h2> <div>Two</div></h2><h3>Three</h3>y<h2></h2>", "x\n\nTwo\n\nThree\n\ny", (3, 8)),
        ("<p>x</p><h2>\n  Two\n</h2><h2></h2><p>y", "x\n\nTwo\n\ny", (3, 8)),
    ],
)
def test_places_of_headings(body: str, text: str, sections: tuple[int, ...]) -> None:
    shown = page_text(parse_html(body.encode()))
    assert (shown.text, tuple(heading.start for heading in shown.headings)) == (text, sections)


@pytest.mark.parametrize(
    ("title", "head", "expected"),
    [
        ("Kites at dawn - The Daily Kite", SITE, "Kites at dawn"),
        ("The Daily Kite: Kites at dawn", SITE, "The Daily Kite: Kites at dawn"),
        ("Kites at dawn - The Daily Kite", "", "Kites at dawn - The Daily Kite"),
        ("Kites at dawn - and at dusk", SITE, "Kites at dawn - and at dusk"),
        ("Kites at dawn | News", SITE + "<meta property=og:title content='Kites at dawn'>", "Kites at dawn"),
        ("", "<meta property=og:title content='For networks'>", "For networks"),
        ("", "", "A heading"),
    ],
)
def test_titles(tmp_path: Path, title: str, head: str, expected: str) -> None:
    given = f"<title>{title}</title>" if title else ""
    assert read(tmp_path, f"<h1>A heading</h1><p>{PROSE}", given + head).title == expected


def test_a_page_that_a_script_fills(tmp_path: Path) -> None:
    data = '{"@graph": [{"@type": "NewsArticle", "articleBody": "%s %s %s"}]}' % (PROSE, MORE, THIRD)  # noqa: UP031
    document = read(tmp_path, "<div id=root>Loading</div>", f"<script type='application/ld+json'>{data}</script>")
    assert document.text == f"{PROSE} {MORE} {THIRD}"


def test_declared_shadow_roots_are_shown() -> None:
    assert (
        shown("<div><template shadowrootmode=open><p>In the shadow</p></template></div><template>never</template>")
        == "In the shadow"
    )


@pytest.mark.parametrize(
    "body",
    [
        "<div class=menu>" * 15_000 + "deep",
        "<nav>" * 15_000 + f"<p>{PROSE}",
        "<div style='display:none'>" * 10_000 + "x",
        "<table><tr><td>" * 4_000 + "x",
        "<h2>x</h2><nav><a href=x>y</a></nav>" * 10_000 + f"<p>{PROSE}",
        f"<div class=entry-content><p>{PROSE}</p></div>" * 5_000,
        "<math>" * 15_000 + "x",
        "<ruby>" * 10_000 + "a<rt>b",
        "<noscript><p>a b c</p></noscript>" * 10_000,
        "<button>" * 15_000 + "x",
        "<li class=teaser>" * 15_000 + "x",
        "<a href=#>" + "<b>¶</b>" * 20_000,
        "10<sup>6" * 10_000,
        "10<sup>6</sup>" * 20_000,
        "<a href=#x>" + "<sup>" * 15_000 + "6",
        "<p><sup>1</sup> x" + "kites<sup>1</sup>" * 20_000,
        "<span style='display:block'>x" * 10_000,
    ],
)
def test_hostile_pages_take_linear_time(body: str) -> None:
    import time

    began = time.process_time()
    for head in (SITE, ""):
        page_text(parse_html(f"<head>{head}</head><body>{body}".encode()))
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("declaration", "encoding"),
    [
        ("<meta charset=iso-8859-1>", "cp1252"),
        ("<META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=latin1'>", "cp1252"),
        ("<meta content='text/html;charset=\"windows-1251\"' http-equiv=content-type>", "cp1251"),
        ("<!-- <meta charset=koi8-r> --><meta charset=windows-1251>", "cp1251"),
        ("<meta name=description content='charset=koi8-r'><meta charset=windows-1251>", "cp1251"),
        ("<?xml version='1.0' encoding='windows-1251'?>", "cp1251"),
        ("<meta charset=gb2312>", "gb18030"),
        ("<meta charset=shift_jis>", "cp932"),
        ("<meta charset=utf-16>", "utf-8"),
        ("\ufeff<meta charset=koi8-r>", "utf-8"),
        ("\ufeff<meta charset=utf-8>", "utf-16"),
    ],
)
def test_encodings_as_browsers_take_them(tmp_path: Path, declaration: str, encoding: str) -> None:
    text = {"cp1252": "“quoted” – 5 €", "cp1251": "Привет, мир", "gb18030": "中文網頁", "cp932": "髙島屋①"}.get(
        encoding, "Größe ≥ 中"
    )
    page = f"{declaration}<body><p>{text}</p>"
    data = page.removeprefix("\ufeff").encode(encoding) if encoding == "utf-16" else page.encode(encoding)
    assert one(tmp_path / "a.html", data).text == text
