r"""Networks that are functions of the angle alone, and their values in ball arithmetic.

Two cases.  On a sphere all inputs have one $\Sigma^{(1)}(x, x)$, and so one after every layer.
And positively homogeneous activations without biases: there
$\Sigma^{(L)} = (q_{11}q_{22})^{P/2}\,F(\rho)$, $\Theta$ alike, $P$ the product of the degrees.

With $\rho = \Sigma^{(1)}_{12}/\sqrt{q_{11}q_{22}}$, both kernels are power series in $\rho$.  Each
layer maps $\rho$ by a series with coefficients $\geq 0$ (Mehler), and so does their composition;
with absolute values of what a convention may subtract, the value at $\rho = 1$ bounds the kernels
on the whole complex disc $|\rho| \leq 1$ (derivations/identities/collapse.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flint import acb, arb
from sympy import Expr, Integer, Rational, Symbol, oo

from .. import symbols
from ..brief import Brief
from ..dual import dual
from ..errors import BadSpec, NoClosedForm, Undecided
from ..network import Network
from ..network.affine import AffineLayer, affine_layers
from ..network.layers.input import DIMENSION
from ..network.spec import as_network
from ..verify.evaluate import ball, constant
from ..verify.functions.radial import degree
from .straight import Straight

Values = Callable[[Any], tuple[Any, Any]]
Numbers = tuple[Any, ...]
"""(s0, s1, t0, t1, t2) of a layer in balls."""


@dataclass(frozen=True, slots=True, repr=False)
class AngularNetwork(Brief):
    r"""A network as a function of the angle.

    Attributes:
        network: the network.
        variance: $\Sigma^{(1)}(x, x)$ of all inputs, or None where any will do (homogeneous).
        degree: P of the homogeneous case: both kernels scale as (q11 q22)^(P/2); 0 on a sphere.
        theta: (slope, offset) of $\Theta^{(1)}$ in $\Sigma^{(1)}_{12}$.
        layers: the layers, each with its dual.
    """

    network: Network
    variance: Rational | None
    degree: Rational
    theta: tuple[Expr, Expr]
    layers: tuple[AffineLayer, ...]

    @property
    def needs_dimension(self) -> bool:
        """Whether the kernels depend on the dimension of the inputs, which is not given."""
        return any(e.has(DIMENSION) for e in self.theta)

    def evaluator(self) -> Evaluator:
        """The kernels in balls, at the working precision of this call."""
        return Evaluator(self)


@dataclass(frozen=True, slots=True)
class Diagonal:
    r"""Balls of a layer at rho = 1: $\Sigma$, the dual, the derivative dual, $\Theta$ before it."""

    variance: Any
    dual: Any
    dot: Any
    theta: Any


class _Programs:
    """The forms of a layer, ready for balls."""

    def __init__(self, layer: AffineLayer, network: Network) -> None:
        forms = forms_of(layer, network)
        one = {symbols.q11: symbols.q, symbols.q22: symbols.q}
        pair = [e.xreplace(one) for e in forms[:2]]
        self._pair = Straight(pair, (symbols.q, symbols.q12))
        self._diag = Straight(list(forms[2:]), (symbols.q,))
        self._continuous = continuous(layer)

    def at(self, q: Any) -> tuple[Any, Any, Values]:
        r"""K and \dot K of an input with itself, and those of two as a function."""
        k, dot = self._diag(q)
        values: Any = self._pair.given(q)
        return k, dot, _steady(values, q.real, dot.real) if self._continuous else values


class Evaluator:
    """The kernels of an angular network at balls; diagonals are worked out once."""

    def __init__(self, angular: AngularNetwork) -> None:
        self._theta = tuple(_ball(e) for e in angular.theta)
        known: dict[Any, _Programs] = {}
        q: Any = acb(arb(1)) if angular.variance is None else _ball(angular.variance)
        self.start = q
        t = self._theta[0] * q + self._theta[1]
        bound = (_size(self._theta[0]) * q + _size(self._theta[1])).real
        self._layers: list[tuple[Values, Numbers, Numbers]] = []
        self.diagonal: list[Diagonal] = []
        numbers: dict[Expr, Any] = {}

        def number(e: Expr) -> Any:
            if e not in numbers:
                numbers[e] = _ball(e)
            return numbers[e]

        before: tuple[Any, ...] = ()
        last: Any = None
        for layer in angular.layers:
            parts = (layer.nonlinearity, layer.pair, layer.diag)
            same = bool(before) and all(a is b for a, b in zip(parts, before, strict=True))
            if not same:  # equal layers are most often one object, and hashing takes longer
                before = parts
                if parts not in known:
                    known[parts] = _Programs(layer, angular.network)
                program = known[parts]
                plain = tuple(map(number, layer.pair))
                sizes = (*plain[:2], *map(_size, plain[2:]))
                s0, s1, t0, t1, t2 = map(number, layer.diag)
            if not (same and q == last):  # true of exact numbers alone
                k, dot, values = program.at(q)
                last = q
            self._layers.append((values, plain, sizes))
            after = t0 + t1 * k + t2 * dot * t
            bound = (_size(t0) + _size(t1) * k + _size(t2) * dot * acb(bound)).real
            self.diagonal.append(Diagonal(q.real, k.real, dot.real, t.real))
            t, q = after, s0 + s1 * k
        self.ends = (_real(q), _real(t))
        self.bounds = (_real(q), bound)
        if not all(b.is_finite() for b in (*self.ends, bound)):
            raise Undecided("a kernel is not finite at rho = 1: the activation has a jump")

    def numbers(self, place: int) -> Numbers:
        """(s0, s1, t0, t1, t2) of a layer for two inputs, real balls."""
        s0, s1, t0, t1, t2 = map(_real, self._layers[place][1])
        return s0, s1, t0, t1, t2

    def layer(self, place: int, c: Any) -> tuple[Any, Any]:
        r"""(K, \dot K) of a layer at a real ball for $\Sigma_{12}$ before it."""
        k, dot = self._layers[place][0](acb(c))
        return _real(k), _real(dot)

    def __call__(self, gap: Any, sign: int, *, absolute: bool = False) -> tuple[Any, Any]:
        """(nngp, ntk) at rho = sign*(1 - gap), `arb` each; gap in [0, 1].

        With `absolute` the series of the absolute values of the coefficients, or one above it.
        """
        of = _size if absolute else acb
        rho = acb(sign * (1 - gap))
        c = rho * self.start
        t = of(self._theta[0]) * c + of(self._theta[1])
        for values, plain, sizes in self._layers:
            k, dot = values(c)
            s0, s1, t0, t1, t2 = sizes if absolute else plain
            c = s0 + s1 * k
            own = c if t0 is s0 and t1 is s1 else t0 + t1 * k
            t = own + t2 * dot * t
        return _real(c), _real(t)


def angular(
    network: Network | str, variance: Rational | None = None, dimension: int | None = None
) -> AngularNetwork:
    r"""The network as a function of the angle.

    Args:
        network: of layers with closed-form duals and numbers for all parameters, or its text.
        variance: $\Sigma^{(1)}(x, x)$ of all inputs, for data on a sphere; None for homogeneous
            activations without biases.
        dimension: that of the inputs, for conventions in which $\Theta^{(1)}$ depends on it.

    Raises:
        NoClosedForm: an activation has none, or `variance` is None and the network is not
            homogeneous: the message says what is in the way.
        BadSpec: a parameter without a value, or an object that is no network.
    """
    network = as_network(network)
    first, layers = affine_layers(network)
    values = dict(first.values)
    if dimension is not None:
        values[DIMENSION] = Integer(dimension)
    nngp, ntk = first.nngp.subs(values), first.ntk.subs(values)
    (a0, a1), (b0, b1) = (_line(e) for e in (nngp, ntk))
    slope = b1 / a1
    theta = (slope, b0 - slope * a0)
    if variance is not None:
        return AngularNetwork(network, variance, Rational(0), theta, layers)
    power = Rational(1)
    if a0 != 0 or theta[1] != 0:
        raise _not_homogeneous("the first layer has a bias")
    for layer in layers:
        name = layer.nonlinearity.activation.name or str(layer.nonlinearity.activation.expr)
        if layer.pair[0] != 0 or layer.pair[2] != 0:
            raise _not_homogeneous(f"the layer after {name} has a bias")
        power *= _degree(layer, name)
    return AngularNetwork(network, None, power, theta, layers)


def _degree(layer: AffineLayer, name: str) -> Rational:
    """The p of s(a x) = a^p s(x), a > 0."""
    expr = layer.nonlinearity.activation.expr.xreplace(_parameters(layer))
    found = degree(expr)
    if found is None:
        raise _not_homogeneous(f"{name} is not positively homogeneous")
    return found


def _parameters(layer: AffineLayer) -> dict[Symbol, Expr]:
    """The numbers of the activation's parameters."""
    by_name = dict(layer.nonlinearity.values)
    values = {}
    for p in layer.nonlinearity.activation.params:
        if p.name not in by_name:
            raise BadSpec(f"the parameter {p.name!r} has no value", hint=f"give {p.name} a number")
        values[p] = by_name[p.name]
    return values


def homogeneous(layer: AffineLayer) -> bool:
    """Whether s(a x) = a^p s(x), a > 0, for one p."""
    return degree(layer.nonlinearity.activation.expr.xreplace(_parameters(layer))) is not None


def _not_homogeneous(why: str) -> NoClosedForm:
    return NoClosedForm(
        "the kernel is not a function of the angle alone",
        where=why,
        hint="give the variance of normalised inputs, or keep the layers",
    )


def forms_of(layer: AffineLayer, network: Network) -> tuple[Expr, Expr, Expr, Expr]:
    """(value, dot, diag, diag_dot) with numbers for the parameters."""
    forms = layer.nonlinearity.forms()
    ae = network.convention.derivative == "almost_everywhere"
    found = (
        forms.value,
        forms.dot_ae if ae else forms.dot,
        forms.diag,
        forms.diag_dot_ae if ae else forms.diag_dot,
    )
    if any(e.has(symbols.x) for e in found):  # an expectation that is not worked out
        dual(layer.nonlinearity.activation)  # says why there is no closed form
    if any(e.has(oo) for e in found):
        raise NoClosedForm(
            "the derivative dual is infinite at rho = 1",
            hint="derivative='almost_everywhere' in the convention",
        )
    values = _parameters(layer)
    value, dot, diag, diag_dot = (e.subs(values) for e in found)
    return value, dot, diag, diag_dot


def continuous(layer: AffineLayer) -> bool:
    """Whether the derivative of the dual is the derivative dual, whatever the convention."""
    forms = layer.nonlinearity.forms()
    return bool(forms.dot == forms.dot_ae and forms.diag_dot == forms.diag_dot_ae)


def _steady(values: Callable[[Any], tuple[Any, ...]], q: Any, steepest: Any) -> Values:
    r"""(K, \dot K) of a real ball: at its middle, and what its radius can change.

    Balls through the formula widen by about $1/\sqrt{1 - |\rho|}$ in every layer.  But both have
    coefficients $\geq 0$: $|K'| = |\dot K| \leq \dot K(q)$ on $|c| \leq q$, and so by Cauchy
    $|\dot K'(c)| \leq \dot K(q)/(q - |c|)$.
    """

    def at(c: Any) -> tuple[Any, Any]:
        middle, r = c.real.mid(), c.real.rad()
        gap = q - abs(middle) - r
        if not gap > 0:
            return acb("nan"), acb("nan")
        k, dot = values(acb(middle))
        moved = steepest * r
        return k.real + arb(0, moved.upper()), dot.real + arb(0, (moved / gap).upper())

    return at


def _line(e: Expr) -> tuple[Expr, Expr]:
    """(offset, slope) of an expression that is affine in q12."""
    offset = e.subs({symbols.q12: 0})
    return offset, e.diff(symbols.q12)


def _ball(e: Expr) -> Any:
    return ball(constant(e, {}))


def _size(z: Any) -> Any:
    return acb(abs(z))


def _real(z: Any) -> Any:
    return z.real
