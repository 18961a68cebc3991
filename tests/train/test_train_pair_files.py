"""Pairs of files that people bring: queries that cannot be searched, text that nothing can hold, and answers that are the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document
from bookwheel._errors import InputError
from bookwheel.evaluate.load import load_collection
from bookwheel.progress import silent
from bookwheel.train.data import sources
from bookwheel.train.data.material import Material
from bookwheel.train.data.pairs import LONGEST
from bookwheel.train.data.passages import Passages
from bookwheel.train.data.sources import pairs_of, source_of
from bookwheel.train.held_out import judged_part
from bookwheel.train.kept import Kept
from bookwheel.train.lists.result import ListTraining
from bookwheel.train.run import Job, Run
from bookwheel.train.safety import Verdict
from bookwheel.tune.made import MadeCollection

UNSEARCHABLE = [" ", "lift " * 8000, "a\0b"]


@pytest.fixture(scope="module")
def library(prose: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[bookwheel.Library]:
    with bookwheel.open(tmp_path_factory.mktemp("pairs") / "library", create=True, language="english") as opened:
        opened.add([Document(str(number), text, title=title) for number, (title, text) in enumerate(prose[:30])], workers=1)
        yield opened


@pytest.fixture
def material(library: bookwheel.Library) -> Material:
    return Material(library, library, Passages.drawn(library._snapshot, 5, 0), 0)


def write_judgments(folder: Path, queries: list[str]) -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "elsewhere", "title": "", "text": "not read"}\n')
    lines = [json.dumps({"_id": f"q{at}", "text": text}) + "\n" for at, text in enumerate(queries)]
    (folder / "queries.jsonl").write_text("".join(lines))
    grades = "".join(f"q{at}\t{at}\t1\n" for at in range(len(queries)))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + grades)
    return folder


# -- queries that cannot be searched -----------------------------------------------------------------------------------


def test_judged_queries_that_cannot_be_searched_are_left_out_and_counted(material: Material, tmp_path: Path) -> None:
    folder = write_judgments(tmp_path / "judged", ["wing in a slipstream", *UNSEARCHABLE, "drag"])
    found = list(pairs_of(material, [source_of(f"judgments={folder}")], []))
    assert [pair.query for pair in found] == ["wing in a slipstream", "drag"]
    assert material.notes == [
        f"Of {folder} 3 queries are left out: without text that can be searched, or with more than 32,768 characters."
    ]


def test_logged_queries_that_cannot_be_searched_are_left_out_and_counted(material: Material, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({"query": text, "clicked": "3"}) + "\n" for text in ["who", UNSEARCHABLE[1]]))
    (pair,) = pairs_of(material, [source_of(f"log={log}")], [])
    assert pair.query == "who"
    assert [note.partition(":")[0] for note in material.notes] == [f"Of {log} 1 query is left out"]


def test_a_run_tells_what_was_left_out(library: bookwheel.Library, tmp_path: Path) -> None:
    folder = write_judgments(tmp_path / "judged", ["wing in a slipstream", " "])
    run = Run(Job(library, None, 60.0, None, 0, silent))
    run.sources, run.kept = [source_of(f"judgments={folder}")], Kept(library.path, "told")
    try:
        (pair,) = run.pairs(library, MadeCollection("none", {}, {}), 5, 100)
    finally:
        run.kept.clear()
    assert pair.query == "wing in a slipstream"
    (note,) = run.common()["notes"]
    assert note.startswith(f"Of {folder} 1 query is left out")
    found = ListTraining(
        kind="reranker", recipe=None, base="base", teacher=None, sources=("titles",), loss="contrast", pairs=1, seen=1, others=7, steps=1,
        batch=8, plan="", losses=(0.1,), rates=(0.1,), taken=0, weight=0.0, validation={}, verdict=Verdict(()), **run.common(),
    )  # fmt: skip
    assert note in str(found)
    assert found.to_dict()["notes"] == [note]


# -- text that nothing can hold ----------------------------------------------------------------------------------------


def test_nul_and_half_a_surrogate_pair_are_replaced(library: bookwheel.Library, material: Material, tmp_path: Path) -> None:
    """As they are in documents: what comes after takes neither."""
    (tmp_path / "pairs.jsonl").write_text(
        '{"query": "a\\u0000b wing", "answer": "some text"}\n{"query": "\\ud83d wing", "answer": "some \\ud800 text"}\n'
    )
    found = list(pairs_of(material, [source_of(f"pairs={tmp_path / 'pairs.jsonl'}")], []))
    assert [(pair.query, pair.answer) for pair in found] == [("a\ufffdb wing", "some text"), ("? wing", "some ? text")]
    assert len(library.rank_many([pair.query for pair in found], 5, "bm25")) == 2
    folder = write_judgments(tmp_path / "judged", ["\ud83d wing"])
    (pair,) = pairs_of(material, [source_of(f"judgments={folder}")], [])
    assert pair.query == "? wing"


def test_models_are_compared_by_queries_without_half_a_surrogate_pair(library: bookwheel.Library, tmp_path: Path) -> None:
    collection = load_collection(write_judgments(tmp_path / "judged", [f"\ud83d wing {at}" for at in range(20)]))
    assert "? wing 3" in judged_part(library, collection, 20, 20, 0).queries.values()


def test_a_line_that_is_too_long_is_said_to_be(material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LONGEST_LINE", 60)
    short = json.dumps({"query": "q", "answer": "a" * 30}) + "\n"
    assert len(short) < 60
    (tmp_path / "pairs.jsonl").write_text(short + short.replace("aaa", "aaaaaa"))
    with pytest.raises(InputError, match=r"pairs\.jsonl:2 is longer than 60 bytes; shorten that line"):
        list(pairs_of(material, [source_of(f"pairs={tmp_path / 'pairs.jsonl'}")], []))
    exact = short.replace("aaa", "a" * (3 + 60 - len(short)), 1)
    assert len(exact) == 60
    (tmp_path / "pairs.jsonl").write_text(exact + exact.strip())
    assert len(list(pairs_of(material, [source_of(f"pairs={tmp_path / 'pairs.jsonl'}")], []))) == 2


# -- answers that are the same -----------------------------------------------------------------------------------------


def test_equal_answers_of_several_files_are_of_one_document(material: Material, tmp_path: Path) -> None:
    """They are not each other's negatives; different ones are."""
    (tmp_path / "a.jsonl").write_text('{"query": "who?", "answer": "X"}\n{"query": "when?", "answer": "Y"}\n')
    (tmp_path / "b.jsonl").write_text('{"query": "whence?", "answer": "Y"}\n{"query": "how?", "answer": "Z"}\n')
    long = "word " * LONGEST
    (tmp_path / "c.tsv").write_text(f"why?\t{long}first\nwhere?\t{long}second\n")  # alike as far as they are kept
    files = [source_of(f"pairs={tmp_path / name}") for name in ("a.jsonl", "b.jsonl", "c.tsv")]
    found = list(pairs_of(material, files, []))
    assert len(found) == 6
    by_number: dict[int, set[str]] = {}
    for pair in found:
        by_number.setdefault(pair.document, set()).add(pair.answer)
    assert sorted(map(len, by_number.values())) == [1, 1, 1, 1]
    assert sorted(one[0] for answers in by_number.values() for one in answers) == ["X", "Y", "Z", "w"]
    assert all(-(1 << 63) <= number < 0 for number in by_number)
    assert list(pairs_of(material, files, [])) == found
    (titled, *_) = pairs_of(material, [source_of("titles")], [])
    assert titled.document not in by_number
