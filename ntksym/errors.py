"""Errors that say what, where, what was tried, and what to do.

Every error a user can meet derives from `NtksymError`.  The text is built in one place, so that
the terminal, the JSON output and the tests see the same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LONG = 120
"""What was tried has a line each where it has more characters than this."""


class NtksymError(Exception):
    """Base of all errors of this library.

    Attributes:
        what: one line: what is wrong.
        where: the place: a source line with a caret, a file and key, an array index; or "".
        tried: what the library tried before it gave up.
        hint: what the reader can do now.
    """

    code = "E000"
    exit_status = 70

    def __init__(
        self, what: str, *, where: str = "", tried: Sequence[str] = (), hint: str = ""
    ) -> None:
        self.what = what
        self.where = where
        self.tried = tuple(tried)
        self.hint = hint
        super().__init__(self.text)

    @property
    def text(self) -> str:
        """The whole message, one aspect per line."""
        lines = [self.what]
        if self.where:
            lines += ["  " + line for line in self.where.splitlines()]
        if self.tried:
            short = sum(map(len, self.tried)) < LONG
            lines.append("  tried: " + ("; " if short else "\n         ").join(self.tried))
        if self.hint:
            lines.append("  use:   " + self.hint)
        return "\n".join(lines)

    def say(self, own: str, name: str) -> None:
        """Have `name` in the message wherever `own` is: it says what was asked for."""
        self.what, self.where, self.hint = (
            part.replace(own, name) for part in (self.what, self.where, self.hint)
        )
        self.tried = tuple(part.replace(own, name) for part in self.tried)
        self.args = (self.text,)

    def record(self) -> dict[str, object]:
        """The message as data, for `--json`."""
        return {
            "code": self.code,
            "kind": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "tried": list(self.tried),
            "hint": self.hint,
        }


class ParseError(NtksymError):
    """Text that is not a formula of the language; `where` shows the line and a caret."""

    code, exit_status = "E010", 2


class UnknownName(ParseError):
    """A name that is neither a function, a constant nor a declared parameter."""

    code = "E011"


class TooLarge(ParseError):
    """Text beyond the bounds on size, depth or exponents.  Refused before anything is built."""

    code = "E012"


class BadActivation(NtksymError):
    """Not a real function of one variable."""

    code, exit_status = "E020", 2


class NoValue(ParseError, BadActivation):
    """A part of a formula that has no real value whatever its names stand for."""

    code = "E013"


class NotSquareIntegrable(BadActivation):
    """E[s(u)^2] is infinite for every variance, or for the variance given."""

    code = "E021"


class NoClosedForm(NtksymError):
    """The activation, or a product it leads to, is outside the class with closed forms."""

    code, exit_status = "E030", 3


class BadCovariance(NtksymError):
    """(q11, q12, q22) is not positive semi-definite."""

    code, exit_status = "E040", 2


class Undecided(NtksymError):
    """No verdict within the bounds on precision and time."""

    code, exit_status = "E050", 3


class TimeLimit(NtksymError):
    """The time allowed ran out."""

    code, exit_status = "E051", 4


class BadSpec(NtksymError):
    """A network specification (text, TOML or arguments) that does not say a network."""

    code, exit_status = "E060", 2


class UnsupportedOp(NtksymError):
    """A backend cannot spell an operation of the program."""

    code, exit_status = "E070", 3


class BadProgram(NtksymError):
    """An ill-formed program: a bug of this library, or of a hand-made program."""

    code, exit_status = "E071", 70


class BadData(NtksymError, ValueError):
    """Arrays of a wrong shape or type, or with NaN or Inf."""

    code, exit_status = "E080", 2


class NoCompiler(NtksymError):
    """No working C compiler."""

    code, exit_status = "E090", 5


class NoRoom(NoCompiler):
    """A compiler, but nowhere to write what it reads and makes; `hint` says what helps."""


class CannotWrite(NtksymError):
    """A file or directory that cannot be written; nothing was left half-written."""

    code, exit_status = "E091", 2


class MissingExtra(NtksymError):
    """A library of an optional extra is not installed."""

    code, exit_status = "E101", 5


def not_semi_definite(q11: Any, q12: Any, q22: Any) -> BadCovariance:
    """The error of three exact numbers that are no covariance."""
    return BadCovariance(
        f"the covariance [[{q11}, {q12}], [{q12}, {q22}]] is not positive semi-definite",
        where=f"q11 = {q11}, q22 = {q22}, q11 q22 - q12^2 = {q11 * q22 - q12 * q12}",
        hint="q11 >= 0, q22 >= 0 and q12^2 <= q11 q22",
    )


def without_value(name: str, where: str = "") -> BadSpec:
    """The error of a parameter that has no number where code needs one."""
    return BadSpec(
        f"the parameter {name!r} has no value",
        where=where,
        hint=f"a number for it: mlp:...:{name}=0.25 in the text of a network, --param {name}=0.25 "
        f"for an activation, {name}=0.25 (params={{{name!r}: 0.25}}) in Python",
    )
