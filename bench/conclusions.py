"""PubMedQA by the quoted conclusion: yes, no or maybe read off the sentences that `ask` quotes, beside the majority class.

    python bench/conclusions.py                  the library is made of PubMedQA's abstracts, which lack their conclusions

Each question is asked of all abstracts at once; what is quoted may be from another one, and that is told. Three readers of the
quotes, none of which knows medicine: *rule*, nothing fitted: "no" where the quoted sentences deny (`DENIALS`), otherwise "yes";
*fitted*: a multinomial logistic regression over `CUES`, ridge 1; *words*: the same over the words of the quotes (ridge 30).
Fitted ones are reported by ten-fold cross-validation; the folds are drawn by the SHA-256 of the question's id. Beside them the same
readers on the whole right abstract, which is what quotes lose to. Results go into docs/results/conclusions.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common import ROOT, SHARED, keep, table

sys.path.insert(0, str(ROOT / "src"))

from quoting import library_of

CLASSES = ("yes", "no", "maybe")
FOLDS = 10
DENIALS = re.compile(
    r"(?i)\b(?:no (?:statistically |clinically )?(?:significant|evidence|difference|correlation|association|relation\w*|effect|change\w*|"
    r"increase|influence|benefit|improvement)|(?:did|do|does|was|were|is|are|could|can) not|not (?:significant\w*|associated|correlate\w*|"
    r"differ\w*|different|related|affect\w*|predict\w*)|(?:similar|comparable) (?:in|between|for|among|to)|neither|nor|failed to|"
    r"without (?:any )?(?:significant|difference)|nonsignificant|non-significant|lack of|unrelated)\b"
)
CUES = {
    "denied": DENIALS,
    "significant": re.compile(r"(?i)(?<!no )(?<!not )(?<!non-)\bsignificant"),
    "more": re.compile(r"(?i)\b(?:increas\w+|higher|greater|more|improv\w+|better|superior|longer|larger)\b"),
    "less": re.compile(r"(?i)\b(?:decreas\w+|lower|less|fewer|reduc\w+|worse|inferior|shorter|smaller)\b"),
    "associated": re.compile(r"(?i)\b(?:associat\w+|correlat\w+|predict\w+|related|independent\w*)\b"),
    "however": re.compile(r"(?i)\b(?:however|although|but|whereas|while|only|except)\b"),
    "hedged": re.compile(r"(?i)\b(?:may|might|could|trend|tend\w*|some|suggest\w*|possib\w+|borderline)\b"),
    "p": re.compile(r"(?i)\bp\s*[<≤]\s*0?\.\d"),
    "p not": re.compile(r"(?i)\bp\s*[=>]\s*0?\.[1-9]|\bN\.?S\.?\b"),
}


def rule(text: str) -> int:
    """The number of a class; nothing is fitted."""
    return CLASSES.index("no" if DENIALS.search(text) else "yes")


def cues(texts: Sequence[str]) -> NDArray[np.float64]:
    """Which of `CUES` each text has, by count up to two: (n, cues)."""
    return np.array([[min(len(cue.findall(text)), 2) for cue in CUES.values()] for text in texts], np.float64)


def words(texts: Sequence[str]) -> NDArray[np.float64]:
    """Which words that ten texts or more have stand in each: (n, words)."""
    found = [set(re.findall(r"[a-z]{2,}", text.lower())) for text in texts]
    counts: dict[str, int] = {}
    for some in found:
        for word in some:
            counts[word] = counts.get(word, 0) + 1
    known = sorted(word for word, count in counts.items() if count >= 10)
    return np.array([[word in some for word in known] for some in found], np.float64)


def softmax_regression(x: NDArray[np.float64], y: NDArray[np.int64], ridge: float) -> NDArray[np.float64]:
    """Weights (features + 1, classes) of a multinomial logistic regression, by gradient descent with momentum."""
    full = np.column_stack([x, np.ones(len(x))])
    goal = np.eye(len(CLASSES))[y]
    weights, step = np.zeros((full.shape[1], len(CLASSES))), np.zeros((full.shape[1], len(CLASSES)))
    rate = 4.0 / (np.linalg.norm(full, 2) ** 2 / len(x) + ridge / len(x) + 1e-9) / 2
    for _ in range(500):
        odds = full @ weights
        chances = np.exp(odds - odds.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        gradient = full.T @ (chances - goal) / len(x)
        gradient[:-1] += ridge * weights[:-1] / len(x)
        step = 0.9 * step - 0.1 * rate * gradient
        weights += step
    return weights


def cross_validated(x: NDArray[np.float64], y: NDArray[np.int64], folds: NDArray[np.int64], ridge: float) -> NDArray[np.int64]:
    """The class of each row, by weights that were fitted without its fold."""
    made = np.zeros(len(y), np.int64)
    for fold in range(FOLDS):
        out = folds == fold
        mean, scale = x[~out].mean(axis=0), x[~out].std(axis=0) + 1e-9
        weights = softmax_regression((x[~out] - mean) / scale, y[~out], ridge)
        made[out] = (np.column_stack([(x[out] - mean) / scale, np.ones(int(out.sum()))]) @ weights).argmax(axis=1)
    return made


def told(made: NDArray[np.int64], y: NDArray[np.int64]) -> dict[str, float]:
    """Accuracy, and the mean of the three classes' F1."""
    scores = []
    for one in range(len(CLASSES)):
        both = float(((made == one) & (y == one)).sum())
        scores.append(2 * both / max(float((made == one).sum() + (y == one).sum()), 1.0))
    return {"accuracy": float((made == y).mean()), "f1": float(np.mean(scores))}


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    folder: Path = SHARED / "data" / "pubmedqa"
    if not folder.is_dir():
        raise SystemExit(f"{folder} is not there; it holds corpus.jsonl, queries.jsonl and answers.jsonl of PubMedQA")
    rows = {name: _rows(folder / f"{name}.jsonl") for name in ("queries", "answers", "corpus")}
    names = [name for name in rows["queries"] if name in rows["answers"]]
    y = np.array([CLASSES.index(rows["answers"][name]["decision"]) for name in names])
    folds = np.array([int(hashlib.sha256(name.encode()).hexdigest(), 16) % FOLDS for name in names])
    library = library_of(folder)
    result: dict[str, Any] = {"questions": len(names), "readers": {}}
    texts: dict[str, list[str]] = {"the right abstract, whole": [rows["corpus"][name]["text"] for name in names]}
    for most in (2, 3):
        answers = [library.ask(rows["queries"][name]["text"], sentences=most, threshold=0) for name in names]
        texts[f"{most} quoted sentences"] = [answer.text for answer in answers]
        right = [
            any(quote.id == name for claim in a.claims for quote in claim.quotes)
            for name, a in zip(names, answers, strict=True)
        ]
        result[f"right abstract quoted, {most}"] = float(np.mean(right))
    majority = np.full(len(y), int(np.bincount(y).argmax()))
    result["readers"]["majority class"] = told(majority, y)
    for name, some in texts.items():
        readers = {
            "rule": np.array([rule(text) for text in some]),
            "fitted": cross_validated(cues(some), y, folds, 1.0),
            "words": cross_validated(words(some), y, folds, 30.0),
        }
        for reader, made in readers.items():
            better, worse = int(((made == y) & (majority != y)).sum()), int(((made != y) & (majority == y)).sum())
            result["readers"][f"{name}, {reader}"] = {
                **told(made, y),
                "better": better,
                "worse": worse,
                "p": _sign(better, worse),
            }
    lines = [
        [
            name,
            f"{100 * one['accuracy']:.1f} ± {100 * math.sqrt(one['accuracy'] * (1 - one['accuracy']) / len(y)):.1f} %",
            f"{100 * one['f1']:.1f} %",
            f"{one['better']} / {one['worse']}, {one['p']:.3f}" if "p" in one else "",
        ]
        for name, one in result["readers"].items()
    ]
    keep("conclusions", result, table(["read from", "right", "mean F1", "against the majority: better / worse, p"], lines))
    print({key: value for key, value in result.items() if key.startswith("right")})


def _sign(better: int, worse: int) -> float:
    """Two-sided sign test."""
    n, least = better + worse, min(better, worse)
    tail = sum(math.comb(n, k) for k in range(least + 1)) / 2**n if n else 1.0
    return min(1.0, 2 * tail)


def _rows(path: Path) -> dict[str, dict[str, Any]]:
    return {row["_id"]: row for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())}


if __name__ == "__main__":
    main()
