"""Whatever is sent to any route that the OpenAPI document lists: no answer of class 500, no leak, and JSON where it says JSON.

The short run is one of the default tests; ten minutes of it, against a real process:

    python -m pytest -m slow tests/serve/test_serve_fuzz.py
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serve_processes import library_of, started

from bookwheel.serve.api.openapi import document
from bookwheel.serve.app import create_app
from bookwheel.serve.config import Limits, ServeConfig
from bookwheel.serve.routes import ENDPOINTS, PAGES

PATHS = document(PAGES, ENDPOINTS)["paths"]
OPERATIONS = [(method, path, one) for path, some in PATHS.items() for method, one in some.items()]
LEAKS = ('.py", line ', "site-packages", "bookwheel/serve", "starlette", "uvicorn")
"""What no text of the library says, either."""
LONGEST = 60_000
"""Characters of a path with its parameters."""
MINUTES = float(os.environ.get("BOOKWHEEL_FUZZ_MINUTES", "10"))

WORDS = st.sampled_from(
    (
        *("file", "zebra", "name", "year >= 2001", "bm25", "hybrid", "dense", "bm25 + dense", "rm3()", "docs", "a", "-not"),
        *(
            "year",
            "title",
            "id",
            "suffix",
            "-",
            "..",
            "/etc/passwd",
            "%00",
            "\ud800",
            "\u202e",
            "\0",
            "1e999",
            "NaN",
            "0",
            "-1",
        ),
        *("who is it?", "how many documents mention file", "year >=", "(((", "title:file", '"a phrase"', "x" * 5000),
        *("' OR 1=1 --", "{{7*7}}", "<script>alert(1)</script>"),
    )
)
TEXTS = WORDS | st.text(max_size=40)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema allows, the odd ones among them."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if isinstance(kinds := schema.get("type"), list):
        return st.one_of(fitting({**schema, "type": kinds[0]}), fitting({**schema, "type": kinds[0]}), st.none())
    kind = schema.get("type")
    if kind == "string":
        return TEXTS
    if kind == "boolean":
        return st.booleans()
    if kind in ("integer", "number"):
        low, high = schema.get("minimum", -10), schema.get("maximum", 1000)
        near = st.sampled_from([low, high, low - 1, high + 1, (low + high) // 2 if kind == "integer" else 0.5])
        return near | (st.integers(int(low), int(min(high, 200))) if kind == "integer" else st.floats(width=32))
    if kind == "array":
        return st.lists(fitting(schema["items"]), max_size=4)
    if kind == "object" and "properties" in schema:
        return filled(schema)
    if kind == "object":
        return st.dictionaries(
            st.sampled_from(["id", "title", "text", "tags", "year", "role", "content", "type"]), JUNK, max_size=5
        )
    return JUNK


def filled(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of a schema: mostly what is needed and some of the rest, now and then something else."""
    needed = schema.get("required", [])
    values = {name: st.one_of(fitting(one), fitting(one), fitting(one), JUNK) for name, one in schema["properties"].items()}
    known = st.fixed_dictionaries(
        {name: one for name, one in values.items() if name in needed},
        optional={name: one for name, one in values.items() if name not in needed},
    )
    return known | known | known | st.dictionaries(TEXTS, JUNK, max_size=3)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, dict[str, Any]]:
    method, path, operation = draw(st.sampled_from(OPERATIONS))
    options: dict[str, Any] = {}
    if body := operation.get("requestBody"):
        value = draw(fitting(body["content"]["application/json"]["schema"]) | JUNK)
        text = json.dumps(value)  # with NaN and lone surrogates, as a careless client writes them
        options["content"] = text.encode() if draw(st.integers(0, 9)) else text[: len(text) // 2].encode()
        options["headers"] = {"Content-Type": "application/json"}
    else:
        parameters = {one["name"]: one for one in operation.get("parameters", ())}
        chosen = draw(st.lists(st.sampled_from([*parameters, "other"]), max_size=4))
        chosen += [name for name, one in parameters.items() if one["required"] and draw(st.integers(0, 9))]
        pairs = []
        for name in chosen:
            value = draw(fitting(parameters[name]["schema"]) if name in parameters else TEXTS)
            for single in value if isinstance(value, list) else [value]:
                shown = {True: "true", False: "false"}.get(single, str(single)) if isinstance(single, bool) else str(single)
                pairs.append((name, shown.encode("utf-8", "surrogatepass")))
        options["params"] = pairs
    if draw(st.booleans()) and path.startswith("/ask"):
        options.setdefault("headers", {})["Accept"] = "text/event-stream"
    return method, path, options


def encoded(pairs: list[tuple[str, bytes]]) -> str:
    return "&".join(f"{name}=" + "".join(f"%{byte:02x}" for byte in value) for name, value in pairs)


def sent(client: Any, method: str, path: str, options: dict[str, Any]) -> None:
    """Send it and look at the answer."""
    options = dict(options)
    if "params" in options:
        path = f"{path}?{encoded(options.pop('params'))}"
    if len(path) > LONGEST:  # which no client sends, and the server's own limit for the head of a request forbids
        return
    answer = client.request(method.upper(), path, **options)
    assert answer.status_code < 500, (method, path, options, answer.text)
    for leak in LEAKS:
        assert leak not in answer.text or leak in str(options), leak
    kind = answer.headers.get("content-type", "")
    if kind == "application/json":
        told = json.loads(answer.content.decode(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        if answer.status_code >= 400:
            assert told["error"]["message"], answer.text
            assert "\n" not in told["error"]["message"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, prose: list[tuple[str, str]]) -> Iterator[Any]:
    from starlette.testclient import TestClient

    path = tmp_path_factory.mktemp("fuzzed") / "docs"
    library_of(path, prose[:25])
    app = create_app(ServeConfig({"docs": path}, limits=Limits(seconds=300, stream_seconds=300)))
    with TestClient(app, base_url="http://localhost") as found:
        yield found
    app.service.close()


def fuzz(client: Any, examples: int) -> Callable[[], None]:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=examples < 1000,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests())
    def run(request: tuple[str, str, dict[str, Any]]) -> None:
        sent(client, *request)

    return run


def test_no_request_breaks_any_route(client: Any) -> None:
    fuzz(client, 70)()


@pytest.mark.slow
def test_ten_minutes_of_requests_break_nothing(tmp_path, prose, environment) -> None:
    library_of(tmp_path / "docs", prose[:100])
    with started(str(tmp_path / "docs"), environment=environment) as running:
        until = time.monotonic() + 60 * MINUTES
        with httpx.Client(base_url=running.url, trust_env=False, timeout=300) as client:
            while time.monotonic() < until:
                fuzz(client, 1000)()
        code, _, errors = running.stop()
        assert (code, errors) == (0, "")
