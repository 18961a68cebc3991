"""``train tokens``: a late-interaction model trained on a collection's own titles and sentences, without labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from ..._errors import UsageError
from ...encode.options import Options
from ...encode.tokens import load
from ...library.library import Library
from ...library.passage_texts import passage_texts
from ...progress import Progress, silent
from ...tune.made import MadeCollection
from ..data.pairs import LONGEST
from ..data.passages import Passages
from ..data.sources import Source, source_of
from ..lists.base import Base
from ..lists.comparing import Scorer
from ..lists.options import ListOptions, checked
from ..lists.result import ListTraining
from ..lists.run import ListRun
from ..run import Job, start, torch_needed
from ..scratch import forget
from ..teachers.registry import Named
from .scoring import LateScorer

__all__ = ["CANDIDATES", "TokensOptions", "train_tokens"]

MINUTES = 45.0
CANDIDATES = 50
"""Of BM25, that are put into order where models are compared: half of what `late` does unless told otherwise, since each must be read."""
SAMPLED = 256
"""Passages whose token states say where the projection begins."""


@dataclass(frozen=True)
class TokensOptions(ListOptions):
    """How a late-interaction model is trained."""

    dimension: int = 128
    """Of a token's vector."""
    untrained: bool = False
    """Whether the start is taken as it is: written at once, unless held-out queries show that it is worse than BM25."""
    batch: int = 8
    others: int = 7
    tokens: int = 128
    layers: int = 2
    rate: float = 5e-5


def train_tokens(
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
    options: TokensOptions = TokensOptions(),
    progress: Progress = silent,
) -> ListTraining:
    """Train a late-interaction model from ``base`` on queries of ``library``, and write it where it improves the order of BM25.

    - ``base``: the folder of a BERT-like sentence encoder with safetensors weights, whose token states get a projection that begins
      at their principal directions; or of a model that this has written; or a package that holds one.
    - ``teacher``: what ranks better, as for `train_encoder`, whose scores of query and passage are imitated; None: the base itself,
      where it is an encoder. With the loss ``contrast`` nothing is imitated.
    - the other parameters, and what is raised: as for `train_reranker`.

    The score of a passage is the mean over the query's tokens of their best match among its tokens (Khattab and Zaharia, ColBERT,
    2020); the divergence between the order of a query's passages by it and by the teacher is made small (Santhanam et al.,
    ColBERTv2, 2022). The weights before the first step, half way and at the end are compared on held-out queries, at several shares
    of the score beside BM25's. Where none gains, ``folder`` of the result is None and nothing is written. ``options.untrained``: only
    the start is compared, and written unless it is worse.
    """
    if options.untrained and (teacher or options.loss is not None):
        raise UsageError("untrained, nothing is imitated; leave out the teacher and the loss")
    if options.dimension < 8:
        raise UsageError(f"a token's vector has at least 8 dimensions, not {options.dimension}")
    named = [source_of(one) for one in sources]

    def train(job: Job) -> ListTraining:
        start_from = Base.of(base, "tokens")
        if options.untrained and start_from.trained:
            raise UsageError(
                f"{base} gives token vectors as it is; train it, or use it: bookwheel encoders add NAME={base} --kind tokens"
            )
        none = options.loss == "contrast" or start_from.trained or options.untrained
        taught = teacher if teacher or none else start_from.folder
        checked(options, sources, taught=bool(taught))
        loss = "none" if options.untrained else options.loss or ("listwise" if taught else "contrast")
        return _Run(job, start_from, taught, named, replace(options, seed=seed, loss=loss)).run()

    return start(library, out, minutes, ram, seed, progress, train, compare)


class _Run(ListRun):
    kind: ClassVar[str] = "tokens"
    candidates: ClassVar[int] = CANDIDATES
    from_start = True
    tags: ClassVar[tuple[str, ...]] = ("sentence-transformers", "multi-vector", "colbert", "late-interaction", "bookwheel")
    modules: ClassVar[tuple[str, ...]] = ("torch", "transformers", "sentence-transformers")

    def __init__(self, job: Job, base: Base, teacher: Named, sources: Sequence[Source], options: TokensOptions) -> None:
        super().__init__(job, base, teacher, sources, options)
        self.dimension, self.untrained = options.dimension, options.untrained

    def _train(self, copy: Library, made: MadeCollection) -> ListTraining:
        """The start alone, where that is asked for."""
        if not self.untrained:
            return super()._train(copy, made)
        with torch_needed("a model of kind tokens"):
            weights = self._saved(0, self.scorer(copy))
        chosen = self._compared(copy, made, weights)
        return self._finished(chosen, weights, pairs=0, seen=0, steps=0, plan="nothing was trained", losses=(), rates=())

    def scorer(self, copy: Library) -> Any:
        """See `ListRun`; the projection's start is kept, so that a run that is taken up again begins where it began."""
        from .model import TokenScorer
        from .projection import principal

        options, folder = self.options, self.base.folder
        if self.base.trained:
            return TokenScorer(folder, options.tokens, trained=True, scale=options.scale)
        known = self.kept.read("projection")
        if known is None:
            passages = Passages.drawn(copy._snapshot, SAMPLED, options.seed)
            texts = passage_texts(copy._snapshot.store, passages.ids.tolist(), LONGEST)
            whole = TokenScorer(folder, options.tokens, 1 << 20)
            known = {"projection": principal(whole, texts, self.dimension)}
            self.kept.write("projection", known)
        return TokenScorer(folder, options.tokens, projection=known["projection"], scale=options.scale)

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Scorer]:
        """In int8, without the compression of an index."""
        encoder = load(folder, Options(), folder.name)
        made = Path(encoder._model.session.path)
        try:
            yield LateScorer(encoder)
        finally:
            del encoder
            forget(made)

    def stage(self, weight: float, folder: str = "") -> str:
        """``late``, which means the only token vectors that a library has."""
        return f"late({CANDIDATES}{'' if weight == 1 else f', weight={weight:g}'})"

    def export(self, folder: Path) -> None:
        """The states of tokens; the projection is the reader's."""
        from ..encoder.onnx import write_onnx

        write_onnx(folder)

    def says(self, weight: float) -> str:
        """See `ListRun`."""
        return (
            "A late-interaction model fitted to one collection. Add it with `bookwheel encoders add tokens=FOLDER --kind tokens`, then "
            f"`bookwheel embed tokens`, and search with `bm25 >> {self.stage(weight)}`."
        )
