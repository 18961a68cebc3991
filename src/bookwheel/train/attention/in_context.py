"""``train in-context``: a language model's own weights, so that what a query's words attend to puts passages into a better order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from ..._errors import UsageError
from ...language.load import load_local
from ...language.registry import SMOLLM2
from ...library.library import Library
from ...progress import Progress, silent
from ...rank.stages.head_weights import FILE, HeadWeights, read_heads
from ...rank.stages.rerank.attention import HEADS, AttentionReranker, Head, trained_reranker
from ...tune.made import MadeCollection
from ..data.sources import Source, source_of
from ..lists.base import Base
from ..lists.comparing import Scorer
from ..lists.options import ListOptions, checked
from ..lists.result import ListTraining
from ..lists.run import ListRun
from ..reranker.causal import base_of
from ..run import Job, start
from ..teachers.registry import Named
from .training import CANDIDATES

__all__ = ["InContextOptions", "train_in_context"]

MINUTES = 45.0
BEST = "best"
LADDER = ("lora",)
REMEMBERED = 32 << 20
"""Bytes of passages that a model remembers while it is compared: few come again."""
READ = 256
"""Tokens of a passage, at most, where models are compared."""
SCALES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
"""That scores may be multiplied by while they are trained."""
SCALED_BY = 2
"""Steps' lists, by which one of them is chosen."""


@dataclass(frozen=True)
class InContextOptions(ListOptions):
    """How a model's own weights are trained."""

    batch: int = 4
    tokens: int = 128
    """Of a passage that are read, at most, while training."""
    layers: int = 0
    """The last of those that are read, which get adapters; 0 for half of them."""
    rate: float = 2e-4


def train_in_context(
    library: Library | str | Path,
    base: str | Path = SMOLLM2,
    out: str | Path | None = None,
    *,
    heads: str | Path | None = None,
    teacher: Named = None,
    sources: Sequence[str] = ("titles",),
    compare: str | Path | None = None,
    minutes: float = MINUTES,
    ram: str | int | None = None,
    seed: int = 0,
    options: InContextOptions = InContextOptions(),
    progress: Progress = silent,
) -> ListTraining:
    """Train the layers of ``base`` so that its heads' attention ranks, and write them where they improve the order that BM25 gives.

    - ``base``: ``smollm2``, a .gguf file, or the folder of a Llama-like causal language model, also of one that this has written.
    - ``heads``: which heads rank, and how much each counts: the folder that `train_attention` wrote for ``base``, or ``best``, those that
      were measured for smollm2. None: those of ``base`` where it was written by this, otherwise ``best``.
    - ``teacher``, ``sources``, and the other parameters, and what is raised: as for `train_reranker`.

    The layers as far as the last of these heads read each passage of a list apart from the others, and then its query, which sees all of
    them; the loss is over what the passages get of its attention (BlockRank: Gupta et al., Scalable In-context Ranking with Generative
    Models, 2025), by low-rank adapters in the last half of the layers, merged when they are written. In part: BlockRank's other loss, of
    naming the answer, is left out, since nothing is written by the model. The weights half way and at the end are compared on held-out
    queries with BM25 alone and with the heads of ``base`` as it is. Where neither gains, ``folder`` of the result is None and nothing is
    written. The folder has these layers alone, which rank, and write no text.
    """
    checked(options, sources, taught=bool(teacher))
    named = [source_of(one) for one in sources]
    loss = options.loss or ("listwise" if teacher else "contrast")

    def train(job: Job) -> ListTraining:
        found = base_of(base)
        if not found.causal or found.trained:
            raise UsageError(
                f"{base} is no causal language model whose attention can be trained; take {SMOLLM2}, a .gguf file, or the folder of a "
                "Llama-like model"
            )
        return _Run(
            job, replace(found, trained=True), str(base), heads, teacher, named, replace(options, seed=seed, loss=loss)
        ).run()

    return start(library, out, minutes, ram, seed, progress, train, compare)


def _chosen(base: Base, named: str, heads: str | Path | None) -> HeadWeights | tuple[Head, ...]:
    """The heads that rank: with their weights, or those that count alike."""
    if heads is None:
        heads = base.folder if (base.folder / FILE).is_file() else BEST
    if str(heads) == BEST:
        if named not in HEADS:
            raise UsageError(
                f"which heads of {named} rank is not known, only those of {', '.join(HEADS)}; find them first with: bookwheel train "
                f"attention {named}, and give --heads the folder that it writes"
            )
        return HEADS[named]
    path = Path(heads).expanduser()
    return read_heads(path if path.suffix == ".json" else path / FILE)


def scale_of(goal: Any, tables: Sequence[tuple[Any, Any]]) -> float:
    """The one of `SCALES` by which scores cost ``goal`` least; ``tables``: scores of lists, and what is wanted of them."""
    lost = [sum(float(goal.losses(by * table, wanted).sum()) for table, wanted in tables) for by in SCALES]
    return SCALES[lost.index(min(lost))]


class _Read:
    """A reranker as a `Scorer`."""

    def __init__(self, reranker: AttentionReranker) -> None:
        self._reranker = reranker

    def score(self, query: str, texts: Sequence[str]) -> Any:
        """See `Scorer`."""
        return self._reranker.rerank(query, texts).scores


class _Run(ListRun):
    kind: ClassVar[str] = "in-context"
    candidates: ClassVar[int] = CANDIDATES
    read: ClassVar[int] = READ
    ladder: ClassVar[Sequence[str]] = LADDER
    tags: ClassVar[tuple[str, ...]] = ("reranker", "attention", "in-context-ranking", "bookwheel")
    modules: ClassVar[tuple[str, ...]] = ("torch", "transformers", "peft")

    def __init__(
        self,
        job: Job,
        base: Base,
        named: str,
        heads: str | Path | None,
        teacher: Named,
        sources: Sequence[Source],
        options: InContextOptions,
    ) -> None:
        self.heads = _chosen(base, named, heads)
        super().__init__(job, base, teacher, sources, options, self.heads)

    def scorer(self, copy: Library) -> Any:
        """See `ListRun`."""
        from .model import BlockScorer

        found = BlockScorer(self.base.folder, self.heads, self.options.tokens)
        self._layers = self.options.layers or -(-found.depth // 2)
        return found

    def _batches(self, copy: Library, made: MadeCollection) -> Any:
        """With scores that are as far apart as suits the loss best before the first step."""
        import torch

        model, batches = super()._batches(copy, made)
        known = self.kept.fact("scale")
        if known is None:
            batches.plan(SCALED_BY)
            goal = self._goal()
            with torch.no_grad():
                some = [goal.prepare(batches[at]) for at in range(len(batches))]
                tables = [(model.table(one), one["wanted"]) for one in some]
            known = scale_of(goal, tables)
            self.kept.note(scale=known)
        model.scale = float(known)
        return model, batches

    def changes(self) -> Mapping[str, Any]:
        """See `ListRun`."""
        return {"layers": self._layers}

    def timed(self, model: Any) -> AbstractContextManager[None]:
        """See `ListRun`."""
        from ..trainable import adapted

        return adapted(model, layers=self._layers)

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Scorer]:
        """As the stage runs it."""
        model: Any = load_local(str(folder))
        model.cache.limit = REMEMBERED
        heads = self.heads if folder == self.base.folder else read_heads(folder / FILE)
        try:
            if isinstance(heads, HeadWeights):
                yield _Read(trained_reranker(model, folder.name, heads))
            else:
                yield _Read(AttentionReranker(model, heads=heads, standardise=True, calibrate=False))
        finally:
            model.close()

    def stage(self, weight: float, folder: str = "") -> str:
        """``attention``."""
        which = f', model="{folder}", heads="{folder}"' if folder else ""
        return f"attention({self.candidates}{which}, weight={weight:g})"

    def export(self, folder: Path) -> None:
        """Nothing more: torch runs it."""

    def says(self, weight: float) -> str:
        """See `ListRun`."""
        return (
            "The first layers of a causal language model, trained so that what a query's words attend to ranks passages, and the weights "
            f"of the heads that do. Search with `bm25 >> {self.stage(weight, 'FOLDER')}`; it needs torch, and writes no text."
        )
