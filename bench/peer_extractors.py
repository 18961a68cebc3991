"""Extractors of the text of web pages, each called as its own documentation does; run in an environment of its own.

peer_extractors.py TOOL FOLDER FILES.json     prints {"texts": {file: text}, "seconds": processor time, "version": ...}
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path


def trafilatura(fast: bool) -> Callable[[bytes], str | None]:
    from trafilatura import extract

    return lambda data: extract(data, fast=fast, include_comments=False, include_tables=True)


def readability(data: bytes) -> str:
    from lxml import html
    from readability import Document

    return str(html.fromstring(Document(data).summary()).text_content())


def justext(data: bytes) -> str:
    import justext as tool

    words = frozenset().union(*(tool.get_stoplist(language) for language in tool.get_stoplists()))
    # The settings that trafilatura's own comparison uses.
    found = tool.justext(data, words, 50, 200, 0.1, 0.2, 0.2, 200, True)
    return "\n".join(paragraph.text for paragraph in found if not paragraph.is_boilerplate)


def resiliparse(data: bytes) -> str:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding
    from resiliparse.parse.html import HTMLTree

    return str(extract_plain_text(HTMLTree.parse(bytes_to_str(data, detect_encoding(data))), main_content=True))


TOOLS: dict[str, tuple[str, Callable[[], Callable[[bytes], str | None]]]] = {
    "trafilatura": ("trafilatura", lambda: trafilatura(False)),
    "trafilatura fast": ("trafilatura", lambda: trafilatura(True)),
    "readability-lxml": ("readability-lxml", lambda: readability),
    "jusText": ("jusText", lambda: justext),
    "resiliparse": ("resiliparse", lambda: resiliparse),
}


def main() -> None:
    logging.disable(logging.CRITICAL)
    name, folder, files = sys.argv[1:]
    package, make = TOOLS[name]
    extract = make()
    texts: dict[str, str] = {}
    seconds = 0.0
    for file in json.loads(Path(files).read_text()):
        data = (Path(folder) / file).read_bytes()
        began = time.process_time()
        try:
            texts[file] = extract(data) or ""
        except Exception:  # a page that a tool cannot read counts as nothing found, as in trafilatura's own comparison
            texts[file] = ""
        seconds += time.process_time() - began
    print(json.dumps({"texts": texts, "seconds": seconds, "version": version(package)}))


if __name__ == "__main__":
    main()
