"""The group of commands: loading on use, suggestions, and what each kind of failure exits with."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from types import TracebackType
from typing import Any, NoReturn

import click

import ntksym

from ..errors import NtksymError
from .launch import InternalError
from .outcome import EXIT_CODES, INTERNAL, INTERRUPTED, USAGE
from .terminal import Settings, complain, error_json

COMMANDS = (
    "derive",
    "eval",
    "prove",
    "check",
    "verify-certificate",
    "render",
    "network",
    "export",
    "gram",
    "catalogue",
    "cite",
    "doctor",
)

_EXAMPLES = (
    'ntksym derive "max(x, 0)"',
    'ntksym derive "x*(1+erf(x/sqrt(2)))/2" --steps',
    'ntksym eval "max(x, alpha*x)" --at 1,1/2,2 --param alpha=1/10',
    "ntksym prove gelu",
    'ntksym check --activation relu --quantity diagonal --formula "q/2"',
    "ntksym network mlp:gelu:depth=3,weight_var=2",
    "ntksym export mlp:relu:depth=3,weight_var=2 --target c --out build",
)

_HELP = "Derive, prove and run the kernels of infinitely wide neural networks."


class Usage(NtksymError):
    """Arguments that a command cannot take."""

    code, exit_status = "E001", USAGE


class App(click.Group):
    """The group `ntksym`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of a session."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of that name, loaded now."""
        if name not in COMMANDS:
            return None
        found: click.Command = import_module(f"{__package__}.{name.replace('-', '_')}").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first argument, or an error with the nearest name."""
        name = args[0]
        if not name.startswith("-") and name not in COMMANDS:
            from difflib import get_close_matches

            close = get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise Usage(
                f"there is no command {name[:60]!r}", hint=f"{hint}commands: {', '.join(COMMANDS)}"
            )
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, then usage, commands and exit statuses."""
        formatter.write(f"{_HELP}\n\n")
        with formatter.section("Examples"):
            for line in _EXAMPLES:
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
        formatter.write_paragraph()
        self.format_usage(ctx, formatter)
        self.format_options(ctx, formatter)
        with formatter.section("Exit status"):
            formatter.write_dl([(str(code), text) for code, text in EXIT_CODES])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and exit: the status is documented under `ntksym --help`."""
        argv = list(sys.argv[1:] if args is None else args)
        settings = _settings(argv)
        try:
            status: Any = click.Group.main(self, argv, prog_name, standalone_mode=False)
        except click.exceptions.Exit as done:
            sys.exit(done.exit_code)
        except click.UsageError as error:
            _fail(_usage(error), settings)
        except click.ClickException as error:
            _fail(Usage(error.format_message()), settings)
        except NtksymError as error:
            _fail(error, settings)
        except (click.Abort, KeyboardInterrupt):
            complain("interrupted", settings)
            sys.exit(INTERRUPTED)
        sys.exit(status if isinstance(status, int) else 0)


def _settings(argv: Sequence[str]) -> Settings:
    """The options that errors obey, read before anything can go wrong."""
    color = "auto"
    for i, arg in enumerate(argv):
        if arg.startswith("--color="):
            color = arg.partition("=")[2]
        elif arg == "--color" and i + 1 < len(argv):
            color = argv[i + 1]
    return Settings(json="--json" in argv, debug="--debug" in argv, color=color)


def _usage(error: click.UsageError) -> Usage:
    where = error.ctx.command_path if error.ctx else "ntksym"
    options = [option.strip() for option in getattr(error, "possibilities", None) or ()]
    hint = f"did you mean {', '.join(options)}? " if options else ""
    message = error.message if options else error.format_message()
    return Usage(message.rstrip(".").strip(), where=where, hint=f"{hint}{where} --help")


def _fail(error: NtksymError, settings: Settings) -> NoReturn:
    if settings.json:
        click.echo(error_json(error.record()))
    else:
        complain(_report(error) if isinstance(error, InternalError) else error.text, settings)
    if isinstance(error, InternalError):
        if settings.debug and error.trace:
            click.echo(error.trace, err=True)
        sys.exit(INTERNAL)
    sys.exit(error.exit_status)


def report_unexpected(argv: Sequence[str]) -> Any:
    """An exception hook: a bug outside the worker is reported like one inside it."""
    settings = _settings(argv)

    def report(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        text = "".join(traceback.format_exception(kind, error, trace))
        _fail(InternalError(f"{kind.__name__}: {error}", text), settings)

    return report


def _report(error: InternalError) -> str:
    import platform

    return "\n".join(
        (
            "this is a bug of ntksym, not of the input",
            "  please report these lines, and the command that you ran:",
            f"  ntksym {ntksym.__version__}, "
            f"Python {platform.python_version()}, {platform.system()}",
            f"  {error.what.splitlines()[0] if error.what else ''}",
            "  --debug shows where it happened",
        )
    )


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"ntksym {ntksym.__version__}")
        ctx.exit()


cli = App(
    name="ntksym",
    help=_HELP,
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help="Show the version.",
        )
    ],
)


@click.pass_context
def _no_command(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


cli.callback = _no_command
