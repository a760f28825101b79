r"""Layers with kinks in JAX and PyTorch: their derivatives in polar coordinates, not by tracing.

Traced derivatives of a closed form with kinks away from 0 are sums of terms that are infinite at
$\rho = \pm 1$, and lose the digits of a small angle: 1e-7 of them at angles of 1e-9.  Those in the
variances at a fixed angle and in the angle itself are finite there (`gradients`); the angle is that
of q12 and the root, so that $\partial_{q_{12}} = -\sin\theta/\sqrt{q_{11}q_{22}}\,\partial_\theta$
and $\partial_{root} = \cos\theta/\sqrt{q_{11}q_{22}}\,\partial_\theta$.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...errors import BadProgram
from ...lower.kernel import STATE
from ...lower.program import Program, live
from ...lower.settled import Settled
from ..text import filled
from .module import ArrayBackend, function, only
from .settled import variance_text

ENDS = STATE[:5]
"""What both kernels after a layer are functions of."""
SLOPES = ("n_x", "n_y", "n_q", "t_x", "t_y", "t_a", "t_t")
"""Of nngp (n) and ntk (t): in the variances at a fixed angle, in q12, in the angle, in t12."""


@dataclass(frozen=True, slots=True)
class LayerSlopes:
    """The derivatives of a layer.

    Attributes:
        closed: `ENDS`, parameters -> `SLOPES`, then "n_of_<p>" of all parameters and "t_of_<p>".
        settled: values of `ENDS`, parameters, whose differences they are at large variances.
    """

    closed: Program
    settled: Settled | None = None


def slope_keys(params: tuple[str, ...]) -> tuple[str, ...]:
    """The names of `LayerSlopes.closed`, in their order."""
    return SLOPES + tuple(f"{k}_of_{p}" for k in "nt" for p in params)


def layer_rule(
    k: int, pair: Program, slopes: LayerSlopes, backends: tuple[ArrayBackend, ArrayBackend]
) -> list[str] | None:
    """The functions of a layer with its derivatives; None where the layer needs more of the state.

    Args:
        k: its number.
        pair: its program.
        slopes: its derivatives.
        backends: the target for values, and for slopes, which are closed forms.
    """
    split = _split(pair)
    if split is None:
        return None
    (values, root), (whole, plain) = split, backends
    count = len(pair.args) - len(STATE)
    given = tuple(f"p{i}" for i in range(count))
    marks = {
        "@K@": str(k),
        "@GIVEN@": "".join(f", {p}" for p in given),
        "@OF@": "".join(f", n_{p}" for p in given) + "".join(f", t_{p}" for p in given),
        "@N@": "".join(f", n_{p}" for p in given),
        "@T@": "".join(f", t_{p}" for p in given),
    }
    keys = slope_keys(pair.args[len(STATE) :])
    more = slopes.settled
    chosen = (("@BEYOND@", more.beyond), ("@TURNING@", more.turning)) if more else ()
    marks = {"@CHOSEN@": _CHOSEN if more else "", "@KEYS@": repr(keys)} | marks
    marks |= {mark: variance_text(v) for mark, v in chosen}
    return [
        function(values, f"_layer{k}_values", whole, "Both kernels after a layer."),
        function(root, f"_layer{k}_root", whole, "The next root, from the next covariance."),
        function(
            slopes.closed, f"_layer{k}_slopes", plain, "Derivatives of both in polar coordinates."
        ),
        filled(_RULE, marks),
    ]


def side_rule(k: int, diag: Program, settled: Settled | None, backend: ArrayBackend) -> list[str]:
    """The functions of a layer for u = v; derivatives at large variances are those of pairs."""
    about = "The same, u = v."
    given = diag.args[2:]
    if settled is None or set(settled.program.args[5:]) - set(given):
        return [function(diag, f"_layer{k}_diag", backend, about)]
    place = {p: f"given[{n}]" for n, p in enumerate(given)}
    taken = settled.program.args[5:]
    marks = {
        "@K@": str(k),
        "@BEYOND@": variance_text(settled.beyond),
        "@KEYS@": repr(slope_keys(taken)),
        "@GIVEN@": "".join(f", {place[p]}" for p in taken),
    }
    for kernel in "nt":
        own = (f'by["{kernel}_of_{p}"]' if p in taken else "none" for p in given)
        marks[f"@{kernel.upper()}@"] = "".join(f", {v}" for v in own)
    return [function(diag, f"_layer{k}_own", backend, about), filled(_SIDE, marks)]


def _split(pair: Program) -> tuple[Program, Program] | None:
    """The program of both kernels, and that of the root, which takes the first of them."""
    ends, params = dict(pair.outputs), pair.args[len(STATE) :]
    kept = only(pair, ("nngp", "ntk"))
    formed = "formed"
    body = tuple(
        replace(let, args=tuple(formed if a == ends["nngp"] else a for a in let.args))
        for let in pair.body
    )
    outputs = (("root", ends["root"]),)
    try:
        values = replace(kept, args=(*ENDS, *params))
        whole = Program(pair.name, (*pair.args, formed), body, outputs, pair.requires)
    except BadProgram:
        return None
    return values, replace(whole, body=live(body, outputs))


_CHOSEN = """    high, at = _max(x, y), (x, c, y, r, t12@GIVEN@)
    used, turned = ((high > beyond) & (high < _INF) for beyond in (@BEYOND@, @TURNING@))
    closed = (n_x, n_y, n_q, t_x, t_y, t_a, t_t@OF@)
    needed = [turned if k == "t_a" else used for k in @KEYS@]
    n_x, n_y, n_q, t_x, t_y, t_a, t_t@OF@ = (
        _slopes_by_numpy("_layer@K@", @KEYS@, needed, at, closed)
    )
"""

_RULE = '''
def _layer@K@_partials(q11, q12, q22, root, t12@GIVEN@):
    """Derivatives of both kernels; of a row of zeros those of a short one across the other."""
    none, short = (q11 <= 0.0) | (q22 <= 0.0), _floor(root) ** 0.25
    x, y = (_where(q > 0.0, q, short + 0.0 * q) for q in (q11, q22))
    c, r = _where(none, 0.0, q12), _where(none, _sqrt(x) * _sqrt(y), root)
    n_x, n_y, n_q, t_x, t_y, t_a, t_t@OF@ = _layer@K@_slopes(x, c, y, r, t12@GIVEN@)
@CHOSEN@    n_a, t_a = -r * n_q, _where(r == 0.0, 0.0 * r, t_a + 0.0 * r)
    along, across = (c / x) / y, -(r / x) / y
    return (
        (n_x, across * n_a, n_y, along * n_a, 0.0 * r@N@),
        (t_x, across * t_a, t_y, along * t_a, t_t@T@),
    )


_layer@K@_pair = _pair_rule(_layer@K@_values, _layer@K@_partials)


def _layer@K@(*at):
    """One layer."""
    nngp, ntk = _layer@K@_pair(*at[:5], *at[11:])
    return nngp, ntk, _layer@K@_root(*at, nngp)[0]
'''

_SIDE = '''
def _layer@K@_sides(q, t, *given):
    """The derivatives of the next function: those of pairs of equal inputs."""
    used, none = (q > @BEYOND@) & (q < _INF), 0.0 * t
    q = _where(used, q, 1.0) + none
    at = (q, q, q, none, t@GIVEN@)
    names = @KEYS@
    closed = [none] * len(names)
    found = _slopes_by_numpy("_layer@K@", names, [used] * len(names), at, closed)
    by = dict(zip(names, found))
    return (
        (2.0 * by["n_x"], none@N@),
        (2.0 * by["t_x"], by["t_t"]@T@),
    )


# nothing; with the derivatives that a layer has at large variances
_layer@K@_moved = _pair_rule(lambda q, t, *given: (0.0 * t, 0.0 * t), _layer@K@_sides)


def _layer@K@_diag(q, t, *given):
    """The same, u = v; beyond a variance with the slopes of pairs of equal inputs."""
    used = (q > @BEYOND@) & (q < _INF)
    nngp, ntk = _layer@K@_own(_where(used, 1.0, q), _where(used, 0.0, t), *given)
    own, after = _layer@K@_own(*(_still(v) if _is_array(v) else v for v in (q, t, *given)))
    moved, later = _layer@K@_moved(q, t, *given)
    return _where(used, own + moved, nngp), _where(used, after + later, ntk)
'''
