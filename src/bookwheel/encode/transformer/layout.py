"""Reads what a model's folder says about itself: transformers' and sentence-transformers' configuration files.

Sources: sentence-transformers' ``modules.json``, ``sentence_bert_config.json``, ``config_sentence_transformers.json`` and the
``config.json`` of its modules Pooling, Dense and Normalize; transformers' ``config.json`` and ``tokenizer_config.json``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..._errors import ModelError

__all__ = ["TABLE", "Layout", "Module", "read_json", "read_layout"]

POOLING = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""How a Pooling module's config.json says what it does; newer ones have ``pooling_mode``."""
TRANSFORMERS = ("Transformer", "MLMTransformer")
TABLE = "StaticEmbedding"
"""The step of sentence-transformers that looks tokens' vectors up."""
QUERY_PROMPTS = ("query", "s2p_query", "search_query", "queries")
PASSAGE_PROMPTS = ("document", "passage", "search_document", "corpus", "documents")
ONNX = (
    "onnx/model_quantized.onnx",
    "onnx/model_qint8_avx512_vnni.onnx",
    "onnx/model_int8.onnx",
    "model_quantized.onnx",
    "model_int8.onnx",
    "onnx/model.onnx",
    "model.onnx",
)
"""Where ONNX files lie in a model's folder, the smallest first."""


@dataclass(frozen=True)
class Module:
    """One step of a sentence-transformers model: its class's last name and its own configuration."""

    kind: str
    folder: Path
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Layout:
    """Everything a model's folder says; see `read_layout`."""

    folder: Path
    """Where the weights and the tokenizer lie."""
    config: Mapping[str, Any]
    modules: tuple[Module, ...] = ()
    """The steps of the model, the transformer's included."""
    query_modules: tuple[Module, ...] | None = None
    """The steps that queries take where those are others (a Router's)."""
    max_tokens: int | None = None
    lower: bool = False
    """Whether texts are put into lower case before they are tokenised."""
    query_prefix: str = ""
    passage_prefix: str = ""
    whole: Path = field(default_factory=Path)
    """The folder that was asked for; ``folder`` may be a part of it."""
    query_layout: Layout | None = None
    """What says how queries are encoded, where they go through a transformer of their own, or a table of token vectors."""

    def module(self, kind: str) -> Module | None:
        """The first step of that kind."""
        return next((module for module in self.modules if module.kind == kind), None)

    @property
    def onnx(self) -> list[Path]:
        """The ONNX files, quantised ones first."""
        named = [self.folder / name for name in ONNX if (self.folder / name).is_file()]
        return named or sorted(self.folder.glob("*.onnx"))

    @property
    def weights(self) -> Path | None:
        """The safetensors file, or the index of several."""
        for name in ("model.safetensors", "model.safetensors.index.json"):
            if (self.folder / name).is_file():
                return self.folder / name
        return None


def read_json(path: Path) -> Any:
    """A configuration file; raises `ModelError` where it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not readable as JSON ({error}); get the model's files again") from error


def _config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    config = read_json(path)
    if not isinstance(config, dict):
        raise ModelError(f"{path} holds no settings; get the model's files again")
    return config


def read_layout(folder: Path) -> Layout:
    """What the files of ``folder`` say; raises `ModelError` where one is damaged or a step of the model is not known."""
    modules: list[Module] = []
    first = folder
    listed = read_json(folder / "modules.json") if (folder / "modules.json").is_file() else []
    try:
        steps = [(str(step["type"]).rsplit(".", 1)[-1], str(step["path"])) for step in listed]
    except (KeyError, TypeError) as error:
        raise ModelError(f"{folder / 'modules.json'} lists no steps of a model; get the model's files again") from error
    queries: list[Module] | None = None
    for kind, path in steps:
        place = _inside(folder, path)
        if kind in ("Router", "Asym"):
            for_passages, for_queries = _routes(place)
            modules += for_passages
            queries = for_queries
        else:
            modules.append(Module(kind, place, _config(place / "config.json")))
    for module in modules:
        if module.kind in TRANSFORMERS:
            first = module.folder
    bert = _config(first / "sentence_bert_config.json") or _config(folder / "sentence_bert_config.json")
    overall = _config(folder / "config_sentence_transformers.json")
    prompts = overall.get("prompts") or {}
    default = prompts.get(overall.get("default_prompt_name"), "")
    config = _config(first / "config.json")
    found = Layout(
        folder=first,
        config=config,
        modules=tuple(modules),
        query_modules=None if queries is None else tuple(queries),
        max_tokens=_length(bert, first, config),
        lower=bool(bert.get("do_lower_case")),
        query_prefix=_prompt(prompts, QUERY_PROMPTS, default),
        passage_prefix=_prompt(prompts, PASSAGE_PROMPTS, default),
        whole=folder,
    )
    own = next((module.folder for module in queries or () if module.kind in (*TRANSFORMERS, TABLE)), first)
    if queries is None or own == first:
        return found
    bert, config = _config(own / "sentence_bert_config.json"), _config(own / "config.json")
    asked = replace(
        found,
        folder=own,
        config=config,
        modules=tuple(queries),
        query_modules=None,
        max_tokens=_length(bert, own, config),
        lower=bool(bert.get("do_lower_case")),
        whole=own,
    )
    return replace(found, query_layout=asked)


def _inside(folder: Path, path: str) -> Path:
    place = folder / path
    if place.resolve() != folder.resolve() and folder.resolve() not in place.resolve().parents:
        raise ModelError(f"{folder} names a part {path!r} that lies outside of the model; get its files again")
    return place


def _routes(folder: Path) -> tuple[list[Module], list[Module]]:
    """The steps that a Router sends passages and queries through."""
    config = _config(folder / "router_config.json") or _config(folder / "config.json")
    routes: list[list[Module]] = []
    try:
        for names in (("document", "passage", "corpus"), ("query",)):
            name = next((n for n in names if n in config["structure"]), config.get("parameters", {}).get("default_route"))
            steps = [
                (str(config["types"][step]).rsplit(".", 1)[-1], _inside(folder, step)) for step in config["structure"][name]
            ]
            routes.append([Module(kind, place, _config(place / "config.json")) for kind, place in steps])
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder / 'router_config.json'} lacks {error}; get the model's files again") from error
    return routes[0], routes[1]


def _prompt(prompts: Mapping[str, str], names: tuple[str, ...], default: str) -> str:
    return next((str(prompts[name]) for name in names if prompts.get(name)), default)


def _length(bert: Mapping[str, Any], folder: Path, config: Mapping[str, Any]) -> int | None:
    """sentence-transformers' own limit, else the tokenizer's, else what the positions allow."""
    tokenizer = _config(folder / "tokenizer_config.json").get("model_max_length")
    lengths = [bert.get("max_seq_length"), tokenizer, config.get("max_position_embeddings")]
    # A tokenizer without a limit says so by a number of thirty digits.
    return next((int(n) for n in lengths if isinstance(n, (int, float)) and 0 < n < 1_000_000), None)
