"""What the commands have in common: help that begins with examples, and all mistakes of a
command line reported at once.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import click

from .._errors import BookwheelError, UsageError
from .._interruption import announce

__all__ = ["Command", "Group", "Mistakes", "Stopped", "argument", "command", "mistake", "option", "option_sentence"]

_MISTAKES = "bookwheel.mistakes"
_CLICK = (
    (r"Option '(.+)' requires an argument", r"\1 needs a value"),
    (r"Option '(.+)' does not take a value", r"\1 takes no value"),
    (r"Got unexpected extra arguments? \((.+)\)", r"unexpected argument: \1"),
)
"""Messages of click, and the sentences in their place."""


class Mistakes(UsageError):
    """All mistakes of one command line, one sentence each."""

    def __init__(self, sentences: Sequence[str], command: str, exit_code: int = 2, *, usage: bool = True) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = list(sentences)
        self.command = command
        self.exit_code = exit_code
        self.usage = usage
        """Whether one of them is about the command's usage, so that its help is worth mentioning."""


class Stopped(Exception):
    """A command that commits as it goes was stopped by Ctrl-C."""


def _say_it_stops() -> None:
    """Tell a person at a terminal that Ctrl-C was heard; called in a signal's handler, where streams may be in use."""
    if sys.stderr.isatty():
        with suppress(OSError):
            os.write(sys.stderr.fileno(), b"\nbookwheel: stopping once what was read is kept; Ctrl-C again stops at once\n")


class Command(click.Command):
    """A command whose help begins with ``examples`` and which
    collects all mistakes before it fails.

    ``writes``: it commits as it goes, so that Ctrl-C loses nothing; the user is told so.
    """

    def __init__(self, *args: Any, examples: Sequence[tuple[str, str]], writes: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples
        self.writes = writes

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse all of ``args``; raises `Mistakes` with every one that was found."""
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        args = _joined(self.params, args)
        found: list[click.ClickException | BookwheelError] = ctx.meta.setdefault(_MISTAKES, [])
        rest: list[str] = []
        given = list(args)
        unknown = False
        while True:
            try:
                rest = super().parse_args(ctx, list(args))
            except click.NoSuchOption as error:
                found.append(error)
                unknown = True
                args, before = _without(args, error.option_name), args
                if args != before:
                    continue
            except click.UsageError as error:
                # The value of an unknown option looks like an extra argument: do not
                # report it as a second mistake.
                if not (unknown and "extra argument" in error.message):
                    found.append(error)
            break
        if found:
            code = next((error.exit_code for error in found if isinstance(error, BookwheelError)), UsageError.exit_code)
            usage = any(isinstance(error, click.ClickException | UsageError) for error in found)
            sentences = [option_sentence(error) for error in found]
            if any(isinstance(error, click.NoSuchOption | click.MissingParameter) for error in found):
                sentences += self._dashed(ctx, given)
            raise Mistakes(sentences, ctx.command_path, code, usage=usage)
        return rest

    def _dashed(self, ctx: click.Context, args: Sequence[str]) -> list[str]:
        """What to do about the first of ``args`` that begins with a dash and may be meant as a query, a path or an ID."""
        options = {name for param in self.params for name in param.opts}
        odd = next(
            (
                arg
                for arg in args
                if arg.startswith("-") and len(arg) > 2 and arg.partition("=")[0] not in options
                if not (arg[:2] in options and arg[2:].isdecimal())
            ),
            None,
        )
        takes = next((param.metavar for param in self.params if isinstance(param, click.Argument)), None)
        if odd is None or takes is None or "--" in args:
            return []
        return [f"if {odd!r:.60} is not meant as an option, put -- before it: {ctx.command_path} -- {odd:.60}"]

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; Ctrl-C in a command that commits as it goes becomes `Stopped`."""
        announce(_say_it_stops)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            if self.writes:
                raise Stopped from None
            raise

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, usage, what it does, options."""
        _write_examples(formatter, self.examples)
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        self.format_options(ctx, formatter)
        self.format_epilog(ctx, formatter)


class Group(click.Group):
    """Several commands about one thing; the first one runs where none is named."""

    def __init__(self, *args: Any, examples: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, the default one first."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse ``args``, with the default command put first where they name none."""
        if not ctx.resilient_parsing and (not args or (args[0].startswith("-") and "--help" not in args)):
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that ``args`` names; raises `Mistakes` for one that does not exist."""
        if args[0] not in self.commands:
            raise Mistakes([f"no such command: {args[0]!r}; choose from {', '.join(self.commands)}"], ctx.command_path)
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, usage, what it does, commands."""
        _write_examples(formatter, self.examples)
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(90)) for name, one in self.commands.items()])
        formatter.write_paragraph()
        formatter.write_text(f"{ctx.command_path} COMMAND --help explains each.")


def _write_examples(formatter: click.HelpFormatter, examples: Sequence[tuple[str, str]]) -> None:
    width = max(len(line) for line, _ in examples)
    for line, meaning in examples:
        formatter.write(f"{line.ljust(width)}   {meaning}\n".rstrip() + "\n")
    formatter.write_paragraph()


def _without(args: Sequence[str], name: str) -> list[str]:
    """``args`` without the first that uses option ``name``."""
    for position, arg in enumerate(args):
        if arg == name or arg.startswith(f"{name}=") or (len(name) == 2 and arg.startswith("-") and name[1] in arg[1:]):
            return [*args[:position], *args[position + 1 :]]
    return list(args)


def _joined(params: Sequence[click.Parameter], args: Sequence[str]) -> list[str]:
    """``args`` in which the values of an option that takes several are one."""
    several = {name: param.more for param in params if isinstance(param, _Option) and param.more for name in param.opts}
    found: list[str] = []
    pattern: str | None = None
    for at, arg in enumerate(args):
        if arg == "--":
            return [*found, *args[at:]]
        before = args[at - 1] if at else ""
        if before in several:
            pattern = several[before]
        elif pattern is not None and re.fullmatch(pattern, arg):
            found[-1] += f",{arg}"
            continue
        else:
            pattern = None
        found.append(arg)
    return found


def mistake(ctx: click.Context, error: click.ClickException | BookwheelError) -> None:
    """Record a mistake: the command will not run, but the rest of the line is still checked."""
    ctx.meta.setdefault(_MISTAKES, []).append(error)


class _Collecting:
    """Records a wrong parameter instead of failing at the first."""

    def handle_parse_result(self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]) -> tuple[Any, list[str]]:
        try:
            result: tuple[Any, list[str]] = super().handle_parse_result(ctx, opts, args)  # type: ignore[misc]
        except click.exceptions.Exit:
            raise
        except (click.ClickException, BookwheelError) as error:
            if ctx.resilient_parsing:
                raise
            mistake(ctx, error)
            return None, args
        return result


class _Option(_Collecting, click.Option):
    """``more``: a pattern of further values that may follow the first, as in ``--lengths 1k 4k``; they are joined by commas."""

    def __init__(self, *args: Any, more: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.more = more


class _Argument(_Collecting, click.Argument):
    pass


def option(*names: str, **attributes: Any) -> Callable[[Any], Any]:
    """As `click.option`, collecting mistakes."""
    return click.option(*names, cls=_Option, **attributes)


def argument(*names: str, **attributes: Any) -> Callable[[Any], Any]:
    """As `click.argument`, collecting mistakes."""
    return click.argument(*names, cls=_Argument, **attributes)


def command(
    name: str, *, examples: Sequence[tuple[str, str]], writes: bool = False
) -> Callable[[Callable[..., int | None]], click.Command]:
    """Make a command; its function returns the exit code, None for 0, and
    its docstring is the help text.
    """
    return click.command(name, cls=Command, examples=examples, writes=writes)


def option_sentence(error: click.ClickException | BookwheelError) -> str:
    """The error as one sentence that begins with the option concerned."""
    if isinstance(error, BookwheelError):
        return str(error)
    text = error.message.strip().rstrip(".")
    if isinstance(error, click.MissingParameter):
        name = (error.param.metavar or error.param.human_readable_name) if error.param else "an argument"
        return f"{name.rstrip('.')} is missing" + (f"; {text}" if text else "")
    if isinstance(error, click.NoSuchOption):
        near = f"; did you mean {' or '.join(sorted(error.possibilities))}?" if error.possibilities else ""
        return f"no such option: {error.option_name}{near}"
    if isinstance(error, click.BadParameter) and error.param is not None:
        if choice := re.fullmatch(r"(.+) is not one of (.+)", text, re.DOTALL):
            text = f"must be one of {choice[2]}, not {choice[1]}"
        if isinstance(error.param, click.Option):
            name = error.param.opts[-1]
        else:
            name = (error.param.metavar or error.param.human_readable_name).strip("[].")
        text = text.removeprefix(f"{name.lstrip('-')} ")  # the library names the argument, the command line its option
        return f"{name} {text}" if text.startswith("must ") else f"{name}: {text}"
    for pattern, sentence in _CLICK:
        if found := re.fullmatch(pattern, text, re.DOTALL):
            return found.expand(sentence)
    return text[:1].lower() + text[1:]
