"""Files whose reading takes memory or time out of all proportion to their size, made by hand: what `test_shapes_formats` indexes."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable

MB = 1 << 20
LETTERS = b"the quick brown fox jumps over a lazy dog and runs on "


def words(size: int) -> bytes:
    """So many bytes of words of which few repeat."""
    out, state = bytearray(), 1
    while len(out) < size:
        state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
        out += b"%x " % (state >> 36)
    return bytes(out[:size])


def slowly_new(megabytes: int) -> bytes:
    """So many megabytes, of each a thirtieth new words: quickly packed, and no bomb of the kind that its ratio tells."""
    new = words(megabytes * MB // 32)
    return b"".join(new[at : at + MB // 32] * 32 for at in range(0, len(new), MB // 32))


def pdf(content: bytes, filters: int = 1, extra: bytes = b"", pages: int = 1) -> bytes:
    """A PDF whose pages all show ``content``, packed ``filters`` times."""
    for _ in range(filters):
        content = zlib.compress(content, 9)
    kids = b" ".join(b"%d 0 R" % (5 + number) for number in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        b"<</Length %d/Filter[%s]>>stream\n%s\nendstream" % (len(content), b"/FlateDecode " * filters, content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        *[b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 3 0 R/Resources<</Font<</F 4 0 R>>>>%s>>" % extra] * pages,
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, item in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % at for at in places)
    return bytes(out) + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)


def shown(lines: bytes) -> bytes:
    """Content that shows text, a line at a time."""
    inside = b" ".join(b"(%s)'" % lines[at : at + 80] for at in range(0, len(lines), 80))
    return b"BT /F 1 Tf 1 TL 9 700 Td " + inside + b" ET"


def zipped(*members: tuple[str, bytes]) -> bytes:
    """A zip file of ``members``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, data in members:
            file.writestr(name, data)
    return out.getvalue()


W = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def docx(body: bytes) -> bytes:
    """A DOCX whose body is ``body``."""
    return zipped(
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", b"<w:document %s><w:body>%s</w:body></w:document>" % (W, body)),
    )


def epub(*chapters: bytes) -> bytes:
    """An EPUB of ``chapters``."""
    items = b"".join(
        b'<item id="c%d" href="c%d.xhtml" media-type="application/xhtml+xml"/>' % (n, n) for n in range(len(chapters))
    )
    spine = b"".join(b'<itemref idref="c%d"/>' % n for n in range(len(chapters)))
    package = b"<package><manifest>%s</manifest><spine>%s</spine></package>" % (items, spine)
    return zipped(
        ("mimetype", b"application/epub+zip"),
        ("META-INF/container.xml", b'<container><rootfiles><rootfile full-path="p.opf"/></rootfiles></container>'),
        ("p.opf", package),
        *[(f"c{number}.xhtml", chapter) for number, chapter in enumerate(chapters)],
    )


def zstd_window(data: bytes, log: int = 27) -> bytes:
    """``data`` as zstd packs it with ``--long=LOG``."""
    import sys

    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    options = {zstd.CompressionParameter.window_log: log, zstd.CompressionParameter.enable_long_distance_matching: 1}
    packer = zstd.ZstdCompressor(options=options)
    return b"".join((*(packer.compress(data[at : at + MB]) for at in range(0, len(data), MB)), packer.flush()))


def parts(number: int) -> bytes:
    """A mail of ``number`` parts."""
    return b'Subject: parts\nContent-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\nx\n" * number + b"--b--\n"


def nested_zip(depth: int, size: int) -> bytes:
    """Zeros in a zip in a zip in a zip."""
    data = b"\0" * size
    for level in range(depth):
        data = zipped((f"{level}.zip" if level else "zeros.txt", data))
    return data


def tar(*members: tuple[str, bytes]) -> bytes:
    """A tar file of ``members``."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return out.getvalue()


SHAPES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a PDF of 300 KB, 30 M text objects": (
        "pdf",
        lambda: pdf(b"BT /F 9 Tf " + b"(a)Tj " * 30_000_000 + b"ET", 2) + b"%" * 300_000,
    ),
    "a PDF of 390 KB that unpacks to 400 MB of blanks": ("pdf", lambda: pdf(b" " * 400_000_000 + shown(b"hello"))),
    "a PDF with 5 MB of text on one page": ("pdf", lambda: pdf(shown(words(5 * MB)))),
    "a PDF of 3 M lines and curves": ("pdf", lambda: pdf(b"1 2 m " + b"3 4 l 1 2 3 4 5 6 c " * 3_000_000 + b"S", 2)),
    "a PDF with 200,000 nested states": ("pdf", lambda: pdf(b"q " * 200_000 + shown(b"inner"))),
    "an HTML page of 900,000 elements": ("html", lambda: b"<p>" + b"<b>word</b>" * 900_000),
    "an HTML page of 3 M tags, empty": ("html", lambda: b"<i>x" + b"<br>" * 2_500_000),
    "an HTML page just under 20,000 deep": ("html", lambda: b"<div>" * 19_000 + b"word" + b"x<b>" * 500),
    "an HTML page of 400 cells in 4,000 rows": ("html", lambda: b"<table>" + (b"<tr>" + b"<td>x" * 400) * 4000),
    "an HTML page of 999 attributes an element": (
        "html",
        lambda: b"".join(b"<p " + b" ".join(b"a%d=1" % n for n in range(999)) + b">word" for _ in range(1000)),
    ),
    "an HTML page of 10 MB without a tag": ("html", lambda: b"<p>" + words(10 * MB)),
    "mail of 400,000 parts": ("eml", lambda: parts(400_000)),
    "mail of 9 MB with one HTML part": (
        "eml",
        lambda: b"Subject: s\nContent-Type: text/html\n\n" + b"<p><i>word</i>" * 700_000,
    ),
    "a mailbox with a message of 400,000 parts": (
        "mbox",
        lambda: b"From a Mon Jan 1 00:00:00 2024\nSubject: first\n\nfine\n\nFrom b Mon Jan 1 00:00:00 2024\n" + parts(400_000),
    ),
    "a DOCX of 1 M runs": ("docx", lambda: docx(b"<w:p>" + b"<w:r><w:t>w</w:t></w:r>" * 400_000 + b"</w:p>")),
    "a DOCX that unpacks to 500 MB": ("docx", lambda: docx(b"<w:p/>" + b" " * (500 * MB))),
    "a DOCX nested 100,000 deep": ("docx", lambda: docx(b"<w:p>" * 100_000 + b"</w:p>" * 100_000)),
    "a DOCX of 10 MB of attributes": (
        "docx",
        lambda: docx(b"<w:p " + b" ".join(b'a%d="1"' % n for n in range(700_000)) + b"/>"),
    ),
    "an EPUB of a chapter of 800,000 elements": ("epub", lambda: epub(b"<p>fine</p>", b"<b>x</b>" * 800_000)),
    "an EPUB that unpacks to 300 MB": ("epub", lambda: epub(b"<p>fine</p>", b" " * (300 * MB))),
    "an EPUB of 30,000 chapters": ("epub", lambda: epub(*[b"<p>x</p>"] * 30_000)),
    "JSON of 9.6 MB of small objects": ("json", lambda: b'[{"text":"x","a":[' + b"{}," * 3_100_000 + b"{}]}]"),
    "JSON of 3 M empty lists": ("json", lambda: b'[{"text":"x","a":[' + b"[]," * 3_000_000 + b"[]]}]"),
    "a notebook of 200,000 cells": (
        "ipynb",
        lambda: b'{"nbformat":4,"cells":[' + b",".join([b'{"cell_type":"code","source":["x"]}'] * 200_000) + b"]}",
    ),
    "text packed by zstd --long=27": ("txt.zst", lambda: zstd_window(words(MB) * 9)),
    "records packed by zstd --long=27": (
        "jsonl.zst",
        lambda: zstd_window(b'{"text":"%s"}\n' % words(20_000) * 8000),
    ),
    "an archive packed by zstd --long=27": (
        "tar.zst",
        lambda: zstd_window(tar(("x.bin", words(MB) * 140), ("a.txt", b"a word"))),
    ),
    "an archive packed by xz with a dictionary of 64 MB": (
        "tar.xz",
        lambda: lzma.compress(
            tar(("x.bin", slowly_new(80)), ("a.txt", b"a word")),
            filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 64 * MB}],
        ),
    ),
    "HTML packed by gzip to 10 KB": ("html.gz", lambda: gzip.compress(b"<b>x</b>" * 1_200_000)),
}
"""By name: the suffix and how it is made."""
