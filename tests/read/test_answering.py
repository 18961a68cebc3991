"""An answer from end to end: every quote is stored text."""

from __future__ import annotations

import bookwheel


def test_every_quote_is_the_stored_text(tmp_path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    library.add(
        [
            {"id": "wheel", "text": "Ramelli drew a wheel in 1588. It held twelve books. Nobody built one for long."},
            {"id": "tea", "text": "Tea is dried in the sun. Then it is rolled by hand."},
        ]
    )
    answer = library.ask("How many books did the wheel of Ramelli hold?")
    assert answer
    for claim in answer.claims:
        assert claim.status == "quoted"
        for quote in claim.quotes:
            assert library[quote.id].text[quote.start : quote.end] == quote.text
    assert answer.claims[0].quotes[0].id == "wheel"
