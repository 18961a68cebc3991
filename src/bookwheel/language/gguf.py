"""A GGUF file in this process, run by llama.cpp through cyllama (the extra ``gguf``): wheels that need no compiler.

Weights stay in the file and are mapped into memory, in the bits that the file has. What a prompt and the last one begin with
alike is not read again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .._errors import ModelError
from .._system import cores
from .protocols import Reply, remaining, stopped

__all__ = ["GgufModel", "gguf_installed"]

CONTEXT = 4096
"""Tokens of prompt and answer, at most: memory for them is taken at once."""
BATCH = 256
"""Tokens read at once; the deadline is checked between batches."""
INSTALL = "type: pip install 'bookwheel[gguf]'"


def gguf_installed() -> bool:
    """Whether the package that runs GGUF files is there; it is not imported."""
    return find_spec("cyllama") is not None


class GgufModel:
    """The model in ``file``, called ``name``. One thread at a time runs it; others wait.

    Raises `ModelError` where the package or the file is missing, or the file cannot be loaded.
    """

    def __init__(self, name: str, file: Path, *, context: int = CONTEXT, threads: int | None = None) -> None:
        try:
            from cyllama.llama import llama_cpp
        except ImportError:
            raise ModelError(f"running a .gguf file needs cyllama, which is not installed; {INSTALL}") from None
        if not file.is_file():
            raise ModelError(f"there is no language model at {file}; give the path of a .gguf file")
        with file.open("rb") as opened:
            if opened.read(4) != b"GGUF":
                raise ModelError(f"{file} is no GGUF file; give one that ends in .gguf and was downloaded whole")
        self.name = name
        self._lib: Any = llama_cpp
        self._lock = threading.RLock()
        llama_cpp.disable_logging()
        llama_cpp.ggml_backend_load_all()
        try:
            self._model: Any = llama_cpp.LlamaModel(str(file), llama_cpp.LlamaModelParams())
            settings = llama_cpp.LlamaContextParams()
            self.context = min(context, int(self._model.n_ctx_train))
            settings.n_ctx = self.context
            settings.n_batch = BATCH
            settings.no_perf = True
            settings.n_threads = settings.n_threads_batch = threads or max(1, min(8, cores() - 1))
            self._state: Any = llama_cpp.LlamaContext(self._model, settings)
        except MemoryError:
            raise ModelError(f"there is no memory left for the language model {name!r}; take a smaller one") from None
        except Exception as error:  # llama.cpp's errors come as several types
            why = " ".join(str(error).split())[:200] or type(error).__name__
            raise ModelError(f"the language model {name!r} cannot be loaded ({why}); check that the file is complete") from None
        self._vocabulary: Any = self._model.get_vocab()
        self.parameters = int(self._model.n_params)
        self._read: list[int] = []

    def generate(
        self,
        prompts: Sequence[str],
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
    ) -> list[str]:
        """See `Generator.generate`. At the deadline the current answer ends where it is; if prompts are left, `ModelError`."""
        answers = []
        for number, prompt in enumerate(prompts):
            if remaining(deadline) <= 0:
                raise ModelError(
                    f"the language model {self.name!r} answered {number} of {len(prompts)} prompts within the time limit; "
                    "allow more time"
                )
            answers.append("".join(self.stream(prompt, system=system, max_tokens=max_tokens, stop=stop, deadline=deadline)))
        return answers

    def stream(
        self,
        prompt: str,
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
        reply: Reply | None = None,
    ) -> Iterator[str]:
        """See `Streamer.stream`."""
        with self._lock:
            yield from self._pieces(self._prompt(system, prompt), max_tokens, stop, deadline, reply or Reply())

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Generator.count_tokens`; exact."""
        return [len(self._tokens(text, first=False)) for text in texts]

    def close(self) -> None:
        """See `Generator.close`."""
        with self._lock:
            state, model = self._state, self._model
            self._state = self._model = self._vocabulary = None
            self._read = []
            for one in (state, model):
                if one is not None:
                    one.close()

    # -- one answer ----------------------------------------------------------------------------------------------------

    def _prompt(self, system: str, prompt: str) -> list[int]:
        model = self._open()
        template = model.get_default_chat_template()
        if not template:
            return self._tokens(f"{system}\n\n{prompt}\n" if system else f"{prompt}\n", first=True)
        message = self._lib.LlamaChatMessage
        turns = [message(role="system", content=system)] if system else []
        try:
            whole = model.chat_apply_template(template, [*turns, message(role="user", content=prompt)], True)
        except Exception:  # a template without a system role, or one that llama.cpp does not know
            joined = f"{system}\n\n{prompt}" if system else prompt
            try:
                whole = model.chat_apply_template(template, [message(role="user", content=joined)], True)
            except Exception:
                whole = f"{joined}\n"
        return self._tokens(whole, first=True)

    def _tokens(self, text: str, *, first: bool) -> list[int]:
        self._open()
        return list(self._vocabulary.tokenize(text, add_special=first, parse_special=True)) if text else []

    def _open(self) -> Any:
        if self._model is None:
            raise ModelError(f"the language model {self.name!r} is closed; load it again")
        return self._model

    def _pieces(self, ids: list[int], most: int, stop: Sequence[str], deadline: float | None, reply: Reply) -> Iterator[str]:
        if len(ids) + most > self.context:
            raise ModelError(
                f"a prompt of {len(ids)} tokens and an answer of {most} exceed the context of {self.name!r}, {self.context} "
                "tokens; give fewer or shorter passages"
            )
        stopped("", stop)
        reply.prompt_tokens = len(ids)
        if not self._prefill(ids, deadline):
            raise ModelError(
                f"the language model {self.name!r} had no time to read its prompt of {len(ids)} tokens; allow more"
            )
        sampler = self._lib.LlamaSampler(self._lib.LlamaSamplerChainParams())
        sampler.add_greedy()
        longest = max(map(len, stop), default=1) - 1
        answer: list[int] = []
        text, told = "", 0
        while True:
            token = sampler.sample(self._state, -1)
            if self._vocabulary.is_eog(token):
                reply.finish = "stop"
                break
            answer.append(token)
            reply.completion_tokens = len(answer)
            try:
                text = self._vocabulary.detokenize(answer, remove_special=False, unparse_special=False)
                whole = not text.endswith("\ufffd")
            except UnicodeDecodeError:  # half a character
                whole = False
            if any(mark in text for mark in stop):
                reply.finish = "stop"
                break
            if len(answer) >= most:
                reply.finish = "length"
                break
            if remaining(deadline) <= 0:
                break
            if whole and (ready := len(text) - longest) > told:
                yield text[told:ready]
                told = ready
            self._decode([token])
        if rest := stopped(text, stop)[told:]:
            yield rest

    def _prefill(self, ids: list[int], deadline: float | None) -> bool:
        """Read what of ``ids`` is not read yet; whether there was time for all of it."""
        shared = 0
        most = min(len(self._read), len(ids) - 1)
        while shared < most and self._read[shared] == ids[shared]:
            shared += 1
        if shared < len(self._read) and not self._state.memory_seq_rm(0, shared, -1):
            self._state.kv_cache_clear()  # a model whose state cannot be taken back in part
            shared = 0
        del self._read[shared:]
        for at in range(shared, len(ids), BATCH):
            if remaining(deadline) <= 0:
                return False
            self._decode(ids[at : at + BATCH])
        return True

    def _decode(self, ids: list[int]) -> None:
        try:
            self._state.decode(self._lib.llama_batch_get_one(ids, len(self._read)))
        except (RuntimeError, ValueError, MemoryError) as error:
            self._state.kv_cache_clear()
            self._read.clear()
            raise ModelError(
                f"the language model {self.name!r} could not go on ({' '.join(str(error).split())[:200]}); ask with fewer passages"
            ) from None
        self._read.extend(ids)
