"""What this machine offers the process."""

from __future__ import annotations

import os

__all__ = ["cores"]


def cores() -> int:
    """Number of CPU cores this process may use; the machine's cores where the system does not say."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
