"""Comments of Markdown are hidden text; what code shows is none."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from one_file import one

from bookwheel.documents.readers.markdown_comments import comments

SEEN = {
    "spans": "In HTML, `<!--` opens a comment. The otter eats fish. It ends with `-->` here.",
    "a span": "Use `<!-- more -->` to cut.",
    "a span of two": "Use ``<!-- a ` b -->`` here.",
    "a span over two lines": "Use `<!--\nmore -->` to cut.",
    "a span in an item": "- Use\n- the mark `<!-- more -->`",
    "a span in a quotation": "> Use `<!-- more -->`",
    "indented": "Before:\n\n    <!-- code -->\n\n    <!-- more -->\n",
    "indented by a tab": "Before:\n\n\t<!-- code -->\n",
    "indented below a heading": "# Before\n    <!-- code -->\n",
    "indented in an item": "1. Item:\n\n       <!-- code -->\n",
    "indented in a quotation": "> Before:\n>\n>     <!-- code -->\n",
    "a fence": "```\n<!-- code -->\n```",
    "a fence in an item": "1. Item:\n\n   ```html\n   <!-- code -->\n   ```\n",
    "a fence after a mark": "- ```html\n  <!-- code -->\n  ```\n",
    "a fence far in an item": "10. Item\n\n    ```html\n    <!-- code -->\n    ```\n",
    "a fence in items in items": "- a\n  - b\n\n    ```\n    <!-- code -->\n    ```\n",
    "a fence in a quotation": "> ```html\n> <!-- code -->\n> ```\n",
    "a fence in a quotation in an item": "- a\n\n  > ~~~\n  > <!-- code -->\n  > ~~~\n",
    "a longer fence": "````\n```\n<!-- code -->\n```\n<!-- more -->\n````\n",
    "a fence without an end": "~~~\n<!-- code -->\n```\n<!-- more -->",
    "escaped": "Write \\<!-- and --> here.",
}
HIDDEN = {
    "a line": "Seen.\n\n<!-- hidden -->\n\nSeen.",
    "in a line": "Seen `code` <!-- hidden --> and `more`.",
    "several lines": "<!--\n\nhidden\n\n    ```\n-->\n\nSeen.",
    "marks that span nothing": "A ` and <!-- hidden --> b.",
    "marks of another paragraph": "A ` and\n\n<!-- hidden -->\n\n b `.",
    "marks of other items": "- a `\n- <!-- hidden -->\n- b `",
    "marks of other cells": "| a ` |\n| <!-- hidden --> |\n| b ` |",
    "behind an escaped mark": "A \\` and <!-- hidden --> b \\`.",
    "indented in a paragraph": "Seen and\n    <!-- hidden -->\n",
    "indented in an item": "1. Item:\n\n    <!-- hidden -->\n",
    "indented in items in items": "- a\n  - b\n    - c\n\n      <!-- hidden -->\n",
    "indented in an item behind a quotation": "- a\n\n  > ~~~\n  > b\n  > ~~~\n\n  <!-- hidden -->\n",
    "behind a fence": "```\ncode\n```\n<!-- hidden -->",
    "behind a fence in an item": "- a\n\n  ```\n  code\n\n<!-- hidden -->",
    "behind a fence in a quotation": "> ```\n> code\n\n<!-- hidden -->",
    "behind code of three marks in a line": "``` code ``` and <!-- hidden -->",
    "with a fence in it": "<!--\n```\nhidden\n-->\n\nSeen `<!-- code -->`.",
    "with a mark in it": "<!-- a ` hidden --> and `<!-- code -->`.",
}


@pytest.mark.parametrize("text", SEEN.values(), ids=SEEN)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_code_shows_comments(tmp_path: Path, text: str, ends: str) -> None:
    assert not one(tmp_path / "a.md", text.replace("\n", ends).encode()).hidden


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_comments_are_hidden(tmp_path: Path, text: str, ends: str) -> None:
    document = one(tmp_path / "a.md", text.replace("\n", ends).encode())
    (found,) = document.hidden
    hidden = document.text[found.start : found.end]
    assert hidden.startswith("<!--")
    assert "hidden" in hidden
    assert hidden.endswith("-->")


@pytest.mark.parametrize(
    "piece", ["<!--", "`", "` ``", "> ", "- ", "1. a\n", "\n    ", "```\n", "x<!-- -->\n", "\\", "<!-- `\n"]
)
def test_hostile_markdown_takes_linear_time(piece: str) -> None:
    began = time.process_time()
    for end in ("", "-->", "\n\n-->"):
        assert len(list(comments(piece * 50_000 + end))) <= 50_000
    assert time.process_time() - began < 10
