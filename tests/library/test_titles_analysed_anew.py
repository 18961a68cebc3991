"""A document of no language is analysed anew when the library's language is known: with its title."""

from pathlib import Path

import bookwheel


def test_the_title_stays(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "library", create=True) as library:
        library.add({"id": "1", "title": "Zebra tables", "text": "17 18 19"})
        for _ in range(2):
            assert [result.id for result in library.search("zebra", recipe="bm25")] == ["1"]
            library.add({"id": "2", "text": "The kites are flying over the hills, says the man of the house."})
        seen: list[str] = []
        library.add_encoder("own", lambda texts: seen.extend(texts) or [[1.0, float(len(text))] for text in texts])
        library.embed("own")
        assert any(text.startswith("Zebra tables\n17") for text in seen)
