"""Raised and lowered digits do not join the numbers beside them: in HTML, LaTeX, FictionBook, feeds and headings."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from one_file import one

from bookwheel.documents.headings import heading_text
from bookwheel.documents.readers.html import html_title, parse_html, visible_text
from bookwheel.documents.readers.latex import latex_text

HTML = {
    "10<sup>6</sup> units": "10^6 units",
    "10<sup> 6 </sup>units": "10 6 units",
    "6.02·10<sup>23</sup> and 10<sup>−3</sup>, 10<sup>-1.5</sup>": "6.02·10^23 and 10^−3, 10^-1.5",
    "2<sup>32</sup>, 2<sup>n</sup>, 2<sup>n+1</sup>, 2<sup>2n</sup>": "2^32, 2^n, 2^(n+1), 2^(2n)",
    "10<sup>10<sup>2</sup></sup>": "10^10^2",
    "(1+r)<sup>10</sup>": "(1+r)^10",
    "12<sup>2</sup> = 144": "12^2 = 144",
    "10<b><sup><i>6</i></sup></b>": "10^6",
    "<sup>10</sup> 6": "10 6",
    "10<span style='vertical-align: super; font-size: 60%'>6</span>": "10^6",
    "10<sub>2</sub> is 2, log<sub>2</sub>8 is 3": "10_2 is 2, log2 8 is 3",
    "10<sup>6</sup>5": "10^6 5",
    "Sales rose to 45<sup>1</sup> in 2020<sup>2</sup>": "Sales rose to 45[1] in 2020[2]",
    "1,234<sup>3</sup> kites, 45<sup>1,2</sup> more, 46<sup>2)</sup>": "1,234[3] kites, 45[1,2] more, 46 2)",
    "45<sup><a href='#n7'>7</a></sup>, kites<a href='b.xhtml#n8'><sup>8</sup></a>": "45[7], kites[8]",
    "45<a href='#n7' style='vertical-align:super'>7</a>": "45[7]",
    "45<sup>[7]</sup>, 46<sup>*</sup>, 47<sup>†</sup>": "45[7], 46*, 47†",
    "<p>5<sup>2</sup>, 6<sup>a</sup>, 7<sup>b</sup>, kites<sup>2</sup><p><sup>2</sup> More.<p><sup>a</sup> p &lt; 1": (
        "5[2], 6[a], 7b, kites[2]\n\n2 More.\n\na p < 1"
    ),
    "<p>10<sup>2</sup>, m<sup>2</sup><p><sup>2</sup> More.": "10^2, m2\n\n2 More.",
    "<h2><sup>2</sup> More</h2>5<sup>2</sup>": "2 More\n\n5[2]",
    "3<sup>1</sup>/<sub>4</sub> cups, 3<sup>1</sup>⁄<sub>4</sub>, 3<sup>1</sup>/2, <sup>1</sup>/<sub>4</sub>": (
        "3 1/4 cups, 3 1⁄4, 3 1/2, 1/4"
    ),
    "10<sup>6</sup>/2": "10^6/2",
    "$19<sup>99</sup>, 19<sup>99</sup> €, £ 10<sup>50</sup>, $10<sup>12</sup>": "$19.99, 19.99 €, £ 10.50, $10^12",
    "1<sup>st</sup>, 22<sup>nd</sup>, 3<sup>e</sup>, 1<sup>o</sup>": "1st, 22nd, 3e, 1o",
    "Kite<sup>™</sup> 15<sup>TM</sup>": "Kite™ 15TM",
    "H<sub>2</sub>O, C<sub>6</sub>H<sub>12</sub>, Ca<sup>2+</sup>, SO<sub>4</sub><sup>2−</sup>": "H2O, C6H12, Ca2+, SO4^(2−)",
    "Kestrel<sup>1</sup>, Marsh,<sup>2,3</sup> 5 metres<sup>2</sup>, idS<sup>2</sup>": "Kestrel[1], Marsh,[2,3] 5 metres^2, idS2",
    "25 m<sup>2</sup>, s<sup>−1</sup>, E = mc<sup>2</sup>": "25 m2, s−1, E = mc2",
    "<sup>14</sup>C": "14C",
    "<pre>10<sup>6</sup>  x</pre>": "10^6  x",
    "<table><tr><td>10<sup>6</sup><td>x": "10^6\tx",
}


@pytest.mark.parametrize(("body", "text"), HTML.items())
def test_html(body: str, text: str) -> None:
    assert visible_text(parse_html(f"<!doctype html><meta charset=utf-8><body>{body}".encode()).body) == text


def test_formulas_are_written_alike() -> None:
    formula = "<math><msup><mn>10</mn><mrow><mo>-</mo><mn>6</mn></mrow></msup></math> 10<sup>-6</sup>"
    assert visible_text(parse_html(formula.encode()).body) == "10^-6 10^-6"


def test_titles_and_headings() -> None:
    assert html_title(parse_html(b"<h1>Over 10<sup>6</sup> kites</h1>")) == "Over 10^6 kites"
    assert heading_text("Over 10<sup>6</sup> kites, the 1<sup>st</sup> of H<sub>2</sub>O") == "Over 10^6 kites, the 1st of H2O"


LATEX = {
    r"$10^6$, $10^{6}$, $10^{-6}$, $x^{n+1}$, $x_{ij}$, $x_{i+1}$, $x^{(k)}$": "10^6, 10^6, 10^-6, x^(n+1), x_ij, x_(i+1), x^(k)",
    r"$\frac{1}{2}$, $\frac12$, $\frac 1 2$, $\frac1{2}$, $\frac ab$, $\frac\pi2$": "1/2, 1/2, 1/2, 1/2, a/b, π/2",
    r"$3\frac{1}{2}$ and 3\nicefrac12 cups": "3 1/2 and 3 1/2 cups",
    r"$\frac{a+b}{2}$, $\frac{1}{1+x}$, $\frac{\alpha}{x^{2}}$": "(a+b)/2, 1/(1+x), α/(x^2)",
    r"$\dfrac{\frac{1}{2}}{\text{total length}}$, $\frac{\text{length}}{3}$": "(1/2)/(total length), length/3",
    r"$\sqrt{x+1}$, $\sqrt2$, $\sqrt x$, $\sqrt[3]{x}$": "sqrt(x+1), sqrt(2), sqrt(x), root(x, 3)",
    r"${1\over2}$, ${a+b \over 2}$, $a \over b$": "1/2, (a+b)/2, a / b",
    r"$\binom{5}{2}$ and $\binom n k$": "binom(5, 2) and binom(n, k)",
    r"$45^\circ$C, $45^{\circ}$": "45°C, 45°",
    r"the $2^{nd}$, $5^{\text{th}}$ and 1\textsuperscript{st}": "the 2nd, 5th and 1st",
    r"10\textsuperscript{6}, 45\textsuperscript{1}, H\textsubscript{2}O": "10^6, 45[1], H2O",
    r"3\textsuperscript{1}/\textsubscript{4} cups": "3 1/4 cups",
    r"\(x^{2^{n+1}}\)": "x^(2^(n+1))",
}


@pytest.mark.parametrize(("written", "text"), LATEX.items())
def test_latex(written: str, text: str) -> None:
    assert " ".join(latex_text(written).split()) == text


def test_books_and_feeds(tmp_path: Path) -> None:
    line = "10<sup>6</sup> kites, the 1<sup>st</sup> 45<a l:href='#n1' type='note'>7</a> of H<sub>2</sub>O<a l:href='#n2'>[8]</a> <b>b</b>"
    book = (
        "<FictionBook xmlns='http://www.gribuser.ru/xml/fictionbook/2.0' xmlns:l='http://www.w3.org/1999/xlink'>"
        f"<body><section><p>{line}</p></section></body></FictionBook>"
    )
    assert one(tmp_path / "a.fb2", book.encode()).text == "10^6 kites, the 1st 45[7] of H2O[8] b"
    feed = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>x</title><content type='xhtml'>"
        "<div xmlns='http://www.w3.org/1999/xhtml'><p>10<sup>6</sup> kites</p></div></content></entry></feed>"
    )
    assert one(tmp_path / "a.atom", feed.encode()).text == "10^6 kites"


@pytest.mark.parametrize("position", ["super 58%", "33% 58%"])
def test_open_document(tmp_path: Path, position: str) -> None:
    spans = "".join(f"{base}<text:span text:style-name='T{1 + low}'>{text}</text:span>{after}" for base, text, after, low in (
        ("10", "6", " kites, ", 0), ("the 1", "st", ", ", 0), ("H", "2", "O, ", 1), ("<text:a>x</text:a> 10", "2", "", 1),
    ))  # fmt: skip
    data = (
        "<office:document xmlns:office='o' xmlns:text='t' xmlns:style='s'><office:automatic-styles>"
        f"<style:style style:name='T1' style:family='text'><style:text-properties style:text-position='{position}'/></style:style>"
        "<style:style style:name='T2' style:family='text'><style:text-properties style:text-position='sub 58%'/></style:style>"
        "<style:style style:name='T3' style:family='text'><style:text-properties style:text-position='0% 100%'/></style:style>"
        "</office:automatic-styles>"
        f"<office:body><office:text><text:p>{spans} 1<text:span text:style-name='T3'>2</text:span></text:p></office:text></office:body>"
        "</office:document>"
    )
    assert one(tmp_path / "a.fodt", data.encode()).text == "10^6 kites, the 1st, H2O, x 10_2 12"


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("<mn>3</mn><mfrac><mn>1</mn><mn>2</mn></mfrac>", "3 1/2"),
        ("<mfrac><mn>1</mn><mn>2</mn></mfrac><mi>x</mi>", "1/2 x"),
        ("<mi>x</mi><mo>=</mo><mfrac><mn>1</mn><mn>2</mn></mfrac>", "x=1/2"),
        ("<msup><mi>x</mi><mn>2</mn></msup><mi>y</mi>", "x^2 y"),
        ("<mn>2</mn><msup><mi>x</mi><mn>2</mn></msup>", "2x^2"),
        ("<msqrt><msup><mi>x</mi><mn>2</mn></msup><mn>3</mn></msqrt>", "sqrt(x^2 3)"),
        ("<msup><mrow><mo>(</mo><mi>a</mi><mo>+</mo><mi>b</mi><mo>)</mo></mrow><mn>2</mn></msup>", "(a+b)^2"),
    ],
)
def test_fractions_and_powers_of_formulas_keep_apart_from_what_is_beside_them(tmp_path: Path, formula: str, text: str) -> None:
    page = f"<p>Take <math>{formula}</math> of it.</p>"
    assert one(tmp_path / "a.html", page.encode()).text == f"Take {text} of it."


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"10\textsuperscript{$-3$} m", "10^-3 m"),
        (r"10\textsuperscript{$6$} cells", "10^6 cells"),
        (r"the vector a\textsuperscript{1~2}", "the vector a1 2"),
        ("Hello 1\\textsuperscript{" + "7" * 5000 + "}/2", "Hello 1[" + "7" * 5000 + "]/2"),
    ],
    ids=["power", "plain", "space", "long"],
)
def test_what_latex_raises(tmp_path: Path, source: str, text: str) -> None:
    found = one(tmp_path / "a.tex", source.encode()).text
    assert found == text if len(text) < 100 else found.startswith("Hello 1") and not found.startswith("Hello 17")


def test_raised_digits_with_hidden_ones_stay_apart(tmp_path: Path) -> None:
    page = '<p>All 10<sup><span style="display:none">x</span>6</sup> kites</p>'
    assert one(tmp_path / "a.html", page.encode()).text == "All 10 6 kites"


@pytest.mark.parametrize("source", ["\\lstinline[aa " * 8000, "$\\frac{" + " " * 15000 + "!}{2}$"], ids=["options", "spaces"])
def test_hostile_latex_is_read_in_time_that_grows_with_it(tmp_path: Path, source: str) -> None:
    began = time.process_time()
    one(tmp_path / "a.tex", f"The otter eats. {source}".encode())
    assert time.process_time() - began < 3
