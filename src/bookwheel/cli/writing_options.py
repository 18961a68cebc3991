"""The options of a language model that writes: `ask` and `summarise` share them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from .command import option
from .options import Number, Whole

__all__ = ["writing_options"]


def writing_options(what: str, *, calls: int, seconds: int, without: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options for a model that phrases ``what``; ``without`` one: what happens."""
    made = [
        option("--model", metavar="MODEL", help=f"Language model that phrases {what}. [default: none; {without}]"),
        option("--calls", type=Whole(), default=calls, metavar="N", help=f"Most prompts to the model. [default: {calls}]"),
        option(
            "--seconds",
            type=Number(0, 86_400),
            metavar="S",
            help=f"Time for the model; what is written by then is shown. [default: {seconds}]",
        ),
        option(
            "--context",
            type=Whole(),
            metavar="N",
            help="Tokens that the model takes, prompt and answer. [default: what the model or its server says]",
        ),
        option(
            "--unsupported",
            type=click.Choice(["omit", "mark"]),
            default="omit",
            help="Omit or mark the model's sentences that the documents do not support. [default: omit]",
        ),
    ]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for one in reversed(made):
            function = one(function)
        return function

    return decorate
