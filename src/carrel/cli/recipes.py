"""``carrel recipes``: the recipes that have a name, and what a written one means."""

from __future__ import annotations

import click

from .command import argument, command
from .options import RecipeText, json_option
from .output import json_document, table


@command(
    "recipes",
    examples=[
        ("carrel recipes", "those that have a name"),
        ('carrel recipes "0.3*bm25 + 0.7*dense"', "check one of your own"),
    ],
)
@argument("recipe", type=RecipeText(), required=False, metavar="[RECIPE]")
@json_option
def recipes(recipe: str | None, as_json: bool) -> None:
    """List the recipes that have a name, or check a RECIPE and print it as carrel understands it.

    A recipe says how a query becomes a ranking. bm25 and dense are retrievers; + adds their normalised scores; a number and *
    weigh one; % cuts, so that bm25 % 1000 gives its best 1000 candidates. `carrel search --recipe` and `carrel evaluate
    --recipe` take one, `carrel configure --recipe` makes it a library's own.
    """
    from ..rank import RECIPES, parse_recipe

    if recipe is not None:
        read = parse_recipe(recipe)
        if as_json:
            json_document({"recipe": str(read), "retrievers": list(read.retrievers())})
        else:
            click.echo(f"{read}   needs {', '.join(read.retrievers())}")
        return
    if as_json:
        json_document(
            [{"name": name, "recipe": named.text, "description": named.description} for name, named in RECIPES.items()]
        )
        return
    for line in table([(name, item.text, item.description) for name, item in RECIPES.items()], left=3):
        click.echo(line)
