"""Importing numba in a process that is all ours, sooner than it would import itself."""

from __future__ import annotations

import sys

__all__ = ["import_numba"]


def import_numba() -> None:
    """Import numba with scipy hidden, for a process in which nothing else imports scipy meanwhile.

    If scipy is installed, numba imports it for linear algebra that no kernel uses, which delays every start by a sixth of a
    second.
    """
    hidden = "scipy" not in sys.modules
    if hidden:
        sys.modules["scipy"] = None  # type: ignore[assignment]
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        if hidden:
            del sys.modules["scipy"]
