"""Every error that bookwheel raises for something a person can get wrong.

    BookwheelError                 exit code 2
    ├── UsageError              a wrong argument (also a ValueError)
    │   ├── QueryError          an empty or oversized query
    │   ├── RecipeError         a recipe that does not parse, or that this library cannot run
    │   └── FilterError         a metadata filter that does not parse
    ├── InputError              a file, folder or record that cannot be read (also a ValueError)
    ├── ModelError              an encoder that is missing, damaged or not the library's own
    ├── LibraryError            something about the library on disk
    │   ├── LibraryNotFound     there is no library at that place
    │   ├── LibraryEmpty        it holds no passage yet
    │   ├── LibraryFormat       written by a newer (or older, unsupported) bookwheel
    │   ├── LibraryDamaged      a file is missing, truncated or altered: says which
    │   ├── LibraryLocked       another process is writing to it
    │   └── StorageError        no space left, no permission, a read-only disk
    └── BudgetError             the work does not fit the memory allowed, exit code 3

The message is one sentence: what happened, with the names or numbers, and what to do next. The command line prints it
without a traceback.
"""

__all__ = [
    "BookwheelError",
    "BudgetError",
    "FilterError",
    "InputError",
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
    "UsageError",
]


class BookwheelError(Exception):
    """Base of all errors that are a person's to mend."""

    exit_code = 2


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
    """An encoder that is missing, damaged or not the library's own."""


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


class StorageError(LibraryError):
    """No space left, no permission, or a read-only disk."""


class BudgetError(BookwheelError):
    """The work does not fit the memory allowed."""

    exit_code = 3
