"""bookwheel finds, ranks and reads text collections larger than memory, inside a memory budget you set.

import bookwheel

library = bookwheel.open("papers", create=True)
library.index("~/papers")
for result in library.search("how are block maxima used"):
    print(result.place, result.text)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._errors import *  # noqa: F403
from ._errors import __all__ as _errors
from ._version import __version__

if TYPE_CHECKING:
    from .documents.document import Document as Document
    from .documents.read import Fields as Fields
    from .library.library import Library as Library
    from .library.library import open_library as open  # noqa: F401
    from .library.results import IndexReport as IndexReport
    from .library.results import Info as Info
    from .library.results import Result as Result
    from .rank.parse import parse_recipe as parse_recipe
    from .rank.recipe import Recipe as Recipe

_LAZY = {
    "Document": ("documents.document", "Document"),
    "Fields": ("documents.read", "Fields"),
    "IndexReport": ("library.results", "IndexReport"),
    "Info": ("library.results", "Info"),
    "Library": ("library.library", "Library"),
    "Recipe": ("rank.recipe", "Recipe"),
    "Result": ("library.results", "Result"),
    "open": ("library.library", "open_library"),
    "parse_recipe": ("rank.parse", "parse_recipe"),
}

__all__ = [*_errors, *_LAZY, "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import bookwheel` takes no time."""
    if name not in _LAZY:
        raise AttributeError(f"module 'bookwheel' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _LAZY[name]
    value = getattr(import_module(f"{__name__}.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
