"""`ntksym doctor`: versions, compiler, ground types, cache."""

from __future__ import annotations

from typing import Any

import click

import ntksym

from .options import Command, shared
from .outcome import MISSING_TOOL, OK, Line, Outcome, View

_PACKAGES = ("sympy", "mpmath", "python-flint", "numpy", "scipy", "click", "rich")


@click.command(
    "doctor",
    cls=Command,
    short_help="What is installed, and whether it works here.",
    examples=("ntksym doctor", "ntksym doctor --json"),
)
@shared("doctor")
def command() -> dict[str, Any]:
    """Report versions, the C compiler, SymPy's ground types and the compile cache.

    The exit status is 5 where there is no C compiler; everything but the target c works without.
    """
    return {}


def work(options: dict[str, Any], view: View) -> Outcome:
    """Look around, in the worker."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from sympy.external.gmpy import GROUND_TYPES

    from ..errors import NoCompiler
    from ..runtime import find_compiler
    from ..runtime.library.cache import cache_directory, default_directory, is_private

    versions = {"ntksym": ntksym.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "missing"
    try:
        found = find_compiler()
        compiler: dict[str, Any] = {
            "command": list(found.command),
            "identity": found.identity,
            "flags": list(found.flags),
        }
        problem = ""
    except NoCompiler as error:
        compiler, problem = {}, error.text
    wanted = default_directory()
    used = cache_directory()
    cache = {
        "directory": str(wanted),
        "usable": used == wanted,
        "private": is_private(wanted),
        "files": sum(1 for p in wanted.glob("*") if p.is_file()) if used == wanted else 0,
    }
    payload = {
        "schema": "ntksym/doctor/1",
        "platform": platform.platform(),
        "versions": versions,
        "ground_types": GROUND_TYPES,
        "compiler": compiler or None,
        "compiler_problem": problem,
        "cache": cache,
    }
    lines: list[Line] = [("", f"{name:<13} {number}") for name, number in versions.items()]
    lines.append(("", f"{'platform':<13} {payload['platform']}"))
    lines.append(("", f"{'ground types':<13} {GROUND_TYPES}"))
    if compiler:
        lines.append(("good", f"{'compiler':<13} {found.identity}"))
    else:
        lines += [("bad", row) for row in problem.splitlines()]
    state = "usable" if cache["usable"] else "not usable: a fresh directory for every process"
    lines.append(("" if cache["usable"] else "bad", f"{'cache':<13} {wanted} ({state})"))
    return Outcome(payload, tuple(lines), OK if compiler else MISSING_TOOL)
