"""An activation and its derivative on NumPy arrays, one operation at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from sympy import Expr

from ...errors import UnsupportedOp
from ...functions import Phi
from ...symbols import x

Arrays = Callable[[Any], tuple[Any, Any]]
"""x -> (value, slope), arrays of the shape of x."""
Rule = Callable[[dict[Expr, Any]], Any]


def array_function(value: Expr, slope: Expr) -> Arrays:
    """The two expressions of x as one function of an array; equal parts are computed once.

    Raises:
        UnsupportedOp: a function that NumPy and SciPy do not have.
    """
    import numpy as np

    steps: list[tuple[Expr, Rule]] = []
    seen: set[Expr] = {x}
    both = tamed(value), tamed(slope)
    for e in both:
        _plan(e, steps, seen)

    def run(points: Any) -> tuple[Any, Any]:
        at = np.asarray(points, dtype=np.float64)
        known: dict[Expr, Any] = {x: at}
        with np.errstate(all="ignore"):
            for e, rule in steps:
                known[e] = rule(known)
        zero = np.zeros_like(at)
        return known[both[0]] + zero, known[both[1]] + zero

    return run


def _plan(e: Expr, steps: list[tuple[Expr, Rule]], seen: set[Expr]) -> None:
    """Append what is needed for an expression, parts first."""
    if e in seen:
        return
    rule, parts = _rule(e)
    for part in parts:
        _plan(part, steps, seen)
    seen.add(e)
    steps.append((e, rule))


def _rule(e: Expr) -> tuple[Rule, tuple[Expr, ...]]:
    import numpy as np

    if not e.has(x):
        number = nearest_double(e)
        return lambda known: number, ()
    if isinstance(e, (sp.Add, sp.Mul)):
        args = tuple(sorted(e.args, key=sp.default_sort_key))
        first, rest = args[0], args[1:]
        join: Any = np.add if isinstance(e, sp.Add) else np.multiply

        def joined(known: dict[Expr, Any]) -> Any:
            total = known[first]
            for part in rest:
                total = join(total, known[part])
            return total

        return joined, args
    if isinstance(e, sp.Pow):
        return _power(e)
    if isinstance(e, sp.log) and len(e.args) == 1:
        return _log(e.args[0])
    table = _table()
    if type(e) in table and len(e.args) == 1:
        rule, inner = table[type(e)], e.args[0]
        return lambda known: rule(known[inner]), (inner,)
    raise UnsupportedOp(f"no array function for {type(e).__name__}", where=str(e)[:200])


def _power(e: Expr) -> tuple[Rule, tuple[Expr, ...]]:
    import numpy as np

    base, exponent = e.base, e.exp
    if base is sp.S.Exp1:
        return lambda known: np.exp(known[exponent]), (exponent,)
    if exponent.has(x):
        return lambda known: known[base] ** known[exponent], (base, exponent)
    p = nearest_double(exponent)
    if exponent.is_Integer:
        n = abs(int(exponent))

        def whole(known: dict[Expr, Any]) -> Any:
            result = known[base]
            for bit in bin(n)[3:]:
                result = result * result
                result = result * known[base] if bit == "1" else result
            return 1.0 / result if p < 0 else result

        return whole, (base,)
    if abs(p) == 0.5:
        return lambda known: _inverse(np.sqrt(np.maximum(known[base], 0.0)), p < 0), (base,)
    return lambda known: np.maximum(known[base], 0.0) ** p, (base,)


def _inverse(value: Any, turned: bool) -> Any:
    return 1.0 / value if turned else value


def _log(inner: Expr) -> tuple[Rule, tuple[Expr, ...]]:
    """log, without overflow of log(c + e^g) and with log1p where there is a 1."""
    import numpy as np

    c, rest = inner.as_independent(x, as_Add=True)
    if isinstance(rest, sp.exp) and c.is_positive:
        g, number = rest.args[0], nearest_double(c)

        def soft(known: dict[Expr, Any]) -> Any:
            at = known[g]
            if number == 1.0:
                return np.maximum(at, 0.0) + np.log1p(np.exp(-np.abs(at)))
            top = np.maximum(at, 0.0)
            return top + np.log(number * np.exp(-top) + np.exp(np.minimum(at, 0.0)))

        return soft, (g,)
    if c == 1:
        return lambda known: np.log1p(known[rest]), (rest,)
    return lambda known: np.log(known[inner]), (inner,)


def nearest_double(e: Expr) -> float:
    """The double nearest to a constant."""
    from ...precision import precision
    from ...verify.functions.pieces import number

    with precision(128):
        return float(number(e).mid())


def _table() -> dict[type, Callable[[Any], Any]]:
    import numpy as np
    from scipy import special

    return {
        sp.exp: np.exp,
        sp.sin: np.sin,
        sp.cos: np.cos,
        sp.tan: np.tan,
        sp.sinh: np.sinh,
        sp.cosh: np.cosh,
        sp.tanh: np.tanh,
        sp.asinh: np.arcsinh,
        sp.atan: np.arctan,
        sp.sech: lambda t: 1.0 / np.cosh(t),
        sp.sinc: lambda t: np.sinc(t / np.pi),
        sp.erf: special.erf,
        sp.erfc: special.erfc,
        Phi: special.ndtr,
    }


def tamed(e: Expr) -> Expr:
    r"""The same function, written so that e^g of a large g gives no infinity over infinity.

    $e^{kg}(c + e^g)^{-n} = (1 + c e^{-g})^{-k}(c + e^g)^{k-n}$ for $0 < k \\le n$.
    """
    if not e.args or not e.has(x):
        return e
    args = [tamed(a) for a in e.args]
    if not isinstance(e, sp.Mul):
        return e.func(*args)
    factors = list(args)
    for power in args:
        parts = _logistic(power)
        if parts is None:
            continue
        c, g, n = parts
        for grown in [f for f in factors if isinstance(f, sp.exp)]:
            k = (grown.args[0] / g).cancel()
            if k.is_Integer and 0 < k <= n:
                factors.remove(grown)
                factors.remove(power)
                factors += [(1 + c * sp.exp(-g)) ** -k, (c + sp.exp(g)) ** (k - n)]
                break
    return sp.Mul(*factors)


def _logistic(power: Expr) -> tuple[Expr, Expr, Any] | None:
    """(c, g, n) of (c + e^g)^-n, c > 0, n a positive integer; else None."""
    if not isinstance(power, sp.Pow) or not power.exp.is_Integer or power.exp >= 0:
        return None
    c, rest = power.base.as_independent(x, as_Add=True)
    if not isinstance(power.base, sp.Add) or not c.is_positive or not isinstance(rest, sp.exp):
        return None
    return c, rest.args[0], -power.exp
