"""Asking within a limit on memory that the kernel enforces: 2,000 questions without a model, and how the process grows.

    python bench/ask_memory.py [--text TEXTS.jsonl.gz --passages 100000] [--questions 2000] [--limit 512MB]

The library has XQuAD's paragraphs among real passages; the questions are XQuAD's, over and over, with whole-collection questions,
limits and follow-ups in between. A process of its own answers them inside a cgroup of `--limit` (polled where there is none). It
notes its anonymous memory after the first tenth of the questions, which warms what is kept on purpose, and after the last: growth
is the difference. Results go into docs/results/ask-memory.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import ROOT, SHARED, keep, read_texts, table, text_of

sys.path.insert(0, str(ROOT / "src"))
sys.path.insert(0, str(ROOT / "tests" / "budget"))


def build(folder: Path, data: Path, text: Path | None, passages: int) -> None:
    """The library."""
    import bookwheel

    library = bookwheel.open(folder, create=True, ram="512MB")
    corpus = [json.loads(line) for line in (data / "xquad_en" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    library.add(
        {"id": one["_id"], "title": one["title"], "text": one["text"], "year": 2000 + n % 20} for n, one in enumerate(corpus)
    )
    if text is not None:
        library.add({"id": f"t{n}", "text": text_of(one)} for n, one in enumerate(read_texts(text, passages)))


def questions(data: Path, count: int) -> list[dict[str, Any]]:
    """Questions of all kinds."""
    lines = (data / "xquad_en" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    found: list[dict[str, Any]] = []
    for number in range(count):
        text = texts[number % len(texts)]
        if number % 10 == 3:
            found.append({"question": f"{text} year >= {2000 + number % 15}"})
        elif number % 10 == 5:
            word = max(text.strip("?").split(), key=len)
            found.append({"question": f"how many documents mention {word}?"})
        elif number % 10 == 7:
            found.append({"question": "And when was it?", "history": (texts[(number - 1) % len(texts)],)})
        else:
            found.append({"question": text})
    return found


def answer(folder: str, asked: str) -> None:
    """In a process of its own: answers every question and prints what it measured."""
    import resource

    import bookwheel
    from bookwheel._system import anonymous_bytes, peak_memory

    library = bookwheel.open(folder, ram="512MB")
    every = json.loads(Path(asked).read_text(encoding="utf-8"))
    warm, answered = 0, 0
    for number, one in enumerate(every):
        found = library.ask(one["question"], history=tuple(one.get("history", ())))
        answered += not found.refused
        if number == len(every) // 10:
            warm = anonymous_bytes() or 0
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "questions": len(every),
                "answered": answered,
                "anonymous_warm": warm,
                "anonymous_end": anonymous_bytes(),
                "peak_resident": peak_memory(),
                "processor_ms_a_question": 1000 * (used.ru_utime + used.ru_stime) / len(every),
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED / "data")
    parser.add_argument("--text", type=Path)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=2000)
    parser.add_argument("--limit", default="512MB")
    parser.add_argument("--answer", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        return answer(*options.answer)
    from limits import LOOK, run_within

    from bookwheel.memory.sizes import ram_of

    limit = ram_of(options.limit)
    with tempfile.TemporaryDirectory() as folder:
        library, asked = Path(folder) / "library", Path(folder) / "asked.json"
        # In another process, so that this one's memory counts for nothing.
        code = "import sys; from pathlib import Path; from ask_memory import build; a = sys.argv; "
        code += "build(Path(a[1]), Path(a[2]), Path(a[3]) if a[3] else None, int(a[4]))"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "bench")])}
        command = [sys.executable, "-c", code, str(library), str(options.data), str(options.text or ""), str(options.passages)]
        subprocess.run(command, env=environment, check=True)
        asked.write_text(json.dumps(questions(options.data, options.questions)), encoding="utf-8")
        command = [sys.executable, str(Path(__file__).resolve()), "--answer", str(library), str(asked)]
        outcome = run_within(limit, command, environment, timeout=3600, look=LOOK)
        size = sum(file.stat().st_size for file in library.rglob("*") if file.is_file())
    if outcome.code or not outcome.within:
        sys.exit(f"{outcome.told()}, exit code {outcome.code}\n{outcome.errors[-2000:]}")
    told = json.loads(outcome.output.splitlines()[-1])
    growth = told["anonymous_end"] / max(told["anonymous_warm"], 1) - 1
    result = {
        **told,
        "growth": growth,
        "limit": limit,
        "enforced_by": outcome.how,
        "peak_anonymous": outcome.peak,
        "disk_bytes": size,
    }
    result["passages"] = options.passages if options.text else 0
    rows = [
        ["questions, answered", f"{told['questions']:,}, {told['answered']:,}"],
        ["limit, enforced by", f"{limit >> 20} MB, {outcome.how}"],
        ["most anonymous memory", f"{outcome.peak / 2**20:.0f} MB"],
        ["growth after the first tenth", f"{100 * growth:.1f} %"],
        ["processor time a question", f"{told['processor_ms_a_question']:.1f} ms"],
    ]
    keep("ask-memory", result, table(["asking without a model", "measured"], rows))


if __name__ == "__main__":
    main()
