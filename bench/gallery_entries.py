"""What docs/stages.md says of a stage beside its own description: when to use it, an example, comparisons."""

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
    """When to use a stage, an example, and the recipes that were measured."""

    text: str
    example: Example | None
    measured: tuple[tuple[str, str], ...] = ()
    """Labels in `stages.py`: a recipe and the one to compare it with."""


OOM = "what happens when the system runs out of memory"
ENTRIES = {
    "normalised": Entry(
        "The default, `tmm`, maps the lowest possible score to 0 and the best candidate's to 1; "
        "the others depend on the worst candidate.",
        Example(OOM, "bm25 + dense", 'normalised(bm25 + dense, by="minmax")'),
        (("minmax", "hybrid"), ("zscore", "hybrid")),
    ),
    "rrf": Entry(
        "Use it for rankings whose scores cannot be compared. It ignores how much better one passage is than the next.",
        Example(OOM, "hybrid", "rrf(bm25, dense)"),
        (("rrf", "hybrid"),),
    ),
    "aspects": Entry(
        "Use it for questions about several things. They are split at the words that join "
        "clauses; other queries pass unchanged.",
        Example("scheduler latency and disk encryption", "hybrid", "aspects(hybrid)"),
        (("aspects", "hybrid"), ("aspects 0.2", "hybrid")),
    ),
    "rewrites": Entry(
        "Several wordings find what one of them misses.", Example(OOM, "bm25", "rewrites(bm25, count=3)", "model")
    ),
    "decompose": Entry(
        "Use it for questions that need several look-ups.",
        Example("which scheduler is used for real-time tasks and how is its priority set", "bm25", "decompose(bm25)", "model"),
    ),
    "spell": Entry(
        "Words that are in the collection are never changed, so names and codes are safe. "
        "`bookwheel search --spell` does the same.",
        Example("memroy fragmantation on embeded systems", "hybrid", "spell() >> hybrid"),
        (("spell", "hybrid"),),
    ),
    "syntax": Entry(
        'The signs are `"a phrase"`, `+required`, `-excluded`, `field:value`, `like:ID` and '
        "`unlike:ID`. `bookwheel search --syntax` does the same. Without the stage, signs mean "
        "nothing.",
        Example('"memory pressure" -cgroup', "hybrid", "syntax() >> hybrid"),
        (("syntax", "hybrid"),),
    ),
    "keywords": Entry(
        "Use it when a whole page is the query: with fewer terms BM25 is faster and not misled. "
        "Shorter queries pass unchanged.",
        Example("", "hybrid", "keywords(terms=20) >> hybrid"),
        (("keywords", "hybrid"),),
    ),
    "follow_up": Entry(
        "Use it in a conversation (`Query.history`, `bookwheel search --after`) when there is no language model.",
        Example("and how can it be turned off?", "hybrid", "follow_up() >> hybrid", "", ("what does the OOM killer do?",)),
    ),
    "rewrite": Entry(
        "With a history it completes a follow-up question; without one it says the query in other words.",
        Example("and how can it be turned off?", "hybrid", "rewrite() >> hybrid", "model", ("what does the OOM killer do?",)),
    ),
    "expand": Entry(
        "The model's passage need not be true; it only has to use the words of a true one.",
        Example("why is my laptop fan always loud", "bm25", "expand() >> bm25", "model"),
    ),
    "rm3": Entry(
        "It helps recall for short queries, and drifts where the first passages are wrong.",
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
        "It is like rm3, with unit vectors instead of probabilities, and can also move away from the last passages.",
        Example("encrypt disk", "bm25", "bm25 >> rocchio() >> bm25"),
        (("rocchio", "bm25"), ("rocchio 0.25", "bm25"), ("hybrid, rocchio", "hybrid"), ("hybrid, rocchio 0.25", "hybrid")),
    ),
    "guard": Entry(
        "On four judged collections neither predictor told which queries gain: its correlation "
        "with the gain was between -0.13 and +0.09 (`python bench/predictors.py`), so it makes "
        "feedback rarer, not better.",
        Example("swap too slow", "bm25 >> rm3() >> bm25", "bm25 >> guard(rm3()) >> bm25"),
        (
            ("guard, rm3 0.5", "bm25"),
            ("clarity, rm3 0.5", "bm25"),
            ("hybrid, guard", "hybrid"),
            ("hybrid, guard, rm3 0.5", "hybrid"),
        ),
    ),
    "vector_feedback": Entry(
        "This is feedback for dense retrieval; no text is read.",
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
        "This is feedback for late interaction: the rarest clusters of the first passages' token "
        "vectors are added to the query.",
        Example("encrypt disk", "bm25 >> late(50)", "bm25 >> late(50) >> token_feedback() >> late(50)", "tokens"),
        (("token_feedback", "late"), ("token_feedback, mixed", "late, mixed")),
    ),
    "sentences": Entry(
        "Only whole sentences of the collection are added, so nothing is invented. Both the terms and the vectors change.",
        Example("why does writing to a full disk hang", "hybrid", "hybrid >> sentences() >> hybrid"),
        (("sentences", "bm25"), ("hybrid, sentences", "hybrid"), ("hybrid, sentences 0.1", "hybrid")),
    ),
    "expand_seen": Entry(
        "It is like `expand`, but the model reads the first passages first.",
        Example("why is my laptop fan always loud", "bm25", "bm25 >> expand_seen() >> bm25", "model"),
    ),
    "steer": Entry(
        "The model can only pick sentences that are in the passages.",
        Example("why is my laptop fan always loud", "bm25", "bm25 >> steer() >> bm25", "model"),
    ),
    "interpolate": Entry(
        "It brings most of the quality of dense retrieval to a search that uses only the lexical "
        "index, since only a few stored vectors are read. It stops when no later candidate can be "
        "among the best.",
        Example(OOM, "bm25", "bm25 % 1000 >> interpolate(dense)"),
        (("interpolate", "bm25"), ("interpolate", "hybrid"), ("interpolate fully", "hybrid")),
    ),
    "late": Entry(
        "It needs token vectors (`bookwheel encoders add NAME=MODEL --kind tokens`). "
        "all-MiniLM-L6-v2, which the example uses, was not trained for late interaction; no "
        "ColBERT model was available.",
        Example(OOM, "bm25", "bm25 >> late(50)", "tokens"),
        (("late", "bm25"), ("late, mixed", "hybrid")),
    ),
    "neighbours": Entry(
        "Passages that resemble other good candidates rise. It needs no model beside the stored vectors.",
        Example(OOM, "hybrid", "hybrid >> neighbours()"),
        (("neighbours", "hybrid"), ("neighbours 0.3", "hybrid"), ("rm3, neighbours", "hybrid")),
    ),
    "mmr": Entry(
        "Use it to show the breadth of a collection instead of ten similar passages; measures of relevance alone fall.",
        Example(OOM, "hybrid", "hybrid >> mmr(balance=0.5)"),
        (("mmr", "hybrid"),),
    ),
    "fold": Entry(
        "Use it for collections with copies and versions of the same text.",
        Example("tty driver copyright", "bm25", "bm25 >> fold(threshold=0.6)"),
        (("fold", "hybrid"),),
    ),
    "prior": Entry(
        "Let `bookwheel prior` write it: it measures whether such a prior helps your collection. On both "
        "judged collections on which one could be learned here\nit did not ([Evaluation](evaluation.md#a-document-prior)).",
        None,
    ),
    "likelihood": Entry(
        "This was the most reliable use of a small language model here.",
        Example(OOM, "bm25", "bm25 >> likelihood(10)", "model"),
    ),
    "attention": Entry(
        "Each passage is read once for all queries; what was read recently is cached.",
        Example(OOM, "bm25", "bm25 >> attention(10)", "model"),
    ),
    "listwise": Entry(
        "It needs a capable model: the answers of SmolLM2-135M mostly name no passages or keep the order.",
        Example(OOM, "bm25", "bm25 >> listwise(5, window=5)", "model"),
    ),
    "cross": Entry(
        "It needs a model in sentence-transformers' layout. There is no example and no figure of "
        "quality, since no model trained for relevance was available.",
        None,
    ),
}
