"""All pages, endpoints and parts of the server: a new one is a file of its own and a line here."""

from __future__ import annotations

from collections.abc import Callable

from .api import documents, health
from .api.ask import ask, ask_events
from .api.documents import AddParameters, GetParameters, RemoveParameters
from .api.embed import EmbedParameters, embed
from .api.metrics import metrics
from .api.openai import ChatParameters, EmbeddingParameters, chat, embeddings, models
from .api.openapi import openapi
from .api.search import SearchBody, search_many
from .asking import AskParameters
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
    Endpoint("POST", "/ask", ask, AskParameters, "Answer a question, every sentence with the quotes that it rests on."),
    Endpoint("GET", "/ask/events", ask_events, AskParameters, "The same as it comes about.", answers="text/event-stream"),
    Endpoint("GET", "/documents", documents.get, GetParameters, "Documents as they are stored."),
    Endpoint("POST", "/documents", documents.add, AddParameters, "Add documents, or index files.", writes=True),
    Endpoint("DELETE", "/documents", documents.remove, RemoveParameters, "Remove documents.", writes=True),
    Endpoint("POST", "/embed", embed, EmbedParameters, "Embed passages that are not embedded yet.", writes=True),
    Endpoint("GET", "/v1/models", models, None, "The libraries and their encoders, in the OpenAI protocol."),
    Endpoint("POST", "/v1/embeddings", embeddings, EmbeddingParameters, "Vectors of texts, in the OpenAI protocol."),
    Endpoint("POST", "/v1/chat/completions", chat, ChatParameters, "An answer with citations, in the OpenAI protocol."),
    Endpoint("GET", "/metrics", metrics, None, "Counts for Prometheus.", answers="text/plain"),
    Endpoint("GET", "/openapi.json", openapi, None, "This document."),
)

PARTS: tuple[Callable[[Service], Part | None], ...] = (mcp_part,)
