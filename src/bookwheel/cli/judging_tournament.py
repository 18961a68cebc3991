"""``bookwheel judge --answers``: systems compared by their answers to the same questions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .._errors import InputError, UsageError
from .output import clean, json_document, notice, plural, table

__all__ = ["print_tournament"]


def print_tournament(
    files: Sequence[str], model: str | None, by: str, references: str | None, *, unreliable: bool, as_json: bool
) -> int:
    """Test the judge, let it compare the answers, and print who is better."""
    from ..progress import auto, silent
    from ..tune.judging.models import open_judge
    from ..tune.judging.tournament import Asked, Scored, common_questions, play, read_system, reference_test, trusted

    names = list(dict.fromkeys(files))
    if len(names) < 2:
        raise UsageError("comparing systems needs the answers of two or more; give --answers twice")
    questions = common_questions({name: read_system(Path(name)) for name in names})
    known = None if references is None else _references(Path(references))
    if model is None:
        raise UsageError("--answers needs a model that compares; name one with --model, as in --model smollm2")
    judge: Any
    if by in ("", "pair"):
        from ..language.registry import writer

        judge = Asked(writer(model))
    else:
        judge = Scored(open_judge(by, model))
    report: dict[str, Any] = {"judge": judge.name}
    if not unreliable:
        count, share, enough = trusted(questions, judge)
        report["known_pairs"] = {"pairs": count, "share": share, "reliable": enough}
        if not as_json:
            click.echo(
                clean(f"{judge.name} prefers an answer to the question to one to another question in {share:.0%} of {count}")
            )
        if not enough:
            raise UsageError(
                f"{judge.name} is not reliable: it tells an answer to the question from one to another question in {share:.0%} of "
                f"{count} pairs, and 75% are needed; use --by gain, another model, or --unreliable"
            )
    found = play(questions, names, judge, progress=silent if as_json else auto)
    report |= found.to_dict()
    if known is not None:
        scorer = judge if isinstance(judge, Scored) else Scored(open_judge("gain", model))
        rightly, shares = reference_test(questions, known, scorer)
        report["references"] = {"told_rightly": rightly, "right": dict(zip(names, shares, strict=True))}
    if as_json:
        json_document(report)
        return 0
    order = sorted(range(len(names)), key=lambda at: -found.strength[at])
    rows = [
        (
            clean(names[at]),
            f"{sum(found.wins[at]):g}",
            f"{found.strength[at]:+.2f}",
            f"{found.interval[at][0]:+.2f} to {found.interval[at][1]:+.2f}",
        )
        for at in order
    ]
    for line in table(rows, ("answers", "wins", "strength", "95% interval")):
        click.echo(line)
    click.echo(
        f"{plural(found.matches, 'match', 'matches')} on {plural(found.questions, 'question')}, {plural(found.ties, 'tie')}; "
        f"{plural(found.nonsense, 'answer')} of the judge {'was' if found.nonsense == 1 else 'were'} nonsense"
    )
    if found.first is not None:
        click.echo(f"the answer shown first won {found.first:.0%} of the comparisons; {found.same:.0%} agree in both orders")
    if found.longer is not None:
        click.echo(f"the longer answer won {found.longer:.0%} of the matches")
    low, high = found.interval[order[0]][0], found.interval[order[1]][1]
    if low <= high:
        click.echo("the two best are not told apart: their intervals overlap")
    if known is not None:
        told = ", ".join(f"{clean(name)} {share:.0%}" for name, share in report["references"]["right"].items())
        click.echo(f"by comparison with {plural(len(known), 'reference')}, right: {told}")
        if report["references"]["told_rightly"] < 0.75:
            notice(
                f"of the references themselves only {report['references']['told_rightly']:.0%} are told rightly by the others: "
                "do not rely on these shares"
            )
    return 0


def _references(path: Path) -> list[tuple[str, str, bool]]:
    from ..evaluate.lines import read_lines

    found = []
    for number, line in read_lines(path):
        try:
            record = json.loads(line)
            question, answer, right = record["question"], record["answer"], record["right"]
        except (ValueError, KeyError, TypeError, RecursionError):
            question = answer = right = None
        if not (isinstance(question, str) and isinstance(answer, str) and isinstance(right, bool)):
            raise InputError(f'{path}:{number}: expected {{"question": …, "answer": …, "right": true or false}}')
        found.append((question, answer, right))
    return found
