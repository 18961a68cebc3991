"""The systemd unit and the Containerfile of the documentation: what they start exists, and they are as safe as they say."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from bookwheel.cli.main import bookwheel

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"


def known(arguments: list[str]) -> dict:
    """The parameters of a command line of bookwheel; fails where an option is none."""
    command = bookwheel.get_command(None, arguments[0])  # type: ignore[arg-type]
    assert command is not None
    return command.make_context(arguments[0], arguments[1:], resilient_parsing=True).params


def test_the_unit_starts_what_there_is() -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", (DEPLOY / "bookwheel.service").read_text(), re.M)
    program, *arguments = shlex.split(line)
    assert program.endswith("/bookwheel")
    found = known(arguments)
    assert found["watched"]
    assert found["embed"]
    assert found["host"] == "127.0.0.1"


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    text = (DEPLOY / "bookwheel.service").read_text().replace("%h/.local/bin/bookwheel", shutil.which("true") or "/bin/true")
    (tmp_path / "bookwheel.service").write_text(text)
    tmp_path.chmod(0o700)
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(tmp_path / "bookwheel.service")],
        env=environment,
        capture_output=True,
        text=True,
    )
    if "Failed to initialize manager" in done.stderr:
        pytest.skip("systemd does not run in this container")
    assert (done.returncode, done.stderr) == (0, "")


def instructions() -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n", " ", (DEPLOY / "Containerfile").read_text())
    lines = [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines]


def test_the_container_runs_without_rights_and_starts_what_there_is() -> None:
    found = instructions()
    names = [name for name, _ in found]
    assert set(names) <= {"FROM", "RUN", "COPY", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert names[0] == "FROM"
    assert ":" in found[0][1].rpartition("/")[2]
    assert "latest" not in found[0][1]
    last = dict(found)
    assert last["USER"] not in ("root", "0")
    assert names.index("USER") < names.index("CMD")
    assert json.loads(last["ENTRYPOINT"]) == ["bookwheel"]
    given = known(json.loads(last["CMD"]))
    assert given["host"] == "0.0.0.0"
    assert given["embed"]
    for name, text in found:
        if name == "RUN":
            for part in re.findall(r"bookwheel ((?:index|search) [^&|]*)", text):
                known(shlex.split(part))
    extras = re.search(r"/src\[([a-z,]+)\]", (DEPLOY / "Containerfile").read_text())
    assert extras is not None
    project = (DEPLOY.parents[1] / "pyproject.toml").read_text()
    assert all(f"\n{extra} = [" in project for extra in extras[1].split(","))
