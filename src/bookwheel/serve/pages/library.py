"""`/library`: what a library holds and takes, what is being done to it, and what went wrong."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any

from ..._errors import BookwheelError, UsageError
from ...library.library import Library
from ...library.results import EncoderStatus, Info
from ...memory.sizes import format_size
from ..api.documents import paths_allowed
from ..errors import Refusal
from ..parameters import parameter
from ..route import Asked
from ..service import ReadOnly
from .links import link, named
from .search import quoted

__all__ = ["LibraryParameters", "LibraryView", "library_page"]

KINDS, LANGUAGES, ERRORS = 12, 8, 20
DOING = {
    "starting": "is looked at for the first time",
    "watching": "is watched",
    "indexing": "is being indexed",
    "held": "is watched; nothing is removed",
    "waiting": "waits for another writer",
    "missing": "is not there",
}
"""What the parts of the server say of a folder, and what it is to people."""
PARTS = (
    ("documents.sqlite", "texts and metadata"),
    ("sparse-bm25", "word index (BM25)"),
    ("impacts", "word index (BM25)"),
    ("dense", "vectors"),
    ("log", "texts and metadata"),
    ("rows", "numbering"),
)
"""Beginnings of the names of parts on disk, and what they are to people; other parts keep their names."""


@dataclass(frozen=True, slots=True)
class LibraryParameters:
    """What `/library` takes."""

    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    action: str = parameter("", "what to do; only where the form is posted", choices=("add", "embed", "pause"))
    path: str = parameter("", "with add: the file or folder to index", longest=4096)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, as a bar shows it."""

    name: str
    size: int
    shown: str
    left: float
    """Where its bar begins, in hundredths of the whole."""
    width: float
    number: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the memory plan."""

    part: str
    planned: str
    measured: str


@dataclass(frozen=True, slots=True)
class Count:
    """Documents of one kind."""

    name: str
    documents: int
    href: str


@dataclass(frozen=True, slots=True)
class Watched:
    """A folder that is kept indexed."""

    folder: str
    doing: str
    problem: str
    last: str
    """When it was last brought up to date."""
    waiting: int | None
    """Files that are still to be indexed; None: all."""
    share: int | None = None
    """How far it is while it is indexed, in hundredths."""


@dataclass(frozen=True, slots=True)
class LibraryView:
    """A library's state."""

    name: str
    path: str
    info: Info | None
    """None where there is no library yet."""
    shares: list[Share] = field(default_factory=list)
    total: str = ""
    ram: str = ""
    planned: str = ""
    plan: list[Line] = field(default_factory=list)
    kinds: list[Count] = field(default_factory=list)
    languages: list[Count] = field(default_factory=list)
    encoders: list[EncoderStatus] = field(default_factory=list)
    parts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What runs beside, and how it is doing."""
    watched: list[Watched] = field(default_factory=list)
    job: dict[str, Any] | None = None
    errors: list[tuple[str, str]] = field(default_factory=list)
    """When and what went wrong, the newest first."""
    folders: tuple[str, ...] = ()
    """Where files may be added from."""
    others: list[tuple[str, str]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "info": None if self.info is None else asdict(self.info),
            "memory_plan": [asdict(line) for line in self.plan],
            "encoders": [{**asdict(one), "memory_plan": None} for one in self.encoders],
            "parts": dict(self.parts),
            "job": self.job,
            "errors": [list(one) for one in self.errors],
            "folders": list(self.folders),
        }


def library_page(asked: LibraryParameters, request: Asked) -> LibraryView:
    """Look at the library; where the form is posted, begin what it asks for, which goes on behind the page."""
    if asked.action:
        _do(asked, request)
    service, served = request.service, request.served
    job = service.jobs.of(served)
    parts = [(part.name, part.state()) for part in service.parts]
    # The first library is the one that is kept current.
    watch = [state for name, state in parts if name == "watch" and served is service.served()]
    folders = [one for state in watch for one in state.get("folders", ())]
    wrong = [*served.errors, *((one["when"], one["error"]) for folder in folders for one in folder.get("errors", ()))]
    told: dict[str, Any] = {
        "parts": [(name, state) for name, state in parts if state],
        "watched": [_watched(one) for one in folders],
        "job": None if job is None else {"what": job.what, "told": job.told, "running": job.running, "failed": job.failed},
        "errors": [(_when(when), sentence) for when, sentence in sorted(wrong, reverse=True)[:ERRORS]],
        "folders": tuple(map(str, request.config.folders)),
        "others": [(name, link("/library", library=name)) for name in service.libraries if name != served.name],
    }
    if not served.exists:
        return LibraryView(served.name, str(served.path), None, **told)
    library = request.library
    info = library.info()
    return LibraryView(
        served.name,
        str(served.path),
        info,
        _shares(info),
        format_size(sum(info.disk.values())),
        kinds=_kinds(library, named(request)),
        languages=[
            Count(language or "not told", count, "")
            for language, count in sorted(info.languages.items(), key=lambda pair: -pair[1])[:LANGUAGES]
        ],
        encoders=library.encoders(),
        **_memory(library),
        **told,
    )


def _when(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def _watched(state: dict[str, Any]) -> Watched:
    doing = str(state.get("doing", ""))
    last = state.get("last")
    return Watched(
        str(state.get("folder", "")),
        DOING.get(doing, doing),
        str(state.get("problem") or ""),
        _when(last) if isinstance(last, int | float) else "",
        state.get("waiting"),
        None if (share := state.get("share")) is None else int(100 * share),
    )


def _do(asked: LibraryParameters, request: Asked) -> None:
    if request.method != "POST":
        raise Refusal(405, "what changes a library is posted, not linked to", {"Allow": "POST"})
    if request.config.read_only:
        raise ReadOnly("this server is read-only: nothing can be added, removed or embedded")
    jobs, served = request.service.jobs, request.served
    if asked.action == "pause":
        jobs.stop(served)
    elif asked.action == "embed":
        if not request.library.encoders():
            raise UsageError("the library has no encoder beside its own; add one with: bookwheel encoders add NAME MODEL")
        jobs.embed(served)
    else:
        if not asked.path.strip():
            raise UsageError("give the path of a file or folder to add")
        (path,) = paths_allowed((asked.path.strip(),), request.config.folders)
        jobs.index(served, path)


def _shares(info: Info) -> list[Share]:
    sizes: dict[str, int] = {}
    for part, size in info.disk.items():
        name = next((said for begin, said in PARTS if part.split("/")[0] == begin), part.split("/")[0])
        sizes[name] = sizes.get(name, 0) + size
    total, left = sum(sizes.values()) or 1, 0.0
    found: list[Share] = []
    for number, (name, size) in enumerate(sorted(sizes.items(), key=lambda pair: -pair[1])):
        width = 100 * size / total
        found.append(Share(name, size, format_size(size), round(left, 2), round(width, 2), min(number, 5)))
        left += width
    return found


def _memory(library: Library) -> dict[str, Any]:
    try:
        plan = library.memory_plan()
    except BookwheelError as error:  # it does not fit: that is what there is to tell
        return {"ram": str(error)}
    lines = [
        Line(
            one.part,
            "" if one.planned is None else format_size(one.planned),
            "" if one.measured is None else format_size(one.measured),
        )
        for one in plan
    ]
    return {"ram": format_size(plan.ram), "planned": format_size(plan.planned()), "plan": lines}


def _kinds(library: Library, name: str) -> list[Count]:
    try:
        counts = library.facets("suffix", k=KINDS)
    except BookwheelError:  # no files
        return []
    return [
        Count(str(value), count, link("/search", library=name, where=f"suffix = {quoted(value)}"))
        for value, count in counts.items()
    ]
