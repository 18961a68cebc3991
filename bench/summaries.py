"""Extractive summaries beside the plainest ones: of XQuAD's articles and PubMedQA's abstracts.

    python bench/summaries.py [--data FOLDER]

XQuAD: an article is its five paragraphs; a summary of it of 60, 100 and 150 words is worth what share of the gold answers to its
questions it still has, word for word. PubMedQA: an abstract without its conclusion; a summary of two sentences is worth what share
of the content words (stems) of the article's question it has. Beside them: the first sentences (lead), sentences drawn at random
(mean of five draws), and the same method without vectors, position or centrality. Nobody wrote these summaries: both measures say
only whether what people asked about is still there. Results go into docs/results/summaries.json.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np

from common import ROOT, SHARED, keep, table

sys.path.insert(0, str(ROOT / "src"))

from bookwheel.analysis.analyzer import Analyzer
from bookwheel.encode.find import BUILT_IN_MODELS
from bookwheel.encode.load import load_encoder
from bookwheel.evaluate.answers import contains
from bookwheel.kernels.bm25 import idf as bm25_idf
from bookwheel.read import summary
from bookwheel.read.summary import Sentence, SummaryOptions, chosen, sentences_of

ANALYZER = Analyzer.for_language("english")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def lead(sentences: list[Sentence], options: SummaryOptions) -> list[Sentence]:
    return within(sentences, options)


def within(sentences: list[Sentence], options: SummaryOptions) -> list[Sentence]:
    """The first of ``sentences`` that fit."""
    found, words = [], 0
    for one in sentences:
        if len(found) < options.sentences and (options.words is None or words + one.words <= options.words):
            found.append(one)
            words += one.words
    return found


class Ways:
    """Each way to summarise, over one collection's statistics."""

    def __init__(self, texts: list[str]) -> None:
        self.passages = len(texts)
        self.counts: dict[str, int] = {}
        for text in texts:
            for term in set(ANALYZER(text)):
                self.counts[term] = self.counts.get(term, 0) + 1
        self.encoder = load_encoder(next(iter(BUILT_IN_MODELS)))

    def idf(self, terms: list[str]) -> dict[str, float]:
        values = bm25_idf(np.array([self.counts.get(term, 0) for term in terms]), self.passages)
        return dict(zip(terms, np.asarray(values).tolist(), strict=True))

    def way(self, name: str, sentences: list[Sentence], options: SummaryOptions) -> list[list[Sentence]]:
        if name == "lead":
            return [within(sentences, options)]
        if name == "random":
            draws = []
            for seed in range(5):
                order = sentences[:]
                random.Random(seed).shuffle(order)
                draws.append(within(order, options))
            return draws
        before = summary.POSITION, summary.FIRST, summary.OPENING
        try:
            if name == "without position":
                summary.POSITION = summary.FIRST = summary.OPENING = 0.0
            encode = None if name == "terms only" else self.encoder.encode
            return [chosen(sentences, options, ANALYZER, self.idf, encode)]
        finally:
            summary.POSITION, summary.FIRST, summary.OPENING = before


WAYS = ("lead", "random", "terms only", "without position", "bookwheel")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED / "data")
    data = parser.parse_args().data
    rows, result = [], {}
    corpus = lines(data / "xquad_en" / "corpus.jsonl")
    articles: dict[str, list[str]] = {}
    of: dict[str, str] = {}
    for one in corpus:
        articles.setdefault(one["title"], []).append(one["text"])
        of[one["_id"]] = one["title"]
    golds: dict[str, list[str]] = {}
    for one in lines(data / "xquad_en" / "answers.jsonl"):
        golds.setdefault(of[one["document"]], []).append(one["text"])
    ways = Ways([one["text"] for one in corpus])
    split = {name: list(sentences_of(0, "\n\n".join(texts), 0, 0)) for name, texts in articles.items()}
    for words in (60, 100, 150):
        for name in WAYS:
            shares = []
            for article, sentences in split.items():
                for found in ways.way(name, sentences, SummaryOptions(100, words)):
                    text = " ".join(one.text for one in found)
                    shares.append(float(np.mean([contains(text, [gold]) for gold in golds[article]])))
            result[f"xquad {words} words, {name}"] = float(np.mean(shares))
            rows.append([f"XQuAD, {words} words: answers kept", name, f"{100 * np.mean(shares):.1f} %"])
    corpus = lines(data / "pubmedqa" / "corpus.jsonl")
    questions = {one["_id"]: one["text"] for one in lines(data / "pubmedqa" / "queries.jsonl")}
    ways = Ways([one["text"] for one in corpus])
    for name in WAYS:
        shares = []
        for one in corpus:
            wanted = set(ANALYZER(questions.get(one["_id"], "")))
            sentences = list(sentences_of(0, one["text"], 0, 0))
            if not wanted or len(sentences) < 3:
                continue
            for found in ways.way(name, sentences, SummaryOptions(2)):
                shares.append(len(wanted & set(ANALYZER(" ".join(s.text for s in found)))) / len(wanted))
        result[f"pubmedqa 2 sentences, {name}"] = float(np.mean(shares))
        rows.append(["PubMedQA, 2 sentences: question's words", name, f"{100 * np.mean(shares):.1f} %"])
    keep("summaries", {"measured": result}, table(["collection and measure", "way", "share"], rows))


if __name__ == "__main__":
    main()
