"""Experiments kept in a library: nothing is lost, damage is told, and two of them can be compared however the library has changed."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bookwheel
from bookwheel import Document, LibraryDamaged, UsageError
from bookwheel.cli.main import main
from bookwheel.evaluate import Collection, compare_kept, experiment, keep, kept
from bookwheel.evaluate.kept import _read, record
from bookwheel.index.sealed import with_checksum
from bookwheel.library import experiments as stored
from bookwheel.library.experiments import FILE

WORDS = (
    *("anchor", "beacon", "chart", "dinghy", "estuary", "ferry", "gannet", "harbour"),
    *("island", "jetty", "keel", "lantern", "mast", "narrows", "oar", "pilot"),
)


def texts(count: int) -> list[Document]:
    """Documents that share their words; each one's own word comes twice."""
    dice = random.Random(4)
    return [Document(f"d{n}", f"{' '.join(dice.sample(WORDS, 6))} {WORDS[n % 16]} number{n}") for n in range(count)]


COLLECTION = Collection(
    "harbour",
    {word: f"{word} of the {WORDS[at - 1]}" for at, word in enumerate(WORDS)},
    {word: {f"d{at}": 1} for at, word in enumerate(WORDS)},
)


@pytest.fixture
def library(tmp_path: Path):
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as opened:
        opened.add(texts(16))
        yield opened


def evaluated(library: bookwheel.Library, recipes: Any = ("bm25", "bm25 >> rm3 >> bm25"), **more: Any):
    return experiment(more.pop("collection", COLLECTION), recipes, library=library, measures=["nDCG@10", "RR"], **more)


def test_what_is_kept_is_what_was_measured(library: bookwheel.Library) -> None:
    found = evaluated(library, {"plain": "bm25", "fed": "bm25 >> rm3 >> bm25"})
    assert keep(library, found, {"command": "x", "versions": {"bookwheel": "1"}}) == 1
    assert keep(library, found) == 2
    one, _ = kept(library)
    assert (one.number, one.collection, one.baseline, one.depth) == (1, "harbour", "plain", 1000)
    assert one.recipes == {"plain": "bm25", "fed": "bm25 >> rm3() >> bm25"}
    for name, scores in found.scores.items():
        np.testing.assert_allclose(one.scores[name].values, scores.values, atol=1e-8)
        assert one.scores[name].means == scores.means
    assert one.library["generation"] == library.generation
    assert one.library["documents"] == 16
    assert one.made["command"] == "x"
    json.dumps(one.to_dict())
    assert library.check() == []
    with bookwheel.open(library.path) as again:
        assert [one.number for one in kept(again)] == [1, 2]


def test_a_search_without_the_library_keeps_nothing(library: bookwheel.Library) -> None:
    evaluated(library)
    assert not (library.path / FILE).exists()
    assert kept(library) == []
    assert library.check() == []


# -- compared over time


def test_did_the_change_help_although_the_library_has_changed(library: bookwheel.Library) -> None:
    before = evaluated(library)
    keep(library, before)
    library.add(texts(60)[16:])
    library.configure(k1=0.3)
    library.compact()
    after = evaluated(library, ["bm25"])
    keep(library, after)
    old, new = kept(library)
    found = compare_kept(old, new)
    assert (found.queries, found.left_out, found.pairs) == (16, 0, (("bm25", "bm25"),))
    assert [c.measure for c in found.comparisons] == ["nDCG@10", "RR"]
    expected = after.scores["bm25"].means["nDCG@10"] - before.scores["bm25"].means["nDCG@10"]
    assert found.comparisons[0].difference == pytest.approx(expected, abs=1e-6)
    assert expected < 0, "more documents of the same words make it harder"
    changes = "\n".join(found.changes)
    assert f"the library went from generation {old.library['generation']} to {new.library['generation']}" in changes
    assert "documents: 16 before, 60 after (+44)" in changes
    assert "setting k1: 1.2 before, 0.3 after" in changes
    assert "only in experiment 1: bm25 >> rm3 >> bm25" in changes
    moved = found.changed(("bm25", "bm25"), n=3)
    assert abs(moved[0].difference) >= abs(moved[-1].difference) > 0
    assert moved[0].text.endswith(moved[0].text.split()[-1])
    same = compare_kept(old, old)
    assert same.changes == ("nothing that is recorded has changed between them",)
    assert {c.difference for c in same.comparisons} == {0.0}
    assert len({c.p_t_holm for c in same.comparisons}) == 1


def test_queries_whose_judgments_or_words_changed_are_left_out(library: bookwheel.Library) -> None:
    keep(library, evaluated(library))
    changed = replace(
        COLLECTION,
        queries={**COLLECTION.queries, "anchor": "another question", "new": "pilot"},
        qrels={**COLLECTION.qrels, "beacon": {"d1": 1, "d2": 1}, "new": {"d0": 1}},
    )
    keep(library, evaluated(library, collection=changed))
    found = compare_kept(*kept(library))
    assert (found.queries, found.left_out) == (14, 3)
    assert {c.difference for c in found.comparisons} == {0.0}
    other = Collection("other", {"anchor": "x"}, {"anchor": {"d0": 1}})
    keep(library, evaluated(library, collection=other))
    with pytest.raises(UsageError, match=r"experiments 1 \(harbour\) and 3 \(other\) have no query in common"):
        compare_kept(*kept(library, 1), *kept(library, 3))


def test_recipes_of_other_names_are_compared_by_their_best(library: bookwheel.Library) -> None:
    keep(library, evaluated(library, {"a": "bm25"}))
    keep(library, evaluated(library, {"b": "bm25", "c": "bm25 >> rm3 >> bm25"}))
    old, new = kept(library)
    assert compare_kept(old, new).pairs == (("a", new.best),)
    assert compare_kept(old, new, ("a", "c")).pairs == (("a", "c"),)
    with pytest.raises(UsageError, match="experiment 2 has no recipe 'z'; it has 'b', 'c'"):
        compare_kept(old, new, ("a", "z"))
    apart = experiment(COLLECTION, ["bm25"], library=library, measures=["AP"])
    keep(library, apart)
    with pytest.raises(UsageError, match="have no measure in common"):
        compare_kept(old, *kept(library, 3))


# -- nothing is lost


def test_numbers_are_not_used_again(library: bookwheel.Library) -> None:
    found = library.experiments
    assert [found.keep({"a": n}) for n in range(3)] == [1, 2, 3]
    found.remove([3, 1])
    assert found.keep({}) == 4
    assert [one["number"] for one in found] == [2, 4]
    with pytest.raises(UsageError, match=r"keeps no experiment 1, 9; it has: 2, 4"):
        found.remove([2, 1, 9])
    assert len(found) == 2
    with pytest.raises(UsageError, match="keeps no experiment 7"):
        kept(library, 7)


def test_too_many_and_too_large_are_refused(library: bookwheel.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    found = library.experiments
    monkeypatch.setattr(stored, "MOST", 2)
    monkeypatch.setattr(stored, "LARGEST", 2000)
    found.keep({})
    with pytest.raises(UsageError, match="more than the 2,000 that a library keeps; remove some"):
        found.keep({"x": "y" * 3000})
    found.keep({"n": float("inf")})
    with pytest.raises(UsageError, match="keeps at most 2 experiments; remove some: bookwheel experiments remove NUMBER"):
        found.keep({})
    assert [one["number"] for one in found] == [1, 2]
    assert found[1]["n"] is None


KEEPING = """
import sys
from bookwheel.library.experiments import Experiments
from pathlib import Path
found = Experiments(Path(sys.argv[1]))
for n in range(int(sys.argv[2])):
    print(found.keep({"by": sys.argv[3], "n": n, "weight": "x" * 20000}), flush=True)
"""


def keeping(path: Path, count: int, name: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", KEEPING, str(path), str(count), name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_two_processes_at_once_lose_none(library: bookwheel.Library, child_environment: dict[str, str]) -> None:
    running = [keeping(library.path, 8, name, child_environment) for name in "ab"]
    for process in running:
        process.communicate(timeout=120)
        assert process.returncode == 0
    found = list(library.experiments)
    assert [one["number"] for one in found] == list(range(1, 17))
    for name in "ab":
        assert [one["n"] for one in found if one["by"] == name] == list(range(8))


def test_killed_at_any_moment_it_has_all_that_was_told(library: bookwheel.Library, child_environment: dict[str, str]) -> None:
    dice = random.Random(8)
    told: set[int] = set()
    for _ in range(4):
        process = keeping(library.path, 10_000, "k", child_environment)
        assert process.stdout is not None
        told.add(int(process.stdout.readline()))
        time.sleep(dice.uniform(0, 0.05))
        os.kill(process.pid, signal.SIGKILL)
        rest, _ = process.communicate()
        told |= {int(line) for line in rest.split("\n")[:-1]}
        numbers = {one["number"] for one in library.experiments}
        assert told <= numbers
        assert len(numbers - told) <= 4, "at most the one that each was at"
        assert library.experiments.problems() == []
    assert library.check() == []


def test_indexing_and_compacting_leave_it_alone(library: bookwheel.Library) -> None:
    library.experiments.keep({"a": 1})
    data = (library.path / FILE).read_bytes()
    library.add(texts(30)[16:])
    library.remove("d1")
    library.compact()
    library.repair()
    assert (library.path / FILE).read_bytes() == data


# -- damage and malice


def test_damage_is_told_and_costs_no_search(library: bookwheel.Library) -> None:
    keep(library, evaluated(library))
    path = library.path / FILE
    data = path.read_bytes()
    dice = random.Random(3)
    for at in dice.sample(range(len(data)), 20):
        changed = bytearray(data)
        changed[at] ^= 1 << dice.randrange(8)
        path.write_bytes(changed)
        (problem,) = library.experiments.problems()
        assert FILE in problem
        with pytest.raises(LibraryDamaged, match=FILE):
            kept(library)
    assert any(FILE in problem for problem in library.check())
    assert library.search("anchor")
    with pytest.raises(LibraryDamaged):
        keep(library, evaluated(library))
    assert path.read_bytes() == bytes(changed), "what cannot be read is not written over"
    path.unlink()
    (problem,) = library.check()
    assert "experiments.json is missing" in problem


FORMS = ["[]", "{}", '{"next": 1}', '{"next": 2, "experiments": {}}', '{"next": 1, "experiments": [{"number": 1}]}']
FORMS += ['{"next": 3, "experiments": [{"number": 2}, {"number": 1}]}', '{"next": true, "experiments": []}', "[" * 100_000]
FORMS += [
    '{"next": 2, "experiments": [1]}',
    '{"next": 2, "experiments": [{"number": "1"}]}',
    '{"next": 9, "experiments": [{}]}',
]


@pytest.mark.parametrize("text", FORMS, ids=range(len(FORMS)))
def test_another_form_is_damage(library: bookwheel.Library, text: str) -> None:
    (library.path / FILE).write_bytes(with_checksum(text[1:].encode()) if text[0] == "{" else text.encode())
    with pytest.raises(LibraryDamaged, match=FILE):
        len(library.experiments)


def test_any_part_of_an_experiment_may_be_something_else(library: bookwheel.Library) -> None:
    good = record(evaluated(library, ["bm25"]))
    odd: list[Any] = [
        None,
        1,
        "x",
        [],
        {},
        [1],
        {"a": 1},
        [[["x"]]],
        {"bm25": [["x"] * 16] * 2},
        {"q": [1, 2, 3]},
        float("1e308"),
    ]
    tried: list[dict[str, Any]] = []
    for key in good:
        tried += [{**good, key: value} for value in odd]
        tried.append({name: part for name, part in good.items() if name != key})
    table = {"next": len(tried) + 1, "experiments": [{**one, "number": at} for at, one in enumerate(tried, 1)]}
    (library.path / FILE).write_bytes(with_checksum(json.dumps(table)[1:].encode()))
    sentences = []
    for data in library.experiments:
        try:
            one = _read(data, library)
            compare_kept(one, one).to_dict()
        except LibraryDamaged as error:
            sentences.append(str(error))
    assert len(sentences) > len(tried) / 2
    assert all("remove it with: bookwheel experiments remove" in sentence for sentence in sentences)


def test_no_link_is_followed(library: bookwheel.Library, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("a thesis")
    refused = []
    for name in (FILE, f"{FILE}.lock", f"{FILE}.new"):
        (library.path / name).unlink(missing_ok=True)
        (library.path / name).symlink_to(precious)
        try:
            library.experiments.keep({"a": 1})
        except LibraryDamaged as error:
            refused.append(str(error))
        assert precious.read_text() == "a thesis"
        (library.path / name).unlink(missing_ok=True)
    assert len(refused) == 2
    assert all("symbolic link" in sentence for sentence in refused)


# -- on the command line


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    folder = tmp_path / "harbour"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps({"_id": d.id, "title": "", "text": d.text}) for d in texts(16)))
    (folder / "queries.jsonl").write_text("\n".join(json.dumps({"_id": q, "text": t}) for q, t in COLLECTION.queries.items()))
    (folder / "qrels" / "test.tsv").write_text("\n".join(f"{q}\td{n}\t1" for n, q in enumerate(WORDS)))
    return folder


def test_evaluate_keeps_and_experiments_tells(judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = str(tmp_path / "made")
    assert main(["experiments", "--library", library]) == 2
    run = ["evaluate", str(judged), "--library", library, "--encoder", "none", "--recipe", "bm25"]
    assert main([*run, "--no-keep"]) == 0
    assert main(["experiments", "--library", library]) == 1
    assert "no experiment is kept" in capsys.readouterr().err
    assert main(run) == 0
    told = capsys.readouterr().err
    assert "kept in the library as experiment 1" in told
    assert main(shlex.split(told.rpartition("to compare it with others: bookwheel ")[2])) == 0, (
        "the command that it names works"
    )
    capsys.readouterr()
    with bookwheel.open(library) as opened:
        opened.add(texts(60)[16:])
    assert main([*run, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["experiment"] == 2
    assert main(["experiments", "--library", library]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["when", "(UTC)", "collection"]
    assert [line.split()[0] for line in lines[1:]] == ["1", "2"]
    assert main(["experiments", "compare", "1", "2", "--library", library]) == 0
    told = capsys.readouterr().out
    for part in ("over 16 queries that are the same in both", "bm25 (2) against bm25 (1)", "documents: 16 before, 60 after"):
        assert part in told
    assert "changed most in nDCG@10: bm25" in told
    assert main(["experiments", "compare", "1", "2", "--library", library, "--json", "--before", "bm25"]) == 0
    assert json.loads(capsys.readouterr().out)["queries"] == 16
    assert main(["experiments", "show", "2", "--library", library]) == 0
    told = capsys.readouterr().out
    assert "60 documents" in told
    assert "--encoder none" in told
    for form in (["list"], ["show", "1"]):
        assert main(["experiments", *form, "--library", library, "--json"]) == 0
        json.loads(capsys.readouterr().out)
    assert main(["experiments", "remove", "1", "7", "--library", library]) == 2
    assert "keeps no experiment 7" in capsys.readouterr().err
    assert main(["experiments", "remove", "1", "--library", library]) == 0
    assert main(["experiments", "show", "1", "--library", library]) == 2


def test_a_result_that_cannot_be_kept_is_still_shown(judged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = tmp_path / "made"
    run = ["evaluate", str(judged), "--library", str(library), "--encoder", "none", "--recipe", "bm25"]
    assert main([*run, "--no-keep"]) == 0
    (library / FILE).write_text("damaged")
    capsys.readouterr()
    assert main([*run, "--report", str(tmp_path / "r.md")]) == 0
    said = capsys.readouterr()
    assert "the result is not kept in the library: the experiments in" in said.err
    assert "nDCG@10" in said.out
    assert "# Evaluation on harbour" in (tmp_path / "r.md").read_text()
    assert (library / FILE).read_text() == "damaged"


def test_hostile_names_steer_no_terminal(library: bookwheel.Library, capsys: pytest.CaptureFixture[str]) -> None:
    odd = "x\x1b[31m\u202e\nname"
    hostile = replace(COLLECTION, name=odd, queries={q: f"{odd} {q}" for q in COLLECTION.queries})
    found = evaluated(library, {odd: "bm25"}, collection=hostile)
    keep(library, found, {"command": odd, "versions": {odd: odd}})
    library.add(texts(40)[16:])
    keep(library, evaluated(library, {odd: "bm25"}, collection=hostile))
    for command in (["list"], ["show", "1"], ["compare", "1", "2"], ["show", "1", "--json"], ["compare", "1", "2", "--json"]):
        assert main(["experiments", *command, "--library", str(library.path)]) == 0
        said = capsys.readouterr()
        assert "\x1b" not in said.out + said.err
        assert "\u202e" not in said.out + said.err
