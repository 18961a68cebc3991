"""What agents can do with a library: each tool a function from its parameters to one JSON object of at most 10,000 tokens.

`search` and `fetch` have the form that ChatGPT's connectors and deep research expect: results with ``id``, ``title`` and ``url``;
a document with ``id``, ``title``, ``text``, ``url`` and ``metadata``. Nothing here knows the protocol's SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .access import Access
from .answering import ask
from .arguments import Parameter, parsed, schema
from .finding import find_exact, list_sources, search
from .reading import fetch, read
from .warnings import with_warnings

__all__ = ["TOOLS", "Access", "Tool"]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool."""

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    output: Mapping[str, Any]
    """JSON schema of what it gives."""
    run: Callable[..., dict[str, Any]]
    asks: bool = False
    """Whether it answers a question, which may take a model minutes."""

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of what it takes."""
        return schema(self.parameters)

    def call(self, access: Access, given: Mapping[str, Any]) -> dict[str, Any]:
        """Its result. Raises `BookwheelError`: wrong parameters, each named, and what the library raises."""
        values = parsed(self.name, self.parameters, given)
        return with_warnings(
            self.run(access, **{f"{name}_" if name == "from" else name: value for name, value in values.items()})
        )


_FILTER = Parameter(
    "filter",
    "string",
    'A condition on metadata, as in: year >= 2020 and folder = "/reports". list_sources tells the fields.',
)
_ID = Parameter("id", "string", "An id from the results of search, find_exact, ask or list_sources.", required=True)
_STRING, _INTEGER = {"type": "string"}, {"type": "integer"}


def _object(required: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": {**required, **(more or {})}, "required": list(required)}


def _array(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


_COPY = _object({"id": _STRING, "place": _STRING})
_RESULT = _object(
    {"id": _STRING, "title": _STRING, "url": _STRING},
    {"place": _STRING, "text": _STRING, "warning": _STRING, "also_in": _array(_COPY), "more_copies": _INTEGER},
)

TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "search",
            "Search the library",
            "Searches the library's documents and returns the best passages, each with the id to fetch, a title, a URL to cite and "
            "its text. Use words that the documents would use.",
            (
                Parameter("query", "string", "What to look for, in words.", required=True),
                _FILTER,
                Parameter("k", "integer", "How many results.", default=10, least=1, most=50),
            ),
            _object({"results": _array(_RESULT)}, {"left_out": _STRING, "next": _STRING, "notice": _STRING}),
            search,
        ),
        Tool(
            "fetch",
            "Fetch a document",
            "Returns the text of a document by an id that search gave: all of it where it fits, else from the passage on, with the id "
            "of what follows in metadata.next.",
            (_ID,),
            _object(
                {"id": _STRING, "title": _STRING, "text": _STRING, "url": _STRING},
                {"metadata": {"type": "object", "additionalProperties": _STRING}},
            ),
            fetch,
        ),
        Tool(
            "ask",
            "Ask the library",
            "Answers a question with exact quotes from the documents, each with its place, or says why it cannot and what is nearest.",
            (Parameter("question", "string", "The question, as a sentence.", required=True), _FILTER),
            _object(
                {"refused": {"type": "boolean"}, "claims": _array({"type": "object"})}, {"reason": _STRING, "notice": _STRING}
            ),
            ask,
            asks=True,
        ),
        Tool(
            "read",
            "Read lines of a document",
            "Returns lines of a document with their numbers, from the line where the id points to or from the one given.",
            (
                _ID,
                Parameter("from", "integer", "The first line, from 1.", least=1),
                Parameter("lines", "integer", "How many lines.", default=200, least=1, most=2000),
                Parameter("hidden", "boolean", "Also show text that readers of the document do not see.", default=False),
            ),
            _object({"id": _STRING, "text": _STRING, "from": _INTEGER, "to": _INTEGER, "lines": _INTEGER}, {"next": _STRING}),
            read,
        ),
        Tool(
            "find_exact",
            "Find every mention",
            "Finds every document that mentions a phrase, with exact counts and the places; nothing is ranked and nothing left out.",
            (
                Parameter("phrases", "strings", "Words in a row, or several such phrases.", required=True),
                _FILTER,
                Parameter("any", "boolean", "Documents with any of the phrases, not with all.", default=False),
                Parameter("from", "integer", "How many documents to pass over, from 0.", default=0, least=0),
            ),
            _object(
                {"documents": _INTEGER, "occurrences": _INTEGER, "found": _array({"type": "object"})},
                {"next": _STRING, "notice": _STRING},
            ),
            find_exact,
        ),
        Tool(
            "list_sources",
            "List what the library holds",
            "Lists the documents, and counts them by folder, kind of file and language; names the fields that filters can use.",
            (_FILTER, Parameter("from", "integer", "How many documents to pass over, from 0.", default=0, least=0)),
            _object({"documents": _INTEGER, "sources": _array({"type": "object"})}, {"next": _STRING, "notice": _STRING}),
            list_sources,
        ),
    )
}
"""The tools by name, in the order in which they are listed."""
