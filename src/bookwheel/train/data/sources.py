"""Where the pairs come from that an encoder is trained on: one function a source, and their names.

A new source is a function here, or in a file beside, and a line in `SOURCES`.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from ..._errors import InputError, UsageError
from ...evaluate.lines import json_values, read_lines
from ...evaluate.load import load_collection
from ...language import problem
from ...library.clicks import Clicks
from ...library.library import Library
from ...library.passage_texts import passage_texts
from ...library.query_texts import MAX_QUERY, searchable_text
from ...library.storable import storable
from ...read.sentences import is_heading, spans
from ...tune.made.copied import Copied
from ...tune.made.drawn import Drawn
from ...tune.made.masking import plain_words
from ...tune.made.registry import WAYS
from ...tune.made.wording import is_name, one_line
from .made import ASKED, MADE, made
from .material import Material
from .pairs import LONGEST, Pair
from .stand_ins import StandIns

__all__ = ["CROPPED", "SOURCES", "Source", "answered", "pairs_of", "source_of"]

CROPPED = 0.5
"""The share of sentences of which only a part stands for a query: people type few words."""
LEAST_CROPPED = 4
"""Words of such a part."""
SECTION = 40
"""Characters below a heading, at least."""
ANSWERS = 5
"""Documents that answer one query, at most."""
DEEP = 50
"""Passages in which the best one of a document is looked for."""
AT_ONCE, OWNERS = 64, 256
"""Queries that are ranked, and passages whose documents are looked up, at a time."""
LONGEST_LINE = 1 << 20
"""Bytes."""
FIELDS = (("query", "answer"), ("anchor", "positive"))
"""What a line of a file of pairs calls them; the second as sentence-transformers does."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source, and the file or folder that it reads, if it reads one."""

    name: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.name}={self.path}" if self.path else self.name


def source_of(text: str) -> Source:
    """What ``text`` names, such as ``titles`` or ``pairs=FILE``. Raises `UsageError`."""
    name, _, path = text.partition("=")
    if name not in SOURCES:
        raise UsageError(f"there is no source {name!r:.60} of pairs; choose from {', '.join(NAMED.values())}")
    if not path and name in ("judgments", "log", "pairs"):
        verb = "is" if name == "log" else "are"
        raise UsageError(f"{name} {verb} read from a {'folder' if name == 'judgments' else 'file'}; give {NAMED[name]}")
    if not path and name in ASKED:
        what = "texts" if name == "described" else "questions"
        raise UsageError(f"{name} {what} are a language model's; give {NAMED[name]}, such as {name}=smollm2")
    if path and "=" not in NAMED[name]:
        raise UsageError(f"{name} are those of the library; give {name} alone")
    if name == Copied.name and (wrong := problem(path, copying=True)):
        raise UsageError(wrong)
    return Source(name, path)


def pairs_of(material: Material, sources: Sequence[Source], held_out: Sequence[str]) -> Iterator[Pair]:
    """The pairs of all ``sources``, one after the other, but those with a query of ``held_out``. Raises `InputError`."""
    left_out = {plain_words(query) for query in held_out}
    for domain, one in enumerate(sources):
        for pair in SOURCES[one.name](material, one.path):
            if plain_words(pair.query) not in left_out:
                yield replace(pair, domain=domain) if domain else pair


def _titles(material: Material, _: str) -> Iterator[Pair]:
    """Titles, headings and sentences of passages, each with its passage without it; of half of the sentences a part only."""
    wording = Drawn.of(material.own, material.seed).wording
    stand_ins = StandIns(wording, material.seed)
    passages = material.passages
    store = material.copy._snapshot.store
    owners: dict[int, tuple[int, str]] = {}
    for at, title, text in passages.texts():
        passage = int(passages.ids[at])
        if passage not in owners:
            owners = store.documents_of(passages.ids[at : at + OWNERS].tolist())
        document = owners[passage][0] if passage in owners else -1 - passage
        draw = random.Random(f"{material.seed} cropped {passage}")
        for one in stand_ins.of(passage, document, title, text):
            query = one.query if one.is_title or draw.random() >= CROPPED else _cropped(one.query, draw)
            yield Pair(query, one.answer(title, text)[:LONGEST], document)
        for start, end in spans(text):
            line = one_line(text[start:end])
            if is_heading(text[start:end]) and not is_name(line) and wording.usable(line) and len(text) - end >= SECTION:
                rest = f"{text[:start]} {text[end:]}"
                yield Pair(line, (f"{title}\n{rest}" if title else rest)[:LONGEST], document)


def _cropped(sentence: str, draw: random.Random) -> str:
    """A run of words of ``sentence``, of half of them or more; all of one in a script without spaces."""
    words = sentence.split()
    if len(words) <= LEAST_CROPPED:
        return sentence
    count = draw.randint(max(LEAST_CROPPED, len(words) // 2), len(words))
    start = draw.randint(0, len(words) - count)
    return " ".join(words[start : start + count])


def _queries(material: Material, path: str) -> Iterator[Pair]:
    """Queries that people asked, with what they opened or what answers quoted."""
    file = Path(path).expanduser() if path else Clicks(material.own.path).path
    if not file.exists():
        raise InputError(
            f"there is no log {file}; give another file"
            if path
            else f"the library {material.own.path} keeps no clicks; run bookwheel serve --keep-clicks, or give queries=FILE"
        )
    drawn = Drawn.of(material.own, material.seed, logs=[file])
    asked: dict[str, list[str]] = {}
    for way in ("answers", "clicks"):
        for draft in WAYS[way].drafts(drawn):
            firsts = [material.own._snapshot.store.range_of(number)[0] for number in draft.relevant]
            names = material.own._snapshot.store.documents_of(firsts)
            asked.setdefault(draft.text, []).extend(name for _, name in names.values())
    yield from _answered(material, asked, file)


def _judgments(material: Material, path: str) -> Iterator[Pair]:
    """Judged queries with the documents that answer them; of a BEIR folder those for training, where it has such."""
    folder = Path(path).expanduser()
    collection = load_collection(folder, "train" if (folder / "qrels" / "train.tsv").exists() else "test")
    asked = {
        collection.queries[query]: [name for name, grade in collection.qrels[query].items() if grade > 0]
        for query in collection.judged
    }
    yield from _answered(material, asked, folder)


def _answered(material: Material, asked: Mapping[str, Sequence[str]], path: Path) -> Iterator[Pair]:
    """`answered`, with a note of how many queries of ``path`` are left out."""
    if unusable := sum(searchable_text(query) is None for query in asked):
        are = "query is" if unusable == 1 else "queries are"
        material.notes.append(
            f"Of {path} {unusable:,} {are} left out: without text that can be searched, or with more than {MAX_QUERY:,} characters."
        )
    yield from answered(material.copy, asked)


def answered(library: Library, asked: Mapping[str, Sequence[str]]) -> Iterator[Pair]:
    """A pair for each query and document, with the document's passage that BM25 ranks first for the query; none for a query that cannot
    be searched.
    """
    store, generation = library._snapshot.store, library.generation
    usable = [(text, names) for query, names in asked.items() if (text := searchable_text(query)) is not None]
    for start in range(0, len(usable), AT_ONCE):
        some = usable[start : start + AT_ONCE]
        for (query, names), hits in zip(some, library.rank_many([text for text, _ in some], DEEP, "bm25"), strict=True):
            numbers = [found[0] for name in names[:ANSWERS] if len(found := store.find(generation, name)) == 1]
            best = {number: store.range_of(number)[0] for number in numbers}
            ranked = store.documents_of(hits.ids.tolist())
            for passage in reversed(hits.ids.tolist()):
                if passage in ranked and ranked[passage][0] in best:
                    best[ranked[passage][0]] = passage
            for (number, _), text in zip(best.items(), passage_texts(store, list(best.values()), LONGEST), strict=True):
                if text:
                    yield Pair(query, text, number)


def _pairs(material: Material, path: str) -> Iterator[Pair]:
    """The lines of a file: JSON with ``query`` and ``answer`` (or ``anchor`` and ``positive``), or two columns with a tab between."""
    file = Path(path).expanduser()
    tabs = file.suffix == ".tsv"
    lines = read_lines(file) if tabs else json_values(file, LONGEST_LINE)
    for line, value in lines:
        pair = _two(value)
        if pair is None:
            wanted = "two columns with a tab between" if tabs else 'JSON like {"query": "…", "answer": "…"}'
            raise InputError(f"{file}:{line} is no pair of a query and its answer; expected {wanted}")
        query, answer = (storable(text).strip() for text in pair)
        if query and answer:
            yield Pair(query[:LONGEST], answer[:LONGEST], _number(answer[:LONGEST]))


def _number(answer: str) -> int:
    """The number of the document, below 0, that an answer is where it is of none in the library: the same in every file, by its text."""
    return -1 - (int.from_bytes(hashlib.blake2b(answer.encode(), digest_size=8).digest()) >> 1)


def _two(value: object) -> tuple[str, str] | None:
    if isinstance(value, str):
        columns = value.split("\t")
        return (columns[0], columns[1]) if len(columns) >= 2 else None
    if isinstance(value, dict):
        for query, answer in FIELDS:
            if isinstance(value.get(query), str) and isinstance(value.get(answer), str):
                return value[query], value[answer]
    return None


SOURCES: Mapping[str, Callable[[Material, str], Iterator[Pair]]] = MappingProxyType(
    {
        "titles": _titles,
        **{way: made(way) for way in MADE},
        "queries": _queries,
        "log": _queries,
        "judgments": _judgments,
        "pairs": _pairs,
    }
)
"""Name to function."""
NAMED = {
    "titles": "titles",
    **{way: f"{way}=MODEL" if way in ASKED else way for way in MADE},
    "queries": "queries[=FILE]",
    "log": "log=FILE",
    "judgments": "judgments=FOLDER",
    "pairs": "pairs=FILE",
}
"""How each is given."""
