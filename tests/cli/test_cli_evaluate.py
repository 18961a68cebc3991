from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_helpers import SOURCE, Bookwheel, run_lines_of

QUERIES = {"q1": "warning ships of rocks", "q2": "carrying grain", "q3": "basalt and granite"}
QRELS = {"q1": "a", "q2": "b", "q3": "c"}


@pytest.fixture
def collection(tmp_path: Path, records: Path) -> Path:
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_bytes(records.read_bytes())
    (folder / "queries.jsonl").write_text("".join(json.dumps({"_id": q, "text": t}) + "\n" for q, t in QUERIES.items()))
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n" + "".join(f"{q}\t{d}\t1\n" for q, d in QRELS.items())
    )
    return folder


def test_named_recipes_are_compared_with_bm25(bookwheel: Bookwheel, collection: Path, home: Path) -> None:
    done = bookwheel("evaluate", collection)
    assert done.code == 0, done.err
    assert "tiny (a BEIR folder): 3 judged queries" in done.out
    for part in ("nDCG@10", "R@100", "hybrid", "dense", "against bm25", "win/tie/loss"):
        assert part in done.out
    assert list(home.iterdir()) == [], "the library was a temporary one"


def test_json_with_each_query(bookwheel: Bookwheel, collection: Path) -> None:
    done = bookwheel(
        "evaluate", collection, "--recipe", "bm25", "--recipe", "bm25 + dense", "--measure", "RR", "--per-query", "--json"
    )
    found = done.json
    assert [entry["recipe"] for entry in found["recipes"]] == ["bm25", "bm25 + dense"]
    assert found["recipes"][0]["measures"] == {"RR": 1.0}
    assert found["recipes"][0]["queries"]["q2"] == {"RR": 1.0}
    assert found["comparisons"][0]["baseline"] == "bm25"


def test_runs_are_written_and_measure_the_same(bookwheel: Bookwheel, collection: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    first = bookwheel("evaluate", collection, "--recipe", "bm25", "--run-dir", runs, "--json").json
    (file,) = runs.iterdir()
    assert run_lines_of(file.read_text())[0][:3] == ["q1", "Q0", "a"]
    again = bookwheel("evaluate", collection, "--run", file, "--json").json
    assert again["recipes"][0]["measures"] == first["recipes"][0]["measures"]
    judgments = bookwheel("evaluate", collection / "qrels" / "test.tsv", "--run", file, "--json").json
    assert judgments["recipes"][0]["measures"] == first["recipes"][0]["measures"]


def test_a_library_that_stays_is_used_again(bookwheel: Bookwheel, collection: Path) -> None:
    first = bookwheel("evaluate", collection, "--library", "tiny", "--json").json
    generation = bookwheel("info", "--library", "tiny", "--json").json["generation"]
    again = bookwheel("evaluate", collection, "--library", "tiny", "--json").json
    assert [entry["measures"] for entry in again["recipes"]] == [entry["measures"] for entry in first["recipes"]]
    assert bookwheel("info", "--library", "tiny", "--json").json["generation"] == generation


def test_weights_are_fitted_on_one_half_and_reported_on_the_other(bookwheel: Bookwheel, collection: Path) -> None:
    done = bookwheel("evaluate", collection, "--recipe", "bm25 + dense", "--fit", "--measure", "RR", "--json")
    assert done.code == 0, done.err
    assert done.json["queries"] == 2
    assert [entry["recipe"] for entry in done.json["recipes"]][0] == "bm25 + dense"
    assert "weights are fitted on 1 of 3 judged queries; the figures are of the other 2" in done.err
    assert any("fitted: " in note for note in done.json["notes"])
    done = bookwheel("evaluate", collection, "--recipe", "bm25", "--fit")
    assert done.code == 2
    assert "none of the recipes is one; add one, such as 'bm25 + dense'" in done.err


def test_the_baseline_can_be_named(bookwheel: Bookwheel, collection: Path, tmp_path: Path) -> None:
    found = bookwheel("evaluate", collection, "--recipe", "bm25", "--recipe", "dense", "--baseline", "dense", "--json").json
    assert found["baseline"] == "dense"
    assert {(entry["name"], entry["baseline"]) for entry in found["comparisons"]} == {("bm25", "dense")}
    assert list(found["changes"]) == ["bm25"]
    files = [tmp_path / name for name in ("one.run", "two.run")]
    for file in files:
        file.write_text("q1 Q0 a 1 2.0 x\n")
    done = bookwheel("evaluate", collection, "--run", files[0], "--run", files[1], "--baseline", files[1])
    assert f"against {files[1]}" in done.out
    done = bookwheel("evaluate", collection, "--recipe", "bm25", "--baseline", "dense")
    assert done.code == 2
    assert "the baseline 'dense' is not among the recipes: 'bm25'" in done.err


def test_values_of_each_query(bookwheel: Bookwheel, collection: Path) -> None:
    done = bookwheel("evaluate", collection, "--recipe", "bm25", "--measure", "RR", "--measure", "AP(rel=2)@5", "--per-query")
    assert [line.split() for line in done.out.splitlines()[-3:]] == [["bm25", q, "1.0000", "0.0000"] for q in QUERIES]


def test_words_alone(bookwheel: Bookwheel, collection: Path) -> None:
    found = bookwheel("evaluate", collection, "--encoder", "none", "--json").json
    assert [entry["recipe"] for entry in found["recipes"]] == ["bm25"]


def test_all_mistakes_are_told_at_once(bookwheel: Bookwheel, collection: Path) -> None:
    done = bookwheel(
        "evaluate", collection, "--recipe", "bm25 +", "--measure", "nDCGG@10", "--measure", "Bogus", "--depth", "0"
    )
    assert done.code == 2
    for part in ("recipe, column", "nDCGG@10", "--depth"):
        assert part in done.err
    assert "Traceback" not in done.err


def test_a_collection_that_is_none(bookwheel: Bookwheel, tmp_path: Path) -> None:
    done = bookwheel("evaluate", tmp_path)
    assert done.code == 2
    assert "BEIR" in done.err


def test_a_run_needs_no_recipe(bookwheel: Bookwheel, collection: Path, tmp_path: Path) -> None:
    run = tmp_path / "x.run"
    run.write_text("q1 Q0 a 1 2.0 x\n")
    done = bookwheel("evaluate", collection, "--run", run, "--recipe", "bm25")
    assert done.code == 2
    assert "--recipe" in done.err
    run.write_text("q1 a 2.0\n")
    done = bookwheel("evaluate", collection, "--run", run)
    assert done.code == 2
    assert f"{run}:1" in done.err


def test_a_search_imports_nothing_of_an_evaluation(bookwheel: Bookwheel, records: Path, compiled: None) -> None:
    assert bookwheel("index", records).code == 0
    code = (
        "import sys; from bookwheel.cli.main import main; main(['search', 'lighthouse', '--json']); "
        "print([m for m in ('scipy', 'ir_measures', 'pytrec_eval', 'pandas', 'bookwheel.evaluate') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(SOURCE)}, check=True
    )
    assert '"a"' in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
