"""The errors that bookwheel raises for what a user can correct.

    BookwheelError              exit code 2
    ├── UsageError              a wrong argument (also a ValueError)
    │   ├── QueryError          an empty or oversized query
    │   ├── RecipeError         a recipe that does not parse, or that this library cannot run
    │   └── FilterError         a metadata filter that does not parse
    ├── InputError              a file, folder or record that cannot be read (also a ValueError)
    ├── ModelError              an encoder that is missing, damaged, or not the one the library was built with
    ├── LibraryError            something about the library on disk
    │   ├── LibraryNotFound     there is no library at that place
    │   ├── LibraryEmpty        it holds no passage yet
    │   ├── LibraryFormat       written by a newer (or older, unsupported) bookwheel
    │   ├── LibraryDamaged      a file is missing, truncated or altered: says which
    │   ├── LibraryLocked       another process is writing to it
    │   ├── LibraryChanged      the generation being read is gone: refresh
    │   └── StorageError        no space left, no permission, a read-only disk
    ├── TrainingError           training cannot go on: numbers that are no longer finite, or nothing to learn from
    └── BudgetError             the work does not fit the memory allowed, exit code 3

The message is one sentence: what happened, with the names or numbers, and what to do next. The
command line prints it without a traceback.
"""

__all__ = [
    "BookwheelError",
    "BudgetError",
    "FilterError",
    "InputError",
    "LibraryChanged",
    "LibraryDamaged",
    "LibraryEmpty",
    "LibraryError",
    "LibraryFormat",
    "LibraryLocked",
    "LibraryNotFound",
    "ModelError",
    "QueryError",
    "RecipeError",
    "StorageError",
    "TrainingError",
    "UsageError",
]


class BookwheelError(Exception):
    """Base class of all errors that a user can correct."""

    exit_code = 2

    def __init_subclass__(cls) -> None:
        if cls.__module__ == __name__:  # named as users import them: bookwheel.FilterError
            cls.__module__ = "bookwheel"


BookwheelError.__module__ = "bookwheel"


class UsageError(BookwheelError, ValueError):
    """A wrong argument."""


class QueryError(UsageError):
    """A query that cannot be searched."""


class RecipeError(UsageError):
    """A recipe that does not parse, or that this library cannot run."""


class FilterError(UsageError):
    """A metadata filter that does not parse."""


class InputError(BookwheelError, ValueError):
    """A file, folder or record that cannot be read."""


class ModelError(BookwheelError):
    """An encoder that is missing, damaged, or not the one the library was built with."""


class LibraryError(BookwheelError):
    """Something about the library on disk."""


class LibraryNotFound(LibraryError):
    """There is no library at that place."""


class LibraryEmpty(LibraryError):
    """The library holds no passage yet."""


class LibraryFormat(LibraryError):
    """The library was written in a format that this bookwheel does not know."""


class LibraryDamaged(LibraryError):
    """A file of the library is missing, truncated or altered."""


class LibraryLocked(LibraryError):
    """Another process is writing to the library."""


class LibraryChanged(LibraryError):
    """The generation being read is gone: a writer replaced it, or the library was made anew. `Library.refresh` moves on."""


class StorageError(LibraryError):
    """No space left, no permission, or a read-only disk."""


class TrainingError(BookwheelError):
    """Training cannot go on: its numbers are no longer finite, or what it was given cannot be trained on."""


class BudgetError(BookwheelError):
    """The work does not fit the memory allowed."""

    exit_code = 3
