r"""Diagonals in double-double: what one layer rounds of a variance is the same in the next.

Equal layers bring variances to a fixed point, and every layer rounds them, and the numbers of the
layer, alike: in 100 layers 50 eps of the NTK, and with it of every pair.  So the diagonals of deep
networks are sums of two doubles (Dekker 1971), corrections of what doubles say: they are n numbers
where the pairs are n^2.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from .ops import FAR_OPS
from .program import Let, Operand, Program, live

FROM = 8
"""Layers from which on it is done: of fewer the rounding is that of any pair."""
EQUAL = 2.0**-48
"""A correction is one where it is less than this part of the double; else a form for variances of
another size stands there, or the closed form cancels: then the double is kept."""
QUIET = 4.0
"""The largest variance that is corrected where the next angle is formed from covariances: smooth
functions of large ones are nearly homogeneous, and angles of 0.05 are lost least (by half, as
measured, for the NTK of GELU) where variances are rounded as covariances are."""
STANDS_IN = frozenset({"price", *FAR_OPS})
"""Operations that stand for their first operand where it loses digits of doubles."""
KNOWN = frozenset(
    "pi add sub mul div div0 neg abs max min pos rescale sqrt0 asin3 angle3 gap3 exp expm1 expsinh "
    "expcosh erf erfc Phi expPhi mills".split()
)
"""Operations that have a form in double-double."""


@lru_cache(maxsize=256)
def closed(p: Program) -> Program | None:
    """The program with the closed forms for which operations stand in, if it has a form in
    double-double; else None.
    """
    places: dict[str, Operand] = {}

    def place(a: Operand) -> Operand:
        return places.get(a, a) if isinstance(a, str) else a

    body: list[Let] = []
    for let in p.body:
        args = tuple(map(place, let.args))
        if let.op in STANDS_IN:
            places[let.name] = args[0]
        else:
            body.append(replace(let, args=args))
    outputs = tuple((label, place(o)) for label, o in p.outputs)
    kept = live(tuple(body), outputs)
    if not all(let.op in KNOWN for let in kept):
        return None
    return replace(p, name=f"{p.name}_dd", body=kept, outputs=outputs)
