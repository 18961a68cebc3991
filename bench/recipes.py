"""Warm latency of a library's recipes from Python: BM25, dense, hybrid, and with the texts of the results fetched and marked.

    python bench/recipes.py --passages 1000000

One thread, one library with vectors (the one of `lexical.py`), the recipes in turn.
"""

from __future__ import annotations

import argparse

from common import keep
from data import Data
from harness import Contender, compare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="of one round of one recipe, query set and k at most")
    arguments = parser.parse_args()
    data = Data.of(arguments.passages)
    chosen = [
        Contender(f"{recipe}{' with texts' if texts else ''}", "peer_carrel_library.py", build={"encoder": "static"},
                  search={"recipe": recipe, "texts": texts})
        for recipe in ("bm25", "dense", "hybrid") for texts in (False, True)
    ]  # fmt: skip
    queries = {name: data.queries(name) for name in ("words", "questions")}
    result = compare("recipes", chosen, data.texts, data.passages, queries, rounds=arguments.rounds, at_most=arguments.seconds)
    keep(f"recipes-{arguments.passages}", result)


if __name__ == "__main__":
    main()
