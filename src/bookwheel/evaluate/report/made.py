"""What made a report: the command, the versions, the machine and the moment. No names of people or of the machine."""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..._system import cores
from ..._version import __version__

__all__ = ["made"]

PACKAGES = ("numpy", "numba", "onnxruntime", "scipy", "ir-measures", "torch", "transformers")
"""Whose versions are told where they are installed: what figures may depend on."""


def made(command: Sequence[str] | None = None, *, seed: int | None = None) -> dict[str, Any]:
    """What is known about this process: ``command`` (its words), versions, machine, and the time in UTC."""
    import shlex

    versions = {"bookwheel": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "command": None if command is None else shlex.join(command),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seed": seed,
        "versions": versions,
        "machine": {
            "processor": _processor(),
            "cores": cores(),
            "memory": _memory(),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        },
    }


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(errors="replace"), re.M)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def _memory() -> int | None:
    """Bytes of memory of the machine; None where the system does not say."""
    if sys.platform == "win32" or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
