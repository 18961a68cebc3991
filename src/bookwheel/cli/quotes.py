"""Printing an answer: first what it says, then where that stands, then what else was read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from .output import Terminal, clean, nearby, notice
from .passage import passage_lines

if TYPE_CHECKING:
    from ..read.answer import Answer, Claim
    from ..read.evidence import Evidence

__all__ = ["print_answer", "print_refusal"]

NEAREST = 3
"""Passages shown with a refusal."""
LINES = 2
UNPROVEN = ("altered", "unsupported")
_WORD = re.compile(r"\w{3,}")


def print_answer(answer: Answer, terminal: Terminal) -> None:
    """The sentences with the numbers of their evidence, and the places of the quotes."""
    asked = {word.casefold() for word in _WORD.findall(answer.asked or answer.question)}
    proven = [claim for claim in answer.claims if claim.status not in UNPROVEN]
    for claim in answer.claims:
        text = f"{clean(claim.text, lines=True)} {_marks(claim)}".rstrip()
        for line in passage_lines(text, _marked(text, asked), terminal.width, None, terminal.match):
            click.echo(line.rstrip())
    click.echo()
    titles = {one.number: one for one in answer.evidence}
    shown: dict[tuple[int, str], None] = {}
    for claim in proven:
        for quote in claim.quotes:
            shown[quote.evidence, _place(quote.place or quote.source, titles.get(quote.evidence))] = None
    for number, place in sorted(shown, key=lambda one: one[0]):
        click.echo(terminal.dim(f"[{number}] {place}"))
    used = {quote.evidence for claim in proven for quote in claim.quotes}
    if others := [one for one in answer.evidence if one.number not in used][:NEAREST]:
        click.echo(terminal.dim("also read: " + "; ".join(_place(one.place, one) for one in others)))


def _marks(claim: Claim) -> str:
    """The numbers of a claim's evidence; of one that the documents do not support, that they don't."""
    if claim.status in UNPROVEN:
        return f"[{claim.status}: {clean(claim.note)}]"
    return "".join(f"[{number}]" for number in sorted({quote.evidence for quote in claim.quotes}))


def print_refusal(answer: Answer, terminal: Terminal) -> None:
    """The reason, and the nearest passages."""
    notice(nearby(answer.reason))
    asked = {word.casefold() for word in _WORD.findall(answer.asked or answer.question)}
    for one in answer.evidence[:NEAREST]:
        text = clean(_seen(one), lines=True)
        click.echo(terminal.dim(f"[{one.number}] {_place(one.place, one)}"))
        for line in passage_lines(text, _marked(text, asked), terminal.width - 4, LINES, terminal.match):
            click.echo(f"    {line}".rstrip())


def _seen(one: Evidence) -> str:
    """The text of a passage without what its document's readers are not shown."""
    text, at = "", 0
    for start, end in sorted(one.hidden):
        text += one.text[at : max(start, at)]
        at = max(end, at)
    return text + one.text[at:]


def _place(place: str, one: Evidence | None) -> str:
    """A place with the title of its document, where that says more."""
    told = nearby(clean(place))
    if one is None:
        return told
    if told in ("", "-"):
        told = clean(one.id)
    title = clean(one.title).strip()
    return told if not title or title in told else f"{told} ({title})"


def _marked(text: str, asked: set[str]) -> Sequence[tuple[int, int]]:
    """Start and end of the words of ``text`` that are in the question."""

    def found() -> Iterator[tuple[int, int]]:
        for match in _WORD.finditer(text):
            if match.group().casefold() in asked:
                yield match.span()

    return tuple(found())
