"""Compiling the kernels ahead of their first use."""

from __future__ import annotations

import subprocess


def test_several_processes_compile_every_kernel(python: str, child_environment: dict[str, str]) -> None:
    code = """
import sys
from bookwheel import kernels
kernels.warm(2)
assert set(kernels.cache._modules()) <= set(sys.modules)
kernels.announce(lambda: print("compiling"))
kernels.prepare()
"""
    done = subprocess.run([python, "-c", code], env=child_environment, capture_output=True, text=True, check=True)
    assert done.stdout == "", "nothing is left to compile"
