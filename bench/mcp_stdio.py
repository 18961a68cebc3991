"""`bookwheel mcp` as an agent meets it: from its start to the first answer, and the round trip of a search, in both protocol eras.

    python bench/mcp_stdio.py [--text TEXTS.jsonl.gz] [--passages 100000] [--calls 500]

The official SDK's client starts the process and asks it over stdin and stdout. Beside the round trips stands the same search in
this process, so that what the protocol costs is the difference. Results go into docs/results/mcp-stdio.json.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from background import WORDS, texts
from common import ROOT, commit, keep, percentiles, table

sys.path.insert(0, str(ROOT / "src"))


async def asked(library: Path, mode: str, queries: list[str]) -> dict[str, Any]:
    """Seconds to the session and to the first answer, and latencies."""
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    environment = {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])}
    command = StdioServerParameters(command=sys.executable, args=["-m", "bookwheel", "mcp", str(library)], env=environment)
    began, taken = time.perf_counter(), []
    async with Client(command, mode=mode, read_timeout_seconds=120) as client:
        session = time.perf_counter() - began
        await client.call_tool("search", {"query": queries[0]})
        first = time.perf_counter() - began
        for query in queries[1:]:
            at = time.perf_counter()
            result = await client.call_tool("search", {"query": query})
            taken.append(time.perf_counter() - at)
            assert not result.is_error
    return {"session_s": session, "first_answer_s": first, **percentiles(taken)}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=500)
    given = parser.parse_args()
    import bookwheel

    draw = random.Random(1)
    queries = [" ".join(draw.choices(WORDS, k=3)) for _ in range(given.calls + 1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library"
        with bookwheel.open(path, create=True) as library:
            library.add(texts(given.text, given.passages))
        rows = {mode: asyncio.run(asked(path, mode, queries)) for mode in ("legacy", "auto")}
        library = bookwheel.open(path)
        here = []
        for query in queries:
            at = time.perf_counter()
            library.search(query, 10)
            here.append(time.perf_counter() - at)
        rows["in this process"] = percentiles(here[1:])
    names = ("session_s", "first_answer_s", "p50_ms", "p95_ms")
    shown = table(("", *names), [(mode, *(f"{row[n]:.2f}" if n in row else "" for n in names)) for mode, row in rows.items()])
    print(keep("mcp-stdio", {"commit": commit(), "passages": given.passages, "calls": given.calls, "rows": rows}, shown))


if __name__ == "__main__":
    main()
