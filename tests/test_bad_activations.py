"""What is no activation, or has no kernel, or no certificate: the class, the text, and quickly."""

from __future__ import annotations

import json
import time

import pytest
from click.testing import CliRunner

from ntksym import dual
from ntksym.cli.app import cli
from ntksym.errors import (
    BadActivation,
    NotSquareIntegrable,
    NtksymError,
    ParseError,
    TooLarge,
    Undecided,
    UnknownName,
)
from ntksym.language import parse_activation
from ntksym.verify.balls import enclose_definition

READING = (
    ("", ParseError, "the formula is empty"),
    ("   ", ParseError, "the formula is empty"),
    ("sqrt(x)", BadActivation, "sqrt(x) is not real"),
    ("log(x)", BadActivation, "log(x) is not real"),
    ("x^(1/3)", BadActivation, "x^(1/3) is not real"),
    ("asin(x)", UnknownName, "asin is not real on the whole line"),
    ("floor(x)", UnknownName, "there is no function 'floor'"),
    ("1e400", TooLarge, "a decimal exponent out of range"),
    ("exp(1000)*x", TooLarge, "a number beyond the range of doubles"),
    ("x + 1/0", ParseError, "division by zero"),
    ("x + oo", ParseError, "oo is not a number to calculate with"),
)

CHECKING = (
    ("exp(x^2)", NotSquareIntegrable, "not finite at this variance"),
    ("exp(exp(x))", NotSquareIntegrable, "faster than every Gaussian"),
    ("1/x", BadActivation, "1/x is infinite at x = 0"),
    ("1/(x - 1)^2", BadActivation, "infinite at x = 1"),
    ("x/(x^2 - 2)", BadActivation, "infinite at x = -sqrt(2)"),
    ("1/sin(x)", BadActivation, "1/sin(x) is infinite at x = 0"),
    ("tan(x)", BadActivation, "tan(x) has poles on the real line"),
    ("sin(1/x)", BadActivation, "1/x is infinite at x = 0"),
    ("sign(sin(x))", Undecided, "there may be infinitely many"),
    ("max(sin(x), 0)", Undecided, "there may be infinitely many"),
    ("sin(exp(x))", Undecided, "oscillates too fast for a certificate"),
    ("cos(x^3)", Undecided, "oscillates too fast for a certificate"),
    ("x*y", BadActivation, "no value is given for the parameter 'y'"),
)


@pytest.mark.parametrize(("text", "kind", "what"), READING)
def test_refused_where_it_is_read(text: str, kind: type[NtksymError], what: str) -> None:
    with pytest.raises(kind) as caught:
        parse_activation(text)
    assert what in caught.value.what
    with pytest.raises(kind):
        dual(text)


@pytest.mark.parametrize(("text", "kind", "what"), CHECKING)
def test_refused_where_it_is_enclosed(text: str, kind: type[NtksymError], what: str) -> None:
    activation = parse_activation(text)
    start = time.process_time()
    with pytest.raises(kind) as caught:
        enclose_definition(activation, 1, "0.5", 1)
    assert time.process_time() - start < 5
    assert what in caught.value.text
    assert "use:" in caught.value.text or kind is BadActivation


def test_a_power_that_is_not_square_integrable() -> None:
    with pytest.raises(NotSquareIntegrable) as caught:
        enclose_definition(parse_activation("1/x"), 1, "0.5", 1, derivative=True)
    assert caught.value.text == (
        "|x|**(-1) is not square-integrable at 0: E[s(u)^2] is infinite\n"
        "  use:   a power above -1/2"
    )


@pytest.mark.parametrize(
    ("command", "text"),
    [("derive", "1/x"), ("prove", "floor(x)"), ("eval", ""), ("eval", "max(sin(x), 0)")],
)
def test_commands_answer_with_an_error_and_no_traceback(command: str, text: str) -> None:
    at = ["--at", "1,1/2,1"] if command == "eval" else []
    result = CliRunner().invoke(cli, [command, text, *at, "--json"])
    assert result.exit_code in (2, 3)
    assert "Traceback" not in result.output
    record = json.loads(result.stdout)
    if "error" not in record:
        assert record["agree"] is None and "infinitely many" in record["nngp"]["note"]


def test_bounded_oscillation_is_a_number() -> None:
    """sin(x^2) oscillates at infinity, but slowly enough under the Gaussian."""
    ball = enclose_definition(parse_activation("sin(x^2)"), "0.01", "0.005", "0.04", digits=30)
    assert ball.rel_digits >= 30
