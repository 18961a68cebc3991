"""A language model while it is trained to write queries: its batches, and what it writes and expects as it is then.

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
from ...language.encoder_decoder import EncoderDecoderModel
from ...language.local import LocalModel
from ...language.query_writer import written_prompt
from ..data.pairs import Pair
from ..data.schedule import schedule
from ..memory.objective import CausalLoss, Objective
from ..objectives.sequence import SequenceLoss

__all__ = ["NO_LABEL", "Writer", "WriterBatches"]

NO_LABEL = -100
"""Of tokens that are read and not to be written."""
TRAINED = "sdpa"
"""How transformers computes attention while steps are taken."""
LEAST = 16
"""Tokens that are left for a passage."""

Asked = LocalModel | EncoderDecoderModel


class Writer:
    """The model in ``folder``, float32 on the CPU; it reads at most ``tokens`` of a prompt with its query while it is trained.

    ``characters``: of a passage, that it reads; ``longest``: tokens of a query. Raises `ModelError` where transformers cannot load it,
    `UsageError` for too few ``tokens``.
    """

    def __init__(self, folder: Path, tokens: int, characters: int, longest: int) -> None:
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()
        try:
            config = transformers.AutoConfig.from_pretrained(str(folder), local_files_only=True)
            tokenizer: Any = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            self.two_parts = bool(config.is_encoder_decoder)
            kind: Any = transformers.AutoModelForSeq2SeqLM if self.two_parts else transformers.AutoModelForCausalLM
            loaded = kind.from_pretrained(
                str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32, output_loading_info=True
            )
            self.model: Any = loaded[0]
        except Exception as error:  # transformers raises a dozen kinds for a folder it cannot read
            problem = " ".join(str(error).split())[:200]
            raise ModelError(f"{folder} cannot be loaded as a language model by transformers ({problem})") from error
        if missing := sorted(loaded[1]["missing_keys"]):  # transformers would draw them
            raise ModelError(f"{folder} has no weights {missing[0]!r:.100}; get its files again")
        self.folder, self.tokenizer = folder, tokenizer
        self.characters, self.longest = characters, longest
        self._language_model = self._opened(self.model)
        self.tokens = min(tokens, self._language_model.context)
        ends, end = sorted(self._language_model._ends()), tokenizer.eos_token_id
        if not ends:
            raise ModelError(f"the tokenizer of {folder} has no token that ends an answer; take another model")
        self._end = end if end in ends else ends[0]
        own = self._language_model
        self._begin = own._begin[1:] if isinstance(own, EncoderDecoderModel) else []
        """Tokens that every answer begins with, as BART's."""
        self._pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else self._end
        self._room = self.tokens if self.two_parts else self.tokens - longest - 1
        """Tokens of a prompt with its passage; an encoder reads no query."""
        if self._room < (least := len(self._read("")) + LEAST):
            least += self.tokens - self._room
            raise UsageError(f"the prompt, a passage and a query need {least} tokens, and {self.tokens} are read; allow more")
        for module in self.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        self._unwatched(self.model)

    @property
    def objective(self) -> Objective:
        """What a step minimises."""
        return SequenceLoss() if self.two_parts else CausalLoss()

    def batch(self, pairs: Sequence[Pair]) -> dict[str, Any]:
        """``input_ids``, ``attention_mask`` and ``labels`` of ``pairs``, int64, padded on the right.

        Of a causal model all (pairs, tokens), prompt and query in one row; of encoder and decoder those of the prompts, and ``labels``
        (pairs, 1, tokens of queries).
        """
        prompts = [self._read(self._passage(pair.answer)) for pair in pairs]
        queries = [[*self._begin, *self._read_query(pair.query), self._end] for pair in pairs]
        if self.two_parts:
            ids, mask = self._padded(prompts, self._pad)
            return {"input_ids": ids, "attention_mask": mask, "labels": self._padded(queries, NO_LABEL)[0][:, None]}
        ids, mask = self._padded([[*prompt, *query] for prompt, query in zip(prompts, queries, strict=True)], self._pad)
        rows = [[*[NO_LABEL] * len(prompt), *query] for prompt, query in zip(prompts, queries, strict=True)]
        return {"input_ids": ids, "attention_mask": mask, "labels": self._padded(rows, NO_LABEL)[0]}

    def largest(self, rows: int) -> dict[str, Any]:
        """A batch of ``rows`` as large as they come."""
        ids = torch.full((rows, self.tokens), self._pad)
        query = len(self._begin) + self.longest + 1
        if self.two_parts:
            return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": torch.full((rows, 1, query), self._end)}
        labels = torch.full((rows, self.tokens), NO_LABEL)
        labels[:, -query:] = self._end
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}

    @staticmethod
    def _padded(rows: Sequence[Sequence[int]], filler: int) -> tuple[Any, Any]:
        """``rows`` in one tensor, and which of its places are theirs."""
        found = torch.full((len(rows), max(map(len, rows))), filler)
        mask = torch.zeros_like(found)
        for at, row in enumerate(rows):
            found[at, : len(row)] = torch.tensor(row)
            mask[at, : len(row)] = 1
        return found, mask

    @contextmanager
    def asked(self, model: Any = None) -> Iterator[Asked]:
        """While it lasts, ``model``, or that which is trained, as it will be used."""
        own = self.model if model is None else model
        found = self._opened(own)
        try:
            yield found
        finally:
            self._unwatched(own)
            found.close()

    def _opened(self, model: Any) -> Asked:
        return (EncoderDecoderModel if self.two_parts else LocalModel)(self.folder.name, model, self.tokenizer)

    def _unwatched(self, model: Any) -> None:
        """Attention is computed as fast as torch does, which tells no one its weights."""
        if not self.two_parts:
            model.set_attn_implementation(TRAINED)

    def log_probabilities(self, model: Asked, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """What ``model`` expects of a token of each query, given its passage: mean natural logarithms, float64 (pairs,)."""
        contexts = [model.chat_text(written_prompt(self._passage(pair.answer), self.characters)) for pair in pairs]
        found = model.log_likelihoods(contexts, [pair.query for pair in pairs])
        return np.array([0.0 if one is None or not len(one) else float(one.mean()) for one in found])

    def save(self, folder: Path, model: Any) -> None:
        """Write ``model`` and the tokenizer, as transformers has them."""
        model.save_pretrained(str(folder))
        self.tokenizer.save_pretrained(str(folder))

    # -- tokens --------------------------------------------------------------------------------------------------------

    def _passage(self, passage: str) -> str:
        """``passage`` as far as the prompt with it, and a query, are as long as is read in training."""
        text, room = passage[: self.characters], self._room
        while (over := len(self._read(text)) - room) > 0 and text:
            own = max(1, len(self._language_model.tokens(text)))
            text = text[: min(len(text) - 1, int(len(text) * max(0, own - over) / own))]
        return text

    def _read(self, passage: str) -> list[int]:
        return self._language_model._chat("", written_prompt(passage, self.characters))

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
