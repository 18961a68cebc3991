"""A SPLADE-type model, run here, as a retriever of a library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from encoder_models import bert_states, bert_weights, mlm_logits, tokens_of, write_bert

import bookwheel

pytest.importorskip("onnxruntime", reason="the extra `models` is not installed")
pytest.importorskip("tokenizers", reason="the extra `models` is not installed")
pytest.importorskip("safetensors", reason="the extra `models` is not installed")

WEIGHTS = bert_weights(3, mlm=True)
TEXTS = ["the red bird sings near the river", "a green stone falls under the sky", "the blue sea was far", "bird over stone"]


def test_it_ranks_by_the_dot_products_of_its_terms(tmp_path: Path) -> None:
    named = {name if name.startswith("cls.") else f"bert.{name}": array for name, array in WEIGHTS.items()}
    folder = write_bert(tmp_path / "splade", named, architectures=["BertForMaskedLM"])
    library = bookwheel.open(tmp_path / "lib", create=True, language="none", unit="document")
    library.add([bookwheel.Document(f"d{n}", text) for n, text in enumerate(TEXTS)])
    library.add_encoder("splade", str(folder), kind="sparse")
    assert library.embed()[0].complete
    library.close()
    again = bookwheel.open(tmp_path / "lib")
    query = "red stone"

    def weights(text: str) -> np.ndarray:
        logits = mlm_logits(WEIGHTS, bert_states(WEIGHTS, tokens_of(folder, text)))
        return np.asarray(np.log1p(np.maximum(logits, 0)).max(0))

    wanted = [float(weights(query) @ weights(text)) for text in TEXTS]
    found = {result.id: result.score for result in again.search(query, 4, recipe="splade")}
    assert [found[f"d{n}"] for n in range(4)] == pytest.approx(wanted, rel=0.05)  # int8, by default
    assert again.search(query, recipe="bm25 + splade")
    (terms,) = again.terms("splade", [again.get("d1")[0].first], 3)
    strongest = np.sort(weights(TEXTS[1]))[::-1][:3]
    assert [weight for _, weight in terms] == pytest.approx(strongest, rel=0.1)
