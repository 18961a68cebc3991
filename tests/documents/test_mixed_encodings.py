"""Files whose lines are in different encodings, and streams whose encoding shows late."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest
from one_file import items

from bookwheel import Document
from bookwheel.documents.encoding import decode
from bookwheel.documents.recoding import utf8_stream

GERMAN = "Über größere Flüsse führen schöne Brücken.\n"
RUSSIAN = "Съешь же ещё этих мягких французских булок.\n"
NAMES = {
    "cp1252": [
        "Müller",
        "Jürgen",
        "Größe",
        "Café",
        "José",
        "Señor",
        "Zoë",
        "Élodie",
        "São Paulo",
        "François",
        "Ångström",
        "Muñoz",
    ],
    "cp1251": ["Иван", "Ольга", "Москва", "улица Ленина", "Пётр", "Дом", "Ёлка", "Сергей Кузнецов", "Ёж", "Юг", "Чай", "Мёд"],
    "gb18030": ["孩子们早上去学校", "学习读书和写字", "下午", "他们在公园里玩耍", "联通", "好"],
}
CHINESE = "孩子们早上去学校，学习读书和写字。\n下午他们在公园里玩耍。\n"
JAPANESE = "吾輩は猫である。\n名前はまだ無い。\n"
BY_CHANCE = {
    "gb18030": CHINESE + "联通\n" + CHINESE,
    "big5": "孩子們早上去學校，學習讀書和寫字。\n" * 3,
    "cp874": "เด็กนักเรียนไปโรงเรียนในตอนเช้า\nแกง\n" * 3,
    "cp932": JAPANESE * 3,
    "euc_jp": JAPANESE * 3,
    "euc_kr": "아이들은 아침에 학교에 가서\n읽기와 쓰기를 배웠다.\n" * 3,
}


@pytest.mark.parametrize(
    ("others", "text", "encoding"),
    [
        (GERMAN * 6, "Ein Café in Köln: Größe, Straße.\n", "cp1252"),
        (GERMAN, "Ein Café\n", "cp1252"),
        ("Ein Café\n" + "plain\n" * 9, "in Köln, naïve\n", "cp1252"),
        (GERMAN * 2, "plain\nEin Café in Köln: Größe, Straße.\n" * 9, "cp1252"),
        (RUSSIAN * 3, "Пётр пьёт чай\n", "cp1251"),
        (RUSSIAN * 3, "Пётр пьёт чай\n", "koi8-r"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy.\n" * 2, "Dnes je hezké počasí, žlutá šňůra\n", "cp1250"),
    ],
)
def test_each_line_in_its_encoding(others: str, text: str, encoding: str) -> None:
    assert decode(others.encode() + text.encode(encoding)) == others + text
    assert decode(text.encode(encoding) + others.encode()) == text + others
    before = "plain text in English\n" * 5000
    data = (before + others).encode() + text.encode(encoding) + others.encode()
    assert utf8_stream(io.BytesIO(data)).read().decode() == before + others + text + others


@pytest.mark.parametrize(
    "data",
    [
        b"gr\xc3\xb6\xff\xc3\x9fer und gr\xc3\xb6\xc3\x9fer",
        "größer und größer".encode() + b"\xc3\nab",
        "größer\n".encode() * 2 + b"ab\xe2\x80\ncd",
    ],
)
def test_damage_is_no_encoding(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    assert decode(data) == text
    assert utf8_stream(io.BytesIO(data)).read().decode() == text


def test_half_of_a_line_in_another_encoding_leaves_the_other_half() -> None:
    data = "Über größere Flüsse führen schöne Brücken. ".encode() * 3 + "Café in Köln".encode("latin-1")
    assert decode(data).startswith("Über größere Flüsse führen schöne Brücken. " * 3 + "Caf")


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "cp932", "euc_jp", "euc_kr", "cp1251", "cp866", "koi8-r", "cp874"])
def test_lines_that_are_utf_8_by_chance_change_nothing(encoding: str) -> None:
    """In these encodings some words are valid UTF-8."""
    lines = BY_CHANCE.get(encoding, RUSSIAN + "тон\n" + RUSSIAN)
    assert decode(lines.encode(encoding)) == lines
    before = "plain text in English\n" * 5000
    assert utf8_stream(io.BytesIO((before + lines).encode(encoding))).read().decode() == before + lines


@pytest.mark.parametrize("encoding", NAMES)
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_rows_that_show_the_encoding_late(tmp_path: Path, suffix: str, encoding: str) -> None:
    plain, names = [f"A plain note about birds number {number}" for number in range(2000)], NAMES[encoding] * 3
    if suffix == "csv":
        text = "id,text\n" + "".join(f"{number},{one}\n" for number, one in enumerate(plain + names))
    else:
        text = "".join(json.dumps({"text": one}, ensure_ascii=False) + "\n" for one in plain + names)
    found = [item.text for item in items(tmp_path / f"a.{suffix}", text.encode(encoding)) if isinstance(item, Document)]
    assert found == plain + names


@pytest.mark.parametrize("sizes", [1, 7, 1000])
def test_streams_that_come_in_small_pieces(sizes: int) -> None:
    class Slow(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self._inner = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            piece = self._inner.read(min(len(memoryview(buffer)), sizes))  # type: ignore[arg-type]
            memoryview(buffer)[: len(piece)] = piece  # type: ignore[arg-type]
            return len(piece)

    for text, encoding in ((GERMAN * 50 + "no end ü", "utf-8"), (GERMAN * 50, "cp1252"), ("x" * 500_000 + "ü" * 9, "utf-8")):
        if len(text) < 9000 or sizes == 1000:
            stream = utf8_stream(io.BufferedReader(Slow(text.encode(encoding))))  # type: ignore[arg-type]
            assert stream.read().decode() == text


def test_what_comes_before_damage_is_passed_on() -> None:
    class Damaged(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self._data = data

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            if not self._data:
                raise EOFError("cut off")
            memoryview(buffer)[: len(self._data)] = self._data  # type: ignore[arg-type]
            size, self._data = len(self._data), b""
            return size

    for data in ("Über\nden Flü".encode(), "Über\nden Flü".encode("cp1252"), "Über\n".encode() + "den Flü".encode("cp1252")):
        stream = utf8_stream(io.BufferedReader(Damaged(data)))  # type: ignore[arg-type]
        assert stream.readline().decode() == "Über\n"
        assert stream.read1().decode() == "den Flü"  # type: ignore[attr-defined]
        with pytest.raises(EOFError):
            stream.read1()  # type: ignore[attr-defined]


@pytest.mark.parametrize("line", [b"\xff\n", b"\xc3\xbc\n\xfc\n", b"\xe9" * 9, b"\xe9\xe9\xe9\n" * 3 + b"\xc3\xbc\n"])
def test_hostile_bytes_take_linear_time(line: bytes) -> None:
    began = time.process_time()
    assert decode(line * 50_000)
    assert utf8_stream(io.BytesIO(line * 50_000)).read()
    assert time.process_time() - began < 10
