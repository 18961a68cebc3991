"""All pages, endpoints and parts of the server: a new one is a file of its own and a line here."""

from __future__ import annotations

from collections.abc import Callable

from .api import health
from .api.search import SearchBody, search_many
from .mcp.http import mcp_part
from .pages.library import LibraryParameters, library_page
from .pages.search import SearchParameters, search_page
from .route import Endpoint, Page, Part
from .service import Service

__all__ = ["ENDPOINTS", "PAGES", "PARTS"]

PAGES: tuple[Page, ...] = (
    Page("/", search_page, SearchParameters, "search.html", "The page one searches from."),
    Page("/search", search_page, SearchParameters, "search.html", "Search for passages."),
    Page("/library", library_page, LibraryParameters, "library.html", "What a library holds.", of_generation=False),
)

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/health", health.health, None, "Whether the server runs; needs no token."),
    Endpoint("POST", "/search", search_many, SearchBody, "Search for passages: one query, or many at once."),
)

PARTS: tuple[Callable[[Service], Part | None], ...] = (mcp_part,)
