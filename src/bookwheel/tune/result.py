"""What a tuning run says: the choice, its gain on queries it was not chosen on, what each part of it won and cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from shlex import quote
from typing import Any

from .._version import __version__
from ..evaluate.table import format_table
from ..memory.sizes import format_size
from .design import Trial
from .folds import Gain
from .limits import Limits
from .plot_text import CHOSEN, FRONT, OTHER, OWN, frontier_text
from .rebuilt.report import Rebuilt

__all__ = ["Part", "Point", "Tuning"]


@dataclass(frozen=True, slots=True)
class Point:
    """One recipe with its quality and its cost."""

    recipe: str
    k1: float
    b: float
    score: float
    """The mean over all judged queries, those that it was chosen on."""
    median: float
    """Milliseconds of a search."""
    p95: float
    """Milliseconds within which 95 of 100 searches are done."""
    planned: int
    """Bytes of a process that searches by it, by the memory plan."""
    measured: int | None = None
    """Its anonymous memory, measured in a process of its own."""
    frontier: bool = False
    """Whether no other one is both better and faster."""

    @classmethod
    def of(cls, trial: Trial, score: float, milliseconds: tuple[float, float], planned: int) -> Point:
        """From what was tried."""
        return cls(str(trial.recipe), trial.bm25.k1, trial.bm25.b, score, *milliseconds, planned)

    def same(self, other: Point) -> bool:
        """Whether both are of the same recipe, k1 and b."""
        return (self.recipe, self.k1, self.b) == (other.recipe, other.k1, other.b)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the choice against its absence."""

    axis: str
    before: str
    after: str
    won: float
    """What the score loses without it."""
    milliseconds: float
    """What a search takes longer for it, at the 95th percentile."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """The outcome. ``str`` makes the report of the command line."""

    library: str
    measure: str
    queries: int
    judgments: str
    """Where they are from."""
    limits: Limits
    baseline: Point
    """The library as it is."""
    chosen: Point
    """The same where nothing better was found."""
    kept: bool
    """Whether the library's own recipe, k1 and b stay: not where they are over the limits and others are not."""
    gain: Gain | None
    """Of what the search chooses, over queries it did not choose on; None where the judgments may decide nothing, or the time was
    too short to tell.
    """
    parts: list[Part] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    """What was timed, the fastest first."""
    complete: bool = True
    """False where the minutes were over before the search was; the same command goes on."""
    seconds: float = 0.0
    rankings: int = 0
    """Rankings computed in this run."""
    trials: int = 0
    refusal: str = ""
    """Why the judgments may decide nothing, in a sentence."""
    notes: tuple[str, ...] = ()
    saved: str | None = None
    """The name under which the recipe was saved."""
    date: str = ""
    seed: int = 0
    rebuilt: Rebuilt | None = None
    """What other units, passage lengths and models would bring; None where they were not tried."""

    @property
    def settings(self) -> dict[str, float]:
        """k1 and b that the library needs for the choice, where they are not its own."""
        same = (self.chosen.k1, self.chosen.b) == (self.baseline.k1, self.baseline.b)
        return {} if same else {"k1": self.chosen.k1, "b": self.chosen.b}

    def evidence(self) -> dict[str, Any]:
        """What is kept beside the saved recipe."""
        return {
            "date": self.date, "version": __version__, "measure": self.measure, "queries": self.queries,
            "judgments": self.judgments, "folds": None if self.gain is None else "5-fold cross-validation of the search",
            "baseline": asdict(self.baseline), "chosen": asdict(self.chosen),
            "gain": None if self.gain is None else asdict(self.gain), "limits": str(self.limits), "seed": self.seed,
            "settings": self.settings,
        }  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {**asdict(self), "limits": str(self.limits), "settings": self.settings}

    def named(self, saved: str) -> Tuning:
        """The same, saved under a name."""
        return replace(self, saved=saved)

    def __str__(self) -> str:
        paragraphs = [self.verdict(), *([self._frontier()] if self.points else [])]
        paragraphs += [picture] if (picture := self._picture()) else []
        paragraphs += [self._ablation()] if self.parts else []
        notes = [*self.notes, *([self.next_step()] if not self.kept else [])]
        paragraphs += ["\n".join(notes)] if notes else []
        return "\n\n".join([*paragraphs, *([self.rebuilt.text(self.measure)] if self.rebuilt is not None else [])])

    def verdict(self) -> str:
        """The answer in a sentence or two."""
        about = f"{self.queries:,} judged queries of {self.judgments}, {self.measure}, limits: {self.limits}"
        gain = "" if self.gain is None else f"{self.gain.mean:+.4f} (95 % of {self.gain.low:+.4f} to {self.gain.high:+.4f})"
        if self.gain is None and not self.kept:
            what = "the first" if self.refusal else "the best so far"
            why = self.refusal or "the time was too short to judge a choice by other queries"
            said = f"Not decided, but the library's own recipe, {self.baseline.recipe}, is over the limits: took {self.chosen.recipe}, "
            said += f"{what} that keeps them; {why}."
        elif self.refusal:
            said = f"Not decided: kept {self.baseline.recipe}; {self.refusal}."
        elif self.gain is None:
            said = f"No gain shown: kept {self.baseline.recipe}; the time was too short to judge a choice by other queries."
        elif self.kept:
            said = f"No gain: kept {self.baseline.recipe}; what the search chose changed {self.measure} by {gain} on other queries."
        else:
            said = f"Chosen: {self.chosen.recipe}\n{self.measure} on queries it was not chosen on: {gain} against {self.baseline.recipe}."
            if (parameters := self.settings) and parameters:
                said += (
                    f"\nk1 {self.chosen.k1:g} and b {self.chosen.b:g} instead of {self.baseline.k1:g} and {self.baseline.b:g}."
                )
        return f"{said}\n({about})"

    def next_step(self) -> str:
        """What to type to use the choice."""
        recipe = self.saved or quote(self.chosen.recipe)
        given = "".join(f" --{name} {value:g}" for name, value in self.settings.items())
        made = " (makes BM25's impacts anew: seconds, no document is read)" if self.settings else ""
        return f"To use it in every search: bookwheel configure --library {quote(self.library)}{given} --recipe {recipe}{made}"

    def _frontier(self) -> str:
        rows = []
        for point in self.points:
            own = self.baseline
            mark = "the library's own" if point.same(own) else "chosen" if point.same(self.chosen) else ""
            if (point.k1, point.b) != (own.k1, own.b):
                mark += f"{', ' if mark else ''}k1 {point.k1:g}, b {point.b:g}"
            measured = "" if point.measured is None else format_size(point.measured)
            rows.append([
                "*" if point.frontier else "", point.recipe, f"{point.score:.4f}", f"{point.median:.1f}", f"{point.p95:.1f}",
                format_size(point.planned), measured, mark,
            ])  # fmt: skip
        header = ["", "recipe", self.measure, "median ms", "p95 ms", "planned", "measured", ""]
        return f"{format_table(header, rows, left=2)}\n* nothing timed is both better and faster; scores are of the queries chosen on"

    def _picture(self) -> str:
        def mark(point: Point) -> str:
            if point.same(self.chosen) and not self.kept:
                return CHOSEN
            return OWN if point.same(self.baseline) else FRONT if point.frontier else OTHER

        return frontier_text([(one.p95, one.score, mark(one)) for one in self.points], self.limits.milliseconds, self.measure)

    def _ablation(self) -> str:
        rows = [[p.axis, p.before, p.after, f"{p.won:+.4f}", f"{p.milliseconds:+.1f}"] for p in self.parts]
        return format_table(["choice", "instead of", "", f"{self.measure} won", "p95 ms cost"], rows, left=3)
