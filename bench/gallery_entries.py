"""What the gallery of stages says beside what the stages say themselves: when to take one, an example, what to compare."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ENTRIES", "OOM", "Entry", "Example"]


class Example(NamedTuple):
    """A query searched by two recipes. ``needs``: ``model`` or ``tokens``."""

    query: str
    before: str
    after: str
    needs: str = ""
    history: tuple[str, ...] = ()


class Entry(NamedTuple):
    """What the page says of a stage beside what the stage says: when to take it, an example, and the measured recipes."""

    text: str
    example: Example | None
    measured: tuple[tuple[str, str], ...] = ()
    """Labels of `stages.py`: a recipe, and the one to compare it with."""


OOM = "what happens when the system runs out of memory"
ENTRIES = {
    "normalised": Entry(
        "The default, `tmm`, maps the least score possible to 0 and the best candidate's to 1; the others depend on the "
        "worst candidate.",
        Example(OOM, "bm25 + dense", 'normalised(bm25 + dense, by="minmax")'),
        (("minmax", "hybrid"), ("zscore", "hybrid")),
    ),
    "rrf": Entry(
        "For rankings whose scores mean nothing together. It throws away how much better one passage is than the next.",
        Example(OOM, "hybrid", "rrf(bm25, dense)"),
        (("rrf", "hybrid"),),
    ),
    "aspects": Entry(
        "For questions that name several things, split at the words that join clauses; other queries pass unchanged.",
        Example("scheduler latency and disk encryption", "hybrid", "aspects(hybrid)"),
        (("aspects", "hybrid"), ("aspects 0.2", "hybrid")),
    ),
    "rewrites": Entry("Several wordings find what one misses.", Example(OOM, "bm25", "rewrites(bm25, count=3)", "model")),
    "decompose": Entry(
        "For questions that need several look-ups.",
        Example("which scheduler is used for real-time tasks and how is its priority set", "bm25", "decompose(bm25)", "model"),
    ),
    "spell": Entry(
        "Only words that the collection does not have are touched, so names and codes stay; `bookwheel search --spell` is "
        "the same.",
        Example("memroy fragmantation on embeded systems", "hybrid", "spell() >> hybrid"),
        (("spell", "hybrid"),),
    ),
    "syntax": Entry(
        "Phrases, `+required`, `-excluded`, `field:value`, `like:ID`, `unlike:ID`; `bookwheel search --syntax` is the same. "
        "Without it, signs "
        "mean nothing.",
        Example('"memory pressure" -cgroup', "hybrid", "syntax() >> hybrid"),
        (("syntax", "hybrid"),),
    ),
    "keywords": Entry(
        "For a whole page pasted as a query: fewer terms, so BM25 is faster and not led astray. Shorter queries pass "
        "unchanged.",
        Example("", "hybrid", "keywords(terms=20) >> hybrid"),
        (("keywords", "hybrid"),),
    ),
    "follow_up": Entry(
        "In a conversation (`Query.history`, `bookwheel search --after`), without a model.",
        Example("and how can it be turned off?", "hybrid", "follow_up() >> hybrid", "", ("what does the OOM killer do?",)),
    ),
    "rewrite": Entry(
        "With a history it completes a follow-up question, without one it says the query in other words.",
        Example("and how can it be turned off?", "hybrid", "rewrite() >> hybrid", "model", ("what does the OOM killer do?",)),
    ),
    "expand": Entry(
        "The model's passage need not be true, only use the words that a true one would.",
        Example("why is my laptop fan always loud", "bm25", "expand() >> bm25", "model"),
    ),
    "rm3": Entry(
        "Brings words that the best passages have in common. Helps recall where queries are short, and drifts where the "
        "first passages "
        "are wrong.",
        Example("encrypt disk", "bm25", "bm25 >> rm3() >> bm25"),
        (
            ("rm3", "bm25"),
            ("rm3 0.5", "bm25"),
            ("before and after rm3 0.5", "bm25"),
            ("hybrid, rm3", "hybrid"),
            ("hybrid, rm3 0.5", "hybrid"),
            ("rm3, neighbours", "hybrid"),
        ),
    ),
    "rocchio": Entry(
        "Like rm3, with unit vectors instead of probabilities, and optionally away from the last passages.",
        Example("encrypt disk", "bm25", "bm25 >> rocchio() >> bm25"),
        (("rocchio", "bm25"), ("rocchio 0.25", "bm25"), ("hybrid, rocchio", "hybrid"), ("hybrid, rocchio 0.25", "hybrid")),
    ),
    "guard": Entry(
        "Stops feedback for queries whose first ranking does not look sure. On four judged collections neither predictor told "
        "which queries gain: the correlation with the gain lay between -0.13 and +0.09 (`python bench/predictors.py`), so it "
        "makes feedback rarer rather than better.",
        Example("swap too slow", "bm25 >> rm3() >> bm25", "bm25 >> guard(rm3()) >> bm25"),
        (
            ("guard, rm3 0.5", "bm25"),
            ("clarity, rm3 0.5", "bm25"),
            ("hybrid, guard", "hybrid"),
            ("hybrid, guard, rm3 0.5", "hybrid"),
        ),
    ),
    "vector_feedback": Entry(
        "The dense kind of feedback; no text is read.",
        Example("encrypt disk", "dense", "dense >> vector_feedback() >> dense"),
        (
            ("vector_feedback", "dense"),
            ("vector rocchio", "dense"),
            ("vector rocchio, gentle", "dense"),
            ("hybrid, vector_feedback", "hybrid"),
            ("hybrid, vector, gentle", "hybrid"),
        ),
    ),
    "token_feedback": Entry(
        "Feedback for late interaction: the rarest clusters of the first passages' token vectors join the query.",
        Example("encrypt disk", "bm25 >> late(50)", "bm25 >> late(50) >> token_feedback() >> late(50)", "tokens"),
        (("token_feedback", "late"), ("token_feedback, mixed", "late, mixed")),
    ),
    "sentences": Entry(
        "Takes over whole sentences of the collection, so nothing is invented; changes both words and vectors.",
        Example("why does writing to a full disk hang", "hybrid", "hybrid >> sentences() >> hybrid"),
        (("sentences", "bm25"), ("hybrid, sentences", "hybrid"), ("hybrid, sentences 0.1", "hybrid")),
    ),
    "expand_seen": Entry(
        "As `expand`, after reading what was found.",
        Example("why is my laptop fan always loud", "bm25", "bm25 >> expand_seen() >> bm25", "model"),
    ),
    "steer": Entry(
        "The model can only pick sentences that stand in the passages.",
        Example("why is my laptop fan always loud", "bm25", "bm25 >> steer() >> bm25", "model"),
    ),
    "interpolate": Entry(
        "Dense quality where only a lexical index is searched: no dense search, only a few stored vectors are read. It "
        "stops when no later "
        "candidate can come among the best.",
        Example(OOM, "bm25", "bm25 % 1000 >> interpolate(dense)"),
        (("interpolate", "bm25"), ("interpolate", "hybrid"), ("interpolate fully", "hybrid")),
    ),
    "late": Entry(
        "Needs a representation of token vectors (`bookwheel encoders add NAME=MODEL --kind tokens`). all-MiniLM-L6-v2, which the "
        "example uses, was not trained for it; a ColBERT model is another matter, and none was at hand.",
        Example(OOM, "bm25", "bm25 >> late(50)", "tokens"),
        (("late", "bm25"), ("late, mixed", "hybrid")),
    ),
    "neighbours": Entry(
        "Passages that resemble other good candidates rise. Needs no model beside the vectors.",
        Example(OOM, "hybrid", "hybrid >> neighbours()"),
        (("neighbours", "hybrid"), ("neighbours 0.3", "hybrid"), ("rm3, neighbours", "hybrid")),
    ),
    "mmr": Entry(
        "For people who want the breadth of what there is rather than ten times the same: measures of relevance alone fall.",
        Example(OOM, "hybrid", "hybrid >> mmr(balance=0.5)"),
        (("mmr", "hybrid"),),
    ),
    "fold": Entry(
        "For collections with copies and versions of the same text.",
        Example("tty driver copyright", "bm25", "bm25 >> fold(threshold=0.6)"),
        (("fold", "hybrid"),),
    ),
    "likelihood": Entry(
        "The most reliable use of a small language model here.",
        Example(OOM, "bm25", "bm25 >> likelihood(10)", "model"),
    ),
    "attention": Entry(
        "Reads each passage once, for all queries; what it read lately is kept.",
        Example(OOM, "bm25", "bm25 >> attention(10)", "model"),
    ),
    "listwise": Entry(
        "For models that can do it: SmolLM2-135M cannot, its answers mostly name no passages or keep the order.",
        Example(OOM, "bm25", "bm25 >> listwise(5, window=5)", "model"),
    ),
    "cross": Entry(
        "Needs a model in sentence-transformers' layout. No example and no figure of quality: no model trained for "
        "relevance was at hand.",
        None,
    ),
}
