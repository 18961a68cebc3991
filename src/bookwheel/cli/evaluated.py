"""What `bookwheel evaluate` does with a result: prints it, writes reports, and keeps it in the library."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .._errors import LibraryError, UsageError
from .output import clean, json_document, notice, plural, table

if TYPE_CHECKING:
    from ..evaluate import Evaluation, LabelStep, Worth
    from ..library.library import Library

__all__ = ["After", "print_json", "print_tables"]


class After:
    """Called with a result while the library is open, if there is one: writes the reports, and keeps the result."""

    def __init__(self, reports: Sequence[str], margin: float | None, *, worth: str | None, by: str | None, keep: bool) -> None:
        self.reports = reports
        self.margin = margin
        self.worth = worth
        self.by = by
        self.keep = keep
        self.number: int | None = None
        """Of the experiment that was kept."""
        self.compare = "bookwheel experiments"
        """The command that lists it beside the others."""

    def __call__(self, found: Evaluation, library: Library | None) -> None:
        """Do both. That a result cannot be kept is told, and loses nothing else."""
        from ..evaluate.report.made import made

        given = click.get_current_context().find_root().obj or ()
        about = made(["bookwheel", *given], seed=found.seed)
        if self.keep and library is not None:
            from ..evaluate.kept import keep

            try:
                self.number = keep(library, found, about)
                self.compare += f" --library {shlex.quote(str(library.path))}"
            except (LibraryError, UsageError) as error:
                notice(f"the result is not kept in the library: {error}")
        if self.reports:
            from ..evaluate.excerpts import texts_of
            from ..evaluate.report import evaluation_report, write_report
            from ..evaluate.report.evaluation import MARGIN

            margin = MARGIN if self.margin is None else self.margin
            report = evaluation_report(found, margin=margin, texts=texts_of(found.collection, library), made=about)
            for path in self.reports:
                notice(f"report written to {write_report(report, path)}")


def print_json(found: Evaluation, after: After, changes: int, *, per_query: bool, judged: bool) -> None:
    """Print all of the result as one JSON document."""
    for note in found.notes:
        notice(note)
    document = found.to_dict(per_query)
    document["changes"] = {
        name: [
            {"query": c.query, "text": c.text, "before": c.before, "after": c.after} for c in found.changes(name, None, changes)
        ]
        for name in found.compared
    }
    if (covered := found.coverage()) is not None:
        document["coverage"] = covered.sentence()
    if judged:
        document["missing_judgments"] = [one.to_dict() for one in found.missing()]
        document["fewer_labels"] = [one.to_dict() for one in _fewer_labels(found)]
    if after.margin is not None:
        document["equivalence"] = [one.to_dict() for one in found.equivalence(after.margin)]
    if after.worth is not None:
        document["worth"] = [one.to_dict() for one in _worth(found, after.worth)]
    if after.by is not None:
        document["by"] = {after.by: [one.to_dict() for one in found.groups(after.by)]}
    if after.number is not None:
        document["experiment"] = after.number
    json_document(document)


def print_tables(found: Evaluation, after: After, changes: int, *, per_query: bool, judged: bool) -> None:
    """Print the result as tables."""
    from ..evaluate import format_changes, format_equivalence, format_groups, format_labels, format_missing, format_worth

    click.echo(clean(str(found), lines=True))
    texts = [format_equivalence(found.equivalence(after.margin))] if after.margin is not None and found.compared else []
    if judged:
        texts += [format_missing(found.missing()), format_labels(_fewer_labels(found), found.measures[0])]
    for text in filter(None, texts):
        click.echo()
        click.echo(clean(text, lines=True))
    if after.worth is not None:
        worth = _worth(found, after.worth)
        click.echo()
        click.echo(clean(f"what each source ({after.worth}) adds to nDCG@10 of {found.baseline}, the least first"))
        click.echo(clean(format_worth(worth), lines=True))
    if after.by is not None:
        click.echo()
        click.echo(clean(f"{found.measures[0]} by {after.by}"))
        click.echo(clean(format_groups(found.groups(after.by), after.by), lines=True))
    for name in found.compared:
        if changes and (count := len(found.changes(name, None, changes))):
            click.echo()
            click.echo(f"{plural(count, 'query', 'queries')} that changed most in {found.measures[0]}: {clean(name)}")
            click.echo(format_changes(found, name, None, changes))
    if per_query:
        click.echo()
        rows = []
        for name, scores in found.scores.items():
            for at, query in enumerate(scores.queries):
                rows.append([clean(name), clean(query), *(f"{value:.4f}" for value in scores.values[:, at])])
        for line in table(rows, ("recipe", "query", *found.measures), left=2):
            click.echo(line)
    if after.number is not None:
        notice(f"kept in the library as experiment {after.number}; to compare it with others: {clean(after.compare)}")


def _fewer_labels(found: Evaluation) -> list[LabelStep]:
    """Of the first measure; none where it is not built in."""
    return found.fewer_labels() if found.coverage() is not None else []


def _worth(found: Evaluation, field: str) -> list[Worth]:
    """The worth of the sources that ``field`` names, by the baseline's rankings."""
    from ..evaluate import sources_by_field, worth_of_sources

    return worth_of_sources(found.runs[found.baseline], found.collection.qrels, sources_by_field(found.collection, field))
