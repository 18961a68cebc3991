"""Reads a prompt and fills in its placeholders."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ..._errors import InputError, UsageError

__all__ = ["Prompt", "load_prompt", "prompt_names"]

FOLDER = Path(__file__).parent
MAX_BYTES = 1 << 16
_PLACE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Prompt:
    """A prompt: its text with placeholders, and its settings."""

    name: str
    version: int
    text: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """The other lines above ``---``: ``for``, ``source``, ``system``, ``max_tokens``."""

    @property
    def places(self) -> tuple[str, ...]:
        """The names of the placeholders, in order, each once."""
        return tuple(dict.fromkeys(_PLACE.findall(self.text)))

    @property
    def digest(self) -> str:
        """A digest of the version and the text."""
        return hashlib.sha256(f"{self.version}\0{self.text}".encode()).hexdigest()[:16]

    def fill(self, **values: str) -> str:
        """The text with all placeholders filled in; braces in a value stay as they are.

        Raises `UsageError` for a placeholder that has no value.
        """
        missing = [place for place in self.places if place not in values]
        if missing:
            raise UsageError(
                f"the prompt {self.name!r} uses an unknown placeholder {{{missing[0]}}}; it can use {', '.join(values)}"
            )
        return _PLACE.sub(lambda found: values[found[1]], self.text)

    def around(self, *places: str) -> list[str]:
        """The pieces of text before, between and after the placeholders ``places``.

        Raises `UsageError` unless the text has each of them once, in this order, and no other.
        """
        if tuple(_PLACE.findall(self.text)) != places:
            raise UsageError(
                f"the prompt {self.name!r} must contain the placeholders {' '.join(f'{{{p}}}' for p in places)}, once each and "
                "in this order"
            )
        return _PLACE.sub("\0", self.text).split("\0")

    def number(self, name: str, default: int) -> int:
        """A setting that is a whole number of 1 or more; raises `InputError` if it is not."""
        value = self.settings.get(name, str(default))
        if not value.isdecimal() or int(value) < 1:
            raise InputError(f"{name} in the prompt {self.name!r} must be a whole number of 1 or more, not {value}")
        return int(value)


def prompt_names() -> list[str]:
    """The prompts that come with bookwheel."""
    return sorted(file.stem for file in FOLDER.glob("*.txt"))


def load_prompt(name: str) -> Prompt:
    """The prompt called ``name``, or that of the file ``name`` if it ends in ``.txt``.

    Raises `UsageError` if there is no such prompt and `InputError` if the file cannot be read.
    """
    if name.endswith(".txt"):
        path = Path(name).expanduser()
        return _read(path, path.stat().st_mtime_ns if path.is_file() else 0)
    if name not in prompt_names():
        raise UsageError(
            f"there is no prompt {name!r}; choose one of {', '.join(prompt_names())}, or give the path of a .txt file"
        )
    return _read(FOLDER / f"{name}.txt", 0)


@lru_cache(64)
def _read(path: Path, changed: int) -> Prompt:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"the prompt {path} has more than {MAX_BYTES} bytes; shorten it to a few lines")
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the prompt {path} cannot be read ({error}); give a UTF-8 text file") from None
    head, line, text = content.partition("\n---\n")
    settings = dict(_setting(path, one) for one in head.splitlines() if one.strip()) if line else {}
    version = settings.pop("version", "")
    if not line or not version.isdecimal():
        raise InputError(f"the prompt {path} must begin with a line 'version: 1' and have a line '---' before its text")
    return Prompt(path.stem, int(version), text.removesuffix("\n"), settings)


def _setting(path: Path, line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or "\0" in line:
        raise InputError(f"the prompt {path} has a line {line!r} before '---' that is not of the form 'name: value'")
    return name.strip(), value.strip()
