"""llama_index's CitationQueryEngine before the same lies as `liar.py`; run with a Python that has llama-index-core and -llms-openai-like.

    .bench/venvs/llamaindex/bin/python bench/liar_llamaindex.py --questions 20

Its passages are those that share most words with the question, the gold one among them. Counted: false sentences of the server that
stand in the answer that it returns, with or without a number of a source behind them. It has no statuses: what it returns is shown.
"""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

from common import RESULTS, table
from liar_server import MANNERS, Liar, Server, _plain
from questions import collection, sample


def main() -> None:
    from llama_index.core import MockEmbedding, Settings
    from llama_index.core.query_engine import CitationQueryEngine
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import NodeWithScore, TextNode
    from llama_index.llms.openai_like import OpenAILike

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=20)
    texts, titles, questions = collection()
    Settings.embed_model = MockEmbedding(embed_dim=8)

    class Words(BaseRetriever):  # type: ignore[misc]
        gold = ""

        def _retrieve(self, bundle: Any) -> list[Any]:
            asked = set(re.findall(r"\w{4,}", bundle.query_str.lower()))
            ranked = sorted(texts, key=lambda name: -len(asked & set(re.findall(r"\w{4,}", texts[name].lower()))))
            chosen = list(dict.fromkeys([self.gold, *ranked[:7]]))
            return [NodeWithScore(node=TextNode(text=texts[name], id_=name), score=1.0) for name in chosen]

    liar = Liar(texts, titles)
    server = Server(liar, stall=0.2)
    rows: dict[str, dict[str, int]] = {}
    for manner in MANNERS:
        model = OpenAILike(
            model=manner.replace(" ", "-"),
            api_base=server.base,
            api_key="x",
            is_chat_model=True,
            context_window=8192,
            max_retries=0,
        )
        Settings.llm = model
        retriever = Words()
        engine = CitationQueryEngine.from_args(None, llm=model, retriever=retriever, citation_chunk_size=2048)
        row = {"asked": 0, "false": 0, "shown": 0, "cited": 0, "failed": 0}
        for question in sample(questions, parser.parse_args().questions):
            retriever.gold = question.document
            row["asked"] += 1
            liar.replies.pop(manner, None)
            try:
                answer = str(engine.query(question.text))
            except Exception:
                row["failed"] += 1
                continue
            made = liar.replies.get(manner)
            bare = _plain(re.sub(r"\[[^\]]{0,40}\]", " ", answer))
            for one in {_plain(one) for one in made.false} - {""} if made else ():
                row["false"] += 1
                row["shown"] += one in bare
            row["cited"] += bool(re.search(r"\[\d", answer))
        rows[manner] = row
    server.close()
    head = ["manner", "questions", "false sentences written", "shown", "answers with a number of a source", "failed"]
    print(
        table(
            head, [[name, row["asked"], row["false"], row["shown"], row["cited"], row["failed"]] for name, row in rows.items()]
        )
    )
    (RESULTS / "liar-llamaindex.json").write_text(json.dumps({"manners": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
