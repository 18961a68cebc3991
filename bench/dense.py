"""Dense vectors: bookwheel's index beside faiss, usearch, LanceDB, zvec, turbovec and LEANN, and what filters, batches and threads cost.

    python bench/dense.py --passages 1000000 --vectors static [--rounds 5] [--only faiss]
    python bench/dense.py --passages 1000000 --vectors pooled --build      build what is missing, measure nothing

The vectors are those of ``data.py``: static (256 dimensions) and pooled (384). Every index is asked for the best by dot product, one
query at a time and one thread, the vectors of its file in the page cache. Recall is the share of the exact best k. Codes of a bit
or a few that are no ranking by themselves are re-scored with the vectors on disk, in numpy where a tool leaves it to its user:
candidates are given for k=10 and grow with k. ``floor_ms`` is the time that one core needs to read bookwheel's sketches from memory
once, at the speed measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from common import ROOT, keep
from data import Data
from harness import THREADS, Contender, compare, index_folder
from peers import environment_of
from pieces import add_options, build_all, choose, merged

LEFT_OUT = {
    "LEANN without vectors": (
        "its default index keeps no vectors and asks an embedding model for those of every node that a search visits; these "
        "vectors are not of such a model, and with one a query takes seconds on this machine"
    ),
}


def bookwheel() -> list[Contender]:
    script = "peer_bookwheel_dense.py"
    return [
        Contender("bookwheel", script, build_threads=1),
        Contender("bookwheel, recall 0.95", script, search={"recall": 0.95}, build_threads=1),
        Contender("bookwheel, recall 0.99", script, search={"recall": 0.99}, build_threads=1),
        Contender("bookwheel, 2 bits", script, build={"bits": 2}, build_threads=1),
        Contender("bookwheel, listed", script, build={"lists": True}, build_threads=1),
    ]


def peers() -> list[Contender]:
    """Each at settings around a recall of 0.98, and below; of a pair the second is for k=1000."""
    listed: list[Contender] = []

    def add(name: str, script: str, build: dict[str, Any], *searches: dict[str, Any]) -> None:
        environment = script.removeprefix("peer_").removesuffix(".py")
        for search in searches:
            words = ", ".join(f"{key} {'/'.join(map(str, v)) if isinstance(v, list) else v}" for key, v in search.items())
            whole = f"{name}, {words}" if words else name
            listed.append(Contender(whole, script, environment, build, search, build_threads=1, built_as=name))

    add("faiss flat, float32", "peer_faiss.py", {"kind": "Flat"}, {})
    add("faiss binary flat", "peer_faiss.py", {"kind": "binary"}, {"rescore": 1000}, {"rescore": 5000})
    add("faiss RaBitQ", "peer_faiss.py", {"kind": "RR,RaBitQ"}, {"rescore": 1000, "query_bits": 4})
    add("faiss RaBitQ fast scan", "peer_faiss.py", {"kind": "RR,RaBitQfs"}, {"rescore": 1000}, {"rescore": 3000})
    lists = {"rescore": 1000, "nprobe": [64, 256]}, {"rescore": 1000, "nprobe": [256, 1024]}
    add("faiss IVF RaBitQ fast scan", "peer_faiss.py", {"kind": "RR,IVF1024,RaBitQfs"}, *lists)
    add("faiss IVF flat", "peer_faiss.py", {"kind": "IVF1024,Flat"}, {"nprobe": [64, 256]}, {"nprobe": [384, 512]})
    add("faiss IVF 8 bits", "peer_faiss.py", {"kind": "IVF1024,SQ8"}, {"rescore": 100, "nprobe": [384, 512]})
    reach = [256, 1000], [2000, 4000]
    add("faiss HNSW", "peer_faiss.py", {"kind": "HNSW32", "ef": 40}, *({"ef": one} for one in reach))
    add("usearch", "peer_usearch.py", {"kind": "f16"}, *({"expansion": one} for one in reach))
    add("turbovec 2 bits", "peer_turbovec.py", {"bits": 2}, {"rescore": 0}, {"rescore": 100}, {"rescore": 300})
    add("turbovec 4 bits", "peer_turbovec.py", {"bits": 4}, {"rescore": 0}, {"rescore": 100})
    probes = {"probes": [20, 60], "rescore": 300}, {"probes": 122, "rescore": 3000}
    add("LanceDB IVF_RQ", "peer_lancedb.py", {"kind": "rq"}, *probes)
    add("LanceDB IVF_PQ", "peer_lancedb.py", {"kind": "pq"}, *probes)
    probes = {"reach": [64, 256]}, {"reach": [256, 512]}, {"reach": [256, 512], "rescore": 100}
    add("zvec IVF RaBitQ", "peer_zvec.py", {"kind": "ivf-rabitq"}, *probes)
    add("zvec flat, bytes", "peer_zvec.py", {"kind": "flat-int8"}, {})
    add("LEANN, vectors kept", "peer_leann.py", {"ef": 64}, {"ef": [256, 1000]}, {"ef": [2000, 4000]})
    return listed


def ways(folder: Path, queries: Path) -> list[dict[str, Any]]:
    """What filters, batches and threads cost: `dense_ways.py` in a process of its own, as a table."""
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "dense_ways.py", folder, queries],
        stdout=subprocess.PIPE, text=True, check=True, env=environment_of(None, 1),
    )  # fmt: skip
    told = json.loads(done.stdout.strip().splitlines()[-1])
    one = told["ms_a_query"]["one query at a time"]
    rows = [[name, f"{value:.3f}", f"{value / one:.2f}"] for name, value in told["ms_a_query"].items()]
    title = (
        f"bookwheel, k={told['k']}: what filters, batches and threads make of {told['queries']} queries (wall time a query)."
    )
    return [{"title": title, "head": ["", "ms a query", "times one at a time"], "rows": rows}]


def floors(result: dict[str, Any]) -> dict[str, Any]:
    """How near each of bookwheel's contenders came to reading its sketches once, at the memory's speed of the same run."""
    speed = result["read_bytes_per_second"]
    rows = []
    for one in result["contenders"]:
        hot = one.get("open", {}).get("hot_bytes")
        if hot and "latency" in one and "listed" not in one["name"]:
            floor = hot / speed * 1000
            (latency,) = one["latency"].values()
            one["floor_ms"] = floor
            share = hot / one["open"]["float32_bytes"]
            p50, least = latency["10"]["p50_ms"], latency["10"]["least_p50_ms"]
            sizes = [f"{hot / 2**20:.1f}", f"1/{1 / share:.0f}"]
            rows.append([one["name"], *sizes, f"{floor:.2f}", f"{p50:.2f}", f"{p50 / floor:.2f}", f"{least / floor:.2f}"])
    title = (
        f"The floor: reading the sketches once at {speed / 1e9:.1f} GB/s, what one core reads at best in the same run; k=10."
    )
    head = ["", "sketches MB", "of float32", "floor ms", "p50 ms", "p50 / floor", "best round's p50 / floor"]
    return {"title": title, "head": head, "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--vectors", choices=["static", "pooled", "minilm"], default="static")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="of one round of one tool and k at most")
    add_options(parser)
    parser.add_argument("--recall", action="store_true", help="measure recall alone, which is kept beside other tools' indexes")
    parser.add_argument("--without-ways", action="store_true", help="leave out filters, batches and threads")
    arguments = parser.parse_args()
    data = Data.of(arguments.passages)
    documents, queries = data.vectors(arguments.vectors)
    listed = [*bookwheel(), *peers()]
    chosen = choose(listed, arguments, documents)
    if arguments.build:
        build_all(chosen, documents, data.passages)
        return
    truth = {(arguments.vectors, k): data.truth(arguments.vectors, k) for k in (10, 1000)}
    rounds, threads = (0, 0) if arguments.recall else (arguments.rounds, THREADS)
    result = compare(
        "dense", chosen, documents, data.passages, {arguments.vectors: queries},
        rounds=rounds, at_most=arguments.seconds, truth=truth, threads=threads,
    )  # fmt: skip
    if arguments.recall:
        for one in result["contenders"]:
            print(one["name"], one.get("recall", {}).get(arguments.vectors), one.get("error", ""))
        return
    result["left_out"], result["tables"] = LEFT_OUT, []
    if any(one.environment is None for one in chosen):
        result["tables"].append(floors(result))
    flat = next((one for one in chosen if one.name == "bookwheel"), None)
    if flat is not None and not arguments.without_ways:
        result["tables"] += ways(index_folder(flat, documents) / "dense", queries)
    name = f"dense-{arguments.vectors}-{arguments.passages}"
    keep(name, merged(name, result, listed))


if __name__ == "__main__":
    main()
