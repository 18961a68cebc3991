"""Draws the pages of `bookwheel serve` as a browser shows them.

    python tools/page_screenshots.py [--library LIBRARY] [--out FOLDER]     every page, wide and narrow, light and dark; a
                                                                            conversation and a judge `pictures` are kept in it
    python tools/page_screenshots.py --readme                               docs/assets/page.png, of documents made here

Needs Playwright's Python package and a Chromium of the system (`chromium`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

ROOT = Path(__file__).parents[1]
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}


@contextlib.contextmanager
def serving(**libraries: Path) -> Iterator[str]:
    """The address of a server of ``libraries`` in this process."""
    import uvicorn

    from bookwheel.serve.app import create_app
    from bookwheel.serve.config import ServeConfig

    config = ServeConfig(libraries=libraries, port=0, folders=(Path.home(),))
    server = uvicorn.Server(uvicorn.Config(create_app(config), port=0, log_level="warning"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def shots(
    base: str,
    paths: dict[str, str],
    out: Path,
    *,
    sizes: dict[str, tuple[int, int]] = SIZES,
    schemes: tuple[str, ...] = ("light", "dark"),
    whole: bool = True,
) -> None:
    """A picture of each of ``paths`` in each size and scheme."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("there is no Chromium here; install the package chromium")
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for size, (width, height) in sizes.items():
            for scheme in schemes:
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                for name, path in paths.items():
                    page.goto(base + path, wait_until="networkidle")
                    if name == "streamed":
                        page.fill("#q", unquote(paths["answer"].partition("q=")[2]))
                        page.keyboard.press("Enter")
                        page.wait_for_selector(".answer", timeout=60_000)
                    page.screenshot(path=out / f"{name}-{size}-{scheme}.png", full_page=whole and "#" not in path)
                page.close()
        browser.close()


def _examples(library: Path, question: str) -> dict[str, str]:
    """Pages to look at, with results that this library has."""
    import bookwheel
    from bookwheel.tune.judging.journal import Journal, journal_path
    from bookwheel.tune.judging.session import pooled_of

    found = {"start": "/", "results": f"/search?q={quote(question)}", "nothing": "/search?q=zzzqqq&where=suffix+%3D+%22none%22"}
    with bookwheel.open(library) as opened:
        opened.conversation("Pictures").ask(question)
        journal = Journal(journal_path(opened.path, "pictures"))
        journal.pool(pooled_of(opened, {"1": question}, ["bm25", "dense"]))
        for suffix in ("pdf", "txt", "md", "eml", "ipynb", "csv", "py", "gz"):
            try:
                results = opened.search(question, 1, where=f'suffix = "{suffix}"') or opened.search(
                    "the a of", 1, where=f'suffix = "{suffix}"'
                )
            except bookwheel.BookwheelError:
                continue
            for one in results:
                address = one.id if one.id == one.source else f"{one.source}::{one.id}"
                found[f"read-{suffix}"] = f"/read?id={quote(address)}&start={one.start}&end={one.end}&q={quote(question)}#here"
    return {
        **found,
        "ask": "/ask",
        "answer": f"/ask?q={quote(question)}",
        "refused": "/ask?q=Who+painted+the+ceiling+of+the+zoological+ballroom",
        "whole": "/ask?q=How+many+documents+mention+security",
        "streamed": "/ask",
        "conversations": "/conversations",
        "conversation": "/conversation?name=Pictures",
        "judge": "/judge?judge=pictures",
        "judge-begin": "/judge?judge=nobody",
        "library": "/library",
        "empty": "/search?library=empty",
        "empty-library": "/library?library=empty",
        "empty-ask": "/ask?library=empty&q=who",
        "empty-conversations": "/conversations?library=empty",
        "empty-judge": "/judge?library=empty",
        "wrong": "/search?q=lamp&where=year+%3E%3E+2",
        "error": "/read?id=nothing",
    }


LOG = (
    "# Log of the year 2024\n\n14 May: the new lamp of the north light was delivered. 16 May: two fitters replaced the lamp, "
    "and the old one went to the museum. 2 June: the photocell failed in fog, and the lamp burned all day.\n"
)
TEXTS = {
    "north-light.md": "# North light\n\nThe north light stands on a rock of granite two miles from the harbour. Its lamp was "
    "replaced in May 2024: an LED of 90 watts took the place of one of 1000 watts. The Fresnel lens of 1886 was kept, and "
    "throws the light of the lamp eighteen miles out to sea.\n\n## Keepers\n\nThe last keeper left in 1987. Since then the "
    "lamp is switched on by a photocell.\n",
    "log-2024.md": LOG,
    "copies/log-2024.md": LOG,
    "museum.txt": "The museum of the harbour shows the lamps of five lighthouses. The oldest lamp burned rapeseed oil; a keeper "
    "replaced its wick every four hours.\n",
    "letter.eml": "From: Ada Keeper <ada@lighthouse.example>\nTo: Ben Harbour <ben@harbour.example>\n"
    "Subject: Who pays for the lamp?\nDate: Tue, 14 May 2024 09:12:00 +0000\n\nDear Ben,\n\nthe harbour board pays for the "
    "new lamp, as it did when the lamp was replaced in 2003.\n\nAda\n",
}


def readme(out: Path) -> None:
    """The picture of the README: a search, made of a few documents written here."""
    import bookwheel

    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.gettempdir()) / "harbour"  # a name that can be read in the picture
        folder.mkdir()
        stack.callback(shutil.rmtree, folder)
        for name, text in TEXTS.items():
            path = folder / "lighthouses" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        with bookwheel.open(folder / "library", create=True, language="english") as library:
            library.index(folder / "lighthouses")
        with serving(lighthouses=folder / "library") as base:
            wanted = "/search?q=when+was+the+lamp+replaced"
            pages = {"first": "/search?q=fog", "page": wanted}  # the first is slow
            shots(base, pages, out, sizes={"wide": (1080, 640)}, schemes=("light",), whole=False)
    (out / "first-wide-light.png").unlink()
    (out / "page-wide-light.png").replace(out / "page.png")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path)
    parser.add_argument("--question", default="read data from a relational database")
    parser.add_argument("--out", type=Path, default=Path("page-pictures"))
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--only", nargs="*", help="names of pages")
    given = parser.parse_args()
    if given.readme:
        readme(ROOT / "docs" / "assets")
    if given.library is not None:
        paths = _examples(given.library, given.question)
        with serving(library=given.library, empty=given.out / "none") as base:
            shots(base, {name: path for name, path in paths.items() if not given.only or name in given.only}, given.out)


if __name__ == "__main__":
    main()
