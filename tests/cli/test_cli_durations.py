"""Times as they are typed."""

from __future__ import annotations

import pytest

from bookwheel import UsageError
from bookwheel.cli.options import Duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("30s", 30), (" 5m ", 300), ("1h", 3600), ("500ms", 0.5), ("1.5 h", 5400), (".5s", 0.5), ("2.", 2), ("0", 0)],
)
def test_what_is_read(text: str, seconds: float) -> None:
    assert Duration().read(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "s", "1hs", "5mm", "1e3", "-1", "nan", "inf", "8d", "1_0", "1 2", "170h", "9" * 400, "1" * 100_000 + "x"]
)
def test_what_is_not(text: str) -> None:
    with pytest.raises(UsageError, match="must be a time of up to a week"):
        Duration().read(text)
