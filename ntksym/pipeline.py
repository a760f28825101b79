"""The whole flow, and the only file that knows the order of the stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .lower import Schedule
    from .network import Network


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its verb, where it lives, what goes in and out, and its contract."""

    verb: str
    where: tuple[str, ...]
    takes: str
    gives: str
    contract: str


STAGES = (
    Stage(
        "define",
        ("activation", "language", "latex", "activations"),
        "text, LaTeX, SymPy",
        "Activation",
        "a real function of one symbol x, parameters with assumptions",
    ),
    Stage(
        "decompose",
        ("exact", "terms"),
        "Activation",
        "TermSum",
        "equal to the activation off its kinks, in an algebra closed under +, x, d/dx",
    ),
    Stage(
        "expect",
        ("gaussian", "powers"),
        "TermSum x TermSum x Law",
        "ClosedForm",
        "no integral left, canonical; else NoClosedForm",
    ),
    Stage(
        "dual",
        ("derivation", "steps", "abbreviations", "dual"),
        "Activation",
        "Dual",
        "value, derivative and diagonals that agree with each other (Price)",
    ),
    Stage(
        "check",
        ("verify",),
        "Activation, Dual",
        "Report",
        "compares with something that does not use the stage under test",
    ),
    Stage(
        "approximate",
        ("numeric",),
        "Activation",
        "MixtureDual, SeriesDual, QuadratureDual, TableDual, DyadicTable, BandedDual, SplitTable, "
        "KinkTable",
        "a finite rule with a proven bound, where there is no closed form or none that is fast",
    ),
    Stage(
        "recurse",
        ("network",),
        "Network",
        "Recursion",
        "NNGP and NTK after each layer, in the state before it",
    ),
    Stage(
        "collapse",
        ("collapse",),
        "Network",
        "Collapsed",
        "a network as one polynomial of the angle, with a proven error: depth for free",
    ),
    Stage(
        "lower",
        ("lower", "gradients"),
        "Dual, LayerRule",
        "Program",
        "straight-line total operations, named, same bytes for same input",
    ),
    Stage(
        "emit",
        ("backends",),
        "Program",
        "source files",
        "pure text; refuses what it cannot spell",
    ),
    Stage(
        "run",
        ("runtime",),
        "Network",
        "CompiledKernel",
        "compiled in a private cache, symmetric Gram matrices, exact diagonal",
    ),
    Stage(
        "state",
        ("display", "claims"),
        "Claim",
        "Statement",
        "definition = formula on a domain; every name bound, nothing evaluated",
    ),
    Stage(
        "judge",
        ("check", "certificate", "replay"),
        "Claim",
        "Judgement",
        "a verdict with evidence; refuted by an exact counterexample; diagnoses are verified",
    ),
    Stage(
        "publish",
        (
            "export",
            "large",
            "book",
            "cli",
            "demo",
        ),
        "any of the above",
        "files, pages, terminal",
        "the only stage that touches the disk",
    ),
)
SHARED = (
    "symbols",
    "brief",
    "digits",
    "doubles",
    "dyadic",
    "errors",
    "extras",
    "functions",
    "precision",
    "references",
    "waiting",
    "zero_tests",
)
"""Leaves below the first stage."""


def kernel_programs(network: Network) -> Schedule:
    """Network -> one Program per distinct layer, and the order of layers.  Read this first."""
    from .lower import lower_network
    from .network import recurse

    recursion = recurse(network)  # define, decompose, expect, dual, recurse
    return lower_network(recursion)  # lower; `backends` spell it, `runtime` runs it
