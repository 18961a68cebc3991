"""Milliseconds and bytes of searches, measured: whole searches with texts and highlights, interleaved, after warming up.

Why beside quality what a query takes and needs must be told, and the best within a budget: Santhanam et al., "Moving Beyond Downstream
Task Accuracy for Information Retrieval Benchmarking" (2022).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..library.trial import TrialReader
from .design import Trial
from .journal import Journal

__all__ = ["Clock", "measured_bytes"]

SAMPLE = 60
"""Queries that are timed."""
SCREENING, FINAL = 2, 5
"""Times that each of them is searched."""
CHILD_SECONDS = 120
GOOD = 3600
"""Seconds for which the rough timings of a run that was interrupted are taken: what else the machine does changes."""


class Clock:
    """Times searches of one library by any recipe, one at a time, at its own k1 and b (others cost the same once configured)."""

    def __init__(self, reader: TrialReader, texts: Sequence[str], journal: Journal, k: int = 10) -> None:
        asked = [text for text in texts if text]
        step = max(1, len(asked) // SAMPLE)
        self.texts = asked[::step][:SAMPLE]
        self.reader = reader
        self.k = k
        self.journal = journal
        now, ended = time.time(), journal.facts("ended").get("at", 0.0)
        rough = journal.facts("rough milliseconds")
        self._known: dict[str, list[float]] = {
            key: one["found"] for key, one in rough.items() if ended < one["at"] and 0 <= now - one["at"] < GOOD
        }
        self._earlier = set(self._known)
        self._own = reader.bm25

    def p95(self, trial: Trial) -> float:
        """Milliseconds within which 95 of 100 queries are answered; roughly, and remembered by recipe."""
        return self.compare([trial], SCREENING)[0][1]

    def forget_earlier(self) -> bool:
        """Drop the timings of an earlier run, by which nothing may be refused; whether there were any."""
        dropped = [self._known.pop(key) for key in self._earlier]
        self._earlier.clear()
        return bool(dropped)

    def compare(self, trials: Sequence[Trial], rounds: int = FINAL) -> list[tuple[float, float]]:
        """For each trial the median and the 95th percentile over the queries, in milliseconds.

        All trials answer each query before any answers the next, ``rounds`` times over. A query counts with the median of its
        times (in a rough timing the least), so that what else the machine does counts less.
        """
        keys = [f"{trial.recipe} | {rounds}" for trial in trials]
        missing = list(dict.fromkeys(key for key in keys if key not in self._known))
        if missing:
            chosen = [trials[keys.index(key)] for key in missing]
            for key, found in zip(missing, self._measured(chosen, rounds), strict=True):
                self._known[key] = found
                if rounds == SCREENING:
                    self.journal.add_fact("rough milliseconds", key, {"at": time.time(), "found": found})
        return [(self._known[key][0], self._known[key][1]) for key in keys]

    def _measured(self, trials: Sequence[Trial], rounds: int) -> list[list[float]]:
        self.reader.try_bm25(self._own)
        seconds = np.zeros((len(trials), rounds, len(self.texts)))
        for round_ in range(-1, rounds):  # the first is for warming up
            for column, text in enumerate(self.texts):
                for row, trial in enumerate(trials):
                    started = time.perf_counter()
                    self.reader.search(text, self.k, recipe=trial.recipe)
                    if round_ >= 0:
                        seconds[row, round_, column] = time.perf_counter() - started
        # A rough timing takes the faster of its rounds: what it lets through is timed again, what it leaves out is not.
        of_query = 1000 * (seconds.min(axis=1) if rounds == SCREENING else np.median(seconds, axis=1))
        return [[float(np.median(row)), float(np.quantile(row, 0.95))] for row in of_query]


def measured_bytes(library: Path, trial: Trial, texts: Sequence[str]) -> int | None:
    """The anonymous memory of a new process that has answered ``texts`` by the recipe; None where it cannot be measured."""
    question = {"library": str(library), "recipe": str(trial.recipe), "texts": list(texts)[:SAMPLE]}
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__], input=json.dumps(question), capture_output=True, text=True, timeout=CHILD_SECONDS
        )
        found = json.loads(done.stdout)["bytes"]
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
        return None
    return found if isinstance(found, int) else None


def _child(question: Mapping[str, Any]) -> dict[str, int | None]:
    from .._system import anonymous_bytes

    reader = TrialReader(Path(question["library"]))
    for text in question["texts"]:
        reader.search(text, recipe=question["recipe"])
    return {"bytes": anonymous_bytes()}


if __name__ == "__main__":
    print(json.dumps(_child(json.load(sys.stdin))))
