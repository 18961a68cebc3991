"""``train reranker``: a cross-encoder trained on a collection's own titles and sentences, without labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from ...encode.cross import CrossEncoder
from ...library.library import Library
from ...progress import Progress, silent
from ..data.sources import source_of
from ..lists.comparing import Scorer
from ..lists.options import ListOptions, checked
from ..lists.result import ListTraining
from ..run import Job, start
from ..scratch import forget
from ..teachers.registry import Named
from .causal import CausalRun, base_of
from .stage import RerankerRun

__all__ = ["RerankerOptions", "train_reranker"]

MINUTES = 45.0


@dataclass(frozen=True)
class RerankerOptions(ListOptions):
    """How a reranker is trained."""


def train_reranker(
    library: Library | str | Path,
    base: str | Path,
    out: str | Path | None = None,
    *,
    teacher: Named = None,
    sources: Sequence[str] = ("titles",),
    compare: str | Path | None = None,
    minutes: float = MINUTES,
    ram: str | int | None = None,
    seed: int = 0,
    options: RerankerOptions = RerankerOptions(),
    progress: Progress = silent,
) -> ListTraining:
    """Train a cross-encoder from ``base`` on queries of ``library``, and write it where it improves the order that BM25 gives.

    - ``library``: an open one, or its name or path.
    - ``base``: the folder of a cross-encoder with one output or of a BERT-like encoder, with safetensors weights, or a package that
      holds one. An encoder gets a new head, over the pooled first token. Or a Llama-like causal language model: its folder, a .gguf
      file, or ``smollm2``; see `CausalRun`.
    - ``out``: the folder of the model, new or empty; ``models/NAME-reranker-…`` in the library where None.
    - ``teacher``: what ranks better, as for `train_encoder`, whose scores of query and passage are imitated; None: only what answers
      a query is known, and passages that the base itself (or the built-in model) puts as near as the answer are not taken for wrong.
    - ``sources``: where pairs are from, as for `train_encoder`.
    - ``compare``: a judged collection, whose queries are held out and compare models; None: queries made of the library.
    - ``minutes``: the time for it. ``ram``: the memory, as for `bookwheel.open`.

    Each query comes with passages that BM25 and vectors rank first (`candidates_of`). Of the weights half way and at the end, and of
    several shares of the score beside BM25's, the best on a third of the held-out queries is taken; the other two thirds compare it
    with BM25 alone. Where it does not gain, ``folder`` of the result is None and nothing is written. Stopped at any instant, the same
    call goes on to the same weights, up to rounding.

    Sources: Nogueira and Cho, Passage Re-ranking with BERT (2019), and those of the losses. Raises `UsageError`, `InputError`,
    `ModelError` where torch or transformers is missing or the model cannot be loaded, `BudgetError` with the memory that would do,
    `TrainingError` where the loss is not finite, `StorageError`.
    """
    checked(options, sources, taught=bool(teacher))
    named = [source_of(one) for one in sources]
    loss = options.loss or ("listwise" if teacher else "contrast")

    def train(job: Job) -> ListTraining:
        found = base_of(base)
        kind = CausalRun if found.causal else _Run
        return kind(job, found, teacher, named, replace(options, seed=seed, loss=loss)).run()

    return start(library, out, minutes, ram, seed, progress, train, compare)


class _Run(RerankerRun):
    modules: ClassVar[tuple[str, ...]] = ("torch", "transformers")

    def scorer(self, copy: Library) -> Any:
        """See `ListRun`."""
        from .model import CrossScorer

        return CrossScorer(self.base.folder, self.options.tokens)

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Scorer]:
        """In int8."""
        encoder = CrossEncoder(folder)
        made = encoder._model.session.path
        try:
            yield encoder
        finally:
            del encoder
            forget(made)

    def export(self, folder: Path) -> None:
        """With the head."""
        from ..encoder.onnx import write_onnx

        write_onnx(folder, "scores")

    def says(self, weight: float) -> str:
        """See `ListRun`."""
        return f"A cross-encoder fitted to one collection. Search with `bm25 >> {self.stage(weight, 'FOLDER')}`."
