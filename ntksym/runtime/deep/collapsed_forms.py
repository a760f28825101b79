"""The forms of collapsed networks: proven, generated, compiled."""

from __future__ import annotations

import json
from contextlib import suppress
from secrets import token_hex
from typing import Any

from sympy import Rational

from ...backends import Contract
from ...backends.c.network import collapsed as c_collapsed
from ...backends.collapsed import TOLERANCE, CollapsedProgram
from ...backends.numpy import collapsed as numpy_collapsed
from ...backends.numpy import collapsed_tiles as numpy_tiles
from ...collapse import Collapsed, angular, collapse
from ...collapse.side import Side
from ...errors import NoClosedForm, NtksymError
from ...functions import Phi2
from ...network import Network
from ...network.affine import affine_layers
from ..engines import CNetwork, NumpyNetwork
from ..library.cache import obtain
from ..library.recipes import recipe_key
from ..library.spelled import spelled
from ..units.layers import first_affine, input_program


class CCollapsed(CNetwork):
    """A collapsed network in a shared library."""

    def __init__(self, program: CollapsedProgram, contract: Contract, *, keep: bool = True) -> None:
        source = c_collapsed.network_file(program, contract)
        self._load(source, 1, keep)


class NumpyCollapsed(NumpyNetwork):
    """A collapsed network in a NumPy module."""

    def __init__(self, program: CollapsedProgram, contract: Contract, *, keep: bool = True) -> None:
        readable = numpy_collapsed.network_file(program, contract)
        self._load((readable, numpy_tiles.tiles_file(program, contract)), keep)


def collapsed_program(
    found: Collapsed, name: str = "network", tolerance: float = TOLERANCE
) -> CollapsedProgram:
    """The numbers of a collapsed network, as the backends take them.

    Args:
        found: the network.
        name: an identifier.
        tolerance: relative differences of variances from the sphere's that are let pass.
    """
    program, values = input_program(affine_layers(found.angular.network)[0])
    variance = found.angular.variance
    return CollapsedProgram(
        name,
        program,
        values,
        found.sides,
        found.ends,
        float(found.angular.degree),
        0.0 if variance is None else float(variance),
        notes(found, tolerance),
        tolerance,
    )


def notes(found: Collapsed, tolerance: float = TOLERANCE) -> tuple[str, ...]:
    """What the head of a generated file says of the approximation."""
    depth = len(found.angular.layers)
    variance = found.angular.variance
    where = (
        f"any inputs; scale (q11 q22)^({found.angular.degree}/2)"
        if variance is None
        else f"inputs with Sigma(x, x) = {float(variance):.17g} after the first layer; else NaN"
    )
    if variance is not None and tolerance != TOLERANCE:
        where = where.replace("; else", f" up to {tolerance:.1g} of it; else")
    k, t = found.error
    return (
        f"{depth} layers as one polynomial of the angle, for {where}",
        f"proven, rounding not counted: |error| <= {k:.2g} of nngp, {t:.2g} of ntk at rho = 1",
    )


def kept_collapse(
    network: Network,
    variance: Rational | None,
    error: float,
    keep: bool,
    dimension: int | None = None,
) -> Collapsed:
    """The collapsed network, from the cache where it is there; arguments as of `collapse`.

    Raises:
        NoClosedForm: not a function of the angle alone.
        BadSpec: the kernels depend on the dimension, and none is given.
        Undecided: the error is not reached.
    """
    made = angular(network, variance, dimension)

    def write(_: Any) -> bytes:
        found = collapse(network, variance=variance, dimension=dimension, error=error)
        return json.dumps(record(found)).encode("ascii")

    asked = (str(variance), str(dimension), repr(error))
    # None where the network, or the code that makes it, has no text: not kept
    key = recipe_key("collapsed/4", spelled(network), *asked)
    path = obtain(key or token_hex(16), ".json", write, keep=keep and key is not None)
    data = json.loads(path.read_text(encoding="ascii"))
    first, second = (
        Side(s["sign"], s["scale"], *map(tuple, (s["nngp"], s["ntk"]))) for s in data["sides"]
    )
    return Collapsed(made, (first, second), tuple(data["ends"]), tuple(data["error"]))


def record(found: Collapsed) -> dict[str, Any]:
    """A collapsed network as data."""
    sides = [
        {"sign": s.sign, "scale": s.scale, "nngp": list(s.nngp), "ntk": list(s.ntk)}
        for s in found.sides
    ]
    return {"sides": sides, "ends": list(found.ends), "error": list(found.error)}


def facts_of(network: Network) -> dict[str, Any]:
    """What a collapsed kernel must know of its network before there is a form, as plain data.

    `homogeneous`: any data will do.  `wide`: there is a form for every dimension of the data.
    `slow`: a proof takes seconds a layer.

    Raises:
        NoClosedForm: not a function of the angle alone, on no data.
    """
    try:
        found, homogeneous = angular(network), True
    except NoClosedForm:
        found, homogeneous = angular(network, Rational(1)), False
    slow = False
    with suppress(NtksymError):  # it is said where a form is made
        slow = any(n.forms().value.has(Phi2) for n in {n for n, _ in network.blocks})
    return {
        "homogeneous": homogeneous,
        "wide": found.needs_dimension,
        "slow": slow,
        "name": str(network.name or "network"),
    }


def made_form(
    network: Network,
    square: float | None,
    d: int,
    wide: bool,
    *,
    target: str,
    error: float,
    tolerance: float,
    cache: bool,
) -> tuple[CNetwork | NumpyNetwork, float]:
    """The engine of one form, and its proven error.

    Args:
        network: the network.
        square: the squared norm of all rows; None for a homogeneous network.
        d: the dimension of the rows.
        wide: whether the kernels depend on it.
        target: "c" or "numpy".
        error: to be proven.
        tolerance: relative differences of variances that are let pass.
        cache: whether it is kept.

    Raises:
        NoClosedForm: not a function of the angle alone.
        Undecided: the error is not reached.
    """
    variance = None
    if square is not None:
        slope, offset = first_affine(network, d)
        variance = Rational(slope * square + offset)
    found = kept_collapse(network, variance, error, cache, d if wide else None)
    program = collapsed_program(found, tolerance=tolerance)
    contract = Contract("ntksym.compile", ("the NNGP kernel and the NTK of a network",))
    made = CCollapsed if target == "c" else NumpyCollapsed
    return made(program, contract, keep=cache), max(found.error)
