"""NumPy for a mixture dual: a module with node tables, one function per generic expectation."""

from __future__ import annotations

from .._base import SourceFile
from ..c.backend import Contract
from ..mixture.programs import LARGEST, MixturePrograms
from .backend import function, module_head, used_helpers
from .helpers import helpers


def mixture_file(m: MixturePrograms, contract: Contract) -> SourceFile:
    """The module of a mixture dual: `dual(q11, q12, q22, ..., root=None)` and `diagonal(q, ...)`.

    Both return the pair (nngp, dot).

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    wanted = used_helpers(m.programs) | {"_rootdet"}
    pieces = [module_head(contract, m.programs).rstrip("\n"), helpers(wanted), _tables(m)]
    kinds = [(m.plain, "_plain")]
    kinds += [(two, f"_single{i}") for i, two in enumerate(m.singles)]
    kinds += [((k.program, k.diagonal), f"_pair{i}") for i, k in enumerate(m.pairs)]
    for (pair, diag), label in kinds:
        pieces.append(function(pair, label, "One expectation.").rstrip("\n"))
        pieces.append(function(diag, f"{label}_diag", "One expectation, u = v.").rstrip("\n"))
    singles = "".join(f"(_single{i}, _single{i}_diag), " for i in range(len(m.singles)))
    pairs = "".join(
        f"(_pair{i}, _pair{i}_diag, {k.same}, {k.twice}), " for i, k in enumerate(m.pairs)
    )
    pieces.append(f"SINGLES = ({singles.rstrip()})\nPAIRS = ({pairs.rstrip()})")
    pieces.append(_TEXT.strip("\n").replace("@LARGEST@", repr(LARGEST)))
    return SourceFile(f"{m.name}.py", "\n\n\n".join(pieces) + "\n")


def _tables(m: MixturePrograms) -> str:
    rows = "".join(f"    ({a!r}, {w!r}),\n" for a, w in m.nodes)
    return f"NODES = (\n{rows})"


_TEXT = '''
def dual(q11, q12, q22, *params, root=None):
    """The pair (nngp, dot); arrays broadcast.

    `root`: the accurate sqrt(q11*q22 - q12^2), for nearly collinear inputs.
    """
    q11, q12, q22 = (np.asarray(q, dtype=np.float64) for q in (q11, q12, q22))
    if NODES:  # beyond range: products of variances would overflow
        q11, q22 = (np.where(q <= @LARGEST@, q, np.nan) for q in (q11, q22))
    root = _rootdet(q11, q12, q22) if root is None else root
    zero = np.zeros(np.broadcast_shapes(q11.shape, q12.shape, q22.shape))
    nngp, dot = (part + zero for part in _plain(q11, q12, q22, root, *params))
    for b, w in NODES:
        for single, _ in SINGLES:
            k, d = single(q11, q12, q22, root, b, *params)
            nngp += w * k
            dot += w * d
    for pair, _, _, _ in PAIRS:
        for a, v in NODES:
            inner, inner_dot = zero.copy(), zero.copy()
            for b, w in NODES:
                k, d = pair(q11, q12, q22, root, a, b, *params)
                inner += w * k
                inner_dot += w * d
            nngp += v * inner
            dot += v * inner_dot
    return nngp, dot


def diagonal(q, *params):
    """The pair (nngp, dot) for u = v with variance q."""
    q = np.asarray(q, dtype=np.float64)
    if NODES:
        q = np.where(q <= @LARGEST@, q, np.nan)
    zero = np.zeros(q.shape)
    nngp, dot = (part + zero for part in _plain_diag(q, *params))
    for b, w in NODES:
        for _, single in SINGLES:
            k, d = single(q, b, *params)
            nngp += w * k
            dot += w * d
    for _, pair, same, twice in PAIRS:
        if not (same or twice):
            continue
        for i, (a, v) in enumerate(NODES):
            inner, inner_dot = zero.copy(), zero.copy()
            for j in range(i if same else 0, len(NODES)):
                b, w = NODES[j]
                w = 2.0 * w if twice or j > i else w
                k, d = pair(q, a, b, *params)
                inner += w * k
                inner_dot += w * d
            nngp += v * inner
            dot += v * inner_dot
    return nngp, dot
'''
