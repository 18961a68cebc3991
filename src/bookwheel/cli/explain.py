"""``bookwheel explain``: what a recipe does, stage by stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .command import argument, command
from .options import RecipeText, json_option, optional_library
from .output import json_document

if TYPE_CHECKING:
    from ..library.library import Library
    from ..rank.description import Step


@command(
    "explain",
    examples=[
        ('bookwheel explain "bm25 >> rm3() >> bm25"', "input, output, requirements and cost of each stage"),
        ("bookwheel explain hybrid --library papers", "also check the recipe against a library"),
    ],
)
@argument("recipe", type=RecipeText(), metavar="RECIPE")
@optional_library("Check the recipe against this library.")
@json_option
def explain(recipe: str, library: Library | None, as_json: bool) -> None:
    """Show the stages of a RECIPE, with the input, output, requirements and cost of each.

    Stages run from top to bottom; a stage that another one runs is indented below it. For the times
    and candidates of an actual search, use `bookwheel search --explain`.
    """
    from ..rank import parse_recipe, validate
    from ..rank.description import steps
    from ..rank.recipe import Retrieve

    if library is not None:
        read = library.recipe(recipe)
    else:
        read = parse_recipe(recipe)
        # Without a library any name may be an encoder's; everything else can be checked.
        named = [node.name for node in read.walk() if isinstance(node, Retrieve)]
        validate(read, dict.fromkeys([*named, *_asked(read)], ""))
    found = steps(read)
    if as_json:
        json_document({"recipe": str(read), "stages": [_as_json(step) for step in found]})
        return
    click.echo(f"{read}\n")
    for step in found:
        lead = "  " * step.depth
        click.echo(f"{lead}{step.text}")
        click.echo(f"{lead}    {' and '.join(step.takes)} -> {step.gives}: {step.does}")
        if step.needs:
            click.echo(f"{lead}    needs {', '.join(step.needs)}")
        if step.cost:
            click.echo(f"{lead}    costs {step.cost}")
        if step.source:
            click.echo(f"{lead}    after {step.source}")


def _asked(recipe: Any) -> list[str]:
    from ..rank.stages.base import Stage

    return [name for node in recipe.walk() if isinstance(node, Stage) for name in node.representations()]


def _as_json(step: Step) -> dict[str, Any]:
    return {name: getattr(step, name) for name in step.__slots__}
