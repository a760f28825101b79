"""Duals where the closed form cancels, in JAX and PyTorch: the operations `price`, `far`, `direct`.

Each returns the closed form where that is good, and computes another rule for the other entries
only, in blocks (`_chosen` of the two preambles).  Derivatives by tracing, in networks, are those of
the closed form; the modules of duals have forms of their own.  `direct` runs on the host: see
`host`.  `price` is taken where the closed form is off by about 1e-12 of the size
(`lower.direct_where.LOST_ARRAYS`): ELU and its kind are within 600 eps at small variances.
"""

from __future__ import annotations

from dataclasses import replace

from ...lower.direct import Direct
from ...lower.far import Far
from ...lower.ops import FAR_OPS
from ...lower.price import Small
from ...lower.program import Program, with_inner
from ..tables import legendre
from ..text import filled
from .far import far_operation, far_rule
from .host import host_operation, host_rule, host_text
from .module import ArrayBackend, function

NODES = 12
"""Gauss-Legendre nodes of a panel: errors of 1e-15 (measured)."""


def with_scales(backend: ArrayBackend) -> ArrayBackend:
    """The same target, where these operations are calls."""
    return replace(
        backend, spell=backend.spell | dict.fromkeys(("price", *FAR_OPS), "_{LABEL}({ALL})")
    )


def scale_functions(programs: tuple[Program, ...], backend: ArrayBackend) -> list[str]:
    """The functions of these operations, each once, and what they call; empty without any.

    Raises:
        UnsupportedOp: an operation that the target cannot spell.
    """
    found: dict[str, str] = {}
    whole = with_scales(backend)
    for p in with_inner(programs):
        for let in p.body:
            if let.inner is None or let.label in found:
                continue
            if isinstance(let.inner, Small):
                found[let.label] = _price(let.inner, f"_{let.label}", whole)
                continue
            stem = f"_rule_{let.inner.digest()[:12]}"
            if isinstance(let.inner, Far):
                found.setdefault(stem, far_rule(let.inner, stem, whole))
                found[let.label] = far_operation(let, stem)
            elif isinstance(let.inner, Direct):
                found.setdefault(stem, host_rule(let.inner, stem, whole))
                found[let.label] = host_operation(let, let.inner, stem)
    host = any(isinstance(let.inner, Direct) for p in with_inner(programs) for let in p.body)
    first = [host_text(programs, backend)] if host else []
    return [_ELSEWHERE, *first, *found.values()] if found else []


def _price(small: Small, name: str, backend: ArrayBackend) -> str:
    inner = small.program
    nodes, weights = zip(*legendre(NODES), strict=True)
    marks = {
        "@NAME@": name,
        "@NODES@": repr(nodes),
        "@WEIGHTS@": repr(weights),
        "@SMALL@": repr(float(small.dear)),
    }
    about = "The derivative of the dual, and the dual at q12 = 0."
    return function(inner, f"{name}_inner", backend, about) + "\n\n" + filled(_PRICE, marks)


_ELSEWHERE = '''
def _elsewhere(used, f, given, closed, width):
    """f(*given) where used, elsewhere the closed form; derivatives are those of the closed form."""
    used = used & ((closed == closed) | (closed != closed))  # of the shape of both
    fill = (1.0, 0.0, 1.0, 1.0) if len(given) > 3 else (1.0,)
    fill += (0.5,) * (len(given) - len(fill))
    given = [_where(used, _still(_as(v, used, closed)), o).reshape(-1) for v, o in zip(given, fill)]
    kept = _where(_abs(closed) < _INF, closed, 0.0)
    plain = _as(_still(kept), used, closed).reshape(-1)
    value = _still(_chosen(used.reshape(-1), f, given, fill, plain, width)).reshape(used.shape)
    return _where(used, value + (kept - _still(kept)), closed)
'''

_PRICE = '''
@NAME@_NODES = @NODES@
@NAME@_WEIGHTS = @WEIGHTS@


def @NAME@_near(q11, q12, q22, root, *more):
    """The value at q12 = 0 and the integral of the derivative from there."""
    base = @NAME@_inner(q11, q12, q22, root, *more)[1]
    none = (q11 <= 0.0) | (q22 <= 0.0) | (q12 == 0.0)
    a, c, b, r = (_where(none, 1.0, v) for v in (q11, q12, q22, root))
    length = _sqrt(a) * _sqrt(b)
    turn, rest = _atan2(_abs(c), r), _atan2(r, _abs(c))
    most = _min(_max(_max(a, b), 1.0), 1e36)
    count = _ceil(_log(most) * 0.36067376022224085)  # of powers of 16
    count = count + _min(count, 1.0)
    nodes, weights = _column(@NAME@_NODES, a), _column(@NAME@_WEIGHTS, a)

    def end(k):
        return _exp(-1.3862943611198906 * _max(count - k, 0.0))

    def panel(i):  # shorter towards the collinear end
        left, right = _where((i > 0) & (count == count), end(i - 1.0), 0.0), end(i)
        x = left + (right - left) * nodes
        sine = _sin(rest + turn * x)
        cosine = _where(c < 0.0, -1.0 + 0.0 * x, 1.0 + 0.0 * x) * _sin(turn * (1.0 - x))
        slope = @NAME@_inner(a, length * cosine, b, length * sine, *more)[0]
        return (right - left) * (weights * sine * slope).sum(0)

    total = _added(panel, _highest(count, 31) + 1, 0.0 * a)
    return base + _where(none, 0.0, _where(c < 0.0, -turn, turn) * length * total)


def @NAME@(closed, q11, q12, q22, root, *more):
    """The closed form; at small variances the integral of its derivative (Price 1958)."""
    small = (q11 >= 0.0) & (q22 >= 0.0) & ((q11 < @SMALL@) | (q22 < @SMALL@))
    return _elsewhere(small, @NAME@_near, (q11, q12, q22, root, *more), closed, 64)
'''
