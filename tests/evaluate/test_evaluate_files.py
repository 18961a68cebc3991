"""Judged collections and run files: what is read, and what a damaged file is told."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bookwheel import InputError, StorageError, UsageError
from bookwheel.documents.document import Document
from bookwheel.evaluate import load_collection, load_files, measure, read_qrels, read_queries, read_run, run_lines, write_run
from bookwheel.evaluate.datasets import from_ir_dataset


def beir(folder: Path, packed: bool = False) -> Path:
    corpus = [
        {"_id": "d 1", "title": "One", "text": "first text", "metadata": {"year": 2020, "tags": ["x"]}},
        {"_id": "d2", "text": "second\ntext"},
    ]
    queries = [
        {"_id": "q1", "text": "first?", "metadata": {}},
        {"_id": "q2", "text": "second?"},
        {"_id": "q3", "text": "train"},
    ]
    files = {
        "corpus.jsonl": "".join(json.dumps(record) + "\n" for record in corpus),
        "queries.jsonl": "".join(json.dumps(record) + "\n" for record in queries),
        "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td 1\t1\nq1\td2\t0\nq2\td2\t2\nq9\td2\t1\n",
        "qrels/train.tsv": "query-id\tcorpus-id\tscore\nq3\td2\t1\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if packed:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(text.encode()))
        else:
            path.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_beir_folder(tmp_path: Path, packed: bool) -> None:
    collection = load_collection(beir(tmp_path / "mini", packed))
    assert collection.name == "mini"
    assert collection.qrels == {"q1": {"d 1": 1, "d2": 0}, "q2": {"d2": 2}, "q9": {"d2": 1}}
    assert collection.judged == {"q1": "first?", "q2": "second?"}
    assert (collection.unjudged, collection.without_text) == (1, 1)
    assert list(collection.documents()) == [
        Document("d 1", "first text", "One", {"year": 2020}),
        Document("d2", "second\ntext"),
    ]
    assert list(load_collection(tmp_path / "mini", split="train").judged) == ["q3"]


TOPICS = """<top>
<num> Number: 301
<title> International Organized Crime

<desc> Description:
Identify organizations &amp; people
of crime.
<narr> Narrative: none
</top>

<top><num>302</num><title>Polio</title><desc>Is polio gone?</desc></top>
"""
TOPICS_XML = """<topics task="COVID">
<topic number="1"><query>coronavirus origin</query><question>what is the origin</question><narrative>n</narrative></topic>
<topic number="2"><query>weather</query><question>how does it respond</question></topic>
</topics>
"""


def test_trec_topics(tmp_path: Path) -> None:
    path = tmp_path / "topics.txt"
    path.write_text(TOPICS)
    assert read_queries(path) == {"301": "International Organized Crime", "302": "Polio"}
    assert read_queries(path, "desc")["301"] == "Identify organizations & people of crime."
    with pytest.raises(InputError, match=r"topic 302 has no <narr>; it has desc, num, title"):
        read_queries(path, "narr")
    path.write_text(TOPICS_XML)
    assert read_queries(path) == {"1": "coronavirus origin", "2": "weather"}
    assert read_queries(path, "desc")["2"] == "how does it respond"


def test_trec_folder(tmp_path: Path) -> None:
    (tmp_path / "topics.tsv").write_text("1\tone two\n2\tthree\n")
    (tmp_path / "qrels.txt").write_text("1 0 FT911-1 1\n1 0 FT911-2 0\n7 0 FT911-2 1\n")
    collection = load_collection(tmp_path)
    assert collection.judged == {"1": "one two"}
    assert collection.qrels["1"] == {"FT911-1": 1, "FT911-2": 0}
    with pytest.raises(InputError, match="came without documents"):
        collection.documents()
    (tmp_path / "qrels.2.txt").write_text("1 0 a 1\n")
    with pytest.raises(InputError, match=r"2 files named qrels\*"):
        load_collection(tmp_path)
    assert load_files(tmp_path / "topics.tsv", tmp_path / "qrels.2.txt").name == "qrels"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / "qrels" / "test.tsv").unlink(), "no split 'test'; there is train"),
        (lambda f: (f / "queries.jsonl").unlink(), "of no known layout; expected a BEIR folder"),
        (
            lambda f: (f / "queries.jsonl").write_text('{"_id": "q1", "text": "a"}\n{"_id": '),
            r"queries.jsonl:2: this is not JSON",
        ),
        (lambda f: (f / "queries.jsonl").write_text('["q1"]'), r"queries.jsonl:1: expected an object"),
        (lambda f: (f / "queries.jsonl").write_text('{"_id": "q1"}'), r"queries.jsonl:1: expected an object"),
        (lambda f: (f / "queries.jsonl").write_text('{"_id": "q", "text": ""}\n' * 2), "two queries 'q'"),
        (lambda f: (f / "queries.jsonl").write_text(""), "holds no queries"),
        (lambda f: (f / "queries.jsonl").write_text('{"_id": "other", "text": "a"}'), "no query of .* is judged"),
        (lambda f: (f / "queries.jsonl").write_bytes(b"\xff\xfe\x00"), "not UTF-8"),
        (lambda f: (f / "qrels" / "test.tsv").write_text("q1\td1\n"), r"test.tsv:1: expected query, document and grade"),
        (lambda f: (f / "qrels" / "test.tsv").write_text("q\td\ts\nq1\td1\thigh\n"), r"test.tsv:2: the grade is 'high'"),
        (lambda f: (f / "qrels" / "test.tsv").write_text("q1\td1\t0.5\n"), r"test.tsv:1: the grade is '0.5'"),
        (
            lambda f: (f / "qrels" / "test.tsv").write_text("q1\td1\t9999999\n"),
            r"test.tsv:1: .* between -1,000,000 and 1,000,000",
        ),
        (
            lambda f: (f / "qrels" / "test.tsv").write_text("q1\td1\t1\nq1\td1\t2\n"),
            r"test.tsv:2: document 'd1' is judged twice",
        ),
        (lambda f: (f / "qrels" / "test.tsv").write_text("q\td\ts\n"), "holds no judgments"),
    ],
)
def test_damaged_collections(tmp_path: Path, change: Callable[[Path], object], words: str) -> None:
    change(beir(tmp_path))
    with pytest.raises(InputError, match=words) as caught:
        load_collection(tmp_path)
    assert "\n" not in str(caught.value)


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load_collection(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no file"):
        read_qrels(tmp_path / "nowhere.tsv")
    with pytest.raises(InputError, match="cannot be read"):
        read_qrels(tmp_path)
    packed = tmp_path / "qrels.tsv.gz"
    packed.write_bytes(gzip.compress(b"q\td\t1\n" * 1000)[:-20])
    with pytest.raises(InputError, match="cannot be read"):
        read_qrels(packed)
    packed.write_bytes(b"q\td\t1\n")
    with pytest.raises(InputError, match="cannot be read"):
        read_qrels(packed)
    folder = beir(tmp_path / "b")
    (folder / "corpus.jsonl").write_text('{"_id": "1", "text": "x"}\n{"text": "y"}\n')
    with pytest.raises(InputError, match=r"corpus.jsonl:2: expected"):
        list(load_collection(folder).documents())
    with pytest.raises(InputError, match="is a file"):
        load_collection(folder / "corpus.jsonl")


# -- ir_datasets
# -------------------------------------------------------------------------------------------------------------


class Query(NamedTuple):
    query_id: str
    title: str
    description: str

    def default_text(self) -> str:
        return self.title


class Record(NamedTuple):
    doc_id: str
    title: str
    text: str


class Judgment(NamedTuple):
    query_id: str
    doc_id: str
    relevance: int
    iteration: str


class Dataset:
    """What ir_datasets' own objects offer, as far as it is used."""

    def __init__(self, qrels: bool = True, broken: bool = False) -> None:
        self.qrels, self.broken = qrels, broken

    def has_docs(self) -> bool:
        return True

    def has_queries(self) -> bool:
        return True

    def has_qrels(self) -> bool:
        return self.qrels

    def queries_iter(self) -> Iterator[Query]:
        if self.broken:
            raise RuntimeError("the download failed\nwith a long explanation")
        yield Query("1", "one", "what is one")
        yield Query("2", "two", "what is two")

    def docs_iter(self) -> Iterator[Record]:
        yield Record("d1", "Title", "Text")

    def qrels_iter(self) -> Iterator[Judgment]:
        yield Judgment("1", "d1", 2, "0")


def test_ir_datasets_interface() -> None:
    collection = from_ir_dataset("mini/test", Dataset())
    assert collection.judged == {"1": "one"}
    assert collection.qrels == {"1": {"d1": 2}}
    assert list(collection.documents()) == [Document("d1", "Text", "Title")]
    with pytest.raises(InputError, match="has no qrels; take one of its splits, such as mini/test"):
        from_ir_dataset("mini", Dataset(qrels=False))
    with pytest.raises(InputError, match=r"could not provide mini: the download failed$"):
        from_ir_dataset("mini", Dataset(broken=True))


def test_ir_datasets_itself(tmp_path: Path) -> None:
    ir_datasets = pytest.importorskip("ir_datasets", reason="the extra 'datasets' is not installed")
    for name, text in {"d.tsv": "d1\tsome text\n", "q.tsv": "1\tone\n2\ttwo\n", "r.txt": "1 0 d1 1\n"}.items():
        (tmp_path / name).write_text(text)
    dataset = ir_datasets.create_dataset(str(tmp_path / "d.tsv"), str(tmp_path / "q.tsv"), str(tmp_path / "r.txt"))
    collection = from_ir_dataset("own", dataset)
    assert collection.judged == {"1": "one"}
    assert list(collection.documents()) == [Document("d1", "some text")]
    with pytest.raises(InputError, match="knows no 'nonsense/x'"):
        load_collection("ir_datasets:nonsense/x")


def test_ir_datasets_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ir_datasets", None)
    with pytest.raises(InputError, match=r"pip install 'bookwheel\[datasets\]'"):
        load_collection("ir_datasets:beir/scifact/test")


# -- runs
# --------------------------------------------------------------------------------------------------------------------


def test_a_run_is_read_back_in_the_same_order(tmp_path: Path) -> None:
    run = {"q1": [("b", 2.5), ("a", 2.5), ("c", 2.5), ("d", -1.0)], "q2": [("a", 0.1)], "q3": []}
    write_run(tmp_path / "run.txt", run, "mine")
    lines = (tmp_path / "run.txt").read_text().splitlines()
    assert lines[0] == "q1 Q0 b 1 2.5 mine"
    again = read_run(tmp_path / "run.txt")
    assert {query: [d for d, _ in ranking] for query, ranking in again.items()} == {"q1": ["b", "a", "c", "d"], "q2": ["a"]}
    assert again["q1"][3] == ("d", -1.0)
    # and an evaluator that only looks at the scores keeps our order too
    pytrec_eval = pytest.importorskip("pytrec_eval")
    for first in "bac":
        judged = {"q1": {first: 1}}
        theirs = pytrec_eval.RelevanceEvaluator(judged, {"recip_rank"}).evaluate({"q1": dict(again["q1"])})
        assert theirs["q1"]["recip_rank"] == measure(run, judged, ["RR"]).means["RR"]


def test_a_run_from_elsewhere_is_ordered_as_trec_eval_does(tmp_path: Path) -> None:
    path = tmp_path / "run.gz"
    path.write_bytes(gzip.compress(b"q1 Q0 a 1 1.0 t\nq1 Q0 b 2 1.0 t\n\nq1\tQ0\tc\t3\t7\tt\n"))
    assert read_run(path) == {"q1": [("c", 7.0), ("b", 1.0), ("a", 1.0)]}


def test_scores_that_float32_cannot_tell_apart_are_ties_as_in_trec_eval(tmp_path: Path) -> None:
    scores = {"a": 20.1234567, "b": 20.1234566, "c": 1e300, "d": 1e299, "e": -1e-50}
    path = tmp_path / "run.txt"
    path.write_text("".join(f"q1 Q0 {name} 1 {score!r} t\n" for name, score in scores.items()))
    run = read_run(path)
    assert run == {"q1": [(name, scores[name]) for name in "dcbae"]}
    pytrec_eval = pytest.importorskip("pytrec_eval")
    for relevant in scores:
        judged = {"q1": {relevant: 1}}
        theirs = pytrec_eval.RelevanceEvaluator(judged, {"recip_rank"}).evaluate({"q1": scores})["q1"]["recip_rank"]
        assert measure(run, judged, ["RR"]).means["RR"] == theirs
        assert measure({"q1": scores}, judged, ["RR"]).means["RR"] == theirs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("q1 Q0 a 1 1.0\n", ":1: expected six columns .* not 5"),
        ("q1 Q0 a b 1 1.0 t\n", "not 7"),
        ("q1 Q0 a 1 high t\n", ":1: the score is 'high'"),
        ("q1 Q0 a 1 nan t\n", ":1: the score is 'nan'"),
        ("q1 Q0 a 1 2 t\nq1 Q0 a 2 1 t\n", ":2: document 'a' is ranked twice"),
        ("", "holds no ranking"),
    ],
)
def test_damaged_runs(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "run").write_text(text)
    with pytest.raises(InputError, match=words):
        read_run(tmp_path / "run")


@pytest.mark.parametrize(
    ("run", "tag", "words"),
    [
        ({"q1": [("a file.txt", 1.0)]}, "t", "document id 'a file.txt'"),
        ({"q 1": [("a", 1.0)]}, "t", "query id 'q 1'"),
        ({"q1": [("a\n", 1.0)]}, "t", r"document id 'a\\n'"),
        ({"q1": [("", 1.0)]}, "t", "document id ''"),
        ({"q1": [("a", 1.0)]}, "my run", "tag 'my run'"),
    ],
)
def test_ids_that_the_format_cannot_hold(tmp_path: Path, run: dict[str, list[tuple[str, float]]], tag: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        run_lines(run, tag)
    with pytest.raises(UsageError, match=words):
        write_run(tmp_path / "run", run, tag)
    assert not (tmp_path / "run").exists()


def test_a_run_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        write_run(tmp_path, {"q": [("a", 1.0)]})
