"""What a user of the whole library sees: building it, and BM25, dense and hybrid ranking from Python, warm, with texts and without.

    python bench/recipes.py --passages 1000000

One thread and one library with vectors, that of `lexical.py` (reading, splitting, BM25, vectors, document store). ``rank`` gives numbers of
passages, ``search`` their texts with the words marked as well. bm25s stands beside it: BM25 alone, numbers of documents alone.
"""

from __future__ import annotations

import argparse

from common import keep
from data import Data
from harness import Contender, compare, is_built


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="of one round of one recipe, query set and k at most")
    parser.add_argument("--built", action="store_true", help="leave out what is not built yet, instead of building it")
    arguments = parser.parse_args()
    data = Data.of(arguments.passages)
    chosen = [
        Contender(f"bookwheel, {recipe}, {'search' if texts else 'rank'}", "peer_bookwheel_library.py", build={"encoder": "static"},
                  search={"recipe": recipe, "texts": texts}, built_as="bookwheel, a library with vectors")
        for recipe in ("bm25", "dense", "hybrid") for texts in (False, True)
    ]  # fmt: skip
    chosen.append(Contender("bm25s", "peer_bm25s.py", "bm25s"))
    chosen = [c for c in chosen if not arguments.built or is_built(c, data.texts)]
    queries = {name: data.queries(name) for name in ("words", "questions")}
    result = compare("recipes", chosen, data.texts, data.passages, queries, rounds=arguments.rounds, at_most=arguments.seconds)
    keep(f"recipes-{arguments.passages}", result)


if __name__ == "__main__":
    main()
