"""Encoding beside other tools: passages a second, single queries, and the quality of the vectors; the same weights in each.

    python bench/encoding.py speed MODEL --passages TEXTS.jsonl…       alternating rounds of a few hundred passages, then queries
    python bench/encoding.py quality MODEL COLLECTION…                 nDCG@10 of exact search, each tool's vectors (cached)
    python bench/encoding.py text                                      the tables of docs/models.md from what was measured

MODEL is the folder of all-MiniLM-L6-v2 (or of another sentence-transformers model that every tool can run); ``--onnx FOLDER`` has
its float32 ONNX file for fastembed, made with ``bookwheel models --export``. Each tool runs in a process of its own with all cores
and its defaults. Results go into docs/results/encoding.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import RESULTS, ROOT, SCRATCH, keep, machine, percentiles, read_texts, table, text_of
from harness import Contender, PeerError, Process, say

sys.path.insert(0, str(ROOT / "src"))

from bookwheel.evaluate import Scores, compare, load_collection, measure

CORES = int(os.environ.get("ENCODING_CORES", 0)) or len(os.sched_getaffinity(0))
PLACE = SCRATCH / "encoded"


def contenders(model: Path, onnx: Path | None, static: Path | None = None) -> dict[str, tuple[Contender, Path, dict[str, Any]]]:
    """Name to what runs it, what it opens, and how."""
    own, peers = Contender("bookwheel", "peer_bookwheel_encoder.py"), Contender("peers", "peer_encoders.py", "encoders")
    found = {
        "bookwheel int8": (own, model, {"precision": "int8"}),
        "bookwheel fp32": (own, model, {"precision": "fp32"}),
        "sentence-transformers": (peers, model, {"tool": "sentence-transformers"}),
    }
    if onnx is not None:
        found["fastembed"] = (peers, onnx, {"tool": "fastembed"})
    if static is not None:
        found["bookwheel, static"] = (own, static, {})
        found["model2vec, static"] = (peers, static, {"tool": "model2vec"})
    return found


def static_of(model: Path) -> Path:
    """A static model in model2vec's layout of the model's word embeddings: what both tools can read. Its quality is no matter."""
    from bookwheel.encode.safetensors import Tensors

    folder = PLACE / "static"
    if not (folder / "model.safetensors").is_file():
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tokenizer.json").write_bytes((model / "tokenizer.json").read_bytes())
        table_ = Tensors(model / "model.safetensors")["embeddings.word_embeddings.weight"]
        save_file({"embeddings": np.ascontiguousarray(table_)}, folder / "model.safetensors")
        config = {"model_type": "model2vec", "architectures": ["StaticModel"], "normalize": True, "hidden_dim": table_.shape[1]}
        (folder / "config.json").write_text(json.dumps(config))
    return folder


def speed(
    model: Path, onnx: Path | None, sources: Sequence[Path], count: int, rounds: int, queries: Path, result: dict[str, Any]
) -> None:
    """Rounds in which every tool encodes the same texts, in an order that shifts; then rounds of single queries.

    What is measured is kept in ``result`` after each part; without ``sources`` queries alone are.
    """
    samples = {
        source.parent.name if source.stem == "corpus" else source.stem: sample(source, count, rounds) for source in sources
    }
    asked: list[str] = json.loads(queries.read_text(encoding="utf-8"))[:50]
    query_file = PLACE / "queries.json"
    PLACE.mkdir(parents=True, exist_ok=True)
    query_file.write_text(json.dumps(asked), encoding="utf-8")
    running: dict[str, Process] = {}
    told: dict[str, Any] = result.setdefault("speed", {})
    try:
        for name, (contender, folder, options) in contenders(model, onnx, static_of(model)).items():
            process = Process(contender, CORES)
            entry = told.setdefault(name, {})
            try:
                entry |= process.ask("open", folder=str(folder), options=options)
                warm = write_texts("warm", ["warm up on a few words"] * 8)
                process.ask("build", data=str(warm), folder=str(PLACE / "out"), options={})
                process.ask("round", queries=str(query_file), k=1, at_most=1.0)
            except PeerError as error:
                say(f"{name} does not run: {error}")
                entry["error"] = str(error)
                process.close()
                continue
            running[name] = process
        for source, parts in samples.items():
            rates: dict[str, list[float]] = {name: [] for name in running}
            for number, texts in enumerate(parts):
                data = write_texts(f"{source}-{number}", texts)
                for name in turned(list(running), number):
                    answer = running[name].ask("build", data=str(data), folder=str(PLACE / "out"), options={})
                    rates[name].append(len(texts) / answer["inner_seconds"])
                say(f"{source}, round {number + 1}: " + ", ".join(f"{n} {rates[n][-1]:,.0f}/s" for n in running))
            words = statistics.fmean(len(text.split()) for part in parts for text in part)
            about = {"texts_a_round": count, "words_a_text": words, "cores": CORES, "machine": machine()}
            result.setdefault("sources", {})[source] = about
            for name in running:
                told[name].setdefault("rounds", {})[source] = rates[name]
            _keep(result)
        times: dict[str, list[dict[str, float]]] = {name: [] for name in running}
        for number in range(rounds):
            for name in turned(list(running), number):
                answer = running[name].ask("round", queries=str(query_file), k=1, at_most=20.0)
                times[name].append(percentiles(answer["seconds"]))
        for name in running:
            told[name]["query_ms"] = statistics.median(one["p50_ms"] for one in times[name])
            told[name]["query_p95_ms"] = statistics.median(one["p95_ms"] for one in times[name])
        result["queries"] = {"each_round": len(asked), "rounds": rounds, "cores": CORES, "machine": machine()}
    finally:
        for process in running.values():
            process.close()


def sample(source: Path, count: int, rounds: int) -> list[list[str]]:
    """``rounds`` lists of ``count`` texts, drawn from the first 20 000 of the file."""
    texts = [text_of(record) for record in read_texts(source, 20_000)]
    order = np.random.default_rng(0).permutation(len(texts))
    return [[texts[at] for at in order[number * count : (number + 1) * count]] for number in range(rounds)]


def turned(names: list[str], number: int) -> list[str]:
    """``names`` from another one on in each round, there and back."""
    at = number % len(names)
    shifted = names[at:] + names[:at]
    return shifted[::-1] if number % 2 else shifted


def write_texts(name: str, texts: Sequence[str]) -> Path:
    """A JSON file of texts, and the folder that vectors go to."""
    (PLACE / "out").mkdir(parents=True, exist_ok=True)
    path = PLACE / f"{name}.json"
    path.write_text(json.dumps(list(texts)), encoding="utf-8")
    return path


def vectors(
    name: str, one: tuple[Contender, Path, dict[str, Any]], folder: Path
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Vectors of a collection's documents and judged queries by one tool; kept."""
    kept = _kept(name, folder)
    if not (kept / "done").is_file():
        kept.mkdir(parents=True, exist_ok=True)
        contender, model, options = one
        process = Process(contender, CORES)
        try:
            process.ask("open", folder=str(model), options=options)
            for what, texts in texts_of(folder).items():
                (kept / what).mkdir(exist_ok=True)
                (kept / f"{what}.json").write_text(json.dumps(texts), encoding="utf-8")
                process.ask("build", data=str(kept / f"{what}.json"), folder=str(kept / what), options={})
        finally:
            process.close()
        (kept / "done").touch()
    return np.load(kept / "documents" / "vectors.npy"), np.load(kept / "queries" / "vectors.npy")


def _kept(name: str, folder: Path) -> Path:
    return PLACE / folder.name / name.replace(" ", "-").replace(",", "")


def texts_of(folder: Path) -> dict[str, list[str]]:
    """Documents (title and text) and judged queries of a collection."""
    collection = load_collection(folder)
    documents = [f"{d.title}\n{d.text}" if d.title else d.text for d in collection.documents()]
    return {"documents": documents, "queries": list(collection.judged.values())}


def scored(folder: Path, documents: NDArray[np.float32], queries: NDArray[np.float32]) -> Scores:
    """nDCG@10 of exact search."""
    collection = load_collection(folder)
    names = [document.id for document in collection.documents()]
    run: dict[str, list[tuple[str, float]]] = {}
    for name, scores in zip(collection.judged, queries @ documents.T, strict=True):
        best = np.argsort(-scores, kind="stable")[:100]
        run[name] = [(names[at], float(scores[at])) for at in best.tolist()]
    return measure(run, collection.qrels, ("nDCG@10",))


def quality(model: Path, onnx: Path | None, folders: Sequence[Path], tools: Sequence[str] | None) -> dict[str, Any]:
    """nDCG@10 by collection and tool, and the paired comparison with sentence-transformers."""
    found: dict[str, Any] = {}
    known = contenders(model, onnx)
    for folder in folders:
        for name in tools or known:
            with contextlib.suppress(PeerError):
                vectors(name, known[name], folder)
        scores: dict[str, Scores] = {}
        cosines: dict[str, float] = {}
        there = [name for name in known if (_kept(name, folder) / "done").is_file()]
        if "sentence-transformers" not in there:
            continue
        reference, _ = vectors("sentence-transformers", known["sentence-transformers"], folder)
        for name in there:
            documents, queries = vectors(name, known[name], folder)
            scores[name] = scored(folder, documents, queries)
            cosines[name] = float((documents * reference).sum(1).mean())
        compared = {one.name: one.to_dict() for one in compare(scores, "sentence-transformers")}
        found[folder.name] = {
            name: {"nDCG@10": one.means["nDCG@10"], "cosine": cosines[name], "compared": compared.get(name)}
            for name, one in scores.items()
        }
        say(f"{folder.name}: " + ", ".join(f"{name} {one.means['nDCG@10']:.4f}" for name, one in scores.items()))
    return {"quality": found}


def told(result: dict[str, Any]) -> str:
    """The tables."""
    parts = []
    if "speed" in result:
        sources = list(result.get("sources", {}))
        head = ["encoder", *(f"{s}, passages/s" for s in sources), "one query, ms (median)", "95th percentile"]
        rows = [
            [
                name,
                *(f"{statistics.median(one['rounds'][s]):,.1f}" if s in one.get("rounds", {}) else "" for s in sources),
                *(f"{one[key]:.2f}" if key in one else "" for key in ("query_ms", "query_p95_ms")),
            ]
            for name, one in result["speed"].items()
            if "error" not in one
        ]
        parts.append(table(head, rows))
    if "quality" in result:
        folders = list(result["quality"])
        names = list(dict.fromkeys(name for one in result["quality"].values() for name in one))
        rows = [
            [name, *(f"{result['quality'][f][name]['nDCG@10']:.4f}" if name in result["quality"][f] else "" for f in folders)]
            for name in names
        ]
        parts.append(table(["nDCG@10", *folders], rows))
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "quality", "text"])
    parser.add_argument("model", type=Path, nargs="?")
    parser.add_argument("collections", type=Path, nargs="*")
    parser.add_argument("--passages", type=Path, nargs="+", default=[])
    parser.add_argument("--queries", type=Path, default=SCRATCH / "data" / "real-100000" / "queries" / "words.json")
    parser.add_argument("--onnx", type=Path)
    parser.add_argument("--count", type=int, default=128)
    parser.add_argument("--tools", nargs="+", help="quality: these tools only; what others gave before stays")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    path = RESULTS / "encoding.json"
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if arguments.what == "speed":
        speed(arguments.model, arguments.onnx, arguments.passages, arguments.count, arguments.rounds, arguments.queries, result)
    elif arguments.what == "quality":
        found = quality(arguments.model, arguments.onnx, arguments.collections, arguments.tools)
        result["quality"] = {**result.get("quality", {}), **found["quality"]}
    _keep(result)


def _keep(result: dict[str, Any]) -> None:
    found = {name: value for name, value in result.items() if name not in ("machine", "text")}
    keep("encoding", found, told(found))


if __name__ == "__main__":
    main()
