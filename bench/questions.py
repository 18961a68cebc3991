"""XQuAD's paragraphs and questions, and a library of them, for the measurements of answers."""

from __future__ import annotations

import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

from common import ROOT, SCRATCH, SHARED

sys.path.insert(0, str(ROOT / "src"))

SEED = 20261128


class Question(NamedTuple):
    """A question and its gold answer."""

    id: str
    text: str
    document: str
    answer: str


def collection(name: str = "xquad_en") -> tuple[dict[str, str], dict[str, str], list[Question]]:
    """Texts and titles by document, and the questions. Raises `SystemExit` where the data is not there."""
    folder = SHARED / "data" / name
    if not folder.is_dir():
        raise SystemExit(f"{folder} is not there; it holds corpus.jsonl, queries.jsonl and answers.jsonl of XQuAD")
    rows = [json.loads(line) for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    asked = {row["_id"]: row["text"] for row in map(json.loads, (folder / "queries.jsonl").read_text("utf-8").splitlines())}
    gold = [json.loads(line) for line in (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    questions = [Question(row["_id"], asked[row["_id"]], row["document"], row["text"]) for row in gold]
    return {row["_id"]: row["text"] for row in rows}, {row["_id"]: row["title"] for row in rows}, questions


def sample(questions: list[Question], count: int | None) -> list[Question]:
    """So many of them, drawn with a seed."""
    if count is None or count >= len(questions):
        return questions
    return random.Random(SEED).sample(questions, count)


def library(texts: dict[str, str], titles: dict[str, str], name: str = "answers-xquad", encoder: str | None = None) -> Any:
    """A library of these texts, made anew under ``.bench``."""
    import bookwheel

    path: Path = SCRATCH / "libraries" / name
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = bookwheel.open(path, create=True, encoder=encoder)
    made.add([{"id": key, "title": titles[key], "text": text} for key, text in texts.items()])
    return made


def stands_in(gold: str, text: str) -> bool:
    """Whether the gold answer stands in ``text``, whatever its case and spaces."""
    return " ".join(gold.lower().split()) in " ".join(text.lower().split())
