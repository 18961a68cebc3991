"""The texts a static model is fitted on, and the development collections it is chosen on (used by ``distil_static.py``)."""

from __future__ import annotations

import gzip
import json
import random
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

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


def build(
    out: Path,
    medline_files: list[Path],
    passage_files: list[Path],
    dictionaries: list[Path],
    exclude: list[Path],
    share: Share,
    seed: int,
) -> dict[str, int]:
    """Write ``texts.jsonl`` (kind, text), ``pairs.jsonl`` (kind, query, text) and ``dev/*`` to ``out``; counts by kind."""
    draw = random.Random(seed)
    guard = Guard(exclude)
    out.mkdir(parents=True, exist_ok=True)
    texts: list[tuple[str, str]] = []
    pairs: list[tuple[str, str, str]] = []

    articles = sorted({title: abstract for path in medline_files for title, abstract in medline(path)}.items())
    articles = [a for a in articles if guard(*a)]
    draw.shuffle(articles)
    held, articles = articles[:1500], articles[1500:]
    development = Development("medline", [t for t, _ in held], [a for _, a in held], [a for _, a in articles[-2500:]])
    development.write(out / "dev")
    texts += [("title", title) for title, _ in articles[: share.titles]]
    texts += [("abstract", " ".join(abstract.split()[:180])) for _, abstract in articles[: share.abstracts]]
    texts += [
        ("fragment", fragment(abstract, draw.randint(12, 60), draw))
        for _, abstract in draw.choices(articles, k=share.fragments)
    ]
    pairs += [("medline", title, abstract) for title, abstract in articles]

    manual = [p for path in passage_files for p in passages(path) if _running(p[1])]
    draw.shuffle(manual)
    sources = sorted({title for title, _ in manual})
    held_sources = set(draw.sample(sources, len(sources) // 20))
    development = Development("manuals")
    for title, text in manual:
        sentences = _SENTENCE.split(text)
        if title not in held_sources or len(sentences) < 3 or not guard(text) or len(development.queries) == 1500:
            continue
        query = sentences[1]
        if 6 <= len(query.split()) <= 25:
            development.queries.append(query)
            development.answers.append(" ".join(sentences[2:]))
    manual = [p for p in manual if p[0] not in held_sources and guard(p[1])]
    development.distractors = [text for _, text in manual[-2500:]]
    development.write(out / "dev")
    texts += [("passage", fragment(text, draw.randint(8, 60), draw)) for _, text in manual[: share.passages]]
    texts += [("whole passage", text) for _, text in manual[share.passages : share.passages + share.whole_passages]]
    for _, text in manual[:60_000]:
        sentences = _SENTENCE.split(text)
        if len(sentences) >= 3:
            pairs.append(("manuals", sentences[1], " ".join(sentences[:1] + sentences[2:])))

    entries = [e for path in dictionaries for e in dictionary(path) if guard(e[1])]
    draw.shuffle(entries)
    development = Development("dictionary")
    held_entries, entries = entries[:6000], entries[6000:]
    known = set()
    for headword, text in held_entries:
        if headword.lower() in known or headword.lower() in text.lower() or len(text.split()) < 8:
            development.distractors.append(f"{headword} {text}")
        elif len(development.queries) < 1500:
            known.add(headword.lower())
            development.queries.append(headword)
            development.answers.append(" ".join(text.split()[:60]))
    development.distractors = development.distractors[: 4000 - len(development.answers)]
    development.write(out / "dev")
    for number, (headword, text) in enumerate(entries[: share.definitions]):
        text = " ".join(text.split()[: draw.randint(10, 60)])
        texts.append(("definition", text if number % 3 == 0 else f"{headword}. {text}"))
    texts += [("headword", headword) for headword, _ in entries[: share.headwords]]
    pairs += [("dictionary", headword, " ".join(text.split()[:60])) for headword, text in entries]

    draw.shuffle(texts)
    draw.shuffle(pairs)
    with (out / "texts.jsonl").open("w") as file:
        file.writelines(json.dumps({"kind": kind, "text": text}) + "\n" for kind, text in texts)
    with (out / "pairs.jsonl").open("w") as file:
        file.writelines(json.dumps({"kind": kind, "query": query, "text": text}) + "\n" for kind, query, text in pairs)
    counts: dict[str, int] = {"dropped as near-duplicates of judged texts": guard.dropped, "pairs": len(pairs)}
    for kind, _ in texts:
        counts[kind] = counts.get(kind, 0) + 1
    return counts
