"""Texts of many scripts, and of ten languages."""

from __future__ import annotations

from hypothesis import strategies as st

TEXTS = st.text(st.characters() | st.sampled_from("ab' ’_-.é\u0301\u00ad漢字がきก한국नमस्ते\u200d"), max_size=60)

SAMPLES = {
    "english": "It was the best of times, it was the worst of times, it was the age of wisdom, and there is such a thing"
    " in the age.",
    "german": "Es war einmal ein König, der hatte eine Tochter, die war so schön, dass sich die Sonne selber, die doch"
    " so vieles gesehen.",
    "french": "Longtemps, je me suis couché de bonne heure. Parfois, à peine ma bougie éteinte, mes yeux se fermaient si"
    " vite que je n'avais pas.",
    "spanish": "En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha mucho tiempo que vivía un hidalgo de"
    " los de lanza.",
    "italian": "Nel mezzo del cammin di nostra vita mi ritrovai per una selva oscura, che la diritta via era smarrita e"
    " non so come.",
    "russian": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. Все смешалось"
    " в доме, и не было.",
    "swedish": "Det var en gång en gosse som var så lat att han inte ville gå till skolan, och han satt på en sten med"
    " sin katt.",
    "finnish": "Oli kerran mies, joka asui metsässä, ja hän oli niin köyhä, että hänellä ei ollut mitään, mutta se ei"
    " ollut hän.",
    "dutch": "Er was eens een man die in een bos woonde en hij had niet veel te eten, maar het was er mooi en de vogels"
    " zongen voor hem.",
    "polish": "Był sobie król, który miał syna i nie wiedział, że jest to jego ostatni dzień, ale nie było już czasu na"
    " to, aby się bać.",
}
