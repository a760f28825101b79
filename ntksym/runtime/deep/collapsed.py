"""Running collapsed networks: depth L at the price of one layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backends import SourceFile
from ...errors import BadData, Undecided, UnsupportedOp
from ...waiting import told
from ..checks import Array, data_rows, dimension, real_array
from ..engines import CNetwork, NumpyNetwork
from ..gram.pair_tile import squares
from ..kernel import CompiledKernel
from ..later import Asked, found_network, named, spelled_net
from ..library.recipes import read_recipe, recipe_key, write_recipe
from ..library.spelled import spelled
from ..said import Said
from .spheres import SAME, common_square

ERRORS = {"float64": 1e-12, "float32": 1e-8}
"""What is asked of the approximation, over the kernels at rho = 1."""
ERROR = ERRORS["float64"]
TOLERANCES = {"float64": SAME["float64"], "float32": 1.25 * SAME["float32"]}
"""Relative differences of variances from the sphere's beyond which there is no result."""


class CollapsedKernel(Said):
    """A network's kernels through its collapsed form; the calls of `CompiledKernel`.

    A homogeneous network has one collapsed form.  Any other has one per sphere: it is made when
    data on that sphere comes, and kept.  In the standard parametrisation there is one per
    dimension of the inputs.

    Attributes:
        taken: how the last call was computed, in words.
    """

    taken = "no call yet"

    def __init__(
        self,
        network: Any,
        *,
        target: str,
        dtype: str,
        cache: bool,
        threads: int,
        error: float | None = None,
    ) -> None:
        self._network = network
        self.depth = int(network.depth)
        self._error = ERRORS[dtype] if error is None else error
        self.target, self.dtype, self.threads = target, np.dtype(dtype), threads
        self._cache = cache
        self._said = spelled_net(getattr(network, "net", network)) if cache else None
        self._made: dict[tuple[float | None, int | None], CompiledKernel] = {}
        facts = self._recalled(lambda: _forms().facts_of(found_network(self._network)), "facts")
        self.homogeneous, self._wide = bool(facts["homogeneous"]), bool(facts["wide"])
        self.slow, self.name = bool(facts["slow"]), str(facts["name"])
        if self.homogeneous and not self._wide:
            self._kernel(None, 1)

    def __repr__(self) -> str:
        which = "any inputs" if self.homogeneous else "inputs on a sphere"
        return f"<CollapsedKernel {self.name}: {which}>"

    def __call__(self, X: Any, Y: Any = None, **options: Any) -> Any:
        """As `CompiledKernel.__call__`.

        Raises:
            BadData: not homogeneous, and the rows have different norms.
        """
        made = self.for_data(X, Y)
        self.taken = f"one polynomial, proven to {made.bound:.1e}"
        return made(X, Y, **options)

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

    def at(self, **numbers: Any) -> CollapsedKernel:
        """As `CompiledKernel.at`: collapsed anew."""
        return CollapsedKernel(
            found_network(self._network).at(**numbers),
            target=self.target,
            dtype=self.dtype.name,
            cache=self._cache,
            threads=self.threads,
            error=self._error,
        )

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

    def growth(self, variance: float | None = None) -> Any:
        """There is none.

        Raises:
            UnsupportedOp: always.
        """
        raise UnsupportedOp(f"{self.name}: no layers", hint="the network without collapse")

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
            return next(iter(self._made.values()), None) or self._kernel(1.0, d)
        low, high = float(found.min()), float(found.max())
        if not high - low <= SAME[self.dtype.name] * high:
            raise BadData(
                "the rows do not lie on a sphere",
                where=f"squared norms from {low:.17g} to {high:.17g}",
                hint="rows / norms in float64, or collapse=False",
            )
        return self._kernel(common_square(low, high, self.dtype.name), d)

    def on_sphere(self, square: float | None, d: int) -> CompiledKernel:
        """The kernel for rows of d columns and this squared norm; None for a homogeneous network.

        Raises:
            NoClosedForm: not a function of the angle alone.
            Undecided: the error is not reached.
        """
        return self._kernel(square, d)

    def _kernel(self, square: float | None, d: int) -> CompiledKernel:
        key = square, d if self._wide or square is not None else None
        if key not in self._made:
            engine, bound = self._form(*key)
            self._made[key] = CompiledKernel(
                engine,
                name=self.name,
                target=self.target,
                dtype=self.dtype.name,
                threads=self.threads,
                sources=engine.sources,
                bound=bound,
            ).prepare(self._cache)
        return self._made[key]

    def _form(self, square: float | None, d: int | None) -> tuple[Any, float]:
        """The engine of a form and its bound, from the recipe where there is one."""
        made: list[Any] = []

        def make() -> dict[str, Any]:
            engine, bound = _forms().made_form(
                found_network(self._network),
                square,
                d or 1,
                self._wide,
                target=self.target,
                error=self._error,
                tolerance=TOLERANCES[self.dtype.name],
                cache=self._cache,
            )
            made.append(engine)
            sources = [[s.name, s.text] for s in engine.sources]
            return {"numbers": engine.numbers, "sources": sources, "bound": bound}

        asked = spelled((self.target, self.dtype.name, self._error, square, d))
        recipe = self._recalled(make, "form", asked)
        if made:
            return made[0], recipe["bound"]
        kind: Any = CNetwork if self.target == "c" else NumpyNetwork
        engine = kind.__new__(kind)
        sources = tuple(SourceFile(name, text) for name, text in recipe["sources"])
        engine.restore(sources, recipe["numbers"], self._cache)
        return engine, recipe["bound"]

    def _recalled(self, make: Callable[[], dict[str, Any]], *asked: str | None) -> dict[str, Any]:
        """What was worked out before, in this program or another, or what `make` gives; that an
        error is not reached is kept too, since a search without success takes longest.
        """
        key = recipe_key("collapsed kernel", self._said, *asked) if self._cache else None
        found = read_recipe(key)
        if found is None:
            try:
                with told(f"collapse {named(self._network)}", "fitting, proving, compiling"):
                    found = make()
            except Undecided as failed:
                write_recipe(key, {"undecided": [failed.what, failed.where, failed.hint]})
                raise
            write_recipe(key, found)
        elif "undecided" in found:
            what, where, hint = found["undecided"]
            raise Undecided(what, where=where, hint=hint)
        return dict(found)


def collapsed_kernel(network: Any, asked: Asked) -> CollapsedKernel:
    """What `compile` gives for a network that is collapsed, or for a `Later` of it."""
    return CollapsedKernel(
        network,
        target=asked.target,
        dtype=asked.dtype,
        cache=asked.cache,
        threads=asked.threads,
        error=None if asked.collapse is True else float(asked.collapse or 0.0),
    )


def _forms() -> Any:
    """What makes forms: it imports the algebra."""
    from . import collapsed_forms

    return collapsed_forms
