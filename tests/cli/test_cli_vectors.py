"""Vectors made elsewhere, by command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from cli_helpers import Bookwheel

from bookwheel.encode.load import load_encoder

TEXTS = ["a red fox sleeps", "ships sail at dawn", "the fox hunts at night", "bread is baked at dawn"]


def corpus(folder: Path) -> Path:
    path = folder / "docs.jsonl"
    path.write_text("".join(json.dumps({"_id": f"d{n}", "text": text}) + "\n" for n, text in enumerate(TEXTS)))
    return path


def test_import_with_index_and_with_encoders(bookwheel: Bookwheel, tmp_path: Path) -> None:
    rows = load_encoder("static").encode(TEXTS)
    np.save(tmp_path / "emb.npy", rows)
    done = bookwheel("index", corpus(tmp_path), "--vectors", f"mine={tmp_path / 'emb.npy'}")
    assert done.code == 0, done.err
    status = bookwheel("encoders", "--json").json["encoders"]
    assert [(one["name"], one["embedded"], one["complete"]) for one in status] == [("mine", 4, True)]
    refused = bookwheel("search", "fox", "--recipe", "mine")
    assert refused.code == 2
    assert "made outside this library" in refused.err
    done = bookwheel("encoders", "add", "both=static", "--vectors", tmp_path / "emb.npy")
    assert done.code == 0, done.err
    found = bookwheel("search", "fox hunting", "--recipe", "both", "--json")
    assert found.code == 0
    assert found.json["results"][0]["id"] == "d2"


def test_what_does_not_fit_is_told_in_a_sentence(bookwheel: Bookwheel, tmp_path: Path) -> None:
    np.save(tmp_path / "emb.npy", np.ones((3, 8), np.float32))
    bookwheel("index", corpus(tmp_path))
    done = bookwheel("encoders", "add", "mine", "--vectors", tmp_path / "emb.npy")
    assert done.code == 2
    assert "3 vectors where the library has 4 passages of 4 documents" in done.err
    assert done.err.strip().count("\n") == 0
    assert bookwheel("encoders", "add", "mine").code == 2
    assert bookwheel("encoders", "--json").json["encoders"] == []


def test_terms_of_a_passage_are_shown(bookwheel: Bookwheel, tmp_path: Path) -> None:
    weights = [{"id": f"d{n}", "vector": {word: 1.0 + len(word) for word in text.split()}} for n, text in enumerate(TEXTS)]
    (tmp_path / "w.jsonl").write_text("".join(json.dumps(row) + "\n" for row in weights))
    bookwheel("index", corpus(tmp_path), "--vectors", f"words={tmp_path / 'w.jsonl'}")
    assert "terms: sleeps 7.00, fox 4.00, red 4.00, a 2.00" in bookwheel("show", "d0", "--terms", "words").out
    (document,) = bookwheel("show", "d0", "--terms", "words", "--json").json
    assert list(document["terms"][0]) == ["sleeps", "fox", "red", "a"]
    assert bookwheel("show", "d0", "--terms", "bm25").code == 2


def test_a_search_may_say_that_nothing_fits(bookwheel: Bookwheel, tmp_path: Path) -> None:
    birds = ["heron", "stork", "crane", "plover", "curlew", "bittern", "grebe", "coot", "teal", "smew", "eider", "gadwall"]
    texts = [
        f"the {bird} wades in shallow water of the marsh at dawn and hunts frogs near reeds number {n}"
        for n, bird in enumerate(birds)
    ]
    path = tmp_path / "birds.jsonl"
    path.write_text("".join(json.dumps({"_id": bird, "text": text}) + "\n" for bird, text in zip(birds, texts, strict=True)))
    bookwheel("index", path)
    assert (
        bookwheel("search", "stork in shallow water of the marsh", "--cutoff", "0.2", "--json").json["results"][0]["id"]
        == "stork"
    )
    nothing = bookwheel("search", "parliament votes on income tax", "--cutoff", "0.5")
    assert nothing.code == 1
    assert "nothing found" in nothing.err
    assert bookwheel("search", "parliament votes on income tax").code == 0
    assert bookwheel("search", "stork", "--cutoff", "2").code == 2


def test_encoders_from_the_first_to_the_last(bookwheel: Bookwheel, tmp_path: Path) -> None:
    bookwheel("index", corpus(tmp_path))
    assert "has no encoders yet; add one with: bookwheel encoders add minilm=MODEL" in bookwheel("encoders").out
    added = bookwheel("encoders", "add", "other=static")
    assert added.out.splitlines() == ["added other: dense, by static", "next: bookwheel embed other"]
    assert "0 of 4 passages" in bookwheel("encoders", "status").out
    assert bookwheel("embed", "other", "--json").json["encoders"][0]["embedded"] == 4
    assert "next:" not in bookwheel("encoders").out
    assert bookwheel("encoders", "remove", "other", "--json").json["removed"] == {"other": 4}
    assert bookwheel("encoders", "--json").json["encoders"] == []


def test_all_mistakes_about_encoders_are_told_at_once(bookwheel: Bookwheel, tmp_path: Path) -> None:
    bookwheel("index", corpus(tmp_path))
    done = bookwheel("encoders", "add", "x=", "--kind", "images", "--bits", "3", "--nope")
    assert done.code == 2
    for mistake in ("NAME=MODEL", "one of dense, sparse, tokens", "'1', '2', '4'", "--nope"):
        assert mistake in done.err
    assert "choose from status, add, replace, remove" in bookwheel("encoders", "delete").err
    done = bookwheel("embed", "one", "two")
    assert done.code == 2
    assert "there is no encoder 'one', 'two' here" in done.err
    done = bookwheel("encoders", "remove", "one", "two")
    assert done.code == 2
    assert "there is no encoder 'one', 'two' to remove" in done.err
    assert bookwheel("encoders", "add", "far=http://example.com/v1#m").code == 2
