"""What the machine offers this process, and what the process uses of it: cores and memory."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

__all__ = ["PARSING", "anonymous_bytes", "cores", "peak_memory"]

PARSING = threading.RLock()
"""Held while `ast` parses, in numpy's headers too: in several threads at once CPython 3.11 raises a `SystemError`."""


def cores() -> int:
    """Number of CPU cores this process may use; the machine's cores where the system does not say."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def anonymous_bytes(pid: int | None = None) -> int | None:
    """Anonymous memory of this process (or ``pid``) at present, in bytes; None where the system does not say."""
    # Not as text: each text file that is opened may leave a string in Python's cache of attributes, and with it a megabyte of the
    # heap that is otherwise free. This is asked while most of the heap is in use.
    try:
        status = Path(f"/proc/{'self' if pid is None else pid}/status").read_bytes()
    except OSError:
        return None
    match = re.search(rb"^RssAnon:\s+(\d+) kB", status, re.M)
    return int(match[1]) << 10 if match else None


def peak_memory() -> int | None:
    """The most memory that this process has held so far, file pages included, in bytes; None where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    match = re.search(r"^VmHWM:\s+(\d+) kB", status, re.M)
    return int(match[1]) << 10 if match else None
