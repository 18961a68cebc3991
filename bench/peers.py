"""Environments of the peers: each has a virtual environment of its own under ``.bench/venvs``, made when first needed.

    python bench/peers.py                     make all of them now (some 4 GB; torch comes with pyserini and leann)
    python bench/peers.py bm25s tantivy       make these now

A measurement runs a peer's script (``bench/peer_*.py``) with that environment's Python, so that no peer's imports, threads or
memory mix with another's. Every version is pinned here, and what pip chose beside it is kept in ``done.json``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from common import ROOT, SCRATCH

PEERS = {
    # lexical
    "bm25s": ["bm25s[core]==0.3.16", "PyStemmer", "numba", "scipy", "psutil"],
    "tantivy": ["tantivy==0.27.0", "numpy"],
    "fts5": ["numpy"],  # SQLite is Python's own
    "pyserini": ["torch==2.13.0", "pyserini==1.6.0"],
    # learned sparse
    "seismic": ["pyseismic-lsr==0.5.4", "numpy"],
    "bmp": ["bmp==0.2.8", "numpy"],
    # dense
    "faiss": ["faiss-cpu==1.15.1", "numpy"],
    "usearch": ["usearch==2.26.6", "numpy"],
    "turbovec": ["turbovec==1.1.2", "numpy"],
    "zvec": ["zvec==0.8.0", "numpy"],
    "lancedb": ["lancedb==0.40.0", "numpy", "pyarrow"],
    "leann": ["torch==2.13.0", "leann==0.3.8"],
    # encoders
    "encoders": [
        "torch==2.13.0",
        "sentence-transformers==6.2.0",
        "fastembed==0.9.1",
        "model2vec==0.10.0",
        "onnx",
        "onnxscript",
    ],
    # the text of web pages
    "extractors": ["trafilatura==2.3.1", "jusText==3.0.2", "lxml_html_clean", "resiliparse==2.0.1"],
    "readability": ["readability-lxml==0.9", "lxml_html_clean"],  # apart: pip cannot solve both at once
    # pictures
    "plots": ["matplotlib==3.11.2"],
}
"""What pip installs into each environment; the key is the name that a `Contender` gives."""


def python_of(peer: str | None) -> Path:
    """The Python of ``peer``'s environment, which is made where it is not there yet; the running one for None."""
    if peer is None:
        return Path(sys.executable)
    folder = SCRATCH / "venvs" / peer
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "done.json"
    if not done.is_file() or json.loads(done.read_text())["asked"] != PEERS[peer]:
        print(f"making the environment of {peer} …", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [python, "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "-q", *PEERS[peer]], check=True)
        got = subprocess.run([*pip, "freeze"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        done.write_text(json.dumps({"asked": PEERS[peer], "installed": got}, indent=1) + "\n")
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


def environment_of(peer: str | None, threads: int) -> dict[str, str]:
    """The environment variables of a peer's process: so many threads for every pool that asks, and what the peer needs."""
    pools = [f"{pool}_NUM_THREADS" for pool in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")]
    names = dict.fromkeys([*pools, "TOKIO_WORKER_THREADS", "LANCE_CPU_THREADS"], str(threads))
    variables = {**os.environ, **names, "TOKENIZERS_PARALLELISM": "false", "OPENAI_API_KEY": "unused", "HF_HUB_OFFLINE": "1"}
    variables.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # what is installed has its bytecode: compiling it anew takes a quarter of a start
    if peer is None:
        variables["PYTHONPATH"] = str(ROOT / "src")
    else:
        variables.pop("PYTHONPATH", None)
    if peer == "pyserini":
        variables["JAVA_HOME"] = java_home() or ""
    return variables


def run_peer(peer: str, script: str, *arguments: str) -> dict[str, Any]:
    """Run ``bench/SCRIPT`` in the environment of ``peer``; its last line of output is the result."""
    done = subprocess.run(
        [python_of(peer), ROOT / "bench" / script, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=environment_of(peer, 1),
    )
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


if __name__ == "__main__":
    for name in sys.argv[1:] or PEERS:
        try:
            print(name, python_of(name), flush=True)
        except subprocess.CalledProcessError as error:
            print(f"{name} cannot be made: {error}", file=sys.stderr, flush=True)
