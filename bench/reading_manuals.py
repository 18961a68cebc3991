"""Whether manuals in HTML keep their text: pages of some of Debian's documentation packages, with what is shown and what is kept.

python bench/reading.py manuals
"""

from __future__ import annotations

import random
import re
from typing import Any

from reading import unpacked

MANUALS = """apache2-doc bash-doc cmake-doc debian-policy debian-reference-en developers-reference erlang-doc exim4-doc-html
ghc-doc git-doc gnuplot-doc libboost1.74-doc libgtk-3-doc libsdl2-doc libxml2-doc octave-doc openjdk-17-doc postgresql-doc-15
python-django-doc python3.11-doc rust-doc sbcl-doc sqlite3-doc valgrind zsh-doc""".split()  # noqa: SIM905
NAVIGATION = re.compile(r"\b(?:footer|navigation|nav|mobile-nav|related|sphinxsidebar)\b")
"""Classes of navigation in these manuals."""
PAGES = 30
"""Of each manual, chosen at random (seed 1)."""


def table() -> list[tuple[Any, ...]]:
    """For each manual the words shown and kept, and the share kept of the text that is no link and in no navigation element."""
    from bookwheel._errors import InputError
    from bookwheel.documents.page.blocks import blocks_of
    from bookwheel.documents.page.main import left_out
    from bookwheel.documents.page.shown import not_shown
    from bookwheel.documents.page.site import is_of_site
    from bookwheel.documents.page.text import text_of
    from bookwheel.documents.readers.html import parse_html

    rows: list[tuple[Any, ...]] = [("manual", "pages", "words shown", "words kept", "of text kept")]
    everything = [0, 0, 0, 0]
    for package in MANUALS:
        files = sorted(file for file in unpacked(package).rglob("*.htm*") if file.suffix in (".html", ".htm"))
        files = [file for file in files if file.is_file() and not file.is_symlink() and file.stat().st_size < 400_000]
        random.Random(1).shuffle(files)
        counts = [0, 0, 0, 0]
        for file in files[:PAGES]:
            try:
                tree = parse_html(file.read_bytes())
            except InputError:
                continue
            if tree.body is None:
                continue
            page = blocks_of(tree.body)
            shown, out = not_shown(page), left_out(page, is_of_site(tree, page))
            text, lost = _of_text(page, shown, out)
            counts[0] += len(text_of(page, shown)[0].split())
            counts[1] += len(text_of(page, out)[0].split())
            counts[2] += text
            counts[3] += lost
        everything = [one + other for one, other in zip(everything, counts, strict=True)]
        rows.append((package, min(len(files), PAGES), counts[0], counts[1], f"{1 - counts[3] / max(counts[2], 1):.4f}"))
    rows.append(("all", "", everything[0], everything[1], f"{1 - everything[3] / max(everything[2], 1):.4f}"))
    return rows


def _of_text(page: Any, shown: list[bool], out: list[bool]) -> tuple[int, int]:
    """Bytes of text outside links, navigation, footers, forms and buttons, and how many of them are left out."""
    text = lost = 0
    inside = [False] * len(out)
    for block in range(len(out)):
        parent = page.parent[block]
        beside = page.tag[block] in ("nav", "footer", "form", "button") or NAVIGATION.search(page.names[block]) is not None
        inside[block] = shown[block] or beside or (parent >= 0 and inside[parent])
        if inside[block]:
            continue
        own = page.chars[block] - page.linked[block]
        child = block + 1
        while child < page.last[block]:
            own -= page.chars[child] - page.linked[child]
            child = page.last[child]
        text += own
        lost += own if out[block] else 0
    return text, lost
