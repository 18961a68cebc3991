"""The library as programs and the command line use it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import InputError, RecipeError, UsageError
from .._numbers import real
from .._paths import locate
from ..documents.read import Fields
from ..encode.find import BUILT_IN_MODELS
from ..memory.sizes import ram_of
from ..progress import Progress, silent
from ..rank.recipe import Recipe
from .default_recipe import kept_text
from .manifest import Manifest
from .query_texts import MAX_QUERY
from .reader import Reader
from .results import EncoderStatus, IndexReport
from .retrieval.registry import representations
from .settings import Representation, Settings

if TYPE_CHECKING:
    from ..encode.remote import Estimate, RemoteEncoder
    from .inputs import Documents
    from .static_pruning.report import Pruning

__all__ = ["MAX_QUERY", "Library", "open_library"]


def open_library(
    name: str | Path = "default", *, create: bool = False, ram: str | int | None = None, wait: float = 0.0, **settings: Any
) -> Library:
    """Open the library ``name`` (a name, or a path), making it where ``create`` is true and there is none.

    ``settings`` are those of `Settings` (``unit``, ``words``, ``language``, ``encoder``, ``k1``, ``b``, ``recipe``, ``seed``).
    For a library that exists they must agree with its own, or a `UsageError` says which do not. ``ram`` is the memory that
    this process may use for it (``"512MB"``, or bytes; at least 256 MB), while building and while searching; 1 GB for building
    where it is None. ``wait`` is for how many seconds what changes the library waits while another process writes to it, before
    `LibraryLocked` is raised. Raises `UsageError`, `LibraryNotFound`, `LibraryFormat`, `LibraryDamaged`, `StorageError`, `BudgetError`.
    """
    allowed = None if ram is None else ram_of(ram)
    path = locate(name)
    wait = real(wait, "wait")
    if not wait >= 0:
        raise UsageError(f"wait must be a number of seconds of 0 or more, not {wait}")
    if made := settings.keys() & {"analysis", "encoder_info"}:
        raise UsageError(f"{min(made)} is set by bookwheel itself; leave it out")
    encoder = settings.get("encoder")
    if encoder is not None and not isinstance(encoder, str | Path):
        raise UsageError(f"encoder must be the name or the folder of a model, or None, not {encoder!r:.80}")
    if encoder is not None and encoder not in BUILT_IN_MODELS:
        folder = Path(os.path.expanduser(encoder))  # noqa: PTH111 - Path.expanduser raises for a user there is not
        if folder.is_dir():
            settings["encoder"] = str(folder.absolute())  # it must be found from any folder later
    if isinstance(settings.get("recipe"), Recipe):
        settings["recipe"] = str(settings["recipe"])
    wanted = Settings().change(**settings)
    if create and not (path / "manifest.json").is_file():
        from . import creation as making

        making.create(path, wanted, wait)
    manifest = Manifest.read(path)
    differing = [
        f"{key} {value!r} (the library has {getattr(manifest.settings, key)!r})"
        for key, value in settings.items()
        if getattr(manifest.settings, key) != value
    ]
    if differing:
        raise UsageError(
            f"the settings of the library {path} differ: {', '.join(differing)}; leave them out, change k1, b and recipe with "
            "`bookwheel configure`, or use another library with --library"
        )
    library = Library(path, ram=allowed)
    library.wait = wait
    return library


class Library(Reader):
    """One collection on disk with its indexes. Use `bookwheel.open` to get one; safe to search from several threads.

    A library reads the generation that was current when it was first used; `refresh` moves on to the newest.
    """

    def index(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        fields: Fields = Fields(),  # noqa: B008 - immutable
        prune: bool = True,
        hidden: bool = False,
        follow_links: bool = False,
        ram: str | int | None = None,
        workers: int | None = None,
        only: Sequence[str | Path] | None = None,
        distinct: bool | None = False,
        progress: Progress = silent,
    ) -> IndexReport:
        """Bring the library up to date with files, folders, globs or ``-`` (standard input).

        Only what changed since the last time is read; documents of files that disappeared from a given folder are removed
        unless ``prune`` is false; where nothing of a whole folder is there any more, as where a disk is not mounted, they are
        kept, and a note says so. Links that lead out of a given folder are skipped unless ``follow_links``. ``ram`` bounds
        the memory of building (the library's own where None). ``workers`` processes analyse what is read, at most as many as
        have room in ``ram``: None takes one a core once there is enough to do, 1 none but this process; the library is the
        same whatever their number. With ``only``, whole paths of files and folders that changed, nothing else in the folders
        given is looked at. With ``distinct``, a document that nearly repeats another one (0.8 of their three-word shingles are
        common, by 128 MinHash values) is left out: `copies` tells which, and indexing again without it brings them back; None
        goes on as the library was indexed before. Interrupted at any instant, the same call goes on where it was. Raises `InputError` for
        paths that match nothing, `UsageError`, `LibraryLocked`, `StorageError`, `BudgetError`.
        """
        from .indexing import index_paths
        from .writer import Writer

        if not isinstance(paths, str | Path | Iterable):
            raise UsageError(f"paths must be a path or several, not {paths!r:.80}")
        given = [paths] if isinstance(paths, (str, Path)) else list(paths)
        changed = None if only is None else [os.path.abspath(path) for path in only]  # noqa: PTH100 - as `walk` names them
        with Writer(self.path, ram=self._allowed(ram), encoders=self._encoders, wait=self.wait, workers=workers) as writer:
            writer.plan()
            report = index_paths(
                writer,
                given,
                fields=fields,
                prune=prune,
                hidden=hidden,
                follow_links=follow_links,
                only=changed,
                distinct=distinct,
                progress=progress,
            )
        self.refresh()
        return report

    def add(
        self,
        documents: Documents,
        *,
        fields: Fields = Fields(),  # noqa: B008 - immutable
        distinct: bool = False,
        ram: str | int | None = None,
        workers: int | None = None,
        progress: Progress = silent,
    ) -> IndexReport:
        """Add documents, replacing those of the same id that were added this way before.

        ``documents``: texts, dictionaries, `Document` objects, a pandas or polars frame, an Arrow table or record batch, or any
        iterable of them; they are read some at a time. The fields of a dictionary, or columns of a table, are recognised by
        their usual names (``id``, ``title``, ``text`` …) or named by ``fields``; all others become metadata, dates as ISO 8601
        writes them. What has no id gets one made of its content. Of several documents with the same id the last one wins.
        ``ram`` bounds the memory of building (the library's own where None), ``workers`` and ``distinct`` are as for `index`. Raises
        `InputError` naming the document and the field where a value has a wrong type, `LibraryLocked`, `StorageError`, `BudgetError`.
        """
        from .indexing import add_documents
        from .writer import Writer

        with Writer(self.path, ram=self._allowed(ram), encoders=self._encoders, wait=self.wait, workers=workers) as writer:
            writer.plan()
            report = add_documents(writer, documents, fields=fields, distinct=distinct, progress=progress)
        self.refresh()
        return report

    def repair(self) -> list[str]:
        """Mend damage to what the database says twice (see `library.repair`); one sentence for each thing made anew.

        `check` then tells what is left. Raises `LibraryLocked`, `StorageError`.
        """
        from .repair import repair

        done = repair(self.path, self.wait)
        self.refresh()
        return done

    def remove(self, names: str | Path | Sequence[str | Path]) -> int:
        """Remove the documents with these ids, or from these files, folders or archives; returns how many there were.

        Files and folders need not be there any more. Where files have an id in common, ``path::id`` is the one in that file.
        Raises `UsageError`, removing nothing, where a name is none of these, an id of documents in several files, or another
        spelling (é as one character or as two) of several names.
        """
        from .naming import addresses as addresses_of
        from .naming import ambiguous, below, find, spelled_otherwise
        from .writer import writing

        if not isinstance(names, (Path, Iterable)) or isinstance(names, bytes):
            raise InputError(f"a document's id is a string, not {names!r:.80} ({type(names).__name__})")
        some = [names] if isinstance(names, (str, Path)) else names
        given = [str(name) if isinstance(name, Path) else name for name in some]
        with writing(self.path, self.ram, self.wait) as writer:
            store, generation = writer.store, writer.manifest.generation
            found = {name: find(store, generation, name) or below(store, generation, name) for name in given}
            if unclear := [ambiguous(name, several) for name in given if (several := addresses_of(store, generation, name))]:
                raise UsageError(f"{'; '.join(unclear)}; nothing was removed")
            if unclear := [f"{name!a:.300}" for name in given if spelled_otherwise(store, generation, name)]:
                raise UsageError(
                    f"{', '.join(unclear)} is another spelling of several names; give one as the library has it; nothing was removed"
                )
            if missing := [name for name, numbers in found.items() if not numbers]:
                raise UsageError(
                    f"there is no document, file or folder {', '.join(map(repr, missing))} in {self.path}; nothing was removed"
                )
            count = writer.remove(sorted({number for numbers in found.values() for number in numbers}))
        self.refresh()
        return count

    def prune(self, share: float | None = None, *, trial: bool = False, progress: Progress = silent) -> Pruning:
        """Leave passages out of all searches that no query will want: static pruning by quality.

        Every passage is judged by its text: what repeats earlier passages (0.9 of its shingles), says hardly a word, or is likely a
        licence, contents, an index or navigation. All that shows such a sign is left out, or with ``share`` (above 0, below 1)
        that share of all passages, the likeliest boilerplate first; `Pruning.warning` says so where ordinary ones must make it up.
        Texts, documents and vectors stay: `find_all`, `get` and exports have them, `restore` brings all back, and another run
        takes the place of the last. With ``trial`` nothing is done. Raises `UsageError`, `LibraryLocked`, `StorageError`.
        """
        from .static_pruning.prune import prune

        found = prune(self.path, share, encoders=self._encoders, trial=trial, ram=self.ram, wait=self.wait, progress=progress)
        self.refresh()
        return found

    def restore(self) -> int:
        """Bring back the passages that `prune` left out; returns how many. Raises `LibraryLocked`, `StorageError`."""
        from .static_pruning.prune import restore

        count = restore(self.path, encoders=self._encoders, ram=self.ram, wait=self.wait)
        self.refresh()
        return count

    def _allowed(self, ram: str | int | None) -> str | int | None:
        return self.ram if ram is None else ram

    def compact(self, *, ram: str | int | None = None, progress: Progress = silent) -> None:
        """Merge all segments into one and let go of what was removed. Searches may go on meanwhile, in any process.

        ``ram`` bounds the memory (the library's own where None). Raises `LibraryLocked`, `StorageError`, `BudgetError`.
        """
        from .writer import Writer

        self._leave()  # it must not keep what is to be deleted
        with Writer(self.path, ram=self._allowed(ram), wait=self.wait) as writer:
            writer.compact(progress)
        self.refresh()

    def configure(self, **changes: Any) -> None:
        """Change ``k1``, ``b`` or ``recipe``; takes seconds, since no document is read again.

        The saved recipes that ``recipe`` names are put in, so that the default does not change when they do. Raises `UsageError`
        for a wrong value, `RecipeError` for a recipe that this library cannot run, `LibraryLocked`, `StorageError`.
        """
        if fixed := changes.keys() - {"k1", "b", "recipe"}:
            raise UsageError(f"{', '.join(sorted(fixed))} cannot be changed in an existing library; only k1, b and recipe can")
        from .writer import Writer

        with Writer(self.path, ram=self.ram, wait=self.wait) as writer:
            if "recipe" in changes:
                changes["recipe"] = kept_text(changes["recipe"], self.recipes, representations(writer.manifest))
            writer.configure(writer.manifest.settings.change(**changes))
        self.refresh()

    def add_encoder(self, name: str, encoder: Any, *, kind: str = "dense", bits: int | None = None) -> EncoderStatus:
        """Add an encoder, called ``name`` in recipes; `embed` then encodes the passages with it.

        ``encoder`` is the name or folder of a model, ``"https://HOST/v1#MODEL"``, a function from a list
        of texts to an array of vectors, or an encoder (`bookwheel.encode.protocols`). ``kind`` is
        ``dense``, ``sparse`` or ``tokens``; ``bits`` (1, 2 or 4 a dimension) is a choice of token
        vectors. Where ``name`` is by the same model already, it stays. Raises `UsageError` where it is
        by another one, `ModelError`, `LibraryLocked`.
        """
        from .vectors.changes import add

        added = add(self.path, self._encoders, name, encoder, kind=kind, bits=bits, wait=self.wait)
        return self._status(added)

    def replace_encoder(self, name: str, encoder: Any, *, kind: str = "dense", bits: int | None = None) -> EncoderStatus:
        """Replace the encoder called ``name``; its vectors serve until `embed` has completed the new ones.

        The arguments are those of `add_encoder`. Raises `UsageError` where there is none of that name
        and kind, `ModelError`, `LibraryLocked`.
        """
        from .vectors.changes import replace_encoder

        return self._status(replace_encoder(self.path, self._encoders, name, encoder, kind=kind, bits=bits, wait=self.wait))

    def remove_encoder(self, name: str) -> int:
        """Remove an encoder that was added, with its vectors; returns the number of passages that were embedded.

        Raises `UsageError` where there is none of that name, `LibraryLocked`.
        """
        from .vectors.changes import remove

        embedded = remove(self.path, name, self.wait)
        self.refresh()
        return embedded

    def encoders(self) -> list[EncoderStatus]:
        """The encoders that were added, and how many passages are embedded with each."""
        from .vectors.embedding import status

        return [status(self._snapshot, representation) for representation in self._snapshot.manifest.representations]

    def import_vectors(
        self,
        name: str,
        vectors: Any,
        *,
        encoder: Any = None,
        replace: bool = False,
        ram: str | int | None = None,
    ) -> EncoderStatus:
        """Add a representation ``name`` of vectors that were made elsewhere.

        ``vectors`` is an array (n, d) or a ``.npy`` file of one, with a row for each passage in the
        order of ``bookwheel export --passages``, or for each document in that of ``bookwheel export``;
        or weighted terms by document or passage: ``.jsonl`` of ``{"id": …, "vector": {term: weight}}``,
        or ``.ciff``. ``encoder`` encodes queries and passages added later. ``replace`` takes the place
        of an encoder of that name. Everything is checked before anything is changed. Raises
        `InputError`, `UsageError`, `ModelError`, `BudgetError`, `LibraryLocked`.
        """
        from .vectors.importing import import_vectors

        ram = self._allowed(ram)
        return self._status(
            import_vectors(
                self.path, self._encoders, name, vectors, encoder=encoder, replacing=replace, ram=ram, wait=self.wait
            )
        )

    def _status(self, representation: Representation) -> EncoderStatus:
        from .vectors.embedding import status

        self.refresh()
        return status(self._snapshot, representation)

    def embed(
        self,
        names: str | Sequence[str] | None = None,
        *,
        cpu: float = 1.0,
        minutes: float | None = None,
        ram: str | int | None = None,
        passages: int | None = None,
        progress: Progress = silent,
    ) -> list[EncoderStatus]:
        """Embed the passages with the encoders ``names`` (all where None), the most useful passages first.

        Passages are committed a few thousand at a time, and found by searches at once. Interrupted at
        any instant, the same call continues where it was. ``cpu`` is the share of all cores it may use,
        ``minutes`` and ``passages`` bound the work, ``ram`` its memory. Raises `UsageError` for a name
        that is none, `ModelError`, `BudgetError`, `LibraryLocked`.
        """
        from .vectors.embedding import Limits, embed_all

        given = [names] if isinstance(names, str) else names
        limits = Limits(cpu, None if minutes is None else 60 * minutes, self._allowed(ram), passages)
        found = embed_all(self.path, self._encoders, given, limits, progress=progress)
        self.refresh()
        return found

    def addresses(self, names: Sequence[str] | None = None) -> list[str]:
        """The addresses of the remote encoders ``names`` (all where None), which must be allowed before they are used."""
        references = {one.name: one.encoder or "" for one in self._snapshot.manifest.representations}
        return [url for name, url in references.items() if (names is None or name in names) and url.startswith("http")]

    def embedding_cost(
        self, names: str | Sequence[str] | None = None, *, passages: int | None = None
    ) -> dict[str, tuple[RemoteEncoder, Estimate]]:
        """What `embed` would ask of remote models, by name: the encoder, and texts, tokens, price and time. Nothing is sent."""
        from .vectors.embedding import costs

        return costs(self.path, self._encoders, [names] if isinstance(names, str) else names, passages)

    def save_recipe(self, name: str, recipe: str | Recipe, *, evidence: Mapping[str, Any] | None = None) -> None:
        """Save a recipe under ``name``, with what it was chosen by. Raises `RecipeError` for one that this library cannot run."""
        from .saved_recipes import save_recipe

        save_recipe(self.path, name, self._searcher.recipe(recipe), representations(self._snapshot.manifest), evidence)

    def remove_recipe(self, name: str) -> None:
        """Remove the recipe saved under ``name``. Raises `RecipeError` if there is none, or the library's default needs it."""
        from .saved_recipes import remove_recipe, uses_saved

        default, saved = Manifest.read(self.path).settings.recipe, self.recipes
        if uses_saved(default, name, saved):
            raise RecipeError(
                f"the library's default recipe, '{default}', uses {name!r}; choose another first with `bookwheel configure --recipe`"
            )
        remove_recipe(self.path, name)
