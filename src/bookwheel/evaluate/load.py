"""Judged collections from folders and files, each in the layout that it is seen to have, or from ir_datasets."""

from __future__ import annotations

from pathlib import Path

from .._errors import InputError
from .collection import Collection
from .datasets import IR_DATASETS, load_ir_dataset
from .layouts.base import Place
from .layouts.registry import LAYOUTS

__all__ = ["load_collection"]


def load_collection(source: str | Path, split: str = "test", field: str = "title") -> Collection:
    """A judged collection from a folder or file, or ``ir_datasets:NAME``.

    What it is, is seen from what it holds, and told by `Collection.kind`: a BEIR folder (``corpus.jsonl``, ``queries.jsonl``,
    ``qrels/<split>.tsv``), a folder of TREC files (``topics*``, ``qrels*`` and documents), SQuAD's JSON, LoCoMo's, QuALITY's or
    HotpotQA's, or questions with answers and evidence beside a corpus. ``split``: which files, where there are several. Files
    may be compressed with gzip. ``field``: see `read_queries`. Raises `InputError`.
    """
    if isinstance(source, str) and source.startswith(IR_DATASETS):
        return load_ir_dataset(source.removeprefix(IR_DATASETS))
    place = Place(Path(source).expanduser())
    if not place.path.exists():
        raise InputError(f"{place.path} does not exist; give a folder or file of a judged collection, or {IR_DATASETS}NAME")
    for layout in LAYOUTS:
        if layout.recognises(place):
            return layout.load(place, split, field)
    what = "a folder" if place.is_folder else "a file"
    raise InputError(f"{place.path} is {what} of no known layout; expected {'; '.join(one.looks for one in LAYOUTS)}")
