"""From a model's name to its folder: a local folder, an installed package, or the hub, in that order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import Any

from .._allowed import address_of, addresses
from .._errors import ModelError

__all__ = ["BUILT_IN_MODELS", "DEFAULT", "check_download", "find_folder", "installed", "package_folders", "weight_files"]

DEFAULT = "static"
"""The encoder of a library that names none."""
BUILT_IN_MODELS = {"static": Path(__file__).parent / "static" / "model"}
"""Folders of the models that come with bookwheel, by name."""
MARKS = ("modules.json", "tokenizer.json", "config.json")
WEIGHTS = (".safetensors", ".onnx", ".npy")
HUB_FILES = ["*.json", "*.txt", "*.safetensors", "*.model", "onnx/model.onnx", "onnx/model_quantized.onnx"]
HUB = "https://huggingface.co"
LOOKED_AT = 4096
LARGE = 100_000
"""The least size in bytes of a file of weights."""


def weight_files(folder: Path, suffixes: Sequence[str] = WEIGHTS) -> list[Path]:
    """The files of weights in ``folder`` and its folders, of a few thousand looked at: whoever names it may have named ``/``."""
    entries = islice(chain(folder.glob("*"), folder.glob("*/*")), LOOKED_AT)
    return [path for path in entries if path.suffix in suffixes and path.is_file()]


def find_folder(name: str, revision: str | None = None, *, download: bool = False) -> Path:
    """The folder of model ``name``; raises `ModelError` where there is none.

    The network is used only for ``owner/model``, a name on the hub, where neither a folder nor a package has that name and it
    was not downloaded before; and only where the user named it (``download``) or has allowed the hub's address, so that
    nobody else's library or recipe makes this machine download anything.
    """
    if name in BUILT_IN_MODELS:
        return BUILT_IN_MODELS[name]
    folder = Path(name).expanduser()
    try:
        if folder.is_dir():
            return folder
    except (OSError, ValueError, RuntimeError):
        pass
    if name.startswith((".", "/", "~")) or "\\" in name or "\0" in name:
        raise ModelError(f"there is no folder {name!r:.200}; give a model's folder, an installed package or owner/model")
    if re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        found = package_folders(name)
        if len(found) > 1:
            several = ", ".join(map(str, found))
            raise ModelError(f"package {name} holds several models; give the folder of one of them: {several}")
        if found:
            return found[0]
    if re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", name):
        return _from_hub(name, revision, download)
    raise ModelError(
        f"there is no encoder {name!r:.200}: give one of {', '.join(sorted(BUILT_IN_MODELS))}, the folder of a model, an installed "
        "package that holds one, or owner/model of the hub; `bookwheel models` lists what is installed"
    )


def package_folders(name: str) -> list[Path]:
    """The model folders of an installed package, which is not imported; empty where there is no such package."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        found = distribution(name)
    except (PackageNotFoundError, ValueError):
        return []
    return list(_model_folders(found))


def installed() -> dict[str, list[Path]]:
    """The installed packages that contain models, with their folders; none of them is imported."""
    from importlib.metadata import distributions

    out: dict[str, list[Path]] = {}
    for found in distributions():
        name = str(found.metadata["Name"])
        # Most packages have no large file of weights, which their list of files shows at once.
        if name != "bookwheel" and (folders := list(_model_folders(found))):
            out.setdefault(name, folders)
    return out


def _model_folders(found: Any) -> Iterator[Path]:
    weights: set[PurePosixPath] = set()
    listed: set[str] = set()
    for file in found.files or ():
        if file.suffix in WEIGHTS and "test" not in file.parts and "tests" not in file.parts and (file.size or LARGE) >= LARGE:
            weights.add(PurePosixPath(file))
        listed.add(str(file))
    seen: set[PurePosixPath] = set()
    for path in sorted(weights):
        folder = path.parent
        # Weights in weights/ or onnx/ belong to the folder above it.
        if folder.name in ("weights", "onnx") or (path.suffix == ".safetensors" and folder.name[:2] in ("1_", "2_", "3_")):
            folder = folder.parent
        marked = any(str(folder / mark) in listed for mark in MARKS) or path.suffix == ".onnx" or path.parent.name == "weights"
        if marked and folder not in seen:
            seen.add(folder)
            yield Path(found.locate_file(folder))


def _from_hub(name: str, revision: str | None, download: bool) -> Path:
    name, _, after = name.partition("@")
    revision = revision or after or None
    try:
        from huggingface_hub import constants, snapshot_download
    except ImportError as error:
        raise ModelError(
            f"there is no folder {name!r}; to get a model of that name from the hub, type: pip install 'bookwheel[hub]'"
        ) from error
    # Files downloaded before are used without the network.
    for offline in (True, False):
        if not offline and not download:
            check_download(name, str(constants.ENDPOINT))
        try:
            return Path(snapshot_download(name, revision=revision, allow_patterns=HUB_FILES, local_files_only=offline))
        except Exception as error:  # the hub's exceptions and those of its HTTP library have no common base
            problem = error
    raise ModelError(
        f"{name}{'@' + revision if revision else ''} cannot be downloaded from the hub ({_first(problem)}); check the name and the "
        "network"
    )


def check_download(name: str, hub: str = HUB) -> None:
    """Raise `ModelError` where the user has not allowed downloads from ``hub``, an address."""
    if address_of(hub) not in addresses():
        raise ModelError(
            f"the model {name!r:.200} is not on this machine, and you have not allowed downloads from {hub}; to download what "
            f"libraries and recipes name, type: bookwheel allow {hub}"
        )


def _first(error: Exception) -> str:
    return " ".join(str(error).split())[:150] or type(error).__name__
