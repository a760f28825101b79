"""Running collapsed networks: depth L at the price of one layer."""

from __future__ import annotations

import json
from secrets import token_hex
from typing import Any

import numpy as np
from sympy import Rational

from ..backends import Contract, SourceFile
from ..backends.c.network import collapsed as c_collapsed
from ..backends.collapsed import TOLERANCE, CollapsedProgram
from ..backends.numpy import collapsed as numpy_collapsed
from ..backends.numpy import collapsed_tiles as numpy_tiles
from ..collapse import Collapsed, angular, collapse
from ..collapse.fit import Side
from ..errors import BadData, NoClosedForm, UnsupportedOp
from ..network import Network
from ..network.affine import affine_layers
from .cache import obtain
from .checks import Array, data_rows, dimension, real_array
from .engines import CNetwork, NumpyNetwork
from .kernel import CompiledKernel
from .pair_tile import squares
from .recipes import recipe_key
from .spelled import spelled
from .spheres import SAME, common_square
from .unit_layers import first_affine, input_program

ERRORS = {"float64": 1e-12, "float32": 1e-8}
"""What is asked of the approximation, over the kernels at rho = 1."""
ERROR = ERRORS["float64"]
TOLERANCES = {"float64": TOLERANCE, "float32": 1.25 * SAME["float32"]}
"""Relative differences of variances from the sphere's beyond which there is no result."""


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
    key = recipe_key("collapsed/3", spelled(network), *asked)
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


class CollapsedKernel:
    """A network's kernels through its collapsed form; the calls of `CompiledKernel`.

    A homogeneous network has one collapsed form.  Any other has one per sphere: it is made when
    data on that sphere comes, and kept.  In the standard parametrisation there is one per
    dimension of the inputs.
    """

    def __init__(
        self,
        network: Network,
        *,
        target: str,
        dtype: str,
        cache: bool,
        threads: int,
        error: float | None = None,
    ) -> None:
        self._network = network
        self._error = ERRORS[dtype] if error is None else error
        self.target, self.dtype, self.threads = target, np.dtype(dtype), threads
        self._cache = cache
        self._made: dict[tuple[Rational | None, int | None], CompiledKernel] = {}
        try:
            found = angular(network)
        except NoClosedForm:
            self.homogeneous = False
            found = angular(network, Rational(1))
        else:
            self.homogeneous = True
        self._wide = found.needs_dimension
        if self.homogeneous and not self._wide:
            self._kernel(None, 1)
        self.name = str(network.name or "network")

    def __repr__(self) -> str:
        which = "any inputs" if self.homogeneous else "inputs on a sphere"
        return f"<CollapsedKernel {self.name}: {which}>"

    def __call__(self, X: Any, Y: Any = None, **options: Any) -> Any:
        """As `CompiledKernel.__call__`.

        Raises:
            BadData: not homogeneous, and the rows have different norms.
        """
        return self.for_data(X, Y)(X, Y, **options)

    @property
    def bound(self) -> float:
        """The proven error of every form made so far, over the kernels at rho = 1; not rounding.

        Before there is a form it is the error asked for, which none of them exceeds.
        """
        return max((k.bound for k in self._made.values()), default=self._error)

    @property
    def sources(self) -> tuple[SourceFile, ...]:
        """The generated files of the collapsed forms made so far."""
        return tuple(f for k in self._made.values() for f in k.sources)

    def diag(self, X: Any) -> Any:
        """As `CompiledKernel.diag`."""
        return self.for_data(X).diag(X)

    def gram(self, G: Any, q1: Any, q2: Any, d: int = 1, **options: Any) -> Any:
        """As `CompiledKernel.gram`.

        Raises:
            BadData: as there; or not homogeneous, and the squared norms differ.
        """
        d = dimension(d)
        norms = [real_array(q, name, 1) for q, name in ((q1, "q1"), (q2, "q2"))]
        return self._for_squares(norms, d).gram(G, q1, q2, d, **options)

    def gradient(self, X: Any, Y: Any = None) -> Any:
        """There is none: a polynomial of the angle has no derivatives in variances.

        Raises:
            UnsupportedOp: always.
        """
        raise UnsupportedOp(f"{self.name}: no derivatives", hint="the network without collapse")

    def for_data(self, X: Any, Y: Any = None) -> CompiledKernel:
        """The kernel for these inputs; rows that are not finite are on every sphere.

        Raises:
            BadData: no real arrays of rows; or not homogeneous, and the rows have different norms.
        """
        rows = [data_rows(X, "X"), *([] if Y is None else [data_rows(Y, "Y")])]
        with np.errstate(all="ignore"):
            return self._for_squares([squares(z) for z in rows], rows[0].shape[1])

    def _for_squares(self, given: list[Array], d: int) -> CompiledKernel:
        if self.homogeneous:
            return self._kernel(None, d)
        found = np.concatenate(given)
        found = found[np.isfinite(found)]
        if not found.size:  # nothing to work out: any sphere will do
            return next(iter(self._made.values()), None) or self._kernel(self._variance(1.0, d), d)
        low, high = float(found.min()), float(found.max())
        if not high - low <= SAME[self.dtype.name] * high:
            raise BadData(
                "the rows do not lie on a sphere",
                where=f"squared norms from {low:.17g} to {high:.17g}",
                hint="rows / norms in float64, or collapse=False",
            )
        return self._kernel(self._variance(common_square(low, high, self.dtype.name), d), d)

    def on_sphere(self, square: float | None, d: int) -> CompiledKernel:
        """The kernel for rows of d columns and this squared norm; None for a homogeneous network.

        Raises:
            NoClosedForm: not a function of the angle alone.
            Undecided: the error is not reached.
        """
        return self._kernel(None if square is None else self._variance(square, d), d)

    def _variance(self, square: float, d: int) -> Rational:
        slope, offset = first_affine(self._network, d)
        return Rational(slope * square + offset)

    def _kernel(self, variance: Rational | None, d: int) -> CompiledKernel:
        key = variance, d if self._wide else None
        if key not in self._made:
            target, cache = self.target, self._cache
            found = kept_collapse(self._network, variance, self._error, cache, key[1])
            program = collapsed_program(found, tolerance=TOLERANCES[self.dtype.name])
            contract = Contract("ntksym.compile", ("the NNGP kernel and the NTK of a network",))
            engine: CCollapsed | NumpyCollapsed
            if target == "c":
                engine = CCollapsed(program, contract, keep=cache)
            else:
                engine = NumpyCollapsed(program, contract, keep=cache)
            self._made[key] = CompiledKernel(
                engine,
                name=str(self._network.name or "network"),
                target=target,
                dtype=self.dtype.name,
                threads=self.threads,
                sources=engine.sources,
                bound=max(found.error),
            ).prepare(cache)
        return self._made[key]
