"""Servers beside each other: bookwheel, datasette's search over SQLite's FTS5, txtai's API, and a bare starlette "hello".

    python bench/serving.py --text TEXTS.jsonl.gz --passages 1000000 --prepare     installs the peers and makes all indexes
    python bench/serving.py --text TEXTS.jsonl.gz --passages 1000000               the run, which wants two quiet cores
    python bench/serving.py --text TEXTS.jsonl.gz --passages 20000 --seconds 3 --requests 2000 --only bookwheel hello

For each: requests a second and p50, p95 and p99 of the times that clients see, at 1, 8 and 32 clients that ask one query after
the other on connections they keep; milliseconds of the server's own processor time a request; resident memory after each, and
after ``--requests`` more, against that after the first thousand; seconds from the start of the process to its first answer.
Each server is a process of its own, and so are the clients (this one). ``--ram`` is bookwheel's budget; ``--limit`` holds its
process to so much by a control group (as root, or in a delegated tree), as tests/budget does, and tells its most memory. The
peers are installed in environments of their own (`peers.py`); one that cannot be is told and left out. ``--fewer txtai=100000``
gives one of them fewer passages, which its row says. Queries are words drawn from the texts, the same for all.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

from common import RESULTS, ROOT, SCRATCH, keep
from harness import say

sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests" / "budget")]
from limits import group_within  # noqa: E402

from bookwheel.memory.sizes import ram_of  # noqa: E402

CLIENTS = (1, 8, 32)
STARTING = 600.0
WARMING = 60.0
"""Seconds of requests before anything is measured, at most."""
PEERS = {"datasette": ["datasette==0.65.2"], "txtai": ["torch==2.13.0", "txtai[api]==9.14.0"]}
HELLO = """
import asyncio, sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
async def hello(request):
    return PlainTextResponse("hello")
uvicorn.run(Starlette(routes=[Route("/", hello)]), port=int(sys.argv[1]), http="h11", log_level="error", access_log=False)
"""


def texts(path: Path, limit: int) -> Iterator[tuple[str, str]]:
    """Title and text of each document."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file):
            if number == limit:
                return
            row = json.loads(line)
            yield row.get("title", ""), row["text"]


def queries(path: Path, limit: int, count: int = 500) -> list[str]:
    """Two to five words in a row, drawn with a seed."""
    drawn, found = random.Random(7), []
    for _, text in texts(path, min(limit, 20_000)):
        words = re.findall(r"[A-Za-z]{4,}", text)
        if len(words) > 10 and drawn.random() < 0.05:
            start = drawn.randrange(len(words) - 5)
            found.append(" ".join(words[start : start + drawn.randint(2, 5)]))
        if len(found) == count:
            break
    return found


# -- the contenders ------------------------------------------------------------------------------------------------------


class Server:
    """One contender: how its index is made, its process, and the path that answers a query."""

    name = ""
    python = sys.executable

    def build(self, folder: Path, text: Path, passages: int) -> None:
        """Make its index in ``folder``, which is empty."""

    def command(self, folder: Path, port: int, arguments: argparse.Namespace) -> list[str]:
        raise NotImplementedError

    def path(self, query: str) -> str:
        raise NotImplementedError

    def body(self, query: str) -> str | None:
        """What is posted; None: it is got."""
        return None


class Hello(Server):
    name = "hello"

    def command(self, folder: Path, port: int, arguments: argparse.Namespace) -> list[str]:
        return [self.python, "-c", HELLO, str(port)]

    def path(self, query: str) -> str:
        return "/"


class Bookwheel(Server):
    """`POST /search`: what programs ask."""

    name = "bookwheel"
    recipe = "bm25"

    def build(self, folder: Path, text: Path, passages: int) -> None:
        import bookwheel

        with bookwheel.open(folder / "library", create=True, ram="1GB") as library:
            rows = enumerate(texts(text, passages))
            library.add({"id": str(n), "title": title, "text": said} for n, (title, said) in rows)
            library.compact()

    def command(self, folder: Path, port: int, arguments: argparse.Namespace) -> list[str]:
        ram = ["--ram", arguments.ram] if arguments.ram else []
        return [self.python, "-m", "bookwheel", "serve", str(folder / "library"), "--port", str(port), *ram]

    def path(self, query: str) -> str:
        return "/search"

    def body(self, query: str) -> str | None:
        return json.dumps({"query": query, "k": 10, **({"recipe": self.recipe} if self.recipe else {})})


class BookwheelHybrid(Bookwheel):
    name, recipe = "bookwheel, words and vectors", ""


class BookwheelPage(Bookwheel):
    """The page, with facets and copies folded."""

    name = "bookwheel, the page"

    def path(self, query: str) -> str:
        return f"/search?q={quote(query)}"

    def body(self, query: str) -> str | None:
        return None


class Datasette(Server):
    """A table with `_search`, as datasette's own pages ask it, by rank and the first ten rows."""

    name = "datasette"

    def build(self, folder: Path, text: Path, passages: int) -> None:
        with closing(sqlite3.connect(folder / "texts.db")) as database:
            database.execute("CREATE TABLE texts (id INTEGER PRIMARY KEY, title TEXT, text TEXT)")
            rows = enumerate(texts(text, passages))
            database.executemany("INSERT INTO texts VALUES (?, ?, ?)", ((n, title, said) for n, (title, said) in rows))
            database.execute("CREATE VIRTUAL TABLE texts_fts USING fts5(title, text, content='texts', content_rowid='id')")
            database.execute("INSERT INTO texts_fts(texts_fts) VALUES ('rebuild')")
            database.execute("INSERT INTO texts_fts(texts_fts) VALUES ('optimize')")
            database.commit()

    def command(self, folder: Path, port: int, arguments: argparse.Namespace) -> list[str]:
        return [
            self.python,
            "-m",
            "datasette",
            "-i",
            str(folder / "texts.db"),
            "-p",
            str(port),
            "--setting",
            "num_sql_threads",
            "4",
            "--setting",
            "sql_time_limit_ms",  # a second otherwise, which queries of a million passages exceed
            "60000",
        ]

    def path(self, query: str) -> str:
        sql = (
            "select t.id, t.title, t.text from texts_fts f join texts t on t.id = f.rowid "
            "where texts_fts match :q order by f.rank limit 10"
        )
        words = " OR ".join(f'"{word}"' for word in query.split())
        return f"/texts.json?sql={quote(sql)}&q={quote(words)}&_shape=array"


class Txtai(Server):
    """Its API over a BM25 index of its own (``keyword: true``) with the texts."""

    name = "txtai"

    def build(self, folder: Path, text: Path, passages: int) -> None:
        code = (
            "import json, sys\nfrom txtai import Embeddings\n"
            "index = Embeddings(keyword=True, content=True)\n"
            "index.index((n, json.loads(line)) for n, line in enumerate(sys.stdin))\nindex.save(sys.argv[1])\n"
        )
        command = [self.python, "-c", code, str(folder / "index")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            for title, said in texts(text, passages):
                process.stdin.write(json.dumps(f"{title}\n{said}") + "\n")
            process.stdin.close()
        if process.returncode:
            raise RuntimeError("txtai did not make its index")

    def command(self, folder: Path, port: int, arguments: argparse.Namespace) -> list[str]:
        settings = folder / "app.yml"
        settings.write_text(f"path: {folder / 'index'}\nembeddings:\n  keyword: true\n  content: true\n")
        return [
            "env",
            f"CONFIG={settings}",
            self.python,
            "-m",
            "uvicorn",
            "txtai.api:app",
            "--port",
            str(port),
            "--log-level",
            "error",
        ]

    def path(self, query: str) -> str:
        return f"/search?query={quote(query)}&limit=10"


CONTENDERS: tuple[Callable[[], Server], ...] = (Hello, Bookwheel, BookwheelHybrid, BookwheelPage, Datasette, Txtai)


# -- measuring -----------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def processes(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


def resident(pid: int) -> int:
    """Bytes of resident memory, children included."""
    total = 0
    for one in processes(pid):
        status = Path(f"/proc/{one}/status").read_text()
        total += 1024 * int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]
    return total


def cpu(pid: int) -> float:
    """Seconds of processor time, children included."""
    total = 0
    for one in processes(pid):
        row = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(row[11]) + int(row[12])
    return total / os.sysconf("SC_CLK_TCK")


def ask(connection: HTTPConnection, server: Server, query: str) -> int:
    body = server.body(query)
    headers = {"Content-Type": "application/json"} if body else {}
    connection.request("POST" if body else "GET", server.path(query), body, headers)
    response = connection.getresponse()
    size = len(response.read())
    if response.status != 200:
        raise RuntimeError(f"{server.name} answered {response.status}")
    return size


def load(server: Server, port: int, asked: list[str], clients: int, seconds: float, most: int = 1 << 60) -> dict[str, float]:
    """So many clients for so long, or until so many requests were made."""
    times: list[list[float]] = [[] for _ in range(clients)]
    failed: list[Exception] = []
    until = time.perf_counter() + seconds

    def one(number: int) -> None:
        connection, drawn = HTTPConnection("127.0.0.1", port, timeout=120), random.Random(number)
        try:
            while time.perf_counter() < until and len(times[number]) * clients < most:
                began = time.perf_counter()
                ask(connection, server, drawn.choice(asked))
                times[number].append(time.perf_counter() - began)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    began = time.perf_counter()
    threads = [threading.Thread(target=one, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    took = time.perf_counter() - began
    every = sorted(value for some in times for value in some)
    at = {f"p{share}": 1000 * every[min(len(every) - 1, len(every) * share // 100)] for share in (50, 95, 99)}
    return {"requests": len(every), "requests_per_second": len(every) / took, **at}


def measure(server: Server, folder: Path, asked: list[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """All figures of one server."""
    port = free_port()
    command = server.command(folder, port, arguments)
    limited = group_within(ram_of(arguments.limit)) if arguments.limit and isinstance(server, Bookwheel) else nullcontext()
    with tempfile.TemporaryFile() as told, limited as group:
        if arguments.limit and isinstance(server, Bookwheel) and group is None:
            raise RuntimeError("no control group can be made here, so that --limit holds nothing; leave it out")
        join = None if group is None else group.join
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=told, stderr=told, start_new_session=True, preexec_fn=join)
        try:
            while True:
                try:
                    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                        ask(connection, server, asked[0])
                    break
                except (OSError, RuntimeError) as error:
                    if process.poll() is not None or time.perf_counter() - began > STARTING:
                        told.seek(0)
                        raise RuntimeError(f"{server.name} did not start ({error}): {told.read()[-500:]!r}") from None
                    time.sleep(0.01)
            found: dict[str, Any] = {"first_answer_seconds": time.perf_counter() - began}
            load(server, port, asked, 4, WARMING, 1000)  # fewer where a request takes a second
            found["resident_after_1000"] = resident(process.pid)
            for clients in CLIENTS:
                before = cpu(process.pid)
                row: dict[str, float] = load(server, port, asked, clients, arguments.seconds)
                row["server_cpu_ms"] = 1000 * (cpu(process.pid) - before) / max(row["requests"], 1)
                row["resident"] = resident(process.pid)
                found[f"clients_{clients}"] = row
                say(f"{server.name}, {clients} clients: {row['requests_per_second']:.0f}/s, p95 {row['p95']:.1f} ms")
            last = load(server, port, asked, 8, arguments.most_seconds, arguments.requests)
            found["requests_before_the_end"] = last["requests"]
            found["resident_at_the_end"] = resident(process.pid)
            if group is not None:
                found["anonymous_at_the_end"], found["killed"] = group.held(), group.killed()
            found["growth"] = found["resident_at_the_end"] / found["resident_after_1000"] - 1
            return found
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def environment(name: str) -> str:
    """The Python of a peer's own environment, made when it is first needed."""
    folder = SCRATCH / "venvs" / f"serving-{name}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", *PEERS[name]], check=True)
        (folder / "complete").touch()
    return str(python)


def prepared(server: Server, text: Path, passages: int) -> Path:
    """The folder with the index of ``server`` for the first ``passages`` texts, made where it is not there yet."""
    folder = SCRATCH / "serving" / f"{passages}-{server.name.partition(',')[0]}"
    if not folder.exists():
        say(f"{server.name}: building")
        making = folder.with_name(f"{folder.name}.partial")  # what an interruption leaves is no index
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        began = time.perf_counter()
        server.build(making, text, passages)
        making.rename(folder)
        say(f"{server.name}: {passages:,} passages in {time.perf_counter() - began:.0f} s")
    return folder


def table(result: dict[str, Any]) -> str:
    """Rows of a table in Markdown."""
    head = "| server | first answer s | " + " | ".join(f"{c} clients: a second, p95 ms, CPU ms" for c in CLIENTS)
    lines = [f"{head} | resident MB | growth % (requests) |", "|---" * (len(CLIENTS) + 4) + "|"]
    for name, found in result["servers"].items():
        if (count := found.get("passages", result["passages"])) != result["passages"]:
            name += f" ({count:,} passages)"
        if "problem" in found:
            lines.append(f"| {name} | {found['problem']} |")
            continue
        rows = [found[f"clients_{clients}"] for clients in CLIENTS]
        cells = [f"{row['requests_per_second']:.0f}, {row['p95']:.1f}, {row['server_cpu_ms']:.2f}" for row in rows]
        cells += [
            f"{found['resident_at_the_end'] / 1e6:.0f}",
            f"{100 * found['growth']:.1f} ({found['requests_before_the_end']:,})",
        ]
        lines.append(f"| {name} | {found['first_answer_seconds']:.2f} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--text", type=Path, required=True, help="JSON lines of title and text")
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each number of clients")
    parser.add_argument("--requests", type=int, default=100_000, help="before memory is looked at again")
    parser.add_argument("--most-seconds", type=float, default=3600.0, help="for these requests")
    parser.add_argument("--ram", default="512MB", help="bookwheel's budget; empty: none")
    parser.add_argument("--limit", default="", help="hold bookwheel to so much by the kernel, as in 512MB")
    parser.add_argument("--only", nargs="*", default=[], metavar="SERVER", help=", ".join(kind.name for kind in CONTENDERS))
    parser.add_argument("--fewer", nargs="*", default=[], metavar="SERVER=PASSAGES", help="give a server fewer passages")
    parser.add_argument("--prepare", action="store_true", help="install the peers and make the indexes, and measure nothing")
    arguments = parser.parse_args()
    fewer = {name: int(count) for name, _, count in (one.partition("=") for one in arguments.fewer)}
    if unknown := {*fewer, *arguments.only} - {kind.name for kind in CONTENDERS}:
        parser.error(f"there is no server {', '.join(sorted(unknown))}")
    asked = queries(arguments.text, arguments.passages)
    result: dict[str, Any] = {"passages": arguments.passages, "queries": len(asked), "servers": {}}
    for kind in CONTENDERS:
        server = kind()
        if arguments.only and server.name not in arguments.only:
            continue
        passages = fewer.get(server.name, arguments.passages)
        try:
            if server.name in PEERS:
                server.python = environment(server.name)
            folder = prepared(server, arguments.text, passages)
            if not arguments.prepare:
                result["servers"][server.name] = {"passages": passages, **measure(server, folder, asked, arguments)}
        except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
            result["servers"][server.name] = {"passages": passages, "problem": " ".join(str(error).split())[:300]}
            say(f"{server.name}: {error}")
    if not arguments.prepare:
        name = f"serving-{arguments.passages}"
        if arguments.only and (RESULTS / f"{name}.json").exists():  # those of the others stay
            earlier = json.loads((RESULTS / f"{name}.json").read_text())
            result["servers"] = {**earlier["servers"], **result["servers"]}
        keep(name, result | {"items": arguments.passages}, table(result))


if __name__ == "__main__":
    main()
