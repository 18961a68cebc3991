"""PDFs of Debian's manuals: what bookwheel makes of them, PDFium's plain text and pdftotext (poppler-utils) beside it.

For each reader: passages that are mostly dots, lines at the head or foot that stand on half of a file's pages, words and runs of
three words that pdftotext (in its reading order) has as well, words glued together (not known to pdftotext, but two words
that it knows), where titles come from, and processor time a page. ``pdftotext`` is fetched as a package too where it is not
installed.
"""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

from reading import unpacked

PACKAGES = (
    "debian-faq", "debian-policy", "debian-reference-en", "developers-reference", "maint-guide", "bash-doc", "gnuplot-doc",
    "octave-doc", "maxima-doc", "r-doc-pdf", "r-cran-survival", "r-cran-vcd", "r-cran-sp", "r-cran-zoo", "gap-doc", "pari-doc",
    "netcdf-doc", "mpich-doc", "groff", "cvs", "ddd-doc", "gretl-doc", "graphviz-doc", "xfig-doc", "valgrind", "lyx-common",
    "singular-doc", "texlive-humanities-doc", "texlive-latex-recommended-doc", "texlive-lang-cyrillic", "texlive-fonts-recommended-doc",
)  # fmt: skip
LARGEST = 2 << 20
FILES = 150
SEED = 20261128
POPPLER = ("poppler-utils", "libpoppler126", "libopenjp2-7", "liblcms2-2", "libnss3", "libnspr4")


@dataclass
class Read:
    """What one reader made of one file."""

    pages: list[str]
    title: str = ""
    passages: list[str] = field(default_factory=list)


@dataclass
class Sums:
    """Counts over all files."""

    passages: int = 0
    dots: int = 0
    heads: int = 0
    pages: int = 0
    words: int = 0
    shared: int = 0
    trigrams: int = 0
    ordered: int = 0
    glued: int = 0
    seconds: float = 0.0
    empty: int = 0
    titles: Counter[str] = field(default_factory=Counter)


def files() -> list[Path]:
    """The PDFs, a fixed sample of all."""
    found: list[Path] = []
    for package in PACKAGES:
        folder = unpacked(package)
        found += [path for path in folder.rglob("*.pdf") if path.is_file() and 1000 < path.stat().st_size < LARGEST]
    random.Random(SEED).shuffle(found)
    return found[:FILES]


@cache
def poppler() -> tuple[str, dict[str, str]]:
    """pdftotext, and the environment to start it in."""
    if installed := shutil.which("pdftotext"):
        return installed, dict(os.environ)
    folders = [unpacked(package) for package in POPPLER]
    libraries = ":".join(str(path) for folder in folders for path in folder.glob("usr/lib/*-linux-gnu*"))
    return str(folders[0] / "usr/bin/pdftotext"), {**os.environ, "LD_LIBRARY_PATH": libraries}


def bookwheel(path: Path) -> Read:
    from bookwheel.documents.document import Document
    from bookwheel.documents.passages import split_document
    from bookwheel.documents.readers.pdf import PDF
    from bookwheel.documents.source import DEFAULT_FIELDS, Source

    source = Source(str(path), path.stat().st_size, 0, "pdf")
    document = next(item for item in PDF.read(source, DEFAULT_FIELDS) if isinstance(item, Document))
    bounds = [*document.pages, len(document.text)]
    pages = [document.text[begin:end] for begin, end in pairwise(bounds)]
    return Read(pages, document.title, [document.text[span.start : span.end] for span in split_document(document)])


def plain(path: Path) -> Read:
    """PDFium's text as it comes, with broken words joined: what bookwheel indexed before."""
    import pypdfium2

    pdf = pypdfium2.PdfDocument(path)
    pages = []
    for page in pdf:
        content = page.get_textpage()
        pages.append(re.sub("[\ufffe\x02](?:\r?\n)?", "", content.get_text_bounded()).replace("\r\n", "\n"))
        content.close()
        page.close()
    title = pdf.get_metadata_dict().get("Title", "")
    pdf.close()
    return _with_passages(Read(pages, title))


def pdftotext(path: Path, *options: str) -> Read:
    command, environment = poppler()
    run = subprocess.run([command, *options, str(path), "-"], capture_output=True, env=environment, check=True, timeout=600)
    return Read(run.stdout.decode("utf-8", "replace").split("\f")[:-1])


def layout(path: Path) -> Read:
    return pdftotext(path, "-layout")


READERS: dict[str, Callable[[Path], Read]] = {
    "bookwheel": bookwheel,
    "PDFium, plain": plain,
    "pdftotext": pdftotext,
    "pdftotext -layout": layout,
}


def _with_passages(read: Read) -> Read:
    from bookwheel.documents.document import Document
    from bookwheel.documents.passages import split_document

    text = "\n\n".join(read.pages)
    read.passages = [text[span.start : span.end] for span in split_document(Document("x", text))]
    return read


def _is_dots(passage: str) -> bool:
    tokens = passage.split()
    return bool(tokens) and sum(1 for token in tokens if not token.strip(".·…")) * 2 > len(tokens)


def _heads(pages: Sequence[str]) -> int:
    """First and last lines of pages that stand on half of the pages, numbers aside, but for the first time."""
    seen: Counter[str] = Counter()
    for page in pages:
        lines = [re.sub(r"\d+", "#", " ".join(line.split())) for line in page.split("\n") if line.strip()]
        seen.update({*lines[:1], *lines[-1:]})
    return sum(count - 1 for count in seen.values() if count > 2 and count * 2 >= len(pages))


def _words(read: Read) -> list[str]:
    return re.findall(r"[^\W\d_]+", " ".join(read.pages).lower())


def _measure(sums: Sums, read: Read, truth: list[str], seconds: float) -> None:
    known = Counter(truth)
    words = _words(read)
    sums.passages += len(read.passages)
    sums.dots += sum(map(_is_dots, read.passages))
    sums.heads += _heads(read.pages)
    sums.pages += len(read.pages)
    sums.seconds += seconds
    sums.words += len(words)
    sums.shared += (Counter(words) & known).total()
    trigrams = Counter(zip(words, words[1:], words[2:], strict=False))
    sums.trigrams += trigrams.total()
    sums.ordered += (trigrams & Counter(zip(truth, truth[1:], truth[2:], strict=False))).total()
    for word in words:
        if (
            len(word) > 5
            and word not in known
            and any(word[:at] in known and word[at:] in known for at in range(3, len(word) - 2))
        ):
            sums.glued += 1


def _origin(read: Read, given: str, path: Path) -> str:
    title = read.title.strip()
    if not title or title == path.stem:
        return "file name"
    return "file's own" if title == " ".join(given.split()) else "largest type"


def table() -> list[list[object]]:
    """A row a reader."""
    every = {name: Sums() for name in READERS}
    for path in files():
        found: dict[str, tuple[Read, float]] = {}
        for name, reader in READERS.items():
            begin = time.process_time() + _children()
            try:
                read = reader(path)
            except Exception:  # a file without text
                every[name].empty += 1
                continue
            taken = time.process_time() + _children() - begin
            found[name] = (read if read.passages else _with_passages(read), taken)
        if len(found) < len(READERS):
            continue
        truth = _words(found["pdftotext"][0])
        given = found["PDFium, plain"][0].title
        for name, (read, taken) in found.items():
            _measure(every[name], read, truth, taken)
            every[name].titles[_origin(read, given, path)] += 1
    heads: list[object] = [
        "reader", "pages", "passages", "mostly dots %", "heads a page", "words as pdftotext %", "runs of 3 as pdftotext %",
        "glued per 10,000", "title: file's own", "largest type", "file name", "ms a page",
    ]  # fmt: skip
    rows: list[list[object]] = [heads]
    for name, sums in every.items():
        own = name == "bookwheel" or name.startswith("PDFium")
        rows.append(
            [
                name,
                sums.pages,
                sums.passages,
                f"{100 * sums.dots / max(sums.passages, 1):.2f}",
                f"{sums.heads / max(sums.pages, 1):.3f}",
                f"{100 * sums.shared / max(sums.words, 1):.2f}",
                f"{100 * sums.ordered / max(sums.trigrams, 1):.2f}",
                f"{10_000 * sums.glued / max(sums.words, 1):.2f}",
                *([sums.titles["file's own"], sums.titles["largest type"], sums.titles["file name"]] if own else ["-"] * 3),
                f"{1000 * sums.seconds / max(sums.pages, 1):.2f}",
            ]
        )
    return rows


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
