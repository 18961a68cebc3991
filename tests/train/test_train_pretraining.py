"""Pre-training on masked passages: the objective, the masks, the decoder, and a run that is stopped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel._errors import UsageError
from bookwheel.train import EncoderOptions, PretrainOptions, train_encoder
from bookwheel.train.data.passages import Passages

torch = pytest.importorskip("torch")
pytest.importorskip("sentence_transformers", reason="training encoders needs bookwheel[train]")

from bookwheel.train.encoder import pretraining, training  # noqa: E402
from bookwheel.train.encoder.decoder import Bottleneck  # noqa: E402
from bookwheel.train.encoder.masked import MaskedBatches, chosen_to_mask, rarities  # noqa: E402
from bookwheel.train.encoder.model import SentenceEncoder  # noqa: E402
from bookwheel.train.memory import Plan, finetune, plan  # noqa: E402
from bookwheel.train.objectives.masked_autoencoding import MaskedAutoencoding  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
TOKENS = 24


@pytest.fixture(scope="module")
def passages(held: tuple) -> Passages:
    return Passages.drawn(held[0]._snapshot, 100, 0)


def masked(passages: Passages, model: SentenceEncoder, steps: int = 3, batch: int = 6, **given: object) -> MaskedBatches:
    return MaskedBatches(passages, model, "", batch, steps, 0, (0.3, 0.5), **given)


@pytest.fixture
def model(base: Path) -> SentenceEncoder:
    return SentenceEncoder(base, TOKENS)


def bottleneck(model: SentenceEncoder) -> Bottleneck:
    return Bottleneck(model, model.inner.get_embedding_dimension(), TOKENS)


def test_batches_hide_what_is_to_be_rebuilt(passages: Passages, model: SentenceEncoder) -> None:
    batches = masked(passages, model)
    batch = batches[1]
    left, wanted, there = (batch[name][:, 0] for name in ("left", "wanted", "there"))
    asked = wanted >= 0
    assert (left[asked] == batches.mask).all()
    assert not torch.isin(wanted[asked], batches.special).any()
    texts = torch.where(asked, wanted, left)
    plain = batches.tokens(batches.chosen(1))
    assert sorted(texts.tolist()) == sorted(plain["input_ids"].tolist())
    assert (asked.sum(1) >= 1).all()
    inner = there.sum(1) - 2  # without the markers
    torch.testing.assert_close(asked.sum(1) / inner, torch.full((6,), 0.5), atol=0.1, rtol=0)
    hidden = (batch["input_ids"] == batches.mask).sum(1)
    torch.testing.assert_close(hidden / inner, torch.full((6,), 0.3), atol=0.1, rtol=0)
    for name, value in batches[1].items():
        torch.testing.assert_close(value, batch[name])
    seen = np.concatenate([masked(passages, model, steps=20, batch=10).chosen(step) for step in range(len(passages) // 10)])
    assert len(set(seen.tolist())) == len(seen)


def test_the_neighbour_is_of_the_same_document(base: Path, model: SentenceEncoder, tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "library", create=True, language="english", words=20, ram="4GB") as library:
        text = " ".join(f"The red bird {number} sings over the green river." for number in range(20))
        library.add([bookwheel.Document("long", text), bookwheel.Document("short", "Blue sky.")], workers=1)
        found = Passages.drawn(library._snapshot, 100, 0)
        assert len(found) > 3
        near = masked(found, model, neighbour=True).neighbours(found.ids)
    first, last = found.documents == 0, found.documents == 1
    assert near[first].tolist() == [*found.ids[first][1:].tolist(), int(found.ids[first][-2])]
    assert near[last].tolist() == found.ids[last].tolist()


def test_rare_tokens_are_masked_more_often(passages: Passages, model: SentenceEncoder) -> None:
    ids, able = np.tile(np.arange(10), (4000, 1)), np.ones((4000, 10), bool)
    able[:, 9] = False
    weights = np.array([4.0, *[1.0] * 9])
    draw = np.random.default_rng(0)
    plain = chosen_to_mask(ids, able, 1 / 3, draw)
    rare = chosen_to_mask(ids, able, 1 / 3, draw, weights)
    for found in (plain, rare):
        assert (found.sum(1) == 3).all()
        assert not found[:, 9].any()
    np.testing.assert_allclose(plain.mean(0)[:9], 1 / 3, atol=0.04)
    assert rare.mean(0)[0] > 0.7
    assert not chosen_to_mask(ids, able, 0.0, draw).any()
    counted = rarities(masked(passages, model), lambda _: None)
    tokenizer = model.inner.tokenizer
    the, zebra = (counted[tokenizer.convert_tokens_to_ids(word)] for word in ("##e", "[unused0]"))
    assert 0 < the < zebra


@pytest.mark.parametrize("chunk", [1, 5])
def test_gradients_in_chunks_are_those_of_all_logits(passages: Passages, model: SentenceEncoder, chunk: int) -> None:
    whole = bottleneck(model)
    found = []
    for size in (0, chunk):
        goal = MaskedAutoencoding(size)
        whole.zero_grad()
        loss = goal.total(whole, goal.prepare(masked(passages, model)[0]))
        loss.backward()
        found.append(
            (loss.detach(), {name: weight.grad for name, weight in whole.named_parameters() if weight.grad is not None})
        )
    (plain, slopes), (other, others) = found
    torch.testing.assert_close(plain, other, rtol=1e-5, atol=1e-4)
    assert slopes.keys() == others.keys()
    assert {"given.weight", "transform.weight", "places"} <= slopes.keys()
    for name, slope in slopes.items():
        torch.testing.assert_close(slope, others[name], rtol=1e-3, atol=1e-4)


def test_parts_of_a_batch_add_up(passages: Passages, model: SentenceEncoder) -> None:
    from bookwheel.train.memory.objective import split

    whole, goal, batch = bottleneck(model), MaskedAutoencoding(), masked(passages, model, neighbour=True)[0]
    with torch.no_grad():
        once = goal.total(whole, goal.prepare(batch))
        parts = [goal.total(whole, goal.prepare(part)) for part in split(batch, 2)]
    torch.testing.assert_close(sum(parts), once, rtol=1e-4, atol=1e-3)


def test_the_decoder_knows_a_hidden_text_by_the_vector_alone(model: SentenceEncoder) -> None:
    whole = bottleneck(model)
    texts = model.tokenise(["the red bird sings", "sky over the stone"])
    left = torch.full_like(texts["input_ids"], int(model.inner.tokenizer.mask_token_id))
    with torch.no_grad():
        vectors = model(texts)
        blind = whole.decoded(torch.zeros_like(vectors), left, texts["attention_mask"])
        told = whole.decoded(vectors, left, texts["attention_mask"])
    torch.testing.assert_close(blind[0], blind[1])
    assert float((told[0] - told[1]).abs().max()) > 0.01


def test_padding_is_not_looked_at(model: SentenceEncoder) -> None:
    whole = bottleneck(model)
    short = model.tokenise(["the red bird"])
    wide = {name: torch.nn.functional.pad(value, (0, 7)) for name, value in short.items()}
    with torch.no_grad():
        vectors = model(short)
        alone, padded = (whole.decoded(vectors, one["input_ids"], one["attention_mask"]) for one in (short, wide))
    torch.testing.assert_close(padded[:, : alone.shape[1]], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layers", [0, 1])
def test_the_loss_falls_within_the_budget(passages: Passages, model: SentenceEncoder, layers: int) -> None:
    whole, batches, goal = bottleneck(model), masked(passages, model, steps=30, batch=8), MaskedAutoencoding()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    ways = plan(whole, batches.largest(), "4GB", objective=goal, methods=("adamw",), changes={"layers": layers})
    assert ways.method == "adamw"
    losses = finetune(whole, batches, ways, rate=3e-3, shuffle=False).losses
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    changed = {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])}
    inside = {name for name in changed if "layer.0" in name or "embeddings" in name}
    assert changed
    assert bool(inside) == (layers == 0)


OPTIONS = EncoderOptions(batch=4, tokens=TOKENS, negatives=False, epochs=1, pretraining=PretrainOptions(share=0.3, epochs=1))


@pytest.fixture
def library(held: tuple, quick_encoder: None) -> bookwheel.Library:
    return held[0]


@pytest.fixture
def quick_encoder(held: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pairs, the queries and the copy of ``held``, no question what a step needs, and every model is taken."""
    from contextlib import nullcontext

    from bookwheel.train import held_out
    from bookwheel.train.memory import planner
    from bookwheel.train.safety import Verdict

    monkeypatch.setattr(training, "PAIRS", 32)
    monkeypatch.setattr(training, "SHARES", (1.0,))
    monkeypatch.setattr(held_out, "made_collection", lambda *_, **__: held[1])
    monkeypatch.setattr(training, "searchable", lambda *_, **__: nullcontext(held[2]))
    monkeypatch.setattr(Verdict, "reason", "")
    monkeypatch.setattr(
        planner, "plan", lambda *_, objective, changes, **__: Plan(1 << 40, "adamw", 4, 0, 0, changes, objective=objective)
    )


def test_a_run_that_was_stopped_ends_with_the_same_weights(
    library: bookwheel.Library, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the middle of pre-training; neither the weights nor the losses tell, and the model that is left has no decoder."""
    monkeypatch.setattr(pretraining, "CHECKPOINT", 0.0)
    models: list[SentenceEncoder] = []
    compared = training._Run._compared

    def seen(self: object, copy: object, made: object, model: SentenceEncoder) -> object:
        models.append(model)
        models[-1].kept = {name: weight.detach().clone() for name, weight in model.state_dict().items()}
        return compared(self, copy, made, model)

    monkeypatch.setattr(training._Run, "_compared", seen)
    whole = train_encoder(library, base, options=OPTIONS, minutes=5)
    steps, calls = MaskedBatches.__getitem__, []

    def stopped(self: MaskedBatches, step: int) -> dict:
        if self.steps > 1 and step == 3:
            calls.append(step)
            if len(calls) == 1:
                raise MemoryError
        return steps(self, step)

    monkeypatch.setattr(MaskedBatches, "__getitem__", stopped)
    with pytest.raises(MemoryError):
        train_encoder(library, base, options=OPTIONS, minutes=5)
    found = train_encoder(library, base, options=OPTIONS, minutes=5)
    assert found.pretraining is not None
    assert whole.pretraining is not None
    assert len(calls) == 2  # the second time it went on, and read the batch that it had stopped at
    assert len(found.pretraining.losses) == len(whole.pretraining.losses) > 3
    np.testing.assert_allclose(found.pretraining.losses, whole.pretraining.losses, rtol=1e-4)
    np.testing.assert_allclose(found.losses, whole.losses, rtol=1e-3)
    assert "before that, rebuilt" in str(found)
    assert models[0].kept.keys() == SentenceEncoder(base, TOKENS).state_dict().keys()  # no decoder
    for name, weight in models[0].kept.items():
        torch.testing.assert_close(models[-1].kept[name], weight, rtol=1e-3, atol=1e-4)


def test_what_cannot_be_pretrained_is_said() -> None:
    with pytest.raises(UsageError, match="a share of the minutes from 0 to below"):
        PretrainOptions(share=0.9)
    with pytest.raises(UsageError, match="masked share"):
        PretrainOptions(rebuilt=0.0)
