"""`ntksym check`: verdicts on published formulas, with diagnosis and the formula that holds."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import BadSpec, NoClosedForm, NotSquareIntegrable, TimeLimit, Undecided
from .options import Command, read_params, shared
from .outcome import OK, REFUTED, UNDECIDED, Line, Outcome, View

if TYPE_CHECKING:
    from ..check import Judgement
    from ..claims import Claim

# The keys of `claims.QUANTITIES`, which is not imported here: help must not load SymPy.
QUANTITIES = (
    *("nngp", "derivative", "diagonal", "normalised", "mean", "second_moment", "variance"),
    *("covariance", "cross", "hermite", "gradient", "layer", "ntk", "recursion", "fixed_point"),
    *("edge_of_chaos", "constant", "identity"),
)

_ONE = (
    "activation",
    "quantity",
    "formula",
    "latex",
    "where",
    "definition",
    "network",
    "by",
    "derivative",
    "tolerance",
    "f",
    "g",
)


def _options(function: Any) -> Any:
    """One option for each field of a claim."""
    texts = {
        "activation": "Of the claim: a catalogue name or text in x.",
        "quantity": "What the formula is of: " + ", ".join(QUANTITIES) + ".",
        "formula": "The formula, in the language.",
        "latex": "The formula as printed, in LaTeX.",
        "where": 'Conditions: "q11 = q22, b < 0".',
        "definition": 'For constant and identity: "1/sqrt(E[s(z)^2])".',
        "network": 'For ntk and recursion: "mlp:relu:depth=2,weight_var=2".',
        "by": "For gradient: q11, q12 or q22.",
        "derivative": "For jumps: distributional or almost_everywhere.",
        "tolerance": "A relative tolerance, for claims of approximate equality.",
        "f": "For cross: the function of u, in x.",
        "g": "For cross: the function of v, in x.",
    }
    for name in reversed(_ONE):
        function = click.option(f"--{name}", name, default="", help=texts[name])(function)
    return function


@click.command(
    "check",
    cls=Command,
    short_help="Is a published formula right, and if not, what is?",
    examples=(
        'ntksym check --activation relu --quantity derivative --formula "1/2 - acos(rho)/(2*pi)"',
        r'ntksym check --activation erf --quantity nngp --latex "\tfrac2\pi\arcsin\rho"',
        "ntksym check claims.toml --certificate out.json",
    ),
)
@click.argument("file", required=False, metavar="[FILE.toml]")
@_options
@click.option("--n", type=click.IntRange(0, 64), default=None, help="For hermite: the index.")
@click.option(
    "--param", "params", multiple=True, metavar="NAME=WORD", help="An assumption or a number."
)
@click.option(
    "--digits", type=click.IntRange(5, 200), default=20, show_default=True, help="Of the balls."
)
@click.option(
    "--claim-time",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="For one claim; it is undecided after that.",
)
@click.option("--jobs", type=click.IntRange(1, 64), default=None, help="Processes side by side.")
@click.option("--certificate", default="", metavar="OUT.json", help="Write what can be replayed.")
@shared("check", time_limit=3600.0)
def command(file: str | None, params: tuple[str, ...], **options: Any) -> dict[str, Any]:
    """Judge formulas: proved, enclosed, sampled, undecided or refuted.

    The claims come from a TOML file with [[claim]] tables, or one claim from options. A refuted
    formula comes with an exact counterexample, what is wrong with it, and the formula that holds.
    """
    return {"file": file, "params": read_params(params), **options}


def work(options: dict[str, Any], view: View) -> Outcome:
    """Judge, in the worker."""
    from ..certificate.files import folder_for
    from ..check import check
    from ..check.check import unreadable
    from ..check.record import record
    from ..claims import Claim
    from ..claims.read import BadClaim

    read = _claims(options)
    if options["certificate"]:
        folder_for(options["certificate"])
    good = tuple(c for c in read if isinstance(c, Claim))

    def progress(done: int, total: int, name: str) -> None:
        view.note(f"judged {done} of {total} claims: {name}")

    judged = iter(
        check(
            good,
            digits=options["digits"],
            time_limit=options["claim_time"],
            jobs=options["jobs"],
            progress=progress,
        )
    )
    found = [
        unreadable(Claim(id=c.id), c.error) if isinstance(c, BadClaim) else next(judged)
        for c in read
    ]
    if not options["file"] and found[0].error:
        _read_again(good[0])
    lines: list[Line] = []
    for j in found:
        lines += [*j.lines(), ("", "")]
    if options["certificate"]:
        lines += _certify(options["certificate"], found, view)
    lines += _summary(found)
    payload = {"schema": "ntksym/check/1", "claims": [record(j) for j in found]}
    return Outcome(payload, tuple(lines), _status(found))


def _read_again(claim: Claim) -> None:
    """Raise the error of reading that left the one claim of the options without a verdict.

    In a file a bad claim is an error of its own, and the others are judged.
    """
    from ..claims.statement import FormulaWithoutValue, formulas_of, state

    with suppress(FormulaWithoutValue, NoClosedForm, NotSquareIntegrable, Undecided, TimeLimit):
        state(claim, formulas_of(claim)[0])


def _status(found: list[Judgement]) -> int:
    names = {str(j.verdict) for j in found}
    if "refuted" in names:
        return REFUTED
    return UNDECIDED if names & {"undecided", "sampled"} else OK


def _claims(options: dict[str, Any]) -> tuple[Any, ...]:
    from dataclasses import replace

    from ..claims.read import read_claim, read_claims

    given = {k: options[k] for k in _ONE if options[k]}
    if options["n"] is not None:
        given["n"] = options["n"]
    words, numbers = _sorted(options["params"])
    if words:
        given["params"] = words
    if numbers:
        given["where"] = ", ".join([*([given["where"]] if "where" in given else []), *numbers])
    if options["file"] and given:
        raise BadSpec(
            "a file of claims, or one claim from options: not both",
            hint="the file without options that say a claim",
        )
    if options["file"]:
        return read_claims(Path(options["file"]))
    if not given:
        raise BadSpec("no claim", hint="a TOML file, or --activation, --quantity and --formula")
    return (replace(read_claim(given), id="claim"),)


def _sorted(params: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Assumptions, and numbers as conditions: those of a claim are part of what it says."""
    from ..errors import ParseError
    from ..language import parse_number

    words: dict[str, str] = {}
    numbers = []
    for name, word in params.items():
        try:
            parse_number(word)
            numbers.append(f"{name} = {word}")
        except ParseError:
            words[name] = word
    return words, numbers


def _summary(found: list[Judgement]) -> list[Line]:
    if len(found) == 1:
        return []
    counts: dict[str, int] = {}
    for j in found:
        counts[str(j.verdict)] = counts.get(str(j.verdict), 0) + 1
    order = ("proved", "enclosed", "sampled", "undecided", "refuted")
    text = ", ".join(f"{counts[name]} {name}" for name in order if name in counts)
    return [("title", f"{len(found)} claims: {text}")]


def _certify(path: str, found: list[Judgement], view: View) -> list[Line]:
    from ..check.certify import write_certificate

    view.note("writing the certificate")
    count, missing = write_certificate(path, found)
    lines: list[Line] = [("dim", f"{path}: {count} certificates")]
    lines += [("dim", f"  no certificate for {reason}") for reason in missing]
    return [*lines, ("", "")]
