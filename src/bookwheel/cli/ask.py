"""``bookwheel ask``: an answer from a library, with every quote in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .command import argument, command, option
from .compiling import import_numba
from .drafting import followed
from .options import Number, RecipeText, Where, Whole, json_option, library_option
from .output import clean, json_document, notice

if TYPE_CHECKING:
    from ..library.library import Library


@command(
    "ask",
    examples=[
        ('bookwheel ask "question"', "the sentences that answer it, each with its place"),
        ('bookwheel ask "question" --model MODEL', "phrased by a language model, every sentence checked"),
    ],
)
@argument("words", nargs=-1, required=True, metavar="QUESTION...")
@library_option
@option("--model", metavar="MODEL", help="Language model that phrases the answer. [default: none; the answer quotes]")
@option("--passages", type=Whole(), default=8, metavar="N", help="Passages to read. [default: 8]")
@option("--sentences", type=Whole(), default=2, metavar="N", help="Most sentences of a quoting answer. [default: 2]")
@option(
    "--recipe", type=RecipeText(), metavar="RECIPE", help="Ranking recipe; see `bookwheel recipes`. [default: the library's]"
)
@option("--where", type=Where(), metavar="FILTER", help="Read only documents that match, for example 'year >= 2020'.")
@option(
    "--unsupported",
    type=click.Choice(["omit", "mark"]),
    default="omit",
    help="What becomes of a model's sentences that the documents do not support. [default: omit]",
)
@option(
    "--seconds",
    type=Number(0, 86_400),
    metavar="S",
    help="Time for the model; what is written by then is shown. [default: 120]",
)
@json_option
def ask(words: tuple[str, ...], library: Library, as_json: bool, **options: Any) -> int:
    """Answer a question from the documents of a library.

    Every quote is stored text, shown with its place. Without --model the answer consists of quotes
    only. Where the documents do not say, that is the answer, and the exit code is 1.
    """
    import_numba()
    question = " ".join(words)
    if options["model"] is None or as_json:
        answer = library.ask(question, **options)
    else:
        answer = followed(library.ask_events(question, **options))
    if as_json:
        json_document({"library": str(library.path), **answer.to_dict()})
    elif answer.refused:
        notice(answer.reason)
    else:
        for line in str(answer).split("\n"):
            click.echo(clean(line))
    if not as_json:
        for note in answer.notes:
            notice(note)
    return 1 if answer.refused else 0
