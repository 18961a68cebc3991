"""The parameters of tools: their JSON schema, and the check of what a client gave, all mistakes in one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from ..._errors import UsageError

__all__ = ["Parameter", "parsed", "schema"]

Kind = Literal["string", "integer", "boolean", "strings"]
_SAID = {
    "string": "a string",
    "integer": "a whole number",
    "boolean": "true or false",
    "strings": "a string or a list of strings",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a tool."""

    name: str
    kind: Kind
    description: str
    required: bool = False
    default: Any = None
    least: int | None = None
    most: int | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """Its JSON schema."""
        if self.kind == "strings":
            found: dict[str, Any] = {
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
            }
        else:
            found = {"type": self.kind}
        found["description"] = self.description
        if self.least is not None:
            found["minimum"] = self.least
        if self.most is not None:
            found["maximum"] = self.most
        if not self.required and self.default is not None:
            found["default"] = self.default
        return found

    def read(self, value: Any) -> Any:
        """``value`` as the tool takes it. Raises `UsageError`.

        A number in quotation marks, and a list as the text of one, are taken as what is meant: some clients send them so.
        """
        given = value
        if self.kind in ("integer", "boolean", "strings") and isinstance(value, str):
            value = _meant(value, self.kind)
        if self.kind == "integer" and isinstance(value, float) and value.is_integer():
            value = int(value)
        if self.kind == "strings" and isinstance(value, str):
            value = [value]
        if not self._fits(value):
            raise UsageError(f"{self.name} must be {_SAID[self.kind]}, not {_shown(given)}")
        if (self.least is not None and value < self.least) or (self.most is not None and value > self.most):
            bounds = f"between {self.least} and {self.most}" if self.most is not None else f"{self.least} or more"
            raise UsageError(f"{self.name} must be {bounds}, not {_shown(given)}")
        return value

    def _fits(self, value: Any) -> bool:
        if self.kind == "string":
            return isinstance(value, str)
        if self.kind == "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        if self.kind == "boolean":
            return isinstance(value, bool)
        return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def schema(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The JSON schema of a tool's input."""
    return {
        "type": "object",
        "properties": {one.name: one.schema for one in parameters},
        "required": [one.name for one in parameters if one.required],
        "additionalProperties": False,
    }


def parsed(tool: str, parameters: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """The value of each parameter. Raises `UsageError` with every mistake, unknown parameters by their names."""
    known = {one.name: one for one in parameters}
    mistakes: list[str] = []
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(known)}"
            mistakes.append(f"{tool} has no parameter {_shown(name)}; {hint}")
    values: dict[str, Any] = {}
    for one in parameters:
        value = given.get(one.name)
        if value is None:  # null is as good as left out
            if one.required:
                mistakes.append(f"{tool} needs {one.name}, {_SAID[one.kind]}")
            values[one.name] = one.default
            continue
        try:
            values[one.name] = one.read(value)
        except UsageError as error:
            mistakes.append(str(error))
    if mistakes:
        raise UsageError("; ".join(mistakes[:8]))
    return values


def _meant(value: str, kind: Kind) -> Any:
    """What a text stands for where another type is wanted; the text itself where it stands for none."""
    text = value.strip()
    if kind == "integer":
        return int(text) if text.isdecimal() and len(text) < 20 else value
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), value)
    if text.startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return value
        if isinstance(found, list) and found and all(isinstance(one, str) for one in found):
            return found
    return value


def _shown(value: Any) -> str:
    """A value in an error, whatever it is: short, on one line, printable."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
