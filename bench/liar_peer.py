"""What `liar_llamaindex.py`, `liar_paperqa.py` and `liar_txtai.py` share: eight passages a question, lies, what of them is shown.

The passages are the gold one and the seven that share most words with the question, the same ones for every tool. Counted: false
sentences of the server that stand in the answer that a tool returns, and how many of the answers with one carry a source. None of
these tools gives a sentence a status: what it returns is what its user sees.
"""

from __future__ import annotations

import argparse
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from common import keep, table, version_of
from liar_server import MANNERS, Liar, Reply, Server, _plain
from questions import Question, collection, sample

PASSAGES = 8
DIMENSION = 512


class Asked(NamedTuple):
    """One question put to a tool."""

    manner: str
    base: str
    """Address of the lying server."""
    question: str
    passages: list[tuple[str, str]]
    """Document and text, the gold one first."""


class Shown(NamedTuple):
    """What the tool gave back."""

    text: str
    cited: bool
    """Whether a source stands behind it."""


class Keyed(Liar):
    """A liar that cites in the tool's own manner: the mark ``[1]`` becomes the first citation key of the prompt."""

    def __init__(self, texts: dict[str, str], titles: dict[str, str], key: str) -> None:
        super().__init__(texts, titles)
        self.key = re.compile(key)

    def reply(self, manner: str, prompt: str) -> Reply:
        """See `Liar.reply`."""
        made = super().reply(manner, prompt)
        if (found := self.key.search(prompt)) is not None:
            made.text = made.text.replace("[1]", f"({found.group()})")
        return made


def nearest(texts: dict[str, str], question: Question) -> list[tuple[str, str]]:
    """The passages that a question is asked with."""
    asked = _words(question.text)
    ranked = sorted(texts, key=lambda name: -len(asked & _words(texts[name])))
    return [(name, texts[name]) for name in dict.fromkeys([question.document, *ranked[: PASSAGES - 1]])]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{4,}", text.lower()))


def hashed(texts: Sequence[str]) -> NDArray[np.float32]:
    """A stand-in for an embedding model, where a tool insists on one: words hashed into ``DIMENSION`` places, of length 1."""
    made = np.zeros((len(texts), DIMENSION), np.float32)
    for row, text in zip(made, texts, strict=True):
        for word in re.findall(r"\w+", text.lower()):
            row[zlib.crc32(word.encode()) % DIMENSION] += 1.0
        row /= max(float(np.linalg.norm(row)), 1e-9)
    return made


def lied_to(package: str, ask: Callable[[Asked], Shown], *, key: str = r"(?!)") -> None:
    """Ask every question in every manner; print and keep the figures as ``docs/results/liar-PACKAGE.json``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--questions", type=int, default=20)
    count = parser.parse_args().questions
    texts, titles, questions = collection()
    liar = Keyed(texts, titles, key)
    server = Server(liar, stall=0.2)
    rows: dict[str, dict[str, int]] = {}
    for manner in MANNERS:
        row = dict.fromkeys(("asked", "false", "shown", "answers_with_one", "of_these_cited", "failed"), 0)
        for question in sample(questions, count):
            row["asked"] += 1
            liar.replies.pop(manner, None)
            try:
                shown = ask(Asked(manner.replace(" ", "-"), server.base, question.text, nearest(texts, question)))
            except Exception as error:  # whatever a tool raises
                print(f"{manner}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
                row["failed"] += 1
                continue
            made = liar.replies.get(manner)
            false = {_plain(one) for one in made.false} - {""} if made else set()
            bare = _plain(re.sub(r"\[[^\]]{0,40}\]|\(pqac[^)]{0,60}\)|\(\w+ chunk[^)]{0,60}\)", " ", shown.text))
            stand = sum(one in bare for one in false)
            row["false"] += len(false)
            row["shown"] += stand
            row["answers_with_one"] += stand > 0
            row["of_these_cited"] += stand > 0 and shown.cited
        rows[manner] = row
        print(f"{manner}: {row}", file=sys.stderr, flush=True)
    server.close()
    total = {name: sum(row[name] for row in rows.values()) for name in rows["invented"]}
    made = {"package": package, "version": version_of(package), "manners": rows, "total": total}
    keep(f"liar-{package}", made, table(HEAD, list(_lines({**rows, "all": total}))))


HEAD = [
    "manner",
    "questions",
    "false sentences written",
    "shown",
    "answers with one",
    "of these with a source",
    "failed",
]


def _lines(rows: dict[str, dict[str, int]]) -> Iterator[list[object]]:
    for name, row in rows.items():
        yield [name, *row.values()]
