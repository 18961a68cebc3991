"""What the commands of ``bookwheel train`` have in common: their options, and how they begin and end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .command import option
from .options import Number, Whole, json_option, library_option, memory_option
from .output import clean, json_document, print_memory_plan

if TYPE_CHECKING:
    from ..library.library import Library
    from ..progress import Progress

__all__ = ["Training", "training"]

_SOURCES = option(
    "--from", "sources", multiple=True, metavar="SOURCE", help="Where pairs are from; may be repeated. [default: titles]"
)
_PLOT = option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw loss and learning rate into this SVG, also where no model is written.",
)
_COMPARE = option(
    "--compare", metavar="FOLDER", help="A judged collection to compare by, instead of queries made of the library."
)


@dataclass(frozen=True)
class Training:
    """The values of the options that commands share. ``sources``, ``plot``, ``compare``: None, too, where a command has no such option."""

    library: Library
    out: str | None
    minutes: float
    seed: int
    memory: bool
    as_json: bool
    sources: tuple[str, ...] | None = None
    plot: Path | None = None
    compare: str | None = None

    @property
    def flag(self) -> str:
        """``--library NAME`` for the next command to type."""
        from .encoders import library_flag

        return library_flag(self.library)

    def arguments(self) -> dict[str, Any]:
        """Those that training takes by name; before it begins, that kernels are compiled is told, and ``plot`` can be drawn."""
        found: dict[str, Any] = {"out": self.out, "minutes": self.minutes, "seed": self.seed, "progress": self.progress()}
        if self.sources is not None:
            found["sources"] = self.sources or ("titles",)
        return found if self.compare is None else found | {"compare": self.compare}

    def progress(self) -> Progress:
        """How the run shows that it goes on."""
        from ..progress import auto, silent
        from ..train.plot import require_svg
        from .compiling import announced

        require_svg(self.plot)
        announced()
        return silent if self.as_json else auto

    def finish(self, found: Any, following: str, more: dict[str, Any] | None = None) -> None:
        """Print what the run came to; ``following``: what to do with the model where there is one, ``more``: for JSON only."""
        if self.as_json:
            json_document({**found.to_dict(), **(more or {})})
        else:
            click.echo(clean(str(found), lines=True))
            if found.folder is not None:
                click.echo(following)
        if self.memory and found.memory_plan is not None:
            print_memory_plan(found.memory_plan)
        if self.plot is not None:
            from ..train.plot import write_plot

            write_plot(found, self.plot)


def training(
    minutes: float, *, sources: bool = False, plot: bool = False, compare: bool = True
) -> Callable[[Callable[..., None]], Any]:
    """The options of all commands that train, as one `Training`, the first argument of the function.

    ``minutes``: how long it takes by default. ``sources``, ``plot``, ``compare``: whether the command has these options.
    """
    own = [one for one, wanted in ((_SOURCES, sources), (_PLOT, plot), (_COMPARE, compare)) if wanted]
    every = (
        *own,
        library_option,
        option(
            "--out", type=click.Path(file_okay=False), metavar="FOLDER", help="The model's folder. [default: in the library]"
        ),
        option("--minutes", type=Number(0.01, 1440), default=minutes, metavar="N", help=f"Time for it. [default: {minutes:g}]"),
        option("--seed", type=Whole(0), default=0, metavar="N", help="Of everything that is drawn. [default: 0]"),
        memory_option,
        json_option,
    )

    def add(function: Callable[..., None]) -> Any:
        @wraps(function)
        def called(**values: Any) -> None:
            shared = {name: values.pop(name) for name in Training.__dataclass_fields__ if name in values}
            function(Training(**shared), **values)

        result: Any = called
        for one in reversed(every):
            result = one(result)
        return result

    return add
