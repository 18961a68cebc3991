"""All pages, endpoints and parts of the server: a new one is a file of its own and a line here."""

from __future__ import annotations

from collections.abc import Callable

from .api import documents, health
from .api.ask import ask, ask_events
from .api.documents import AddParameters, GetParameters, RemoveParameters
from .api.embed import EmbedParameters, embed
from .api.facets import FacetsParameters, facets
from .api.holdings import InfoParameters, PieceParameters, RowsParameters, info, piece, rows
from .api.libraries import libraries
from .api.mentions import MentionsParameters, mentions
from .api.metrics import metrics
from .api.openai import ChatParameters, EmbeddingParameters, chat, embeddings, models
from .api.openapi import openapi
from .api.qrels import QrelsParameters, qrels
from .api.search import SearchBody, search_many
from .api.summary import SummaryParameters, summary
from .asking import AskParameters
from .background import embed_part
from .mcp.http import mcp_part
from .pages.ask import AskPageParameters, ask_page, ask_stream
from .pages.conversations import (
    ConversationParameters,
    ConversationsParameters,
    conversation_page,
    conversations_page,
)
from .pages.judge import JudgeParameters, judge_page
from .pages.library import LibraryParameters, library_page
from .pages.opening import OpenParameters, open_page
from .pages.page_image import PageImageParameters, page_image
from .pages.read import ReadParameters, read_page
from .pages.search import SearchParameters, search_page
from .route import Endpoint, Page, Part
from .service import Service
from .watch import watch_part

__all__ = ["ENDPOINTS", "PAGES", "PARTS"]

PAGES: tuple[Page, ...] = (
    Page("/", search_page, SearchParameters, "search.html", "The page one searches from."),
    Page("/search", search_page, SearchParameters, "search.html", "Search for passages."),
    Page("/read", read_page, ReadParameters, "read.html", "A document, with a quote or the hits of a query marked."),
    Page(
        "/ask",
        ask_page,
        AskPageParameters,
        "ask.html",
        "Ask, and read the answer over its evidence.",
        of_generation=False,
        asks=True,
    ),
    Page(
        "/conversations",
        conversations_page,
        ConversationsParameters,
        "conversations.html",
        "What is kept.",
        of_generation=False,
    ),
    Page(
        "/conversation",
        conversation_page,
        ConversationParameters,
        "conversation.html",
        "Questions that were kept, and the next one.",
        of_generation=False,
        post=True,
        asks=True,
    ),
    Page(
        "/judge",
        judge_page,
        JudgeParameters,
        "judge.html",
        "Judge which documents answer which queries.",
        of_generation=False,
        post=True,
        asks=True,
    ),
    Page("/library", library_page, LibraryParameters, "library.html", "What a library holds.", of_generation=False, post=True),
    Page(
        "/open", open_page, OpenParameters, "open.html", "Open a file in the system's program.", of_generation=False, post=True
    ),
)

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/page.png", page_image, PageImageParameters, "A page of a PDF as a picture.", answers="image/png"),
    Endpoint(
        "GET", "/ask/stream", ask_stream, AskPageParameters, "The page's answer as it comes.", answers="text/event-stream"
    ),
    Endpoint("GET", "/health", health.health, None, "Whether the server runs; needs no token."),
    Endpoint("GET", "/libraries", libraries, None, "The libraries of the server."),
    Endpoint("POST", "/search", search_many, SearchBody, "Search for passages: one query, or many at once."),
    Endpoint("POST", "/ask", ask, AskParameters, "Answer a question, each sentence with its quotes.", streams=True),
    Endpoint("GET", "/ask/events", ask_events, AskParameters, "The same as it comes about.", answers="text/event-stream"),
    Endpoint("POST", "/summary", summary, SummaryParameters, "The sentences that say most of what documents say."),
    Endpoint("POST", "/mentions", mentions, MentionsParameters, "Every document that mentions something."),
    Endpoint("GET", "/facets", facets, FacetsParameters, "How many documents have each value of some fields."),
    Endpoint("GET", "/qrels", qrels, QrelsParameters, "The judgments as qrels.", answers="text/plain"),
    Endpoint("GET", "/info", info, InfoParameters, "What a library holds, and its bytes by part."),
    Endpoint("GET", "/rows", rows, RowsParameters, "Documents without their texts."),
    Endpoint("GET", "/piece", piece, PieceParameters, "A part of a document."),
    Endpoint("GET", "/documents", documents.get, GetParameters, "Documents as they are stored."),
    Endpoint("POST", "/documents", documents.add, AddParameters, "Add documents, or index files.", writes=True),
    Endpoint("DELETE", "/documents", documents.remove, RemoveParameters, "Remove documents.", writes=True),
    Endpoint("POST", "/documents/remove", documents.remove, RemoveParameters, "Remove documents, many at a time.", writes=True),
    Endpoint("POST", "/embed", embed, EmbedParameters, "Embed passages that are not embedded yet.", writes=True),
    Endpoint("GET", "/v1/models", models, None, "The libraries and their encoders, in the OpenAI protocol."),
    Endpoint("POST", "/v1/embeddings", embeddings, EmbeddingParameters, "Vectors of texts, in the OpenAI protocol."),
    Endpoint(
        "POST",
        "/v1/chat/completions",
        chat,
        ChatParameters,
        "An answer with citations, in the OpenAI protocol.",
        streams=True,
    ),
    Endpoint("GET", "/metrics", metrics, None, "Counts for Prometheus.", answers="text/plain"),
    Endpoint("GET", "/openapi.json", openapi, None, "This document."),
)

PARTS: tuple[Callable[[Service], Part | None], ...] = (mcp_part, watch_part, embed_part)
