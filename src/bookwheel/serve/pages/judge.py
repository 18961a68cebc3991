"""`/judge`: which documents answer which queries, one at a time, as `bookwheel judge` asks it and into the same file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...tune.judging.grades import GRADES, HIGHEST
from ...tune.judging.inputs import judged_queries
from ...tune.judging.journal import Journal, journal_path, journals
from ...tune.judging.passages import Shown
from ...tune.judging.session import MOST_RECIPES, Session, Standing, pooled_of
from ..errors import Refusal
from ..parameters import ParameterError, parameter
from ..recipes import allowed_recipe
from ..route import Asked
from ..service import ReadOnly
from .links import link, named
from .marked import HIT, Piece, Spot, pieces_of

__all__ = ["JudgeParameters", "JudgeView", "judge_page"]

ME = "me"
"""The judge where none is named, as on the command line."""


@dataclass(frozen=True, slots=True)
class JudgeParameters:
    """What `/judge` takes."""

    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    judge: str = parameter(ME, "whose judgments these are", longest=80)
    action: str = parameter("", "what to do; only where the form is posted", choices=("pool", "judge", "skip", "undo"))
    queries: str = parameter("", "with pool: the queries, one a line, or an ID, a tab and the query", longest=1 << 20)
    recipe: tuple[str, ...] = parameter((), "with pool: a recipe to compare; may be repeated", longest=4096, many=MOST_RECIPES)
    depth: int = parameter(20, "with pool: documents of each ranking", least=1, most=1000)
    query: str = parameter("", "with judge and skip: the query's ID")
    document: str = parameter("", "with judge and skip: the document's ID")
    grade: int | None = parameter(None, "with judge: from 0, not relevant, to 3, answers it well", least=0, most=HIGHEST)


@dataclass(frozen=True, slots=True)
class JudgeView:
    """What is to be judged now, and how far it is."""

    judge: str
    judges: list[tuple[str, str]] = field(default_factory=list)
    """Others who have judged here, with the address of their pages."""
    shown: Shown | None = None
    """None where nothing is left to judge, or nothing is pooled."""
    pieces: list[Piece] = field(default_factory=list)
    href: str = ""
    """The whole document."""
    number: int = 0
    """Of the query among all, from 1."""
    queries: int = 0
    standing: Standing | None = None
    """None where nothing is pooled."""
    download: str = ""
    """The judgments as qrels."""
    grades: tuple[str, ...] = GRADES
    recipes: tuple[str, ...] = ()
    """Names of recipes that can be compared."""
    said: str = ""
    """What was done."""
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "judge": self.judge,
            "next": None if self.shown is None else self.shown.to_dict(),
            "standing": None if self.standing is None else self.standing.to_dict(),
            "grades": list(self.grades),
            **({"problem": self.problem} if self.problem else {}),
        }


def judge_page(asked: JudgeParameters, request: Asked) -> JudgeView:
    """Do what was posted, and show the next document to judge."""
    action = asked.action or ("judge" if asked.grade is not None else "")
    if action and request.method != "POST":
        raise Refusal(405, "what is judged is posted, not linked to", {"Allow": "POST"})
    if action and request.config.read_only:
        raise ReadOnly("this server is read-only: it keeps no judgments")
    if not request.served.exists:
        return JudgeView(asked.judge, problem=request.empty)
    library, name = request.library, named(request)
    journal = Journal(journal_path(library.path, asked.judge))
    if action == "pool":
        recipes = [recipe for one in asked.recipe if (recipe := allowed_recipe(one, library, request.config))]
        journal.pool(pooled_of(library, judged_queries(asked.queries), recipes, asked.depth))
    told: dict[str, Any] = {
        "judges": [(one, link("/judge", library=name, judge=one)) for one in journals(library.path) if one != asked.judge],
        "recipes": tuple(dict.fromkeys(("bm25", library.settings.recipe, *library.recipes))),
    }
    if journal.pooled is None:
        if action:
            raise ParameterError("nothing is pooled yet; post the queries to judge for first, with the action pool")
        return JudgeView(asked.judge, **told)
    session = Session(journal)
    pair, said = _judged(action, asked, session)
    pair = pair or session.next()
    shown = None if pair is None else session.show(library, pair)
    if shown is not None:
        told["pieces"] = pieces_of(shown.text, [Spot(start, end, HIT) for start, end in shown.highlights])
        told["href"] = link("/read", id=shown.document, library=name, q=shown.question)
        told["number"] = list(session.pooled.queries).index(shown.query) + 1
    return JudgeView(
        asked.judge,
        shown=shown,
        queries=len(session.pooled.queries),
        standing=session.standing(),
        download=link("/qrels", library=name, judge=asked.judge if asked.judge != ME else ""),
        said=said,
        **told,
    )


def _judged(action: str, asked: JudgeParameters, session: Session) -> tuple[tuple[str, str] | None, str]:
    """Judge as was asked; returns the pair to show next where that is known, and a sentence."""
    if action == "judge" and asked.grade is None:
        raise ParameterError(f"grade is missing; give a number from 0 to {HIGHEST}, or the action skip")
    if action in ("judge", "skip"):
        session.judge((asked.query, asked.document), asked.grade if action == "judge" else None)
    elif action == "undo":
        taken = session.undo()
        if taken is None:
            return None, "there is nothing to take back"
        pair = taken.query, taken.document
        return (pair if pair in session.pool.pairs else None), "taken back; judge it again"
    return None, ""
