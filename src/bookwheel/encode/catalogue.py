"""The models on this machine: the kind of each, whether it runs, and its speed here."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._errors import BookwheelError, ModelError
from .._system import cores
from ..analysis.words import WordTable
from .find import BUILT_IN_MODELS, installed
from .load import load_encoder
from .model_cache import models_folder
from .options import Options
from .protocols import max_tokens
from .static.built_in import StaticEncoder
from .transformer.layout import read_layout

__all__ = ["OTHERS", "RECOMMENDED", "ModelEntry", "catalogue", "kind_of_folder", "licence_of", "rate_of", "require_encoders"]

RECOMMENDED = {
    "static": "any collection, now",
    "granite-embedding-30m-english": "English, best quality measured for its size",
    "all-minilm-l6-v2": "English, smallest and fastest of the neural ones",
}
"""Recommended models, by a part of the name, with their use (docs/models.md has the measurements)."""
OTHERS = {"cross-encoder": "reranks", "language model": "writes"}
"""Kinds of models that encode no passages, and what they do."""
WRITE = ("ForCausalLM", "ForConditionalGeneration")
SECONDS = 1.0
"""Seconds for which the speed of a model is measured."""
WORDS = 100
"""Words of each text that it is measured with."""


@dataclass(slots=True)
class ModelEntry:
    """One model; None for what is not known."""

    name: str
    """The MODEL of `bookwheel encoders add NAME=MODEL`."""
    kind: str
    """``dense``, ``sparse``, ``tokens``, ``cross-encoder`` or ``language model``; the last two encode no passages."""
    folder: str
    bytes: int
    """Size of its weights and tokenizer on disk."""
    dimension: int | None = None
    max_tokens: int | None = None
    licence: str | None = None
    passages_per_second: float | None = None
    """Passages of 100 words per second on this machine, with all cores this process may use."""
    recommended: str | None = None
    """What it is recommended for; None where it is not."""
    problem: str | None = None
    """The reason why it cannot be used, in one sentence; None where it can."""


def catalogue(folders: Sequence[Path] = (), *, measure: bool = True, again: bool = False) -> Iterator[ModelEntry]:
    """The built-in model, those of installed packages, of the hub's cache on this machine, and those in ``folders``.

    A folder is that of a model, or contains some. Each model is loaded to see whether it can be used.
    Its speed is measured if it was not before (or ``again``), and cached. Nothing is downloaded.
    """
    places: list[tuple[str, Path]] = list(BUILT_IN_MODELS.items())
    for package, found in sorted(installed().items()):
        places += [(package if len(found) == 1 else str(place), place) for place in found]
    places += sorted(_hub())
    for folder in folders:
        places += [(str(place), place) for place in _models_in(folder)]
    seen: set[Path] = set()
    for name, place in places:
        if place.resolve() not in seen:
            seen.add(place.resolve())
            yield _entry(name, place, measure, again)


def require_encoders(folders: Sequence[Path]) -> None:
    """Raise `ModelError` for one of ``folders`` in which there is no model that encodes passages and can be loaded."""
    for folder in folders:
        problems = []
        for place in _models_in(folder):
            entry = _entry(str(place), place, False, False)
            if not entry.problem and entry.kind not in OTHERS:
                break
            problems.append(entry.problem or f"{place} is a {entry.kind}, which {OTHERS[entry.kind]}")
        else:
            raise ModelError(problems[0])


def _models_in(folder: Path) -> list[Path]:
    """The folder itself, or those in it that are models."""
    inside = sorted(place for place in folder.iterdir() if _is_model(place)) if folder.is_dir() else []
    return [folder] if _is_model(folder) or not inside else inside


def kind_of_folder(folder: Path) -> str:
    """The kind of model by its files: ``dense``, ``sparse``, ``tokens`` or ``cross-encoder``; raises `ModelError`."""
    layout = read_layout(folder)
    kinds = {module.kind for module in layout.modules}
    classes = " ".join(map(str, layout.config.get("architectures") or ()))
    if kinds & {"SpladePooling", "MLMTransformer"} or "ForMaskedLM" in classes:
        return "sparse"
    if "ForSequenceClassification" in classes:
        return "cross-encoder"
    if "ColBERT" in classes or (folder / "artifact.metadata").is_file():
        return "tokens"
    if "Dense" in kinds and not kinds & {"Pooling", "StaticEmbedding"}:
        return "tokens"  # as PyLate saves them
    return "dense"


def _writes(folder: Path) -> bool:
    """Whether it is a language model's, as transformers has them."""
    classes = " ".join(map(str, read_layout(folder).config.get("architectures") or ()))
    return any(one in classes for one in WRITE)


def licence_of(folder: Path, name: str = "") -> str | None:
    """The licence in the model's card or settings, otherwise that of the package it came in."""
    for file in ("config.json", "metadata.json"):
        with suppress(OSError, ValueError, AttributeError, RecursionError):
            settings = json.loads((folder / file).read_text(encoding="utf-8"))
            if found := settings.get("licence") or settings.get("license"):
                return str(found)
    with suppress(OSError, UnicodeDecodeError):
        head, lines = (folder / "README.md").read_text(encoding="utf-8").splitlines()[:60], 0
        for line in head:
            lines += line.strip() == "---"
            if lines == 1 and line.lower().startswith(("license:", "licence:")):
                return line.split(":", 1)[1].strip() or None
    from importlib.metadata import PackageNotFoundError, metadata

    with suppress(PackageNotFoundError, ValueError):
        about = metadata(name).json
        stated = str(about.get("license_expression") or about.get("license") or "").strip()
        return stated.splitlines()[0][:40] if stated else None
    return None


def rate_of(encoder: Any, seconds: float = SECONDS) -> float:
    """Passages of 100 words a second."""
    texts = _texts()
    encode = encoder.encode
    if isinstance(encoder, StaticEncoder):
        # As while indexing: a word is cut into pieces at its first occurrence.
        table = WordTable()

        def encode(some: list[str]) -> Any:
            return encoder.encode_words(*table.ids(some), table)

    count = 2 * cores()
    encode(texts[:count])
    done, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        # Batches of some tenths of a second, so that calls do not dominate the time of a fast model.
        count = count if not done else max(count, min(4096, int(0.2 * done / max(took, 1e-9))))
        encode([texts[(done + at) % len(texts)] for at in range(count)])
        done += count
    return done / took


def _entry(name: str, folder: Path, measure: bool, again: bool) -> ModelEntry:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    entry = ModelEntry(name, "dense", str(folder), size)
    entry.recommended = next((what for part, what in RECOMMENDED.items() if part in name.lower().replace("_", "-")), None)
    try:
        entry.kind = "language model" if _writes(folder) else kind_of_folder(folder)
        entry.licence = licence_of(folder, name)
        if entry.kind == "language model":
            return entry
        if entry.kind == "cross-encoder":
            from .transformer.open import open_scorer

            model, _ = open_scorer(folder, Options())
            entry.max_tokens = model.max_tokens
            return entry
        encoder: Any = load_encoder(str(folder), entry.kind)
        entry.dimension = getattr(encoder, "dimension", None)
        entry.max_tokens = max_tokens(encoder)
        if measure:
            entry.passages_per_second = _remembered(encoder, again)
    except BookwheelError as error:
        entry.problem, entry.recommended = str(error), None
    except Exception as error:  # files of unknown origin: an unexpected error must not hide the other models
        entry.problem, entry.recommended = f"it cannot be loaded ({type(error).__name__}: {error})"[:300], None
    return entry


def _remembered(encoder: Any, again: bool) -> float:
    """The model's speed on this machine, measured once."""
    path = models_folder() / "speeds.json"
    key = f"{encoder.sha256[:24]} {encoder.revision} {cores()}"
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        if not again and float(known[key]) > 0:
            return float(known[key])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        known = known if "known" in locals() and isinstance(known, dict) else {}
    rate = rate_of(encoder)
    with suppress(OSError):  # it is only measured again
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps({**known, key: round(rate, 2)}), encoding="utf-8")
        part.replace(path)
    return rate


def _is_model(folder: Path) -> bool:
    return folder.is_dir() and any(
        (folder / mark).is_file()
        for mark in ("config.json", "modules.json", "tokenizer.json", "model.onnx", "model.safetensors")
    )


def _hub() -> Iterator[tuple[str, Path]]:
    """Models downloaded from the hub before."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    with suppress(OSError):
        for folder in hub.glob("models--*"):
            snapshots = sorted((folder / "snapshots").glob("*"), key=lambda path: path.stat().st_mtime)
            if snapshots and _is_model(snapshots[-1]):
                yield "/".join(folder.name.split("--")[1:]), snapshots[-1]


def _texts() -> list[str]:
    """English prose found on every machine: Python's own help."""
    from pydoc_data.topics import topics

    words = " ".join(text for _, text in sorted(topics.items())).split()
    return [" ".join(words[at : at + WORDS]) for at in range(0, min(len(words), 256 * WORDS) - WORDS, WORDS)]
