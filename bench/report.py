"""Writes the tables and plots of docs/measurements.md and docs/budget.md from docs/results/*.json.

    python bench/report.py            tables, and plots where matplotlib's environment can be made
    python bench/report.py --check    fails where a document is not what the results give

In a document ``<!-- results: NAME -->`` … ``<!-- end -->`` stand around what is generated; other words are written by hand.
NAME-*.json is the result; of several the one with most items is taken. A result is what `harness.compare` returns, or has
``tables`` of its own (a list of ``{"title", "head", "rows"}``), or a ``text`` in Markdown.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

from common import RESULTS, ROOT, table
from peers import environment_of, python_of

DOCUMENTS = (ROOT / "docs" / "measurements.md", ROOT / "docs" / "budget.md")
MARK = re.compile(r"(<!-- results: ([a-z0-9-]+) -->\n).*?(<!-- end -->)", re.S)
BUSY = 1.5
"""The system's load above which a build, of one thread, was not alone."""
PLOTTED = ("lexical", "sparse", "dense-static", "dense-pooled")


def result_of(name: str) -> tuple[str, dict[str, Any]] | None:
    """The largest result of a benchmark, with its file's stem."""
    found = []
    for path in RESULTS.glob("*.json"):
        if path.stem == name or re.fullmatch(rf"{re.escape(name)}-\d+", path.stem):
            result = json.loads(path.read_text())
            found.append((int(result.get("items", 0)), path.stem, result))
    if not found:
        return None
    _, stem, result = max(found, key=lambda one: one[0])
    return stem, result


def mb(size: float | None) -> str:
    return "" if size is None else f"{size / 2**20:,.0f}"


def ms(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def origin(result: dict[str, Any]) -> str:
    """One line on where and when."""
    where = result["machine"]
    name = f"{where['processor']}, {where['cores']} cores"
    name += f", {where['memory_bytes'] / 2**30:.0f} GB" if where.get("memory_bytes") else ""
    load = where.get("load", [0])[0]
    words = [
        f"{result['items']:,} items" if "items" in result else "",
        f"median of {result['rounds']} rounds in turn" if "rounds" in result else "",
        name,
        f"numba {where['numba']}" if "numba" in where else "",
        f"commit {where['commit']}" if where.get("commit") else "",
        f"one core reads {result['read_bytes_per_second'] / 1e9:.0f} GB/s" if "read_bytes_per_second" in result else "",
        where.get("date", ""),
        f"load {load} at the end" if load > where["cores"] else "",
    ]
    taken: dict[str, list[str]] = {}
    for c in result.get("contenders", []):
        if c.get("taken") not in (None, where.get("commit")):
            taken.setdefault(c["taken"], []).append(c["name"])
    apart = "".join(f"\n\nTaken in another run, at commit {name}: {'; '.join(some)}." for name, some in taken.items())
    told = textwrap.fill(f"*{'; '.join(word for word in words if word)}.*", 100, break_on_hyphens=False, break_long_words=False)
    return told + apart


# -- results of harness.compare ----------------------------------------------------------------------------------------


def compared(stem: str, result: dict[str, Any]) -> str:
    """Building, searching by query set and k, and what failed."""
    contenders = result["contenders"]
    text = [origin(result), building(contenders)]
    sets = dict.fromkeys(title for c in contenders for title in c.get("latency", {}))
    for title in sets:
        text += [f"Queries: {title}.", searching(contenders, title)]
    if failed := [f"- {c['name']}: {c['error']}" for c in contenders if "error" in c]:
        text += ["Failed:\n\n" + "\n".join(failed)]
    if any(stem.startswith(name) for name in PLOTTED):
        text.append(f"![Latency against memory](results/{stem}.png)")
    text += [f"{one['title']}\n\n{table(one['head'], one['rows'])}" for one in result.get("tables", [])]
    if left := result.get("left_out"):
        text.append("Left out:\n\n" + "\n".join(f"- {name}: {why}." for name, why in left.items()))
    return "\n\n".join(text)


def building(contenders: list[dict[str, Any]]) -> str:
    rows, seen, beside = [], set(), []
    for c in contenders:
        if (build := c.get("build")) and (mark := (build["seconds"], build["disk_bytes"])) not in seen:
            seen.add(mark)
            rows.append([
                c.get("built_as", c["name"]), build.get("version", ""), f"{build['seconds']:,.1f}", f"{build['items_per_second']:,.0f}",
                mb(build["peak_anonymous_bytes"]), mb(build["peak_total_bytes"]), mb(build["disk_bytes"]),
            ])  # fmt: skip
            if build.get("load", 0) > BUSY:
                beside.append(c.get("built_as", c["name"]))
    head = ["built", "version", "seconds", "items/s", "peak anonymous MB", "peak resident MB", "disk MB"]
    words = f"\n\nBuilt while others used the machine (load above {BUSY}): {'; '.join(beside)}." if beside else ""
    return table(head, rows) + words


def searching(contenders: list[dict[str, Any]], title: str) -> str:
    ks = sorted({int(k) for c in contenders for k in c.get("latency", {}).get(title, {})})
    recalled = any(title in c.get("recall", {}) for c in contenders)
    head = ["searched", *(f"k={k}: p50 / p95 / p99 ms" for k in ks)]
    head += [f"recall@{k}" for k in ks] if recalled else []
    head += [f"queries/s, 2 threads, k={ks[0]}", "anonymous MB", "resident MB"] if ks else []
    rows = []
    for c in contenders:
        if title not in c.get("latency", {}):
            continue
        row: list[object] = [c["name"]]
        for k in ks:
            figures = c["latency"][title].get(str(k))
            few = f" ({figures['queries']:.0f} queries)" if figures and figures["queries"] < 100 else ""
            row.append("" if figures is None else " / ".join(ms(figures[p]) for p in ("p50_ms", "p95_ms", "p99_ms")) + few)
        if recalled:
            for k in ks:
                share = c.get("recall", {}).get(title, {}).get(str(k))
                some = c.get("recall_queries", {}).get(title, {}).get(str(k), 1000)
                row.append("" if share is None else f"{share:.4f}" + (f" ({some} queries)" if some < 1000 else ""))
        speed = c.get("throughput", {}).get(title, {}).get(str(ks[0]))
        memory = c.get("memory", {})
        row += ["" if speed is None else f"{speed:,.0f}", mb(memory.get("anonymous_bytes")), mb(memory.get("total_bytes"))]
        rows.append(row)
    return table(head, rows)


# -- results with a form of their own ----------------------------------------------------------------------------------


def cold(stem: str, result: dict[str, Any]) -> str:
    dropped = {None: "nothing", False: "the library", True: "everything"}
    rows = []
    for row in result["rows"]:
        parts = row.get("parts", {})
        rows.append([
            row["what"], row["recipe"], row["k"], dropped[row["everything"]],
            f"{row['median_ms']:.0f}", f"{row['most_ms']:.0f}",
            f"{row['with_texts']['median_ms']:.0f}" if "with_texts" in row else "",
            mb(parts.get("read_bytes")), f"{parts['major_faults']:.0f}" if parts else "",
        ])  # fmt: skip
    head = ["", "recipe", "k", "dropped", "median ms", "slowest ms", "with texts ms", "MB read", "major faults"]
    return f"{origin(result)}\n\n{table(head, rows)}"


def kept_within(stem: str, result: dict[str, Any]) -> str:
    """Phases within a budget, latency within it, and what other tools take to index the same words."""
    text = [origin(result)]
    rows = [
        [
            phase["what"], mb(phase["limit"]), phase["how"],
            "yes" if phase["within"] and phase["exit_code"] == 0 else "no: killed" if phase["killed"] else "no",
            f"{phase['seconds']:,.0f}", mb(phase["peak_anonymous_bytes"]), mb(phase["peak_total_bytes"]), phase.get("segments", ""),
        ]
        for phase in result["phases"]
    ]  # fmt: skip
    head = ["bookwheel", "limit MB", "by", "kept", "seconds", "peak anonymous MB", "peak resident MB", "segments after"]
    text.append(table(head, rows))
    searched = [phase for phase in result["phases"] if "latency" in phase]
    rows = []
    for way in searched[0]["latency"] if searched else []:
        some = [phase["latency"][way] for phase in searched]
        rows.append([way, *(f"{ms(one['p50_ms'])} / {ms(one['p95_ms'])} / {ms(one['p99_ms'])}" for one in some)])
    if rows:
        text.append(table(["within the limit", *(f"{phase['what']}: p50 / p95 / p99 ms" for phase in searched)], rows))
    others = [
        [f"{one['what']}, in {mb(one['limit'])} MB", one.get("data", "words"), ended(one), *seconds_and_peak(one)]
        for one in result.get("peers", [])
    ]
    for name, data in (("lexical", "words"), ("dense-static", "vectors")):
        found = result_of(name)
        for c in found[1]["contenders"] if found is not None and found[1]["items"] == result["items"] else []:
            if "build" in c and not c["name"].startswith("bookwheel"):
                row = [f"{c.get('built_as', c['name'])}, without a limit", data, "done", *seconds_and_peak(c["build"])]
                others += [row] if row[1:] not in [other[1:] for other in others] else []
    if others:
        text.append(table(["other tools, building", "from", "", "seconds", "peak anonymous MB"], others))
    return "\n\n".join(text)


def ended(row: dict[str, Any]) -> str:
    """How a build within a limit ended."""
    if row["exit_code"] == 0:
        return "done" if row["within"] else "done, above the limit"
    if row.get("ended"):
        return "not done in this time"
    return "killed" if row["killed"] else f"failed: {' '.join(row.get('error', []))[:120]}"


def seconds_and_peak(row: dict[str, Any]) -> list[str]:
    return [f"{row['seconds']:,.0f}", mb(row["peak_anonymous_bytes"])]


def own_tables(stem: str, result: dict[str, Any]) -> str:
    text = [origin(result)]
    for one in result["tables"]:
        text += [one["title"]] if one.get("title") else []
        text.append(table(one["head"], one["rows"]))
    return "\n\n".join(text)


def own_text(stem: str, result: dict[str, Any]) -> str:
    return f"{origin(result)}\n\n{result['text']}"


def render(name: str) -> str:
    """What stands between the marks of ``name``."""
    found = result_of(name)
    if found is None:
        return "*Not measured yet.*"
    stem, result = found
    forms: list[tuple[str, Callable[[str, dict[str, Any]], str]]] = [
        ("text", own_text), ("phases", kept_within), ("contenders", compared), ("tables", own_tables), ("rows", cold),
    ]  # fmt: skip
    return next((form(stem, result) for key, form in forms if key in result), f"[{stem}.json](results/{stem}.json)")


def plots() -> None:
    """Draw the results of comparisons, in matplotlib's own environment."""
    stems = [found[0] for name in PLOTTED if (found := result_of(name)) is not None]
    try:
        python = python_of("plots")
    except subprocess.CalledProcessError as error:
        print(f"no plots: {error}", file=sys.stderr)
        return
    command = [python, ROOT / "bench" / "plots.py", *(RESULTS / f"{stem}.json" for stem in stems)]
    subprocess.run(command, check=True, env=environment_of("plots", 1))


def main() -> None:
    missing: list[str] = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        new = MARK.sub(lambda found: f"{found[1]}\n{render(found[2])}\n\n{found[3]}", text)
        if "--check" in sys.argv[1:]:
            if new != text:
                sys.exit(f"docs/{document.name} is not what docs/results gives; run: python bench/report.py")
            continue
        document.write_text(new, encoding="utf-8")
        missing += [name for _, name, _ in MARK.findall(text) if result_of(name) is None]
        print(f"{document.relative_to(ROOT)} is written")
    if "--check" in sys.argv[1:]:
        return
    for stale in RESULTS.glob("*.md"):
        stale.unlink()
    plots()
    if missing:
        print(f"not measured yet: {', '.join(missing)}")


if __name__ == "__main__":
    main()
