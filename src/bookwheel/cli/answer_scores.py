"""``bookwheel evaluate --answers``: a log of answers against the right ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import clean, json_document, notice, plural, table

if TYPE_CHECKING:
    from ..evaluate.answers import AnswerScores, Stored
    from ..library.library import Library

__all__ = ["print_answer_scores"]

KEPT = 8
"""Documents whose text is held at a time."""


def print_answer_scores(answers: str, gold: str, library: str | None, entailment: str | None, *, as_json: bool) -> None:
    """Print the measures of the log ``answers``; quotes are compared with the documents of ``library``, if it is named."""
    from ..evaluate.answers import answer_scores, read_answers, read_gold
    from ..evaluate.answers import entailment as judge_of

    known = read_gold(Path(gold))
    judge = None if entailment is None else judge_of(entailment)
    if library is None:
        scores = answer_scores(read_answers(Path(answers)), known, entailment=judge)
    else:
        from ..library.library import open_library

        with open_library(library) as opened:
            scores = answer_scores(read_answers(Path(answers)), known, _stored(opened), judge)
    if as_json:
        json_document(scores.to_dict())
        return
    for line in table(_rows(scores)):
        click.echo(line)
    for wrong in scores.wrong_quotes:
        click.echo(f"not the text at its place: {clean(wrong)}")
    if scores.unmatched:
        notice(
            f"{plural(scores.unmatched, 'answer')} of the log {'has' if scores.unmatched == 1 else 'have'} no line in {gold}"
        )
    if scores.failed:
        notice(f"{plural(scores.failed, 'question')} of the log ended with an error")


def _stored(library: Library) -> Stored:
    texts: dict[str, str | None] = {}

    def stored(name: str, start: int, end: int) -> str | None:
        if name not in texts:
            while len(texts) >= KEPT:
                del texts[next(iter(texts))]
            found = library.get(name, 1)
            texts[name] = found[0].text if found else None
        text = texts[name]
        return None if text is None else text[start:end]

    return stored


def _rows(scores: AnswerScores) -> list[tuple[str, str]]:
    from ..evaluate.answers import MEASURES

    rows = [("questions with a known answer", f"{scores.questions:,}")]
    for name, value in scores.measures.items():
        interval = scores.intervals.get(name)
        shown = (
            f"{value:.3f}" if interval is None else f"{100 * value:.1f} % ({100 * interval[0]:.0f} to {100 * interval[1]:.0f})"
        )
        rows.append((MEASURES[name].description, shown))
        if name == "citation_recall" and scores.entailment != "words":
            rows[-1] = (f"{rows[-1][0]}, says {clean(scores.entailment)}", rows[-1][1])
    if scores.exact_quotes is not None:
        rows.append((f"quotes that are the text at their place, of {scores.quotes:,}", f"{100 * scores.exact_quotes:.1f} %"))
    rows.append(("sentences shown that nothing supports", f"{scores.unsupported:,}"))
    rows.append(("calls of the model", f"{scores.calls:,}"))
    rows.append(("tokens, read and written", f"{scores.tokens:,}"))
    if scores.seconds is not None and scores.seconds95 is not None:
        rows.append(("milliseconds: mean, 95 of 100 within", f"{1000 * scores.seconds:.0f}, {1000 * scores.seconds95:.0f}"))
    return rows
