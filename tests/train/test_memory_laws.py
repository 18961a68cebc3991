"""Laws of the ways to train in little memory, on a small random Llama: what must be equal is, what is an estimate is unbiased."""

from __future__ import annotations

import copy
from importlib.util import find_spec

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
if find_spec("peft") is None:
    pytest.skip("peft is not installed", allow_module_level=True)

from bookwheel._errors import TrainingError, UsageError  # noqa: E402
from bookwheel.train.memory import METHODS, method  # noqa: E402
from bookwheel.train.memory.checkpointing import checkpointed  # noqa: E402
from bookwheel.train.memory.chunked_loss import chunked_cross_entropy  # noqa: E402
from bookwheel.train.memory.full import Full, named_weights  # noqa: E402
from bookwheel.train.memory.moments import Moments  # noqa: E402
from bookwheel.train.memory.objective import CausalLoss, split  # noqa: E402
from bookwheel.train.memory.projected import Projected  # noqa: E402
from bookwheel.train.memory.rules import Adam, Sgd  # noqa: E402

WORDS = 97
ONE_PART = {"lomo", "adalomo", "adamw-8bit-fused"}


def llama(seed: int = 0, dtype=torch.float32, layers: int = 3):
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=WORDS, hidden_size=24, intermediate_size=40, num_hidden_layers=layers, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, tie_word_embeddings=True, initializer_range=0.2,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config).to(dtype).train()


def texts(rows: int = 6, width: int = 17, seed: int = 1):
    drawn = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, WORDS, (rows, width), generator=drawn)
    lengths = torch.randint(4, width + 1, (rows,), generator=drawn)
    lengths[0] = width
    return {"input_ids": ids, "attention_mask": (torch.arange(width) < lengths[:, None]).long()}


def losses(model, batch, *, rows: int = 99, chunk: int = 5):
    objective = CausalLoss(chunk)
    count = objective.count(batch)
    parts = [objective.prepare(part) for part in split(batch, rows)]
    return [lambda part=part: objective.total(model, part) / count for part in parts]


def gradients(model, batch, **how):
    model.zero_grad()
    total = 0.0
    for loss in losses(model, batch, **how):
        found = loss()
        found.backward()
        total += float(found.detach())
    return total, {name: weight.grad.clone() for name, weight in model.named_parameters()}


def stepped(name_or_method, *, steps: int = 3, rate: float = 1e-2, rows: int = 99, seed: int = 0, dtype=torch.float64):
    """The weights after some steps, and the losses on the way."""
    model, batch = llama(dtype=dtype), texts()
    how = method(name_or_method) if isinstance(name_or_method, str) else name_or_method
    attached = how.attach(model, losses(model, batch), seed)
    found = [float(attached.step(losses(attached.model, batch, rows=rows), rate)) for _ in range(steps)]
    return dict(attached.finish().named_parameters()), found


def assert_close(one, other, tolerance: float) -> None:
    assert set(one) == set(other)
    for name in one:
        assert float((one[name] - other[name]).detach().abs().max()) <= tolerance, name


def test_gradients_are_the_same_with_activations_computed_again() -> None:
    model, batch = llama(), texts()
    plain, expected = gradients(model, batch)
    calls = []
    handle = model.model.layers[1].mlp.register_forward_pre_hook(lambda *_: calls.append(1))
    with checkpointed(model):
        again, found = gradients(model, batch)
    handle.remove()
    assert again == plain
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert len(calls) == 2, "the layer was not computed again"


@pytest.mark.parametrize("chunk", [1, 5, 1000])
def test_the_chunked_loss_has_the_gradients_of_the_whole_one(chunk: int) -> None:
    model, batch = llama(dtype=torch.float64), texts()
    model.lm_head.weight.requires_grad_(True)
    plain, expected = gradients(model, batch, chunk=0)
    again, found = gradients(model, batch, chunk=chunk)
    assert again == pytest.approx(plain, rel=1e-6)  # logits of the whole one are float32
    assert_close(found, expected, 1e-6)


def test_the_chunked_loss_equals_torch_exactly_and_leaves_out_what_needs_no_gradient() -> None:
    hidden = torch.randn(23, 8, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(31, 8, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(0, 31, (23,))
    expected = torch.nn.functional.cross_entropy(hidden @ weight.T, targets, reduction="sum")
    wanted = torch.autograd.grad(3 * expected, (hidden, weight))
    found = torch.autograd.grad(3 * chunked_cross_entropy(hidden, weight, targets, 7), (hidden, weight))
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(found, wanted, strict=True))
    frozen = torch.autograd.grad(chunked_cross_entropy(hidden, weight.detach(), targets, 7), hidden)[0]
    assert torch.allclose(3 * frozen, wanted[0], atol=1e-12)
    loss = chunked_cross_entropy(hidden, weight, targets, 4)
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="can be asked for once"):
        loss.backward()


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_gradients_of_parts_add_up_to_those_of_the_batch(rows: int) -> None:
    model, batch = llama(dtype=torch.float64), texts()
    plain, expected = gradients(model, batch)
    again, found = gradients(model, batch, rows=rows)
    assert again == pytest.approx(plain, rel=1e-12)
    assert_close(found, expected, 1e-12)


def test_parts_hold_every_row_once_and_no_column_of_padding_only() -> None:
    batch = texts()
    parts = list(split(batch, 2))
    assert sum(int(part["attention_mask"].sum()) for part in parts) == int(batch["attention_mask"].sum())
    assert [len(part["input_ids"]) for part in parts] == [2, 2, 2]
    assert all(int(part["attention_mask"].any(0).all()) for part in parts)


def test_a_fused_step_is_gradient_descent() -> None:
    fused, told = stepped(Full(Sgd(), fused=True, clip=0), rate=0.1)
    model, batch = llama(dtype=torch.float64), texts()
    optimiser, expected = torch.optim.SGD(model.parameters(), lr=0.1), []
    for _ in range(3):
        loss, _ = gradients(model, batch)
        expected.append(loss)
        optimiser.step()
    assert told == pytest.approx(expected, rel=1e-12)
    assert_close(fused, dict(model.named_parameters()), 1e-12)


def test_a_fused_step_keeps_one_gradient_at_a_time() -> None:
    model, batch = llama(), texts()
    attached = method("lomo").attach(model)
    left = []
    for weight in named_weights(model).values():
        weight.register_post_accumulate_grad_hook(lambda _: left.append(sum(w.grad is not None for w in model.parameters())))
    attached.step(losses(model, batch), 1e-3)
    assert len(left) == len(named_weights(model))
    assert max(left) == 0, "a gradient outlived its update"


@pytest.mark.parametrize("name", ["adamw", "lora", "galore", "lisa"])
def test_steps_of_parts_equal_whole_steps(name: str) -> None:
    whole, told = stepped(name, rate=1e-3)
    parts, again = stepped(name, rate=1e-3, rows=2)
    assert again == pytest.approx(told, rel=1e-9)
    assert_close(whole, parts, 1e-7)


def test_adam_is_that_of_torch() -> None:
    found, _ = stepped(Full(Adam(decay=0.1), clip=0))
    model, batch = llama(dtype=torch.float64), texts()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    for _ in range(3):
        gradients(model, batch)
        optimiser.step()
    assert_close(found, dict(model.named_parameters()), 1e-12)


def test_clipping_is_that_of_torch() -> None:
    found, _ = stepped(Full(Sgd(), clip=0.05), rate=1.0)
    model, batch = llama(dtype=torch.float64), texts()
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0)
    for _ in range(3):
        gradients(model, batch)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.05)
        optimiser.step()
    assert_close(found, dict(model.named_parameters()), 1e-9)


def drift(shape=(40, 96), steps: int = 30, **rule):
    """A matrix after some noisy steps towards a target by a rule, and what the same gradients made of it in another space."""
    torch.manual_seed(3)
    weight, target = torch.zeros(shape, dtype=torch.float64), torch.randn(shape, dtype=torch.float64)
    slot = (Projected(**rule) if rule else Adam()).slot(weight, "seed")
    for step in range(steps):
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(step), dtype=torch.float64)
        slot.update(weight, weight - target + 0.1 * noise, 0.05)
    return weight, target, slot


def test_projection_to_all_rows_is_adam() -> None:
    # rank 39 of 40 projects; 40 of 40 would not even be tried.
    plain, _, _ = drift()
    torch.manual_seed(3)
    rule = Projected(projection="rows", rank=40, period=7, carry="keep")
    from bookwheel.train.memory import projected

    weight, target = torch.zeros(40, 96, dtype=torch.float64), torch.randn(40, 96, dtype=torch.float64)
    slot = projected._Slot(weight, rule, "seed")
    for step in range(30):
        noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(step), dtype=torch.float64)
        slot.update(weight, weight - target + 0.1 * noise, 0.05)
    assert torch.allclose(weight, plain, atol=1e-12)


@pytest.mark.parametrize("shape", [(12, 30), (30, 12)])
def test_galore_of_full_rank_is_adam_in_turned_coordinates(shape) -> None:
    # Not Adam itself: Adam divides each coordinate by its own size, so a rotation matters.
    from bookwheel.train.memory import projected

    torch.manual_seed(4)
    weight, target = torch.zeros(shape, dtype=torch.float64), torch.randn(shape, dtype=torch.float64)
    slot = projected._Slot(weight, Projected(rank=12, period=1000), "seed")
    turned, moments = torch.zeros(12, 30, dtype=torch.float64), Moments(torch.zeros(12, 30, dtype=torch.float64))
    for _ in range(20):
        gradient = weight - target
        slot.update(weight, gradient.clone(), 0.05)
        whole = gradient if shape[0] < shape[1] else gradient.T
        turned -= 0.05 * moments.direction(slot._basis.T @ whole)
    expected = slot._basis @ turned
    assert torch.allclose(weight if shape[0] < shape[1] else weight.T, expected, atol=1e-10)
    assert torch.allclose(slot._basis.T @ slot._basis, torch.eye(12, dtype=torch.float64), atol=1e-10)


@pytest.mark.parametrize(
    "rule",
    [
        {"projection": "svd", "rank": 8, "period": 5},
        {"projection": "svd", "rank": 8, "period": 5, "carry": "move"},
        {"projection": "rows", "rank": 8, "period": 5, "carry": "reset"},
        {"projection": "rows", "rank": 8, "period": 5, "carry": "reset", "residual": "sign"},
        {"projection": "random", "rank": 20, "period": 10, "carry": "move", "scale": 0.2},
        {"projection": "random", "rank": 8, "period": 5, "use": "channels", "carry": "reset"},
        {"projection": "haar", "rank": 10},
        {"projection": "haar", "rank": 10, "residual": "sign"},
        {"projection": "svd", "rank": 8, "period": 5, "bits": 8},
    ],
    ids=str,
)
def test_every_projection_goes_towards_the_target_with_a_small_state(rule) -> None:
    weight, target, slot = drift(**rule)
    assert float((weight - target).norm()) < 0.97 * float(target.norm())
    held = [value for value in slot.state()["moments"].values() if hasattr(value, "numel")]
    assert sum(value.numel() * value.element_size() for value in held) <= 2 * max(rule["rank"], 10) * 96 * 8


def test_the_leading_basis_is_that_of_the_decomposition() -> None:
    from bookwheel.train.memory.projected import leading

    torch.manual_seed(0)
    left, right = torch.linalg.qr(torch.randn(50, 50)).Q, torch.linalg.qr(torch.randn(80, 50)).Q
    matrix = left @ torch.diag(0.7 ** torch.arange(50.0)) @ right.T
    basis, exact = leading(matrix, 6, "x"), left[:, :6]
    assert float((basis.T @ exact).norm() ** 2) > 5.99


@pytest.mark.parametrize(("decades", "error"), [(0, 0.05), (2, 0.15), (6, 1.5)])
def test_moments_of_8_bits_step_nearly_as_those_of_32(decades: int, error: float) -> None:
    torch.manual_seed(5)
    shape = (37, 211)  # no whole number of blocks
    size = torch.logspace(-decades, 0, shape[1])
    exact, packed = Moments(torch.zeros(shape)), Moments(torch.zeros(shape), bits=8)
    for _ in range(40):
        gradient = (torch.randn(shape) + 0.5) * size
        one, two = exact.direction(gradient.clone()), packed.direction(gradient.clone())
    assert float((one - two).norm() / one.norm()) < error
    assert float(two.abs().max()) < 5 * float(one.abs().max()), "a second moment of nothing blew up a step"
    bytes_ = sum(value.numel() * value.element_size() for value in packed.state().values() if hasattr(value, "numel"))
    assert bytes_ < 2.1 * exact.first.numel()


def test_moments_of_8_bits_do_not_drift() -> None:
    torch.manual_seed(6)
    exact, packed = Moments(torch.zeros(2560)), Moments(torch.zeros(2560), bits=8)
    for _ in range(600):
        gradient = torch.randn(2560) + 0.3
        one, two = exact.direction(gradient.clone()), packed.direction(gradient.clone())
    assert float((one - two).norm() / one.norm()) < 0.05


@pytest.mark.parametrize("name", [name for name, line in METHODS.items() if line.what.startswith("adapters.")])
def test_a_merged_adapter_computes_what_it_did_before(name: str) -> None:
    model, batch = llama(dtype=torch.float32), texts()
    with torch.no_grad():
        before = model(**batch).logits
    rank = {"vera": 8}.get(name, 4)
    attached = method(name, rank=rank).attach(model, losses(model, batch), 7)
    with torch.no_grad():
        started = attached.model(**batch).logits
    assert torch.allclose(started, before, atol=2e-3), "the start is not where the model was"
    told = [float(attached.step(losses(attached.model, batch), 3e-3)) for _ in range(4)]
    assert told[-1] < told[0]
    with torch.no_grad():
        trained = attached.model.eval()(**batch).logits
        merged = attached.finish()
        again = merged.eval()(**batch).logits
    assert torch.allclose(again, trained, atol=1e-4)
    assert not torch.allclose(again, before, atol=1e-3)
    assert set(dict(merged.named_parameters())) == set(dict(llama().named_parameters()))


QUICK = {
    "adamw",
    "adamw-8bit",
    "adalomo",
    "lora",
    "lora-ga",
    "corda",
    "lora-sb",
    "owlore",
    "galore",
    "frugal",
    "apollo",
    "spiel",
    "mezo",
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in METHODS])
def test_every_method_learns_and_resumes_where_it_was(name: str) -> None:
    model, batch = llama(), texts()
    changes = {"rank": 4} if METHODS[name].what.startswith("adapters.") and name != "vera" else {}
    how = method(name, **changes)
    rate = how.rate * {"adamw": 20, "lisa": 20, "mezo": 300, "sparse-mezo": 300}.get(name, 1)
    attached = how.attach(model, losses(model, batch), 1)
    one = float(attached.step(losses(attached.model, batch), rate))
    saved = copy.deepcopy((attached.state(), {n: w.detach().clone() for n, w in attached.trained().items()}))
    told = [float(attached.step(losses(attached.model, batch), rate)) for _ in range(12)]
    assert told[-1] < one, f"{name} does not learn"
    state, weights = saved
    model = llama()
    again = how.attach(model, losses(model, batch), 1)
    with torch.no_grad():
        for key, weight in again.trained().items():
            weight.copy_(weights[key])
    again.load(state)
    assert [float(again.step(losses(again.model, batch), rate)) for _ in range(12)] == pytest.approx(told, rel=1e-6)


@pytest.mark.parametrize("name", ["adamw", "lora", "galore", "lomo", "adalomo", "lisa"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_changes_nothing(name: str, bad: float) -> None:
    model, batch = llama(), texts()
    attached = method(name).attach(model, losses(model, batch), 1)
    attached.step(losses(attached.model, batch), 1e-3)
    before = {key: weight.detach().clone() for key, weight in attached.trained().items()}
    good = losses(attached.model, batch)[0]
    with pytest.raises(TrainingError, match="the loss became (nan|inf); the step was not taken"):
        attached.step([lambda: good() * bad], 1e-3)
    assert all(torch.equal(weight, before[key]) for key, weight in attached.trained().items())


def test_a_gradient_that_is_no_number_changes_nothing() -> None:
    model, batch = llama(), texts()
    attached = method("adamw").attach(model)
    before = {key: weight.detach().clone() for key, weight in attached.trained().items()}
    good = losses(model, batch)[0]
    with pytest.raises(TrainingError, match="gradient's norm became"):
        attached.step([lambda: good() + 0 * (model.lm_head.weight.sum() * 0).sqrt()], 1e-3)
    assert all(torch.equal(weight, before[key]) for key, weight in attached.trained().items())
    assert all(weight.grad is None for weight in model.parameters())


def quadratic(size: int = 12):
    """A model of one vector, and the loss (w - t)' D (w - t) / 2 of it."""
    model = torch.nn.Module()
    model.w = torch.nn.Parameter(torch.linspace(-1, 1, size, dtype=torch.float64))
    curve, target = torch.linspace(0.5, 2, size, dtype=torch.float64), torch.ones(size, dtype=torch.float64)
    return model, lambda: 0.5 * (curve * (model.w - target) ** 2).sum(), lambda: (curve * (model.w - target)).detach()


@pytest.mark.parametrize("looks", [1, 4])
def test_the_gradient_of_forward_steps_is_unbiased(looks: int) -> None:
    model, loss, gradient = quadratic()
    attached = method("mezo", epsilon=1e-3, looks=looks).attach(model, (), 5)
    start, exact, found = model.w.detach().clone(), gradient(), []
    for _ in range(3000 // looks):
        attached.step([loss], 1.0)
        found.append(start - model.w.detach())
        with torch.no_grad():
            model.w.copy_(start)
    estimates = torch.stack(found)
    error = estimates.std(0) / len(estimates) ** 0.5
    assert bool(((estimates.mean(0) - exact).abs() < 4.5 * error).all())
    assert float((estimates.mean(0) - exact).norm() / exact.norm()) < 0.15


def test_looking_leaves_the_weights_where_they_were() -> None:
    model, loss, _ = quadratic()
    attached = method("mezo").attach(model)
    before = model.w.detach().clone()
    attached.propose([loss], "x")
    assert torch.allclose(model.w, before, atol=1e-15)


def test_a_sparse_mask_moves_the_smallest_weights_only() -> None:
    torch.manual_seed(0)
    model = torch.nn.Module()
    model.w = torch.nn.Parameter(torch.randn(37, 29))
    before = model.w.detach().clone()
    method("sparse-mezo", share=0.3).attach(model).step([lambda: model.w.square().sum()], 1e-3)
    moved = (model.w.detach() - before).abs() > 1e-5
    assert 0.2 < float(moved.float().mean()) <= 0.31
    assert float(before[moved].abs().max()) <= float(before.abs().flatten().sort().values[int(0.31 * before.numel())])


def test_two_that_exchange_a_byte_a_step_end_equal_bit_by_bit() -> None:
    from bookwheel.train.memory.forward_only import replay

    how = method("mezo", unit=0.05)
    attached = [how.attach(llama(), (), 9) for _ in range(2)]
    data, log = [texts(seed=1), texts(seed=2)], []
    for step in range(4):
        found = [one.propose(losses(one.model, data[number]), f"{step} {number}")[0] for number, one in enumerate(attached)]
        assert all(proposal.slope.dtype == torch.int8 for proposal in found)
        log += [(proposal, 1e-3) for proposal in found]
        for one in attached:
            for proposal in found:
                one.apply(proposal, 1e-3)
    assert any(int(proposal.slope) for proposal, _ in log)
    ends = [dict(replay(llama(), how, log, 9).named_parameters()) for _ in attached]
    assert all(torch.equal(weight, ends[1][name]) for name, weight in ends[0].items())
    for one in attached:
        assert_close(dict(one.finish().named_parameters()), ends[0], 1e-5)


@pytest.mark.parametrize("kind", ["rows", "signs"])
def test_the_gradient_of_sketched_inputs_is_unbiased_and_that_of_layers_below_exact(kind: str) -> None:
    from bookwheel.train.memory.sketched import sketched

    model, batch = llama(layers=2, dtype=torch.float64), texts()
    _, exact = gradients(model, batch)
    runs = []
    with sketched(model, 0.3, kind):
        for seed in range(60):
            torch.manual_seed(seed)
            runs.append(gradients(model, batch)[1])
    for name in ("model.layers.0.mlp.up_proj.weight", "model.layers.1.self_attn.q_proj.weight"):
        every = torch.stack([run[name] for run in runs])
        error = every.std(0) / len(runs) ** 0.5
        assert float(((every.mean(0) - exact[name]).abs() > 5 * error + 1e-12).float().mean()) < 0.005, name
        assert float(every.std()) > 0
    assert torch.allclose(runs[0]["model.embed_tokens.weight"], exact["model.embed_tokens.weight"], atol=1e-12)
    assert torch.allclose(gradients(model, batch)[1][name], exact[name]), "the layers stayed sketched"


def test_a_sketch_of_everything_is_the_gradient() -> None:
    from bookwheel.train.memory.sketched import sketched

    model, batch = llama(layers=2, dtype=torch.float64), texts()
    _, exact = gradients(model, batch)
    with sketched(model, 1.0):
        assert_close(gradients(model, batch)[1], exact, 1e-12)


@pytest.mark.parametrize("name", ["fish", "shira", "shira-magnitude", "s2ft", "spiel"])
def test_a_sparse_patch_is_all_that_changed(name: str) -> None:
    model, batch = llama(), texts()
    before = {key: weight.detach().clone() for key, weight in model.named_parameters()}
    attached = method(name, share=0.03, **({"period": 3} if name == "spiel" else {})).attach(model, losses(model, batch), 1)
    for _ in range(10):
        attached.step(losses(model, batch), 1e-2)
    changed = sum(int((weight != before[key]).sum()) for key, weight in model.named_parameters())
    patch = attached.patch()
    assert 0 < changed <= sum(len(places) for places, _ in patch.values())
    again = {key: weight.clone() for key, weight in before.items()}
    for key, (places, change) in patch.items():
        again[key].view(-1).index_add_(0, places.long(), change)
    assert_close(again, {key: weight.detach() for key, weight in model.named_parameters()}, 1e-6)
    if name == "s2ft":
        width = before["model.layers.0.mlp.up_proj.weight"].shape[1]
        assert all(len(places) % width == 0 for key, (places, _) in patch.items() if "up_proj" in key)


def test_fisher_places_are_those_of_the_largest_gradients() -> None:
    model, batch = llama(), texts()
    _, exact = gradients(model, batch)
    attached = method("fish", share=0.03).attach(model, losses(model, batch))
    inside = {key: grad for key, grad in exact.items() if "proj" in key}
    every = torch.cat([grad.abs().flatten() for grad in inside.values()])
    limit = every.topk(int(0.03 * len(every))).values[-1]
    taken = torch.cat([inside[key].abs().flatten()[places.long()] for key, (places, _) in attached.patch().items()])
    assert float((taken >= limit).float().mean()) > 0.9  # a matrix has at most eight times its even part


@pytest.mark.parametrize("name", ["ladder", "read", "unipt"])
def test_a_side_network_starts_as_the_model_and_sends_nothing_back_through_it(name: str) -> None:
    model, batch = llama(), texts()
    attached = method(name).attach(model)
    plain = losses(llama(), batch)[0]()
    assert float(losses(attached.model, batch)[0]().detach()) == pytest.approx(float(plain.detach()), rel=1e-6)
    before = {key: weight.detach().clone() for key, weight in model.named_parameters()}
    for _ in range(5):
        attached.step(losses(attached.model, batch), 1e-2)
    assert all(weight.grad is None for weight in model.parameters())
    assert all(torch.equal(weight, before[key]) for key, weight in model.named_parameters())


@pytest.mark.parametrize("start", ["weight", "gradient"])
def test_a_small_core_is_merged_into_what_it_computed(start: str) -> None:
    model, batch = llama(), texts()
    first = losses(model, batch)
    attached = method("lora-sb", start=start, rank=6, first_rate=1e-3).attach(model, first)
    assert all(weight.numel() <= 36 for weight in attached.trained().values())
    told = [float(attached.step(losses(attached.model, batch), 1e-2).detach()) for _ in range(5)]
    assert told[-1] < told[0]
    with torch.no_grad():
        trained = attached.model(**batch).logits
        assert torch.allclose(attached.finish()(**batch).logits, trained, atol=1e-4)


def test_the_start_of_a_small_core_is_the_step_that_full_training_would_take() -> None:
    model, batch = llama(), texts()
    _, exact = gradients(model, batch)
    attached = method("lora-sb", rank=24, first_rate=1e-3).attach(model, losses(model, batch))
    cored = attached.model.model.layers[0].self_attn.q_proj
    wanted = -1e-3 * exact["model.layers.0.self_attn.q_proj.weight"].sign()
    assert torch.allclose(cored.left @ cored.core @ cored.right, wanted, atol=1e-6)


def test_an_unknown_method_is_told() -> None:
    with pytest.raises(UsageError, match="there is no way to train called 'galor'; did you mean 'galore'"):
        method("galor")


def test_names_stay_what_they_are_once_everything_is_imported() -> None:
    import pkgutil
    from importlib import import_module

    import bookwheel.train.memory as package

    for module in pkgutil.iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
    assert not {module.name for module in pkgutil.iter_modules(package.__path__)} & set(package.__all__)
    assert callable(package.method)
    assert callable(package.plan)
    assert callable(package.finetune)


@pytest.mark.parametrize("every", [0, 1, 2])
def test_layers_that_are_not_trained_are_not_gone_back_through(every):
    """Also where activations are computed again, and after that was so."""
    model = llama(layers=4)
    for _ in range(2):
        with checkpointed(model, every):
            attached = method("lora", layers=2).attach(model)
            states = attached.model(texts()["input_ids"], output_hidden_states=True, use_cache=False).hidden_states
            assert [state.requires_grad for state in states] == [False, False, False, True, True]
            attached.step(losses(attached.model, texts()), 1e-2)
            assert attached.finish() is model
    assert not model.get_input_embeddings()._forward_hooks


@pytest.mark.parametrize("layers", [0, 2])
def test_adapters_get_the_same_gradients_where_activations_are_computed_again(layers):
    found = []
    for every in (0, 1):
        model = llama(layers=4)
        with checkpointed(model, every):
            attached = method("lora", layers=layers).attach(model)
            for _ in range(3):
                attached.step(losses(attached.model, texts()), 1e-2)
            found.append({name: weight.detach().clone() for name, weight in attached.trained().items()})
    assert found[0].keys() == found[1].keys()
    for name, weight in found[0].items():
        torch.testing.assert_close(weight, found[1][name], rtol=0, atol=1e-6)
        assert bool(weight.any())
