"""What an index was built by: it is kept until that changes, and not longer."""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path

from common import ROOT

SEARCHES = re.compile(r"(search|scan|score|settle|exact|open|select|verify)\.py$")
"""Kernels of bookwheel that only search: an index need not be built again when they change."""
SEARCHING = {"open", "search", "queries", "throughput", "param"}
"""Functions of a peer's script that build nothing."""


def builder_of(script: Path, *, own: bool) -> str:
    """A hash of what builds: of a peer's script what is left without searching, imports and comments; ``own``: bookwheel's code too."""
    if not own:
        return _building_part(script)
    digest = hashlib.sha256(script.read_bytes())
    for floor in ("kernels", "documents", "encode", "index", "library"):
        for path in sorted((ROOT / "src" / "bookwheel" / floor).rglob("*.py")):
            if floor != "kernels" or not SEARCHES.search(path.name):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _building_part(script: Path) -> str:
    tree = ast.parse(script.read_text(encoding="utf-8"))
    for one in tree.body:
        if isinstance(one, ast.ClassDef):
            one.body = [
                part
                for part in one.body
                if not isinstance(part, ast.Expr) and not (isinstance(part, ast.FunctionDef) and part.name in SEARCHING)
            ]
    tree.body = [one for one in tree.body if not isinstance(one, ast.ImportFrom | ast.Import | ast.Expr)]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]
