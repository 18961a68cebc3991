"""txtai's RAG pipeline before the same lies as `liar.py`; run with a Python that has txtai, torch and litellm.

    .bench/venvs/txtai/bin/python bench/liar_txtai.py --questions 20

Each question's passages are an index of their own; its vectors are a stand-in (`liar_peer.hashed`), computed in the process. The output
format is `reference`: the passage most like the answer stands behind it as its source. Its template is the one that its documentation has.
"""

from __future__ import annotations

import os

from liar_peer import PASSAGES, Asked, Shown, hashed, lied_to

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # otherwise it looks for one on the Internet
os.environ.setdefault("HF_HUB_OFFLINE", "1")
TEMPLATE = """Answer the following question using only the context below. Only include information
specifically discussed.

question: {question}
context: {context}

Question: {question}"""
"""The last line lets the liar find the question where it looks for one."""


def main() -> None:
    from txtai import LLM, RAG, Embeddings

    models: dict[str, LLM] = {}

    def ask(one: Asked) -> Shown:
        index = Embeddings(method="external", transform=hashed, content=True)
        index.index([(name, text, None) for name, text in one.passages])
        if one.manner not in models:
            reached = {"api_base": one.base, "api_key": "x", "timeout": 20, "num_retries": 0}
            models[one.manner] = LLM(path=f"openai/{one.manner}", method="litellm", **reached)
        pipeline = RAG(index, models[one.manner], context=PASSAGES, output="reference", template=TEMPLATE, separator="\n")
        answer = pipeline(one.question)
        return Shown(str(answer["answer"]), answer.get("reference") is not None)

    lied_to("txtai", ask)


if __name__ == "__main__":
    main()
