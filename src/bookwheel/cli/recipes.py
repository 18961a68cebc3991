"""``bookwheel recipes``: the recipes that have a name, the stages there are, and what a written recipe means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .._errors import UsageError
from .command import argument, command, option
from .options import RecipeText, json_option, optional_library
from .output import clean, json_document, table

if TYPE_CHECKING:
    from ..library.library import Library


@command(
    "recipes",
    examples=[
        ("bookwheel recipes", "those that have a name, and the stages"),
        ('bookwheel recipes --save mine "bm25 >> mmr()" --library papers', "keep one of your own"),
    ],
)
@argument("recipe", type=RecipeText(), required=False, metavar="[RECIPE]")
@optional_library("Also the recipes that this library keeps.")
@option("--save", metavar="NAME", help="Keep RECIPE in the library under this name.")
@option("--forget", metavar="NAME", help="Forget the recipe that the library keeps under this name.")
@json_option
def recipes(recipe: str | None, library: Library | None, save: str | None, forget: str | None, as_json: bool) -> None:
    """List the recipes that have a name and the stages there are, or check a RECIPE and print it as bookwheel understands it.

    A recipe says how a query becomes a ranking. bm25 and dense are retrievers; + adds their normalised scores; a number and *
    weigh one; % cuts, so that bm25 % 1000 gives its best 1000 candidates; >> gives the hits to the next stage. `bookwheel search
    --recipe` and `bookwheel evaluate --recipe` take one, `bookwheel configure --recipe` makes it a library's own, `bookwheel explain`
    draws what it does.
    """
    from ..rank import RECIPES, parse_recipe

    if save is not None or forget is not None:
        if library is None:
            raise UsageError("recipes are kept in a library; name it with --library")
        if save is not None and recipe is None:
            raise UsageError(f'--save {save} needs a recipe, as in: bookwheel recipes --save {save} "bm25 >> mmr()"')
        if forget is not None:
            library.save_recipe(forget, None)
        if save is not None:
            library.save_recipe(save, recipe)
        if recipe is None:
            return
    if recipe is not None:
        read = parse_recipe(recipe) if library is None else library.searching.recipe(recipe)
        if as_json:
            json_document({"recipe": str(read), "retrievers": list(read.retrievers())})
        else:
            click.echo(f"{read}   needs {', '.join(read.retrievers()) or 'hits of another recipe before it'}")
        return
    kept = {} if library is None else dict(library.recipes)
    stages = _stages()
    if as_json:
        named = [{"name": name, "recipe": named.text, "description": named.description} for name, named in RECIPES.items()]
        named += [{"name": name, "recipe": text, "description": "kept in the library"} for name, text in kept.items()]
        json_document({"recipes": named, "stages": stages})
        return
    rows = [(name, item.text, item.description) for name, item in RECIPES.items()]
    rows += [(clean(name), clean(text), "kept in the library") for name, text in kept.items()]
    for line in table(rows, left=3):
        click.echo(line)
    click.echo("\nStages, after >> (each with its defaults; `bookwheel explain` tells more):")
    for line in table([(stage["stage"], f"{stage['takes']} -> {stage['gives']}", stage["does"]) for stage in stages], left=3):
        click.echo(line)


def _stages() -> list[dict[str, Any]]:
    from ..rank.stages.parameters import signature
    from ..rank.stages.registry import find_stage, stage_names

    found = []
    for name in stage_names():
        kind = find_stage(name)
        if kind is not None:
            takes = " and ".join(kind.takes)
            found.append({"stage": signature(kind), "takes": takes, "gives": kind.gives, "does": kind.summary})
    return found
