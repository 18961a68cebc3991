"""A panel's recipes rank documents, however many passages one of them has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import Document
from bookwheel.evaluate.collection import Collection
from bookwheel.tune.panel import PanelRecipe, panel_scores


def test_a_long_document_takes_no_places_of_others(tmp_path: Path) -> None:
    """More passages of one document than are ranked at first come before the one that answers."""
    sentence = "The gannet dives, and the gannet fishes, while a gannet watches the gannet. "
    answer = "Once a gannet came to the harbour, where ropes are sold and boats are mended."
    with bookwheel.open(tmp_path / "library", create=True, language="english") as library:
        library.add([Document("long", sentence * 1000), Document("answer", answer)], workers=1)
        library.add([Document(f"other {at}", f"Boats of the harbour, number {at}.") for at in range(20)], workers=1)
        assert library["long"].passages[50:]
        queries = {"q": "gannet", "r": "boats"}
        collection = Collection("judged", queries, {"q": {"answer": 1}, "r": {"other 3": 1}}, lambda: iter(()))
        recipes = ["bm25", "rrf(bm25, dense)"]
        found = panel_scores(library, collection, [PanelRecipe(recipe) for recipe in recipes])
        for recipe, values in zip(recipes, found.values, strict=True):
            for value, (query, text) in zip(values.tolist(), queries.items(), strict=True):
                ranked = [name for name, _ in library.rank_documents([text], k=10, recipe=recipe)[0]]
                gains = [collection.qrels[query].get(name, 0) / np.log2(place + 2) for place, name in enumerate(ranked)]
                assert value == pytest.approx(sum(gains))
    assert found.values[0, 0] == pytest.approx(1 / np.log2(3))
