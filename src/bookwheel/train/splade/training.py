"""``train splade``: a learned sparse encoder trained on a collection's own titles and sentences, without labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..._errors import UsageError
from ...encode.options import Options
from ...encode.sparse import load
from ...library.library import Library
from ...library.passage_texts import passage_texts
from ...progress import Progress, silent
from ...tune.made import MadeCollection
from ..data.pairs import LONGEST
from ..data.passages import Passages
from ..data.sources import Source, source_of
from ..lists.base import Base
from ..lists.comparing import Scorer, as_interpolate
from ..lists.options import ListOptions, checked
from ..lists.result import ListTraining
from ..lists.run import ListRun
from ..run import Job, start
from ..scratch import forget
from ..sparse.table import idf_of
from ..teachers.registry import SPREAD, Named
from .scoring import SparseScorer

__all__ = ["CANDIDATES", "NAME", "SpladeOptions", "train_splade"]

MINUTES = 45.0
CANDIDATES = 50
"""Of BM25, that are put into order where models are compared."""
SAMPLED = 4096
"""Passages by which it is told how rare terms are."""
FAR = 2.0
"""How much more or less than another a term costs by its rarity, at most: words of the collection's subject are frequent in it, too."""
GROWS = 1 / 3
"""The share of the steps in which the price of terms grows to what it is."""
NAME = "splade"
"""What recommended recipes call the model."""


@dataclass(frozen=True)
class SpladeOptions(ListOptions):
    """How a sparse encoder is trained."""

    table: bool = False
    """Whether queries are their tokens, weighted by how rare each is in the library, and no model reads them."""
    passages: float = 3e-4
    """The price of terms of passages."""
    queries: float = 5e-4
    """The price of terms of queries."""
    rare: bool = True
    """Whether rare terms cost less."""
    tokens: int = 128
    rate: float = 2e-5


def train_splade(
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
    options: SpladeOptions = SpladeOptions(),
    progress: Progress = silent,
) -> ListTraining:
    """Train a learned sparse encoder from ``base`` on queries of ``library``, and write it where it improves the order of BM25.

    - ``base``: the folder of a SPLADE model, or of a masked language model with its head (``BertForMaskedLM``), with safetensors weights.
    - ``teacher``: what ranks better, as for `train_encoder`, whose scores of query and passage are imitated; None: only what answers a
      query is known.
    - the other parameters, and what is raised: as for `train_reranker`.

    A text's terms are the model's vocabulary, each weighing log(1 + its largest logit) (Formal et al., SPLADE v2, 2021), and a score is
    the product of the weights of query and passage. Beside the loss over a query's passages, terms have a price (`Flops`), so that
    texts have few of them. ``options.table``: queries have none but their own tokens, weighted by rarity, and passages alone are
    trained (Geng et al., 2024). The weights half way and at the end, with a table also before the first step, are compared on held-out
    queries with BM25 alone and with ``base``. Where none gains, ``folder`` of the result is None and nothing is written.
    """
    checked(options, sources, taught=bool(teacher))
    if options.passages < 0 or options.queries < 0:
        raise UsageError(f"terms have a price of 0 or more, not {options.passages:g} and {options.queries:g}")
    named = [source_of(one) for one in sources]
    loss = options.loss or ("listwise" if teacher else "contrast")

    def train(job: Job) -> ListTraining:
        return _Run(job, Base.of(base, "sparse"), teacher, named, replace(options, seed=seed, loss=loss)).run()

    return start(library, out, minutes, ram, seed, progress, train, compare)


class _Run(ListRun):
    kind: ClassVar[str] = "splade"
    candidates: ClassVar[int] = CANDIDATES
    mix = staticmethod(as_interpolate)
    tags: ClassVar[tuple[str, ...]] = ("sentence-transformers", "sparse-encoder", "splade", "bookwheel")
    modules: ClassVar[tuple[str, ...]] = ("torch", "transformers", "sentence-transformers")

    def __init__(self, job: Job, base: Base, teacher: Named, sources: Sequence[Source], options: SpladeOptions) -> None:
        super().__init__(job, base, teacher, sources, options)
        self.own, self.from_start = options, options.table

    def scorer(self, copy: Library) -> Any:
        """See `ListRun`; how rare terms are is kept, so that a run that is taken up again begins where it began."""
        from .model import SpladeScorer

        found = SpladeScorer(self.base.folder, self.options.tokens)
        known = self.kept.read("rarity")
        if known is None:
            rarity, relative = self._rarity(copy, found)
            known = {"rarity": rarity, "relative": relative}
            self.kept.write("rarity", known)
        found.weigh(known["relative"] if self.own.rare else None, known["rarity"] if self.own.table else None)
        return found

    def _rarity(self, copy: Library, model: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of each term among drawn passages, by the formula of BM25; and as a share of the mean over the passages' terms, within `FAR`."""
        passages = Passages.drawn(copy._snapshot, SAMPLED, self.options.seed)
        texts = passage_texts(copy._snapshot.store, passages.ids.tolist(), LONGEST)
        found = model.tokenizer(texts, truncation=True, max_length=model.tokens)["input_ids"]
        tokens = [np.unique(np.array(ids, np.int32)) for ids in found]
        rarity = idf_of(tokens, model.size)
        mean = float(rarity[np.concatenate(tokens)].mean()) if tokens else 1.0
        return rarity.astype(np.float32), (rarity / max(1e-6, mean)).clip(1 / FAR, FAR).astype(np.float32)

    def _batches(self, copy: Library, made: MadeCollection) -> Any:
        """With scores that spread as far at first as the teacher's do, or as cosines: products of weights may be of any size."""
        import torch

        model, batches = super()._batches(copy, made)
        known = self.kept.fact("scale")
        if known is None:
            batches.plan(1)
            goal = self._goal()
            batch = goal.prepare(batches[0])
            wanted = batch["wanted"]
            with torch.no_grad():
                spread = float(model(batch).view(wanted.shape).std(1).mean())
            # Scores that spread more than the teacher's would only be drawn together at first.
            theirs = SPREAD if self.loss == "contrast" else float(wanted.std(1).mean())
            known = self.options.scale * theirs / max(1e-6, spread)
            self.kept.note(scale=known)
        model.scale = float(known)
        return model, batches

    def _goal(self) -> Any:
        from ..objectives.flops import Flops

        return Flops(super()._goal(), self.own.passages, 0.0 if self.own.table else self.own.queries)

    def at(self, step: int, steps: int, model: Any) -> None:
        """The price grows with the square of the step."""
        model.strength = min(1.0, ((step + 1) / max(1.0, GROWS * steps)) ** 2)

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Scorer]:
        """In int8."""
        encoder = load(folder, Options(), folder.name)
        made = Path(encoder._model.session.path)
        try:
            yield SparseScorer(encoder)
        finally:
            del encoder
            forget(made)

    def stage(self, weight: float, folder: str = "") -> str:
        """``interpolate``, with the name that the model is to get in the library."""
        return f"interpolate({NAME}, weight={weight:g})"

    def export(self, folder: Path) -> None:
        """Logits of all terms at all tokens; pooling is the reader's."""
        from ..encoder.onnx import write_onnx

        write_onnx(folder, "terms")

    def says(self, weight: float) -> str:
        """See `ListRun`."""
        queries = " Queries are their tokens, weighted by `idf.json`; no model reads them." if self.own.table else ""
        return (
            f"A learned sparse encoder (SPLADE) fitted to one collection.{queries} Add it with `bookwheel encoders add {NAME}=FOLDER "
            f"--kind sparse`, then `bookwheel embed {NAME}`, and search with `bm25 >> {self.stage(weight)}` or "
            f"`0.5*bm25 + 0.5*{NAME}`."
        )
