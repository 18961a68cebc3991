#!/usr/bin/env python3
"""Sets up a fresh clone, and searches or tests. Needs Python 3.11 and the package registry.

    python3 go.py                             set up, index the standard library of this Python, search and ask it
    python3 go.py PATH ... --query "words"    set up, index PATH, search it
    python3 go.py serve [OPTIONS]             set up, index the standard library, open its page (options of bookwheel serve)
    python3 go.py test [OPTIONS OF PYTEST]    set up, then all checks and tests (--slow: the slow tests)

Everything is installed into .venv beside this file; delete that folder to start over.
"""

import argparse
import hashlib
import json
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "bookwheel-installed.json"
OLDEST = (3, 11)

STDLIB = "stdlib"
LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__", "lib-dynload", "ensurepip"}
QUERIES = ("parse command line arguments", "delete a temporary folder automatically", "why is my regular expression slow")
QUESTION = "What does TemporaryDirectory remove upon exiting the context?"


def main():
    """Set up, then search or test."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"bookwheel needs Python {OLDEST[0]}.{OLDEST[1]} or newer and this is {found}; run go.py with a newer one")
    if sys.argv[1:2] == ["test"]:
        return test(sys.argv[2:])
    if sys.argv[1:2] == ["serve"]:
        return serve(sys.argv[2:])
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="go.py serve: the page; go.py test: all checks and tests",
        allow_abbrev=False,
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="what to index; none: the standard library of this Python")
    parser.add_argument("--query", action="append", metavar="WORDS", help="what to search for; may be repeated")
    options = parser.parse_args()
    return search(options.paths, options.query)


def search(paths, queries):
    """Index ``paths`` (the standard library where there are none) and search them."""
    install(extra="")
    library = [] if paths else ["--library", STDLIB]
    if not paths:
        say(f"indexing the standard library of Python {sysconfig.get_python_version()}")
    code = run(PYTHON, "-m", "bookwheel", "index", *(paths or standard_library()), *library)
    if code not in (0, 2):  # 2: some files could not be read, and were named; the others can be searched
        return code
    for query in queries or ([] if paths else QUERIES):
        print(f"$ bookwheel search {shlex.quote(query)}", flush=True)
        code = run(PYTHON, "-m", "bookwheel", "search", query, "-k", "3", "--lines", "3", *library)
        if code > 1:
            return code
    if not paths:
        print(f"$ bookwheel ask {shlex.quote(QUESTION)}", flush=True)
        code = run(PYTHON, "-m", "bookwheel", "ask", QUESTION, *library)
        if code > 1:
            return code
    bookwheel = os.path.relpath(BIN / "bookwheel")
    say(f'your turn: {bookwheel} search "words"{"".join(" " + part for part in library)} (or ask "question")')
    say(f'or:        {bookwheel} index FOLDER, then {bookwheel} search "words"; {bookwheel} --help tells the rest')
    return 0


def serve(options):
    """Index the standard library and serve it: a page, HTTP and MCP, on this machine only."""
    install(extra="serve,mcp")
    say(f"indexing the standard library of Python {sysconfig.get_python_version()}")
    code = run(PYTHON, "-m", "bookwheel", "index", *standard_library(), "--library", STDLIB)
    if code not in (0, 2):
        return code
    say("serving it; Ctrl-C stops the server")
    return run(PYTHON, "-m", "bookwheel", "serve", STDLIB, *options)


def standard_library():
    """The modules of the running Python, without its test suites."""
    return parts(Path(sysconfig.get_path("stdlib")))


def parts(folder):
    """The fewest paths that cover the Python files of ``folder`` without what is left out."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name in LEFT_OUT or path.name.startswith(("config-", ".")):
            continue
        if path.is_dir():
            inside = any(name in LEFT_OUT - {"__pycache__"} for _, names, _ in os.walk(path) for name in names)
            found += parts(path) if inside else [str(path)]
        elif path.suffix == ".py":
            found.append(str(path))
    return found


def test(options):
    """Run every check; returns the exit code of the first that failed, 0 where none did."""
    install(extra="dev")
    slow = "--slow" in options
    chosen = [option for option in options if option != "--slow"] + (["-m", "slow"] if slow else [])
    checks = {
        "ruff check": ("ruff", "check", "."),
        "ruff format": ("ruff", "format", "--check", "."),
        "mypy": ("mypy", "--strict", "-p", "bookwheel"),
        "documentation": ("mkdocs", "build", "--strict", "--quiet"),
        "pytest": ("pytest", "-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder", *chosen),
    }
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")  # the theme would advertise its successor
    failed = {}
    for name, command in checks.items():
        say(name)
        code = run(PYTHON, "-m", *command, folder=ROOT)
        if code:
            failed[name] = code
    if failed:
        say(f"failed: {', '.join(failed)}")
        return next(iter(failed.values()))
    return 0


def install(extra):
    """Make .venv with bookwheel and what it needs, unless it is there and up to date."""
    state = {"python": sys.version, "project": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()}
    before = installed()
    if before is not None and all(before.get(key) == value for key, value in state.items()):
        if extra in ("", before.get("extra")) or before.get("extra") == "dev":  # which has all others
            return
    elif before is None or before.get("python") != sys.version:
        make_environment()
    say(f"installing bookwheel and what it needs into .venv{' (for tests)' if extra else ''}: a minute or two")
    pip = (PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "-qq")
    if run(*pip, "--editable", f"{ROOT}[{extra}]" if extra else str(ROOT)):
        sys.exit("installing failed, as pip says above; check the connection to the package registry and try again")
    processes = min(4, os.cpu_count() or 1)
    say("compiling the search kernels, once: half a minute")
    if run(PYTHON, "-c", f"import bookwheel.kernels; bookwheel.kernels.warm({processes})"):
        sys.exit("compiling failed; please report the lines above")
    STAMP.write_text(json.dumps({**state, "extra": extra}))


def installed():
    """The state that the last installation recorded; None where there is none that works."""
    try:
        state = json.loads(STAMP.read_text())
        works = subprocess.run([str(PYTHON), "-c", "import bookwheel"], capture_output=True, check=False).returncode == 0
    except (OSError, ValueError):
        return None
    return state if works else None


def make_environment():
    """Make an empty .venv."""
    say("making .venv")
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stdout + done.stderr).strip()
        if "ensurepip" in words or "No module named venv" in words:
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            sys.exit(f"this Python cannot make environments; on Debian or Ubuntu: sudo apt install python{version}-venv")
        sys.exit(f"python -m venv failed: {words}")


def run(*command, folder=None):
    """Run a command (in ``folder``, else where the user is) and return its exit code."""
    process = subprocess.Popen([str(part) for part in command], cwd=folder)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The command got the same signal and is saving its work: wait for it.
            continue


def say(words):
    """Print what happens next, before anything that a command prints."""
    print(f"go: {words}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
