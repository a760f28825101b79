r"""Layers with kinks in JAX and PyTorch: their derivatives in polar coordinates, not by tracing.

Traced derivatives of a closed form with kinks away from 0 are sums of terms that are infinite at
$\rho = \pm 1$, and lose the digits of a small angle: 1e-7 of them at angles of 1e-9.  Those in the
variances at a fixed angle and in the angle itself are finite there (`gradients`); the angle is that
of q12 and the root, so that $\partial_{q_{12}} = -\sin\theta/\sqrt{q_{11}q_{22}}\,\partial_\theta$
and $\partial_{root} = \cos\theta/\sqrt{q_{11}q_{22}}\,\partial_\theta$.
"""

from __future__ import annotations

from dataclasses import replace

from ...errors import BadProgram
from ...lower.kernel import STATE
from ...lower.program import Program, live
from ..text import filled
from .module import ArrayBackend, function, only

ENDS = STATE[:5]
"""What both kernels after a layer are functions of."""
SLOPES = ("n_x", "n_y", "n_q", "t_x", "t_y", "t_a", "t_t")
"""Of nngp (n) and ntk (t): in the variances at a fixed angle, in q12, in the angle, in t12."""


def layer_rule(
    k: int, pair: Program, slopes: Program, backends: tuple[ArrayBackend, ArrayBackend]
) -> list[str] | None:
    """The functions of a layer with its derivatives; None where the layer needs more of the state.

    Args:
        k: its number.
        pair: its program.
        slopes: `ENDS`, parameters -> `SLOPES`, then "n_of_<p>" of all parameters and "t_of_<p>".
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
    return [
        function(values, f"_layer{k}_values", whole, "Both kernels after a layer."),
        function(root, f"_layer{k}_root", whole, "The next root, from the next covariance."),
        function(slopes, f"_layer{k}_slopes", plain, "Derivatives of both in polar coordinates."),
        filled(_RULE, marks),
    ]


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


_RULE = '''
def _layer@K@_partials(q11, q12, q22, root, t12@GIVEN@):
    """Derivatives of both kernels; of a row of zeros those of a short one across the other."""
    none, short = (q11 <= 0.0) | (q22 <= 0.0), _floor(root) ** 0.25
    x, y = (_where(q > 0.0, q, short + 0.0 * q) for q in (q11, q22))
    c, r = _where(none, 0.0, q12), _where(none, _sqrt(x) * _sqrt(y), root)
    n_x, n_y, n_q, t_x, t_y, t_a, t_t@OF@ = _layer@K@_slopes(x, c, y, r, t12@GIVEN@)
    n_a, t_a = -r * n_q, _where(r == 0.0, 0.0 * r, t_a + 0.0 * r)
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
