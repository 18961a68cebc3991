"""Makes what is measured: passages, queries, dense and learned-sparse-like vectors, and the exact answers; see README.md.

    python bench/data.py --text TEXTS.jsonl.gz --passages 1000000
    python bench/data.py --passages 100000 --model MINILM-FOLDER --minilm 20000

TEXTS is a JSONL file of ``{"_id", "title", "text"}``, or the script that makes one (``real_text.py``), which is then run. What
is there already is not made again. Everything is drawn with a seed: the same texts give the same files.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import ROOT, SCRATCH, read_texts, text_of

sys.path.insert(0, str(ROOT / "src"))

from bookwheel.analysis.words import split_words

SEED = 20261121
HELD_OUT = 22
"""One passage in so many is held out for queries."""
QUERIES = 1000
LONG = 200
TRUTH = 1000
EXPANSIONS = 12
"""Similar pieces that a piece brings along in a learned-sparse-like vector."""
PASSAGE_TERMS, QUERY_TERMS = 120, 40
QUESTION = re.compile(
    r"\b(?:What|How|Why|When|Where|Which|Who|Can|Could|Does|Do|Did|Is|Are|Should|Would|Will)\s[^.?!;:|{}\[\]]{12,110}\?"
)


@dataclass(frozen=True)
class Data:
    """The files of one collection under ``.bench/data``."""

    folder: Path
    passages: int

    @classmethod
    def of(cls, passages: int) -> Data:
        """The collection of that many real passages. Raises `SystemExit` where it has not been made."""
        data = cls(SCRATCH / "data" / f"real-{passages}", passages)
        if not data.texts.is_file():
            make = f"python bench/data.py --text TEXTS.jsonl.gz --passages {passages}"
            raise SystemExit(f"{data.texts} is not there; make it with: {make}")
        return data

    @property
    def texts(self) -> Path:
        return self.folder / "texts.jsonl"

    def queries(self, name: str) -> Path:
        """Texts of queries: ``words``, ``questions`` or ``long``."""
        return self.folder / "queries" / f"{name}.json"

    def vectors(self, name: str) -> tuple[Path, Path]:
        """Dense vectors of passages and of queries: ``static``, ``pooled`` or ``minilm``."""
        return self.folder / name / "documents.npy", self.folder / name / "queries.npy"

    def learned(self) -> tuple[Path, Path]:
        """CSR folders of passages and of queries."""
        return self.folder / "learned" / "documents", self.folder / "learned" / "queries"

    def truth(self, name: str, k: int) -> NDArray[np.int64]:
        """The exact best ``k`` ≤ 1000 passages of each query, best first; ``name``: static, pooled, minilm or learned."""
        return np.asarray(np.load(self.folder / name / "truth.npy")[:, :k])


# -- texts and queries -------------------------------------------------------------------------------------------------


def held_out(record: dict[str, str]) -> bool:
    """Whether a record of the source is kept for queries."""
    return zlib.crc32(f"{SEED} {record['_id']}".encode()) % HELD_OUT == 0


def make_texts(source: Path, data: Data) -> None:
    """Divide the source into passages to index and passages that queries are taken from."""
    data.folder.mkdir(parents=True, exist_ok=True)
    rest, kept = data.folder / "held-out.jsonl", 0
    with data.texts.with_suffix(".part").open("w", encoding="utf-8") as texts, rest.open("w", encoding="utf-8") as held:
        for record in read_texts(source):
            line = json.dumps(record, ensure_ascii=False) + "\n"
            if held_out(record):
                held.write(line)
            elif kept < data.passages:
                texts.write(line)
                kept += 1
            else:
                break
    if kept < data.passages:
        raise SystemExit(f"{source} has {kept:,} passages beside those held out; ask for so many with --passages {kept}")
    data.texts.with_suffix(".part").replace(data.texts)


def make_queries(data: Data) -> None:
    """Runs of words, questions, and whole passages, out of held-out passages."""
    dice = random.Random(SEED)
    records = list(read_texts(data.folder / "held-out.jsonl"))
    dice.shuffle(records)
    words, questions, long = [], [], []
    for record in records:
        listed = record["text"].split()
        plain = [word for word in listed if word.isalpha()]
        size = dice.randint(2, 12)
        if len(words) < QUERIES and len(plain) > 20:
            start = dice.randrange(len(plain) - size)
            words.append(" ".join(plain[start : start + size]))
        if len({word.lower() for word in plain}) > 50 and len(long) < LONG:
            long.append(record["text"])
        questions += QUESTION.findall(record["text"])
    questions = list(dict.fromkeys(q for q in questions if 4 <= len(q.split()) <= 20))[:QUERIES]
    (data.folder / "queries").mkdir(exist_ok=True)
    for name, queries in (("words", words), ("questions", questions), ("long", long)):
        data.queries(name).write_text(json.dumps(queries, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def batches(data: Data, size: int) -> Iterator[list[str]]:
    """The texts of all passages, in lists of ``size``."""
    batch: list[str] = []
    for record in read_texts(data.texts):
        batch.append(text_of(record))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


# -- dense vectors -----------------------------------------------------------------------------------------------------


def make_dense(data: Data, name: str, encode: Callable[[list[str]], NDArray[np.float32]], dimension: int, count: int) -> None:
    """Encode ``count`` passages and the ``words`` queries; goes on where it was interrupted."""
    documents, queries = data.vectors(name)
    documents.parent.mkdir(exist_ok=True)
    if not documents.is_file():
        _encode_passages(data, documents, encode, dimension, count)
    np.save(queries, encode(json.loads(data.queries("words").read_text(encoding="utf-8"))))


def _encode_passages(
    data: Data, documents: Path, encode: Callable[[list[str]], NDArray[np.float32]], dimension: int, count: int
) -> None:
    part, noted = documents.with_suffix(".part"), documents.parent / "encoded.txt"
    done = int(noted.read_text()) if noted.is_file() and part.is_file() else 0
    out = np.lib.format.open_memmap(part, "r+" if done else "w+", np.float32, None if done else (count, dimension))
    size = 4096 if count > 50_000 else 256
    at = 0
    for batch in batches(data, size):
        batch = batch[: count - at]
        if not batch:
            break
        if at + len(batch) > done:
            out[at : at + len(batch)] = encode(batch)
            if (at // size) % 16 == 0:
                out.flush()
                noted.write_text(str(at))
        at += len(batch)
    out.flush()
    del out
    part.replace(documents)
    noted.unlink(missing_ok=True)


def pooled_encoder(model: Path, data: Data) -> Any:
    """A static model of 384 dimensions from MiniLM's own word embeddings: real vectors of any number of passages in minutes.

    Pieces weigh 0.001 / (0.001 + p), p their share of the text (smooth inverse frequency: Arora et al. 2017), around the mean.
    """
    from safetensors.numpy import load_file

    from bookwheel.encode import load_encoder
    from bookwheel.encode.static.built_in import write

    folder = data.folder / "pooled" / "model"
    if not (folder / "config.json").is_file():
        tensors = load_file(model / "model.safetensors")
        table = next(tensor for name, tensor in tensors.items() if name.endswith("word_embeddings.weight")).astype(np.float32)
        vocabulary = (model / "vocab.txt").read_text(encoding="utf-8").splitlines()
        write(folder, table, vocabulary, name="pieces", revision="0")
        pieces = load_encoder(str(folder))
        counts = np.ones(len(table))
        for batch in islice(batches(data, 4096), 12):
            counts += np.bincount(pieces.word_rows([w for text in batch for w in split_words(text)])[1], minlength=len(table))
        share = counts / counts.sum()
        table -= (share @ table).astype(np.float32)
        table *= (1e-3 / (1e-3 + share)).astype(np.float32)[:, None]
        write(folder, table, vocabulary, name="pooled", revision="1")
    return load_encoder(str(folder))


def rows_made_elsewhere(file: Path, source: Path, data: Data, count: int) -> None:
    """Take MiniLM vectors that were made in the order of the source: those of the first ``count`` passages that are kept."""
    given = np.load(file, mmap_mode="r")
    kept = [n for n, r in enumerate(islice(read_texts(source), len(given))) if not held_out(r)][:count]
    documents, _ = data.vectors("minilm")
    documents.parent.mkdir(exist_ok=True)
    out = np.lib.format.open_memmap(documents.with_suffix(".part"), "w+", np.float32, (len(kept), given.shape[1]))
    for start in range(0, len(kept), 8192):
        rows = given[kept[start : start + 8192]]
        if not rows.any(axis=1).all():
            raise SystemExit(f"{file} has no vector of record {kept[start]} or one soon after; give --minilm as many as it has")
        out[start : start + len(rows)] = rows
    out.flush()
    del out
    documents.with_suffix(".part").replace(documents)


def make_dense_truth(data: Data, name: str) -> None:
    """The exact best passages by dot product over the float32 vectors, in blocks."""
    documents, queries = (np.load(path, mmap_mode="r") for path in data.vectors(name))
    asked = np.ascontiguousarray(queries)
    best = np.full((len(asked), TRUTH), -np.inf, np.float32)
    ids = np.full((len(asked), TRUTH), -1, np.int64)
    for start in range(0, len(documents), 32_768):
        scores = asked @ np.asarray(documents[start : start + 32_768]).T
        keep = min(TRUTH, scores.shape[1])
        chosen = np.argpartition(-scores, keep - 1, axis=1)[:, :keep]
        both = np.concatenate([best, np.take_along_axis(scores, chosen, 1)], axis=1)
        numbers = np.concatenate([ids, chosen + start], axis=1)
        order = np.argsort(-both, axis=1, kind="stable")[:, :TRUTH]
        best, ids = np.take_along_axis(both, order, 1), np.take_along_axis(numbers, order, 1)
    np.save(data.folder / name / "truth-scores.npy", best)
    np.save(data.folder / name / "truth.npy", ids)


def static_encoder() -> Any:
    from bookwheel.encode import load_encoder

    return load_encoder("static")


def minilm_encode(model: Path) -> Callable[[list[str]], NDArray[np.float32]]:
    """all-MiniLM-L6-v2 through bookwheel's own encoder of transformer models."""
    from bookwheel.encode import load_encoder

    encoder = load_encoder(str(model))
    return lambda texts: np.asarray(encoder.encode(texts), np.float32)


# -- learned-sparse-like vectors ---------------------------------------------------------------------------------------
# No weights of a trained SPLADE encoder can be had offline. What decides the speed of an index is the shape of the vectors: how
# many terms, how unevenly they spread over the vocabulary, how the weights fall, how much queries and passages have in common.
# These vectors take it from real text: the WordPiece terms of a passage, weighted as a saturated frequency times the static
# model's own weight of the piece, and for each the pieces most similar to it, at the cosine's share of its weight.


def make_learned(data: Data) -> None:
    from bookwheel.analysis.words import WordTable

    encoder = static_encoder()
    table = np.load(encoder.folder / "vectors.npy").astype(np.float32) * np.load(encoder.folder / "scales.npy")[:, None]
    weights = np.linalg.norm(table, axis=1).astype(np.float32)
    similar, shares = _neighbours(table, weights)
    expand: Any = _expander()
    words = WordTable()
    known = [np.zeros(1, np.int64), np.empty(0, np.int32)]

    def vectors(texts: list[str], most: int) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.float32]]:
        before = len(words.words)
        indptr, raw = words.ids(texts)
        more_indptr, more = encoder.word_rows(words.words[before:])
        known[0] = np.concatenate([known[0], more_indptr[1:] + known[0][-1]])
        known[1] = np.concatenate([known[1], more])
        counts = np.zeros(len(texts), np.int64)
        indices, values = np.empty((len(texts), most), np.uint32), np.empty((len(texts), most), np.float32)
        expand(indptr, raw, known[0], known[1], weights, similar, shares, counts, indices, values)
        here = np.arange(most) < counts[:, None]
        return np.concatenate([[0], np.cumsum(counts)]), indices[here], values[here]

    documents, queries = data.learned()
    _write_csr(documents, (vectors(batch, PASSAGE_TERMS) for batch in batches(data, 8192)))
    _write_csr(queries, iter([vectors(json.loads(data.queries("words").read_text(encoding="utf-8")), QUERY_TERMS)]))


def _neighbours(table: NDArray[np.float32], weights: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    unit = table / np.maximum(weights, 1e-9)[:, None]
    similar = np.empty((len(unit), EXPANSIONS), np.int32)
    shares = np.empty((len(unit), EXPANSIONS), np.float32)
    for start in range(0, len(unit), 1024):
        scores = unit[start : start + 1024] @ unit.T
        scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -1.0
        best = np.argpartition(-scores, EXPANSIONS, axis=1)[:, :EXPANSIONS]
        order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable")
        similar[start : start + 1024] = np.take_along_axis(best, order, 1)
        shares[start : start + 1024] = np.take_along_axis(scores, similar[start : start + 1024].astype(np.int64), 1)
    return similar, np.maximum(shares, 0.0)


def _expander() -> Any:
    import numba

    @numba.njit(nogil=True)  # type: ignore[untyped-decorator]
    def expand(indptr, raw, word_indptr, pieces, weights, similar, shares, counts, indices, values):  # type: ignore[no-untyped-def]
        size = len(weights)
        frequency = np.zeros(size, np.int32)
        score = np.zeros(size, np.float32)
        most = indices.shape[1]
        for row in range(len(indptr) - 1):
            own = np.empty(0, np.int32)
            total = 0
            for i in range(indptr[row], indptr[row + 1]):
                total += word_indptr[raw[i] + 1] - word_indptr[raw[i]]
            own = np.empty(total, np.int32)
            number = 0
            for i in range(indptr[row], indptr[row + 1]):
                for j in range(word_indptr[raw[i]], word_indptr[raw[i] + 1]):
                    if frequency[pieces[j]] == 0:
                        own[number] = pieces[j]
                        number += 1
                    frequency[pieces[j]] += 1
            touched = np.empty(number * (similar.shape[1] + 1), np.int32)
            found = 0
            for i in range(number):
                piece = own[i]
                weight = np.float32(np.log1p(np.float64(frequency[piece]))) * weights[piece]
                frequency[piece] = 0
                if weight <= 0:
                    continue
                if score[piece] == 0:
                    touched[found] = piece
                    found += 1
                score[piece] = max(score[piece], weight)
                for j in range(similar.shape[1]):
                    other = similar[piece, j]
                    share = shares[piece, j] * weight * np.float32(0.6)
                    if share > 0:
                        if score[other] == 0:
                            touched[found] = other
                            found += 1
                        score[other] = max(score[other], share)
            chosen = touched[:found]
            if found > most:
                order = np.argsort(-score[chosen], kind="mergesort")
                chosen = chosen[order[:most]]
            chosen = np.sort(chosen)
            top = np.float32(0)
            for term in chosen:
                top = max(top, score[term])
            kept = 0
            for term in chosen:
                value = np.rint(score[term] / top * np.float32(255))
                if value >= 1:
                    indices[row, kept] = term
                    values[row, kept] = value
                    kept += 1
            counts[row] = kept
            for i in range(found):
                score[touched[i]] = 0
        return 0

    return expand


def _write_csr(folder: Path, parts: Iterator[tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.float32]]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    indptr = [np.zeros(1, np.int64)]
    with (folder / "indices.raw").open("wb") as indices, (folder / "values.raw").open("wb") as values:
        for rows, terms, weights in parts:
            indptr.append(rows[1:] + indptr[-1][-1])
            terms.tofile(indices)
            weights.tofile(values)
    for name, dtype in (("indices", np.uint32), ("values", np.float32)):
        raw = np.memmap(folder / f"{name}.raw", dtype, "r")
        np.save(folder / f"{name}.npy", raw)
        del raw
        (folder / f"{name}.raw").unlink()
    np.save(folder / "indptr.npy", np.concatenate(indptr))


def make_learned_truth(data: Data) -> None:
    """The exact best passages: scores of all passages are summed up term by term; whole numbers, so that no order matters."""
    import numba

    folder, asked = data.learned()
    indptr, indices, values = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("indptr", "indices", "values"))
    wanted = np.unique(np.load(asked / "indices.npy"))
    size = int(indices.max()) + 1
    slot = np.full(size, -1, np.int64)
    slot[wanted] = np.arange(len(wanted))

    @numba.njit  # type: ignore[untyped-decorator]
    def invert(indptr, indices, values, slot, starts, rows, weights):  # type: ignore[no-untyped-def]
        at = starts.copy()
        for row in range(len(indptr) - 1):
            for i in range(indptr[row], indptr[row + 1]):
                place = slot[indices[i]]
                if place >= 0:
                    rows[at[place]] = row
                    weights[at[place]] = np.uint8(values[i])
                    at[place] += 1

    counts = np.bincount(np.asarray(indices), minlength=size)[wanted]
    starts = np.concatenate([[0], np.cumsum(counts)])
    rows, weights = np.empty(starts[-1], np.uint32), np.empty(starts[-1], np.uint8)
    invert(indptr, indices, values, slot, starts, rows, weights)
    q_indptr, q_indices, q_values = (np.load(asked / f"{name}.npy") for name in ("indptr", "indices", "values"))
    truth = np.full((len(q_indptr) - 1, TRUTH), -1, np.int64)
    best = np.zeros((len(q_indptr) - 1, TRUTH), np.float32)
    for query in range(len(truth)):
        scores = np.zeros(data.passages, np.uint32)
        for i in range(q_indptr[query], q_indptr[query + 1]):
            place = slot[q_indices[i]]
            part = slice(starts[place], starts[place + 1])
            scores[rows[part]] += weights[part].astype(np.uint32) * np.uint32(q_values[i])
        k = min(TRUTH, data.passages)
        chosen = np.argpartition(scores, -k)[-k:]
        order = np.lexsort((chosen, -scores[chosen].astype(np.int64)))
        chosen = chosen[order]
        chosen = chosen[scores[chosen] > 0]
        truth[query, : len(chosen)] = chosen
        best[query, : len(chosen)] = scores[chosen]
    np.save(data.folder / "learned" / "truth-scores.npy", best)
    np.save(data.folder / "learned" / "truth.npy", truth)


# -- all of it ---------------------------------------------------------------------------------------------------------


def source_of(text: Path | None, passages: int) -> Path:
    """The file of texts: as given, or made by the script that is given (with some more passages than asked, to hold out)."""
    if text is None:
        raise SystemExit("give the texts, or the script that makes them, with --text")
    if text.suffix != ".py":
        return text
    made = SCRATCH / "data" / f"source-{passages}.jsonl.gz"
    if not made.is_file():
        made.parent.mkdir(parents=True, exist_ok=True)
        part = made.with_name(f"part-{made.name}")
        subprocess.run([sys.executable, text, part, "--limit", str(passages + passages // 20)], check=True)
        part.replace(made)
    return made


def make(text: Path | None, passages: int, model: Path | None, minilm: int, rows: Path | None) -> Data:
    """Make what is not there yet."""
    data = Data(SCRATCH / "data" / f"real-{passages}", passages)

    def step(path: Path, words: str, work: Callable[[], None]) -> None:
        if not path.is_file():
            print(f"making {words}: {path.relative_to(ROOT)}", file=sys.stderr, flush=True)
            work()

    def static() -> None:
        encoder = static_encoder()
        make_dense(data, "static", encoder.encode, encoder.dimension, passages)

    step(data.texts, "passages", lambda: make_texts(source_of(text, passages), data))
    step(data.queries("long"), "queries", lambda: make_queries(data))
    step(data.vectors("static")[1], "static vectors", static)
    step(data.folder / "static" / "truth.npy", "exact answers", lambda: make_dense_truth(data, "static"))
    step(data.learned()[1] / "indptr.npy", "learned-sparse-like vectors", lambda: make_learned(data))
    step(data.folder / "learned" / "truth.npy", "exact answers", lambda: make_learned_truth(data))
    if model:
        encoder = pooled_encoder(model, data)
        step(data.vectors("pooled")[1], "pooled vectors", lambda: make_dense(data, "pooled", encoder.encode, 384, passages))
        step(data.folder / "pooled" / "truth.npy", "exact answers", lambda: make_dense_truth(data, "pooled"))
    if model and minilm:
        count = min(minilm, passages)
        if rows:
            taken = rows
            step(
                data.vectors("minilm")[0],
                "MiniLM vectors",
                lambda: rows_made_elsewhere(taken, source_of(text, passages), data, count),
            )
        step(data.vectors("minilm")[1], "MiniLM vectors", lambda: make_dense(data, "minilm", minilm_encode(model), 384, count))
        step(data.folder / "minilm" / "truth.npy", "exact answers", lambda: make_dense_truth(data, "minilm"))
    return data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, help="a JSONL file of texts, .gz or plain, or the script that makes one")
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument(
        "--model", type=Path, help="folder of all-MiniLM-L6-v2 (sentence-transformers layout): pooled vectors too"
    )
    parser.add_argument("--minilm", type=int, default=0, help="passages to encode with it as well (66 a second and core)")
    parser.add_argument("--minilm-rows", type=Path, help="a .npy with its vectors of TEXTS, in order, made elsewhere")
    arguments = parser.parse_args()
    data = make(arguments.text, arguments.passages, arguments.model, arguments.minilm, arguments.minilm_rows)
    for path in sorted(p for p in data.folder.rglob("*") if p.is_file()):
        print(f"{path.stat().st_size >> 10:>12,} KB  {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
