"""GGUF files by llama.cpp, on a stand-in for the library that knows which tokens it was given at which places."""

from __future__ import annotations

import math
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from bookwheel._errors import ModelError
from bookwheel.language import Ensemble, Reply, Streamer, close_models, registry, writer
from bookwheel.language import gguf as module
from bookwheel.language.gguf import GgufModel

SAID = "Grüße 🙂!"


class Vocabulary:
    n_vocab = 256

    def tokenize(self, text: str, add_special: bool, parse_special: bool) -> list[int]:
        return list(text.encode())

    def detokenize(self, ids: list[int], remove_special: bool, unparse_special: bool) -> str:
        return bytes(ids).decode()  # raises for half a character, as the library does

    def is_eog(self, token: int) -> bool:
        return token == 0


class Batch:
    def __init__(self, n_tokens: int, embd: int, n_seq_max: int) -> None:
        self.held: list[tuple[int, int, int, bool]] = []

    def clear(self) -> None:
        self.held = []

    def add(self, token: int, place: int, sequences: list[int], told: bool) -> None:
        self.held.append((token, place, sequences[0], told))


class State:
    """Says `SAID`, byte by byte; keeps what it read."""

    def __init__(self, model: Any, settings: Any) -> None:
        self.read: list[int] = []
        self.calls: list[int] = []
        self.said = 0
        self.whole = True
        self.rows: list[list[float]] = []
        self.ends: dict[int, int] = {}

    def decode(self, batch: Any) -> None:
        if isinstance(batch, Batch):
            return self.run(batch)
        ids, place = batch
        self.rows = [self.likely(ids[-1])]
        assert place == len(self.read)
        self.read += ids
        self.calls.append(len(ids))
        if len(ids) > 1:
            self.said = 0

    def run(self, batch: Batch) -> None:
        self.rows = []
        for token, place, sequence, told in batch.held:
            if sequence == 0 and place == len(self.read):
                self.read.append(token)
            assert place == self.ends.get(sequence, 0) or sequence == 0
            self.ends[sequence] = place + 1
            if told:
                self.rows.append(self.likely(token))

    @staticmethod
    def likely(last: int) -> list[float]:
        """After each byte the next greater one is likely, and the one after that less so; after "x" the end."""
        row = [0.0] * 256
        row[0 if last == ord("x") else (last + 1) % 256] = 4.0
        row[(last + 2) % 256] = 3.0
        return row

    def get_logits_ith(self, row: int) -> list[float]:
        return self.rows[row]

    def memory_seq_rm(self, sequence: int, start: int, end: int) -> bool:
        if not self.whole:
            return False
        del self.read[start:]
        self.said = 0
        return True

    def kv_cache_clear(self) -> None:
        self.read.clear()
        self.ends.clear()
        self.said = 0

    def close(self) -> None: ...


class Model:
    n_ctx_train = 8192
    n_params = 135_000_000

    def __init__(self, path: str, settings: Any) -> None: ...

    def get_vocab(self) -> Vocabulary:
        return Vocabulary()

    def get_default_chat_template(self) -> str:
        return "template"

    def chat_apply_template(self, template: str, turns: list[Any], open_end: bool) -> str:
        if any(turn.role == "system" for turn in turns):
            raise RuntimeError("this template has no system role")
        return "".join(f"<{turn.role}>{turn.content}" for turn in turns)

    def close(self) -> None: ...


class Sampler:
    def __init__(self, settings: Any) -> None: ...

    def add_greedy(self) -> None: ...

    def sample(self, state: State, place: int) -> int:
        data = SAID.encode()
        token = data[state.said] if state.said < len(data) else 0
        state.said += 1
        return token


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    library = types.SimpleNamespace(
        LlamaModel=Model, LlamaContext=State, LlamaSampler=Sampler, LlamaBatch=Batch, LlamaModelParams=object,
        LlamaSamplerChainParams=object,
        LlamaContextParams=types.SimpleNamespace,
        LlamaChatMessage=lambda role, content: types.SimpleNamespace(role=role, content=content),
        llama_batch_get_one=lambda ids, place: (ids, place), disable_logging=lambda: None, ggml_backend_load_all=lambda: None,
    )  # fmt: skip
    llama = types.ModuleType("cyllama.llama")
    llama.llama_cpp = library  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cyllama", types.ModuleType("cyllama"))
    monkeypatch.setitem(sys.modules, "cyllama.llama", llama)
    path = tmp_path / "tiny.gguf"
    path.write_bytes(b"GGUF and so on")
    return path


def test_pieces_are_whole_characters_and_a_shared_beginning_is_read_once(file: Path) -> None:
    model = GgufModel("tiny", file)
    assert isinstance(model, Streamer)
    assert (model.context, model.parameters) == (4096, 135_000_000)
    assert model.count_tokens(["", "abc"]) == [0, 3]
    head = "h" * 600
    for number, prompt in enumerate((head + "one", head + "two", "other")):
        model._state.calls.clear()
        reply = Reply()
        pieces = list(model.stream(prompt, system="Be brief.", max_tokens=40, reply=reply))
        assert "".join(pieces) == SAID
        assert "\ufffd" not in "".join(pieces)
        assert reply.finish == "stop"
        assert model._state.calls[0] == (256, len("two"), len("other"))[number]
    assert model.generate(["x"], max_tokens=5)[0] == "Grü"
    assert model.generate(["x"], stop=["e 🙂"], max_tokens=40)[0] == "Grüß"


def test_a_model_whose_state_cannot_be_taken_back_reads_all_again(file: Path) -> None:
    model = GgufModel("tiny", file)
    model._state.whole = False
    assert model.generate(["one two", "one three"], max_tokens=40) == [SAID, SAID]


def test_probabilities_of_tokens_come_with_the_answer(file: Path) -> None:
    model = GgufModel("tiny", file)
    reply = Reply(probabilities=True)
    assert "".join(model.stream("y", max_tokens=40, reply=reply)) == SAID
    assert "".join(text for text, _ in reply.tokens) == SAID
    assert all(value < 0 for _, value in reply.tokens)


def test_the_likelihood_of_a_text_after_another(file: Path) -> None:
    model = GgufModel("tiny", file)
    after_a, after_head, nothing = model.log_likelihoods(["a", "h" * 700, "a"], ["bd", "i" * 300, ""])
    whole = math.log(254 + math.exp(4) + math.exp(3))
    assert after_a == pytest.approx([4 - whole, 3 - whole], abs=1e-5)  # b after a; d after b
    assert after_head is not None
    assert len(after_head) == 300
    assert after_head[0] == pytest.approx(4 - whole, abs=1e-5)
    assert after_head[-1] == pytest.approx(-whole, abs=1e-5)
    assert nothing is not None
    assert len(nothing) == 0
    assert model.log_likelihoods(["a"], ["b"], deadline=0.0) == [None]
    with pytest.raises(ModelError, match="needs a context"):
        model.log_likelihoods([""], ["b"])


def test_an_ensemble_writes_what_its_prompts_agree_on(file: Path) -> None:
    model = GgufModel("tiny", file)
    assert isinstance(model, Ensemble)
    # "a" says b before c, "b" says c before d: together c, unless one of them weighs nearly all.
    assert "".join(model.ensemble(["a", "b"], [1, 1], max_tokens=1)) == "c"
    assert "".join(model.ensemble(["a", "b"], [9, 1], max_tokens=1)) == "b"
    reply = Reply()
    assert "".join(model.ensemble(["u", "u"], [1, 1], max_tokens=9, reply=reply)) == "vwx"
    assert (reply.finish, reply.prompt_tokens) == ("stop", 2 * len("<user>u"))
    assert model.generate(["u"], max_tokens=40) == [SAID]  # nothing is left of it
    with pytest.raises(ModelError, match="exceed the 8 prompts"):
        list(model.ensemble(["a" * 3000, "b" * 3000], [1, 1]))
    with pytest.raises(ModelError, match="as many weights"):
        list(model.ensemble(["a", "b"], [1]))


def test_what_cannot_be_is_one_sentence(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = GgufModel("tiny", file)
    with pytest.raises(ModelError, match="exceed the context"):
        model.generate(["x" * 5000])
    with pytest.raises(ModelError, match="no time to read"):
        list(model.stream("x", deadline=0.0))
    model.close()
    with pytest.raises(ModelError, match="is closed"):
        model.generate(["x"])
    other = tmp_path / "other.gguf"
    other.write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelError, match="is no GGUF file"):
        GgufModel("other", other)
    monkeypatch.setattr(Model, "__init__", lambda *_: (_ for _ in ()).throw(RuntimeError("bad\nmagic")))
    with pytest.raises(ModelError, match="cannot be loaded \\(bad magic\\)"):
        GgufModel("tiny", file)


def test_a_gguf_file_is_run_by_llama_where_it_is_installed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "gguf_installed", lambda: True)
    monkeypatch.setattr(registry, "_opened", {})
    assert isinstance(writer(str(file)), GgufModel)
    assert writer(str(file)) is writer(str(file))
    with pytest.raises(ModelError, match="there is no language model at"):
        writer(str(file.with_name("missing.gguf")))
    close_models()
