from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def compiled() -> None:
    """Compiling takes other processes; what is measured here is a process that finds its kernels compiled."""
    from bookwheel import kernels

    kernels.prepare()
