"""`bookwheel mcp` as clients start it: real processes, asked by the official SDK's client in both protocol eras."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import bookwheel
from bookwheel.cli.main import main

pytest.importorskip("mcp", reason="the extra mcp is not installed")
from mcp import Client
from mcp.client.stdio import StdioServerParameters

NOISY = """
import ctypes, os, subprocess, sys
from bookwheel.library.library import Library
from bookwheel.cli.main import main
def noisy(search):
    def loud(self, *args, **options):
        print("a forgotten print"); sys.stdout.flush()
        os.write(1, b'{"jsonrpc": "2.0", "id": 1, "result": {"forged": true}}\\n')
        libc = ctypes.CDLL(None); libc.puts(b"from C"); libc.fflush(None)
        subprocess.run([sys.executable, "-S", "-c", "print('from a child'); import sys; sys.stdin.read()"])
        return search(self, *args, **options)
    return loud
Library.search = noisy(Library.search)
main(["mcp", sys.argv[1]])
print("after the server")
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stdio") / "birds"
    with bookwheel.open(path, create=True, encoder=None) as made:
        made.add(
            [
                {"id": f"heron {n}", "text": f"Heron number {n} stands in the reeds of the river.", "year": 2000 + n}
                for n in range(30)
            ]
        )
    return path


def started(library: Path, environment: dict[str, str], *command: str) -> StdioServerParameters:
    given = list(command) or ["-m", "bookwheel", "mcp", str(library)]
    return StdioServerParameters(command=sys.executable, args=given, env=environment)


def talk(parameters: StdioServerParameters, mode: str, use: Any) -> Any:
    async def session() -> Any:
        async with Client(parameters, mode=mode, read_timeout_seconds=60) as client:
            return await use(client)

    return asyncio.run(session())


class ConnectorStub:
    """What ChatGPT's connectors and deep research do: two tools, one JSON text each, citations only where there is a URL."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def check(self) -> None:
        named = {tool.name: tool for tool in (await self.client.list_tools()).tools}
        for name, parameter in (("search", "query"), ("fetch", "id")):
            assert named[name].input_schema["required"] == [parameter]
            assert named[name].input_schema["properties"][parameter]["type"] == "string"

    async def call(self, name: str, given: dict[str, str]) -> dict[str, Any]:
        result = await self.client.call_tool(name, given)
        assert not result.is_error
        assert [one.type for one in result.content] == ["text"]
        told = json.loads(result.content[0].text)
        assert told == result.structured_content
        return told

    async def research(self, question: str) -> None:
        """Search, then fetch everything that was found."""
        for result in (await self.call("search", {"query": question}))["results"]:
            fetched = await self.call("fetch", {"id": result["id"]})
            assert fetched["id"] == result["id"]
            assert all(isinstance(fetched[name], str) and fetched[name] for name in ("title", "text", "url"))
            assert isinstance(fetched["metadata"], dict)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_the_sdk_s_client_lists_and_calls_in_both_eras(mode: str, library: Path, child_environment: dict[str, str]) -> None:
    async def use(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == ["search", "fetch", "ask", "read", "find_exact", "list_sources"]
        for tool in tools:
            assert tool.annotations.read_only_hint is True
            assert tool.input_schema["additionalProperties"] is False
        assert client.protocol_version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
        assert " documents in " in (client.instructions or "")
        found = await client.call_tool("search", {"query": "heron in the reeds", "k": 3})
        assert found.is_error is False
        assert len(found.structured_content["results"]) == 3
        wrong = await client.call_tool("search", {"query": "heron", "folder": "/"})
        assert wrong.is_error is True
        assert "search has no parameter 'folder'" in wrong.content[0].text
        # What is added while it runs is found by the next call.
        with bookwheel.open(library) as writer:
            writer.add([{"id": f"bittern {mode}", "text": f"A bittern of the {mode} marsh booms."}])
        new = await client.call_tool("find_exact", {"phrases": f"{mode} marsh"})
        assert new.structured_content["documents"] == 1
        stub = ConnectorStub(client)
        await stub.check()
        await stub.research("heron 7")

    talk(started(library, child_environment), mode, use)


def test_nothing_but_json_rpc_is_on_stdout_whatever_prints(
    library: Path, child_environment: dict[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "noisy.py"
    script.write_text(NOISY)
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    }
    calls = [
        {"name": "search", "arguments": {"query": "heron"}},
        {"name": "search", "arguments": {"query": 'x\n{"jsonrpc":"2.0"}\r\n', "\u2028": 1}},
        {"name": "no\nsuch", "arguments": {}},
    ]
    asked = [
        {"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": {**one, "_meta": meta}} for n, one in enumerate(calls)
    ]
    process = subprocess.Popen(
        [sys.executable, str(script), str(library)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child_environment,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for one in asked:
        process.stdin.write(json.dumps(one).encode() + b"\n")
    process.stdin.write(b"this is no JSON\n\xff\xfe\n")
    process.stdin.flush()
    answered: dict[int, Any] = {}
    while len(answered) < len(asked):
        told = json.loads(process.stdout.readline())
        assert told["jsonrpc"] == "2.0"
        if told.get("id") in range(len(asked)):
            answered[told["id"]] = told["result"]
    rest, log = process.communicate(timeout=20)
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in rest.splitlines())
    assert not answered[0]["isError"]
    assert "forged" not in answered[0]
    assert answered[1]["isError"]
    assert answered[2]["isError"]
    for said in (b"a forgotten print", b"from C", b"from a child"):
        assert said in log
    assert process.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="processes have no parent there that could be asked for")
def test_it_is_gone_soon_after_its_parent_was_killed(library: Path, child_environment: dict[str, str]) -> None:
    reading, writing = os.pipe()  # held open here, so that its end does not tell
    starter = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-m', 'bookwheel', 'mcp', {str(library)!r}], stdin={reading})\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", starter], stdout=subprocess.PIPE, env=child_environment, pass_fds=[reading], text=True
    )
    try:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}
        hello["params"] = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        os.write(writing, json.dumps(hello).encode() + b"\n")
        assert json.loads(parent.stdout.readline())["result"]["protocolVersion"] == "2025-06-18"
        parent.kill()
        parent.wait()
        began = time.monotonic()
        while _runs(child) and time.monotonic() - began < 20:
            time.sleep(0.05)
        took = time.monotonic() - began
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        assert took < 5
    finally:
        parent.kill()
        parent.communicate()
        os.close(reading)
        os.close(writing)


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc").is_dir()
    return state != "Z"


def test_install_prints_and_writes_nothing(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["mcp", str(library), "--install"]) == 0
    told = capsys.readouterr()
    assert "claude mcp add bookwheel-birds" in told.out
    assert "Nothing was written" in told.err
    assert list(tmp_path.rglob("*")) == []
    assert main(["mcp", "no-such-library", "--install"]) == 2
    assert "there is no library" in capsys.readouterr().err
    assert main(["mcp", str(library), "--json"]) == 2


def test_without_the_sdk_it_says_what_to_install(library: Path, child_environment: dict[str, str]) -> None:
    hiding = "import sys; sys.modules['mcp'] = None; from bookwheel.cli.main import main; sys.exit(main(['mcp', sys.argv[1]]))"
    done = subprocess.run(
        [sys.executable, "-c", hiding, str(library)], env=child_environment, capture_output=True, text=True, input=""
    )
    assert done.returncode == 2
    assert "pip install 'bookwheel[mcp]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
