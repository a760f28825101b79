"""Options that commands share, and the reading of `--param`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import wraps
from textwrap import wrap
from typing import Any, TypeVar

import click

from ..errors import BadSpec
from .launch import launch
from .terminal import Settings, show

F = TypeVar("F", bound=Callable[..., dict[str, Any]])

_SHORT_OPTION = re.compile(r"-[ho]($|[^\w])|-o\S")


def minus_formulas(args: list[str]) -> list[str]:
    """Arguments such as `-x` or `-1,0,1` with a space in front, so that they are not options."""
    out: list[str] = []
    for i, arg in enumerate(args):
        if arg == "--":
            return out + args[i:]
        single = arg.startswith("-") and not arg.startswith("--") and len(arg) > 1
        out.append(" " + arg if single and not _SHORT_OPTION.match(arg) else arg)
    return out


class Command(click.Command):
    """A command whose help starts with examples, and whose formulas may start with a minus."""

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, read."""
        return super().parse_args(ctx, minus_formulas(args))

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, then usage, text and options."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
            formatter.write_paragraph()
        super().format_help(ctx, formatter)


def shared(name: str, *, time_limit: float = 60.0) -> Callable[[F], Callable[..., None]]:
    """The options of every command; the function returns the options of the worker's `work`."""

    def decorate(function: F) -> Callable[..., None]:
        @wraps(function)
        def run(
            *args: Any,
            as_json: bool,
            quiet: bool,
            debug: bool,
            color: str,
            time_limit: float,
            **kwargs: Any,
        ) -> None:
            settings = Settings(as_json, quiet, debug, color, time_limit)
            options = function(*args, **kwargs)
            outcome = launch(name, options, settings.view(), time_limit, quiet)
            show(outcome, settings)
            click.get_current_context().exit(outcome["status"])

        wrapped: Any = run
        for option in reversed(_options(time_limit)):
            wrapped = option(wrapped)
        found: Callable[..., None] = wrapped
        return found

    return decorate


def _options(time_limit: float) -> list[Callable[[Any], Any]]:
    return [
        click.option(
            "--json",
            "as_json",
            is_flag=True,
            help="One JSON object on standard output; an error is one on standard error.",
        ),
        click.option(
            "--time-limit",
            type=click.FloatRange(min=0),
            default=time_limit,
            show_default=True,
            metavar="SECONDS",
            help="Stop after this many seconds (exit status 4); 0 for no limit.",
        ),
        click.option("--quiet", is_flag=True, help="No progress and no warnings."),
        click.option("--debug", is_flag=True, help="Tracebacks for internal errors."),
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            help="Colours; NO_COLOR and FORCE_COLOR are honoured.",
        ),
    ]


def method_options(function: Any, *, why: bool = True) -> Any:
    """--method, --error, --variance, --why: how a dual is to be computed, and why so."""
    for option in reversed(
        [
            click.option(
                "--method",
                type=click.Choice(METHODS),
                default="auto",
                show_default=True,
                help="How: exact, then mixture, then the cheapest; or that one alone.",
            ),
            click.option(
                "--error",
                type=click.FloatRange(0, 1, min_open=True, max_open=True),
                metavar="E",
                help="To be proven, relative to the kernel's size.",
            ),
            click.option(
                "--variance",
                metavar="LO:HI",
                help="The variances that code or a bound is for; a number for normalised data.",
            ),
            click.option("--why", is_flag=True, help="Say what was tried, and why it was taken."),
        ][: None if why else -1]
    ):
        function = option(function)
    return function


METHODS = ("auto", "exact", "mixture", "series", "quadrature", "tabulated")


def why_lines(choices: Any, width: int) -> tuple[tuple[str, str], ...]:
    """The reasons of every choice, as lines of a terminal of this width."""
    lines: list[tuple[str, str]] = []
    for choice in choices:
        lines += [("", ""), ("title", f"why: s(x) = {choice.activation.expr}")]
        for line in choice.lines:
            lead = " " * (2 + len(line) - len(line.lstrip()))
            lines += [
                ("", part)
                for part in wrap(
                    line.strip(),
                    width,
                    initial_indent=lead,
                    subsequent_indent=lead + "  ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            ]
    return tuple(lines)


def formula_argument(function: Any) -> Any:
    """EXPR: a formula, a catalogue name, or - for standard input."""
    return click.argument("expression", metavar="EXPR", callback=_from_stdin)(function)


def _from_stdin(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value.strip() != "-":
        return value.strip()
    return str(sys.stdin.read(65_536)).strip()


LEAPS = "s jumps, or is infinite at a point: s' is taken off such points"
"""Said of activations whose slope is no function."""


def read_params(pairs: tuple[str, ...]) -> dict[str, str]:
    """`("alpha=positive", ...)` as a dictionary.

    Raises:
        BadSpec: not name=value, or a name twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name and equals and value):
            raise BadSpec(
                f"--param {pair!r} is not NAME=VALUE", hint="--param alpha=positive, alpha=1.5"
            )
        if name in found:
            raise BadSpec(f"--param {name} is given twice", hint="one --param for each name")
        found[name] = value
    return found
