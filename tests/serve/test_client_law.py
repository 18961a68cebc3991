"""A library on a server has the methods of one on this machine, but for those named here with their reasons."""

from __future__ import annotations

import inspect

import pytest
from serve_processes import Running

import bookwheel
from bookwheel import Library, RemoteLibrary

NUMBERS = "numbers of passages and documents mean something only for the generation that a process holds open"
THERE = "it changes what the library is, or looks at its files: done where the library is"
ARRAYS = "it gives what recipes are fitted or examined on, arrays with a row for each part and passage"
EXCEPTIONS = {
    **dict.fromkeys(("document", "documents_of", "highlights", "places", "places_of", "terms", "why"), NUMBERS),
    **dict.fromkeys(("add_encoder", "replace_encoder", "remove_encoder", "import_vectors", "addresses"), THERE),
    **dict.fromkeys(("check", "repair", "compact", "configure", "save_recipe", "remove_recipe"), THERE),
    **dict.fromkeys(("prune", "restore"), THERE),
    "pruned": "what is left out of searches is looked at where it is pruned; `info` tells how many there are",
    "pruned_among": NUMBERS,
    **dict.fromkeys(("all_gone", "embedding_cost", "recall", "memory_plan"), THERE),
    **dict.fromkeys(("explain", "features", "rank_recipes"), ARRAYS),
    "encoder": "an object of this process; `encode` encodes on the server",
    "recipe_evidence": "what tuning measured of a saved recipe is looked at where recipes are saved",
    "experiments": THERE,
    "copies": "what was left out is looked at where the library is indexed; `info` tells how many there are",
    "recipe": "the server parses and checks a recipe when it is asked with it",
    "full_ids": "`get` gives every document that an id may mean",
    "draw_page": "the picture is at /page.png",
    "open_file": "it opens a window on the server's machine, which only its page may",
    "path": "`url` and `name` say where it is",
    "ram": "the server's own budget",
    "wait": "the server's own patience",
}
LEFT_OUT = {
    "ask": {"model": "the server's own; `write` says whether it is used"},
    "ask_events": {"model": "as of ask"},
    "summarise": {"model": "as of ask", "context": "that of the server's model"},
    "add": dict.fromkeys(("fields", "distinct", "ram", "workers", "progress"), "the server's own"),
    "index": dict.fromkeys(
        ("fields", "hidden", "follow_links", "ram", "workers", "only", "distinct", "progress"),
        "the server's own, or not safe to let in",
    ),
    "embed": dict.fromkeys(("ram", "progress"), "the server's own"),
}
"""Arguments that the server decides on."""
OWN = {"url", "name", "state"}


def public(kind: type) -> set[str]:
    special = {"__getitem__", "__contains__", "__iter__", "__len__", "__bool__", "__enter__", "__exit__"}
    return {name for name in dir(kind) if not name.startswith("_") or name in special}


def test_every_method_is_served_or_says_why_not() -> None:
    own, served = public(Library) | {"path", "ram"}, public(RemoteLibrary)
    assert own - served == set(EXCEPTIONS), "serve it, or give a reason"
    assert served - own <= OWN, "a method of a served library that no other library has"
    assert all(len(reason) > 10 for reason in EXCEPTIONS.values())


def test_they_take_the_same_arguments() -> None:
    for name in sorted(public(Library) & public(RemoteLibrary)):
        one, other = getattr(Library, name), getattr(RemoteLibrary, name)
        if not inspect.isfunction(one):
            assert isinstance(one, property) == isinstance(other, property), name
            continue
        mine, served = inspect.signature(one).parameters, inspect.signature(other).parameters
        if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in served.values()):
            continue  # the server says which there are
        missing = mine.keys() - served.keys() - LEFT_OUT.get(name, {}).keys()
        assert not missing, (name, missing)
        shared = [parameter for parameter in mine if parameter in served]
        assert [parameter for parameter in served if parameter in mine] == shared, name
        for parameter in shared:
            if name != "embed":  # some at a time: its defaults are smaller
                assert mine[parameter].default == served[parameter].default, (name, parameter)


@pytest.fixture(scope="module")
def both(served_library, server: Running):
    with bookwheel.open(served_library) as own, bookwheel.connect(server.url) as remote:
        yield own, remote


def test_what_is_asked_of_either_is_answered_alike(both) -> None:
    own, remote = both
    assert remote.info() == own.info()
    assert remote.settings == own.settings
    assert remote.version == own.version
    assert dict(remote.recipes) == dict(own.recipes)
    for options in ({}, {"query": "file"}, {"where": "year >= 2003", "k": 2}):
        mine, served = own.facets("year", **options), remote.facets("year", **options)
        assert (dict(served), served.documents, served.missing, served.distinct) == (
            dict(mine),
            mine.documents,
            mine.missing,
            mine.distinct,
        )
    assert remote.facets_of(["year", "none"]) == own.facets_of(["year", "none"])
    mine, served = (one.search("file", facets=["year", "none"]) for one in (own, remote))
    assert served.facets == mine.facets
    assert set(served.facets) == {"year"}
    with pytest.raises(bookwheel.FilterError):
        remote.facets("none")
    mine, served = own.find_all("return", where="year >= 2001"), remote.find_all("return", where="year >= 2001")
    assert (served.documents, served.passages, served.occurrences, served.phrases) == (
        mine.documents,
        mine.passages,
        mine.occurrences,
        mine.phrases,
    )
    assert [one.to_dict() for one in served] == [one.to_dict() for one in mine]
    assert len(mine) > 3
    assert served[-1].id == mine[-1].id
    assert [one.id for one in served[1:3]] == [one.id for one in mine[1:3]]
    mine, served = own.summarise(where="year = 2002", sentences=3), remote.summarise(where="year = 2002", sentences=3)
    assert served.text == mine.text
    assert [claim.quotes for claim in served.claims] == [claim.quotes for claim in mine.claims]
    names = [document.id for document in own]
    assert [document.id for document in remote] == names
    assert [(row.name, row.metadata) for row in remote.rows(2, 3)] == [(row.name, row.metadata) for row in own.rows(2, 3)]
    assert remote.count(names[0]) == own.count(names[0])
    assert remote.piece(names[0], 5, 30) == own.piece(names[0], 5, 30)
    with pytest.raises(KeyError):
        remote.piece("there is none")
    mine, served = own.rank("temporary file", 5), remote.rank("temporary file", 5)
    assert served.ids.tolist() == mine.ids.tolist()
    assert [one.ids.tolist() for one in remote.rank_many(["file", "socket"], 3)] == [
        one.ids.tolist() for one in own.rank_many(["file", "socket"], 3)
    ]
    assert [[name for name, _ in one] for one in remote.rank_documents(["file"], 4)] == [
        [name for name, _ in one] for one in own.rank_documents(["file"], 4)
    ]


def test_a_conversation_is_kept_and_forgotten_on_the_server(both) -> None:
    _, remote = both
    talk = remote.conversation("from afar")
    assert len(talk) == 0
    first = talk.ask("What does an abstract base class do?")
    assert talk.turns[0].question == "What does an abstract base class do?"
    assert talk.export()["turns"][0]["answer"]["answer"] == (first.text or None)
    assert "from afar" in [one.name for one in remote.conversations()]
    with pytest.raises(bookwheel.UsageError, match="nothing was forgotten"):
        remote.forget_conversations(["from afar", "never"])
    assert remote.forget_conversations("from afar") == 1
    assert "from afar" not in [one.name for one in remote.conversations()]
