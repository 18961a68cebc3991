"""Where the command line starts and where every error becomes one sentence and an exit code.

Exit codes: 0 done, 1 nothing found, 2 usage or input, 3 a budget that cannot be met, 70 a bug in
bookwheel, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from .._allowed import asking
from .._errors import BookwheelError, FilterError, RecipeError
from .command import Mistakes, Stopped, option_sentence

__all__ = ["COMMANDS", "bookwheel", "main", "run"]

COMMANDS = {
    "index": "Add files and folders to a library, or update it.",
    "plan": "Estimate memory and disk for indexing and searching.",
    "search": "Search a library for passages.",
    "ask": "Answer a question from a library, each quote in its place.",
    "conversations": "List, show, export or forget conversations.",
    "find": "Find every document that mentions a phrase, and where.",
    "serve": "Serve libraries: a page, HTTP for programs, MCP for agents.",
    "summarise": "Print the sentences that say most of what documents say.",
    "show": "Print a document.",
    "facets": "Count the values of a field.",
    "info": "Show a library's contents, settings and size.",
    "remove": "Remove documents or files from a library.",
    "prune": "Leave passages out of searches that no query will want.",
    "compact": "Merge segments and free the space of removed documents.",
    "check": "Verify a library's files against their checksums.",
    "export": "Write documents or passages as JSON lines.",
    "encoders": "List, add, replace or remove the encoders of a library.",
    "embed": "Embed the passages with the encoders that were added.",
    "models": "List the models that encode here, and their speed.",
    "evaluate": "Evaluate recipes on a judged collection.",
    "tune": "Choose the best recipe inside milliseconds and bytes.",
    "train": "Fit models to the collection that they serve.",
    "prior": "Learn from judgments which documents are relevant more often.",
    "judge": "Judge documents for queries, and compare judges.",
    "make-queries": "Make queries with judgments from a library.",
    "experiments": "List and compare what was evaluated.",
    "recipes": "List recipes and stages, or save a recipe under a name.",
    "explain": "Show what a recipe does, stage by stage.",
    "allow": "Allow addresses that texts may be sent to, or list them.",
    "configure": "Change a library's k1, b or default recipe.",
    "libraries": "List the named libraries.",
    "mcp": "Give a library to an agent by MCP.",
}
"""What ``bookwheel --help`` lists. The texts are here because listing the
commands must not import them.
"""

EXAMPLES = ("bookwheel index FOLDER", 'bookwheel search "words"')
STOPPED, BUG, USAGE = 130, 70, 2


class LazyGroup(click.Group):
    """Imports a command's module when that command runs, so that each starts as fast as it can."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command called ``name``, or None."""
        if name not in COMMANDS:
            return None
        module = name.replace("-", "_")
        command: click.Command = getattr(import_module(f".{module}", __package__), module)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that ``args`` names; an unknown name gets the nearest known ones."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, 1)
            if name == "help":
                near = ["--help"]
            hint = f"did you mean `bookwheel {near[0]}`?" if near else f"commands are {', '.join(COMMANDS)}"
            raise Mistakes([f"no such command: {name!r}; {hint}"], "bookwheel")
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The two most useful command lines, then the commands."""
        for example in EXAMPLES:
            formatter.write(f"{example}\n")
        formatter.write_paragraph()
        formatter.write_usage("bookwheel", "[--traceback] COMMAND ...")
        formatter.write_paragraph()
        formatter.write_text("Search text collections larger than memory, within a memory budget that you set.")
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        with formatter.section("Options"):
            formatter.write_dl([record for param in self.get_params(ctx) if (record := param.get_help_record(ctx))])
        formatter.write_paragraph()
        formatter.write_text("For details of a command: bookwheel COMMAND --help")


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from .._version import __version__

        click.echo(f"bookwheel {__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, name="bookwheel", no_args_is_help=True, context_settings={"max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version and exit."
)
@click.option("--traceback", is_flag=True, expose_value=False, help="Print a traceback for unexpected errors.")
def bookwheel() -> None:
    """Search text collections larger than memory."""


def run() -> int:
    """The process `bookwheel`: `main`, with less garbage collection, which takes a
    fifth of the time of a search.
    """
    import gc

    gc.set_threshold(100_000, 20, 100)
    code = main()
    gc.freeze()
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on ``arguments`` (those of the process where
    None) and return its exit code.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # What a terminal cannot show is a question mark there. A file or a pipe must lose nothing.
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader (`head`, say) has seen enough. Python would complain when it flushes stdout
        # at exit: give it somewhere to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _open_closed_streams() -> None:
    """Give a stream that was closed (``>&-``) the null device, so that no file
    of a library takes its number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - open until the end


def _run(arguments: list[str]) -> int:
    try:
        with asking(_ask), bookwheel.make_context("bookwheel", list(arguments), obj=tuple(arguments)) as context:
            code = bookwheel.invoke(context)
            return code if isinstance(code, int) else 0
    except click.exceptions.Exit as done:
        return int(done.exit_code)
    except BrokenPipeError:
        raise
    except Stopped:
        _say(["stopped; committed work is kept: run the same command again to continue"])
        return STOPPED
    except (KeyboardInterrupt, click.Abort):
        _say(["stopped"])
        return STOPPED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except Mistakes as error:
        _say([*error.sentences, *([f"for usage, type: {error.command} --help"] if error.usage else [])], lines=True)
        return error.exit_code
    except BookwheelError as error:
        # A recipe's error marks the place on a line of its own; in other messages a line
        # end can only be a file name's.
        _say([str(error)], lines=isinstance(error, RecipeError | FilterError))
        return error.exit_code
    except click.ClickException as error:
        _say([option_sentence(error), "for usage, type: bookwheel --help"])
        return USAGE
    except Exception as error:
        return _unexpected(error, arguments)


def _ask(address: str) -> bool:
    from .allow import ask

    return ask(address)


def _unexpected(error: Exception, arguments: list[str]) -> int:
    """Say what the system refused (no space, no rights, no memory), or that bookwheel has a bug."""
    shown = "--traceback" in arguments
    if shown:
        import traceback

        traceback.print_exc()
    if isinstance(error, MemoryError):
        _say(["the system is out of memory; close other programs or set a smaller --ram"])
        return 3
    if isinstance(error, OSError) and error.errno is not None and error.errno != errno.EBADF:
        _say([f"{error.filename or 'the system'}: {(error.strerror or str(error)).lower()}"])
        return USAGE
    import shlex

    what = " ".join(str(error).split())[:300]
    evidence = "the lines above" if shown else f"the output of: bookwheel --traceback {shlex.join(arguments)}"
    _say([f"unexpected {type(error).__name__}: {what}; this is a bug in bookwheel; please report it with {evidence}"])
    return BUG


def _say(sentences: Sequence[str], *, lines: bool = False) -> None:
    from .output import clean

    if sys.stderr.isatty():
        # There may be a progress bar on this line.
        import shutil

        sys.stderr.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")
    for sentence in sentences:
        click.echo(f"bookwheel: {clean(sentence, lines=lines)}", err=True)
