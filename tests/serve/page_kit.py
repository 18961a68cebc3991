"""A library of every kind of document, hostile ones among them, and a server of it in this process."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bookwheel

ATTACK = (
    'The osprey <script>document.title="owned"</script> dives <img src="https://evil.example/x.png" onerror="owned()"> for fish '
    '"quoted" \'single\' &amp; <a href="javascript:owned()">link</a> https://evil.example/page {{ 7*7 }} {% raw %}.'
)
NEWS = (
    "The harbour board replaced the lamp of the north light in May. The new lamp needs ninety watts, the old one needed a "
    "thousand, and the lens of 1886 stays where it was."
)
QUESTION = "How many watts does the new lamp need?"


def _pdf_files() -> ModuleType:
    path = Path(__file__).parents[1] / "documents" / "pdf_files.py"
    spec = importlib.util.spec_from_file_location("pdf_files_of_documents", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_files(folder: Path) -> None:
    """The files of the library."""
    files = {
        "news/north.txt": NEWS,
        "copies/north.txt": NEWS,
        "notes.md": "# Birds of the harbour\n\nThe heron waits in shallow water.\n\n## Winter\n\nIn winter the heron leaves.\n",
        "code/sort.py": "\n".join(
            f"def heron_{at}(values):\n    return sorted(values)[:{at}]\n" for at in range(400)
        ),
        "mail/reply.eml": "From: Ada <ada@lighthouse.example>\nTo: Ben <ben@harbour.example>\nSubject: Re: the lamp\n"
        "Date: Tue, 14 May 2024 09:12:00 +0000\nMessage-ID: <1@x.example>\n\nDear Ben,\n\nit came on Monday.\n\n"
        "> Did the crate arrive?\n\nAda\n",
        "tables/lamps.csv": "lighthouse,watts,year\nNorth light,90,2024\nSouth light,250,2019\nMole,1000,1999\n",
        'odd "dir"/it\'s <b>.txt': "A bittern booms in the reeds of the odd folder.",
        "hostile.txt": ATTACK,
        "cormorants/long.txt": "\n".join(
            f"Line {at}: the cormorant dries its wings." if at % 50 == 0 else f"Line {at} is about nothing much." for at in range(1500)
        ),
        **{f"many/{at:02}.txt": f"The gull number {at} nests on ledge {at * 7} and eats {at * 3} fish." for at in range(23)},
    }  # fmt: skip
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    notebook = {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["# Tides\n", "\n", "Levels in May."]},
            {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": 1, "source": ["level = 2.31\n", "print(level)"]},
        ],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip
    (folder / "tides.ipynb").write_text(json.dumps(notebook))
    pdf = _pdf_files()
    pdf.write(
        folder / "guide.pdf",
        [pdf.lines("Preface to the guide."), pdf.lines("The avocet sweeps its bill.", "It breeds on mud banks.")],
        labels="0<</S/r>>1<</S/D/St 7>>",
    )


def make_library(folder: Path) -> Path:
    """The library of `make_files`, with a document that a program added."""
    make_files(folder / "files")
    path = folder / "library"
    with bookwheel.open(path, create=True, language="english") as library:
        library.index(folder / "files")
        library.add([bookwheel.Document('<b>id</b>"', ATTACK, "<i>title</i>", {"author": "<u>x</u>", "tags": ("a b", "c")})])
        library.search("heron", 3, fold=True)  # kernels that must be compiled are, before a request has to wait for them
        library.ask(QUESTION)
    return path


def shared(folder: Path) -> Path:
    """`make_library`, made once for all tests of this process."""
    mine = folder / "pages-shared"
    if not mine.exists():
        make_library(mine)
    return mine


@contextlib.contextmanager
def serving(folder: Path, **more: Any) -> Iterator[str]:
    """The address of a server of the library in ``folder``, and of one that is not there."""
    import uvicorn

    from bookwheel.serve.app import create_app
    from bookwheel.serve.config import ServeConfig

    config = ServeConfig(
        libraries={"birds": folder / "library", "none": folder / "none"}, port=0, folders=(folder / "files",), **more
    )
    server = uvicorn.Server(uvicorn.Config(create_app(config), port=0, log_level="warning"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
