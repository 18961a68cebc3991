"""Options that several commands share, and what their values may be."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import click

from .._errors import UsageError
from .command import option

if TYPE_CHECKING:
    from ..library.library import Library

__all__ = [
    "NO_ENCODER",
    "Duration",
    "Encoder",
    "Language",
    "Number",
    "RecipeText",
    "Size",
    "Value",
    "Where",
    "Whole",
    "Widths",
    "json_option",
    "library_option",
    "memory_option",
    "name_and_value",
    "new_library_option",
    "optional_library",
    "ram_option",
    "wait_of",
    "wait_option",
    "workers_option",
]


NO_ENCODER = "none"


class Value(click.ParamType):  # type: ignore[type-arg]  # generic for newer versions of click only
    """An option's value, made of its text by `read`."""

    def read(self, text: str) -> Any:
        """The value of ``text``. Raises `UsageError` for a wrong value, or any other
        `BookwheelError`, which is passed on.
        """
        raise NotImplementedError

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value of ``value``; a default is one already."""
        if not isinstance(value, str):
            return value
        try:
            return self.read(value)
        except UsageError as error:
            if type(error) is not UsageError:
                raise
            self.fail(str(error), param, ctx)


class Whole(Value):
    """A whole number from ``least`` up."""

    name = "number"

    def __init__(self, least: int = 1) -> None:
        self.least = least

    def read(self, text: str) -> int:
        """The number."""
        if not text.isdecimal() or not self.least <= int(text[:20]):
            raise UsageError(f"must be a whole number of {self.least} or more, not {text!r:.50}")
        return int(text[:20])


class Widths(Value):
    """Whole numbers of 1 or more, with commas between."""

    name = "numbers"

    def read(self, text: str) -> tuple[int, ...]:
        """The numbers."""
        parts = [part.strip() for part in text.split(",")]
        if not all(part.isdecimal() and int(part[:20]) > 0 for part in parts):
            raise UsageError(f"must be whole numbers with commas between, such as 64,128, not {text!r:.50}")
        return tuple(int(part[:20]) for part in parts)


class Number(Value):
    """A number from ``least`` to ``most``."""

    name = "number"

    def __init__(self, least: float, most: float) -> None:
        self.least = least
        self.most = most

    def read(self, text: str) -> float:
        """The number."""
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not self.least <= number <= self.most:
            raise UsageError(f"must be a number between {self.least:.15g} and {self.most:.15g}, not {text!r:.50}")
        return number


class Size(Value):
    """An amount of memory, in bytes."""

    name = "size"

    def read(self, text: str) -> int:
        """The number of bytes; raises `BudgetError` for less than the smallest budget."""
        from ..memory.sizes import ram_of

        return ram_of(text)


class Duration(Value):
    """Seconds, as a number or with a unit: ``30``, ``500ms``, ``30s``, ``5m``, ``1h``."""

    name = "time"
    units: ClassVar[dict[str, float]] = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

    def read(self, text: str) -> float:
        """The number of seconds."""
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(ms|[smh]?)", text.strip())
        seconds = float(found[1]) * self.units[found[2]] if found else math.nan
        if not 0 <= seconds <= 7 * 86400:
            raise UsageError(f"must be a time of up to a week, as in 30s, 5m or 1h, not {text!r:.50}")
        return seconds


class RecipeText(Value):
    """A recipe, checked as far as it can be without a library."""

    name = "recipe"

    def read(self, text: str) -> str:
        """The recipe's text."""
        from ..rank import parse_recipe

        parse_recipe(text)
        return text


class Where(Value):
    """A metadata filter, checked as far as it can be without a library."""

    name = "filter"

    def read(self, text: str) -> str:
        """The filter's text."""
        from ..library.filters.parse import parse_filter

        parse_filter(text)
        return text


class Language(Value):
    """A language with a stemmer, ``auto`` or ``none``."""

    name = "language"

    def read(self, text: str) -> str:
        """The language's name."""
        from ..analysis.analyzer import languages

        if text not in ("auto", "none") and text not in (known := languages()):
            raise UsageError(f"must be auto, none or one of {', '.join(known)}, not {text!r:.50}")
        return text


class Encoder(Value):
    """An encoder that can be loaded; ``none`` for no vectors.

    It is loaded before a library is created, so that a wrong name does not
    leave an empty library behind.
    """

    name = "encoder"

    def read(self, text: str) -> str:
        """The encoder's name or folder."""
        from ..encode.find import BUILT_IN_MODELS
        from ..encode.load import load_encoder

        if text == NO_ENCODER or text.startswith(("http://", "https://")):  # an address is asked when the library is created
            return text
        # The library stores the name and may be opened from another folder: make a path absolute.
        path = Path(text).expanduser()
        name = str(path.absolute()) if text not in BUILT_IN_MODELS and path.is_dir() else text
        load_encoder(name)
        return name


class ExistingLibrary(Value):
    """A library that can be opened; it is closed when the command ends."""

    name = "library"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The opened library, with the budget that ``--ram`` names."""
        if ctx is not None and ctx.resilient_parsing:
            return value
        library = super().convert(value, param, ctx)
        if ctx is not None:
            library.ram = ctx.meta.get(_RAM)
            library.wait = ctx.meta.get(_WAIT, 0.0)
            ctx.call_on_close(library.close)
        return library

    def read(self, text: str) -> Library:
        """The library of that name or path."""
        from ..library.library import open_library
        from .compiling import announced

        announced()
        return open_library(text)


_RAM = "bookwheel.ram"
_WAIT = "bookwheel.wait"


def _remember_wait(ctx: click.Context, _: click.Parameter, seconds: float | None) -> None:
    ctx.meta[_WAIT] = seconds or 0.0


def _remember_ram(ctx: click.Context, _: click.Parameter, size: int | None) -> None:
    ctx.meta[_RAM] = size


def _library_and_ram(default: str | None, text: str) -> Callable[[Any], Any]:
    """``--library`` and ``--ram``, which go together; the function gets the
    opened library, its budget set.

    It is opened while options are parsed, so that its problems are reported with the
    other mistakes of the command line.
    """
    opened = option("--library", type=ExistingLibrary(), metavar="NAME|PATH", default=default, help=text)
    # Eager: parsed before the library is opened, wherever it is on the command line.
    bounded = option(
        "--ram",
        type=Size(),
        metavar="SIZE",
        is_eager=True,
        expose_value=False,
        callback=_remember_ram,
        help="Memory budget, at least 256MB. [default: 1GB to write, unlimited to search]",
    )
    return lambda function: opened(bounded(function))


library_option = _library_and_ram("default", "Name or folder of the library. [default: default]")
"""The opened library, for commands that need one."""


def optional_library(text: str) -> Callable[[Any], Any]:
    """An opened library, or None if it is not given; ``text`` says what it is for."""
    return _library_and_ram(None, text)


new_library_option = option(
    "--library",
    "name",
    metavar="NAME|PATH",
    default="default",
    help="Name or folder of the library; it is created if needed. [default: default]",
)
wait_option = option(
    "--wait",
    type=Duration(),
    metavar="TIME",
    is_eager=True,
    expose_value=False,
    callback=_remember_wait,
    help="How long to wait while another process writes to the library, as in 30s or 5m. [default: not at all]",
)
"""For commands that write."""


def wait_of(ctx: click.Context) -> float:
    """The seconds given with ``--wait``; 0 without it."""
    return float(ctx.meta.get(_WAIT, 0.0))


json_option = option("--json", "as_json", is_flag=True, help="Print JSON.")
memory_option = option("--memory", is_flag=True, help="Also print planned and measured memory, by part.")


def ram_option(text: str) -> Callable[[Any], Any]:
    """``--ram SIZE``, with its help text in this command."""
    return option("--ram", type=Size(), metavar="SIZE", help=text)


def workers_option() -> Callable[[Any], Any]:
    """``--workers N``."""
    return option(
        "--workers",
        type=Whole(1),
        metavar="N",
        help="Processes that analyse text; 1 starts no others. [default: one per core where there is enough to do]",
    )


def name_and_value(text: str, option_name: str, value_name: str = "MODEL") -> tuple[str, str]:
    """The two sides of ``NAME=VALUE``. Raises `UsageError`."""
    name, sign, value = text.partition("=")
    if not (sign and name and value):
        raise UsageError(
            f"{option_name} must be of the form NAME={value_name}, as in {option_name} minilm={value_name}, not {text!r:.60}"
        )
    return name, value
