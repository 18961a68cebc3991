"""What a process does to its files, recorded call by call, and what a power cut would leave of it."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("system_calls.c")
HEAD = struct.Struct("<cIIqQ")


def compiled(folder: Path) -> Path:
    """The library to be loaded before libc; skips where there is no compiler for it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not Path("/proc/self/fd").exists():
        pytest.skip("recording system calls needs a C compiler and /proc")
    made = folder / "system_calls.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(made), str(SOURCE), "-ldl", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the recorder of system calls does not compile here: {done.stderr[:200]}")
    return made


def recording(library: Path, root: Path, log: Path | None = None, kill: int = 0) -> dict[str, str]:
    """Environment in which a process records to ``log`` what it does below ``root``, or dies before call ``kill``."""
    found = {"LD_PRELOAD": str(library), "SYSTEM_CALLS_ROOT": str(root)}
    if log is not None:
        found["SYSTEM_CALLS_LOG"] = str(log)
    if kill:
        found["SYSTEM_CALLS_KILL"] = str(kill)
    return found


@dataclass(frozen=True, slots=True)
class Call:
    """One call: c(reate), t(runcate to 0), w(rite), l(ength), f(sync), r(ename), u(nlink), m(kdir), (rm)d(ir)."""

    what: str
    path: str
    other: str
    offset: int
    data: bytes


def calls(log: Path) -> Iterator[Call]:
    """The calls of a log, in order."""
    with log.open("rb") as file:
        while head := file.read(HEAD.size):
            what, first, second, offset, length = HEAD.unpack(head)
            path, other = file.read(first).decode(), file.read(second).decode()
            yield Call(what.decode(), path, other, offset, file.read(length))


@dataclass
class _File:
    now: bytearray = field(default_factory=bytearray)
    synced: bytes = b""


class Disk:
    """The files below a folder as calls leave them: as the system shows them, and as they are on the disk for certain."""

    def __init__(self) -> None:
        self.names: dict[str, _File | None] = {}
        """Path to file, None for a folder."""
        self.certain: dict[str, _File | None] = {}

    def apply(self, call: Call) -> None:
        """Do what ``call`` does."""
        names, path = self.names, call.path
        file = names.get(path)
        if call.what == "m":
            names[path] = None
        elif call.what == "c":
            names[path] = _File()
        elif call.what == "r":
            names[call.other] = names.pop(path)
        elif call.what in "ud":
            names.pop(path, None)
        elif call.what == "f" and file is None:
            here = {name for name in {*names, *self.certain} if os.path.dirname(name) == path}  # noqa: PTH120
            for name in here:
                if name in names:
                    self.certain[name] = names[name]
                else:
                    self.certain.pop(name)
        elif file is not None:
            if call.what == "f":
                file.synced = bytes(file.now)
            elif call.what == "t":
                file.now.clear()
            elif call.what == "l":
                del file.now[call.offset :]
                file.now.extend(bytes(call.offset - len(file.now)))
            else:
                file.now.extend(bytes(max(0, call.offset - len(file.now))))
                file.now[call.offset : call.offset + len(call.data)] = call.data

    def cut(self, how: str, seed: int = 0) -> Mapping[str, bytes | None]:
        """What a power cut leaves, path to content.

        ``synced``: only what was synced. ``names``: every name, with the contents that were synced. ``some``: every name,
        and of what was not synced the one or the other.
        """
        if how == "synced":
            return {
                name: None if file is None else file.synced
                for name, file in self.certain.items()
                if self._reachable(name, self.certain)
            }
        dice = random.Random(seed)
        kept = how == "some"
        return {
            name: None if file is None else bytes(file.now) if kept and dice.random() < 0.5 else file.synced
            for name, file in self.names.items()
        }

    def _reachable(self, name: str, names: Mapping[str, _File | None]) -> bool:
        """Whether every folder above ``name`` that was made meanwhile is there."""
        above = os.path.dirname(name)  # noqa: PTH120
        return above not in self.names or (above in names and self._reachable(above, names))


def laid_out(state: Mapping[str, bytes | None], root: Path, target: Path) -> None:
    """Write ``state``, a cut of what was below ``root``, below ``target``."""
    for name, content in sorted(state.items()):
        place = target / Path(name).relative_to(root)
        if content is None:
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
