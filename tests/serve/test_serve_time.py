"""What takes too long: a model that uses up the time of a request costs its draft, not the answer; whatever else does is told."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

pytest.importorskip("uvicorn")

from serve_processes import library_of, slow_model

from bookwheel._allowed import allow
from bookwheel.language import close_models
from bookwheel.serve import service as module
from bookwheel.serve.app import create_app
from bookwheel.serve.config import Limits, ServeConfig
from bookwheel.serve.service import Service
from bookwheel.serve.work import Call, TooSlow

QUESTION = "When was the wheel of Ramelli drawn?"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("time") / "wheels"
    texts = [(f"other-{at}", f"The mill number {at} ground barley in the valley.") for at in range(12)]
    library_of(path, [("wheel", "The wheel of Ramelli was drawn in 1588. It holds twelve books."), *texts])
    return path


@pytest.mark.parametrize("silent", [False, True])
def test_a_model_that_uses_up_the_time_does_not_cost_the_answer(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    monkeypatch.setenv("BOOKWHEEL_HOME", str(tmp_path))

    async def asked(name: str) -> list[httpx.Response]:
        app = create_app(ServeConfig({"wheels": wheels}, model=name, limits=Limits(stream_seconds=4.0)))
        app.service.served().library().ask(QUESTION)  # what is loaded once is there
        try:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=30) as client:
                return [
                    await client.post("/ask", json={"question": QUESTION, "threshold": 0}),
                    await client.get("/ask/events", params={"question": QUESTION, "threshold": 0}),
                    await client.get("/ask/stream", params={"q": QUESTION}),
                ]
        finally:
            app.service.close()

    with slow_model() as (name, model):
        model.silent = silent
        allow(name)
        whole, events, page = asyncio.run(asked(name))
        close_models()
    assert whole.status_code == 200, whole.text
    assert "1588" in whole.json()["claims"][0]["text"]
    assert whole.json()["notes"]
    assert "event: answer" in events.text
    assert "event: problem" not in events.text
    last = json.loads(events.text.strip().rpartition("\n")[2].removeprefix("data: "))
    assert "1588" in last["claims"][0]["text"]
    assert "event: answer" in page.text


def test_models_are_given_less_than_all_the_time() -> None:
    for seconds, least, most in ((600, 587, 588.1), (4, 2.9, 3.01), (1, 0.4, 0.51)):
        assert least < Call(seconds).for_models < most
    assert Call(0).for_models == 0


def streamed(wheels: Path, items: Iterator[str], seconds: float = 0.3, leave: float | None = None) -> tuple[list[str], bool]:
    """What came of ``items``, and whether it was told that they took too long."""

    async def run() -> tuple[list[str], bool]:
        service = Service(ServeConfig({"wheels": wheels}))

        async def gone() -> None:
            await asyncio.sleep(60 if leave is None else leave)

        came: list[str] = []
        try:
            async for item in service.stream(lambda call: items, gone, seconds=seconds):
                came.append(item)
        except TooSlow:
            return came, True
        finally:
            service.close()
        return came, False

    return asyncio.run(run())


def after(*steps: float | str) -> Iterator[str]:
    for step in steps:
        if isinstance(step, str):
            yield step
        else:
            time.sleep(step)


def test_a_stream_that_takes_too_long_says_so(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE", 0.5)
    assert streamed(wheels, after("a", 2.0, "late")) == (["a"], True)
    assert streamed(wheels, after(2.0, "late")) == ([], True)
    began = time.monotonic()
    came, slow = streamed(wheels, (time.sleep(0.01) or "x" for _ in itertools.count()))
    assert came
    assert slow
    assert time.monotonic() - began < 10


def test_what_is_done_just_as_the_time_is_up_is_sent(wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE", 5.0)
    assert streamed(wheels, after("a", 0.5, "answer")) == (["a", "answer"], False)


def test_a_client_that_goes_is_told_nothing(wheels: Path) -> None:
    assert streamed(wheels, after("a", 1.0, "late"), seconds=60, leave=0.2) == (["a"], False)
