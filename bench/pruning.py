"""Static pruning: what of planted boilerplate is found, and is the ranking as good without a quarter of the passages?

    python bench/pruning.py fit TEXTS.jsonl.gz                        the weights of bookwheel.documents.quality
    python bench/pruning.py measure [scifact cranfield pubmedqa xquad_en] [--recipes bm25 hybrid]

Boilerplate is real (`boilerplate.py`): licences, heads of manual pages, contents and navigation of Debian's manuals. Half of the packages
serve to fit, with prose of the same manuals, passages of TEXTS and the paragraphs of XQuAD in German, Spanish and Chinese as what is none;
the other half is planted in the judged collections, of which nothing was fitted: a quarter of it, all licences, as documents of its own,
the rest behind the texts of documents, so much that two fifths of the passages are boilerplate. Each collection is pruned as it is, too.

Told are, of all passages, those left out; how many of the planted passages are (a passage counts as planted where nine tenths of it are),
by kind, and how many of the others; and nDCG@10 with all passages and without, with the test that it is equal to within 0.01 (two
one-sided t-tests) and the t-test that it differs. Both what `bookwheel prune` leaves out by itself and a quarter of all passages.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from boilerplate import KINDS, boilerplate, prose
from common import ROOT, SHARED, keep, machine, read_texts, table

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel import Document, Library
from bookwheel.documents.quality import FEATURES, features
from bookwheel.evaluate import Collection, Scores, compare, equivalence, load_collection, measure
from bookwheel.tune.prior import fit_logistic
from bookwheel.tune.pruned import MARGIN

SHARE, PLANTED = 0.25, 0.4
MIXED = ("licence", "licence", "licence", "licence", "contents", "contents", "navigation", "running head")
ALONE = 2
"""Of these texts so many are documents of their own, as files with licences are."""
FALSE = 0.01
"""Share of what is no boilerplate that may be taken for it, in fitting."""
EACH, ORDINARY = 700, 2000


# -- fitting -----------------------------------------------------------------------------------------------------------


def fit(texts: Path) -> None:
    """Print the weights."""
    bad = {kind: list(islice(some, EACH)) for kind, some in boilerplate(0).items()}
    good = {
        "prose": [(text, "english") for text in prose(0)[:ORDINARY]],
        "manuals": [(row["text"], "english") for row in islice(read_texts(texts), 0, 30 * ORDINARY, 30)],
        **{
            language: [(document.text, language) for document in load_collection(SHARED / "data" / name).documents()]
            for name, language in (("xquad_de", "german"), ("xquad_es", "spanish"), ("xquad_zh", "chinese"))
        },
    }
    rows, labels, groups = [], [], []
    for kind, some in bad.items():
        rows += [features(text, "english")[1] for text in some]
        labels += [True] * len(some)
        groups += [kind] * len(some)
    for group, pairs in good.items():
        rows += [features(text, language)[1] for text, language in pairs]
        labels += [False] * len(pairs)
        groups += [group] * len(pairs)
    values, wanted, of = np.array(rows), np.array(labels), np.array(groups)
    weights, start = fit_logistic(values, wanted, 1.0)
    odds = values @ weights + start
    strict = ~wanted & (of != "manuals")  # those hold lists and contents themselves
    bias = -float(np.quantile(odds[strict], 1 - FALSE))
    typical = values[strict].mean(axis=0)
    print("_WEIGHTS =", dict(zip(FEATURES, np.round(weights, 3).tolist(), strict=True)))
    print("_TYPICAL =", dict(zip(FEATURES, np.round(typical, 3).tolist(), strict=True)))
    print("_BIAS =", round(start + bias, 3))
    for group in dict.fromkeys(groups):
        some = odds[of == group] + bias
        print(f"{group:12} {len(some):6} above 0: {100 * (some > 0).mean():5.1f} %   median {np.median(some):+.2f}")


# -- measuring ---------------------------------------------------------------------------------------------------------


def planted(documents: list[Document], texts: int, seed: int) -> tuple[list[Document], dict[str, list[tuple[int, int, str]]]]:
    """The documents with boilerplate among and behind them; and of each document's text the planted spans with their kinds."""
    dice = random.Random(seed)
    sources = {kind: iter(cycle(some)) for kind, some in boilerplate(1).items()}
    spans: dict[str, list[tuple[int, int, str]]] = {}
    written = {document.id: document.text for document in documents}
    alone: list[Document] = []
    hosts = [document.id for document in documents if document.text]
    for number in range(texts):
        kind = MIXED[number % len(MIXED)]
        text = next(sources[kind])
        if number % len(MIXED) < ALONE:
            alone.append(Document(f"planted-{number}", text, ""))
            spans[f"planted-{number}"] = [(0, len(text), kind)]
        else:
            host = dice.choice(hosts)
            start = len(written[host]) + 2
            written[host] = f"{written[host]}\n\n{text}"
            spans.setdefault(host, []).append((start, start + len(text), kind))
    every = [Document(one.id, written[one.id], one.title, dict(one.metadata)) for one in documents] + alone
    dice.shuffle(every)
    return every, spans


def labels_of(library: Library, spans: dict[str, list[tuple[int, int, str]]]) -> dict[int, str]:
    """Of each passage the kind of boilerplate that it is; ``""`` for none, ``mixed`` for some of both."""
    found: dict[int, str] = {}
    for document in library:
        for at, (start, end) in enumerate(document.passages):
            shares = Counter[str]()
            for low, high, kind in spans.get(document.id, ()):
                shares[kind] += max(0, min(end, high) - max(start, low))
            share = shares.total() / (end - start)
            kind = shares.most_common(1)[0][0] if shares else ""
            found[document.first + at] = kind if share >= 0.9 else "mixed" if share > 0.1 else ""
    return found


def scores(library: Library, collection: Collection, recipe: str) -> Scores:
    """nDCG@10 of each judged query."""
    queries = list(collection.judged)
    rankings = library.rank_documents([collection.queries[query] for query in queries], k=10, recipe=recipe)
    return measure(
        dict(zip(queries, rankings, strict=True)), {query: collection.qrels[query] for query in queries}, ["nDCG@10"]
    )


def tests(before: Scores, after: Scores) -> dict[str, Any]:
    """As `bookwheel prune --judged` tests."""
    (difference,) = compare({"all": before, "pruned": after})
    (same,) = equivalence({"all": before, "pruned": after}, MARGIN)
    return {
        "before": difference.before,
        "after": difference.after,
        "difference": difference.to_dict(),
        "equivalence": same.to_dict(),
    }


def one(collection: Collection, recipes: list[str], extra: bool, seed: int) -> dict[str, Any]:
    """All figures of a collection with planted boilerplate, or as it is."""
    documents = list(collection.documents())
    spans: dict[str, list[tuple[int, int, str]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        if extra:
            texts = round(0.5 * len(documents))
            some, spans = planted(documents, texts, seed)
            with bookwheel.open(Path(folder) / "plain", create=True, encoder=None) as plain:
                plain.add(some)
                there = Counter(labels_of(plain, spans).values())
            # As many more or fewer as make up that share; what is of both is as much text as before.
            wanted = PLANTED / (1 - PLANTED) * (there[""] + there["mixed"])
            documents, spans = planted(documents, round(texts * wanted / sum(there[kind] for kind in KINDS)), seed)
        with bookwheel.open(Path(folder) / "library", create=True) as library:
            library.add(documents)
            labels = labels_of(library, spans)
            there = Counter(labels.values())
            found: dict[str, Any] = {
                "passages": len(labels),
                "planted": {kind: there[kind] for kind in KINDS},
                "mixed": there["mixed"],
            }
            before = {recipe: scores(library, collection, recipe) for recipe in recipes}
            for name, share in (("signs", None), ("quarter", SHARE)):
                pruning = library.prune(share)
                out = library.pruned_among(labels)
                caught = Counter(labels[number] for number in out)
                found[name] = {
                    "pruned": pruning.share,
                    "caught": {kind: caught[kind] / there[kind] for kind in KINDS if there[kind]},
                    "caught_in_all": sum(caught[kind] for kind in KINDS) / max(1, sum(there[kind] for kind in KINDS)),
                    "others": caught[""] / max(1, there[""]),
                    "reasons": dict(pruning.reasons),
                    "warning": pruning.warning,
                    "recipes": {recipe: tests(before[recipe], scores(library, collection, recipe)) for recipe in recipes},
                }
    return found


def main() -> None:
    """Fit, or measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fit").add_argument("texts", type=Path)
    measuring = commands.add_parser("measure")
    measuring.add_argument("collections", nargs="*", default=["scifact", "cranfield", "pubmedqa", "xquad_en"])
    measuring.add_argument("--recipes", nargs="+", default=["bm25", "hybrid"])
    measuring.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.command == "fit":
        fit(arguments.texts)
        return
    rows: list[list[str]] = []
    for name in arguments.collections:
        results: dict[str, Any] = {}
        collection = load_collection(SHARED / "data" / name)
        for extra in (True, False):
            found = results["planted" if extra else "as it is"] = one(collection, arguments.recipes, extra, arguments.seed)
            for how in ("signs", "quarter"):
                some = found[how]
                for recipe, trial in some["recipes"].items():
                    same, difference = trial["equivalence"], trial["difference"]
                    caught = f"{100 * some['caught_in_all']:.1f} %" if extra else "–"
                    figures = [f"{trial['before']:.4f}", f"{trial['after']:.4f}", f"{same['difference']:+.4f}"]
                    tests = [f"{same['p_equivalent']:.1e}", f"{difference['p_t']:.2g}"]
                    what = "planted" if extra else "as it is"
                    shares = [f"{100 * some['pruned']:.1f} %", caught, f"{100 * some['others']:.2f} %"]
                    rows.append([name, what, how, *shares, recipe, *figures, *tests])
                    print(rows[-1], flush=True)
        keep(f"pruning-{name}", {"machine": machine(), "arguments": vars(arguments), **results})
    head = (
        "collection, boilerplate, left out, of all, of planted, of others, recipe, nDCG@10, pruned, change, p equal, p differs"
    )
    print(table(head.split(", "), rows))


if __name__ == "__main__":
    main()
