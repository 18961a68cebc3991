"""``bookwheel train`` for neural encoders: all commands that need the extra ``train``."""

from __future__ import annotations

from dataclasses import replace

from .._errors import UsageError
from .command import argument, command, option
from .options import Number, Whole, Widths
from .output import clean
from .training import Training, training

__all__ = ["encoder", "in_context", "reranker", "splade", "tokens", "tower", "writer"]

_TEACHER = option(
    "--teacher",
    multiple=True,
    metavar="NAME",
    help="What ranks better, to imitate: a model, an encoder of the library, bm25, or likelihood=MODEL; repeated, their sum.",
)


@command(
    "encoder",
    examples=[
        ("bookwheel train encoder MODEL", "train a copy of a sentence encoder, and write it where it is better"),
        ("bookwheel train encoder MODEL --teacher LARGER --teacher bm25 --from cloze", "that imitates what both say together"),
    ],
    writes=True,
)
@argument("model", metavar="MODEL")
@_TEACHER
@option("--batch", type=Whole(2), metavar="N", help="Pairs of a step; memory does not grow with it. [default: 32]")
@option(
    "--pretrain",
    type=Number(0, 0.79),
    default=0.0,
    metavar="SHARE",
    help="Of the minutes: first rebuild masked passages from their vectors (not measured). [default: 0]",
)
@option(
    "--widths", type=Widths(), metavar="N,…", help="First dimensions by which vectors are to rank well, too (not measured)."
)
@option("--codes", is_flag=True, help="Codes of one bit a dimension are to rank well, too (not measured).")
@training(45, sources=True, plot=True)
def encoder(
    run: Training,
    model: str,
    teacher: tuple[str, ...],
    batch: int | None,
    pretrain: float,
    widths: tuple[int, ...] | None,
    codes: bool,
) -> None:
    """Train a sentence encoder on pairs of queries and passages of a library, without labels or with them.

    MODEL is the folder of a model in sentence-transformers' layout, or a package that holds one. Needs torch:
    pip install 'bookwheel[train]'. SOURCE is titles (titles, headings and sentences of the library, each with the
    passage that it is taken out of), cloze (the words around a name or number), links, replies (subjects of
    threads of mails), written=MODEL (questions that a language model writes), copied=MODEL (the same, copying words
    of the passage), described=MODEL (its descriptions in general words), queries (what people asked and opened;
    log=FILE for a log), judgments=FOLDER (a judged collection) or pairs=FILE (lines of JSON with query and answer).
    After Ctrl-C the same command continues.
    """
    from ..train import EncoderOptions, PretrainOptions, train_encoder

    options = EncoderOptions(pretraining=PretrainOptions(share=pretrain), widths=widths or (), codes=codes)
    options = options if batch is None else replace(options, batch=batch)
    found = train_encoder(run.library, model, teacher=teacher, options=options, **run.arguments())
    run.finish(found, f"next: bookwheel encoders add NAME={clean(found.folder or '')}{run.flag}")


@command(
    "reranker",
    examples=[
        ("bookwheel train reranker MODEL", "a cross-encoder for this library, written where it is better than BM25 alone"),
        ("bookwheel train reranker MODEL --teacher LARGER", "that imitates a larger encoder"),
    ],
    writes=True,
)
@argument("model", metavar="MODEL")
@_TEACHER
@option("--loss", metavar="NAME", help="listwise, margin-mse or contrast. [default: listwise with a teacher, contrast without]")
@training(45, sources=True, plot=True)
def reranker(run: Training, model: str, teacher: tuple[str, ...], loss: str | None) -> None:
    """Train a cross-encoder, which reads query and passage together, to put BM25's first passages into a better order.

    MODEL is the folder of a cross-encoder; or of a BERT-like encoder, which gets a new head; or a Llama-like language
    model (a folder, a .gguf file, or smollm2), of which adapters are trained. Needs torch:
    pip install 'bookwheel[train]'. Queries are made of the library (titles, headings, sentences) or are those of
    SOURCE, as for bookwheel train encoder. After Ctrl-C the same command continues.
    """
    from ..train import RerankerOptions, train_reranker

    found = train_reranker(run.library, model, teacher=teacher, options=RerankerOptions(loss=loss), **run.arguments())
    run.finish(found, f"next: bookwheel search QUERY --recipe '{clean(found.recipe or '')}'{run.flag}")


@command(
    "in-context",
    examples=[
        ("bookwheel train in-context", "smollm2, whose attention learns to rank, written where it is better than before"),
        ("bookwheel train in-context ./model --heads FOLDER", "a model of your own, by the heads that train attention found"),
    ],
    writes=True,
)
@argument("model", metavar="[MODEL]", default="smollm2")
@option(
    "--heads", metavar="FOLDER", help="What bookwheel train attention wrote for MODEL. [default: those measured for smollm2]"
)
@_TEACHER
@option("--loss", metavar="NAME", help="listwise, margin-mse or contrast. [default: listwise with a teacher, contrast without]")
@training(45, sources=True, plot=True)
def in_context(run: Training, model: str, heads: str | None, teacher: tuple[str, ...], loss: str | None) -> None:
    """Train a language model so that what a query's words attend to puts BM25's first passages into a better order.

    MODEL is smollm2, a .gguf file, or the folder of a Llama-like model; the layers that its heads need are copied, and
    adapters trained in half of them (BlockRank). Needs torch: pip install 'bookwheel[train]'. Queries are made of the
    library (titles, headings, sentences) or are those of SOURCE, as for bookwheel train encoder. After Ctrl-C the same
    command continues.
    """
    from ..train import InContextOptions, train_in_context

    options = InContextOptions(loss=loss)
    found = train_in_context(run.library, model, heads=heads, teacher=teacher, options=options, **run.arguments())
    run.finish(found, f"next: bookwheel search QUERY --recipe '{clean(found.recipe or '')}'{run.flag}")


@command(
    "splade",
    examples=[
        ("bookwheel train splade MODEL", "a sparse encoder for this library, written where it is better than BM25 alone"),
        ("bookwheel train splade MODEL --table --teacher LARGER", "whose queries no model reads, and that imitates an encoder"),
    ],
    writes=True,
)
@argument("model", metavar="MODEL")
@_TEACHER
@option("--loss", metavar="NAME", help="listwise, margin-mse or contrast. [default: listwise with a teacher, contrast without]")
@option("--table", is_flag=True, help="Queries are their tokens, weighted by a table; only passages are read by the model.")
@training(45, sources=True, plot=True)
def splade(run: Training, model: str, teacher: tuple[str, ...], loss: str | None, table: bool) -> None:
    """Train a learned sparse encoder, which gives a text weighted terms, also ones that it does not have.

    MODEL is the folder of a SPLADE model, or of a BERT-like masked language model with its head. Needs torch:
    pip install 'bookwheel[train]'. Queries are made of the library (titles, headings, sentences) or are those of
    SOURCE, as for bookwheel train encoder. After Ctrl-C the same command continues.
    """
    from ..train import SpladeOptions, train_splade

    found = train_splade(run.library, model, teacher=teacher, options=SpladeOptions(loss=loss, table=table), **run.arguments())
    folder, flag = clean(found.folder or ""), run.flag
    run.finish(
        found,
        f"next: bookwheel encoders add splade={folder} --kind sparse{flag}; then: bookwheel embed splade{flag}; "
        f"then: bookwheel search QUERY --recipe '{clean(found.recipe or '')}'{flag}",
    )


@command(
    "tokens",
    examples=[
        (
            "bookwheel train tokens MODEL",
            "a late-interaction model from a sentence encoder, written where it is better than BM25",
        ),
        ("bookwheel train tokens MODEL --teacher LARGER --minutes 20", "that imitates a larger encoder, in less time"),
    ],
    writes=True,
)
@argument("model", metavar="MODEL")
@_TEACHER
@option("--loss", metavar="NAME", help="listwise, margin-mse or contrast. [default: listwise]")
@option("--dimension", type=Whole(8), metavar="N", help="Of a token's vector. [default: 128]")
@option("--untrained", is_flag=True, help="Write the start of training, unless it is worse than BM25; in a minute or so.")
@training(45, sources=True, plot=True)
def tokens(
    run: Training, model: str, teacher: tuple[str, ...], loss: str | None, dimension: int | None, untrained: bool
) -> None:
    """Train a late-interaction model, which compares each word of a query with the words of a passage.

    MODEL is the folder of a BERT-like sentence encoder, or a package that holds one. Needs torch:
    pip install 'bookwheel[train]'. Queries are made of the library (titles, headings, sentences) or are those of
    SOURCE, as for bookwheel train encoder. After Ctrl-C the same command continues.
    """
    from ..train import TokensOptions, train_tokens

    if untrained and run.plot is not None:
        raise UsageError("untrained, there is no loss to draw; leave out --plot")
    options = TokensOptions(loss=loss, untrained=untrained)
    if dimension is not None:
        options = replace(options, dimension=dimension)
    found = train_tokens(run.library, model, teacher=teacher, options=options, **run.arguments())
    folder, flag = clean(found.folder or ""), run.flag
    run.finish(
        found,
        f"next: bookwheel encoders add tokens={folder} --kind tokens{flag}; then: bookwheel embed tokens{flag}; "
        f"then: bookwheel search QUERY --recipe '{clean(found.recipe or '')}'{flag}",
    )


@command(
    "tower",
    examples=[
        ("bookwheel train tower minilm", "two of its layers for queries, against the vectors that are stored"),
        ("bookwheel train tower minilm --layers 0 --least 0.85", "with a table of tokens: microseconds a query, and less good"),
    ],
    writes=True,
)
@argument("name", metavar="NAME")
@option("--teacher", metavar="RECIPE", help="What ranks better here, whose rankings are imitated. [default: NAME itself]")
@option(
    "--layers",
    type=Whole(0),
    metavar="N",
    help="Of the encoder, that queries go through; 0 for a table of token vectors. [default: 2, with a teacher all]",
)
@option(
    "--least",
    type=Number(0, 1),
    metavar="SHARE",
    help="Of the whole model's nDCG@10, that is enough. [default: 0.98; with a teacher, what is better]",
)
@training(30, plot=True)
def tower(run: Training, name: str, teacher: str | None, layers: int | None, least: float | None) -> None:
    """Train a few layers of an encoder to encode queries for the passages that all of it has embedded.

    NAME is an encoder of the library, from a folder in sentence-transformers' layout. Needs torch:
    pip install 'bookwheel[train]'. What comes of it takes the encoder's place without embedding anything anew,
    and is written where it reaches 98 % of it on held-out queries. With --layers 0 no model reads a query: it is
    the mean of its tokens' vectors, which takes microseconds and no torch, but seldom reaches 98 %; say with
    --least how much is enough. After Ctrl-C the same command continues.
    """
    from ..train import train_tower

    found = train_tower(run.library, name, teacher=teacher, layers=layers, least=least, **run.arguments())
    run.finish(found, f"next: bookwheel encoders replace {name}={clean(found.folder or '')}{run.flag}")


@command(
    "writer",
    examples=[
        ("bookwheel train writer", "smollm2, to write what titles and sentences of the library ask for"),
        ("bookwheel train writer ./model --from pairs=asked.jsonl --minutes 60", "another model, to write as people ask"),
    ],
    writes=True,
)
@argument("model", metavar="[MODEL]", default="smollm2")
@option("--count", type=Whole(1), metavar="N", help="Queries that it draws for a passage. [default: 5]")
@training(45, sources=True, plot=True)
def writer(run: Training, model: str, count: int | None) -> None:
    """Train a language model to write the queries that a passage answers (doc2query).

    MODEL is smollm2, a .gguf file, or the folder of a language model, causal or of encoder and decoder (T5). What it
    becomes writes queries to train other models on (--from written=FOLDER), and their terms can be searched beside
    the passages' own. Needs torch: pip install 'bookwheel[train]'. Queries are made of the library (titles, headings,
    sentences) or are those of SOURCE, as for bookwheel train encoder. After Ctrl-C the same command continues.
    """
    from ..train import WriterOptions, train_writer

    options = WriterOptions() if count is None else replace(WriterOptions(), count=count)
    found = train_writer(run.library, model, options=options, **run.arguments())
    folder, flag = clean(found.folder or ""), run.flag
    following = f"next: bookwheel train encoder MODEL --from written={folder}{flag}"
    if found.recipe is not None:
        following = (
            f"next: bookwheel encoders add questions={folder} --kind sparse{flag}; then: bookwheel embed questions{flag}; "
            f"then: bookwheel search QUERY --recipe '{found.recipe}'{flag}"
        )
    run.finish(found, following)
