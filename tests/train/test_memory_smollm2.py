"""A real model under a real limit: what was planned is what the process then holds, and the limit is kept."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")
sys.path.insert(0, str(Path(__file__).parents[1] / "budget"))

from limits import LOOK, run_within

from bookwheel._errors import ModelError
from bookwheel.language.load import find_smollm2, load_local

MB = 1 << 20

SCRIPT = """
import json, sys
import torch, transformers
from bookwheel.train.memory import finetune, plan
folder, ram, methods = sys.argv[1], sys.argv[2], sys.argv[3].split()
model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype="float32", use_safetensors=True)
tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
text = "Memory is what a machine never has enough of, and training asks for more of it than anything else does. " * 8
ids = torch.tensor([tokenizer(text)["input_ids"][:128]] * 4)
batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
how = plan(model, batch, ram, methods=methods)
out = finetune(model, [batch], how, steps=3)
print(json.dumps({"method": how.method, "rows": how.rows, "checkpoint": how.checkpoint, "planned": how.planned,
                  "measured": how.measured, "losses": out.losses}))
"""


@pytest.fixture(scope="module")
def folder() -> str:
    try:
        file = find_smollm2()
    except ModelError as error:
        pytest.skip(str(error))
    return str(load_local(str(file), precision="float32")._model.name_or_path)


@pytest.mark.slow
@pytest.mark.parametrize(("ram", "methods"), [(1400, "adamw lora"), (1000, "adamw lora mezo"), (3500, "adamw"), (1600, "lomo")])
def test_a_plan_is_within_a_tenth_of_what_is_measured_and_its_limit_is_kept(folder: str, ram: int, methods: str) -> None:
    command = [sys.executable, "-c", SCRIPT, folder, f"{ram}MB", methods]
    outcome = run_within(ram * MB, command, {**os.environ, "OMP_NUM_THREADS": "1"}, timeout=3000, look=LOOK)
    outcome.check()
    found = json.loads(outcome.output)
    assert abs(found["planned"] - outcome.peak) < 0.1 * outcome.peak, found
    assert abs(found["measured"] - outcome.peak) < 0.03 * outcome.peak, found
    assert found["losses"][-1] < found["losses"][0]
