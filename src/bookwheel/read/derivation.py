"""Whether a sentence follows from a stored one by leaving out, in the manner of natural logic, and by nothing else.

A claim follows from a stored sentence where all its words stand there in this order, or in the order that the passive turned
into the active or a moved date gives, and what the claim leaves out is of a kind that may be left out: words before a name or a
noun, an aside between commas or brackets, an adjunct, a clause at the end. Nothing may be left out that turns what is said:
no negation, hedge, condition, quantifier or "he said that". So "B acquired A" does not follow from "A acquired B", nor "France
visited Berlin" from "The president of France visited Berlin", though all their words are there. Most of what may be left out may
also limit the rest ("in theory", "joked Armstrong"), so that it has to be shown; what need not be is told by `dropping`.

No grammar is parsed, and no model asked: the rules know the closed classes of English (`wording`) and refuse what they do
not know, so that some true paraphrases are refused, too. In other languages only whole sentences, and beginnings of sentences up to
a comma, are recognised. The idea of deletions that keep a sentence true: MacCartney and Manning, Natural logic for textual
inference, 2007.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from .comparison import asks, beginning, content, same, verb, whole
from .dropping import MONTHS, dated, harmless_beginning, harmless_bracket, harmless_end, harmless_gap
from .tokens import Token
from .wording import (
    ADVERBS,
    AFTER_CLAUSE,
    ATTRIBUTIONS,
    AUXILIARIES,
    BE,
    CONJUNCTIONS,
    CUES,
    DETERMINERS,
    LIGHT,
    NAME_PARTS,
    NEGATIONS,
    PREPOSITIONS,
    RELATIVES,
    SAYING,
    TURNS,
    UNIVERSALS,
)

__all__ = ["follows"]

Tokens = Sequence[Token]
LONGEST = 250
"""Tokens of a sentence that is compared; longer ones are only recognised whole."""
_PAIRS = {",": ",", "(": ")", "[": "]", "-": "-"}
_LINKED = frozenset(
    ("and", "because", "since", "when", "which", "who", "while", "although", "though", "as", "after", "before", "where", "so")
)
_OPEN = (PREPOSITIONS | DETERMINERS | CONJUNCTIONS) - {"so"}
"""No statement ends with one of them."""
_CLOSE = frozenset(".!?\"')]…")


# -- by leaving out ----------------------------------------------------------------------------------------------------


def follows(claim: Tokens, stored: Tokens, *, english: bool = True, loosely: bool = False) -> bool:
    """Whether ``claim`` follows from ``stored``; ``loosely``: but for what may limit it, which has to be shown with it (`dropping`).

    Nothing follows from a question but itself.
    """
    if asks(claim) != asks(stored):
        return False
    if whole(claim, stored) or (loosely and beginning(claim, stored)):
        return True
    if not english or len(claim) > LONGEST or len(stored) > LONGEST:
        return False
    claim, stored = _trimmed(claim), _trimmed(stored)
    if sum(map(content, claim)) < 2:
        return False
    forms = [*_orders(claim)]
    forms += [turned for form in forms if (turned := _active(form, loosely))]
    sources = [stored]
    if (plain := _unbracketed(stored, loosely)) is not None:
        sources.append(plain)
    turns = [turned for source in sources if (turned := _active(source, loosely))]
    return any(_aligned(form, source, loosely) for form in forms for source in sources) or any(
        _aligned(form, turned, loosely) for turned in turns for form in _orders(claim)
    )


def _unbracketed(tokens: Tokens, loosely: bool) -> list[Token] | None:
    """``tokens`` without what stands in brackets; None where nothing does, or what may limit the rest (`dropping`), or a cue."""
    out: list[Token] = []
    inner: list[Token] = []
    depth = 0
    for token in tokens:
        if token.text in "([":
            depth += 1
            inner = []
        elif token.text in ")]":
            depth -= 1
            if depth < 0 or not (loosely or harmless_bracket(inner, out[-1] if out else None)):
                return None
        elif not depth:
            out.append(token)
        elif _cue(token):
            return None
        else:
            inner.append(token)
    return out if not depth and len(out) < len(tokens) else None


def _trimmed(tokens: Tokens) -> list[Token]:
    out = [token for token in tokens if token.norm != '"']
    while out and out[-1].norm in _CLOSE:
        out.pop()
    return out


def _orders(claim: Tokens) -> Iterator[list[Token]]:
    """The claim, and the claim with its date moved from the front to the end or back."""
    yield list(claim)
    comma = next((at for at, token in enumerate(claim) if token.text == ","), 0)
    if 1 < comma < len(claim) - 2 and dated(claim[:comma]):
        yield [*claim[comma + 1 :], *claim[:comma]]
    for length in (4, 3, 2):
        if len(claim) > length + 2 and not comma and dated(claim[:length]):
            yield [*claim[:length], _COMMA, *claim[length:]]
    for length in (2, 3, 4):
        if len(claim) > length + 2 and dated(claim[-length:]):
            yield [*claim[-length:], _COMMA, *claim[:-length]]


_COMMA = Token("mark", ",", 0, 0, ",")


def _active(tokens: Tokens, loosely: bool) -> list[Token] | None:
    """``A V B`` for tokens that begin ``B is/was V by A``; None where they do not. Unless ``loosely``, A has a name: by the river is
    where."""
    for at, token in enumerate(tokens[:-3]):
        if token.text in ",;:(" or token.norm in RELATIVES:
            return None
        if token.norm not in BE:
            continue
        done, agent = tokens[at + 1], at + 3
        if tokens[at + 2].norm != "by" or not verb(done) or done.norm in AUXILIARIES or done.norm.endswith("ing") or not at:
            return None
        end = agent
        while (
            end < len(tokens)
            and tokens[end].kind != "mark"
            and not (tokens[end].norm in PREPOSITIONS or tokens[end].norm in RELATIVES or tokens[end].norm in CONJUNCTIONS)
        ):
            end += 1
        by = tokens[agent:end]
        if not by or by[0].kind == "date" or by[0].norm in MONTHS or by[0].kind == "number" or verb(by[0]):
            return None
        if not (loosely or any(token.name for token in by)):
            return None
        return [*by, done, *tokens[:at], *tokens[end:]]
    return None


def _aligned(claim: Tokens, stored: Tokens, loosely: bool) -> bool:
    """Whether the claim's words stand in ``stored`` in order, with only droppable runs between, before and after them.

    Unless ``loosely``, only such runs as are harmless.
    """
    needed = [token for token in claim if token.kind != "mark" and token.norm not in LIGHT]
    if not needed:
        return False
    if not loosely and _few(claim) != _few(stored):
        return False
    commas = _commas(claim)
    strict = any(token.norm in UNIVERSALS or token.norm in NEGATIONS or _superlative(token) for token in needed)
    size = len(stored)
    dead: set[tuple[int, int]] = set()

    def rest(i: int, at: int) -> bool:
        """Whether needed[i:] can be found, needed[i - 1] being stored[at]."""
        if i == len(needed):
            ends = needed[-1].norm not in _OPEN and _after(stored, at + 1, strict)
            return ends and (loosely or harmless_end(claim, stored, at + 1))
        if (i, at) in dead:
            return False
        for j in range(at + 1, min(size, at + 60)):
            here = _same(needed[i], stored[j], loosely) and _possessed(needed, i, stored, j)
            if not (here and _droppable(stored, at, j, commas[i], strict)):
                continue
            if (loosely or harmless_gap(stored[at], stored[at + 1 : j], claim)) and rest(i + 1, j):
                return True
        dead.add((i, at))
        return False

    return any(
        _same(needed[0], stored[first], loosely)
        and _possessed(needed, 0, stored, first)
        and _before(stored, first, needed[0])
        and (loosely or harmless_beginning(claim, stored, first))
        and rest(1, first)
        for first in range(size)
    )


def _same(one: Token, other: Token, loosely: bool) -> bool:
    """Whether two tokens say the same; unless ``loosely``, in the same form: ships are not a ship, and who lived does not live."""
    return same(one, other) and (loosely or one.kind != "word" or one.norm == other.norm)


def _few(tokens: Tokens) -> list[bool]:
    """Of each ``few`` and ``little``, whether ``a`` stands before it: a few are some, few are hardly any."""
    return [at > 0 and tokens[at - 1].norm == "a" for at, token in enumerate(tokens) if token.norm in ("few", "little")]


def _commas(claim: Tokens) -> list[bool]:
    """For each needed word, whether a mark of punctuation stands before it in the claim."""
    out, mark = [], False
    for token in claim:
        if token.kind == "mark":
            mark = mark or token.norm in ",;:-("
        elif token.norm not in LIGHT:
            out.append(mark)
            mark = False
    return out


def _possessed(needed: Tokens, i: int, stored: Tokens, j: int) -> bool:
    """Whether the words are alike in their ``'s``: A's share is not A."""
    mine = i + 1 < len(needed) and needed[i + 1].norm == "'s"
    return mine == (j + 1 < len(stored) and stored[j + 1].norm == "'s")


def _superlative(token: Token) -> bool:
    return token.kind == "word" and len(token.norm) > 5 and token.norm.endswith("est") and not token.name


def _cue(token: Token) -> bool:
    return token.norm in CUES


def _droppable(stored: Tokens, before: int, behind: int, comma: bool, strict: bool) -> bool:
    """Whether what stands between two places may be left out."""
    run = stored[before + 1 : behind]
    if not run:
        return True
    if any(map(_cue, run)):
        return False
    following = stored[behind]
    if comma and run[0].norm == "," and len(run) > 1:  # an adjunct, a comma, and words before a noun
        tail = [token for token in run[1:] if token.norm not in LIGHT and token.norm not in ADVERBS]
        return not tail or (not strict and _one_noun(run[1:]) and _premodifiers(tail, following))
    bare = [token for token in run if token.norm not in LIGHT and token.norm not in ADVERBS and token.norm not in "\"'"]
    if not bare:
        return True
    if all(token.kind == "mark" for token in bare):
        # a comma that the claim has too, or the hyphen of a compound; an aside of brackets is below
        numbers = following.kind == "number" and stored[before].kind == "number"
        return len(bare) == 1 and ((bare[0].norm == "-" and (comma or not numbers)) or (comma and bare[0].norm in ",;"))
    if following.glued or (bare[0].glued and bare[0].kind != "mark"):
        return False
    if bare[0].kind == "mark":
        closing = _PAIRS.get(bare[0].norm)
        if closing is None or bare[-1].norm != closing or len(bare) < 3:
            return False
        return not strict or bare[0].norm in "(["
    if all(token.norm in ("have", "has", "had") for token in bare):
        return verb(following)
    if bare[0].norm in PREPOSITIONS:
        ends = following.norm in PREPOSITIONS and following.norm != "of"
        inner = [token for token in bare if token.norm not in PREPOSITIONS]
        return not strict and bare[-1] in inner and _plain(inner) and (ends or verb(following))
    # words before a noun: they begin after an article, a preposition or a verb, or at the head of the sentence
    left = stored[before]
    anchored = run[0].norm in DETERMINERS or left.norm in DETERMINERS or left.norm in PREPOSITIONS or verb(left)
    return anchored and not strict and _one_noun(run) and _premodifiers(bare, following)


def _one_noun(run: Tokens) -> bool:
    """Whether no article or the like stands inside, where another noun would begin."""
    return not any(token.norm in DETERMINERS for token in run[1:])


def _plain(tokens: Tokens) -> bool:
    """Whether no token is a verb, a mark, a possessive, or begins a clause."""
    return not any(
        verb(token) or token.norm in RELATIVES or token.norm in CONJUNCTIONS or token.norm == "'s" or token.kind == "mark"
        for token in tokens
        if token.norm != "-"
    )


def _premodifiers(tokens: Tokens, following: Token) -> bool:
    return (
        _plain(tokens)
        and not any(token.norm in PREPOSITIONS for token in tokens)
        and content(following)
        and not verb(following)
        and not following.glued
        and not _another_name(tokens[-1], following)
    )


def _another_name(before: Token, name: Token) -> bool:
    """Whether a name is another one without the word before it: South Sudan is not Sudan."""
    return before.norm in NAME_PARTS and before.text[0].isupper() and name.text[0].isupper()


def _before(stored: Tokens, first: int, head: Token) -> bool:
    """Whether the claim may begin at ``stored[first]``: at the head of the sentence or of a clause, but for an adjunct."""
    if stored[first].glued or (first and _another_name(stored[first - 1], stored[first])):
        return False
    at = first
    # words before the noun
    while (
        at > 0
        and stored[at - 1].kind in ("word", "number", "sign")
        and not (
            stored[at - 1].norm in PREPOSITIONS
            or stored[at - 1].norm in CONJUNCTIONS
            or stored[at - 1].norm in RELATIVES - {"that"}
            or stored[at - 1].norm == "'s"
            or verb(stored[at - 1])
            or _cue(stored[at - 1])
        )
    ):
        at -= 1
        if stored[at].norm == "that":
            return False
        if stored[at].norm in DETERMINERS:
            break
    if at < first and (verb(head) or head.norm in PREPOSITIONS or head.norm in AUXILIARIES):
        return False
    if at == 0:
        return True
    mark, prefix = stored[at - 1], stored[: at - 1]
    if mark.text == ";":
        return True
    opening = [token for token in prefix if token.kind != "mark"]
    if not opening:
        return mark.kind == "mark"
    if mark.norm in ("while", "whereas", "but") and len(prefix) > 1 and prefix[-1].text == ",":
        return not any(map(_cue, prefix))
    if mark.text != "," or sum(token.text == "," for token in prefix):
        return False
    # an adjunct before the first comma: "In 1588,", "After the war,", "Although it was late,", "However,"
    lead = opening[0].norm
    if lead in TURNS:
        return not any(token.norm in ATTRIBUTIONS for token in prefix)
    if any(map(_cue, prefix)):
        return False
    return lead in PREPOSITIONS or lead in _OPENERS or lead.endswith("ly")


_OPENERS = frozenset(
    ("when", "as", "because", "however", "thus", "therefore", "also", "then", "later", "finally", "meanwhile", "moreover", "furthermore",
     "additionally", "here", "today", "now", "initially", "eventually", "afterwards", "instead")
)  # fmt: skip


def _after(stored: Tokens, at: int, strict: bool) -> bool:
    """Whether the claim may end before ``stored[at]``."""
    rest = stored[at:]
    if not rest:
        return True
    head, last = rest[0], stored[at - 1]
    if head.name and last.text[0].isupper() and at > 1:  # in the middle of a name
        return False
    if last.kind == "number" and head.norm in ("and", "to", "or", "-") and len(rest) > 1 and rest[1].kind == "number":
        return False
    if head.glued or head.norm in ("'s", "%") or head.kind == "sign":
        return False
    if head.norm == "-" and len(rest) > 1 and rest[1].glued:
        return False
    if any(token.norm in SAYING for token in rest):
        return False
    clause = [token for token in rest if token.norm != '"']
    first = next((token for token in clause if token.kind != "mark"), None)
    if first is None:
        return True
    if first.norm in AFTER_CLAUSE or any(one.text == "," and two.norm in AFTER_CLAUSE for one, two in pairwise(clause)):
        return False
    if first.norm not in _LINKED and any(token.norm in NEGATIONS for token in clause[:4]):
        return False
    if head.kind == "mark":
        return head.norm in ",;:()-."
    if strict:
        return False
    if head.norm in PREPOSITIONS or head.norm in _LINKED or head.norm in ("that", "whom", "whose", "how", "where"):
        return True
    return head.kind in ("number", "date") and not verb(stored[at - 1])
