from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from bookwheel._errors import ModelError, UsageError
from bookwheel.encode.cross import CrossEncoder
from bookwheel.encode.options import Options

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("tokenizers", reason="tokenizers is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed: no weights can be made")
transformers = pytest.importorskip("transformers", reason="transformers is not installed: no weights can be made")


WORDS = [
    "the",
    "a",
    "lens",
    "bends",
    "light",
    "heat",
    "flows",
    "from",
    "warm",
    "to",
    "cold",
    "water",
    "wing",
    "drag",
    "lift",
    "speed",
    "of",
    "sound",
    "why",
    "how",
    "what",
    "does",
    "is",
    "query",
]
INPUTS = ["input_ids", "token_type_ids", "attention_mask"]
QUERY = "how does light bends"
TEXTS = [
    "a lens bends light",
    "heat flows from warm to cold water",
    "the speed of sound",
    "drag is what a wing does lift " * 20,
    "",
]


def made(folder: Path, labels: int = 1, **settings: object) -> Path:
    """A BERT of two layers with random weights in CrossEncoder's layout."""
    folder.mkdir()
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    inner = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    inner.normalizer = tokenizers.normalizers.BertNormalizer()
    inner.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    inner.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, model_max_length=48, model_input_names=INPUTS, **special
    ).save_pretrained(folder)
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=48,
        num_labels=labels,
        initializer_range=0.4,
    )
    transformers.BertForSequenceClassification(config).eval().save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **settings}))
    return folder


def reference(folder: Path, pairs: list[tuple[str, str]]) -> np.ndarray:
    """Logits by torch, each pair alone."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    rows = []
    with torch.inference_mode():
        for query, text in pairs:
            inputs = tokenizer([query], [text], truncation="longest_first", max_length=48, return_tensors="pt")
            rows.append(model(**inputs).logits[0].numpy())
    return np.array(rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("cross") / "one")


PLAIN = Options(precision="fp32", threads=1)


def test_scores_are_those_of_torch(folder: Path) -> None:
    found = CrossEncoder(folder, PLAIN, long="first").score(QUERY, TEXTS)
    np.testing.assert_allclose(found, reference(folder, [(QUERY, text) for text in TEXTS])[:, 0], atol=1e-4)


def test_scores_are_those_of_sentence_transformers(folder: Path) -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    peer = sentence_transformers.CrossEncoder(str(folder), max_length=48, device="cpu", activation_fn=torch.nn.Identity())
    expected = peer.predict([(QUERY, text) for text in TEXTS])
    np.testing.assert_allclose(CrossEncoder(folder, PLAIN, long="first").score(QUERY, TEXTS), expected, atol=1e-5)


def test_eight_bits_stay_near(folder: Path) -> None:
    exact = np.array(CrossEncoder(folder, PLAIN, long="first").score(QUERY, TEXTS))
    small = np.array(CrossEncoder(folder, Options(threads=1), long="first").score(QUERY, TEXTS))
    assert np.abs(small - exact).max() < 0.2 * np.ptp(exact)
    assert not np.array_equal(small, exact)


def test_long_passages_are_read_in_windows(folder: Path) -> None:
    encoders = {long: CrossEncoder(folder, PLAIN, long=long, windows=3) for long in ("first", "max", "sum", "mean")}
    scores = {long: np.array(one.score(QUERY, TEXTS)) for long, one in encoders.items()}
    short = [0, 1, 2, 4]
    for values in scores.values():
        np.testing.assert_array_equal(values[short], scores["first"][short])
    # What the windows are, by the offsets of their tokens, scored by torch.
    words = TEXTS[3].split()
    room, stride = 48 - len(QUERY.split()) - 3, 6
    windows = [" ".join(words[at : at + room]) for at in range(0, 3 * (room - stride), room - stride)]
    each = reference(folder, [(QUERY, window) for window in windows])[:, 0]
    for long, value in (("first", each[0]), ("max", each.max()), ("sum", each.sum()), ("mean", each.mean())):
        assert scores[long][3] == pytest.approx(value, abs=1e-4)


def test_one_of_several_labels_is_the_score(tmp_path: Path) -> None:
    names = {"id2label": {"0": "contradiction", "1": "entailment", "2": "neutral"}}
    folder = made(tmp_path / "three", 3, **names)
    logits = reference(folder, [(QUERY, text) for text in TEXTS[:3]])
    chance = np.exp(logits)[:, 1] / np.exp(logits).sum(1)
    found = np.array(CrossEncoder(folder, PLAIN).score(QUERY, TEXTS[:3]))
    np.testing.assert_allclose(1 / (1 + np.exp(-found)), chance, atol=1e-4)
    with pytest.raises(UsageError, match="outputs 0 to 2"):
        CrossEncoder(folder, PLAIN, label=3)
    other = made(tmp_path / "other", 3)
    with pytest.raises(ModelError, match="label=NUMBER"):
        CrossEncoder(other, PLAIN)


def test_the_deadline_leaves_out_the_last(folder: Path) -> None:
    encoder = CrossEncoder(folder, PLAIN)
    assert encoder.score(QUERY, TEXTS, deadline=time.monotonic() - 1) == [None] * len(TEXTS)
    assert None not in encoder.score(QUERY, TEXTS, deadline=time.monotonic() + 100)
    assert encoder.score(QUERY, []) == []


def test_a_query_longer_than_the_model_is_cut(folder: Path) -> None:
    assert np.isfinite(CrossEncoder(folder, PLAIN).score("light " * 200, TEXTS)).all()


def test_what_is_no_model_is_told(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ModelError, match="there is no cross-encoder"):
        CrossEncoder(tmp_path / "nothing")
    with pytest.raises(UsageError, match="first, max, sum, mean"):
        CrossEncoder(folder, long="last")
