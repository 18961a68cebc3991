"""The plan of a library against the library: real passages, built and measured."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

import bookwheel
from bookwheel.documents.document import Document
from bookwheel.library import memory_plan
from bookwheel.memory.sizes import DEFAULT

DOCUMENTS = 2500


def test_the_plan_is_what_is_built(tmp_path: Path, judged: Path) -> None:
    """Abstracts of some 200 words, cut into passages."""
    with bookwheel.open(tmp_path / "lib", create=True, language="english") as library:
        with (judged / "scifact" / "corpus.jsonl").open(encoding="utf-8") as lines:
            records = [json.loads(line) for line in islice(lines, DOCUMENTS)]
        library.add([Document(record["_id"], record["text"], record["title"]) for record in records])
        info = library.info()
    assert info.passages > DOCUMENTS
    assert info.segments == 1
    made = memory_plan.plan_library(info.passages, 256, DEFAULT)
    hot = {line.part: line.planned for line in made.searching}
    for part, measured in info.memory.items():
        assert hot[part] == pytest.approx(measured, rel=0.25), part
    sparse = sum(size for part, size in info.disk.items() if part.startswith(("sparse", "impacts")))
    assert made.disk["postings and impacts"] + made.disk["dictionary"] == pytest.approx(sparse, rel=0.25)
    dense = sum(size for part, size in info.disk.items() if part.startswith("dense"))
    assert made.disk["vectors (float16)"] + made.disk["sketches"] == pytest.approx(dense, rel=0.02)
    assert made.disk["texts and metadata (SQLite)"] == pytest.approx(info.disk["documents.sqlite"], rel=0.25)
    assert sum(made.disk.values()) == pytest.approx(sum(info.disk.values()), rel=0.2)
