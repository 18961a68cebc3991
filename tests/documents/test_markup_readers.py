"""RTF, manual pages, info files and LaTeX: what a reader sees of them."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest
from told_places import places

from bookwheel import Document
from bookwheel.documents.headings import markup_headings
from bookwheel.documents.passages import split_document
from bookwheel.documents.paths import Source, walk
from bookwheel.documents.read import read


def one(path: Path, data: bytes | str) -> Document:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    (source,) = walk([path])
    assert isinstance(source, Source), source
    (document,) = read(source)
    assert isinstance(document, Document), document
    return document


RTF = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss Helvetica;}{\f1\fcharset204 Arial;}{\f2\fcharset128 Mincho;}}{\colortbl;\red0;}"
    rb"{\stylesheet{\s0 Normal;}}{\info{\title The Title}{\author Ada}{\creatim\yr1843\mo9\dy1}}{\header Report\par}{\header Report\par}"
    rb"\pard Gr\'fc\'dfe \'93hi\'94 \u8364 ?5\emdash 2\line next{\*\bkmkstart x}{\v hidden} \{x\}\par"
    rb"{\f1 \'cf\'f0\'e8\'e2\'e5\'f2}{\f2 \'83\'65\'83\'58\'83\'67}\par {\*\generator Word;}{\pict\bin5 }}}{}ab}"
    rb"{\listtext 1.\tab}an item{\footnote a note\par}\par {\field{\*\fldinst HYPERLINK x}{\fldrslt a link}}\par "
    rb"\trowd\intbl Name\cell Year\cell\row\intbl Ada\cell 1843\cell\row\intbl Grace\cell 1952\cell\row\pard"
    rb"\uc2\u26085\'93\'fa\u55357??\u56832??\par {\*\annotation a remark}}garbage after"
)


def test_rtf(tmp_path: Path) -> None:
    document = one(tmp_path / "a.rtf", RTF)
    assert document.text.split("\n\n") == [
        "Grüße “hi” €5—2\nnext {x}", "Приветテスト", "1.\tan item", "a link",
        "Name\tYear\nName: Ada; Year: 1843\nName: Grace; Year: 1952", "日😀",
        "a note", "a remark", "Report", "hidden",
    ]  # fmt: skip
    assert (document.title, document.metadata) == ("The Title", {"author": "Ada", "date": "1843-09-01", "year": 1843})
    assert one(tmp_path / "b.doc", RTF).text == document.text
    assert one(tmp_path / "c.txt", RTF).text == document.text


def test_deleted_text_of_rtf_is_left_out(tmp_path: Path) -> None:
    data = rb"{\rtf1\ansi {\revised kept} {\deleted gone {\b gone too}} and \deleted gone\deleted0 here}"
    assert one(tmp_path / "a.rtf", data).text == "kept  and here"


@pytest.mark.parametrize(
    "data",
    [b"{" * 300_000, rb"{\field{\*\fldinst HYPERLINK " * 30_000, rb"\'8" * 300_000, rb"{\footnote " * 50_000, rb"\u" * 300_000],
)
def test_hostile_rtf_is_read_soon(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.rtf").write_bytes(rb"{\rtf1 " + data)
    began = time.monotonic()
    for source in walk([tmp_path]):
        assert isinstance(source, Source)
        list(read(source))
    assert time.monotonic() - began < 10


MAN = r"""'\" t
.\" a comment
.de XX
nothing
..
.ie \n(.g .ds Aq \(aq
.el       .ds Aq '
.if t .ds X wrong
.TH OWL 1 "2024-01-31" "version" "User Commands"
.SH NAME
owl \- a "bird" of the\~night
.SH "SEE ALSO"
.BR heron (1),
.IR file ...
It\*(Aqs \fBbold\fP, na\(:ive, caf\('e, \[u20AC]5 \(em x\h'1n'y.
Joined \c
words.
.if n \{\
shown
.\}
.if t \{\
.B not shown
.\}
.TP
\fB\-a\fR, \fB\-\-all\fR
All of them.
.IP \(bu 2
An item.
.nf
  keep   this
    as it is
.fi
.TS
tab(@);
l l.
Name@Year
Ada@1843
T{
Grace
T}@1952
.TE
.SH
EXIT STATUS
Zero.
"""


def test_manual_pages(tmp_path: Path) -> None:
    path = tmp_path / "owl.1.gz"
    document = one(path, gzip.compress(MAN.encode()))
    assert document.text.split("\n\n") == [
        "NAME", 'owl - a "bird" of the night', "SEE ALSO",
        "heron(1), file... It's bold, naïve, café, €5 — xy. Joined words. shown", "-a, --all\nAll of them.", "•\nAn item.",
        "  keep   this\n    as it is", "Name\tYear", "Name: Ada; Year: 1843", "Name: Grace; Year: 1952", "EXIT STATUS", "Zero.",
    ]  # fmt: skip
    assert (document.title, document.metadata) == ("owl(1)", {"section": "1", "date": "2024-01-31"})
    assert [document.text[start:].split("\n")[0] for start in document.sections] == ["NAME", "SEE ALSO", "EXIT STATUS"]


MDOC = r""".Dd January 31, 2024
.Dt OWL 1
.Os
.Sh NAME
.Nm owl
.Nd a bird
.Sh SYNOPSIS
.Nm
.Op Fl a Ns Ar x
.Op Fl -long
.Ar
.Sh DESCRIPTION
See
.Xr heron 1 ,
.Dq Sy this
and
.Pq Va that .
.Bl -tag
.It Fl a
All.
.El
.Fn owl_open "const char *name" "int mode"
"""


def test_manual_pages_of_bsd(tmp_path: Path) -> None:
    document = one(tmp_path / "owl.1", MDOC)
    assert document.text.split("\n\n") == [
        "NAME", "owl – a bird", "SYNOPSIS", "owl [-ax] [--long] file ...", "DESCRIPTION", "See heron(1), “this” and (that).",
        "-a\nAll.", "owl_open(const char *name, int mode)",
    ]  # fmt: skip
    assert document.title == "owl(1)"


def test_info(tmp_path: Path) -> None:
    text = (
        "This is owl.info, produced by makeinfo version 6.8 from owl.texi.\n\nSTART-INFO-DIR-ENTRY\n"
        "* Owl: (owl).  Birds.\nEND-INFO-DIR-ENTRY\n\n"
        "\x1f\nFile: owl.info,  Node: Top,  Next: Food,  Up: (dir)\n\nOwl\n***\n\nAbout owls.\n\x1f\n"
        "File: owl.info,  Node: Food,  Prev: Top\n\n1 Food\n"
        "******\n\nMice.\n\x1f\nTag Table:\nNode: Top\x7f200\n\x1f\nEnd Tag Table\n"
    )
    for name in ("owl.info", "owl.info-1"):
        document = one(tmp_path / name, text)
        assert (document.title, document.text) == ("Owl", "Owl\n***\n\nAbout owls.\n\n1 Food\n******\n\nMice.")


LATEX = r"""\documentclass[a4paper]{article} % a comment
\usepackage{babel}
\title{The Na\"{\i}ve Caf\'e\thanks{me}}
\author{Ada \and Erd\H{o}s}
\newcommand{\x}[1]{never shown}
\begin{document}
\maketitle

\section{Owls \& Kites}\label{sec:owls}
See \cite[p.~3]{ada} and \emph{some \textbf{bold}} text, ``quoted'' --- na\"ive, \c{c}a, \v Zi\v{z}ek, \o re, Stra\ss e. 50\% off
% nothing
Now\footnote{A note.} $\alpha^2 \leq 5$.
\begin{tabular}{ll}
a & b \\
\end{tabular}
\verb|x % y| \input{other}
\begin{verbatim}
\raw{text} % kept
\end{verbatim}
\includegraphics[width=3cm]{a.png}
\end{document}
after
"""


def test_latex(tmp_path: Path) -> None:
    document = one(tmp_path / "a.tex", LATEX)
    assert [" ".join(line.split()) for line in document.text.split("\n") if line.strip()] == [
        "Owls & Kites",
        "See and some bold text, “quoted” — naïve, ça, Žižek, øre, Straße. 50% off",
        "Now (A note.) α^2 ≤ 5.",
        "a b",
        "x % y",
        r"\raw{text} % kept",
    ]
    assert (document.title, document.metadata) == ("The Naïve Café", {"author": "Ada, Erdős"})
    spans = split_document(document, "sentence")
    lines = LATEX.split("\n")
    for span, (_, line) in zip(spans, places(document, spans), strict=True):
        word = document.text[span.start : span.end].split()[0].strip("“")[:2]
        assert line is not None
        assert word in lines[line - 1]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (r"\begin{center}{\Large The heading} here\end{center}", "The heading here"),
        (r"\begin{minipage}[t]{3cm} inside \end{minipage}", "inside"),
        (r"\begin{tabularx}{\textwidth}{lX} a & b \end{tabularx}", "a b"),
        (r"\begin{frame}[fragile]{Frame title} body\end{frame}", "Frame title body"),
        (r"\begin{theorem}[Pythagoras] It holds.\end{theorem}", "[Pythagoras] It holds."),
        (r"\foreignlanguage{german}{Die Eule} and \textcolor{red}{a red word}", "Die Eule and a red word"),
        (r"\vspace{1cm}{\bf bold} \resizebox{3cm}{!}{drawn}", "bold drawn"),
        (r"kites\footnote{Not \emph{birds}.} fly", "kites (Not birds.) fly"),
        (r"\href{https://a.b/c\_d}{the page} says", "the page (https://a.b/c_d) says"),
        (r"See \url{http://a.b/c%20d} for the otters.", "See http://a.b/c%20d for the otters."),
        (r"At \url{http://a.b/~c\_d\%20--e} they are", "At http://a.b/~c_d%20--e they are"),
        (r"\href{http://x.y/a%20b}{our site} tells", "our site (http://x.y/a%20b) tells"),
        ("\\href{http://x.y/%\n a%20b}{our site} tells", "our site (http://x.y/a%20b) tells"),
        (r"\nolinkurl{a%b} \url|c%d| \lstinline{e % {f}} \lstinline[language=C]!g % h! i", "a%b c%d e % {f} g % h i"),
        (r"\verb|50 % off| and % no", "50 % off and"),
        ("% \\begin{verbatim} \\url{ \\verb|\nkites % \\end{verbatim}\nfly", "kites fly"),
        (r"50\% off \\% no", "50% off"),
        ("Kites\n\\iffalse\nOld \\ifx\\a\\b secret\\else draft\\fi\n% \\fi\n$a \\iff b$\n\\fi\nfly", "Kites fly"),
        (r"Kites \iffalse swim\else fly\fi.", "Kites fly."),
        (r"Kites \if0 swim\fi fly", "Kites fly"),
        (r"\let\ifdraft\iffalse Kites fly \iftrue high\fi", "Kites fly high"),
        (r"Kites \iffalse fly", "Kites fly"),
        (r"\renewcommand{\url}[1]{\texttt{#1}} Kites}", "Kites"),
        (r"$\frac{a+b}{2}$", "(a+b)/2"),
        (
            r"\newcommand{\kite}{flying \emph{machine}}\def\two{\kite{} twice}The \kite{} and \two.",
            "The flying machine and flying machine twice.",
        ),
        (r"\newcommand\more[1]{never #1}\renewcommand{\x}{\x}A \more{word} \x end", "A word end"),
    ],
)
def test_what_of_latex_is_text(tmp_path: Path, written: str, shown: str) -> None:
    document = one(tmp_path / "a.tex", f"\\documentclass{{article}}\n\\begin{{document}}\n{written}\n\\end{{document}}")
    assert " ".join(document.text.split()) == shown


def test_lines_of_latex_stay_where_they_are(tmp_path: Path) -> None:
    text = (
        "\\begin{document}\nOne \\url{http://a.b/%\n  c%20d}\n\\iffalse\n\\section{No}\n\\fi\n% two\n\\begin{verbatim}\n%\n\\section{No}\n"
        "\\end{verbatim}\nthree\n\\section{Last at \\url{c%d}}\nfour\n\\end{document}"
    )
    document = one(tmp_path / "a.tex", text)
    lines = document.text.split("\n")
    assert document.line is not None
    for word in ("three", "four"):
        assert document.line + lines.index(word) == 1 + text.split("\n").index(word)
    (heading,) = document.headings
    assert heading.title == "Last at c%d"
    assert document.text[heading.start :].startswith("Last at c%d\nfour")


@pytest.mark.parametrize(
    "package", [r"\usepackage[ngerman]{babel}", r"\usepackage{german}", r"\documentclass[a4paper,austrian]{article}"]
)
def test_german_shorthands(tmp_path: Path, package: str) -> None:
    begin = f'{package}\n\\title{{L"osungen}}\n\\begin{{document}}\n\\section{{Gr"o"sen}}\n'
    text = begin + '"`Stra"sen"\'-B"aume \\verb|"a|\n\\end{document}'
    document = one(tmp_path / "a.tex", text)
    assert (document.title, document.text.split()) == ("Lösungen", ["Größen", "„Straßen“-Bäume", '"a'])
    assert [heading.title for heading in document.headings] == ["Größen"]
    other = one(tmp_path / "b.tex", text.replace(package, r"\usepackage[english]{babel}"))
    assert other.title == 'L"osungen'


def test_macros_of_the_preamble_are_put_in(tmp_path: Path) -> None:
    text = "\\newcommand{\\owl}{Strix \\textit{aluco}}\n\\begin{document}\nThe\n\\owl{} sleeps.\n\\end{document}"
    document = one(tmp_path / "a.tex", text)
    assert (document.text.strip(), document.line) == ("The\nStrix aluco sleeps.", 3)


@pytest.mark.parametrize(
    "data",
    [
        r"\newcommand{\a}{\b\b\b\b}\newcommand{\b}{\a\a\a\a}" + r"\a" * 50_000,
        r"\newcommand{" * 50_000,
        r"\begin{" * 50_000,
        "{" * 200_000,
        r"\title{" * 20_000,
        r"\cite[" * 50_000,
        "%" * 300_000,
        "$" * 300_000,
        r"\verb|" * 50_000,
        r"\url{" * 50_000,
        r"\frac{" * 50_000 + "}" * 50_000,
        r"\frac 1" * 50_000,
        "^{" * 50_000 + "}" * 50_000,
        r"{a\over" * 50_000,
        r"\sqrt[" * 50_000,
        r"\textsuperscript{" * 50_000 + "}" * 50_000,
        r"\url{" + " " * 200_000 + "}",
        r"\iffalse" * 50_000,
        r"\begin{verbatim}" * 50_000,
    ],
)
def test_hostile_latex_is_read_soon(tmp_path: Path, data: str) -> None:
    (tmp_path / "a.tex").write_text(data)
    began = time.monotonic()
    for source in walk([tmp_path]):
        assert isinstance(source, Source)
        list(read(source))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "data",
    [
        ".if n \\{" * 50_000,
        ".TS\n" * 20_000,
        ".de x\n" * 20_000,
        ".ds a \\*a\\*a\n" * 20_000,
        ".TP\n" * 100_000,
        ".Op Op " * 50_000,
        "\\f[" * 100_000,
    ],
)
def test_hostile_manual_pages_are_read_soon(tmp_path: Path, data: str) -> None:
    (tmp_path / "a.1").write_text(".TH a 1\n" + data)
    began = time.monotonic()
    for source in walk([tmp_path]):
        assert isinstance(source, Source)
        list(read(source))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('Title *with* `markup` and a [link](https://a.b/c_(d) "x")', "Title with markup and a link"),
        ("[![Build](https://b.c/x.svg)](https://b.c) Kites", "Build Kites"),
        ("A **bold**, __bold__ and _it_", "A bold, bold and it"),
        ("`__init__` of snake_case_name", "__init__ of snake_case_name"),
        ('<a name="x"></a>Intro <sub>2</sub> {#intro .c}', "Intro 2"),
        (r"A \* star &amp; more", "A * star & more"),
        ("std::vector<int> 2*3*4 [1.2.0]", "std::vector<int> 2*3*4 [1.2.0]"),
    ],
)
def test_titles_and_headings_are_what_a_page_shows(tmp_path: Path, written: str, shown: str) -> None:
    document = one(tmp_path / "a.md", f"# {written}\n\ntext\n")
    assert document.title == shown
    assert [heading.title for heading in markup_headings(document.text)] == [shown]
    assert one(tmp_path / "b.md", f"{written}\n===\n\ntext\n").title == shown
