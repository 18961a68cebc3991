"""Runs needle tests: every kind at every length and depth, for a model, a recipe, or both.

Sources: Kamradt, "Needle in a Haystack", 2023; Hsieh et al., "RULER", 2024; Kuratov et al., "BABILong", 2024; Liu et al., "Lost in
the Middle: How Language Models Use Long Contexts" (2023), for the place of what matters and the length of what is around it.

Short tasks become tasks of tens of thousands of tokens by text around them, and of any length (`facts`, `moves`): Hudson and Al
Moubayed, "MuLD: The Multitask Long Document Benchmark" (2022). In part: two kinds of its tasks, no summaries or dialogues.

A smoke test of a model in a minute, `smoke_test`, asks what is trivial for people: Efrat, Honovich and Levy, "LMentry: A Language
Model Benchmark of Elementary Language Tasks" (2022). In part: by needles, not by its tasks on letters and words.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._errors import ModelError, UsageError
from ...language.prompts import load_prompt
from ...progress import Progress, silent
from .haystack import Haystack, build
from .keep import Kept, Outcome, key_of
from .kinds import KINDS, Kind
from .reading import PROMPT, reading
from .report import NeedleReport
from .text import Counter, Filler, estimated, filler

if TYPE_CHECKING:
    from ...library.library import Library

__all__ = ["DEFAULT_KINDS", "DEFAULT_LENGTHS", "LONGEST", "needle_test", "smoke_test"]

DEFAULT_KINDS = ("single", "several", "threaded", "distractors", "correction")
DEFAULT_LENGTHS = (1024, 4096)
LONGEST = 4 << 20
"""Tokens."""
SMOKE_KINDS = ("single", "several", "correction", "threaded")
SMOKE_LENGTHS = (512, 1024, 2048, 4096, 8192)
SMOKE_SECONDS = 60.0
MOST_OPENED = 32_768
"""Tokens that a model of this process sets memory aside for unless ``context`` says more."""
LEAST_OPENED = 2048
PIECE = 1 << 20
"""Bytes of a model's file that are looked at, at several places, to tell it from another of its name."""
FAILURES = 3
"""Errors of the model in a row after which the test ends with what it has."""


def needle_test(
    source: str | Path | Library | Filler | None = None,
    *,
    model: Any | None = None,
    recipe: str | None = None,
    context: int | None = None,
    lengths: Sequence[int] = DEFAULT_LENGTHS,
    kinds: Sequence[str] = DEFAULT_KINDS,
    depths: int | Sequence[float] = 5,
    repeats: int = 2,
    seed: int = 0,
    seconds: float | None = None,
    results: str | Path | None = None,
    ram: str | int | None = None,
    progress: Progress = silent,
) -> NeedleReport:
    """Hide sentences in texts of given ``lengths`` and look whether they are found.

    - ``source``: where the text comes from; see `filler`.
    - ``model``: the name or path of a language model, or a `bookwheel.language.Generator`. None: only ``recipe`` is tested.
    - ``recipe``: what selects passages of the text into ``context`` tokens (1 024 where None). None: the model reads the whole
      text, and lengths beyond its context are left out, which is told.
    - ``lengths``: tokens of text, question and answer together. Counted by the model; by 4 bytes a token without one.
    - ``kinds``: names of `KINDS`. ``depths``: how many depths, or which, from 0 to 1. ``repeats``: questions of each kind, length
      and depth, with another text each.
    - ``seconds``: ends after this time; what was not run is told. ``results``: a file in which each result is kept, and of which
      what is known already is taken.

    Greedy decoding; the same seed gives the same texts. Raises `UsageError`, `InputError`, `ModelError`, `RecipeError`.
    """
    began = time.monotonic()
    chosen = _kinds(kinds)
    at = _depths(depths)
    wanted = _lengths(lengths)
    if repeats < 1:
        raise UsageError(f"repeats must be 1 or more, not {repeats}")
    if model is None and recipe is None:
        raise UsageError("name a model to be tested with --model, a recipe with --recipe, or both")
    if recipe is None and context is not None and not isinstance(model, str):
        raise UsageError("context is for a recipe's selection or for a model that is opened here; leave it out")
    kept = Kept(None if results is None else Path(results))
    room = context if context is not None else 1024 if recipe is not None else min(max(wanted), MOST_OPENED)
    opened, identity = _opened(model, room)
    limit = (1024 if context is None else context) if recipe is not None else _context(opened)
    notes: list[str] = []
    if recipe is not None:
        fitting = wanted
        if (most := _context(opened)) is not None and limit is not None and limit > most:
            raise UsageError(
                f"the model takes {most:,} tokens, so a recipe cannot select {limit:,} for it; take --context {most}"
            )
    else:
        fitting = [length for length in wanted if limit is None or length <= limit]
        if not fitting:
            raise UsageError(
                f"the model takes {limit:,} tokens, and every length is longer; take shorter --lengths, or select with --recipe"
            )
        if left := [length for length in wanted if length not in fitting]:
            notes.append(f"not run, beyond the model's {limit:,} tokens: {', '.join(f'{length:,}' for length in left)}")
    count: Counter = opened.count_tokens if opened is not None else estimated
    text = source if isinstance(source, Filler) else filler(source, max(fitting), count)
    common = {"model": identity, "recipe": recipe, "context": limit if recipe is not None else None, "seed": seed,
              "text": text.digest, "prompt": load_prompt(PROMPT).digest if model is not None else ""}  # fmt: skip
    until = None if seconds is None else began + seconds
    jobs = [(length, repeat, kind, depth) for length in fitting for repeat in range(repeats) for kind in chosen for depth in at]
    task = progress("needles", len(jobs), "questions")
    outcomes: list[Outcome] = []
    failures = known = 0
    try:
        for length, repeat, kind, depth in jobs:
            key = key_of(**common, kind=kind.name, length=length, depth=round(depth, 4), repeat=repeat)
            outcome = kept.get(key)
            known += outcome is not None
            if outcome is None:
                if (until is not None and time.monotonic() >= until) or failures >= FAILURES:
                    continue
                haystack = build(kind, text, length, depth, repeat, seed, count)
                outcome = _asked(key, haystack, kind, length, depth, repeat, opened, recipe, limit or length, count, until, ram)
                if outcome is None:  # no time for it
                    continue
                failures = failures + 1 if outcome.error else 0
                kept.put(outcome)
            outcomes.append(outcome)
            task.advance(note=f"{kind.name} {length:,}")
    finally:
        task.close()
    if known:
        notes.append(f"{known:,} of {len(jobs):,} results were kept from before, in {results}")
    if failures >= FAILURES:
        notes.append(f"ended after {failures} errors in a row: {outcomes[-1].error}")
    if not any(not one.error for one in outcomes):
        why = outcomes[-1].error if outcomes else f"not one question was done within {seconds:g} seconds; allow more"
        raise ModelError(why)
    return NeedleReport(
        model=identity.get("name", "") if identity else "",
        recipe=recipe,
        context=limit,
        text=text.name,
        outcomes=tuple(outcomes),
        planned=len(jobs),
        depths=tuple(at),
        notes=tuple(notes),
        seed=seed,
    )


def smoke_test(
    source: str | Path | Library | Filler | None = None, *, model: Any, seconds: float = SMOKE_SECONDS, **options: Any
) -> NeedleReport:
    """A needle test of ``model`` within a minute: four kinds, from short texts to longer ones for as long as there is time."""
    given = {"kinds": SMOKE_KINDS, "lengths": SMOKE_LENGTHS, "depths": 3, "repeats": 1, **options}
    return needle_test(source, model=model, seconds=seconds, **given)


def _asked(
    key: str,
    haystack: Haystack,
    kind: Kind,
    length: int,
    depth: float,
    repeat: int,
    model: Any | None,
    recipe: str | None,
    context: int,
    count: Counter,
    until: float | None,
    ram: str | int | None,
) -> Outcome | None:
    began = time.monotonic()
    wanted = haystack.task.wanted
    try:
        read = reading(haystack, model, recipe, context, count, deadline=until, ram=ram)
    except ModelError as error:
        if until is not None and time.monotonic() >= until:
            return None
        return Outcome(key, kind.name, length, depth, repeat, wanted=wanted, seconds=time.monotonic() - began, error=str(error))
    if until is not None and time.monotonic() >= until and model is not None:
        return None  # the answer may be cut short
    answer = read.answer
    return Outcome(
        key,
        kind.name,
        length,
        depth,
        repeat,
        held=read.held,
        found=None if answer is None else haystack.task.found(answer),
        right=read.held == 1 if answer is None else haystack.task.right(answer),
        answer=None if answer is None else answer[:500],
        wanted=wanted,
        tokens=read.tokens,
        seconds=round(time.monotonic() - began, 3),
    )


def _kinds(names: Sequence[str]) -> list[Kind]:
    if wrong := [name for name in names if name not in KINDS]:
        raise UsageError(f"there is no kind of needle test {', '.join(map(repr, wrong))}; there is {', '.join(KINDS)}")
    if not names:
        raise UsageError(f"no kind of needle test is given; there is {', '.join(KINDS)}")
    return [KINDS[name] for name in dict.fromkeys(names)]


def _depths(given: int | Sequence[float]) -> list[float]:
    """The depths, the last first: what two texts begin with alike is then the longest."""
    if isinstance(given, int):
        if not 1 <= given <= 100:
            raise UsageError(f"depths must be between 1 and 100, not {given}")
        given = [0.5] if given == 1 else [at / (given - 1) for at in range(given)]
    if not given or not all(0 <= depth <= 1 for depth in given):
        raise UsageError("each depth must be between 0 and 1, and there must be one at least")
    return sorted(set(map(float, given)), reverse=True)


def _lengths(given: Sequence[int]) -> list[int]:
    wrong = [length for length in given if not 1 <= length <= LONGEST]
    if wrong or not given:
        raise UsageError(
            f"a length must be between 1 and {LONGEST:,} tokens"
            + (f", not {wrong[0]:,}" if wrong else ", and one must be given")
        )
    return sorted(set(given))


def _opened(model: Any | None, context: int) -> tuple[Any | None, dict[str, Any]]:
    """The model, and what its results are kept under."""
    if model is None:
        return None, {}
    if not isinstance(model, str):
        if not hasattr(model, "generate") or not hasattr(model, "count_tokens"):
            raise UsageError(f"model must be the name of a language model or a Generator, not {type(model).__name__}")
        return model, {"name": str(model.name)}
    from ...language import writer

    path = Path(model).expanduser()
    local = path.is_file() or path.is_dir()
    identity = {"name": path.name if local else model, **({"digest": _digest(path)} if local else {})}
    return writer(model, context=max(context, LEAST_OPENED)), identity


def _digest(path: Path) -> str:
    """Of a model's files: their names, sizes, and pieces of what is in them."""
    found = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file()):
        size = file.stat().st_size
        found.update(f"{file.name} {size}\n".encode())
        with file.open("rb") as opened:
            for at in (0, size // 3, size // 2, max(0, size - PIECE)):
                opened.seek(at)
                found.update(opened.read(PIECE))
    return found.hexdigest()[:16]


def _context(model: Any | None) -> int | None:
    context = getattr(model, "context", None)
    return context if isinstance(context, int) else None
