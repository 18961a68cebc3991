"""Runs of signatures find what a comparison with all of them finds, and their filters forget nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bookwheel.index.signatures as kept
from bookwheel import LibraryDamaged
from bookwheel.index.signatures import FILTER_BYTES, Part, SignatureRun, Signatures, write_run
from bookwheel.kernels.minhash import BANDS

ENOUGH = 103
"""Of 128: 0.8."""


def families(count: int, seed: int) -> np.ndarray:
    """Signatures of texts of which many share from half to all with the first of their family."""
    dice = np.random.default_rng(seed)
    table = dice.integers(0, 1 << 16, (count, 128)).astype(np.uint16)
    for row in range(1, count):
        if dice.random() < 0.7:
            other = table[dice.integers(0, row)]
            same = dice.random(128) < dice.uniform(0.5, 1.0)
            table[row, same] = other[same]
    return table


def exact(table: np.ndarray, one: np.ndarray) -> dict[int, int]:
    agreeing = (table == one).sum(axis=1)
    return {int(at): int(agreeing[at]) for at in np.flatnonzero(agreeing >= ENOUGH)}


def test_runs_and_recent_ones_find_what_all_of_them_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "PIECE", 64)
    table = families(3000, 1)
    signatures = Signatures([])
    found, wanted = 0, 0
    for number, one in enumerate(table):
        held = dict(signatures.find(one, ENOUGH))
        all_of_them = exact(table[:number], one)
        assert held.items() <= all_of_them.items()
        found, wanted = found + len(held), wanted + len(all_of_them)
        signatures.add(number, one)
        if number % 700 == 699:
            write_run(tmp_path / f"{number}", [signatures.recent], [None])
            signatures.replace([*signatures.runs, SignatureRun(tmp_path / f"{number}")])
    assert wanted > 1000
    assert found >= wanted - 2  # a pair in which 103 of 128 agree shares none of 16 bands once in 5,000 times


def test_a_merged_run_has_what_was_kept(tmp_path: Path) -> None:
    table = families(500, 2)
    numbers = np.arange(10, 510)
    dice = np.random.default_rng(3)
    parts = [Part(numbers[:200], table[:200]), Part(numbers[200:], table[200:])]
    masks = [dice.random(200) < 0.5, None]
    assert write_run(tmp_path / "run", parts, masks) == masks[0].sum() + 300
    there = set(numbers[:200][masks[0]].tolist()) | set(numbers[200:].tolist())
    signatures = Signatures([SignatureRun(tmp_path / "run")])
    for one in table:
        assert {number for number, _ in signatures.find(one, ENOUGH)} == {
            int(numbers[at]) for at in exact(table, one) if int(numbers[at]) in there
        }


def test_a_filter_takes_less_than_forty_bytes_and_is_rarely_wrong(tmp_path: Path) -> None:
    dice = np.random.default_rng(4)
    table = dice.integers(0, 1 << 16, (5000, 128)).astype(np.uint16)
    write_run(tmp_path / "run", [Part(np.arange(5000), table)], [None])
    run = SignatureRun(tmp_path / "run")
    assert run.filter.nbytes <= 40 * 5000
    assert abs(run.filter.nbytes - FILTER_BYTES * 5000) <= 64
    signatures = Signatures([run])
    others = dice.integers(0, 1 << 16, (5000, 128)).astype(np.uint16)
    assert not any(signatures.find(one, ENOUGH) for one in others)
    assert 0 < signatures.looked_up < 250  # a band in a thousand of 16 in each text
    assert all(signatures.find(one, ENOUGH) == [(at, 128)] for at, one in enumerate(table[:300]))
    assert BANDS * 4 <= 128


def test_any_number_of_equal_texts_takes_no_longer(tmp_path: Path) -> None:
    one = np.arange(128, dtype=np.uint16)
    write_run(tmp_path / "run", [Part(np.arange(20_000), np.tile(one, (20_000, 1)))], [None])
    found = Signatures([SignatureRun(tmp_path / "run")]).find(one, ENOUGH)
    assert found[:3] == [(0, 128), (1, 128), (2, 128)]
    assert len(found) == kept.FOUND


def test_an_empty_run(tmp_path: Path) -> None:
    nothing = Part(np.empty(0, np.int64), np.empty((0, 128), np.uint16))
    assert write_run(tmp_path / "run", [nothing], [None]) == 0
    assert Signatures([SignatureRun(tmp_path / "run")]).find(np.zeros(128, np.uint16), ENOUGH) == []


def test_arrays_of_another_form_are_told(tmp_path: Path) -> None:
    from bookwheel.index.storage import FolderWriter

    with FolderWriter(tmp_path / "run") as writer:
        writer.write("documents", np.arange(3))
        writer.write("signatures", np.zeros((3, 64), np.uint16))
        writer.write("filter", np.zeros(8, np.uint64))
        writer.write("order", np.zeros((BANDS, 3), np.uint32))
    with pytest.raises(LibraryDamaged, match="holds no signatures"):
        SignatureRun(tmp_path / "run")
