"""A causal language model while it is trained to write queries: its batches, and what it writes and expects as it is then.

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from ..._errors import ModelError, UsageError
from ...language.local import LocalModel
from ...language.query_writer import written_prompt
from ..data.pairs import Pair
from ..data.schedule import schedule

__all__ = ["NO_LABEL", "Writer", "WriterBatches"]

NO_LABEL = -100
"""Of tokens that are read and not to be written."""
TRAINED, ASKED = "sdpa", "bookwheel"
"""How transformers computes attention."""
LEAST = 16
"""Tokens that are left for a passage."""


class Writer:
    """The model in ``folder``, float32 on the CPU; it reads at most ``tokens`` of a prompt with its query while it is trained.

    ``characters``: of a passage, that it reads; ``longest``: tokens of a query. Raises `ModelError` where transformers cannot load it,
    `UsageError` for too few ``tokens``.
    """

    def __init__(self, folder: Path, tokens: int, characters: int, longest: int) -> None:
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()
        try:
            tokenizer: Any = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            self.model: Any = transformers.AutoModelForCausalLM.from_pretrained(
                str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
        except Exception as error:  # transformers raises a dozen kinds for a folder it cannot read
            problem = " ".join(str(error).split())[:200]
            raise ModelError(f"{folder} cannot be loaded as a language model by transformers ({problem})") from error
        self.folder, self.tokenizer = folder, tokenizer
        self.characters, self.longest = characters, longest
        self._language_model = LocalModel(folder.name, self.model, tokenizer)
        self.tokens = min(tokens, self._language_model.context)
        ends = sorted(self._language_model._ends())
        own = tokenizer.eos_token_id
        if not ends:
            raise ModelError(f"the tokenizer of {folder} has no token that ends an answer; take another model")
        self._end = own if own in ends else ends[0]
        self._pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else self._end
        if self.tokens < (least := len(self._read("")) + longest + 1 + LEAST):
            raise UsageError(f"the prompt, a passage and a query need {least} tokens, and {self.tokens} are read; allow more")
        for module in self.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        self.model.set_attn_implementation(TRAINED)

    def batch(self, pairs: Sequence[Pair]) -> dict[str, Any]:
        """``input_ids``, ``attention_mask`` and ``labels`` of ``pairs``, int64 (pairs, tokens), padded on the right."""
        rows = [(self._prompt(pair.answer), [*self._read_query(pair.query), self._end]) for pair in pairs]
        width = max(len(prompt) + len(query) for prompt, query in rows)
        shape = (len(rows), width)
        ids, mask, labels = torch.full(shape, self._pad), torch.zeros(shape, dtype=torch.int64), torch.full(shape, NO_LABEL)
        for at, (prompt, query) in enumerate(rows):
            used = len(prompt) + len(query)
            ids[at, :used] = torch.tensor(prompt + query)
            mask[at, :used] = 1
            labels[at, len(prompt) : used] = torch.tensor(query)
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}

    def largest(self, rows: int) -> dict[str, Any]:
        """A batch of ``rows`` as large as they come."""
        ids = torch.full((rows, self.tokens), self._pad)
        labels = torch.full((rows, self.tokens), NO_LABEL)
        labels[:, -self.longest - 1 :] = self._end
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}

    @contextmanager
    def asked(self, model: Any = None) -> Iterator[LocalModel]:
        """While it lasts, ``model``, or that which is trained, as it will be used."""
        own = self.model if model is None else model
        found = LocalModel(self.folder.name, own, self.tokenizer)
        try:
            yield found
        finally:
            own.set_attn_implementation(TRAINED)
            found.close()

    def log_probabilities(self, model: LocalModel, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """What ``model`` expects of a token of each query, given its passage: mean natural logarithms, float64 (pairs,)."""
        contexts = [model.chat_text(written_prompt(self._passage(pair.answer), self.characters)) for pair in pairs]
        found = model.log_likelihoods(contexts, [pair.query for pair in pairs])
        return np.array([0.0 if one is None or not len(one) else float(one.mean()) for one in found])

    def save(self, folder: Path, model: Any) -> None:
        """Write ``model`` and the tokenizer, as transformers has them."""
        model.save_pretrained(str(folder))
        self.tokenizer.save_pretrained(str(folder))

    # -- tokens --------------------------------------------------------------------------------------------------------

    def _prompt(self, passage: str) -> list[int]:
        return self._read(self._passage(passage))

    def _passage(self, passage: str) -> str:
        """``passage`` as far as the prompt with it, and a query, are as long as is read in training."""
        text, room = passage[: self.characters], self.tokens - self.longest - 1
        while (over := len(self._read(text)) - room) > 0 and text:
            own = max(1, len(self._language_model.tokens(text)))
            text = text[: min(len(text) - 1, int(len(text) * max(0, own - over) / own))]
        return text

    def _read(self, passage: str) -> list[int]:
        return self._language_model.tokens(self._language_model.chat_text(written_prompt(passage, self.characters)))

    def _read_query(self, query: str) -> list[int]:
        return self._language_model.tokens(" ".join(query.split()))[: self.longest]


class WriterBatches(Sequence[Any]):
    """The batch of each step, made when it is asked for. ``steps``: the pairs of each, by number."""

    def __init__(self, pairs: Sequence[Pair], writer: Writer, size: int, seed: int) -> None:
        self.pairs, self.writer, self.size, self.seed = pairs, writer, size, seed
        self.plan(1)

    def plan(self, steps: int) -> None:
        """Choose the pairs of so many steps."""
        documents = [pair.document for pair in self.pairs]
        domains = [pair.domain for pair in self.pairs]
        self.steps = schedule(documents, self.size, steps, self.seed, domains=domains)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, at: Any) -> Any:
        return self.writer.batch([self.pairs[one] for one in self.steps[at].tolist()])
