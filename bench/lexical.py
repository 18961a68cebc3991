"""BM25 end to end, from one JSONL file of texts to rankings: bookwheel, bm25s, tantivy, SQLite FTS5, Pyserini.

    python bench/lexical.py --passages 1000000 [--rounds 5] [--named bookwheel --named 'bm25s*']

Each tool reads the same file with its own tokeniser (a stemmer; English stop words left out), with what its documentation
recommends for speed. bookwheel comes as a library with vectors and without (reading, splitting, document store), which keeps stop
words by default, and as its index alone, which is what the others are, without stop words as they and with them. Queries are
given as text and analysed within the timed call.
"""

from __future__ import annotations

import argparse

from common import keep
from data import Data
from harness import Contender, compare
from peers import java_home
from pieces import add_options, build_all, choose, merged

KEPT = {"stopwords": True}


def contenders(*, vectors: bool) -> list[Contender]:
    listed = [
        Contender("bookwheel", "peer_bookwheel_library.py", build={"encoder": None}),
        Contender("bookwheel in 256 MB", "peer_bookwheel_library.py", build={"encoder": None, "ram": 256 << 20}),
        Contender("bookwheel, index alone", "peer_bookwheel_index.py"),
        Contender("bookwheel, index alone, stop words kept", "peer_bookwheel_index.py", build=KEPT, search=KEPT),
        Contender("bm25s", "peer_bm25s.py", "bm25s"),
        Contender("bm25s, memory-mapped", "peer_bm25s.py", "bm25s", search={"mmap": True}),
        Contender("tantivy", "peer_tantivy.py", "tantivy"),
        Contender("SQLite FTS5", "peer_fts5.py", "fts5"),
        Contender("Pyserini", "peer_pyserini.py", "pyserini"),
    ]
    if vectors:
        listed.insert(1, Contender("bookwheel with vectors", "peer_bookwheel_library.py", build={"encoder": "static"}))
    return listed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="of one round of one tool, query set and k at most")
    parser.add_argument("--builds", type=int, default=1, help="builds of each, in turn; the median counts")
    parser.add_argument("--threads", type=int, default=2, help="of the throughput; 0 leaves it out")
    add_options(parser)
    arguments = parser.parse_args()
    data = Data.of(arguments.passages)
    listed = contenders(vectors=True)
    if java_home() is None:
        arguments.without.append("pyserini")
    chosen = choose(listed, arguments, data.texts)
    if arguments.build:
        build_all(chosen, data.texts, data.passages)
        return
    queries = {name: data.queries(name) for name in ("words", "questions", "long")}
    result = compare(
        "lexical", chosen, data.texts, data.passages, queries,
        rounds=arguments.rounds, at_most=arguments.seconds, builds=arguments.builds,
        threads=arguments.threads,
    )  # fmt: skip
    name = f"lexical-{arguments.passages}"
    keep(name, merged(name, result, listed))


if __name__ == "__main__":
    main()
