"""``bookwheel ask``: an answer from a library, with every quote in its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._errors import QueryError, UsageError
from .._numba import import_numba
from .answers import as_document, log_answer, print_bill, print_json, print_mentions, require_log
from .command import argument, command, option
from .drafting import followed
from .many import Line, failure, read_many, tell_failure
from .options import Number, RecipeText, Where, Whole, json_option, library_option
from .output import Terminal, clean, print_notes
from .quotes import print_answer, print_refusal
from .writing_options import writing_options

if TYPE_CHECKING:
    from ..library.library import Library
    from ..read.answer import Answer

STDIN = "-"


@command(
    "ask",
    examples=[
        ('bookwheel ask "question"', "the sentences that answer it, each with its place"),
        ('bookwheel ask "question" --model MODEL', "phrased by a language model, every sentence checked"),
    ],
)
@argument("words", nargs=-1, required=True, metavar="QUESTION...")
@library_option
@writing_options("the answer", calls=8, seconds=120, without="the answer quotes")
@option(
    "--method", metavar="NAME", help="How the model reads the passages; see docs/questions.md. [default: all in one prompt]"
)
@option(
    "--verifier",
    metavar="MODEL",
    help="A second model: with --method speculative it chooses among drafts, with entailed it says what follows.",
)
@option(
    "--difficulty",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="With --method adaptive: trained by bench/methods.py. [default: by how probably the passages answer]",
)
@option("--passages", type=Whole(), default=8, metavar="N", help="Passages to read. [default: 8]")
@option("--sentences", type=Whole(), default=2, metavar="N", help="Most sentences of a quoting answer. [default: 2]")
@option(
    "--recipe", type=RecipeText(), metavar="RECIPE", help="Ranking recipe; see `bookwheel recipes`. [default: the library's]"
)
@option(
    "--threshold",
    type=Number(0, 1),
    metavar="P",
    help="Refuse below this probability that the passages answer; 0 never refuses. [default: fitted on the library]",
)
@option("--where", type=Where(), metavar="FILTER", help="Read only documents that match, for example 'year >= 2020'.")
@option("--in", "inside", multiple=True, metavar="PATH", help="Read only this folder or file; may be repeated.")
@option("--hidden", is_flag=True, help="Also quote text that readers of the documents do not see.")
@option("--conversation", metavar="NAME", help="Keep the question in this conversation, and understand it by those before.")
@option("--continue", "continued", is_flag=True, help="Go on with the conversation that was continued last.")
@option("--after", "history", multiple=True, metavar="QUESTION", help="An earlier question, not kept; may be repeated.")
@option("--verbatim", is_flag=True, help="Take limits and 'all documents that ...' in the question as words like any others.")
@option(
    "--log", type=click.Path(dir_okay=False), metavar="FILE", help="Add each answer to FILE, for bookwheel evaluate --answers."
)
@option("--bill", is_flag=True, help="Also print what it cost: memory, calls and tokens of the model, time by part.")
@option("--no-color", is_flag=True, help="Do not use colour (as with the NO_COLOR variable).")
@json_option
def ask(
    words: tuple[str, ...],
    library: Library,
    conversation: str | None,
    continued: bool,
    verbatim: bool,
    log: str | None,
    bill: bool,
    no_color: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Answer a question from the documents of a library.

    Every quote is stored text, shown with its place. Without --model the answer consists of quotes
    only. Where the documents do not say, that is the answer, and the exit code is 1.

    Limits written in the question are applied as filters, and shown with the answer: "only in
    /reports/2024", file:notes.txt, year >= 2020, tag:red, "since 2020". A question about the whole collection ("all reports that
    mention X", "how many documents ...") is answered by a scan of every document.

    If QUESTION is -, questions are read from standard input, one per line, either as text or as an
    ID, a tab and text; with --json, each then prints one line of JSON. A line that cannot be asked is
    told, the others are asked, and the exit code is 2.
    """
    import_numba()
    if log is not None:
        require_log(Path(log))
    if continued:
        conversation = _last(library, conversation)
    asker = library if conversation is None else library.conversation(conversation)
    options |= {"limits": not verbatim, "whole": not verbatim}
    terminal = Terminal.of_stdout(colour=not no_color)
    batch = words == (STDIN,)
    answered = failed = 0
    for line in read_many("question") if batch else [Line("1", " ".join(words))]:
        number, question, problem = line
        try:
            if problem:
                raise QueryError(problem)
            if options["model"] is None or as_json or batch:
                answer = asker.ask(question, **options)
            else:
                answer = followed(asker.ask_events(question, **options))
        except QueryError as error:
            if not batch:
                raise
            tell_failure(line, "question", error, as_json=as_json)
            if log is not None and not problem:  # under this ID it has the earlier answer
                log_answer(Path(log), failure(line, "question", error))
            failed += 1
            continue
        answered += not answer.refused
        document = as_document(library, answer, number if batch else None)
        if log is not None:
            log_answer(Path(log), {"id": number, **document} if batch else document)
        if as_json:
            print_json(document, line=batch)
        else:
            if batch:
                click.echo(terminal.bold(f"{clean(number)}: {clean(question)}"))
            _print(answer, terminal)
            if batch:
                click.echo()
        if bill:
            print_bill(library, answer)
    if failed:
        return 2
    return 0 if answered else 1


def _last(library: Library, named: str | None) -> str:
    """The conversation to go on with."""
    if named is not None:
        raise UsageError("--continue goes on with the last conversation, and --conversation names one; give one of them")
    known = library.conversations()
    if not known:
        raise UsageError("there is no conversation to continue; begin one with --conversation NAME")
    return known[0].name


def _print(answer: Answer, terminal: Terminal) -> None:
    if answer.refused:
        print_refusal(answer, terminal)
    elif answer.everywhere is not None:
        click.echo(clean(answer.claims[0].text))
        click.echo()
        print_mentions(answer.everywhere, terminal)
    else:
        print_answer(answer, terminal)
    print_notes(answer.notes)
