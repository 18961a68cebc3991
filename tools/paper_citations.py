"""The papers that the code names: references in docstrings, in comments, in the sources of registries.

Understood are ``Authors, "Full Title" (VENUE YEAR)`` and ``Authors, "Full Title", VENUE YEAR``, with straight or typographic
quotes and over several lines; the same without quotes, as registries have it; ``Authors (YEAR)``; and an address at arXiv
instead of a year.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Citation", "citations", "is_name", "normal", "read_text"]

_UPPER = "".join(chr(code) for code in range(0x41, 0x250) if chr(code).isupper())
_NAME = rf"(?:\b(?:[Vv]an|[Vv]on|[Dd]en?|[Dd]er|[Dd]el|[Dd]i|[Dd]a|[Dd]os|[Ll]a|[Ll]e)\s)*(?:\b[{_UPPER}]\.\s?)*\b[{_UPPER}][\w'’-]*\w\b"
_YEAR = r"\b(?:1[89]\d\d|20[0-4]\d)\b(?!-)"
_ARXIV = r"(?:https?://)?arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})|\barXiv:\s?(\d{4}\.\d{4,5})"
_AUTHORS = re.compile(
    rf"(?P<pair>{_NAME}(?:,\s{_NAME})*,?\s(?:and|&)\s{_NAME})|(?P<first>{_NAME}),?\set\sal\b\.?"
    rf"|(?P<plain>{_NAME}(?:,\s{_NAME}){{2,}})(?=,?\s[(]?{_YEAR})|(?P<alone>{_NAME})"
)
_QUOTED = re.compile(
    r"(?P<link>,?\s|(?P<prose>\s[a-z][a-z -]{1,60},\s)|['’]s?(?:\s\w+){0,3}\s\()[\"“](?P<title>[^\"“”]{3,260}?),?[\"”]"
)
_TITLE = re.compile(r"[\"“](?P<title>[A-Z][^\"“”]{10,260}?),?[\"”]")
_INSIDE = r"(?:[^()\"“”]|\([^()]{0,12}\)){0,160}?"
_AFTER = re.compile(
    rf",?\s?\((?P<inside>{_INSIDE})\)(?:,\s(?P<later>{_YEAR}))?(?:,\s(?P<name>[A-Z][\w+-]+)(?=,\s[ah]))?(?:,\s(?P<beside>{_ARXIV}))?"
    rf"|,?\s(?P<open>(?:[^;\"“”()]|\([^()]{{0,12}}\)){{0,60}}?)(?P<year>{_YEAR}|{_ARXIV})(?:,\s(?P<more>{_ARXIV}))?",
    re.IGNORECASE,
)
_UNQUOTED = re.compile(
    rf",?\s\(?(?P<body>(?:[^;\"“”():]|\(\d+\)|:(?=\S)){{0,200}}?)(?P<by>,\s|\s\(|\s|(?<=[\s(]))"
    rf"(?P<venue>(?:[A-Z][\w&-]*\s(?:of\s)?){{0,3}}(?:\d+\(\d+\),\s)?)(?P<year>{_YEAR})(?P<rest>[^().]{{0,60}}\))?"
    rf"|(?:,?\s(?P<words>[^;\"“”():.]{{0,160}}?))?,?\s\(?(?P<url>{_ARXIV})"
)
_SENTENCE = re.compile(r"[.?]\s+[A-Z]")
_LABEL = re.compile(r"(?:^|[\s(\"“])([^\s()\"“”,;:`]*\w[+-]*)[\"”]?(?:['’]s)?(?:\s[a-z]+){0,2}(?:\s\(|,\s)$")
_PROMISING = re.compile(rf"[a-z.,)][\s(,]+(?:[^\s]+\s){{0,3}}\(?{_YEAR}|arxiv|[A-Za-z.],\s+[\"“][A-Z]", re.IGNORECASE)
_DATED = re.compile(rf"{_YEAR}|arxiv", re.IGNORECASE)
_VENUES = frozenset(
    (  # noqa: SIM905
        "AAAI ACL ACM AISTATS ASPLOS CACM CHI CIKM COLING COLM CVPR CoLM CoNLL DSN DocEng EACL ECCV ECIR EMNLP EuroSys FAST FOCS "
        "Findings ICASSP ICCV ICDE ICDM ICLR ICML ICTIR IEEE IJCAI IJCNLP IP&M ISCA Interspeech JASIS JASIST JMLR KDD LREC MICRO "
        "MLSys MinishLab NAACL NIPS NIST NSDI NTCIR NeurIPS OOPSLA OSDI PAMI PODS PVLDB RecSys SAC SC SIGIR SIGIR-AP SIGMOD SOSP "
        "STOC TACL TKDE TMLR TOIS TPAMI TREC TREC-2 TWEB UAI UIST USENIX VLDB VLSP WSDM WWW Nature Science arXiv"
    ).split()
)
_TIMES = frozenset(
    (  # noqa: SIM905
        "January February March April May June July August September October November December Year Since Until Before After "
        "In Of The To As By For Office From On And Python Windows Unicode Debian Linux ISO"
    ).split()
)
_FORMATS = frozenset("HTML HTTP JSON PDF SQL XML".split())  # noqa: SIM905
_SMALL = frozenset("a an and as at by for from in is of on or the to with".split())  # noqa: SIM905


@dataclass(frozen=True)
class Citation:
    """One reference to a paper, where it stands."""

    file: str
    authors: tuple[str, ...]
    others: bool = False
    """Whether *et al.* follows."""
    title: str = ""
    year: int = 0
    venue: str = ""
    arxiv: str = ""
    labels: frozenset[str] = frozenset()
    """Short names of what the paper describes, as they are written."""
    quoted: bool = False
    scope: str = ""
    """The name of the registry's line that it stands in, where there is one."""


def normal(text: str) -> str:
    """Letters and digits in small, words apart by one space."""
    return " ".join(re.findall(r"\w+", text.replace("-", "").lower()))


def is_name(label: str) -> bool:
    """Whether a word is a name that somebody made: capitals within it, a digit, a hyphen before a capital."""
    word = label.removeprefix("Mac").removeprefix("Mc")
    return (
        bool(re.search(r"\w[A-Z]|\d|-[A-Z]", word)) and label not in _VENUES | _FORMATS and not re.fullmatch(r"[\d.,-]+", label)
    )


def _is_venue(text: str) -> bool:
    words = [word for word in re.split(r"[\s,]+", re.sub(r"(?<!-)\b\d*\(\d+\)|(?<![-\w])\d+\b", " ", text)) if word]
    return bool(words) and all(word in _VENUES or word in ("of", "Information", "Retrieval") for word in words) and (
        any(word in _VENUES for word in words) or text.startswith("Information Retrieval")
    )  # fmt: skip


def _parts(text: str) -> tuple[str, int, str, frozenset[str]]:
    """What stands in a parenthesis after a title: venue, year, number at arXiv, short names."""
    venue, year, labels = "", 0, set()
    number = re.search(_ARXIV, text)
    text = re.sub(rf"\(?(?:{_ARXIV})\)?", " ", text)
    for part in re.split(r"[;,]\s*", text):
        found = re.search(_YEAR, part)
        year = year or (int(found[0]) if found else 0)
        words = " ".join(re.sub(_YEAR, " ", part).split()).strip(" .")
        if _is_venue(words):
            venue = venue or re.sub(r"\s*\d+(\(\d+\))?$", "", words)
        elif words and len(words.split()) <= 3 and (words[:1].isupper() or is_name(words)) and not found:
            labels.add(words)
    arxiv = (number[1] or number[2]) if number else ""
    return venue, year or _year_of(arxiv), arxiv, frozenset(labels)


def _year_of(arxiv: str) -> int:
    return 2000 + int(arxiv[:2]) if arxiv else 0


def _names(match: re.Match[str]) -> tuple[str, ...]:
    text = match["pair"] or match["first"] or match["plain"] or match["alone"]
    return tuple(re.sub(r"['’]s$", "", name).strip() for name in re.split(r",?\s(?:and|&)\s|,\s", text))


def _before(text: str, start: int) -> frozenset[str]:
    """The short name that stands before the authors: ``LoRA (Hu et al.``."""
    found = _LABEL.search(text[max(0, start - 80) : start])
    label = re.sub(r"['’]s$", "", found[1]) if found else ""
    return frozenset({label}) if is_name(label) else frozenset()


def read_text(text: str, file: str = "", scope: str = "", source: bool = False) -> Iterator[Citation]:
    """The references in one text. ``source``: it is a registry's, and has nothing else."""
    if not _PROMISING.search(text):
        return
    text, at = " ".join(text.split()), 0
    taken: list[tuple[int, int]] = []
    while match := _AUTHORS.search(text, at):
        found = _read(text, match, file, scope, source)
        if found is None:
            at = match.start() + 1 if match["alone"] is None else match.end()
            if match["pair"] or match["plain"]:  # its first name may have been the word before
                at = match.start() + len(text[match.start() :].split(" ", 1)[0]) + 1
            continue
        citation, at = found
        taken.append((match.start(), at))
        yield citation
    for quoted in _TITLE.finditer(text):
        after = _AFTER.match(text, quoted.end())
        if after is None or _SENTENCE.search(after[0]) or any(start <= quoted.start() < end for start, end in taken):
            continue
        venue, year, arxiv, labels = _parts(f"{after['inside'] or after[0]}, {after['beside'] or ''}")
        if year and len(quoted["title"].split()) > 3:
            taken.append((quoted.start(), after.end()))
            yield Citation(file, (), True, quoted["title"], year, venue, arxiv, labels, True, scope)
    for number in re.finditer(_ARXIV, text):
        if not any(start <= number.start() < end for start, end in taken):
            labels = _before(text, number.start())
            arxiv = number[1] or number[2]
            yield Citation(file, (), True, "", _year_of(arxiv), "", arxiv, labels, scope=scope)


def _read(text: str, match: re.Match[str], file: str, scope: str, source: bool) -> tuple[Citation, int] | None:
    """The reference that begins with these authors and where it ends; None where they are none."""
    authors, end, alone = _names(match), match.end(), match["alone"] is not None
    if authors[0] in _TIMES or authors[-1] in _TIMES | _VENUES or (authors[0] in _VENUES):
        return None
    others, labels = match["first"] is not None, _before(text, match.start())
    if quoted := _QUOTED.match(text, end - 2 if text[end - 2 : end] in ("'s", "’s") else end):
        after = _AFTER.match(text, quoted.end())
        venue, year, arxiv, more = "", 0, "", frozenset[str]()
        stop = quoted.end()
        if after and not _SENTENCE.search(after[0]):
            inside = after["inside"] if after["inside"] is not None else after[0]
            venue, year, arxiv, more = _parts(f"{inside}, {after['name'] or ''}, {after['beside'] or ''}")
            if after["later"]:
                year = int(after["later"])
            stop = after.end() if year else stop
        title = quoted["title"]
        if (not year and (alone or len(title.split()) < 3)) or (alone and quoted["prose"]):
            return None
        return Citation(file, authors, others, title, year, venue, arxiv, labels | more, True, scope), stop
    after = _UNQUOTED.match(text, end)
    if after is None or (alone and not (source or match.start() == 0 or text[: match.start()].endswith(("(", "; ", ": ")))):
        return None
    if after["url"]:
        _, year, arxiv, _ = _parts(after["url"])
        words = after["words"] or ""
        if alone and not words and is_name(authors[0]):
            return None
        return _unquoted(Citation(file, authors, others, "", year, "", arxiv, labels, scope=scope), words, after.end(), alone)
    venue = after["venue"].strip()
    body = after["body"].strip(" ,")
    if venue and (not _is_venue(venue) or body.rpartition(" ")[2] in _SMALL):  # *UMass at TREC 2004*: the year is of the title
        body, venue = f"{body}{after['by']}{venue} {after['year']}".strip(" ,("), ""
        if "," in body:
            head, _, tail = body.rpartition(", ")
            body = head if tail == after["year"] else body
    cited = Citation(file, authors, others, "", int(after["year"]), "", "", labels, scope=scope)
    cited = _with(cited, venue=re.sub(r"\s*\d+(\(\d+\))?,?$", "", venue))
    if body and after["by"] == " (" and not text[end : end + 2].startswith(","):
        return None
    rest = after["rest"] or ""
    if after["by"] == " (" or text[end : end + 2] == " (":
        _, _, arxiv, more = _parts(rest.rstrip(")"))
        cited = _with(cited, arxiv=arxiv, labels=labels | {one for one in more if len(one.split()) <= 2})
    stop = after.end("year")
    if trailing := re.match(rf",\s(?:{_ARXIV})", text[stop:]):
        cited, stop = _with(cited, arxiv=trailing[1] or trailing[2]), stop + trailing.end()
    return _unquoted(cited, body, stop, alone)


def _unquoted(cited: Citation, body: str, stop: int, alone: bool) -> tuple[Citation, int] | None:
    """With the words between authors and year as a venue, a short name or a title."""
    body = body.strip(" ,")
    if not body:
        return cited, stop
    if " et al" in f" {body}" or _SENTENCE.search(body) or re.search(rf"{_YEAR}.*\s(and|in)\s", body):
        return None
    if _is_venue(body):
        return _with(cited, venue=body), stop
    head, _, tail = body.rpartition(", ")
    if head and _is_venue(tail):
        cited, body = _with(cited, venue=tail), head
    if not (body[0].isupper() or body[0].isdigit() or is_name(body.split()[0]) or cited.venue):
        return None
    if alone and body.split()[0].lower() in _SMALL - {"a", "an", "the", "on", "in"}:
        return None
    if len(body.split()) < 3:
        return _with(cited, labels=cited.labels | {body}), stop
    return _with(cited, title=body), stop


def _with(citation: Citation, **changes: object) -> Citation:
    return Citation(**{**vars(citation), **changes})  # type: ignore[arg-type]


def citations(source: str, file: str) -> list[Citation]:
    """All references in the text of one module."""
    if not _DATED.search(source):
        return []
    texts: list[tuple[int, str, str, bool]] = []
    scopes: dict[int, str] = {}
    prose: set[int] = set()
    strings: list[ast.Constant] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr):
            prose.add(id(node.value))
        elif isinstance(node, ast.Call) and node.args and _string(node.args[0]):
            name = ast.literal_eval(node.args[0])
            scopes |= {id(one): name for one in (*node.args[1:], *(word.value for word in node.keywords)) if _string(one)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings.append(node)
    texts = [(node.lineno, str(node.value), scopes.get(id(node), ""), id(node) not in prose) for node in strings]
    if any(_DATED.search(line.partition("#")[2]) for line in source.splitlines() if "#" in line):
        texts += [(line, text, "", False) for line, text in _comments(source)]
    found = [one for _, text, scope, alone in sorted(texts) for one in read_text(text, file, scope, alone)]
    return list(dict.fromkeys(found))


def _string(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _comments(source: str) -> Iterator[tuple[int, str]]:
    """Comments, those of neighbouring lines as one, with the line they begin on."""
    first, last, words = 0, -2, ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line, text = token.start[0], token.string.lstrip("# ")
        if line == last + 1:
            words, last = f"{words} {text}", line
            continue
        if words:
            yield first, words
        first, last, words = line, line, text
    if words:
        yield first, words
