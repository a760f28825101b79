r"""A trapezoid rule in the plane for JAX and PyTorch: moments of derivatives, of any order needed.

For Gaussian (u, v) and smooth s let $M_{mn} = E[s^{(m)}(u)\,s^{(n)}(v)]$.  Then (Price's theorem)
$\partial_{q_{11}}M_{mn} = \tfrac12M_{m+2,n}$, $\partial_{q_{12}}M_{mn} = M_{m+1,n+1}$,
$\partial_{q_{22}}M_{mn} = \tfrac12M_{m,n+2}$: every derivative of the dual is a moment, finite at
$\rho = \pm1$ and for a variance of zero, and the same nodes serve.  The kernel is $M_{00}$, the
derivative dual $M_{11}$; their bound is that of the rule, which is proven for the two only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, sqrt
from typing import Any

from ...lower.program import Program
from ...numeric.quadrature import QuadratureDual
from ...numeric.quadrature.floats import array_function, tamed
from ...numeric.quadrature.lattice import LatticeRule
from ...numeric.quadrature.subject import Subject
from ..quadrature_programs import builder_of_functions
from ..text import filled
from .module import ArrayBackend, function

HIGHEST = 5
"""Derivatives of s that are written: second derivatives of the derivative dual take five."""


@dataclass(frozen=True, slots=True)
class ArrayQuadrature:
    """A rule of one level as functions of arrays with derivatives.

    Attributes:
        dual: its rule is a `LatticeRule`, one for all variances.
    """

    dual: QuadratureDual

    @property
    def rule(self) -> LatticeRule:
        """The nodes."""
        rule = self.dual.levels[-1].rule
        assert isinstance(rule, LatticeRule)
        return rule

    @property
    def highest(self) -> int:
        """The largest order of a derivative of s that is finite at every node; 1, 3 or 5."""
        return len(_derivatives(self.dual.subject, self._reach)) - 1

    @property
    def _reach(self) -> float:
        rule = self.rule
        return sqrt(2.0 * float(rule.top)) * rule.step * (rule.count + 1)

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the rule, and what is known of the derivatives."""
        last: tuple[str, ...] = (
            "Derivatives: those of the value in q12 are the derivative dual; the others are sums",
            "of derivatives of s over the same nodes: no bound is proven for them.",
        )
        if self.highest == 1:
            last = ("Derivatives of s overflow at the nodes: the kernel has none here.",)
        return (*self.dual.lines(), *last)

    @property
    def programs(self) -> tuple[Program, ...]:
        """The activation and its derivatives up to order 1, 3 and 5."""
        return _programs(self.dual.subject, self._reach)

    def text(self, stem: str, backend: ArrayBackend) -> str:
        """Python: `<stem>_value`, `<stem>_partials`, `<stem>_diag_value`, `<stem>_diag_partials`.

        The first two take (q11, q12, q22, root), the others q.

        Raises:
            UnsupportedOp: an operation that the target cannot spell.
        """
        rule, up = self.rule, stem.upper()
        text, names = "", ""
        for p in self.programs:
            name = f"_{stem}_{p.name}"
            text += function(p, name, backend, "s and its derivatives.") + "\n\n"
            names += f"{len(p.outputs) - 1}: {name}, "
        numbers = ", ".join(backend.literal(w) for w in rule.weights)
        text += f"{up}_PIECES = {{{names.rstrip(', ')}}}\n"
        text += f"{up}_WEIGHTS = ({numbers})\n{up}_ROWS = {rule.rows!r}\n"
        body = _TEXT
        body = filled(
            body,
            {
                "@TWICE@": "(2.0 if j else 1.0) * " if rule.half else "",
                "@FIRST@": "0" if rule.half else str(-rule.count),
                "@COUNT@": str(rule.count),
                "@STEP@": repr(rule.step),
                "@TOP@": repr(float(rule.top)),
                "@LOOSE@": repr(16.0 * self.dual.error),  # what a layer before may be off by
                "@HIGHEST@": str(self.highest),
                "@BLOCK@": str(max(64, 2_000_000 // (2 * rule.count + 1))),
                "@UP@": up,
                "@STEM@": stem,
            },
        )
        return text + body


@lru_cache(maxsize=32)
def _derivatives(subject: Subject, reach: float) -> tuple[Any, ...]:
    """s, s', ... as expressions, an even number of them, each finite in doubles up to `reach`."""
    import numpy as np

    from ...verify.functions.pieces import derivative

    pieces, found = subject.value.pieces, []
    at = np.linspace(-reach, reach, 129)
    for k in range(HIGHEST + 1):
        expr = tamed(pieces[0].expr)
        values = array_function(expr, expr)(at)[0]
        if k > 1 and not all(map(isfinite, values)):
            break
        found.append(expr)
        pieces = derivative(pieces)
    return tuple(found[: len(found) // 2 * 2])


@lru_cache(maxsize=32)
def _programs(subject: Subject, reach: float) -> tuple[Program, ...]:
    found = _derivatives(subject, reach)
    made = []
    for count in range(2, len(found) + 1, 2):
        builder = builder_of_functions()
        outputs = tuple((f"d{k}", builder.operand(e)) for k, e in enumerate(found[:count]))
        made.append(builder.program(f"to{count - 1}", outputs, (), ""))
    return tuple(made)


_TEXT = '''

def _@STEM@_functions(orders):
    """The program with every derivative of s that is named."""
    most = max(max(pair) for pair in orders)
    return next(found for highest, found in @UP@_PIECES.items() if most <= highest)


def _@STEM@_sum(orders, q11, q12, q22, root):
    """E[s^(m)(u) s^(n)(v)] for every (m, n) of orders: flat arrays in, one row for each out."""
    swap, large, small = q22 > q11, _max(q11, q22), _min(q11, q22)
    none = small == 0.0
    a, b = _sqrt(large), _sqrt(small)
    size = _where(none, 1.0 + 0.0 * small, a * b)
    rho, sigma = q12 / size, root / size
    good = (small >= 0.0) & (large <= @TOP@ * (1.0 + _slack(large)))
    good = good & (_abs(rho) <= _where(none, 0.0 * rho, 1.0 + @LOOSE@ + _slack(rho)))
    one, nil, flat = 1.0 + 0.0 * a, 0.0 * a, (sigma == 0.0) & ~none
    rho = _where(good, _max(_min(rho, one), -one), nil)
    rho = _where(flat, _where(rho > 0.0, one, -one), rho)
    a, b, sigma = _where(good, a, nil), _where(good, b, nil), _where(good, _min(sigma, one), nil)
    s = _@STEM@_functions(orders)
    named = sorted({k for pair in orders for k in pair})
    every = range(-@COUNT@, @COUNT@ + 1)
    inner = _along([@UP@_WEIGHTS[abs(k)] for k in every], a)
    sides = _along([abs(k) for k in every], a)
    lines = sigma * _along([k * @STEP@ for k in every], a)
    at = range(@FIRST@, @COUNT@ + 1)
    places = _constants([j * @STEP@ for j in at], a)
    outer = _constants([@TWICE@@UP@_WEIGHTS[abs(j)] for j in at], a)
    rows = _constants([@UP@_ROWS[abs(j)] for j in at], a)

    def part(i):
        weights = _where(sides <= rows[i], inner, 0.0 * inner)
        left, right = s(a * places[i]), s(b * (rho * places[i] + lines))
        equal = s(b * (rho * places[i]))  # v is a multiple of u: the sum that `_own` has
        along = {k: _where(flat, equal[k] + nil, (weights * right[k]).sum(0)) for k in named}
        return outer[i] * _stacked(
            [_where(swap, left[n] * along[m], left[m] * along[n]) + nil for m, n in orders]
        )

    total = _added(part, len(at), _stacked([nil for _ in orders]))
    return total + _where(good, nil, float("nan") + nil)


def _@STEM@_own(orders, q):
    """The same for u = v: one sum."""
    good = (q >= 0.0) & (q <= @TOP@ * (1.0 + _slack(q)))
    a = _where(good, _sqrt(q), 0.0 * q)
    every = range(-@COUNT@, @COUNT@ + 1)
    weights = _along([@UP@_WEIGHTS[abs(k)] for k in every], a)
    values = _@STEM@_functions(orders)(a * _along([k * @STEP@ for k in every], a))
    nil = _where(good, 0.0 * a, float("nan") + 0.0 * a)
    return _stacked([(weights * values[m] * values[n]).sum(0) + nil for m, n in orders])


def _@STEM@_moments(run, orders, *at):
    return _in_blocks(lambda *flat: run(orders, *flat), at, @BLOCK@)


def _@STEM@_rule(run, after, orders):
    """The moments of these orders with their derivatives, which are moments too."""
    return _pair_rule(
        lambda *at: _@STEM@_moments(run, orders, *at), lambda *at: after(orders, *at)
    )


def _@STEM@_known(rules, orders, *at):
    """The moments of these orders by name."""
    if orders not in rules:
        most = max(max(pair) for pair in orders)
        raise NotImplementedError(
            f"derivatives of s of order {most} are needed, and those up to @HIGHEST@ are written: "
            "5 for second derivatives of the kernel, 3 for first ones"
        )
    return dict(zip(orders, rules[orders](*at)))


def _@STEM@_next(orders):
    """The moments that derivatives of these are made of, each once."""
    every = (((m + 2, n), (m + 1, n + 1), (m, n + 2)) for m, n in orders)
    return tuple(dict.fromkeys(pair for three in every for pair in three))


def _@STEM@_after(orders, *at):
    """The derivatives of moments in q11, q12, q22; none in root, which follows."""
    known = _@STEM@_known(@UP@_RULES, _@STEM@_next(orders), *at)
    return tuple(
        (0.5 * known[m + 2, n], known[m + 1, n + 1], 0.5 * known[m, n + 2], 0.0 * at[3])
        for m, n in orders
    )


def _@STEM@_own_after(orders, q):
    """The derivatives in q of moments for u = v."""
    known = _@STEM@_known(@UP@_OWN_RULES, _@STEM@_next(orders), q)
    return tuple(
        (0.5 * (known[m + 2, n] + known[m, n + 2]) + known[m + 1, n + 1],) for m, n in orders
    )


_@UP@_PAIR = (0, 0), (1, 1)
@UP@_RULES, @UP@_OWN_RULES, _orders = {}, {}, _@UP@_PAIR
for _ in range(len(@UP@_PIECES) - 1):
    _orders = _@STEM@_next(_orders)
    @UP@_RULES[_orders] = _@STEM@_rule(_@STEM@_sum, _@STEM@_after, _orders)
    @UP@_OWN_RULES[_orders] = _@STEM@_rule(_@STEM@_own, _@STEM@_own_after, _orders)


def @STEM@_value(q11, q12, q22, root):
    """The pair (nngp, dot); NaN above the range."""
    return _@STEM@_moments(_@STEM@_sum, _@UP@_PAIR, q11, q12, q22, root)


def @STEM@_partials(q11, q12, q22, root):
    """The derivatives of nngp and of dot in q11, q12, q22; none in root, which follows."""
    return _@STEM@_after(_@UP@_PAIR, q11, q12, q22, root)


def @STEM@_diag_value(q):
    """The pair (nngp, dot) for u = v with variance q."""
    return _@STEM@_moments(_@STEM@_own, _@UP@_PAIR, q)


def @STEM@_diag_partials(q):
    """Their derivatives in q."""
    return _@STEM@_own_after(_@UP@_PAIR, q)
'''
