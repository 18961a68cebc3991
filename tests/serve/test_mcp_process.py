"""`bookwheel mcp` as a process: every line is answered, and it ends when it should, in the way that it should."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("mcp")

import anyio

import bookwheel
from bookwheel import Document
from bookwheel.documents.document import Hidden
from bookwheel.serve.mcp.server import THREADS, in_threads
from bookwheel.serve.mcp.tools import TOOLS, Access

HELLO = [
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mcp") / "birds"
    with bookwheel.open(path, create=True, encoder=None, language="english") as made:
        made.add([{"id": "heron", "text": "A heron stands in the reeds."}])
    return path


def lines(*messages: dict) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in messages)


@contextmanager
def running(library: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "bookwheel", "mcp", str(library)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, bufsize=0
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(lines(*HELLO))
        assert json.loads(process.stdout.readline())["id"] == 1
        yield process
    finally:
        process.kill()
        process.communicate()


def test_every_line_that_is_no_message_is_answered(library: Path, child_environment: dict[str, str]) -> None:
    call = b'{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"search","arguments":{"query":%s}}}\n'
    asked = [
        (b"no json\n", None, -32700),
        (b"{}\n", None, -32600),
        (b'[{"jsonrpc":"2.0","id":82,"method":"tools/list"}]\n', None, -32600),
        (b'{"id":5,"method":"tools/list"}\n', 5, -32600),
        (call % (b"78", b'"\\ud800"'), 78, -32700),
        (call % (b'"a"', b"[" * 100_000), "a", -32700),
        (call % (b"84", b"1" + b"0" * 5000), 84, -32700),
    ]
    with running(library, child_environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line, number, code in asked:
            process.stdin.write(b"\n" + line)
            told = json.loads(process.stdout.readline())
            assert (told["id"], told["error"]["code"]) == (number, code), line[:80]
        process.stdin.write(call % (b"90", b'"heron"'))
        assert json.loads(process.stdout.readline())["id"] == 90


def test_what_was_asked_before_stdin_ended_is_answered(library: Path, child_environment: dict[str, str]) -> None:
    call = {"method": "tools/call", "params": {"name": "list_sources", "arguments": {}}}
    asked = lines(*HELLO, {"jsonrpc": "2.0", "id": 2, **call}, {"jsonrpc": "2.0", "id": 3, "method": "tools/list"})
    command = [sys.executable, "-m", "bookwheel", "mcp", str(library)]
    done = subprocess.run(command, input=asked, env=child_environment, capture_output=True, timeout=60)
    told = {one["id"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0
    assert told[2]["result"]["structuredContent"]["documents"] == 1
    assert len(told[3]["result"]["tools"]) == len(TOOLS)


@pytest.mark.skipif(sys.platform == "win32", reason="there are other signals there")
def test_ctrl_c_ends_it_at_once(library: Path, child_environment: dict[str, str]) -> None:
    with running(library, child_environment) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 130
        assert process.stderr is not None
        assert process.stderr.read().endswith(b"bookwheel: stopped\n")


def test_a_client_that_reads_no_more_ends_it_without_a_word(library: Path, child_environment: dict[str, str]) -> None:
    with running(library, child_environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.close()
        process.stdin.write(lines({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}))
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert b"unexpected" not in process.stderr.read()
        process.stdout = open(os.devnull, "rb")  # noqa: PTH123, SIM115 - for `communicate`


def test_calls_that_were_cancelled_keep_their_place_until_they_are_done() -> None:
    run, lock, ended = in_threads(), threading.Lock(), threading.Event()
    at_work = most = 0

    def work() -> dict:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        ended.wait(10)
        with lock:
            at_work -= 1
        return {"done": True}

    async def main() -> None:
        tool = TOOLS["search"]
        for _ in range(3 * THREADS):
            with anyio.move_on_after(0.02):
                await run(tool, work)
        ended.set()
        with anyio.fail_after(10):  # every place is free again
            async with anyio.create_task_group() as group:
                for _ in range(2 * THREADS):
                    group.start_soon(run, tool, work)

    began = time.monotonic()
    anyio.run(main)
    assert time.monotonic() - began < 10
    assert most == THREADS


def test_a_call_sees_one_generation(tmp_path: Path) -> None:
    text = "The visible owl sits here. SECRET TEXT of the owl. The end."
    start, end = text.index("SECRET"), text.index(" The end")
    library = bookwheel.open(tmp_path / "l", create=True, encoder=None, language="english")
    library.add(Document("d", text, "Owl", hidden=(Hidden(start, end, "white text"),)))
    pinned = library._pinned()
    before = pinned.version
    library.add(Document("d", f"Changed. {text}", "Owl", hidden=(Hidden(start + 9, end + 9, "white text"),)))
    library.refresh()
    pinned.refresh()
    assert pinned.version == before != library.version
    (found,) = TOOLS["find_exact"].call(Access(pinned), {"phrases": "visible owl"})["found"]
    assert "SECRET" not in found["places"][0]["text"]
    assert pinned["d"].text == text
    assert library["d"].text == f"Changed. {text}"
