"""How a mixture dual is made: as few nodes as the wanted error needs."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, log, log10
from typing import Any

from ..activation import Activation
from ..errors import Undecided
from .bound import prove_bound
from .logistic import recognise
from .mixture import MixtureDual, cancels, of_nodes
from .nodes import MOST_NODES, Mixture, mixture

DEFAULT_ERROR = 1e-14


def mixture_dual(activation: Any, *, error: float = DEFAULT_ERROR, nodes: int = 0) -> MixtureDual:
    """The dual of an activation of the logistic family.

    Args:
        activation: an `Activation`, or what `language.as_activation` reads.
        error: the wanted error of value and derivative, relative to sqrt(K(q11) K(q22)), for
            variances up to 100: it decides the number of nodes.  What is proven is
            `MixtureDual.bound`: activations that vanish fast at zero miss it for small variances.
        nodes: that many nodes instead.

    Raises:
        NoClosedForm: not in the logistic family; the message names the factor.
        Undecided: `error` needs more nodes than there are.
    """
    from ..language import as_activation

    read = as_activation(activation)
    return of_nodes(read, mixture(nodes)) if nodes else _fitting(read, error)


@lru_cache(maxsize=128)
def _fitting(activation: Activation, error: float) -> MixtureDual:
    """The dual with the fewest nodes whose proven relative errors are at most `error`.

    From the number that tanh needs, as long as one node more helps: nodes rounded to doubles have
    a floor.  With parameters or offsets it is the number for tanh.
    """
    recognise(activation)  # what is not of the family says so before nodes are looked for
    best = of_nodes(activation, _chosen(error))
    if activation.params or any(p.offset != 0 for p in best.form.parts):
        return best
    reached = best.worst()
    while reached > error and len(best.mixture) < MOST_NODES:
        bits = max(w.numerator.bit_length() for w in best.mixture.weights)
        count = len(best.mixture) + 1
        if cancels(best) > 1 and reached < 1:  # a node gains about a factor of 3.4
            count = min(len(best.mixture) + max(1, int(log(reached / error) / 1.25)), MOST_NODES)
        trial = of_nodes(activation, mixture(count, max(53, bits)))
        after = trial.worst()
        if not after < 0.7 * reached:
            break
        best, reached = trial, after
    return best


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
