"""What each row has alone in front of every layer: the diagonals of both kernels, and slopes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..checks import Array
from .layers import Layer
from .steps import Numeric


def own_levels(
    run: Numeric, layers: Sequence[Layer], hyper: Sequence[str], inputs: Array, g: Array
) -> Array:
    """For each level: variance, its root, Theta(x, x), derivatives of the variance.

    These are in the variance of the first layer and in the hyper-parameters; `inputs` has slope and
    offset of both kernels of the first layer, then their derivatives, `g` the squared norms.
    """
    slope, offset, own, rest = inputs[:4]
    q, t = slope * g + offset, own * g + rest
    moves = {"q": np.ones_like(g)}
    for h, name in enumerate(hyper, 1):
        moves[name] = inputs[4 * h] * g + inputs[4 * h + 1]
    rows = [q, np.sqrt(np.maximum(q, 0.0)), t, *moves.values()]
    for layer in layers:
        o = run(layer.side, {"q": q, "t12": t, **layer.values})
        rate = o.get("n_q", 0.0)
        moves = {
            k: rate * v + (o.get(f"n_of_{k}", 0.0) if k != "q" else 0.0) for k, v in moves.items()
        }
        q, t = (np.broadcast_to(o[k], g.shape) for k in "nt")
        rows += [q, np.sqrt(np.maximum(q, 0.0)), t]
        rows += [np.broadcast_to(v, g.shape) for v in moves.values()]
    return np.array(rows)
