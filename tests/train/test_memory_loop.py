"""Training loops: resumed after a kill they end with the same weights; what goes wrong is told in a sentence; plans keep budgets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
if find_spec("peft") is None:
    pytest.skip("peft is not installed", allow_module_level=True)

from test_memory_laws import llama, texts  # noqa: E402

from bookwheel._errors import BudgetError, StorageError, TrainingError  # noqa: E402
from bookwheel.train.memory import METHODS, Plan, finetune, plan  # noqa: E402
from bookwheel.train.memory.loop import rate_at  # noqa: E402

GB = 1 << 30


def batches(count: int = 5):
    return [texts(4, 12, seed) for seed in range(count)]


def weights(model):
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def same(one, other) -> bool:
    return set(one) == set(other) and all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)


def how(name: str, **changes) -> Plan:
    return Plan(64 * GB, name, 2 if name not in ("lomo",) else 4, 1, 0, changes)


class Stopped(Exception):
    pass


@pytest.mark.parametrize("name", ["adamw", "lora", "galore", "lisa", "lomo", "fish", "sparse-mezo", "lora-sb", "adafactor"])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(name: str, tmp_path: Path) -> None:
    changes = {"period": 3} if name == "lisa" else {"rank": 4} if name == "lora" else {}
    whole = finetune(llama(), batches(), how(name, **changes), steps=9, seed=3)

    def stop(report) -> None:
        if report.step == 5:
            raise Stopped

    with pytest.raises(Stopped):
        finetune(llama(), batches(), how(name, **changes), steps=9, seed=3, folder=tmp_path, save_seconds=0, report=stop)
    again = finetune(llama(), batches(), how(name, **changes), steps=9, seed=3, folder=tmp_path, save_seconds=0)
    assert again.resumed_at == 4
    assert again.losses == pytest.approx(whole.losses, rel=1e-6)
    assert same(weights(again.model), weights(whole.model))
    done = finetune(llama(), batches(), how(name, **changes), steps=9, seed=3, folder=tmp_path)
    assert done.resumed_at == 9
    assert same(weights(done.model), weights(whole.model))


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_memory_loop import batches, finetune, how, llama, torch, weights
def told(report):
    print(report.step, flush=True)
out = finetune(llama(), batches(), how("adamw"), steps=400, seed=1, folder=Path(sys.argv[1]), save_seconds=0, report=told)
torch.save(weights(out.model), sys.argv[2])
"""


@pytest.mark.slow
def test_a_killed_process_leaves_a_run_that_goes_on(tmp_path: Path) -> None:
    script = SCRIPT.format(tests=str(Path(__file__).parent))
    command = [sys.executable, "-c", script]

    def run(folder: str, kills: int) -> dict:
        for number in range(kills):
            child = subprocess.Popen([*command, tmp_path / folder, tmp_path / "out"], stdout=subprocess.PIPE)
            for _ in range(30 + 17 * number):
                child.stdout.readline()
            time.sleep(0.003 * number)
            child.kill()
            child.communicate()
        subprocess.run([*command, tmp_path / folder, tmp_path / "out"], check=True, stdout=subprocess.PIPE)
        return torch.load(tmp_path / "out", weights_only=True)

    assert same(run("killed", 6), run("whole", 0))


@pytest.mark.skipif(not hasattr(signal, "SIGINT") or os.name != "posix", reason="signals of this system are others")
def test_an_interrupt_ends_the_step_and_saves(tmp_path: Path) -> None:
    def interrupt(report) -> None:
        if report.step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        finetune(llama(), batches(), how("adamw"), steps=9, folder=tmp_path, report=interrupt)
    assert signal.getsignal(signal.SIGINT) is before
    again = finetune(llama(), batches(), how("adamw"), steps=9, folder=tmp_path)
    assert again.resumed_at == 3
    assert same(weights(again.model), weights(finetune(llama(), batches(), how("adamw"), steps=9).model))


def test_another_runs_file_and_a_damaged_one_are_told_and_kept(tmp_path: Path) -> None:
    finetune(llama(), batches(), how("lora", rank=4), steps=3, folder=tmp_path)
    file = tmp_path / "training.pt"
    whole = file.read_bytes()
    for other in ({"seed": 1}, {"rate": 0.5}, {"decay": "cosine"}):
        with pytest.raises(TrainingError, match="has other settings than this one; remove"):
            finetune(llama(), batches(), how("lora", rank=4), steps=3, folder=tmp_path, **other)
    with pytest.raises(TrainingError, match="has other settings"):
        finetune(llama(layers=2), batches(), how("lora", rank=4), steps=3, folder=tmp_path)
    assert file.read_bytes() == whole
    for damaged in (whole[: len(whole) // 2], b"", b"\x80\x04N.", whole[:200] + b"\xff" * 400 + whole[600:]):
        file.write_bytes(damaged)
        with pytest.raises(TrainingError, match="is damaged; remove"):
            finetune(llama(), batches(), how("lora", rank=4), steps=3, folder=tmp_path)


def test_a_pickle_in_the_place_of_a_run_is_not_run(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    torch.save({"version": 1, "name": Hostile()}, tmp_path / "training.pt")
    with pytest.raises(TrainingError, match="is damaged"):
        finetune(llama(), batches(), how("adamw"), steps=3, folder=tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_full_disk_is_told_and_leaves_what_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bookwheel.train.memory import saved

    finetune(llama(), batches(), how("adamw"), steps=3, folder=tmp_path)
    whole = (tmp_path / "training.pt").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saved.os, "fsync", full)
    attached = how("adamw").made().attach(llama())
    with pytest.raises(StorageError, match="could not be saved to .*the disk is full"):
        saved.write_saved(tmp_path / "training.pt", "x", attached, [])
    assert (tmp_path / "training.pt").read_bytes() == whole
    assert [file.name for file in tmp_path.iterdir()] == ["training.pt"]


@pytest.mark.parametrize("name", ["adamw", "lomo", "mezo", "lora"])
def test_a_loss_that_is_no_number_is_told_with_its_step(name: str, tmp_path: Path) -> None:
    from dataclasses import replace

    from bookwheel.train.memory.objective import CausalLoss

    class Breaks(CausalLoss):
        steps = 0

        def total(self, model, batch):
            found = super().total(model, batch)
            Breaks.steps += 1
            return found * float("nan") if Breaks.steps > 14 else found

    good = finetune(
        llama(), batches(), how(name, **({"rank": 4} if name == "lora" else {})), steps=2, decay="constant", warmup=0
    )
    Breaks.steps = 0
    model = llama()
    broken = replace(how(name, **({"rank": 4} if name == "lora" else {})), objective=Breaks())
    with pytest.raises(TrainingError, match=r"at step \d+ of 40, after a loss of [\d.]+, the loss became nan; .* is as it was"):
        finetune(model, batches(), broken, steps=40, decay="constant", warmup=0, folder=tmp_path, save_seconds=0)
    assert all(bool(torch.isfinite(weight).all()) for weight in model.parameters())
    assert set(weights(model)) == set(weights(good.model)), "the model was left with the method inside"


def test_what_cannot_be_trained_on_is_told() -> None:
    with pytest.raises(TrainingError, match="there is nothing to train on"):
        finetune(llama(), [], how("adamw"))
    empty = {"input_ids": torch.zeros(2, 5, dtype=torch.long), "attention_mask": torch.zeros(2, 5, dtype=torch.long)}
    with pytest.raises(TrainingError, match="holds nothing to learn from"):
        finetune(llama(), [empty], how("adamw"))
    with pytest.raises(TrainingError, match="can follow linear, cosine, constant, not 'up'"):
        finetune(llama(), batches(), how("adamw"), decay="up")


def test_the_rate_rises_and_falls() -> None:
    rates = [rate_at(step, 10, 2.0, 0.2, "linear") for step in range(10)]
    assert rates[:3] == [1.0, 2.0, 2.0]
    assert rates == sorted(rates[:2]) + sorted(rates[2:], reverse=True)
    assert min(rates) > 0
    assert {rate_at(step, 10, 2.0, 0, "constant") for step in range(10)} == {2.0}


def test_reports_tell_loss_rate_and_time_left() -> None:
    told = []
    out = finetune(llama(), batches(), how("adamw"), report=told.append)
    assert [report.step for report in told] == [1, 2, 3, 4, 5]
    assert [report.loss for report in told] == out.losses
    assert told[-1].seconds_left == 0
    assert told[0].seconds_left > 0


# -- plans -------------------------------------------------------------------------------------------------------------


def test_a_plan_takes_the_best_that_fits_and_says_what_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from bookwheel.train.memory import planner

    model, batch = llama(layers=2), texts(4, 12)
    chosen = plan(model, batch, 64 * GB)
    assert (chosen.rows, chosen.checkpoint) == (4, 0)
    assert chosen.method == chosen.tried[0].method
    assert chosen.told().startswith(f"{chosen.method}, 4 texts at a time: ")
    monkeypatch.setattr(planner, "anonymous_bytes", lambda: 300 << 20)  # what a process holds that has read a larger model
    with pytest.raises(
        BudgetError, match=r"needs .* at the least \(\w.*, 1 at a time\), but the budget is 256 MB; give --ram \d+MB"
    ):
        plan(model, texts(4, 12), "256MB", methods=("lora", "mezo"))


@pytest.mark.slow
def test_less_memory_means_smaller_parts_then_computing_again_then_another_method() -> None:
    from bookwheel.train.memory.objective import CausalLoss
    from bookwheel.train.memory.registry import method
    from bookwheel.train.memory.trace import trace

    model, batch = llama(layers=4), texts(8, 48)
    seen = {}
    asked = {"adamw": ((8, 0), (2, 0), (8, 1), (1, 1)), "lora": ((8, 0),), "lomo": ((8, 1),), "mezo": ((1, 0),)}
    for name, forms in asked.items():
        for rows, every in forms:
            seen[name, rows, every] = trace(model, batch, method(name), CausalLoss(16), rows=rows, checkpoint=every).extra
    assert seen["adamw", 8, 0] > seen["adamw", 2, 0] > seen["adamw", 1, 1]
    assert seen["adamw", 8, 0] > seen["adamw", 8, 1] > seen["adamw", 1, 1]
    assert seen["adamw", 8, 1] > seen["lomo", 8, 1]
    assert seen["adamw", 1, 1] > seen["mezo", 1, 0]
    assert seen["lora", 8, 0] > 0.6 * seen["adamw", 8, 0], "adapters alone save little"


QUICK = ("adamw", "adafactor", "lora-ga", "galore", "lisa", "fish", "ladder", "sparse-mezo")


@pytest.mark.parametrize("names", [QUICK, tuple(METHODS)], ids=["some", "all"])
@pytest.mark.slow
def test_a_trace_touches_nothing_and_adds_up_what_lives(names) -> None:
    from bookwheel.train.memory.objective import CausalLoss
    from bookwheel.train.memory.registry import method
    from bookwheel.train.memory.trace import trace

    model, batch = llama(), texts()
    before = weights(model)
    size = sum(weight.numel() * 4 for weight in model.parameters())
    for name in names:
        changes = {"rank": 4} if METHODS[name].what.startswith(("adapters", "small")) and name != "vera" else {}
        found = trace(model, batch, method(name, **changes), CausalLoss(16), rows=6, checkpoint=0)
        assert found.extra > 0, name
        if name == "adamw":
            assert found.extra >= 2 * size
    assert same(weights(model), before)
    assert all(weight.requires_grad for weight in model.parameters())


def test_a_step_above_the_budget_stops_training_with_the_size_that_would_do(tmp_path: Path) -> None:
    small = Plan(1 << 20, "adamw", 4, 0, 1 << 20)
    with pytest.raises(
        BudgetError, match=r"took \d.* of memory by step 1, 1.0 MB were planned and 1.0 MB are allowed; give --ram \d+MB"
    ):
        finetune(llama(), batches(), small, folder=tmp_path)
    assert finetune(llama(), batches(), how("adamw"), folder=tmp_path).resumed_at == 1


def test_a_fused_method_takes_steps_whole_whatever_the_plan_was_for() -> None:
    small, whole = Plan(64 * GB, "lomo", 1, 0, 0), Plan(64 * GB, "lomo", 4, 0, 0)
    assert same(weights(finetune(llama(), batches(), small).model), weights(finetune(llama(), batches(), whole).model))
    with pytest.raises(ValueError, match="needs the step whole"):
        small.made().attach(llama()).step([lambda: None, lambda: None], 0.1)


def test_the_largest_parts_that_fit_are_found() -> None:
    from bookwheel.train.memory import method, planner

    forms = planner._forms(llama(), 12, method("adamw"), None, None)
    assert forms == [[(12, 0), (6, 0), (3, 0), (2, 0), (1, 0)], [(12, 1), (6, 1), (3, 1), (2, 1), (1, 1)]]
    assert planner._forms(llama(), 12, method("lomo"), None, None) == [[(12, 0)], [(12, 1)]]
    assert planner._forms(llama(), 1, method("mezo"), None, None) == [[(1, 0)]]


def test_another_model_of_the_same_shape_does_not_go_on_with_a_run(tmp_path: Path) -> None:
    finetune(llama(), batches(), how("lora", rank=4), steps=3, folder=tmp_path)
    for model, data in ((llama(seed=5), batches()), (llama(), batches()[::-1])):
        with pytest.raises(TrainingError, match="has other settings"):
            finetune(model, data, how("lora", rank=4), steps=3, folder=tmp_path)
