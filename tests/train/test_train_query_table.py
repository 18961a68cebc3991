"""``train tower --layers 0``: a table of token vectors that encodes queries for the vectors a whole model has stored."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel._errors import ModelError
from bookwheel.encode import load_encoder
from bookwheel.encode.protocols import unit
from bookwheel.encode.safetensors import write_tensors
from bookwheel.library.vectors.stored import passage_vectors
from bookwheel.train import TowerTraining, held_out, train_tower
from bookwheel.train.objectives.stored_order import stored_order
from bookwheel.train.static.bags import Bags
from bookwheel.train.tower import table_taught, table_training, training
from bookwheel.train.tower.table_fit import Asked, bags_of, cosine, mapped, means, moved, rarity
from bookwheel.train.tower.table_training import TableFit, write_table

pytest.importorskip("onnxruntime", reason="encoders need bookwheel[models]")
TEXTS = ["the red bird sings", "sky over the green stone", "", "zebra, near the sea!", "is", "THE RIVER flows  far"]


@pytest.fixture
def library(held: tuple, base: Path, monkeypatch: pytest.MonkeyPatch) -> bookwheel.Library:
    """Whose passages ``tiny`` has embedded; few queries are asked of it."""
    opened, made, copy = held
    for one in (opened, copy):
        if "tiny" not in [known.name for known in one.encoders()]:
            one.add_encoder("tiny", base)
            one.embed("tiny")
    monkeypatch.setattr(table_training, "MOST", 2 * table_taught.CHUNK)
    monkeypatch.setattr(table_training, "STEPS", 10)
    monkeypatch.setattr(held_out, "made_collection", lambda *_, **__: made)
    monkeypatch.setattr(training, "searchable", lambda *_, **__: nullcontext(copy))
    return opened


def trained(library: bookwheel.Library, out: Path) -> TowerTraining:
    return train_tower(library, "tiny", out, layers=0, least=0.0, minutes=5)


def drawn_bags(queries: int, tokens: int, seed: int = 0) -> Bags:
    draw = np.random.default_rng(seed)
    lengths = draw.integers(1, 6, queries)
    rows = [np.sort(draw.choice(tokens, length, replace=False)) for length in lengths]
    counts = np.repeat(1 / lengths, lengths)
    return Bags(np.concatenate([[0], np.cumsum(lengths)]), np.concatenate(rows).astype(np.int32), counts.astype(np.float32))


def test_a_table_takes_the_place_of_the_whole_without_embedding(library: bookwheel.Library, base: Path, tmp_path: Path) -> None:
    found = trained(library, tmp_path / "table")
    assert found.folder == str(tmp_path / "table")
    assert found.layers == ()
    assert found.queries == 2 * table_taught.CHUNK
    assert len(found.losses) == found.steps == 10
    assert f"a table of token vectors for tiny on {found.queries:,} queries" in str(found)
    assert "as the mean of their tokens' vectors" in (tmp_path / "table" / "README.md").read_text()
    whole, table = load_encoder(str(base)), load_encoder(found.folder)
    assert whole.sha256 == whole.passages_sha256 == table.passages_sha256 != table.sha256
    np.testing.assert_array_equal(whole.encode(TEXTS), table.encode(TEXTS))
    cosines = (whole.encode_queries(TEXTS) * table.encode_queries(TEXTS)).sum(1)
    assert 0.3 < np.median(cosines) < 0.9999

    ids = np.arange(1, 20)
    before = passage_vectors(library._encoders, library._snapshot, "tiny", ids)
    assert library.replace_encoder("tiny", found.folder).embedded == library.passage_count
    np.testing.assert_array_equal(passage_vectors(library._encoders, library._snapshot, "tiny", ids), before)
    assert library.search(TEXTS[0], recipe="tiny")
    assert library.replace_encoder("tiny", base).embedded == library.passage_count  # and back


def test_a_table_that_reaches_too_little_is_not_written(library: bookwheel.Library, tmp_path: Path) -> None:
    found = train_tower(library, "tiny", tmp_path / "table", layers=0, least=2.0, minutes=5)
    assert found.folder is None
    assert "200 % are wanted; allow less with --least, or give --layers." in str(found)
    assert not (tmp_path / "table").exists()


def test_a_run_that_was_stopped_ends_with_the_same_table(
    library: bookwheel.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(library, tmp_path / "whole")
    asked = []

    def stopped(*given: object) -> object:
        asked.append(given)
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(table_training, "stored_order", stopped)
        with pytest.raises(MemoryError):
            trained(library, tmp_path / "again")
    monkeypatch.setattr(table_taught.TransformerEncoder, "encode_tokens", stopped)  # what was embedded is not embedded again
    found = trained(library, tmp_path / "again")
    assert len(asked) == 1
    np.testing.assert_array_equal(found.losses, whole.losses)
    tables = [next((tmp_path / name).glob("query_0*")) / "model.safetensors" for name in ("again", "whole")]
    assert tables[0].read_bytes() == tables[1].read_bytes()


def test_sentence_transformers_gives_the_same_vectors(base: Path, tmp_path: Path) -> None:
    """Also with a query's prefix, and with a Dense step behind the table, which other tools write."""
    sentence_transformers = pytest.importorskip("sentence_transformers")
    teacher = load_encoder(str(base))
    tokenizer = table_training._plain(teacher)
    table = np.random.default_rng(1).standard_normal((tokenizer.get_vocab_size(), 32)).astype(np.float32)
    copied = shutil.copytree(base, tmp_path / "base")
    (copied / "config_sentence_transformers.json").write_text(json.dumps({"prompts": {"query": "the sea: "}}))
    folder = tmp_path / "router"
    folder.mkdir()
    write_table(folder, copied, TableFit(table, tokenizer, 0, 0, {}, (), ()))
    for step in ("", "query_1_Dense"):
        if step:
            (folder / step).mkdir()
            told = {
                "in_features": 32,
                "out_features": 32,
                "bias": True,
                "activation_function": "torch.nn.modules.activation.Tanh",
            }
            (folder / step / "config.json").write_text(json.dumps(told))
            write_tensors(folder / step / "model.safetensors", {"linear.weight": table[:32], "linear.bias": table[40]})
            router = json.loads((folder / "router_config.json").read_text())
            router["types"][step] = "sentence_transformers.base.modules.dense.Dense"
            router["structure"]["query"].insert(1, step)
            (folder / "router_config.json").write_text(json.dumps(router))
        theirs = sentence_transformers.SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        ours = load_encoder(str(folder), precision="fp32")
        np.testing.assert_allclose(ours.encode_queries(TEXTS), theirs.encode_query(TEXTS), atol=1e-5)
        found = theirs.encode_document(TEXTS[:2], normalize_embeddings=True)
        np.testing.assert_allclose(ours.encode(TEXTS[:2]), found, atol=2e-3)
    router["types"]["query_1_Dense"] = "package.Strange"
    (folder / "router_config.json").write_text(json.dumps(router))
    with pytest.raises(ModelError, match="a step 'Strange' after its table of queries"):
        load_encoder(str(folder))


def test_one_map_for_all_tokens_is_found_where_there_is_one() -> None:
    draw = np.random.default_rng(0)
    table, turn = draw.standard_normal((60, 8)).astype(np.float32), draw.standard_normal((8, 8)).astype(np.float32)
    bags = drawn_bags(900, 60)
    wanted = (means(bags, table) @ turn + 0.5).astype(np.float16)
    np.testing.assert_allclose(mapped(table, Asked(bags, wanted), 1e-9), table @ turn + 0.5, atol=2e-2)


def test_moved_rows_are_the_ridge_regression() -> None:
    """As numpy solves it with the whole matrix; a token of no query stays where it is."""
    draw = np.random.default_rng(0)
    bags, wanted = drawn_bags(400, 40), draw.standard_normal((400, 8)).astype(np.float16)
    table, pull = draw.standard_normal((45, 8)).astype(np.float32), 0.2
    matrix = np.zeros((400, 45))
    np.add.at(matrix, (np.repeat(np.arange(400), np.diff(bags.indptr)), bags.rows), bags.counts)
    change = np.linalg.solve(matrix.T @ matrix + pull * np.eye(45), matrix.T @ (wanted - matrix @ table))
    found = moved(table, Asked(bags, wanted), pull)
    np.testing.assert_allclose(found, table + change, atol=2e-2)
    np.testing.assert_array_equal(found[40:], table[40:])


def test_the_regression_finds_a_teacher_that_is_a_table() -> None:
    draw = np.random.default_rng(0)
    true, start = (draw.standard_normal((50, 8)).astype(np.float32) for _ in range(2))
    bags = drawn_bags(4000, 50)
    asked = Asked(bags, unit(means(bags, true)).astype(np.float16))
    rows = np.arange(3000, 4000)
    held, known = asked.take(rows), asked.take(np.arange(3000))
    assert cosine(start, held) < 0.3
    assert cosine(moved(mapped(start, known, 1e-3), known, 0.03), held) > 0.95


def test_frequent_tokens_weigh_less() -> None:
    weights = rarity(np.array([0, 1, 99, 900]), 0.01)
    assert weights[0] == 1
    assert list(weights) == sorted(weights, reverse=True)
    np.testing.assert_allclose(weights[2], 0.01 / (0.01 + 0.099))


def test_the_order_of_stored_passages_is_that_of_towers() -> None:
    torch = pytest.importorskip("torch")
    from bookwheel.train.objectives.query_imitation import QueryImitation

    draw = np.random.default_rng(0)
    units, targets, passages = (unit(draw.standard_normal((count, 6))) for count in (5, 5, 30))
    loss, gradient = stored_order(units, targets, passages, 0.7, 0.1)
    rows = torch.from_numpy(units).requires_grad_()
    goal = QueryImitation(torch.from_numpy(passages), 0.7, 0.1)
    total = goal.total(lambda _: rows, goal.prepare({"targets": torch.from_numpy(targets)[:, None]})) / 5
    total.backward()
    assert loss == pytest.approx(total.item(), rel=1e-5)
    np.testing.assert_allclose(gradient, rows.grad.numpy(), atol=1e-5)


def test_tokens_are_read_alone_as_queries_are(base: Path) -> None:
    """A token by itself has the vector of the query that is this one word; a bag has no markers."""
    teacher = load_encoder(str(base))
    tokenizer = table_training._plain(teacher)
    number = tokenizer.token_to_id("river")
    for prefix in ("", "the sea: "):
        teacher.query_prefix = prefix
        before, after = table_taught._around(tokenizer, prefix)
        np.testing.assert_allclose(
            teacher.encode_tokens([[*before, number, *after]]), teacher.encode_queries(["river"]), atol=1e-6
        )
    bags = bags_of(tokenizer, ["river the river", ""])
    assert [tokenizer.id_to_token(row) for row in bags.rows.tolist()] == ["the", "river"]
    np.testing.assert_allclose(bags.counts, [1 / 3, 2 / 3])
    assert bags.indptr.tolist() == [0, 2, 2]
