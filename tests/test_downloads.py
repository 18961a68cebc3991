"""Nothing is downloaded that only a library, a recipe or a file from somebody else names."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import bookwheel
from bookwheel.encode import load_encoder
from bookwheel.encode.find import BUILT_IN_MODELS, find_folder

HUB = "https://huggingface.co"


class Hub(ModuleType):
    """Stands for huggingface_hub: one model, the built-in one, that is downloaded when it is first asked for."""

    def __init__(self) -> None:
        super().__init__("huggingface_hub")
        self.constants = SimpleNamespace(ENDPOINT=HUB)
        self.downloads: list[str] = []
        self.here: set[str] = set()

    def snapshot_download(self, name: str, *, local_files_only: bool, **_: object) -> str:
        if local_files_only and name not in self.here:
            raise FileNotFoundError(name)
        if name not in self.here:
            self.downloads.append(name)
            self.here.add(name)
        return str(BUILT_IN_MODELS["static"])


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    made = Hub()
    monkeypatch.setitem(sys.modules, "huggingface_hub", made)
    return made


def test_a_model_is_downloaded_where_the_user_names_it_or_has_allowed_the_hub(hub: Hub) -> None:
    with pytest.raises(bookwheel.ModelError, match=f"type: bookwheel allow {HUB}$"):
        find_folder("owner/model")
    assert not hub.downloads
    assert load_encoder("owner/model").dimension
    assert hub.downloads == ["owner/model"]
    assert find_folder("owner/model") == BUILT_IN_MODELS["static"]  # it is on this machine now
    bookwheel.allow(HUB)
    find_folder("owner/other@v1")
    assert hub.downloads == ["owner/model", "owner/other"]


@pytest.mark.parametrize("recipe", ["dense", "better", "bm25 >> cross(model='owner/reranker')"])
def test_a_library_from_somebody_else_downloads_nothing(hub: Hub, tmp_path: Path, recipe: str) -> None:
    with bookwheel.open(tmp_path / "library", create=True, encoder="owner/model") as library:
        library.add_encoder("better", "owner/better")
        library.add(["the wheel of a water mill", "a mill for paper"])
        library.embed()
    hub.here.clear()
    hub.downloads.clear()
    with bookwheel.open(tmp_path / "library") as library:
        assert [result.text for result in library.search("water mill", recipe="bm25")][0] == "the wheel of a water mill"
        try:
            notes = library.search("water mill", recipe=recipe).notes
        except bookwheel.BookwheelError as error:
            notes = [str(error)]
        assert any(f"bookwheel allow {HUB}" in note for note in notes), notes
        assert not hub.downloads
        bookwheel.allow(HUB)
        if "cross" not in recipe:  # the hub's one model is no cross-encoder
            assert library.search("water mill", recipe=recipe)
        assert len(hub.downloads) == 1 or "cross" in recipe
