"""`/documents`: documents as they are stored, added and removed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ..._errors import InputError, UsageError
from ...library.library import Library
from ...library.naming import find
from ...library.results import IndexReport, StoredDocument
from ..errors import Refusal
from ..parameters import parameter
from ..respond import gone, json_response
from ..service import Service
from ..whole_documents import document_of
from ..work import Call

__all__ = ["AddParameters", "GetParameters", "RemoveParameters", "add", "get", "paths_allowed", "remove", "report"]

TOLD = 100
"""The most files that a report lists."""


@dataclass(frozen=True, slots=True)
class GetParameters:
    """What `GET /documents` takes."""

    id: str = parameter(doc="a document's id, or the path of a file")
    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    limit: int = parameter(10, "the most documents, where several have the id or come from the file", least=1, most=100)
    offset: int = parameter(0, "how many of them to leave out", least=0)


@dataclass(frozen=True, slots=True)
class AddParameters:
    """What `POST /documents` takes: ``documents``, ``whole``, ``paths``, or several of them."""

    documents: tuple[dict, ...] = parameter(  # type: ignore[type-arg]  # of anything
        (), "objects with id, title, text and whatever else is to be known of a document", many=10_000
    )
    whole: tuple[dict, ...] = parameter(  # type: ignore[type-arg]
        (), "documents with the fields of bookwheel's Document, as bookwheel.connect sends them", many=10_000
    )
    paths: tuple[str, ...] = parameter(
        (), "files and folders to index, in folders that the server was started with", longest=4096
    )
    prune: bool = parameter(True, "with paths: whether documents of files that are gone are removed")
    library: str = parameter(
        "", "the library, which is made where there is none; the first one where it is left out", longest=100
    )


@dataclass(frozen=True, slots=True)
class RemoveParameters:
    """What `DELETE /documents` takes, and `POST /documents/remove`, which has room for more of them."""

    id: tuple[str, ...] = parameter(doc="ids of documents, or paths of files and folders; may be repeated", many=10_000)
    library: str = parameter("", "the library; the first one where it is left out", longest=100)


async def get(request: Request, service: Service, asked: GetParameters) -> Response:
    """The documents with an id, with text, metadata and passages, and how many there are."""
    served = service.served(asked.library)

    def work(_: Call) -> tuple[list[StoredDocument], dict[str, Any]]:
        snapshot = served.library()._snapshot  # one generation: what is counted is what is given
        numbers = find(snapshot.store, snapshot.generation, asked.id)
        some = numbers[asked.offset : asked.offset + asked.limit]
        told = {"library": served.name, "version": list(snapshot.manifest.version), "count": len(numbers)}
        return [snapshot.store.document(number) for number in some], told

    found, told = await service.run(work, gone(request))
    if not told["count"]:
        raise Refusal(404, f"there is no document {asked.id!r:.200} in {served.name}")
    return json_response({**told, "documents": [as_dict(one) for one in found]})


def as_dict(document: StoredDocument) -> dict[str, Any]:
    """A stored document for JSON."""
    return {
        "id": document.id,
        "source": document.source,
        "title": document.title,
        "text": document.text,
        "metadata": dict(document.metadata),
        "file": dict(document.file),
        "passages": [list(span) for span in document.passages],
    }


async def add(request: Request, service: Service, asked: AddParameters) -> Response:
    """Add documents, or index files; what was done, and what could not be read and why."""
    served = service.served(asked.library)
    limits = service.config.limits
    count = len(asked.documents) + len(asked.whole)
    if not count and not asked.paths:
        raise Refusal(400, "give documents or paths to add")
    if count > limits.documents:
        raise Refusal(400, f"a request can add at most {limits.documents:,} documents, not {count:,}")
    paths = paths_allowed(asked.paths, service.config.folders)

    def work(library: Library, given: list[Any]) -> dict[str, Any]:
        told: dict[str, Any] = {"library": served.name}
        if given:
            told |= report(library.add(given))
        if paths:
            told = {**told, **report(library.index(paths, prune=asked.prune, distinct=None), told)}
        return told

    def added(_: Call) -> dict[str, Any]:
        given = [*asked.documents, *map(document_of, asked.whole)]
        return served.write(lambda library: work(library, given))

    # The work goes on though the client may be gone: what is half added would only have to be added again.
    done = await service.run(added, seconds=limits.stream_seconds, pool=service.writing)
    return json_response(done)


async def remove(request: Request, service: Service, asked: RemoveParameters) -> Response:
    """Remove documents; how many there were."""
    served = service.served(asked.library)
    if len(asked.id) > service.config.limits.documents:
        raise Refusal(400, f"a request can remove at most {service.config.limits.documents:,} documents")
    count = await service.run(
        lambda _: served.write(lambda library: library.remove(list(asked.id)), create=False),
        seconds=service.config.limits.stream_seconds,
        pool=service.writing,
    )
    return json_response({"library": served.name, "removed": count})


def paths_allowed(paths: tuple[str, ...], folders: tuple[Path, ...]) -> list[Path]:
    """The paths of a request, links followed. Raises `UsageError` for one that is not below ``folders``."""
    found = []
    for text in paths:
        try:
            path = Path(text).resolve()
        except (OSError, ValueError, RuntimeError):
            raise InputError(f"{text!r:.200} is no path") from None
        if not Path(text).is_absolute() or not any(path.is_relative_to(folder.resolve()) for folder in folders):
            below = ", ".join(map(str, folders)) if folders else "none; start the server with --folder DIR"
            raise UsageError(f"{text!r:.200} is not in a folder that this server may index ({below})")
        found.append(path)
    return found


def report(done: IndexReport, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """What was done, for JSON; with what was done ``before`` in the same request."""
    counts = ("added", "updated", "unchanged", "removed", "moved", "copies", "passages", "files")
    told: dict[str, Any] = {name: getattr(done, name) + (before or {}).get(name, 0) for name in counts}
    told["failures"] = [*(before or {}).get("failures", []), *done.failures[:TOLD]]
    told["skipped"] = dict(done.skipped)
    told["notes"] = [*(before or {}).get("notes", []), *done.notes[:TOLD]]
    return told
