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

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
from .._system import cores
from .decoding import Step, decoded, log_softmax, mixed, shares
from .protocols import OneByOne, Reply, remaining, stopped

__all__ = ["GgufModel", "gguf_installed"]

CONTEXT = 4096
"""Tokens of prompt and answer, at most: memory for them is taken at once."""
BATCH = 256
"""Tokens read at once; the deadline is checked between batches."""
SEQUENCES = 8
"""Prompts that an ensemble takes at once. They share the memory of one context."""
INSTALL = "type: pip install 'bookwheel[gguf]'"


def gguf_installed() -> bool:
    """Whether the package that runs GGUF files is there; it is not imported."""
    return find_spec("cyllama") is not None


class GgufModel(OneByOne):
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
            self._model: Any = _with_vocabulary(llama_cpp)(str(file), llama_cpp.LlamaModelParams())
            settings = llama_cpp.LlamaContextParams()
            self.context = min(context, int(self._model.n_ctx_train))
            settings.n_ctx = self.context
            settings.n_batch = BATCH
            settings.no_perf = True
            settings.n_seq_max = SEQUENCES
            settings.kv_unified = True  # one sequence can use the whole context
            settings.n_threads = settings.n_threads_batch = threads or max(1, min(8, cores() - 1))
            self._state: Any = llama_cpp.LlamaContext(self._model, settings)
        except MemoryError:
            raise ModelError(f"there is no memory left for the language model {name!r}; take a smaller one") from None
        except Exception as error:  # llama.cpp's errors come as several types
            why = " ".join(str(error).split())[:200] or type(error).__name__
            raise ModelError(f"the language model {name!r} cannot be loaded ({why}); check that the file is complete") from None
        self._vocabulary: Any = self._model.get_vocab()
        self._model.n_vocab = int(self._vocabulary.n_vocab)
        self._batch: Any = llama_cpp.LlamaBatch(n_tokens=BATCH, embd=0, n_seq_max=1)
        self.parameters = int(self._model.n_params)
        self._read: list[int] = []

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

    def ensemble(
        self,
        prompts: Sequence[str],
        weights: Sequence[float],
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
        reply: Reply | None = None,
    ) -> Iterator[str]:
        """See `Ensemble.ensemble`. At most `SEQUENCES` prompts, which together with an answer each fit into the context."""
        parts = shares(weights, len(prompts))
        told = reply or Reply()
        with self._lock:
            rows = [self._prompt(system, prompt) for prompt in prompts]
            whole = sum(map(len, rows)) + max_tokens * len(rows)
            if len(rows) > SEQUENCES or whole > self.context:
                raise ModelError(
                    f"{len(rows)} prompts that take {whole} tokens together exceed the {SEQUENCES} prompts or the {self.context} "
                    f"tokens of {self.name!r}; give fewer or shorter passages"
                )
            told.prompt_tokens = sum(map(len, rows))
            try:
                yield from self._ensemble(rows, parts, max_tokens, stop, deadline, told)
            finally:
                if self._model is not None:
                    self._forget()

    def log_likelihoods(
        self, contexts: Sequence[str], continuations: Sequence[str], *, deadline: float | None = None
    ) -> list[NDArray[np.float32] | None]:
        """See `Scorer.log_likelihoods`. Context and continuation are tokenised separately; what two contexts begin with is read once."""
        found: list[NDArray[np.float32] | None] = []
        with self._lock:
            for context, continuation in zip(contexts, continuations, strict=True):
                before, after = self._tokens(context, first=True), self._tokens(continuation, first=False)
                if not before:
                    raise ModelError("the likelihood of a text needs a context; give every text a context of one word or more")
                if len(before) + len(after) > self.context:
                    raise ModelError(
                        f"{len(before) + len(after)} tokens exceed the context of {self.name!r}, {self.context} tokens; "
                        "give fewer or shorter passages"
                    )
                found.append(self._likelihood(before, after, deadline))
        return found

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Generator.count_tokens`; exact."""
        return [len(self._tokens(text, first=False)) for text in texts]

    def close(self) -> None:
        """See `Generator.close`."""
        with self._lock:
            state, model = self._state, self._model
            self._state = self._model = self._vocabulary = self._batch = None
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

        def step(last: int | None) -> tuple[int, float]:
            if last is not None:
                self._decode([last])
            token = int(sampler.sample(self._state, -1))
            return token, float(self._logs(-1)[token]) if reply.probabilities else 0.0

        yield from self._decoded(step, most, stop, deadline, reply)

    def _decoded(self, step: Step, most: int, stop: Sequence[str], deadline: float | None, reply: Reply) -> Iterator[str]:
        return decoded(step, self._text, self._vocabulary.is_eog, most=most, stop=stop, deadline=deadline, reply=reply)

    def _text(self, answer: Sequence[int]) -> str | None:
        try:
            text: str = self._vocabulary.detokenize(list(answer), remove_special=False, unparse_special=False)
        except UnicodeDecodeError:  # half a character
            return None
        return text

    def _logs(self, row: int) -> NDArray[np.float32]:
        """The log-probabilities of the next token after ``row`` of the last batch: (vocabulary,)."""
        return log_softmax(np.array(self._state.get_logits_ith(row), np.float32))

    def _ensemble(
        self, rows: list[list[int]], parts: list[float], most: int, stop: Sequence[str], deadline: float | None, reply: Reply
    ) -> Iterator[str]:
        self._forget()
        first: list[NDArray[np.float32]] = []
        for sequence, ids in enumerate(rows):
            for at in range(0, len(ids), BATCH):
                if remaining(deadline) <= 0:
                    raise ModelError(
                        f"the language model {self.name!r} had no time to read its {len(rows)} prompts; allow more"
                    )
                piece = ids[at : at + BATCH]
                self._run([(token, at + n, sequence, at + n + 1 == len(ids)) for n, token in enumerate(piece)])
            first.append(self._logs(-1))
        ends = [len(ids) for ids in rows]

        def step(last: int | None) -> tuple[int, float]:
            if last is None:
                return mixed(first, parts)
            self._run([(last, end, sequence, True) for sequence, end in enumerate(ends)])
            ends[:] = [end + 1 for end in ends]
            return mixed([self._logs(row) for row in range(len(ends))], parts)

        yield from self._decoded(step, most, stop, deadline, reply)

    def _likelihood(self, before: list[int], after: list[int], deadline: float | None) -> NDArray[np.float32] | None:
        if not after:
            return np.zeros(0, np.float32)
        if remaining(deadline) <= 0 or not self._prefill(before, deadline):
            return None
        found = [float(self._logs(-1)[after[0]])]
        for at in range(0, len(after) - 1, BATCH):
            if remaining(deadline) <= 0:
                return None
            piece = after[at : min(at + BATCH, len(after) - 1)]
            begin = len(self._read)
            self._run([(token, begin + n, 0, True) for n, token in enumerate(piece)])
            self._read.extend(piece)
            found += [float(self._logs(row)[after[at + row + 1]]) for row in range(len(piece))]
        return np.array(found, np.float32)

    def _run(self, rows: list[tuple[int, int, int, bool]]) -> None:
        """Read tokens, each at a position of a sequence; of those marked, what follows is known."""
        self._batch.clear()
        for token, position, sequence, told in rows:
            self._batch.add(token, position, [sequence], told)
        self._guarded(self._batch)

    def _forget(self) -> None:
        self._state.kv_cache_clear()
        self._read.clear()

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
        self._guarded(self._lib.llama_batch_get_one(ids, len(self._read)))
        self._read.extend(ids)

    def _guarded(self, batch: Any) -> None:
        try:
            self._state.decode(batch)
        except (RuntimeError, ValueError, MemoryError) as error:
            self._forget()
            raise ModelError(
                f"the language model {self.name!r} could not go on ({' '.join(str(error).split())[:200]}); ask with fewer passages"
            ) from None


def _with_vocabulary(llama_cpp: Any) -> Any:
    """cyllama's model with the attribute ``n_vocab``, which its contexts ask for to give logits, and which 0.2 lacks."""
    return type("Model", (llama_cpp.LlamaModel,), {"n_vocab": 0})
