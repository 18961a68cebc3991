"""Opened results are kept where the server was asked to, and only those of its own pages."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import page_kit
import pytest

pytest.importorskip("selectolax")

from selectolax.lexbor import LexborHTMLParser as Html

from bookwheel import UsageError
from bookwheel.library.clicks import Clicks
from bookwheel.serve.config import ServeConfig


def links(web: httpx.Client, address: str) -> list[str]:
    html = Html(web.get(address).text)
    return [href for node in html.css("a") if (href := node.attributes.get("href") or "").startswith("/read?")]


def test_opened_results_are_kept_with_their_places(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = page_kit.shared(tmp_path_factory.getbasetemp())
    clicks = Clicks(folder / "library")
    with (
        page_kit.serving(folder, clicks=True) as base,
        httpx.Client(base_url=base, timeout=60, headers={"Accept": "text/html"}) as web,
    ):
        found = links(web, "/search?q=gull+nests")
        assert web.get(found[1]).status_code == 200
        (record,) = map(json.loads, clicks.path.read_text().splitlines())
        assert (record["query"], record["rank"]) == ("gull nests", 2)
        assert record["clicked"] in found[1].replace("%2F", "/")
        second = links(web, "/search?q=gull+nests&offset=10&k=10")
        web.get(second[0])
        assert json.loads(clicks.path.read_text().splitlines()[1])["rank"] == 11
        # neither links that the page did not make, nor those of an order that says nothing of places
        web.get(found[0].replace("gull+nests", "else"))
        web.get(found[0].replace("seen=1.", "seen=7."))
        assert "seen=" not in links(web, "/search?q=gull+nests&sort=newest")[0]
        assert clicks.count == 2
    clicks.forget()
    with page_kit.serving(folder) as base, httpx.Client(base_url=base, timeout=60, headers={"Accept": "text/html"}) as web:
        plain = links(web, "/search?q=gull+nests")
        assert "seen=" not in plain[0]
        web.get(plain[0])
        web.get(found[0])
        assert not clicks.path.exists(), "nothing is kept unless it was asked for"


def test_a_read_only_server_keeps_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="leave out --keep-clicks or --read-only"):
        ServeConfig(libraries={"a": tmp_path}, clicks=True, read_only=True)
