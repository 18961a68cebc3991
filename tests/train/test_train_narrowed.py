"""Encoders that are trained to be cut and coded: the loss against one that is written down, what codes say, and whole runs."""

from __future__ import annotations

import json
import math
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bookwheel
from bookwheel._errors import UsageError
from bookwheel.encode import load_encoder
from bookwheel.index.dense.sketch import encode_rows
from bookwheel.train import EncoderOptions, held_out, train_encoder
from bookwheel.train.encoder import pool, training
from bookwheel.train.safety import Verdict

torch = pytest.importorskip("torch")
pytest.importorskip("sentence_transformers", reason="training encoders needs bookwheel[train]")

from bookwheel.train.encoder.model import SentenceEncoder  # noqa: E402
from bookwheel.train.memory.loop import _losses  # noqa: E402
from bookwheel.train.objectives.cached_contrast import ANSWER, NEGATIVE, QUERY, CachedContrast  # noqa: E402
from bookwheel.train.objectives.narrowed import Narrowed, _coded  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

COUNT, WIDTH = 8, 32
normal = torch.nn.functional.normalize


def batch(**more: Any) -> dict[str, Any]:
    return {
        "role": torch.tensor([QUERY, ANSWER, NEGATIVE]).repeat_interleave(COUNT),
        "pair": torch.arange(COUNT).repeat(3),
        "document": torch.arange(3 * COUNT),
        "draw": torch.arange(3 * COUNT),
        **more,
    }


def drawn(seed: int = 0) -> Any:
    return normal(torch.randn(3 * COUNT, WIDTH, generator=torch.Generator().manual_seed(seed)), dim=1)


def written_down(vectors: Any, widths: tuple[int, ...], codes: bool) -> Any:
    """The mean over all views of the mean cross-entropy, with gradients through signs put there by hand."""
    total, views = 0.0, 0
    for width in (WIDTH, *widths):
        units = vectors if width == WIDTH else normal(vectors[:, :width], dim=1)
        queries, texts = units[:COUNT], units[COUNT:]
        kinds = [texts]
        if codes:
            centre = texts.detach().mean(0)
            away = texts.detach() - centre
            told = centre + away.sign() * (away.norm(dim=1) ** 2 / away.norm(p=1, dim=1))[:, None]
            kinds.append(told + texts - texts.detach())
        for kind in kinds:
            total = total + torch.nn.functional.cross_entropy(20 * queries @ kind.T, torch.arange(COUNT))
            views += 1
    return total / views


@pytest.mark.parametrize(("widths", "codes"), [((), True), ((8,), False), ((4, 16), True)])
def test_the_loss_is_the_mean_over_all_views(widths: tuple[int, ...], codes: bool) -> None:
    goal = Narrowed(20.0, CachedContrast(20.0), widths, codes)
    own, other = drawn().requires_grad_(), drawn().requires_grad_()
    found = goal.losses(own, batch())
    found.sum().div(COUNT).backward()
    wanted = written_down(other, widths, codes)
    wanted.backward()
    assert not found[COUNT:].any()
    assert float(found.detach().sum() / COUNT) == pytest.approx(float(wanted.detach()), rel=1e-5)
    torch.testing.assert_close(own.grad, other.grad, rtol=1e-4, atol=1e-6)


def test_codes_say_what_the_index_estimates() -> None:
    """Without a rotation; and the same in both libraries."""
    units = drawn(4).numpy()
    centre = units.mean(0)
    planes, factors = encode_rows(units, centre, np.eye(WIDTH, dtype=np.float32), 1)
    signs = 2.0 * np.unpackbits(planes, axis=1, bitorder="little")[:, :WIDTH] - 1
    estimated = centre + signs * factors[:, None]
    np.testing.assert_allclose(pool._coded(units), estimated, atol=2e-3)
    np.testing.assert_allclose(_coded(drawn(4), drawn(4).mean(0)).numpy(), pool._coded(units), atol=1e-5)


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_parts_of_a_batch_have_the_gradient_of_the_whole(base: Path, rows: int) -> None:
    model = SentenceEncoder(base, 24).eval()
    words = ["sea", "sky", "stone", "river", "bird", "far", "near", "red"]
    texts = [f"the {one}" for one in words] + [f"{one} falls over" for one in words] + [f"green {one}" for one in words]
    made = batch(**model.tokenise(texts))
    goal = Narrowed(20.0, CachedContrast(20.0), (8,), True)

    def gradients(parts: int) -> tuple[float, dict[str, Any]]:
        model.zero_grad()
        total = 0.0
        for loss in _losses(goal, model, made, parts):
            found = loss()
            found.backward()
            total += float(found.detach())
        return total, {name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None}

    (total, found), (whole, wanted) = gradients(rows), gradients(1000)
    assert total == pytest.approx(whole, rel=1e-4)
    for name, slope in found.items():
        torch.testing.assert_close(slope, wanted[name], rtol=1e-3, atol=1e-5)


def test_steps_make_codes_of_cut_vectors_better() -> None:
    """Of vectors that are free: after some steps answers are told by 8 signs, which they were not before."""
    weights = drawn(2).requires_grad_()
    goal = Narrowed(20.0, CachedContrast(20.0), (8,), True)
    rule = torch.optim.Adam([weights], 0.02)

    def share() -> float:
        with torch.no_grad():
            units = normal(weights[:, :8], dim=1)
            scores = units[:COUNT] @ _coded(units[COUNT:], units[COUNT:].mean(0)).T
            return float((scores.argmax(1) == torch.arange(COUNT)).float().mean())

    before = share()
    for _ in range(150):
        rule.zero_grad()
        goal.losses(normal(weights, dim=1), batch()).sum().backward()
        rule.step()
    assert before < 0.5
    assert share() == 1.0


@pytest.fixture
def quick(held: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "PAIRS", 160)
    monkeypatch.setattr(training, "SHARES", (0.5,))
    monkeypatch.setattr(held_out, "made_collection", lambda *_, **__: held[1])
    monkeypatch.setattr(training, "searchable", lambda *_, **__: nullcontext(held[2]))


def test_all_that_is_trained_for_is_compared_and_chosen_by(
    library: bookwheel.Library, base: Path, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Verdict, "reason", "")
    means = []
    mean = training._Run._mean

    def seen(self: Any, among: Any, encoder: Any) -> float:
        reached = self._reached(among, encoder)
        means.append(mean(self, among, encoder))
        kinds = [np.mean(list(values.values())) for what, values in reached.items() if what != "with BM25"]
        assert means[-1] == pytest.approx(np.mean(kinds))
        return len(means)

    monkeypatch.setattr(training._Run, "_mean", seen)
    options = EncoderOptions(batch=16, tokens=24, rate=2e-3, epochs=1, widths=(16, 8, 32), codes=True)
    found = train_encoder(library, base, tmp_path / "tuned", options=options, minutes=5)
    assert [change.what for change in found.verdict.changes] == [
        "vectors alone", "with BM25", "codes of 32 bits", "8 dimensions", "codes of 8 bits", "16 dimensions", "codes of 16 bits",
    ]  # fmt: skip
    assert len(means) == 2
    told = json.loads((tmp_path / "tuned" / "training.json").read_text())
    assert all(math.isfinite(one) for one in told["losses"])
    card = (tmp_path / "tuned" / "README.md").read_text()
    assert "vectors may be cut: `load_encoder(FOLDER, dimension=8)`" in card
    assert "codes of 8 bits (" in card
    assert load_encoder(found.folder, dimension=8).encode(["the sea"]).shape == (1, 8)
    with pytest.raises(UsageError, match=r"has vectors of 32 dimensions, so give from \d+ to 32 of them, not 64"):
        train_encoder(library, base, options=EncoderOptions(widths=(64,)))
