"""``bookwheel explain``: what a recipe does, stage by stage, or what a stage is."""

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
        ('bookwheel explain "bm25 >> rm3() >> bm25"', "each stage: what it takes, gives, needs and costs"),
        ("bookwheel explain hybrid --library papers", "checked against a library, its own names included"),
    ],
)
@argument("recipe", type=RecipeText(), metavar="RECIPE")
@optional_library("Check it against this library.")
@json_option
def explain(recipe: str, library: Library | None, as_json: bool) -> None:
    """Draw the stages of a RECIPE: what each takes, gives, needs and costs.

    Stages run from top to bottom; those that another one runs are indented below it. What a search by it really took and
    how many candidates each stage had, `bookwheel search --explain` tells.
    """
    from ..rank import parse_recipe, validate
    from ..rank.description import steps
    from ..rank.recipe import Retrieve

    if library is not None:
        read = library.searching.recipe(recipe)
    else:
        read = parse_recipe(recipe)
        # Without a library every name may be a representation; all else can be checked.
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
