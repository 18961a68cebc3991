"""bookwheel indexes, searches and ranks text collections larger than memory, within a memory budget that you set.

import bookwheel

library = bookwheel.open("papers", create=True)
library.index("~/papers")
for result in library.search("how are block maxima used"):
    print(result.place, result.text)
"""

from __future__ import annotations

from ._errors import (
    BookwheelError,
    BudgetError,
    FilterError,
    InputError,
    LibraryChanged,
    LibraryDamaged,
    LibraryEmpty,
    LibraryError,
    LibraryFormat,
    LibraryLocked,
    LibraryNotFound,
    ModelError,
    QueryError,
    RecipeError,
    StorageError,
    TrainingError,
    UsageError,
)
from ._version import __version__

TYPE_CHECKING = False  # type checkers take it as true; importing `typing` for it would be most of the cost of this import

# Type checkers read this block; at run time `__getattr__` imports each name when it is first used.
# A new public name goes here, in `_ATTRIBUTES` or `_MODULES`, and in `__all__`; a test compares the three.
if TYPE_CHECKING:
    from . import evaluate, stages
    from ._allowed import allow
    from .documents.document import Document
    from .documents.places import Place
    from .documents.read import Fields
    from .library.conversation import Conversation
    from .library.library import Library
    from .library.library import open_library as open
    from .library.mentions import Mentions
    from .library.planning import LibraryPlan, plan
    from .library.results import IndexReport, Info, Result, Results, StoredDocument
    from .library.search_options import SearchOptions
    from .library.static_pruning.report import PrunedPassage, Pruning
    from .rank.parse import parse_recipe
    from .rank.recipe import Recipe
    from .read.answer import Answer, Claim
    from .read.evidence import Evidence, Quote
    from .serve.client import RemoteLibrary, connect

_ATTRIBUTES = {
    "Answer": ("read.answer", "Answer"),
    "Claim": ("read.answer", "Claim"),
    "Conversation": ("library.conversation", "Conversation"),
    "Document": ("documents.document", "Document"),
    "Evidence": ("read.evidence", "Evidence"),
    "Fields": ("documents.read", "Fields"),
    "IndexReport": ("library.results", "IndexReport"),
    "Info": ("library.results", "Info"),
    "Library": ("library.library", "Library"),
    "LibraryPlan": ("library.planning", "LibraryPlan"),
    "Mentions": ("library.mentions", "Mentions"),
    "Place": ("documents.places", "Place"),
    "PrunedPassage": ("library.static_pruning.report", "PrunedPassage"),
    "Pruning": ("library.static_pruning.report", "Pruning"),
    "Quote": ("read.evidence", "Quote"),
    "Recipe": ("rank.recipe", "Recipe"),
    "RemoteLibrary": ("serve.client", "RemoteLibrary"),
    "Result": ("library.results", "Result"),
    "Results": ("library.results", "Results"),
    "SearchOptions": ("library.search_options", "SearchOptions"),
    "StoredDocument": ("library.results", "StoredDocument"),
    "allow": ("_allowed", "allow"),
    "connect": ("serve.client", "connect"),
    "open": ("library.library", "open_library"),
    "parse_recipe": ("rank.parse", "parse_recipe"),
    "plan": ("library.planning", "plan"),
}
_MODULES = {"evaluate": "evaluate", "stages": "stages"}

__all__ = [
    "Answer",
    "BookwheelError",
    "BudgetError",
    "Claim",
    "Conversation",
    "Document",
    "Evidence",
    "Fields",
    "FilterError",
    "IndexReport",
    "Info",
    "InputError",
    "Library",
    "LibraryChanged",
    "LibraryDamaged",
    "LibraryEmpty",
    "LibraryError",
    "LibraryFormat",
    "LibraryLocked",
    "LibraryNotFound",
    "LibraryPlan",
    "Mentions",
    "ModelError",
    "Place",
    "PrunedPassage",
    "Pruning",
    "QueryError",
    "Quote",
    "Recipe",
    "RecipeError",
    "RemoteLibrary",
    "Result",
    "Results",
    "SearchOptions",
    "StorageError",
    "StoredDocument",
    "TrainingError",
    "UsageError",
    "__version__",
    "allow",
    "connect",
    "evaluate",
    "open",
    "parse_recipe",
    "plan",
    "stages",
]

if not TYPE_CHECKING:  # a type checker that saw `__getattr__` would accept any name

    def __getattr__(name):
        from importlib import import_module

        if name in _MODULES:
            value = import_module(f"{__name__}.{_MODULES[name]}")
        elif name in _ATTRIBUTES:
            module, attribute = _ATTRIBUTES[name]
            value = getattr(import_module(f"{__name__}.{module}"), attribute)
        else:
            raise AttributeError(f"module 'bookwheel' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
