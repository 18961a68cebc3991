"""Shapes of data that hold much in little, each laid beside good documents, and a process that takes them in within a budget."""

from __future__ import annotations

import base64
import json
import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, cycle, islice
from pathlib import Path
from typing import Any

from limits import run_within

MB = 1 << 20

GOOD = ("ibis", "quokka")
"""A word of the good documents read before the shape, and one of those read after it."""

CHILD = """
import json, sys, threading, time
from pathlib import Path
import bookwheel
from bookwheel._system import anonymous_bytes

class Peak(threading.Thread):
    # The most anonymous memory since the last time it was asked.
    def __init__(self):
        super().__init__(daemon=True)
        self.most = 0
    def run(self):
        while True:
            self.most = max(self.most, anonymous_bytes() or 0)
            time.sleep(0.02)
    def take(self):
        most, self.most = self.most, 0
        return most

peak = Peak()
peak.start()

def tell(shape, began, **found):
    told = {"shape": shape, "peak": peak.take(), "seconds": time.process_time() - began, **found}
    print(json.dumps(told), flush=True)
"""
"""The beginning of a child process, which tells of each shape how much memory it took."""


def within(python: str, environment: dict[str, str], code: str, *arguments: object, limit: int = 256 * MB) -> dict[str, Any]:
    """What a child within the limit told of each shape; fails where it did not keep it."""
    ended = run_within(limit, [python, "-c", CHILD + code, *map(str, arguments)], environment)
    told = [json.loads(line) for line in ended.output.splitlines() if line.startswith("{")]
    for one in told:
        print(f"{ended.how} {one['peak'] >> 20:4} MB {one['seconds']:5.1f} s  {one['shape']}", file=sys.stderr)
    ended.check()
    return {one["shape"]: one for one in told}


@dataclass(frozen=True)
class Shape:
    """What is written, and what must come of it."""

    name: str
    write: Callable[[Path], None]
    documents: int = 0
    """How many documents of it are stored, good ones not counted."""
    told: str = ""
    """What a failure says, where one must be told."""
    find: str = ""
    """A word that its documents have, and no good one."""
    named: int = 0
    """How many of them have it, where not all do."""
    slow: bool = False


def lines(path: Path, records: Iterable[Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for record in records:
            json.dump(record, file, ensure_ascii=False)
            file.write("\n")


@cache
def vocabulary() -> tuple[list[str], list[float]]:
    dice = random.Random(0)
    words = [base64.b32encode(dice.randbytes(3)).decode().lower().rstrip("=") for _ in range(20_000)]
    return words, list(accumulate(1 / (n + 1) for n in range(len(words))))


def english(characters: int, seed: int = 0) -> str:
    """Words drawn by Zipf's law from 20,000, in sentences."""
    words, cumulated = vocabulary()
    drawn = random.Random(seed).choices(words, cum_weights=cumulated, k=characters // 5)
    pieces = (" ".join(drawn[at : at + 12]).capitalize() + ". " for at in range(0, len(drawn), 12))
    return "".join(pieces)[:characters]


def chinese(characters: int, zipf: bool = False, seed: int = 0) -> str:
    """Characters drawn from 15,000, with a full stop after every thirty."""
    dice = random.Random(seed)
    signs = [chr(code) for code in range(0x4E00, 0x4E00 + 15_000)]
    dice.shuffle(signs)
    weights = [1 / (n + 1) for n in range(len(signs))] if zipf else None
    drawn = dice.choices(signs, weights, k=characters)
    return "".join("".join(drawn[at : at + 30]) + "。" for at in range(0, characters, 30))


def different(characters: int, length: int = 8, seed: int = 0) -> str:
    """Words that are all different."""
    dice = random.Random(seed)
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    letters = "".join(islice(cycle(dice.choices(alphabet, k=1 << 20)), characters))
    # A part of each is its number, so that none repeats.
    return " ".join(f"{letters[at : at + length - 4]}{at:x}" for at in range(0, characters, length + 1))


def many_titles(folder: Path) -> None:
    body = english(400_000)
    lines(folder / "m.jsonl", ({"_id": f"t{n}", "title": english(1_000_000, n) + " heron", "text": body} for n in range(3)))


def long_metadata(folder: Path) -> None:
    note = english(4_000_000)
    lines(folder / "m.jsonl", ({"_id": f"t{n}", "text": f"heron number {n}", "note": note + str(n)} for n in range(40)))


def many_fields(folder: Path) -> None:
    lines(
        folder / "m.jsonl",
        ({"_id": f"t{n}", "text": f"heron {n}"} | {f"field{f}": f"value {n} {f}" for f in range(10_000)} for n in range(80)),
    )


def crawl(folder: Path) -> None:
    page = "<div class='x'>" + english(200_000) + "</div>"
    lines(folder / "m.jsonl", ({"_id": f"t{n}", "text": english(900, n) + " heron", "html": page + str(n)} for n in range(900)))


def one_text(make: Callable[[], str]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        text = make()
        lines(folder / "m.jsonl", [{"_id": "t0", "text": f"heron. {text} heron"}])

    return write


def small_objects(folder: Path) -> None:
    many = [{"a": n % 10} for n in range(960_000)]
    lines(folder / "m.jsonl", [{"_id": "t0", "text": "heron", "objects": many}])


def half_a_million_fields(folder: Path) -> None:
    lines(folder / "m.jsonl", [{"_id": "t0", "text": "heron"} | {f"f{n}": n for n in range(550_000)}])


def long_window(folder: Path) -> None:
    from bookwheel.documents.zstd import module

    zstd = module()
    records = "".join(json.dumps({"_id": f"t{n}", "text": f"heron {n} {english(1000, n)}"}) + "\n" for n in range(20_000))
    options = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.enable_long_distance_matching: 1}
    compressor = zstd.ZstdCompressor(options=options)
    data = records.encode() * 4
    packed = [compressor.compress(data[at : at + (1 << 20)]) for at in range(0, len(data), 1 << 20)] + [compressor.flush()]
    (folder / "m.jsonl.zst").write_bytes(b"".join(packed))


def wide_cells(folder: Path) -> None:
    with (folder / "m.csv").open("w") as file:
        file.write("id,title,text,note\n")
        note = english(4_000_000).replace(",", " ")
        for n in range(40):
            file.write(f"t{n},short,heron {n},{note}{n}\n")


def many_columns(folder: Path) -> None:
    columns = 400_000
    with (folder / "m.csv").open("w") as file:
        file.write("text," + ",".join(f"c{n}" for n in range(columns)) + "\n")
        file.write("heron," + ",".join(str(n) for n in range(columns)) + "\n")


def long_ids(folder: Path) -> None:
    lines(folder / "m.jsonl", ({"_id": f"{n}" + "i" * 1_000_000, "text": f"heron {n}"} for n in range(250)))


def list_of_records(folder: Path) -> None:
    with (folder / "m.json").open("w") as file:
        json.dump([{"id": f"t{n}", "text": f"heron {n}", "html": "x" * 90_000} for n in range(100)], file)


def list_with_one_deep(folder: Path) -> None:
    with (folder / "m.json").open("w") as file:
        json.dump([{"id": "t0", "text": "heron", "rest": [[] for _ in range(2_400_000)]}], file)


def after_a_full_segment(folder: Path) -> None:
    """Small documents until postings fill their share, then one record of 10 MB."""
    words = different(9_000_000, 9).split()
    lines(
        folder / "m1.jsonl", ({"_id": f"s{n}", "text": " ".join(words[30 * n : 30 * n + 30])} for n in range(len(words) // 30))
    )
    lines(folder / "m2.jsonl", [{"_id": "t0", "text": "heron " + english(10_000_000)}])


def old_encodings(folder: Path) -> None:
    """Small documents that fill the room for postings, then texts whose encoding must be guessed."""
    words = different(6_000_000, 9).split()
    lines(folder / "m1.jsonl", ({"_id": f"s{n}", "text": " ".join(words[30 * n : 30 * n + 30])} for n in range(20_000)))
    western = "Der heron fliegt über die Brücke; où est-il allé, señor? Größe und Maß. "
    japanese = "heron 図書館では静かに本を読みましょう。カタカナもひらがなもあります。"
    for n in range(100):
        (folder / f"m2 {n} western.txt").write_bytes((western * 40 + str(n)).encode("cp1252"))
        (folder / f"m2 {n} japanese.txt").write_bytes((japanese * 40 + str(n)).encode("shift_jis"))


def bomb_of_blanks(folder: Path) -> None:
    import gzip

    with gzip.open(folder / "m.jsonl.gz", "wb", compresslevel=1) as file:
        file.write(b'{"_id": "t0", "text": "heron')
        for _ in range(300):
            file.write(b" " * (1 << 20))
        file.write(b'"}\n')


def every_escape(folder: Path) -> None:
    r"""A record in which each letter is written \uXXXX."""
    escaped = "".join(f"\\u{code:04x}" for code in random.Random(0).choices(range(0x4E00, 0x8000), k=1_600_000))
    (folder / "m.jsonl").write_text('{"_id": "t0", "text": "heron ' + escaped + '"}\n')


SHAPES = [
    Shape("titles of 1 MB", many_titles, 3, find="heron"),
    Shape("metadata of 4 MB", long_metadata, 40, find="heron", slow=True),
    Shape("10,000 fields", many_fields, 80, find="heron", slow=True),
    Shape("a crawl with its pages", crawl, 900, find="heron", slow=True),
    Shape("6 MB of Chinese", one_text(lambda: chinese(2_000_000)), 1, find="heron"),
    Shape("9 MB of Zipf Chinese", one_text(lambda: chinese(3_000_000, zipf=True)), 1, find="heron", slow=True),
    Shape("9 MB of different words", one_text(lambda: different(9_000_000)), 1, find="heron", slow=True),
    Shape("5 MB of three-letter words", one_text(lambda: different(5_000_000, 5)), 1, find="heron", slow=True),
    Shape("9 MB of short sentences", one_text(lambda: "Ab c. " * 1_500_000), 1, find="heron", slow=True),
    Shape("9 MB of line ends", one_text(lambda: "a\n\n" * 2_000_000), 1, find="heron", slow=True),
    Shape("a million small objects", small_objects, told="m.jsonl:1: the record would take"),
    Shape("550,000 fields", half_a_million_fields, 1, find="heron", slow=True),
    Shape("zstd with a window of 128 MB", long_window, told="m.jsonl.zst"),
    Shape("cells of 4 MB", wide_cells, 40, find="heron"),
    Shape("400,000 columns", many_columns, 1, find="heron"),
    Shape("ids of 1 MB", long_ids, told="has an ID of 1,00"),
    Shape("a list of records", list_of_records, 100, find="heron"),
    Shape("a list with one deep record", list_with_one_deep, told="m.json"),
    Shape("10 MB after a full segment", after_a_full_segment, 30_001, find="heron", named=1, slow=True),
    Shape("200 files in old encodings", old_encodings, 20_200, find="heron", named=200, slow=True),
    Shape("300 MB of blanks in a line", bomb_of_blanks, told="m.jsonl.gz:1"),
    Shape("every letter escaped", every_escape, 1, find="heron", slow=True),
]
