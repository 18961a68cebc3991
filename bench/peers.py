"""Environments of the peers: each has a virtual environment of its own under ``.bench/``, made when first needed.

    python bench/peers.py bm25s pyserini      make these now

A measurement runs a peer's script (``bench/peer_*.py``) with that environment's Python and reads one JSON object from its
last line of output, so that no peer's imports, threads or memory mix with another's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / ".bench"
PEERS = {
    "carrel": ["-e", str(ROOT)],
    "bm25s": ["bm25s[core]==0.3.16", "PyStemmer", "numba", "scipy", "psutil"],
    "pyserini": ["torch==2.13.0", "pyserini==1.6.0"],
}


def python_of(peer: str) -> Path:
    """The Python of ``peer``'s environment, which is made where it is not there yet."""
    folder = PLACE / "venvs" / peer
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "done.json"
    if not done.is_file() or json.loads(done.read_text()) != PEERS[peer]:
        print(f"making the environment of {peer} …", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PEERS[peer]], check=True)
        done.write_text(json.dumps(PEERS[peer]))
    return python


def java_home() -> str | None:
    """A Java of version 21 or newer, which Pyserini needs: ``$JAVA_HOME`` or one among the usual places."""
    places = [Path(os.environ.get("JAVA_HOME", "/nonexistent")), *sorted(Path("/usr/lib/jvm").glob("*"), reverse=True)]
    for place in places:
        java = place / "bin" / "java"
        if java.is_file():
            out = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
            version = out.split('"')[1].split(".")[0] if '"' in out else "0"
            if version.isdigit() and int(version) >= 21:
                return str(place)
    return None


def run_peer(peer: str, script: str, *arguments: str, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """Run ``bench/SCRIPT`` in the environment of ``peer``; its last line of output is the result."""
    done = subprocess.run(
        [python_of(peer), ROOT / "bench" / script, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENAI_API_KEY": "unused", **(environment or {})},
    )
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


if __name__ == "__main__":
    for name in sys.argv[1:] or PEERS:
        print(name, python_of(name))
