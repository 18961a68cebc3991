"""bookwheel as people use it: `bookwheel.open(...).index(file)`, then `rank`: reading, splitting, document store and all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bookwheel
from peer import serve


class Library:
    """``encoder`` None makes a lexical library; ``ram`` in bytes is the budget of building."""

    def build(self, data: str, folder: str, encoder: str | None = None, ram: int | None = None) -> dict[str, Any]:
        library = bookwheel.open(Path(folder) / "library", create=True, encoder=encoder)
        report = library.index(data, ram=ram)
        info = library.info()
        index = sum(size for name, size in info.disk.items() if "/" in name)
        return {"version": bookwheel.__version__, "passages": report.passages, "segments": info.segments, "index_bytes": index}

    def open(self, folder: str, recipe: str = "bm25", texts: bool = False) -> dict[str, Any]:
        self.library = bookwheel.open(Path(folder) / "library")
        self.recipe, self.texts = recipe, texts
        info = self.library.info()
        return {"version": bookwheel.__version__, "segments": info.segments, "hot_bytes": sum(info.memory.values())}

    def search(self, query: str, k: int) -> Any:
        if self.texts:
            return [result.passage for result in self.library.search(query, k, recipe=self.recipe)]
        return self.library.rank(query, k, recipe=self.recipe).ids


if __name__ == "__main__":
    serve(Library)
