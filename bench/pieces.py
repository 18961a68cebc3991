"""A comparison taken in pieces: some contenders at a time, the figures of the others kept from earlier runs.

Shared by `lexical.py`, `dense.py` and `sparse.py`: options that choose contenders, building without measuring, and putting a run's
result together with what its file has already. Name bookwheel in every piece, so that it stands beside each of the others in one run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from common import RESULTS
from harness import Contender, PeerError, build, compile_kernels, is_built, say


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `choose` reads."""
    some: dict[str, Any] = {"action": "append", "default": []}
    parser.add_argument("--only", metavar="ENVIRONMENT", help="bookwheel, faiss …; more than once", **some)
    parser.add_argument("--without", metavar="ENVIRONMENT", **some)
    parser.add_argument(
        "--named", metavar="PATTERN", help="contenders with such a name: bookwheel, 'faiss*'; more than once", **some
    )
    parser.add_argument("--build", action="store_true", help="build what is missing and measure nothing")
    parser.add_argument("--built", action="store_true", help="leave out what is not built yet, instead of building it")


def choose(listed: Sequence[Contender], arguments: argparse.Namespace, data: Path) -> list[Contender]:
    """Contenders as the options ask. Raises `SystemExit` where there are none."""
    chosen = []
    for one in listed:
        environment = one.environment or "bookwheel"
        wanted = not arguments.only or environment in arguments.only
        named = not arguments.named or any(fnmatch(one.name, name) for name in arguments.named)
        if wanted and named and environment not in arguments.without:
            if arguments.built and not is_built(one, data):
                say(f"{one.name}: left out, as it is not built")
            else:
                chosen.append(one)
    if not chosen:
        raise SystemExit(f"no contender is left; there are: {'; '.join(one.name for one in listed)}")
    return chosen


def build_all(chosen: Sequence[Contender], data: Path, count: int) -> None:
    """Build what is not built; a failure is told and leaves the others alone."""
    if any(one.environment is None for one in chosen):
        compile_kernels()
    for contender in chosen:
        try:
            build(contender, data, count)
        except (PeerError, subprocess.CalledProcessError, OSError) as error:
            say(f"{contender.name}: {error}")


def merged(name: str, result: dict[str, Any], listed: Sequence[Contender]) -> dict[str, Any]:
    """``result`` with the contenders and tables of ``docs/results/NAME.json`` that it has not, in the order of ``listed``."""
    path = RESULTS / f"{name}.json"
    for one in result["contenders"]:
        one["read_bytes_per_second"] = result["read_bytes_per_second"]
        one["taken"] = result["machine"]["commit"]
    order = {one.name: place for place, one in enumerate(listed)}
    if path.is_file():
        old = json.loads(path.read_text())
        have = {one["name"] for one in result["contenders"]}
        for one in old["contenders"]:
            if one["name"] in order and one["name"] not in have:
                one.setdefault("taken", old["machine"]["commit"])
                result["contenders"].append(one)
        titles = {one["title"].split(":")[0] for one in result.get("tables", [])}
        rest = [one for one in old.get("tables", []) if one["title"].split(":")[0] not in titles]
        if rest:
            result["tables"] = [*result.get("tables", []), *rest]
    result["contenders"].sort(key=lambda one: order.get(one["name"], len(order)))
    return result
