"""Refusals in a language with compounds: questions say in other forms what the documents say, and are answered."""

from __future__ import annotations

from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document, Library

TEXTS = (
    "Die Stadtbücherei wurde 1911 in der alten Getreidehalle eröffnet. Der Lesesaal bekam erst nach dem Umbau elektrisches Licht.",
    "Im Wasserwerk am Nordufer reinigen Kiesfilter das Trinkwasser. Die Pumpen wurden zuletzt vor vier Jahren erneuert.",
    "Der Winterdienst räumt zuerst die Hauptstraßen. Gestreut wird nur bei Glatteis, denn Streusalz schadet den Alleebäumen.",
    "Die Bahnlinie nach Kesselbach schloss man im Herbst 1974. Auf dem Bahndamm verläuft heute ein Radweg bis zur Mühle.",
    "Der Gemeinderat hat dreiundzwanzig Mitglieder. Den Vorsitz führt die Bürgermeisterin, ihr Stellvertreter ist der Kämmerer.",
    "Das Heimatmuseum zeigt Webstühle und eine Apothekeneinrichtung. Am Montag bleibt das Haus für Besucher geschlossen.",
    "Die Feuerwehr rückte im letzten Jahr zu sechzig Einsätzen aus. Meistens ging es um Sturmschäden und vollgelaufene Keller.",
    "Auf dem Wochenmarkt verkaufen Landwirte aus der Umgebung Gemüse, Käse und Honig. Marktschluss ist um dreizehn Uhr.",
    "Die Grundschule erhielt eine neue Turnhalle mit Holzfassade. Finanziert wurde der Bau zur Hälfte mit Landesmitteln.",
    "Das Freibad öffnet Mitte Mai. Beheizt wird das Schwimmbecken mit der Abwärme der benachbarten Molkerei.",
    "Der Stadtwald besteht zu zwei Dritteln aus Buchen. Nach der Dürre pflanzten die Förster Eichen und Elsbeeren nach.",
    "Abfallbehälter werden alle zwei Wochen geleert. Sperrmüll holt der Entsorgungsbetrieb nur nach Anmeldung ab.",
)
ASKED = (
    ("Wann wurde die Bücherei der Stadt eröffnet?", "0"),
    ("Womit wird das Trinkwasser gereinigt?", "1"),
    ("Welchen Bäumen schadet das Salz beim Streuen?", "2"),
    ("In welchem Jahr wurde die Bahn nach Kesselbach geschlossen?", "3"),
    ("Wie viele Mitglieder gehören dem Gemeinderat an?", "4"),
    ("An welchem Wochentag ist das Museum geschlossen?", "5"),
    ("Wie oft leert man die Behälter für den Abfall?", "11"),
    ("Welche Bäume pflanzte der Förster nach der Dürre?", "10"),
)
ELSEWHERE = (
    "Welcher Komponist schrieb die Oper über den fliegenden Holländer?",
    "Wie hoch ist der Siedepunkt von Quecksilber?",
    "Wer gewann 1936 die Goldmedaille im Weitsprung?",
    "Welche Programmiersprache entwickelte Niklaus Wirth?",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    made = bookwheel.open(tmp_path_factory.mktemp("german") / "library", create=True)
    made.add([Document(str(number), text) for number, text in enumerate(TEXTS)])
    return made


@pytest.mark.parametrize(("question", "document"), ASKED)
def test_other_forms_of_its_words_are_answered(library: Library, question: str, document: str) -> None:
    answer = library.ask(question)
    assert not answer.refused, answer.reason
    assert document in [quote.id for claim in answer.claims for quote in claim.quotes]


@pytest.mark.parametrize("question", ELSEWHERE)
def test_other_subjects_are_refused_and_no_question_word_is_missed(library: Library, question: str) -> None:
    answer = library.ask(question)
    assert answer.refused
    first, *_ = question.split()
    assert f"'{first}'" not in answer.reason


def test_a_word_that_another_passage_has_is_not_said_to_be_in_none(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None, language="german")
    library.add([Document(str(number), text) for number, text in enumerate(TEXTS)])
    answer = library.ask("Welche Käse Eichen Pumpen Mitglieder Turnhalle Montag Quecksilber?", passages=1, threshold=1.0)
    assert answer.reason.startswith("no passage has 'Quecksilber';")
    answer = library.ask("Käse Eichen Pumpen?", passages=1, threshold=1.0)
    assert answer.reason.startswith("no passage near the question has ")
