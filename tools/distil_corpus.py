"""The texts a static model is fitted on, and the development collections it is chosen on (used by ``distil_static.py``)."""

from __future__ import annotations

import gzip
import json
import random
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

QUERIES = 1500
"""Queries of a development collection."""
DOCUMENTS = 4000
"""Its documents, answers included."""
SHINGLE = 8
"""Words in a row that two texts must share to count as near-duplicates."""
_SENTENCE = re.compile(r"(?<=[.!?;:])\s+")
_WORD = re.compile(r"\w+")
_NOISE = re.compile(
    r"\\[^\\]*\\|\[(?:1913 Webster|WordNet[^\]]*|PJC|Webster[^\]]*|[^\]]*PJC[^\]]*)\]|\([^()]*[\[`\"][^()]*\),?"
)
_SENSE = re.compile(r"(?:\b(?:n|v|adj|adv) )?\b\d{1,2}: ")
_FUNCTION = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "for",
        "from",
        "has",
        "have",
        "if",
        "in",
        "is",
        "it",
        "its",
        "not",
        "of",
        "on",
        "or",
        "that",
        "the",
        "this",
        "to",
        "was",
        "which",
        "with",
        "you",
    ]
)
_DIGITS = {c: i for i, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}


@dataclass
class Share:
    """How many texts of each kind are drawn."""

    titles: int = 30_000
    fragments: int = 30_000
    abstracts: int = 4_000
    passages: int = 32_000
    whole_passages: int = 4_000
    definitions: int = 100_000
    headwords: int = 60_000
    passage_pairs: int = 60_000


@dataclass
class Development:
    """One judged collection for choosing: every query has one right document."""

    name: str
    queries: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    distractors: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Write it in BEIR layout to ``folder/name``."""
        target = folder / self.name
        (target / "qrels").mkdir(parents=True, exist_ok=True)
        with (target / "corpus.jsonl").open("w") as file:
            for number, text in enumerate(self.answers + self.distractors):
                file.write(json.dumps({"_id": f"d{number}", "title": "", "text": text}) + "\n")
        with (target / "queries.jsonl").open("w") as file:
            for number, text in enumerate(self.queries):
                file.write(json.dumps({"_id": f"q{number}", "text": text}) + "\n")
        with (target / "qrels" / "test.tsv").open("w") as file:
            file.write("query-id\tcorpus-id\tscore\n")
            for number in range(len(self.queries)):
                file.write(f"q{number}\td{number}\t1\n")


def open_text(path: Path) -> TextIO:
    """Open a text file, plain or gzip by its ending."""
    return gzip.open(path, "rt", encoding="utf8") if path.suffix in (".gz", ".dz") else path.open(encoding="utf8")


def medline(path: Path) -> Iterator[tuple[str, str]]:
    """(title, abstract) of every article of a Medline XML file that has both."""
    with gzip.open(path, "rb") as file:
        for _, element in ElementTree.iterparse(file):
            if element.tag != "PubmedArticle":
                continue
            title = "".join(element.find(".//ArticleTitle").itertext()) if element.find(".//ArticleTitle") is not None else ""
            abstract = " ".join("".join(part.itertext()) for part in element.iterfind(".//Abstract/AbstractText"))
            element.clear()
            title, abstract = " ".join(title.split()).strip("[]"), " ".join(abstract.split())
            if len(title.split()) >= 4 and len(abstract.split()) >= 30:
                yield title, abstract


def dictionary(index: Path) -> Iterator[tuple[str, str]]:
    """(headword, definition) of every entry of a dictd dictionary: ``NAME.index`` beside ``NAME.dict.dz``."""
    with gzip.open(index.with_suffix(".dict.dz"), "rb") as file:
        data = file.read()
    seen = set()
    for line in index.read_text(encoding="utf8", errors="replace").splitlines():
        headword, start, length = line.split("\t")[:3]
        if headword.startswith("00") or start in seen:
            continue
        seen.add(start)
        at, size = _number(start), _number(length)
        text = " ".join(
            _NOISE.sub(" ", data[at : at + size].decode("utf8", "replace")).replace("{", "").replace("}", "").split()
        )
        text = _SENSE.sub("", text)
        if text.lower().startswith(headword.lower()):
            headword, text = text[: len(headword)], text[len(headword) :]
        text = text.strip(" ,.;")
        if len(text.split()) >= 3 and _prose(text):
            yield headword, text


def _number(text: str) -> int:
    value = 0
    for character in text:
        value = value * 64 + _DIGITS[character]
    return value


def passages(path: Path) -> Iterator[tuple[str, str]]:
    """(source, text) of a JSONL file with ``title`` and ``text``; the source is the title's first part."""
    with open_text(path) as file:
        for line in file:
            record = json.loads(line)
            yield record.get("title", ""), " ".join(record["text"].split())


def _prose(text: str) -> bool:
    return sum(c.isalpha() or c == " " for c in text) >= 0.8 * len(text)


def _running(text: str) -> bool:
    """English sentences, not a table of names, a listing or another language."""
    words = text.lower().split()
    return _prose(text) and sum(word in _FUNCTION for word in words) >= 0.25 * len(words)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


class Guard:
    """Says whether a text shares `SHINGLE` words in a row with a judged collection: such texts are never fitted on."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._shingles: set[int] = set()
        for folder in folders:
            for name in ("corpus.jsonl", "queries.jsonl"):
                for line in (folder / name).read_text().splitlines():
                    record = json.loads(line)
                    self._shingles.update(self._of(f"{record.get('title', '')} {record['text']}"))
        self.dropped = 0

    @staticmethod
    def _of(text: str) -> Iterator[int]:
        words = _words(text)
        return (hash(tuple(words[i : i + SHINGLE])) for i in range(len(words) - SHINGLE + 1))

    def __call__(self, *texts: str) -> bool:
        """True if the texts are free of them."""
        free = not any(shingle in self._shingles for text in texts for shingle in self._of(text))
        self.dropped += not free
        return free


def fragment(text: str, words: int, draw: random.Random) -> str:
    """One to several sentences of ``text`` from a drawn place on, at most ``words`` words."""
    sentences = _SENTENCE.split(text)
    start = draw.randrange(len(sentences))
    taken: list[str] = []
    for sentence in sentences[start:]:
        taken += sentence.split()
        if len(taken) >= words:
            break
    return " ".join(taken[:words])


class Drawn:
    """What is drawn: texts to encode (kind, text), pairs (kind, query, text), development collections."""

    def __init__(self, guard: Guard, share: Share, seed: int) -> None:
        self.texts: list[tuple[str, str]] = []
        self.pairs: list[tuple[str, str, str]] = []
        self.development: list[Development] = []
        self._guard = guard
        self._share = share
        self._draw = random.Random(seed)

    def add_articles(self, articles: Iterable[tuple[str, str]]) -> None:
        """Titles and abstracts."""
        share, draw = self._share, self._draw
        chosen = [a for a in sorted(dict(articles).items()) if self._guard(*a)]
        draw.shuffle(chosen)
        held = min(QUERIES, len(chosen) // 5)
        queries, answers = [t for t, _ in chosen[:held]], [a for _, a in chosen[:held]]
        chosen = chosen[held:]
        others = [a for _, a in chosen[held - DOCUMENTS :]]
        self.development.append(Development("medline", queries, answers, others))
        self.texts += [("title", title) for title, _ in chosen[: share.titles]]
        self.texts += [("abstract", " ".join(abstract.split()[:180])) for _, abstract in chosen[: share.abstracts]]
        for _, abstract in draw.choices(chosen, k=share.fragments) if chosen else []:
            self.texts.append(("fragment", fragment(abstract, draw.randint(12, 60), draw)))
        self.pairs += [("medline", title, abstract) for title, abstract in chosen]

    def add_passages(self, found: Iterable[tuple[str, str]]) -> None:
        """Passages of running text, with where they are from; development takes whole sources."""
        share, draw = self._share, self._draw
        chosen = [p for p in found if _running(p[1])]
        draw.shuffle(chosen)
        sources = sorted({source for source, _ in chosen})
        held = set(draw.sample(sources, len(sources) // 20))
        development = Development("manuals")
        for source, text in chosen:
            sentences = _SENTENCE.split(text)
            if source not in held or len(sentences) < 3 or len(development.queries) == QUERIES or not self._guard(text):
                continue
            if 6 <= len(sentences[1].split()) <= 25:
                development.queries.append(sentences[1])
                development.answers.append(" ".join(sentences[2:]))
        chosen = [p for p in chosen if p[0] not in held and self._guard(p[1])]
        development.distractors = [text for _, text in chosen[len(development.queries) - DOCUMENTS :]]
        self.development.append(development)
        self.texts += [("passage", fragment(text, draw.randint(8, 60), draw)) for _, text in chosen[: share.passages]]
        whole = chosen[share.passages : share.passages + share.whole_passages]
        self.texts += [("whole passage", text) for _, text in whole]
        for _, text in chosen[: share.passage_pairs]:
            sentences = _SENTENCE.split(text)
            if len(sentences) >= 3:
                self.pairs.append(("manuals", sentences[1], " ".join(sentences[:1] + sentences[2:])))

    def add_entries(self, entries: Iterable[tuple[str, str]]) -> None:
        """Headwords and definitions; development asks for definitions that do not hold the word."""
        share, draw = self._share, self._draw
        chosen = [e for e in entries if self._guard(e[1])]
        draw.shuffle(chosen)
        held = min(4 * QUERIES, len(chosen) // 5)
        development = Development("dictionary")
        known = set()
        for headword, text in chosen[:held]:
            if headword.lower() in known or headword.lower() in text.lower() or len(text.split()) < 8:
                development.distractors.append(f"{headword} {text}")
            elif len(development.queries) < QUERIES:
                known.add(headword.lower())
                development.queries.append(headword)
                development.answers.append(" ".join(text.split()[:60]))
        del development.distractors[DOCUMENTS - len(development.answers) :]
        self.development.append(development)
        chosen = chosen[held:]
        for number, (headword, text) in enumerate(chosen[: share.definitions]):
            text = " ".join(text.split()[: draw.randint(10, 60)])
            self.texts.append(("definition", text if number % 3 == 0 else f"{headword}. {text}"))
        self.texts += [("headword", headword) for headword, _ in chosen[: share.headwords]]
        self.pairs += [("dictionary", headword, " ".join(text.split()[:60])) for headword, text in chosen]

    def write(self, out: Path) -> None:
        """Write ``texts.jsonl``, ``pairs.jsonl`` and ``dev/*``, shuffled."""
        self._draw.shuffle(self.texts)
        self._draw.shuffle(self.pairs)
        out.mkdir(parents=True, exist_ok=True)
        with (out / "texts.jsonl").open("w") as file:
            file.writelines(json.dumps({"kind": kind, "text": text}) + "\n" for kind, text in self.texts)
        with (out / "pairs.jsonl").open("w") as file:
            file.writelines(json.dumps({"kind": kind, "query": q, "text": text}) + "\n" for kind, q, text in self.pairs)
        for development in self.development:
            if development.queries:
                development.write(out / "dev")


def build(
    out: Path,
    medline_files: list[Path],
    passage_files: list[Path],
    dictionaries: list[Path],
    exclude: list[Path],
    share: Share,
    seed: int,
) -> dict[str, int]:
    """Draw from the files given and write to ``out``; returns counts by kind."""
    guard = Guard(exclude)
    drawn = Drawn(guard, share, seed)
    drawn.add_articles(article for path in medline_files for article in medline(path))
    drawn.add_passages(passage for path in passage_files for passage in passages(path))
    drawn.add_entries(entry for path in dictionaries for entry in dictionary(path))
    drawn.write(out)
    counts = Counter(kind for kind, _ in drawn.texts)
    return {"dropped as near-duplicates of judged texts": guard.dropped, "pairs": len(drawn.pairs), **counts}
