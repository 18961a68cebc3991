"""What is no text for people inside a text: left out of passages and index, told, and stored as it is."""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from pathlib import Path

import pytest

import bookwheel
from bookwheel import LibraryEmpty
from bookwheel.cli.main import main
from bookwheel.documents.noise import without_noise

RANDOM = random.Random(5)
LINES = base64.encodebytes(RANDOM.randbytes(3000)).decode()
LINE = LINES.replace("\n", "")
PEM = "-----BEGIN RSA PRIVATE KEY-----\n{}-----END RSA PRIVATE KEY-----".format(LINES[:800] + "\n")
SCRIPT = "!function(e,t){" + "".join(f"var a{i}=function(e){{return e.b{i}(t,{i})}};" for i in range(40)) + "}"
UUENCODED = "begin 644 kite.bin\n" + ("M" + "#$5F9V@" * 8 + "!!!!\n") * 4 + "`\nend"

NOISE = {
    "lines": ("block of encoded data", LINES),
    "quoted lines": ("block of encoded data", LINES.replace("\n", "\n> ")[:-2]),
    "one line": ("block of encoded data", LINE),
    "of text": ("block of encoded data", base64.b64encode(b"the quick brown fox jumps over the lazy dog " * 5).decode()),
    "of JSON": ("block of encoded data", base64.b64encode(json.dumps({"key": list(range(50))}).encode()).decode()),
    "for URLs": ("block of encoded data", base64.urlsafe_b64encode(RANDOM.randbytes(300)).decode()),
    "certificate": ("block of encoded data", PEM.replace("RSA PRIVATE KEY", "CERTIFICATE")),
    "uuencoded": ("block of encoded data", UUENCODED),
    "key": ("private key", PEM),
    "key in JSON": ("private key", PEM.replace("\n", "\\n")),
    "picture": ("data: URI", f"data:image/png;base64,{LINE[:500]}"),
    "drawing": ("data: URI", "data:image/svg+xml,%3Csvg%20xmlns=%27http%3A//www.w3.org/2000/svg%27" + "%20d=%27M0%27" * 9),
    "script": ("minified script", SCRIPT),
}

TEXTS = {
    "checksum": "sha512 " + "0123456789abcdef" * 8,
    "path": "/Projects/2024/QuarterlyReports/FinalVersion/SalesDepartmentNorthRegion/Document2024_v3-final",
    "slug": "https://example.org/2024-11-28-How-to-fly-a-kite-in-5-easy-steps-without-breaking-it-or-you-at-all-2",
    "name": "test_that_a_very_long_name_of_a_function_in_Python_3_is_left_as_it_stands_in_the_text_x2",
    "rule": "-" * 90 + "\n" + "_" * 90 + "\n" + "=" * 90,
    "genes": "ACGT" * 40,
    "Chinese": "风筝在湖上飞。" * 100,
    "Thai": "ว่าวบินเหนือทะเลสาบ" * 50,
    "numbers": ",".join(f"{n};{3 * n}" for n in range(400)),
    "long paragraph": "The kite flies; it lands (softly), and then {it} flies again. " * 30,
    "long code": "    result = compute(first, second); " * 30,
    "data": "data: the kite flew, " + "and it landed " * 20,
}


@pytest.mark.parametrize("name", NOISE)
def test_noise_is_blanked_in_place(name: str) -> None:
    kind, noise = NOISE[name]
    head, tail = "The kite flies over the lake:\n", "\nand lands softly."
    found: Counter[str] = Counter()
    text = head + noise + tail
    said = without_noise(text, found)
    assert len(said) == len(text)
    assert said.split() == (head + tail).split()
    assert said.count("\n") == text.count("\n")
    assert found == {kind: 1}
    assert without_noise(text[3 : len(text) - 3]) == said[3 : len(text) - 3]  # a passage says the same as all of it


@pytest.mark.parametrize("name", TEXTS)
def test_text_stays(name: str) -> None:
    text = f"Before.\n{TEXTS[name]}\nAfter."
    assert without_noise(text) is text


def test_a_key_that_is_cut_is_known_by_its_lines() -> None:
    said = without_noise(PEM.removesuffix("-----END RSA PRIVATE KEY-----"))
    assert said.split() == ["-----BEGIN", "RSA", "PRIVATE", "KEY-----"]


@pytest.mark.parametrize(
    "text", ["-----BEGIN A-----\n" * 50_000, "begin 644 x\n" * 100_000, "data:;a;a," * 100_000, ("a" * 59 + " ") * 20_000]
)
def test_hostile_texts_take_no_time(text: str) -> None:
    assert len(without_noise(text)) == len(text)


def test_in_a_library(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = f"The kite flies over the lake.\n\n{LINES}\n{PEM}\n\nAfter the data it lands softly.\n"
    (tmp_path / "a.txt").write_text(text)
    (tmp_path / "b.jsonl").write_text(
        json.dumps({"id": "b", "text": f"a record with ![x](data:image/png;base64,{LINE[:300]})"})
    )
    assert main(["index", str(tmp_path / "a.txt"), str(tmp_path / "b.jsonl"), "--library", str(tmp_path / "library")]) == 0
    told = "stored, but not indexed: 1 block of encoded data, 1 data: URI, 1 private key"
    assert told in capfd.readouterr().out
    with bookwheel.open(tmp_path / "library") as library:
        assert library[str(tmp_path / "a.txt")].text == text
        assert library.passage_count == 3  # none of nothing but data
        words = [word for line in LINES.split() for word in line.replace("/", "+").split("+") if len(word) > 8]
        for word in (*words[:5], "PRIVATE"):
            assert not library.search(word, recipe="bm25")
        (result,) = library.search("lands", recipe="bm25")
        assert result.text == text[result.start : result.end] == "After the data it lands softly."
        seen: list[str] = []
        library.add_encoder("own", lambda texts: seen.extend(texts) or [[1.0, float(len(text))] * 4 for text in texts])
        library.embed("own")
        assert not any(LINE[:40] in one.replace("\n", "") for one in seen)
        assert library.check() == []


def test_the_title_of_what_is_nothing_else_is_found(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.add({"id": "1", "title": "Signing certificate of the lake", "text": LINES})
        library.add({"id": "2", "title": "Other", "text": "The kites are flying over the hills, says the man of the house."})
        words = [word for line in LINES.split() for word in line.replace("/", "+").split("+") if len(word) > 8]
        for _ in range(2):
            (result,) = library.search("certificates", recipe="bm25")
            assert (result.id, result.text) == ("1", LINES)
            assert not any(library.search(word, recipe="bm25") for word in words[:5])
            library.compact()
        assert library.check() == []


def test_any_order_of_languages_leaves_it_out(tmp_path: Path) -> None:
    """What is of no language is analysed again from the stored text once there are others."""
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.add({"id": "1", "text": f"kites {LINES} fly"})
        library.add(
            {"id": str(n), "text": "The kites are flying over the hills and the lakes, says the man of the house."}
            for n in range(9)
        )
        words = [word for line in LINES.split() for word in line.replace("/", "+").split("+") if len(word) > 8]
        assert not any(library.search(word, recipe="bm25") for word in words[:9])
        assert "1" in {result.id for result in library.search("kite", recipe="bm25", k=50)}


def test_a_library_of_nothing_to_search_is_not_called_empty(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.add({"id": "1", "text": LINES})
        assert (len(library), library.passage_count) == (1, 0)
        with pytest.raises(LibraryEmpty, match="the one document has no text to search in the library"):
            library.search("kite")
        library.remove("1")
        with pytest.raises(LibraryEmpty, match="is empty"):
            library.search("kite")
