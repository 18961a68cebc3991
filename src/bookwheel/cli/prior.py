"""``bookwheel prior``: learns a document prior from judgments, and says whether it helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .command import argument, command, option
from .options import RecipeText, Whole, json_option
from .output import clean, json_document, notice, table

if TYPE_CHECKING:
    from ..library.library import Library


@command(
    "prior",
    examples=[
        ("bookwheel prior papers judged/", "what makes documents relevant, and whether knowing it helps"),
        ("bookwheel prior papers judged/ --recipe hybrid --save mine", "save the recipe with it, if it does"),
    ],
)
@argument("name", metavar="LIBRARY")
@argument("collection", type=click.Path(), metavar="COLLECTION")
@option("--recipe", type=RecipeText(), metavar="RECIPE", help="The recipe to put it behind. [default: the library's]")
@option("--split", default="test", metavar="NAME", help="The split of the judgments. [default: test]")
@option("--seed", type=Whole(0), default=0, metavar="N", help="What the queries are dealt with. [default: 0]")
@option("--save", metavar="NAME", help="Save the recipe with the prior under this name, if it has earned its place.")
@json_option
def prior(name: str, collection: str, recipe: str | None, split: str, seed: int, save: str | None, as_json: bool) -> None:
    """Learn from judgments which documents are relevant more often, whatever is asked: long ones, recent ones, those
    with links or without.

    COLLECTION is what `bookwheel evaluate` takes; the library must hold its documents. The prior is a logistic
    regression on what is known of a document when it is indexed; it is measured on queries that it was not learned
    from, and saved only where these are significantly better ranked.
    """
    from ..library.library import open_library
    from .compiling import announced

    announced()
    with open_library(name) as library:
        _learn(library, collection, recipe, split, seed, save, as_json)


def _learn(
    library: Library, collection: str, recipe: str | None, split: str, seed: int, save: str | None, as_json: bool
) -> None:
    from ..evaluate import load_collection
    from ..progress import auto, silent
    from ..tune.prior import learn_prior

    found = learn_prior(library, load_collection(collection, split), recipe, seed=seed, progress=silent if as_json else auto)
    saved = save is not None and found.earned
    if save is not None and saved:
        library.save_recipe(save, found.recipe, evidence=found.evidence())
    if as_json:
        json_document({"recipe": str(found.recipe), "saved": save if saved else None, **found.evidence()})
        return
    rows = [[name, f"{value:+.4f}"] for name, value in sorted(found.weights.items(), key=lambda one: -abs(one[1]))]
    for line in table(rows, ("quality", "weight")):
        click.echo(line)
    click.echo(f"relevant documents have higher odds than others in {100 * found.area:.0f} % of pairs (50 % says nothing)")
    click.echo(str(found))
    click.echo(clean(str(found.recipe)))
    if save is not None and not saved:
        notice(f"{save} is not saved")
