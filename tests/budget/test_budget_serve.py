"""A server keeps to its budget under a limit that the kernel enforces, whatever it is asked, and holds no more after thousands."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest
from limits import Outcome, watched

import bookwheel

pytest.importorskip("uvicorn")
RAM = 512 << 20
QUESTIONS = ("What does an abstract base class do?", "How many documents mention a file?", "Who sells the moon?")


def pdf_files() -> ModuleType:
    path = Path(__file__).parents[1] / "documents" / "pdf_files.py"
    spec = importlib.util.spec_from_file_location("pdf_files_of_budget", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Asker:
    """Asks a server in turn for all that it has, and fails at the first answer that is an error."""

    def __init__(self, port: int, words: list[str], names: list[str], pdf: str) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self.words, self.names, self.pdf = words, names, pdf

    def __call__(self, number: int) -> None:
        word, name = self.words[number % len(self.words)], self.names[number % len(self.names)]
        kind = number % 20
        if kind < 9:
            self.get(f"/search?q={quote(word)}")
        elif kind < 14:
            self.post("/search", {"query": word, "k": 20})
        elif kind < 16:
            self.get(f"/read?id={quote(name)}&q={quote(word)}")
        elif kind < 17:
            self.post("/ask", {"question": QUESTIONS[number // 20 % 3]})
        elif kind < 18:
            call = {"name": "search", "arguments": {"query": word}}
            self.post("/mcp", {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": call})
        elif kind < 19:
            self.get("/metrics")
        else:
            self.get(f"/page.png?id={quote(self.pdf)}&page=2&q=avocet" if number % 100 == 19 else "/library")

    def get(self, path: str) -> bytes:
        return self._asked("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> bytes:
        return self._asked("POST", path, json.dumps(body))

    def _asked(self, method: str, path: str, body: str | None) -> bytes:
        head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        self.connection.request(method, path, body, head if body else {})
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status == 200, (method, path, answer.status, content[:300])
        return content


@contextmanager
def served(library: Path, environment: dict[str, str]) -> Iterator[tuple[int, subprocess.Popen[bytes], Outcome]]:
    """Port and process of a server with the budget, under that limit, and what becomes of it."""
    command = [sys.executable, "-m", "bookwheel", "serve", str(library), "--port", "0", "--json", "--embed", "--ram", "512MB"]
    with watched(RAM, command, environment) as (process, outcome):
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield int(told["url"].rpartition(":")[2]), process, outcome
        process.terminate()
        process.wait(20)


def anonymous(process: subprocess.Popen[bytes]) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("RssAnon")))


def asked_for(
    library: Path,
    texts: list[tuple[str, str]],
    requests: int,
    environment: dict[str, str],
    warm: int,
    growth: float,
    patience: float,
) -> None:
    files = library.parent / "files"
    files.mkdir()
    pdf = pdf_files()
    pdf.write(files / "guide.pdf", [pdf.lines("Preface."), pdf.lines("The avocet sweeps its bill.")])
    with bookwheel.open(library, create=True, ram="512MB") as made:
        made.add({"id": name, "title": name, "text": text, "year": 2000 + at % 20} for at, (name, text) in enumerate(texts))
        made.index(files)
        made.add_encoder("second", "static")
    words = [" ".join(text.split()[3:6]) for _, text in texts]
    with served(library, environment) as (port, process, outcome):
        failed: list[BaseException] = []

        def ask(start: int, stop: int) -> None:
            asker = Asker(port, words, [name for name, _ in texts], str(files / "guide.pdf"))
            try:
                with closing(asker.connection):
                    for number in range(start, stop):
                        asker(number)
            except BaseException as error:
                failed.append(error)

        def asked(start: int, stop: int) -> None:
            """By four clients at a time."""
            share = (stop - start) // 4
            threads = [threading.Thread(target=ask, args=(start + at * share, start + (at + 1) * share)) for at in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if failed:
                raise failed[0]

        asked(0, warm)
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            until = time.monotonic() + patience
            while time.monotonic() < until:  # embedding has part of the budget, and of a busy machine what is left over
                connection.request("GET", "/libraries")
                (state,) = json.loads(connection.getresponse().read())["libraries"]
                if state["encoders"][0]["complete"]:
                    break
                time.sleep(0.2)
        assert state["encoders"][0]["complete"] or patience < 60, state
        asked(warm, 2 * warm)  # of the generation that embedding left
        before = anonymous(process)
        asked(2 * warm, requests)
        after = anonymous(process)
        assert outcome.within, outcome.told()
        assert after <= (1 + growth) * before, f"{before >> 20} MB grew to {after >> 20} MB in {requests - 2 * warm} requests"
    print(f"\n{outcome.told()}; {before >> 20} MB after {2 * warm} requests, {after >> 20} MB after {requests}")
    outcome.check()


def test_a_server_stays_within_its_budget_and_does_not_grow(tmp_path, prose, child_environment) -> None:
    home = {**os.environ, **child_environment, "BOOKWHEEL_HOME": str(tmp_path / "home"), "BOOKWHEEL_TOKEN": ""}
    asked_for(tmp_path / "library", prose[:150], 200, home, 60, 0.1, 20)  # of so few requests, some are the first of their kind


@pytest.mark.slow
def test_a_server_does_not_grow_in_twenty_thousand_requests(tmp_path, judged, child_environment) -> None:
    with (judged / "scifact" / "corpus.jsonl").open(encoding="utf-8") as lines:
        texts = [(one["_id"], f"{one['title']}\n{one['text']}") for one in map(json.loads, lines)]
    home = {**os.environ, **child_environment, "BOOKWHEEL_HOME": str(tmp_path / "home"), "BOOKWHEEL_TOKEN": ""}
    requests = int(os.environ.get("BOOKWHEEL_SERVE_REQUESTS", "20000"))
    asked_for(tmp_path / "library", texts, requests, home, max(requests // 10, 400), 0.05, 900)
