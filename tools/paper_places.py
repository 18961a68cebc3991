"""How a user reaches the code of a file: by a name in a registry, or else by the command of its folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = ["FOLDERS", "GROUPS", "Folder", "Use", "folder_of", "registered"]

SEARCHING, ASKING, JUDGING, TRAINING, MEMORY, READING = GROUPS = (
    "Searching",
    "Asking",
    "Judging, measuring and tuning",
    "Training",
    "Training in little memory",
    "Reading files",
)


@dataclass(frozen=True)
class Use:
    """A name in a registry."""

    name: str
    kind: str
    how: str
    """What a user types."""
    group: str
    pages: tuple[str, ...] = ()
    """Where figures of it would stand; none of a measure, which is a formula."""


@dataclass(frozen=True)
class Folder:
    """How the code of a folder, or of a file, is reached."""

    group: str
    how: str
    pages: tuple[str, ...] = ()
    """Where figures beside the short name of a paper are of this code."""
    measured: str = ""
    """The section that measures the folder as a whole, as ``page.md#heading``."""


_DENSE = ("dense-index.md",)
FOLDERS: Mapping[str, Folder] = {
    "": Folder(SEARCHING, "bookwheel search"),
    "analysis/": Folder(SEARCHING, "bookwheel search"),
    "documents/": Folder(READING, "bookwheel index", ("formats.md", "measurements.md")),
    "documents/duplicates.py": Folder(SEARCHING, "bookwheel index --distinct", (), "near-duplicates.md#measured"),
    "documents/page/": Folder(READING, "bookwheel index", (), "measurements.md#web-pages"),
    "encode/": Folder(SEARCHING, "bookwheel embed", ("models.md", "embedding.md")),
    "encode/cross.py": Folder(SEARCHING, 'bookwheel search --recipe "bm25 >> cross(20, model=FOLDER)"', ("reranking.md",)),
    "encode/transformer/causal.py": Folder(
        SEARCHING, 'bookwheel search --recipe "bm25 >> cross(20, model=FOLDER)"', ("reranking.md",)
    ),
    "encode/doc2query.py": Folder(SEARCHING, "bookwheel.encode.doc2query.Doc2QueryEncoder", ("models.md",)),
    "encode/expansion.py": Folder(SEARCHING, "bookwheel.encode.doc2query.Doc2QueryEncoder", ("models.md",)),
    "encode/sparse.py": Folder(
        SEARCHING, "bookwheel encoders add NAME=MODEL --kind sparse", (), "measurements.md#learned-sparse-vectors"
    ),
    "encode/static/": Folder(SEARCHING, "bookwheel search --recipe dense", (), "static-model.md#how-good"),
    "encode/static/query_table.py": Folder(SEARCHING, "bookwheel train tower --layers 0"),
    "encode/tokens.py": Folder(SEARCHING, "bookwheel encoders add NAME=MODEL --kind tokens", (), "models.md#token-vectors"),
    "evaluate/": Folder(JUDGING, "bookwheel evaluate"),
    "evaluate/agreement.py": Folder(JUDGING, "bookwheel judge --compare"),
    "evaluate/answers/": Folder(JUDGING, "bookwheel evaluate --answers"),
    "evaluate/equivalence.py": Folder(JUDGING, "bookwheel evaluate --equivalent"),
    "evaluate/fit.py": Folder(JUDGING, "bookwheel evaluate --fit"),
    "evaluate/groups.py": Folder(JUDGING, "bookwheel evaluate --by"),
    "evaluate/needles/": Folder(JUDGING, "bookwheel evaluate --needles"),
    "evaluate/robust/": Folder(JUDGING, "bookwheel evaluate --robust"),
    "evaluate/worth.py": Folder(JUDGING, "bookwheel evaluate --worth", (), "evaluation.md#what-each-source-is-worth"),
    "index/": Folder(SEARCHING, "bookwheel search"),
    "index/dense/": Folder(SEARCHING, "bookwheel search --recipe dense", _DENSE, "measurements.md#dense-vectors"),
    "index/inverted/": Folder(SEARCHING, "bookwheel search --recipe bm25", (), "measurements.md#words-bm25"),
    "index/signatures.py": Folder(SEARCHING, "bookwheel index --distinct", (), "near-duplicates.md#measured"),
    "index/tokens/": Folder(SEARCHING, 'bookwheel search --recipe "bm25 >> late(100)"', (), "models.md#token-vectors"),
    "kernels/": Folder(SEARCHING, "bookwheel search"),
    "kernels/bits.py": Folder(SEARCHING, "bookwheel search --recipe bm25", (), "measurements.md#the-bm25-index-by-itself"),
    "kernels/bm25.py": Folder(SEARCHING, "bookwheel search --recipe bm25", (), "measurements.md#words-bm25"),
    "kernels/dense/": Folder(SEARCHING, "bookwheel search --recipe dense", _DENSE, "measurements.md#dense-vectors"),
    "kernels/minhash.py": Folder(SEARCHING, "bookwheel index --distinct", (), "near-duplicates.md#measured"),
    "kernels/near_terms.py": Folder(SEARCHING, 'bookwheel search --recipe "spell() >> bm25"', (), "stages.md#spell"),
    "kernels/sparse/": Folder(SEARCHING, "bookwheel search --recipe bm25", (), "measurements.md#words-bm25"),
    "kernels/tokens/": Folder(SEARCHING, 'bookwheel search --recipe "bm25 >> late(100)"', (), "models.md#token-vectors"),
    "language/query_writer.py": Folder(SEARCHING, "bookwheel encoders add NAME=FOLDER --kind sparse", ("models.md",)),
    "language/sampling.py": Folder(SEARCHING, "bookwheel encoders add NAME=FOLDER --kind sparse", ("models.md",)),
    "language/": Folder(ASKING, "bookwheel ask --model", ("language-models.md", "reranking.md", "answers.md")),
    "language/copying.py": Folder(
        TRAINING, "bookwheel train encoder --from copied=MODEL", (), "training.md#questions-that-copy"
    ),
    "library/": Folder(SEARCHING, "bookwheel index"),
    "library/memory_plan.py": Folder(SEARCHING, "bookwheel plan", (), "budget.md#the-memory-plan"),
    "library/retrieval/": Folder(SEARCHING, "bookwheel search"),
    "library/retrieval/cutoff.py": Folder(SEARCHING, "bookwheel search --cutoff"),
    "library/store_changes.py": Folder(SEARCHING, "bookwheel remove"),
    "library/vectors/": Folder(SEARCHING, "bookwheel embed", ("embedding.md",)),
    "library/vectors/adapter.py": Folder(SEARCHING, "bookwheel encoders replace", ("embedding.md",)),
    "rank/": Folder(SEARCHING, "bookwheel search --recipe RECIPE", ("recipes.md", "measurements.md")),
    "read/": Folder(ASKING, "bookwheel ask", ("answers.md",)),
    "read/methods/": Folder(ASKING, "bookwheel ask --method NAME", ("answers.md",)),
    "read/summary.py": Folder(ASKING, "bookwheel summarise", ("questions.md",)),
    "read/written_summary.py": Folder(ASKING, "bookwheel summarise --model", ("questions.md",)),
    "train/": Folder(TRAINING, "bookwheel train static"),
    "train/data/typos.py": Folder(TRAINING, "bookwheel.train.EncoderOptions(typos=…)"),
    "train/data/schedule.py": Folder(TRAINING, "bookwheel.train.EncoderOptions(easy_first=True)"),
    "train/data/negatives.py": Folder(TRAINING, "bookwheel train encoder"),
    "train/data/": Folder(TRAINING, "bookwheel train static", (), "training.md#measured"),
    "train/memory/": Folder(MEMORY, "bookwheel.train.memory.finetune", ("training-memory.md",)),
    "train/memory/checkpointing.py": Folder(MEMORY, "bookwheel.train.memory.plan", (), "training-memory.md#measured"),
    "train/memory/chunked_loss.py": Folder(MEMORY, "bookwheel.train.memory.finetune", (), "training-memory.md#measured"),
    "train/memory/sketched.py": Folder(MEMORY, "bookwheel.train.memory.sketched.sketched"),
    "train/encoder/": Folder(TRAINING, "bookwheel train encoder"),
    "train/objectives/cached_contrast.py": Folder(TRAINING, "bookwheel train encoder"),
    "train/objectives/cached_imitation.py": Folder(TRAINING, "bookwheel train encoder --teacher"),
    "train/objectives/narrowed.py": Folder(TRAINING, "bookwheel train encoder --widths"),
    "train/objectives/query_imitation.py": Folder(TRAINING, "bookwheel train tower"),
    "train/encoder/masked.py": Folder(TRAINING, "bookwheel.train.PretrainOptions(rare=True)"),
    "train/objectives/masked_autoencoding.py": Folder(TRAINING, "bookwheel train encoder --pretrain"),
    "train/objectives/query_ranking.py": Folder(TRAINING, "bookwheel train tower --teacher RECIPE"),
    "train/teachers/": Folder(TRAINING, "bookwheel train encoder --teacher"),
    "train/objectives/stored_order.py": Folder(TRAINING, "bookwheel train tower --layers 0"),
    "train/objectives/": Folder(TRAINING, "bookwheel train static", (), "training.md#measured"),
    "train/objectives/lists.py": Folder(TRAINING, "bookwheel train reranker"),
    "train/objectives/listwise.py": Folder(TRAINING, "bookwheel train reranker", (), "training.md#what-a-reranker-gains"),
    "train/objectives/localized_contrast.py": Folder(TRAINING, "bookwheel train reranker"),
    "train/objectives/margin_mse.py": Folder(TRAINING, "bookwheel train reranker"),
    "train/projection/taught_map.py": Folder(
        TRAINING, "bookwheel train projection --teacher", (), "training.md#what-a-teachers-map-gains"
    ),
    "train/projection/": Folder(TRAINING, "bookwheel train projection", (), "training.md#what-codes-and-widths-gain"),
    "train/attention/": Folder(TRAINING, "bookwheel train attention"),
    "train/attention/block_attention.py": Folder(TRAINING, "bookwheel train in-context"),
    "train/attention/in_context.py": Folder(TRAINING, "bookwheel train in-context"),
    "train/reranker/": Folder(TRAINING, "bookwheel train reranker"),
    "train/lists/": Folder(TRAINING, "bookwheel train reranker"),
    "train/tokens/": Folder(TRAINING, "bookwheel train tokens"),
    "train/splade/": Folder(TRAINING, "bookwheel train splade"),
    "train/writer/": Folder(TRAINING, "bookwheel train writer"),
    "train/objectives/sequence.py": Folder(TRAINING, "bookwheel train writer"),
    "train/objectives/flops.py": Folder(TRAINING, "bookwheel train splade"),
    "train/sparse/": Folder(TRAINING, "bookwheel train sparse", (), "training.md#what-it-loses"),
    "train/tower/": Folder(TRAINING, "bookwheel train tower"),
    "train/tower/table_fit.py": Folder(TRAINING, "bookwheel train tower --layers 0"),
    "train/tower/table_training.py": Folder(TRAINING, "bookwheel train tower --layers 0"),
    "train/static/": Folder(TRAINING, "bookwheel train static", (), "training.md#measured"),
    "tune/": Folder(JUDGING, "bookwheel tune", (), "tuning.md#measured"),
    "tune/judging/": Folder(JUDGING, "bookwheel judge"),
    "tune/judging/tournament.py": Folder(JUDGING, "bookwheel judge --answers"),
    "tune/judging/models.py": Folder(JUDGING, "bookwheel judge --model", ("judging.md",)),
    "tune/made/": Folder(JUDGING, "bookwheel make-queries", (), "made-judgments.md#measured"),
    "tune/made/copied.py": Folder(
        TRAINING, "bookwheel train encoder --from copied=MODEL", (), "training.md#questions-that-copy"
    ),
    "tune/prior.py": Folder(JUDGING, "bookwheel prior", (), "evaluation.md#a-document-prior"),
    "tune/rebuilt/": Folder(JUDGING, "bookwheel tune", ("tuning.md",)),
    "tune/reliability.py": Folder(JUDGING, "bookwheel make-queries", (), "made-judgments.md#measured"),
    "tune/trust.py": Folder(JUDGING, "bookwheel make-queries", (), "made-judgments.md#measured"),
}
"""The command of each folder, or file, for code that is in no registry; the longest beginning of a path counts."""


def folder_of(file: str) -> Folder:
    """What `FOLDERS` says of a file, relative to the package."""
    return FOLDERS[max((start for start in FOLDERS if file.startswith(start)), key=len)]


def _file(module: str) -> str:
    return module.partition(".")[2].replace(".", "/") + ".py"


_STAGE_PAGES = (
    "stages.md",
    "reranking.md",
    "evaluation.md",
    "measurements.md",
    "models.md",
    "recipes.md",
    "language-models.md",
)
_STAGE = {
    "Search": "{0}(RECIPE)",
    "Rewrite": "{0}() >> RECIPE",
    "Feedback": "RECIPE >> {0}() >> RECIPE",
    "Rerank": "RECIPE >> {0}()",
}


def registered() -> dict[str, list[Use]]:
    """The names of all registries, by the file that has the code, relative to the package."""
    from bookwheel.evaluate.answers.registry import MEASURES as ANSWER_MEASURES
    from bookwheel.evaluate.measures import KINDS
    from bookwheel.evaluate.needles.kinds import KINDS as NEEDLES
    from bookwheel.evaluate.robust.registry import VARIATIONS
    from bookwheel.rank.stages.registry import find_stage, stage_names
    from bookwheel.read.methods import METHODS as READING_METHODS
    from bookwheel.train.memory.registry import METHODS as MEMORY_METHODS
    from bookwheel.tune.made.registry import WAYS

    found: dict[str, list[Use]] = {}

    def add(file: str, *use: object) -> None:
        found.setdefault(file, []).append(Use(*use))  # type: ignore[arg-type]

    for name in stage_names():
        stage = find_stage(name)
        if stage is not None:
            kind = next(base.__name__ for base in stage.__mro__ if base.__name__ in _STAGE)
            several = "recipes" in getattr(stage, "__dataclass_fields__", ())
            how = f"{name}(RECIPE, RECIPE)" if several else _STAGE[kind].format(name)
            add(_file(stage.__module__), name, "stage", how, SEARCHING, _STAGE_PAGES)
    for name in READING_METHODS:
        add(f"read/methods/{name}.py", name, "reading method", f"bookwheel ask --method {name}", ASKING, ("answers.md",))
    for name, line in MEMORY_METHODS.items():
        for file in dict.fromkeys(_files_of(line)):
            how = f'bookwheel.train.memory.method("{name}")'
            add(f"train/memory/{file}.py", name, "training method", how, MEMORY, ("training-memory.md",))
    for measure in KINDS:
        how = f"bookwheel evaluate --measure {measure.name}"
        add(_file(_holder(measure)), measure.name, "measure", how, JUDGING)
    for name, answer in ANSWER_MEASURES.items():
        add(_file(_holder(answer)), name, "measure of answers", "bookwheel evaluate --answers", JUDGING)
    for name, needle in NEEDLES.items():
        how = f"bookwheel evaluate --needles --kinds {name}"
        add(_file(_holder(needle)), name, "needle test", how, JUDGING, ("needles.md",))
    for name, variation in VARIATIONS.items():
        add(_file(_holder(variation)), name, "variation of queries", "bookwheel evaluate --robust", JUDGING, ("evaluation.md",))
    for name, way in WAYS.items():
        how = f"bookwheel make-queries --way {name}"
        add(_file(type(way).__module__), name, "way to make queries", how, JUDGING, ("made-judgments.md",))
    return found


def _holder(entry: object) -> str:
    """The module that makes an entry of a registry: it has it as a value, or else in a tuple; it is no registry and no package."""
    modules = [(name, vars(module)) for name, module in sorted(sys.modules.items()) if name.startswith("bookwheel.")]
    modules = [(name, values) for name, values in modules if "__path__" not in values and not name.endswith(".registry")]
    for tuples in (False, True):
        for name, values in modules:
            for value in list(values.values()):
                if value is entry or (tuples and isinstance(value, tuple) and any(one is entry for one in value)):
                    return name
    raise LookupError(f"no module has {entry!r:.80}")


def _files_of(line: object) -> Iterator[str]:
    """The files that a line of the training methods takes classes from."""
    yield line.what.split(".")[0]  # type: ignore[attr-defined]
    for value in line.options.values():  # type: ignore[attr-defined]
        if hasattr(value, "what"):
            yield from _files_of(value)
