"""What is printed of texts, names and messages of strangers: valid JSON, and nothing that controls a terminal."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from bookwheel.cli.main import main
from bookwheel.cli.output import as_json

ODD = "".join(
    map(chr, (*range(1, 32), *range(127, 160), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2060, 0x2070)))
)
ODD += "\ufeff\U000e0041"


def harmless(text: str, allowed: str = "\n") -> bool:
    return not any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") and c not in allowed for c in text)


def test_json_is_valid_and_harmless() -> None:
    value = {ODD: [ODD, float("nan"), float("inf"), {"x": (1.5, float("-inf"))}], "half": "\ud800", "plain": "äΩ"}
    text = as_json(value)
    assert harmless(text, "")
    assert json.loads(text) == {ODD: [ODD, None, None, {"x": [1.5, None]}], "half": "\ufffd", "plain": "äΩ"}
    assert "äΩ" in text


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / f"a\x1b[31m{chr(0x202E)}\nb.txt").write_text(f"owl {ODD}")
    record = {"_id": f"r{ODD}", "title": f"t{ODD}", "text": f"owl {ODD}", f"k{ODD}": ODD}
    (folder / f"r{chr(0x202E)}.jsonl").write_text(json.dumps(record) + "\n{broken\n")
    (folder / "dam\x9baged.gz").write_bytes(b"\x1f\x8b\x08\x00junk")
    return tmp_path / "library\u202e"


COMMANDS = [
    ("search", "owl"),
    ("search", "owl", "--explain"),
    ("show", f"r{ODD}"),
    ("info",),
    ("export",),
    ("remove", f"r{ODD}"),
    ("search", f"nothing{ODD}"),
    ("show", f"nothing{ODD}"),
    ("search", "owl", "--where", f"k{ODD} = 1"),
    ("search", "owl", "--recipe", f"nothing{ODD}"),
]


def test_no_command_prints_a_control_character(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--library", str(library))
    for as_json_too in ((), ("--json",)):
        assert main(["index", str(library.parent / "in"), *at, "--encoder", "none", *as_json_too]) == 2
        shown = capsys.readouterr()
        assert harmless(shown.out + shown.err)
        assert not as_json_too or len(json.loads(shown.out)["failures"]) <= 2
        for command in COMMANDS:
            code = main([*command, *at, *(as_json_too if command != ("export",) else ())])
            shown = capsys.readouterr()
            assert code != 70, command
            assert harmless(shown.out + shown.err, "\n\t"), (command, shown)
            if (as_json_too or command == ("export",)) and shown.out and code == 0:
                for document in shown.out.splitlines() if command == ("export",) else [shown.out]:
                    json.loads(document)
