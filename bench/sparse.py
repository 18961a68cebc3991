"""Learned-sparse-like vectors, 120 terms a passage and 40 a query: bookwheel, BMP (exact) and Seismic (approximate).

    python bench/sparse.py --passages 1000000 [--rounds 5]

The vectors are those of ``data.py`` (a folder ``learned``): whole weights up to 255, so that every tool keeps them as they are and
the exact answers are the same for all. Recall is the share of the exact best k that is found; equal scores at the end of a
ranking cost an exact tool a little of it. bookwheel comes with 8-bit weights (all that these vectors have) and with 12 bits,
exact and with bounds that count for less; BMP exact and at the approximation its authors use; Seismic at several of its settings,
to be read at equal recall. All are open at once, which takes some 16 GB at a million passages.
"""

from __future__ import annotations

import argparse

from common import keep
from data import Data
from harness import Contender, compare
from pieces import add_options, build_all, choose, merged

EIGHT = {"bits": 8, "step": 1.0}


def contenders() -> list[Contender]:
    listed = [
        Contender("bookwheel", "peer_bookwheel_vectors.py", build=EIGHT),
        Contender("bookwheel, 12 bits", "peer_bookwheel_vectors.py", build={"bits": 12}),
        Contender("bmp", "peer_bmp.py", "bmp"),
        Contender("bmp, alpha 0.85", "peer_bmp.py", "bmp", search={"alpha": 0.85}),
    ]
    for share in (0.9, 0.85, 0.8):
        search = {"approximate": share}
        listed.append(Contender(f"bookwheel, approximate {share}", "peer_bookwheel_vectors.py", build=EIGHT, search=search))
    for cut, factor in ((10, 0.7), (15, 0.6), (20, 0.5)):
        search = {"query_cut": cut, "heap_factor": factor}
        listed.append(Contender(f"Seismic, cut {cut}, factor {factor}", "peer_seismic.py", "seismic", search=search))
    return listed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="of one round of one tool and k at most")
    parser.add_argument("--threads", type=int, default=2, help="of the throughput; 0 leaves it out")
    add_options(parser)
    arguments = parser.parse_args()
    data = Data.of(arguments.passages)
    passages, queries = data.learned()
    listed = contenders()
    chosen = choose(listed, arguments, passages)
    if arguments.build:
        build_all(chosen, passages, data.passages)
        return
    truth = {("learned", k): data.truth("learned", k) for k in (10, 1000)}
    result = compare(
        "sparse", chosen, passages, data.passages, {"learned": queries},
        rounds=arguments.rounds, at_most=arguments.seconds, truth=truth, threads=arguments.threads,
    )  # fmt: skip
    name = f"sparse-{arguments.passages}"
    keep(name, merged(name, result, listed))


if __name__ == "__main__":
    main()
