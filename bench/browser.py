"""What a person waits for in a browser: the first result, in a headless Chromium, and how heavy the page of results is.

    python bench/browser.py LIBRARY [--text TEXTS.jsonl.gz] [--queries 100] [--ram 512MB]

`bookwheel serve` is a process of its own, and so is Chromium (the system's, driven by Playwright). *opened*: an address with a
query, from asking for it until the first result can be seen. *Enter*: the form sent without JavaScript. *typed*: from the last key
until the results of that query stand there, the 180 ms included for which the page waits for another key. Each query once, and
none twice. Weight: bytes that a first visit transfers, styles, script and picture included, by the browser's own count. Queries are
two to five words in a row out of ``--text``, or else out of the library's own first documents. Results go into
docs/results/browser.json.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from common import ROOT, keep, percentiles, table
from serving import free_port, queries

sys.path.insert(0, str(ROOT / "src"))

RESULT = ".results h2 a"
KEY = 15
"""Milliseconds between two keys."""


def own_queries(library: Path, count: int) -> list[str]:
    """Words in a row of the library's first documents."""
    import bookwheel

    draw, found = random.Random(7), []
    with bookwheel.open(library) as opened:
        for document in islice(opened, 20 * count):
            words = re.findall(r"[A-Za-z]{4,}", document.text[:20_000])
            if len(words) > 10:
                start = draw.randrange(len(words) - 5)
                found.append(" ".join(words[start : start + draw.randint(2, 5)]))
    return found


def opened(page: Any, base: str, query: str) -> float:
    began = time.perf_counter()
    page.goto(f"{base}/search?q={quote(query)}", wait_until="commit")
    page.wait_for_selector(RESULT, state="visible")
    return time.perf_counter() - began


def entered(page: Any, base: str, query: str) -> float:
    page.goto(f"{base}/search")
    page.fill("#q", query)
    began = time.perf_counter()
    page.press("#q", "Enter")
    page.wait_for_selector(RESULT, state="visible")
    return time.perf_counter() - began


def typed(page: Any, base: str, query: str) -> float:
    page.goto(f"{base}/search")
    page.type("#q", query, delay=KEY)
    began = time.perf_counter()
    # The title is set with the results, in one go: those of fewer words may have stood there before.
    page.wait_for_function("query => document.title.startsWith(query) && document.querySelector('.results h2 a')", arg=query)
    return time.perf_counter() - began


def weight(browser: Any, base: str, query: str) -> dict[str, int]:
    """Bytes and requests of a first visit."""
    page = browser.new_page()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(f"{base}/search?q={quote(query)}", wait_until="networkidle")
    page.close()
    return {"bytes": int(sum(sizes)), "requests": len(sizes)}


def measured(base: str, asked: list[str]) -> dict[str, Any]:
    """All figures, each query by one way only."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise SystemExit("there is no Chromium here; install the package chromium")
    ways = (("opened", opened, True), ("Enter, without JavaScript", entered, False), ("typed", typed, True))
    rows: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for at, (name, way, script) in enumerate(ways):
            page = browser.new_page(java_script_enabled=script)
            page.set_default_timeout(30_000)
            mine = asked[at :: len(ways)]
            opened(page, base, mine[0])  # the first fetches styles and script
            rows[name] = {"queries": len(mine) - 1, **percentiles([way(page, base, query) for query in mine[1:]])}
            page.close()
        weights = [weight(browser, base, query) for query in asked[:10]]
        version = browser.version
        browser.close()
    return {"chromium": version, "ways": rows, "heaviest": max(weights, key=lambda one: one["bytes"])}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--text", type=Path)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--ram", default="512MB")
    given = parser.parse_args()
    asked = queries(given.text, 20_000) if given.text else own_queries(given.library, 3 * given.queries)
    asked = list(dict.fromkeys(asked))[: 3 * given.queries]
    port = free_port()
    command = [sys.executable, "-m", "bookwheel", "serve", str(given.library), "--port", str(port), "--ram", given.ram]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # it listens
        time.sleep(3)  # and has opened the library
        found = measured(f"http://127.0.0.1:{port}", asked)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    rows = [
        [name, row["queries"], *(f"{row[at]:.0f}" for at in ("p50_ms", "p95_ms", "p99_ms"))]
        for name, row in found["ways"].items()
    ]
    shown = table(["first result", "queries", "p50 ms", "p95 ms", "p99 ms"], rows)
    heaviest = found["heaviest"]
    shown += f"\n\nThe heaviest of ten first visits: {heaviest['bytes']:,} bytes in {heaviest['requests']} requests."
    keep("browser", found, shown)


if __name__ == "__main__":
    main()
