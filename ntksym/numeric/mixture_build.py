"""How a mixture dual is made: as few nodes as the wanted error needs."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil, isnan, log, log10, nan
from typing import Any

from ..activation import Activation
from ..errors import NoClosedForm, Undecided, UnsupportedOp
from .bound import prove_bound
from .cancellation import cancellation
from .logistic import recognise
from .mixture import CHECKED, MixtureDual, of_nodes
from .nodes import MOST_NODES, Mixture, mixture
from .pairs import pair_forms

DEFAULT_ERROR = 1e-14
NEAR = 100.0
"""How far from `DEFAULT_ERROR` a sum with parts beside the mixture may be."""
GAIN = log(3.7)
"""What a node more gains is a factor from 3.4 to 3.8."""
FAR, FAR_ERROR = (Fraction(1, 10**6), Fraction(10**6)), 1e-10
"""Variances at which such parts must not cancel either, to the error that tables have."""


def mixture_dual(activation: Any, *, error: float = DEFAULT_ERROR, nodes: int = 0) -> MixtureDual:
    """The dual of an activation of the logistic family.

    Args:
        activation: an `Activation`, or what `language.as_activation` reads.
        error: the wanted error of value and derivative, relative to sqrt(K(q11) K(q22)), for
            variances up to 100: it decides the number of nodes.  What is proven is
            `MixtureDual.bound`: activations that vanish fast at zero miss it for small variances.
        nodes: that many nodes instead.

    Raises:
        NoClosedForm: not in the logistic family; the message names the factor.  Or what stands
            beside the mixture cancels with it.
        Undecided: `error` needs more nodes than there are.
    """
    from ..language import as_activation

    read = as_activation(activation)
    return of_nodes(read, mixture(nodes)) if nodes else _fitting(read, error)


@lru_cache(maxsize=128)
def _fitting(activation: Activation, error: float) -> MixtureDual:
    """The dual with about the fewest nodes whose proven relative errors are at most `error`.

    From the number that tanh needs, as long as one node more helps: nodes rounded to doubles have
    a floor.  With parameters or offsets it is the number for tanh.
    """
    form = recognise(activation)
    pair_forms(form)  # what has none says so before nodes are looked for
    best = of_nodes(activation, _chosen(error))
    if form.plain:
        return _fewest(activation, error, best)
    try:
        if not activation.params:
            _must_not_cancel(activation, error)
        return _fewest(activation, error, best)
    except (UnsupportedOp, Undecided) as failed:
        name = activation.name or activation.expr
        raise NoClosedForm(
            f"{name}: no mixture to {error:g}, its bound is open: {failed.what}",
            where=failed.where,
            hint="--why shows which methods apply",
        ) from None


def _fewest(activation: Activation, error: float, best: MixtureDual) -> MixtureDual:
    """The first dual from `best` on that is proven to the error, of those that should be; or the
    best there is.
    """
    if activation.params or any(p.offset != 0 for p in best.form.parts):
        return best
    reached = best.worst()
    while reached > error and len(best.mixture) < MOST_NODES:
        bits = max(w.numerator.bit_length() for w in best.mixture.weights)
        more = ceil(log(reached / error) / GAIN) if reached < 1 else 1
        count = min(len(best.mixture) + more, MOST_NODES)
        trial = of_nodes(activation, mixture(count, max(53, bits)))
        after = trial.worst()
        if not after < 0.7 * reached:
            break
        best, reached = trial, after
    if reached > _asked(error) and not best.form.plain:
        ends = " to ".join(f"{float(v):g}" for v in CHECKED)
        nodes = len(best.mixture)
        why = f"{reached:.1g} is proven for q from {ends}, with {nodes} nodes"
        raise _lost(activation, error, why)
    return best


def _must_not_cancel(act: Activation, error: float) -> None:
    """Refuse a mixture that is lost in a difference of its parts: softplus(x) - max(x, 0).

    Raises:
        NoClosedForm: at some variance its rounding is far from `error`.
    """
    asked = _asked(error)
    limits = dict.fromkeys(CHECKED, asked) | dict.fromkeys(FAR, max(asked, FAR_ERROR))
    for v, limit in limits.items():
        try:
            found = cancellation(act, v)
        except UnsupportedOp:  # an orthant at the edge of what the integrator does
            found = nan
        if isnan(found) and v in FAR:  # nothing is promised there
            continue
        lost = 1.0 if isnan(found) else min(found * 2.0**-53, 1.0)
        if lost > limit:
            raise _lost(act, error, f"rounding is about {lost:.1g} of the dual at q = {float(v):g}")


def _asked(error: float) -> float:
    """What is promised where there is more than polynomials beside the mixture."""
    return error if error > DEFAULT_ERROR else NEAR * error


def _lost(act: Activation, error: float, why: str) -> NoClosedForm:
    return NoClosedForm(
        f"{act.name or act.expr}: no mixture to {error:g}, its parts cancel: {why}",
        hint="a larger error, or --why for the methods that apply",
    )


@lru_cache(maxsize=16)
def _chosen(error: float) -> Mixture:
    """The first mixture, from an estimate of the number of nodes, with a proven error."""
    if not 0 < error < 1:
        raise ValueError(f"error = {error}: between 0 and 1")
    digits = -log10(error / 2)
    bits = max(53, ceil(digits * 3.33) + 8)
    for count in range(max(2, ceil(digits * (0.92 + 0.0245 * digits))), MOST_NODES + 1):
        found = mixture(count, bits)
        if 2 * prove_bound(found).relative <= error:
            return found
    known = _chosen(DEFAULT_ERROR)  # far more nodes than these take minutes
    reached = float(2 * prove_bound(known).relative)
    raise Undecided(
        f"an error of {float(error):g} needs more than {MOST_NODES} nodes",
        where=f"the best bound reached: {reached:.2g} (relative), with {len(known)} nodes",
        hint="a larger error",
    )
