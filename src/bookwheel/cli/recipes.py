"""``bookwheel recipes``: list recipes and stages, check a recipe, or save one under a name."""

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
        ("bookwheel recipes", "the named recipes and the stages"),
        ('bookwheel recipes --save mine "bm25 >> mmr()" --library papers', "save one of your own"),
    ],
)
@argument("recipe", type=RecipeText(), required=False, metavar="[RECIPE]")
@optional_library("Also list the recipes saved in this library.")
@option("--save", metavar="NAME", help="Save RECIPE in the library under this name.")
@option("--remove", metavar="NAME", help="Remove the recipe saved in the library under this name.")
@json_option
def recipes(recipe: str | None, library: Library | None, save: str | None, remove: str | None, as_json: bool) -> None:
    """List the named recipes and the stages; or check a RECIPE and print it in full.

    A recipe describes how a query becomes a ranking. bm25 and dense are retrievers; + adds their
    normalised scores; a number and * set a weight; % limits, so that bm25 % 1000 keeps the best
    1000 candidates; >> passes the hits to the next stage. Use a recipe with `bookwheel search
    --recipe` or `bookwheel evaluate --recipe`, make it a library's default with `bookwheel
    configure --recipe`, and see what it does with `bookwheel explain`.
    """
    from ..rank import RECIPES, parse_recipe

    if save is not None or remove is not None:
        if library is None:
            raise UsageError("recipes are saved in a library; name it with --library")
        if save is not None and recipe is None:
            raise UsageError(f'--save {save} needs a recipe, as in: bookwheel recipes --save {save} "bm25 >> mmr()"')
    read = None if recipe is None else parse_recipe(recipe) if library is None else library.recipe(recipe)
    removed = {} if remove is None else {"removed": remove}
    if library is not None:
        if remove is not None and remove not in library.recipes:
            library.remove_recipe(remove)  # tells what there is, before anything is changed
        if save is not None and read is not None:
            library.save_recipe(save, read)
        if remove is not None and remove != save:
            library.remove_recipe(remove)
    if read is None and remove is not None:
        if as_json:
            json_document(removed)
        return
    if read is not None:
        if as_json:
            json_document({"recipe": str(read), "retrievers": list(read.retrievers()), **removed})
        else:
            click.echo(f"{read}   needs {', '.join(read.retrievers()) or 'the hits of a recipe before it'}")
        return
    saved = {} if library is None else dict(library.recipes)
    evidence = {} if library is None else library.recipe_evidence()
    stages = _stages()
    if as_json:
        named: list[dict[str, Any]] = [
            {"name": name, "recipe": named.text, "description": named.description} for name, named in RECIPES.items()
        ]
        named += [
            {"name": name, "recipe": text, "description": "saved in this library", "evidence": evidence.get(name)}
            for name, text in saved.items()
        ]
        json_document({"recipes": named, "stages": stages})
        return
    rows = [(name, item.text, item.description) for name, item in RECIPES.items()]
    rows += [(clean(name), clean(text), _about(evidence.get(name))) for name, text in saved.items()]
    for line in table(rows, left=3):
        click.echo(line)
    click.echo("\nStages, to use after >> (with their default arguments; for more, see `bookwheel explain`):")
    for line in table([(stage["stage"], f"{stage['takes']} -> {stage['gives']}", stage["does"]) for stage in stages], left=3):
        click.echo(line)


def _about(evidence: dict[str, Any] | None) -> str:
    """What a saved recipe was chosen by, in one line."""
    if evidence is None:
        return "saved in this library"
    try:
        gain, chosen = evidence["gain"], evidence["chosen"]
        said = f"tuned {evidence['date']} by {evidence['queries']:,} queries of {evidence['judgments']}: "
        if gain is not None:
            said += f"{evidence['measure']} {gain['mean']:+.4f} ({gain['low']:+.4f} to {gain['high']:+.4f}), "
        said += f"p95 {chosen['p95']:.1f} ms"
        needs = " and ".join(f"{name} {value:g}" for name, value in evidence["settings"].items())
        return clean(said + (f", with {needs}" if needs else ""))
    except (KeyError, TypeError, ValueError, AttributeError):
        return "saved in this library"


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
