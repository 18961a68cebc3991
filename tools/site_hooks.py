"""What the documentation site takes from outside docs/: CONTRIBUTING.md and CHANGELOG.md, as pages of their own.

Links to source files, which lead somewhere where the repository is read, are plain names on the site.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGES = {"contributing.md": "CONTRIBUTING.md", "changes.md": "CHANGELOG.md"}


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The text of a page that stands for a file of the repository's root, with its links turned towards docs/."""
    source = PAGES.get(page.file.src_uri)
    if source is None:
        return re.sub(r"\[(`[^`]+`)\]\(\.\./src/[^)]+\)", r"\1", markdown)
    return (ROOT / source).read_text(encoding="utf-8").replace("](docs/", "](")
