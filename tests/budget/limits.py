"""Runs a child process under a limit on its memory, by the strictest means this machine offers, and says which that was.

cgroup v1 or v2 (as root, or in a delegated tree): the kernel kills the process once its anonymous pages, and whatever else
cannot be dropped, exceed the limit by one page. Beside it, the memory of the family of processes is looked at many times a
second, and one look above the limit counts as an excess: as the cgroup adds it up, or alone, where there is none to be had, as
the sum of what each process holds in proportion, and then every two milliseconds. Either way a page that several share counts
once, such as those of a process that was just forked, and swapped pages count too.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

V1, V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
LOOK = 0.002
"""Seconds between two looks at what is held, where nothing else holds a process to its limit. It takes a fifth of a core."""
GLANCE = 0.02
"""The same where the kernel does that: they only tell the most that was held."""


@dataclass
class Outcome:
    """How a child ended."""

    how: str
    """``cgroup v1``, ``cgroup v2`` or ``polling``."""
    limit: int
    code: int
    peak: int
    """The most anonymous and swapped memory seen, in bytes, of the child and the processes that it started together."""
    resident: int
    """The most resident memory seen, pages of files that it had mapped included."""
    killed: bool
    """Whether the kernel killed it for its memory."""
    output: str
    errors: str

    @property
    def within(self) -> bool:
        """Whether the limit was kept."""
        return not self.killed and self.peak <= self.limit

    def told(self) -> str:
        """The figures."""
        return f"{self.how}: peak {self.peak / 2**20:.1f} of {self.limit / 2**20:.0f} MB, killed: {self.killed}"

    def check(self) -> None:
        """Fail the test, with the figures, unless the child did its work within the limit."""
        told = self.told()
        assert self.within, f"{told}\n{self.errors[-2000:]}"
        assert self.code == 0, f"{told}, exit code {self.code}\n{self.errors[-3000:]}"


class TookTooLong(TimeoutError):
    """A child was ended after its time."""

    def __init__(self, message: str, how: str, peak: int, resident: int) -> None:
        super().__init__(message)
        self.how, self.peak, self.resident = how, peak, resident


class Group:
    """A cgroup of one test, with its limit."""

    def __init__(self, folder: Path, how: str, limit: int) -> None:
        self.folder, self.how, self.limit = folder, how, limit

    def join(self) -> None:
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def held(self) -> int:
        """Bytes of anonymous and swapped memory of all its processes."""
        counted = self._numbers("memory.stat")
        if self.how == "cgroup v1":
            return counted["rss"] + counted.get("swap", 0)
        swap = self.folder / "memory.swap.current"
        return counted["anon"] + (int(swap.read_text()) if swap.is_file() else 0)

    def _numbers(self, name: str) -> dict[str, int]:
        return {key: int(value) for key, value in map(str.split, (self.folder / name).read_text().splitlines())}

    def killed(self) -> bool:
        name = "memory.oom_control" if self.how == "cgroup v1" else "memory.events"
        found = re.search(r"^oom_kill (\d+)$", (self.folder / name).read_text(), re.M)
        return found is not None and found[1] != "0"


@contextmanager
def group_within(limit: int) -> Iterator[Group | None]:
    """A fresh cgroup with that limit; None where none can be made."""
    for parent, how in ((V1, "cgroup v1"), (_own_v2(), "cgroup v2")):
        if parent is None or not parent.is_dir():
            continue
        folder = parent / f"bookwheel-test-{os.getpid()}-{time.monotonic_ns()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            try:
                if how == "cgroup v1":
                    (folder / "memory.limit_in_bytes").write_text(str(limit))
                    # Where the kernel counts swap, none of it: else it would stretch the limit.
                    swap = folder / "memory.memsw.limit_in_bytes"
                    if swap.exists():
                        swap.write_text(str(limit))
                else:
                    (folder / "memory.max").write_text(str(limit))
                    swap = folder / "memory.swap.max"
                    if swap.exists():
                        swap.write_text("0")
            except OSError:
                continue
            yield Group(folder, how, limit)
            return
        finally:
            for _ in range(50):  # a process that was just killed may still be leaving
                try:
                    folder.rmdir()
                    break
                except OSError:
                    time.sleep(0.02)
    yield None


def _own_v2() -> Path | None:
    """The cgroup of this process in the unified hierarchy."""
    try:
        line = next(line for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return None
    return V2 / line[3:].lstrip("/") if (V2 / "cgroup.controllers").is_file() else None


def held(pid: int) -> tuple[int, int]:
    """Bytes of anonymous and swapped memory of a process, and its most resident memory so far; zeros once it is gone."""
    try:
        found = _fields(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0, 0
    return found.get("RssAnon", 0) + found.get("VmSwap", 0), found.get("VmHWM", 0)


def shared_out(pid: int) -> int:
    """The same anonymous and swapped memory, each page divided by the number of processes that share it.

    That walks all pages, so it is asked only where the plain sum would be the most so far.
    """
    try:
        found = _fields(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except OSError:
        return held(pid)[0]
    return found["Pss_Anon"] + found.get("SwapPss", 0) if "Pss_Anon" in found else held(pid)[0]


def _fields(text: str) -> dict[str, int]:
    return {name: 1024 * int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}


def _family(pid: int) -> Iterator[int]:
    """The process and those that it started."""
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        found = [int(number) for task in tasks for number in (task / "children").read_text().split()]
    except OSError:
        return
    for child in found:
        yield from _family(child)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


@contextmanager
def watched(
    limit: int, command: Sequence[str], environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], Outcome]]:
    """A process within ``limit`` bytes for as long as the block lasts, with a pipe for its stdout; the outcome as far as it is
    known, and all of it once the block is left. Skips the test where this system tells nothing of memory.
    """
    _require_figures()
    with group_within(limit) as group, tempfile.TemporaryFile() as err:
        join = group.join if group is not None else None
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, env=environment, preexec_fn=join)
        outcome = Outcome(group.how if group is not None else "polling", limit, 0, 0, 0, False, "", "")
        over = threading.Event()

        def look() -> None:
            while not over.wait(LOOK if group is None else GLANCE):
                _look(child.pid, group, outcome)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield child, outcome
        finally:
            over.set()
            thread.join()
            if child.poll() is None:
                child.kill()
            child.communicate()
            killed = group.killed() if group is not None else child.returncode == -signal.SIGKILL
            told = {"code": child.returncode, "killed": killed, "errors": _text(err)}
            for name, value in told.items():
                setattr(outcome, name, value)


def _look(pid: int, group: Group | None, outcome: Outcome) -> None:
    """Note the most memory so far."""
    family = list(_family(pid))
    each = [held(one) for one in family]
    peak = outcome.peak
    if group is not None:
        peak = max(peak, group.held())
    elif sum(anonymous for anonymous, _ in each) > peak:
        peak = max(peak, sum(map(shared_out, family)))
    outcome.peak = peak
    outcome.resident = max(outcome.resident, *(most for _, most in each))


def _require_figures() -> None:
    if not Path("/proc/self/status").is_file() or "RssAnon" not in Path("/proc/self/status").read_text():
        import pytest

        pytest.skip("no cgroup and no /proc/PID/status with RssAnon here: nothing to hold a process's memory against")


def run_within(
    limit: int, command: Sequence[str], environment: dict[str, str], *, timeout: float = 600, look: float | None = None
) -> Outcome:
    """Run ``command`` within ``limit`` bytes, looking at its memory every ``look`` seconds (None: `GLANCE`, or `LOOK` without a
    cgroup). Skips the test where this system tells nothing of memory.
    """
    _require_figures()
    # Files, not pipes: a child may say more than a pipe holds before it ends.
    with group_within(limit) as group, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(
            command,
            stdout=out,
            stderr=err,
            env=environment,
            preexec_fn=group.join if group is not None else None,
        )
        peak, resident, deadline = 0, 0, time.monotonic() + timeout
        pause = look if look is not None else GLANCE if group is not None else LOOK
        try:
            while child.poll() is None:
                family = list(_family(child.pid))
                each = [held(pid) for pid in family]
                resident = max(resident, *(most for _, most in each))
                if group is not None:
                    peak = max(peak, group.held())
                elif sum(anonymous for anonymous, _ in each) > peak:
                    peak = max(peak, sum(map(shared_out, family)))
                if time.monotonic() > deadline:
                    how = group.how if group is not None else "polling"
                    raise TookTooLong(f"{command[:3]} took longer than {timeout:.0f} s", how, peak, resident)
                time.sleep(pause)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        killed = group.killed() if group is not None else child.returncode == -signal.SIGKILL
        output, errors = (_text(file) for file in (out, err))
        how = group.how if group is not None else "polling"
        return Outcome(how, limit, child.returncode, peak, resident, killed, output, errors)
